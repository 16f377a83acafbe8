"""Finished pages for visitors of whom nothing is known: a minute old at most, the same for everybody.

Who is known, and what may be kept, is decided by exclusion. A visitor with any cookie but the harmless ones gets her
own page. An answer that sets a cookie, used a form's token, met a session or a message is never kept.
See docs/decisions/0009-finished-pages.md.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import brotli
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from shop.checkout.middleware import COUNT_COOKIE
from shop.core import freshness
from shop.design.context import THEME_COOKIE, THEMES

logger = logging.getLogger(__name__)

#: Pages that say the same to everybody.
KEPT = frozenset(
    f"storefront:{name}"
    for name in (
        "home", "listings", "listing", "category", "regions", "region", "labels", "label", "cooperatives",
        "cooperative", "page",
    )
)  # fmt: skip
#: What of the address's query a page depends on. With any other key, and with words searched for, it is made anew:
#: a stranger could otherwise fill the cache, or leave his key in links that others follow.
KEYS = frozenset(
    (
        "region",
        "category",
        "label",
        "maker",
        "stock",
        "sort",
        "page",
        "variant",
        "women",
        "ships",
        "from",
        "to",
    )
)
LONGEST_QUERY = 200
_PREFIXES = tuple(f"/{code}/" for code, _name in settings.LANGUAGES)
_MEAN_PRIVATE = ("private", "no-store", "no-cache")


@dataclass(frozen=True)
class Kept:
    """One finished page, packed as its first reader asked for it."""

    mark: str | None
    made_at: float
    headers: dict[str, str]
    content: bytes


class PageCacheMiddleware:
    """Stands inside every middleware that sets a cookie and outside every one that asks the database."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not (settings.PAGE_CACHE_SECONDS and is_anybody(request) and is_plain(request)):
            return self.get_response(request)
        packing = packing_for(request.headers.get("Accept-Encoding", ""))
        key = key_of(request, packing)
        kept, mark = _look_up(key)
        if kept is None:
            response = self.get_response(request)
            if not may_be_kept(request, response):
                return response
            kept = _pack(response, packing, mark)
            _keep(key, kept)
        return _answer(kept)


def is_anybody(request: HttpRequest) -> bool:
    """Whether nothing is known of this visitor: a cookie that is not listed here makes her somebody."""
    harmless = {settings.LANGUAGE_COOKIE_NAME, settings.CSRF_COOKIE_NAME, THEME_COOKIE}
    return all(
        name in harmless or (name == COUNT_COOKIE and value == "0") for name, value in request.COOKIES.items()
    )


def is_plain(request: HttpRequest) -> bool:
    """A page asked for as a page, by an address that others ask for too."""
    return (
        request.method == "GET"
        and request.path_info.startswith(_PREFIXES)
        and len(request.META.get("QUERY_STRING", "")) <= LONGEST_QUERY
        and KEYS.issuperset(request.GET)
        and "HX-Request" not in request.headers
        and "Authorization" not in request.headers
    )


def may_be_kept(request: Any, response: HttpResponse) -> bool:
    """Whether this answer would be the same for everybody."""
    match = request.resolver_match
    control = response.get("Cache-Control", "").lower()
    session, messages = getattr(request, "session", None), getattr(request, "_messages", None)
    return (
        response.status_code == 200
        and not response.streaming
        and match is not None
        and match.view_name in KEPT
        and response.get("Content-Type", "").startswith("text/html")
        and not response.has_header("Content-Encoding")
        and not response.cookies
        and not any(each in control for each in _MEAN_PRIVATE)
        and not request.META.get("CSRF_COOKIE_NEEDS_UPDATE")
        and not getattr(request, "_csp_nonce", None)
        and not (session is not None and (session.modified or session.session_key))
        and not (messages is not None and (messages.added_new or len(messages)))
    )


def key_of(request: HttpRequest, packing: str) -> str:
    """One key for each page as it is sent: host, path (with its language), query, light or dark, packing."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    query = sorted((name, value) for name, values in request.GET.lists() for value in values)
    told = (
        request.scheme,
        request.get_host(),
        request.path_info,
        query,
        theme if theme in THEMES else "",
        packing,
    )
    return "page:" + hashlib.sha256(repr(told).encode()).hexdigest()


def _look_up(key: str) -> tuple[Kept | None, str | None]:
    """The page kept under this key if it still holds, and the mark to keep a new one with. One way there and back."""
    try:
        found = freshness.pages().get_many((key, freshness.MARK))
    except freshness.UNREACHABLE:
        logger.warning("kept pages cannot be reached")
        return None, None
    mark = found.get(freshness.MARK)
    kept = found.get(key)
    return (kept if kept is not None and kept.mark == mark else None), mark


def _keep(key: str, kept: Kept) -> None:
    try:
        freshness.pages().set(key, kept, settings.PAGE_CACHE_SECONDS)
    except freshness.UNREACHABLE:
        logger.warning("a page could not be kept")


def packing_for(accepted: str) -> str:
    """The best packing this browser takes, leaving out what it gives no weight; empty for none."""
    taken = set()
    for each in accepted.lower().split(","):
        name, _semicolon, weight = each.replace(" ", "").partition(";")
        if not re.fullmatch(r"q=0(\.0*)?", weight):
            taken.add(name)
    return next((each for each in ("br", "gzip") if each in taken), "")


def _pack(response: HttpResponse, packing: str, mark: str | None) -> Kept:
    """Packed once for all who ask. Such a page holds nothing secret, so its length gives nothing away (BREACH)."""
    headers = {name: value for name, value in response.items() if name.lower() != "content-length"}
    content = response.content
    if packing == "br":
        content = brotli.compress(content, mode=brotli.MODE_TEXT, quality=5)
    elif packing == "gzip":
        content = gzip.compress(content, compresslevel=6, mtime=0)
    if packing:
        headers["Content-Encoding"] = packing
    return Kept(mark=mark, made_at=time.time(), headers=headers, content=content)


def _answer(kept: Kept) -> HttpResponse:
    response = HttpResponse(kept.content, headers=kept.headers)
    response["Content-Length"] = str(len(kept.content))
    response["Age"] = str(max(int(time.time() - kept.made_at), 0))
    patch_vary_headers(response, ("Cookie", "Accept-Encoding"))
    return response
