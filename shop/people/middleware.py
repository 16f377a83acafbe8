"""Desk and back office speak the person's own language; the storefront speaks its URL's, and is remembered."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from shop.design.context import THEME_COOKIE

_PREFIXES = tuple(f"/{code}/" for code, _name in settings.LANGUAGES)


def keep_language(response: HttpResponse, code: str) -> None:
    """From now on this browser is answered in this language where the address names none."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def keep_theme(response: HttpResponse, theme: str) -> None:
    """From now on this browser shows pages light or dark; with no theme, as the device says."""
    if not theme:
        response.delete_cookie(THEME_COOKIE, samesite="Lax")
        return
    response.set_cookie(
        THEME_COOKIE,
        theme,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


class OwnLanguageMiddleware:
    """Outside ``/fr/``, ``/ar/`` and ``/en/`` a signed-in person reads her own language.

    Everybody else reads on in the language of the last page: signing in, a new password, signing out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        named = request.path_info.startswith(_PREFIXES)
        own = not named and bool(request.session.get("_auth_user_id"))
        if own:
            language = getattr(request.user, "language", "") or translation.get_language()
            translation.activate(language)
            request.LANGUAGE_CODE = language
        read = translation.get_language()
        response = self.get_response(request)
        if (
            (named or own)
            and _is_page(response)
            and request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) != read
        ):
            keep_language(response, read)
        return response


def _is_page(response: HttpResponse) -> bool:
    """Whether somebody reads this, or is led on by it; a picture, a paper and a file change nothing. An answer
    that keeps a language itself (the switch) has the last word."""
    shown = response.get("Content-Type", "").startswith("text/html")
    return shown and settings.LANGUAGE_COOKIE_NAME not in response.cookies
