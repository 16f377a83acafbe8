"""Desk and back office speak the person's own language; the storefront speaks its URL's."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

_PREFIXES = tuple(f"/{code}/" for code, _name in settings.LANGUAGES)


class OwnLanguageMiddleware:
    """Outside ``/fr/``, ``/ar/`` and ``/en/`` a signed-in person reads her own language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(_PREFIXES) and request.session.get("_auth_user_id"):
            language = getattr(request.user, "language", "") or translation.get_language()
            translation.activate(language)
            request.LANGUAGE_CODE = language
        return self.get_response(request)
