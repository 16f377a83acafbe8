"""What accounts do our way: where a sign-in leads, the language, and mails by way of the outbox."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language

from shop.core import clock
from shop.people import mails
from shop.people.middleware import keep_theme
from shop.people.models import User


class AccountAdapter(DefaultAccountAdapter):
    """One door for customers, members and operators; each is led to her own room."""

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("home")

    def save_user(self, request, user, form, commit=True):
        user.language = getattr(request, "LANGUAGE_CODE", "fr") or "fr"
        return super().save_user(request, user, form, commit)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Her browser looks as she chose it in her account, wherever she signs in."""
        response = super().post_login(request, user, **kwargs)
        if user.theme:
            keep_theme(response, user.theme)
        return response

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Promised, not sent: in her language when the address has an account, else in the page's."""
        user = context.get("user") or User.objects.filter(email__iexact=email).first()
        links = ("activate_url", "password_reset_url", "signup_url")
        mails.promise(
            name=template_prefix.rpartition("/")[2],
            to=email,
            language=user.language if user else (get_language() or "fr"),
            at=clock.now(),
            link=next((context[each] for each in links if context.get(each)), ""),
            from_ip=context.get("ip") or "",
        )
