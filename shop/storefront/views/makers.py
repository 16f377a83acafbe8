"""Where goods come from: regions, and the cooperatives in them."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from cooperatives.models import Certification, Cooperative
from shop.core import clock
from shop.core.models import Region
from shop.search import finding
from shop.search.finding import Wanted
from shop.storefront import cards
from shop.storefront.crumbs import shop_crumb
from shop.storefront.views import gone


def regions(request: HttpRequest) -> HttpResponse:
    """The twelve regions, as a map that is the list."""
    on = clock.today()
    tiles = region_tiles(on)
    makers = dict(Cooperative.objects.selling().order_by().values_list("region").annotate(n=Count("pk")))
    return render(
        request,
        "storefront/regions.html",
        {
            "regions": tiles,
            "rows": [{**each, "makers": makers.get(each["code"], 0)} for each in tiles],
            "crumbs": [shop_crumb(), {"name": _("Regions")}],
        },
    )


def cooperatives(request: HttpRequest) -> HttpResponse:
    """Everybody who sells, by region."""
    on = clock.today()
    goods = dict(
        finding.find(wanted=Wanted(), on=on).order_by().values_list("cooperative").annotate(n=Count("pk"))
    )
    rows: dict[Region, list[dict[str, Any]]] = {}
    for each in Cooperative.objects.selling().select_related("region").order_by("region__code", "code"):
        rows.setdefault(each.region, []).append(
            {
                "name": each.name,
                "url": reverse("storefront:cooperative", args=[each.slug]),
                "place": each.place,
                "women_only": each.women_only,
                "goods": goods.get(each.pk, 0),
                "members": each.members_count,
            }
        )
    return render(
        request,
        "storefront/cooperatives.html",
        {
            "groups": [{"region": region, "rows": found} for region, found in rows.items()],
            "number": sum(len(found) for found in rows.values()),
            "crumbs": [shop_crumb(), {"name": _("Cooperatives")}],
        },
    )


def cooperative(request: HttpRequest, slug: str) -> HttpResponse:
    """Who they are, what they make, what they are certified for, and how to reach them."""
    on = clock.today()
    here = Cooperative.objects.selling().select_related("region").filter(slug=slug).first()
    if here is None:
        return gone.of_cooperative(request, slug)
    found = list(
        finding.sorted_by(finding.find(wanted=Wanted(cooperative=here.slug), on=on), "newest").for_cards(
            on=on
        )[:60]
    )
    terms = cards.terms_for(found, on)
    shown = cards.cards(found, terms=terms)
    certifications = Certification.objects.valid_on(on).filter(cooperative=here).select_related("label")
    example = next((each for each in found if cards.price_of(each)), None)
    return render(
        request,
        "storefront/cooperative.html",
        {
            "cooperative": here,
            "cards": shown,
            "banner": [each["picture"] for each in shown[:3]] if len(shown) >= 3 else [],
            "labels": [cards.proof(each, demo=here.is_demo) for each in certifications],
            "facts": _facts(here),
            "seller": cards.identity(here),
            "example": example,
            "parts": cards.parts_of(example, terms) if example else None,
            "crumbs": [
                shop_crumb(),
                {"name": _("Cooperatives"), "url": reverse("storefront:cooperatives")},
                {"name": here.name},
            ],
        },
    )


def _facts(here: Cooperative) -> list[dict[str, Any]]:
    comma = pgettext("between a name and its place", ", ")
    rows = [
        {"name": _("Place"), "value": comma.join(each for each in (here.place, here.region.name) if each)}
    ]
    if here.members_count:
        members = ngettext("%(number)s member", "%(number)s members", here.members_count) % {
            "number": here.members_count
        }
        if here.women_only:
            members = _("%(members)s, all of them women") % {"members": members}
        elif here.women_count:
            members = _("%(members)s, of whom %(women)s women") % {
                "members": members,
                "women": here.women_count,
            }
        rows.append({"name": _("Members"), "value": members})
    if here.founded:
        rows.append({"name": _("Since"), "value": str(here.founded)})
    if here.sector:
        rows.append({"name": _("Works in"), "value": capfirst(_sector(here.sector))})
    return rows


def _sector(sector: str) -> str:
    """The sectors of the register, translated; an unknown one stays as it is."""
    known = {
        "agriculture": _("farming"),
        "agroalimentaire": _("food making"),
        "apiculture": _("beekeeping"),
        "argane": _("argan"),
        "artisanat": _("crafts"),
        "cosmétique naturelle": _("natural care"),
        "plantes aromatiques": _("aromatic plants"),
        "pêche et artisanat": _("fishing and crafts"),
        "safran": _("saffron"),
        "services et réemploi": _("reuse and services"),
        "élevage": _("livestock"),
    }
    return known.get(sector, sector)


def region_tiles(on: date) -> list[dict[str, Any]]:
    """The regions for the map, each with how many goods come from it today."""
    found = (
        finding.find(wanted=Wanted(), on=on).order_by().values_list("origin_region").annotate(n=Count("pk"))
    )
    counts = {code: goods for code, goods in found if code}
    return [cards.tile(each, count=counts.get(each.code, 0)) for each in Region.objects.all()]
