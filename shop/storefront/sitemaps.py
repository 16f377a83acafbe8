"""The pages we ask search engines to read: what is on sale and who sells today, in every language.

A list of 100,000 listings is never walked or counted: each part of the map holds a fixed range of the order in
which things came, so that a part costs one bounded query, and a thing stays in its part for good.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from xml.sax.saxutils import quoteattr

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import override
from oscar.core.loading import get_model

from catalogue.models import Product
from cooperatives.models import Certification, Cooperative
from shop.core.models import Region
from shop.storefront.found import absolute, in_language
from shop.storefront.views.pages import PAGES

Category = get_model("catalogue", "Category")

#: Addresses in one part, languages counted. The standard allows 50,000.
#: Source: https://www.sitemaps.org/protocol.html
ADDRESSES = 4_800
THINGS = ADDRESSES // len(settings.LANGUAGES)


@dataclass(frozen=True)
class Page:
    """One page in French and when it last changed, where that is known."""

    path: str
    changed: datetime | None = None


def parts(*, on: date) -> list[str]:
    """The names of all parts: one of pages, then cooperatives and goods by their ranges."""
    return [
        "pages",
        *(f"cooperatives-{number}" for number in range(1, _ranges(Cooperative.objects.all()) + 1)),
        *(f"goods-{number}" for number in range(1, _ranges(Product.objects.all()) + 1)),
    ]


def part(name: str, *, on: date) -> list[Page] | None:
    """The pages of one part; None for a name that is none."""
    if name == "pages":
        return list(_pages(on))
    kind, _dash, number = name.rpartition("-")
    if not number.isascii() or not number.isdecimal() or len(number) > 6 or int(number) < 1:
        return None
    first = (int(number) - 1) * THINGS
    if kind == "goods" and int(number) <= _ranges(Product.objects.all()):
        goods = Product.objects.on_sale(on=on).filter(pk__gt=first, pk__lte=first + THINGS)
        rows = goods.order_by("pk").values_list("slug", "date_updated")[:THINGS]
        return [Page(_in_french("listing", slug), changed) for slug, changed in rows]
    if kind == "cooperatives" and int(number) <= _ranges(Cooperative.objects.all()):
        makers = Cooperative.objects.selling().filter(pk__gt=first, pk__lte=first + THINGS)
        slugs = makers.order_by("pk").values_list("slug", flat=True)[:THINGS]
        return [Page(_in_french("cooperative", slug)) for slug in slugs]
    return None


def _ranges(things: QuerySet) -> int:
    """How many ranges hold all that ever came: the newest tells it, none are counted."""
    newest = things.order_by("-pk").values_list("pk", flat=True).first() or 0
    return -(-newest // THINGS)


def _pages(on: date) -> Iterator[Page]:
    for name in ("home", "listings", "regions", "labels", "cooperatives", "calendar", "sellers"):
        yield Page(_in_french(name))
    for slug in PAGES:
        yield Page(_in_french("page", slug))
    for code in Region.objects.values_list("code", flat=True)[:THINGS]:
        yield Page(_in_french("region", code))
    held = Certification.objects.valid_on(on).filter(cooperative__state=Cooperative.State.ACTIVE)
    for code in held.order_by("label__code").values_list("label__code", flat=True).distinct()[:THINGS]:
        yield Page(_in_french("label", code))
    kinds = Category.objects.filter(is_public=True).order_by("path")
    for slug in kinds.values_list("slug", flat=True)[:THINGS]:
        yield Page(_in_french("category", slug))


def _in_french(view: str, *args: str) -> str:
    with override("fr"):
        return reverse(f"storefront:{view}", args=args)


# --- as XML -------------------------------------------------------------------------------------


def index_xml(names: list[str]) -> str:
    """The list of parts."""
    rows = "".join(
        f"<sitemap><loc>{_text(absolute(reverse('sitemap_part', args=[name])))}</loc></sitemap>\n"
        for name in names
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{rows}</sitemapindex>\n'
    )


def part_xml(pages: list[Page]) -> str:
    """Every page in every language, each with all its languages beside it."""
    rows = "".join(_rows(each) for each in pages)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml">\n'
        f"{rows}</urlset>\n"
    )


def _rows(page: Page) -> str:
    addresses = {code: absolute(in_language(page.path, code)) for code, _name in settings.LANGUAGES}
    beside = "".join(
        f'<xhtml:link rel="alternate" hreflang="{code}" href={quoteattr(url)}/>'
        for code, url in [*addresses.items(), ("x-default", addresses[settings.LANGUAGE_CODE])]
    )
    changed = f"<lastmod>{page.changed.isoformat(timespec='seconds')}</lastmod>" if page.changed else ""
    return "".join(f"<url><loc>{_text(url)}</loc>{changed}{beside}</url>\n" for url in addresses.values())


def _text(url: str) -> str:
    return url.replace("&", "&amp;").replace("<", "&lt;")
