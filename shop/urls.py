"""Puts the doors together: the storefront under its language, everything else under its own name."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("account/", include("allauth.urls")),
]
