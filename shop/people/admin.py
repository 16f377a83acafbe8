"""Registered for Django's own checks (Oscar's admin classes refer to it); the admin site is not mounted."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin

from shop.people.models import User


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    ordering = ["email"]
    list_display = ["email", "is_active"]
    search_fields = ["email"]
