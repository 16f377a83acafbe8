"""Doors for machines only."""

from django.urls import path

from shop.payments import views

urlpatterns = [path("stripe/webhook/", views.stripe_webhook, name="stripe_webhook")]
