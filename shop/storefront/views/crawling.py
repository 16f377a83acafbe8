"""What programs that read the web look for first: what they may read, where all pages are, whom to tell of a hole."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import timedelta
from email.utils import parseaddr

from django.conf import settings
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from shop.core import clock
from shop.storefront import sitemaps
from shop.storefront.found import absolute

#: So long a part of the map is kept; the day is in its name, so that midnight ends it.
MAP_SECONDS = 3600
ROBOTS_SECONDS = 24 * 3600
#: Nothing to find there: rooms behind a door, and lists that are endless.
CLOSED = (
    "/account/",
    "/backoffice/",
    "/desk/",
    "/payments/",
    "/*/basket/",
    "/*/checkout/",
    "/*/follow/",
    "/*/me/",
    "/*/orders/",
    "/*/language/",
    "/*?*q=",
    "/*?*sort=",
)


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What may be read. A demonstration asks to be left out: its goods and makers are invented."""
    lines = ["User-agent: *"]
    if settings.DEMO_MODE:
        lines = ["# A demonstration: cooperatives and goods are fictional.", *lines, "Disallow: /"]
    else:
        lines += [f"Disallow: {each}" for each in CLOSED]
        lines += ["", f"Sitemap: {absolute(reverse('sitemap'))}"]
    return _kept(
        HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8"), ROBOTS_SECONDS
    )


@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """Whom to tell of a hole. Source: https://www.rfc-editor.org/rfc/rfc9116"""
    expires = timezone.now() + timedelta(days=180)  # programs go by the real time, not by a demonstration's
    text = (
        f"Contact: mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}\n"
        f"Expires: {expires.replace(microsecond=0).isoformat().replace('+00:00', 'Z')}\n"
        "Preferred-Languages: fr, ar, en\n"
        f"Canonical: {absolute(reverse('security'))}\n"
    )
    return _kept(HttpResponse(text, content_type="text/plain; charset=utf-8"), ROBOTS_SECONDS)


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """Where the parts of the map are."""
    on = clock.today()
    return _xml(request, f"index:{on}", lambda: sitemaps.index_xml(sitemaps.parts(on=on)))


@require_safe
def sitemap_part(request: HttpRequest, name: str) -> HttpResponse:
    """One part of the map."""
    on = clock.today()

    def made() -> str:
        pages = sitemaps.part(name, on=on)
        if pages is None:
            raise Http404
        return sitemaps.part_xml(pages)

    return _xml(request, f"{name}:{on}", made)


def _xml(request: HttpRequest, key: str, make: Callable[[], str]) -> HttpResponse:
    """Made once in an hour and kept compressed: a part is some megabytes of very similar lines."""
    packed = cache.get(f"sitemap:{key}")
    if packed is None:
        packed = gzip.compress(make().encode(), 6, mtime=0)
        cache.set(f"sitemap:{key}", packed, MAP_SECONDS)
    taken = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(
        packed if taken else gzip.decompress(packed), content_type="application/xml; charset=utf-8"
    )
    if taken:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ("Accept-Encoding",))
    return _kept(response, MAP_SECONDS)


def _kept(response: HttpResponse, seconds: int) -> HttpResponse:
    response["Cache-Control"] = f"public, max-age={seconds}"
    return response
