"""What search engines, messengers and feed readers are told about a page: its one address, its sentence, its
picture, its facts.

Everything is read from what the page shows (its template context), so that no page says one price to people and
another to machines. Nothing is asked of the database.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from moneyed import Money

from shop.design.numbers import language_of
from shop.storefront import share_cards, structured

#: Letters of a description that search engines show.
DESCRIPTION = 160
#: As messengers know our languages.
LOCALES = {"fr": "fr_FR", "ar": "ar_AR", "en": "en_GB"}
#: What links are decorated with on their way; it changes nothing on the page.
TRACKING = ("fbclid", "gclid", "msclkid", "mc_cid", "mc_eid", "ref")
#: Pages that are lists, with narrowings in their query.
LISTS = ("listings", "category", "region")
#: Changes the order of a list, not what is on it.
SORTING = "sort"
#: A narrowing of all goods that has a page of its own.
OWN_PAGES = {
    "region": "storefront:region",
    "category": "storefront:category",
    "maker": "storefront:cooperative",
}
#: Pages that only show more of another, or answer one person.
LESSER = ("picture", "offline", "newsletter", "newsletter_confirm", "unsubscribe")
#: Everything in JSON that could end a script element or begin a comment inside it.
_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


@dataclass(frozen=True)
class About:
    """One page as it is told. ``canonical`` is empty where search engines shall not keep the page."""

    title: str
    description: str
    robots: str
    canonical: str
    languages: list[tuple[str, str]]
    kind: str
    locale: str
    other_locales: list[str]
    picture: share_cards.Shared
    price: Money | None
    feeds: list[dict[str, str]]
    data: SafeString

    @property
    def amount(self) -> str:
        return structured.amount(self.price) if self.price is not None else ""


def absolute(path: str) -> str:
    """An address of ours in full; one that is full already stays."""
    return path if "://" in path else settings.SITE_URL + path


def in_language(path: str, code: str) -> str:
    """The same page in another language: the storefront's addresses differ in their first piece only."""
    return f"/{code}/{path.split('/', 2)[2]}"


def about(context: Mapping[str, Any], request: HttpRequest) -> About:
    """All that is told of the page that shows ``context``."""
    view = (request.resolver_match.view_name if request.resolver_match else "").removeprefix("storefront:")
    kept = None if context.get("gone") else _kept_address(context, request, view)
    path = kept or request.path
    title = _title(context, view)
    description = shortened(str(context.get("about") or _description(context, view, title)))
    language = language_of()
    price = context.get("price") if view == "listing" and not context.get("gone") else None
    picture = _picture(context, view, request.resolver_match.kwargs if request.resolver_match else {})
    return About(
        title=title,
        description=description,
        robots="" if kept else "noindex, follow",
        canonical=absolute(kept) if kept else "",
        languages=_languages(kept) if kept else [],
        kind="product" if price else "website",
        locale=LOCALES[language],
        other_locales=[LOCALES[code] for code, _name in settings.LANGUAGES if code != language],
        picture=picture,
        price=price,
        feeds=_feeds(context, view),
        data=_data(context, view, path=path, picture=picture, description=description)
        if kept
        else mark_safe(""),
    )


def shortened(text: str) -> str:
    """Plain words on one line, cut between words at what search engines show."""
    plain = " ".join(unescape(strip_tags(text)).split())
    if len(plain) <= DESCRIPTION:
        return plain
    return plain[:DESCRIPTION].rpartition(" ")[0].rstrip(" .,;:،؛") + "…"


