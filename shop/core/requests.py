"""Where requests come from, and what none of ours ever holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import BadRequest, DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme

NUL = "\0"
View = TypeVar("View", bound=Callable[..., HttpResponse])


def token_or_own_page(view: View) -> View:
    """This door also takes a form without a token, when the browser says that a page of ours sent it.

    For small acts on forms that stand on pages which are the same for everybody (adding to the basket). A browser
    that does not say where a form comes from still needs the token.
    """
    view.takes_own_pages = True  # type: ignore[attr-defined]
    return view


class OwnPagesMiddleware:
    """Before Django's check of tokens: for doors marked so, the browser's word on the sending page is enough."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> None:
        if getattr(view, "takes_own_pages", False) and sent_by_own_page(request):
            request.csrf_processing_done = True


def own_address(request: HttpRequest, named: str) -> str:
    """The path and query of ``named`` if it is a page of ours, else empty: nobody is led elsewhere by what a form
    or a header says.

    What is left without the host is looked at once more: ``https://us//elsewhere`` leaves ``//elsewhere``.
    """
    hosts, is_secure = {request.get_host()}, request.is_secure()
    if not url_has_allowed_host_and_scheme(named, allowed_hosts=hosts, require_https=is_secure):
        return ""
    path = urlsplit(named)._replace(scheme="", netloc="").geturl()
    return path if path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None) else ""


def sent_by_own_page(request: HttpRequest) -> bool:
    """Whether the browser itself says that a page of this very origin sent the request.

    Pages cannot forge these headers. Whatever is said must agree, and something must be said: ``Sec-Fetch-Site``
    (on secure origins), ``Origin`` (every browser, with every form since 2020), or at least ``Referer``.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None and site != "same-origin":
        return False
    if origin is not None:
        return _is_ours(request, origin)
    if site is not None:
        return True
    sent_from = urlsplit(request.headers.get("Referer", ""))
    return _is_ours(request, f"{sent_from.scheme}://{sent_from.netloc}")


def _is_ours(request: HttpRequest, origin: str) -> bool:
    try:
        here = f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        return False
    return origin == here or origin in settings.CSRF_TRUSTED_ORIGINS


class NoNulMiddleware:
    """Refuses a request with a NUL in its address or form: nobody types one, and PostgreSQL takes none.

    One door for all, so that no search, reference or choice needs to think of it. What is not a form (a
    webhook's body) is left to the door it comes to.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        typed = [request.path_info, *_texts(request.GET)]
        if request.method == "POST" and not getattr(view, "csrf_exempt", False):
            typed += _texts(request.POST)
        if any(NUL in each for each in typed):
            raise BadRequest("a NUL")


def _texts(query: Any) -> list[str]:
    return [each for name, values in query.lists() for each in (name, *values)]
