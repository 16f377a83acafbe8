"""What accounts do our way: where a sign-in leads, and the language. allauth's mails go straight out."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse


class AccountAdapter(DefaultAccountAdapter):
    """One door for customers, members and operators; each is led to her own room."""

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("home")

    def save_user(self, request, user, form, commit=True):
        user.language = getattr(request, "LANGUAGE_CODE", "fr") or "fr"
        return super().save_user(request, user, form, commit)