def script(data: Any) -> SafeString:
    """Facts as a data block that no title can end, whatever is in it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308 - escaped above


# --- its one address ----------------------------------------------------------------------------


def _kept_address(context: Mapping[str, Any], request: HttpRequest, view: str) -> str | None:
    """The path and query under which search engines keep this page; None for a page they shall not keep.

    A page is kept under its bare path. A list is kept with one narrowing, under the narrowing's own page
    where it has one; any more of it is one of endlessly many lists, and what lies further on has no address
    that stays.
    """
    asked = {
        key: values
        for key, values in request.GET.lists()
        if not key.startswith("utm_") and key not in TRACKING and any(values)
    }
    if view in LESSER:
        return None
    if view not in LISTS:
        return request.path
    asked.pop(SORTING, None)
    if context.get("is_further"):
        return None
    if not asked:
        return request.path
    chosen = [
        (group["key"], choice["code"])
        for group in context.get("groups") or ()
        for choice in group["choices"]
        if choice["on"]
    ]
    if len(chosen) != 1 or asked != {chosen[0][0]: [chosen[0][1]]}:
        return None
    key, code = chosen[0]
    if view == "listings" and key in OWN_PAGES:
        return reverse(OWN_PAGES[key], args=[code])
    return f"{request.path}?{urlencode({key: code})}"


def _languages(path: str) -> list[tuple[str, str]]:
    """This page in each language, and where to send a reader of none of them."""
    found = [(code, absolute(in_language(path, code))) for code, _name in settings.LANGUAGES]
    at_home = path.count("/") == 2
    default = absolute("/") if at_home else absolute(in_language(path, settings.LANGUAGE_CODE))
    return [*found, ("x-default", default)]


# --- its sentence -------------------------------------------------------------------------------


def _title(context: Mapping[str, Any], view: str) -> str:
    if context.get("heading"):
        return str(context["heading"])
    if view == "home":
        return _("Goods of the cooperatives of Morocco")
    if view == "listing":
        return str(context["listing"].get_title())
    if view == "label":
        return str(context["label"].name)
    crumbs = context.get("crumbs") or [{}]
    return str(context.get("title") or crumbs[-1].get("name") or _("Tadamon"))


def _description(context: Mapping[str, Any], view: str, title: str) -> str:
    """What this page is about, in one sentence or two."""
    if context.get("gone"):
        return str(context["said"])
    if view == "listing":
        listing, maker = context["listing"], context["cooperative"]
        return listing.description or _("%(name)s, made by %(maker)s, %(place)s.") % {
            "name": title,
            "maker": maker.name,
            "place": maker.place or maker.region.name,
        }
    if view == "cooperative":
        maker = context["cooperative"]
        return maker.story or _(
            "%(maker)s, %(place)s: its goods, its labels with their proofs, and how to reach it."
        ) % {"maker": maker.name, "place": maker.place or maker.region.name}
    if view == "label":
        return context["label"].meaning or _(
            "What %(label)s means, who vouches for it, who holds it today and which goods carry it."
        ) % {"label": title}
    if view == "labels":
        return _(
            "A label is shown only while its certificate is valid. On the day it lapses, it is gone from every page, and with it every good that claims it."
        )
    if view == "category":
        return context.get("lead") or _(
            "%(kind)s from the cooperatives of Morocco: who made it, where, and what each cooperative receives of the price."
        ) % {"kind": title}
    if view == "region":
        return _(
            "Goods of the cooperatives of the region %(region)s, with their makers, their labels and what each cooperative receives of the price."
        ) % {"region": title}
    if view == "regions":
        return _("The twelve regions of Morocco, the cooperatives in each and their goods on sale today.")
    if view == "cooperatives":
        return _(
            "The cooperatives that sell here, by region: who they are, where they work and what they make."
        )
    if view == "calendar":
        return _(
            "When saffron, dates, olives, argan, roses and honeys are gathered in Morocco, month by month."
        )
    if view in ("page", "sellers"):
        return _("%(title)s: what holds at Tadamon, the shop of the cooperatives of Morocco.") % {
            "title": title
        }
    return _(
        "Honey, argan, rugs, pottery: bought from the cooperatives themselves. Every price says what the cooperative receives."
    )


# --- its picture and its facts ------------------------------------------------------------------


def _picture(context: Mapping[str, Any], view: str, arguments: Mapping[str, Any]) -> share_cards.Shared:
    """The card a messenger shows; of the shop itself where the page is of no one thing."""
    if not context.get("gone"):
        if view == "listing":
            return share_cards.of_listing(context["listing"], parts=context.get("parts")).shared()
        if view == "cooperative":
            return share_cards.of_cooperative(context["cooperative"]).shared()
        if view == "label":
            return share_cards.of_label(context["label"]).shared()
        if view == "region":
            return share_cards.of_region(arguments["code"], context["title"]).shared()
    return share_cards.of_shop().shared()


def _feeds(context: Mapping[str, Any], view: str) -> list[dict[str, str]]:
    feeds = [{"title": _("New goods at Tadamon"), "url": absolute(reverse("storefront:feed"))}]
    if view == "cooperative" and not context.get("gone"):
        maker = context["cooperative"]
        feeds.append(
            {
                "title": _("New goods of %(maker)s") % {"maker": maker.name},
                "url": absolute(reverse("storefront:cooperative_feed", args=[maker.slug])),
            }
        )
    return feeds


def _data(
    context: Mapping[str, Any], view: str, *, path: str, picture: share_cards.Shared, description: str
) -> SafeString:
    """The facts of the page, as one graph."""
    url = absolute(path)
    graph: list[dict[str, Any]] = []
    if view == "home":
        graph += [structured.shop(), structured.website(description)]
    elif view == "listing":
        graph.append(
            structured.product(
                context["listing"],
                url=url,
                description=description,
                price=context.get("price"),
                left=context.get("left") or 0,
                pictures=[absolute(each["src"]) for each in context.get("pictures") or ()],
                estimate=(context.get("delivery") or {}).get("estimate"),
                perishable=bool(context.get("perishable")),
                reviews=context.get("reviews"),
                share_card=picture.url,
            )
        )
    elif view == "cooperative":
        graph.append(
            structured.cooperative(context["cooperative"], description=description, picture=picture.url)
        )
    if context.get("crumbs"):
        graph.append(structured.breadcrumbs(context["crumbs"], here=url))
    if context.get("cards") and view != "listing":
        graph.append(structured.goods(context["cards"]))
    return script({"@context": "https://schema.org", "@graph": graph}) if graph else mark_safe("")
