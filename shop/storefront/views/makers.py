"""Where goods come from: regions, and the cooperatives in them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from cooperatives import signs
from cooperatives.models import Certification, Cooperative
from shop.core import clock
from shop.core.models import Region
from shop.design import numbers
from shop.ledger import earnings
from shop.search import finding
from shop.search.finding import Wanted
from shop.storefront import cards, shelves
from shop.storefront.crumbs import shop_crumb
from shop.storefront.views import gone

#: So many goods of a cooperative on one page.
ON_A_PAGE = 60
#: From so many sales on a sum says nothing about one of them.
SALES_THAT_HIDE_ONE = 5
#: So many cooperatives are named above the goods of a region.
MAKERS_NAMED = 8


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
            "rows": [
                {**each, "makers": makers.get(each["code"], 0), "said": about_region(each["code"])}
                for each in tiles
            ],
            "crumbs": [shop_crumb(), {"name": _("Regions")}],
        },
    )


def cooperatives(request: HttpRequest) -> HttpResponse:
    """Everybody who sells, by region."""
    on = clock.today()
    goods = shelves.by_cooperative(on=on)
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
    """Who they are, what they make, what they are certified for, what they earned, how to reach them."""
    on = clock.today()
    here = Cooperative.objects.selling().select_related("region").filter(slug=slug).first()
    if here is None:
        return gone.of_cooperative(request, slug)
    goods = finding.sorted_by(finding.find(wanted=Wanted(cooperative=here.slug), on=on), "newest")
    page = Paginator(goods.for_cards(on=on), ON_A_PAGE).get_page(request.GET.get("page"))
    found = list(page.object_list)
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
            "page": page,
            "banner": [each["picture"] for each in shown[:3]] if len(shown) >= 3 and page.number == 1 else [],
            "labels": [cards.proof(each, demo=here.is_demo) for each in certifications],
            "facts": _facts(here),
            "seller": cards.identity(here),
            "regions": [cards.tile(each) for each in Region.objects.all()],
            "earned": _earned(here, on),
            "example": example,
            "parts": cards.parts_of(example, terms) if example else None,
            "crumbs": [
                shop_crumb(),
                {"name": _("Cooperatives"), "url": reverse("storefront:cooperatives")},
                {"name": here.name},
            ],
        },
    )


def _earned(here: Cooperative, on: date) -> dict[str, Any]:
    """What the books say of its last twelve full months.

    Amounts are told from ``SALES_THAT_HIDE_ONE`` sales on, so that nobody reads a single one out of them.
    """
    until = on.replace(day=1) - timedelta(days=1)
    since = until.replace(day=1)
    since = since.replace(year=since.year - (since.month < 12), month=since.month % 12 + 1)
    # The books of full months change by refunds only: once an hour is soon enough.
    found = cache.get_or_set(
        f"earned:{here.code}:{until.isoformat()}",
        lambda: earnings.earned(cooperative=here.code, since=since, until=until),
        3600,
    )
    return {
        "since": since,
        "until": until,
        "rate": numbers.percent_text(found.rate) if found.rate is not None else "",
        "parts": {
            "coop": found.share,
            "shop": found.commission_net,
            "vat": found.commission_vat,
            "fund": found.solidarity,
            "sum": found.goods,
        }
        if found.sales >= SALES_THAT_HIDE_ONE
        else None,
    }


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
            members = _("%(members)s, of whom %(women)s women (%(share)s)") % {
                "members": members,
                "women": here.women_count,
                "share": numbers.percent_text(Decimal(here.women_count) / here.members_count),
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


def region_intro(here: Region, *, among: list[Region], on: date) -> dict[str, Any]:
    """What stands above the goods of a region: the map, a few words, its signs of origin, who works there."""
    makers = Cooperative.objects.selling().filter(region=here).order_by("code")
    return {
        "template": "storefront/_region.html",
        "here": here,
        "said": about_region(here.code),
        "regions": tiles_of(among, on=on),
        "signs": [
            {"kind": _("PDO") if each.kind == "AOP" else _("PGI"), "name": each.name}
            for each in signs.signs_of(region=here.code)
        ],
        "makers": [
            {
                "name": each.name,
                "place": each.place,
                "url": reverse("storefront:cooperative", args=[each.slug]),
                "women_only": each.women_only,
            }
            for each in makers[:MAKERS_NAMED]
        ],
    }


def about_region(code: str) -> str:
    """A few true words about what is made where; nothing for a code we do not know."""
    known = {
        "MA-01": _(
            "The Rif and the plains at its foot, between two seas: strawberry-tree honey, goat's cheese of Chefchaouen, olive oil of Ouezzane, striped cloth woven in the hills."
        ),
        "MA-02": _(
            "From the Mediterranean at Berkane to the palm groves of Figuig: clementines, loquats of Zegzel, rosemary of the high plateaus, Aziza Bouzid dates."
        ),
        "MA-03": _(
            "Figs of Taounate, olive oil of Sefrou and Outat El Haj, almonds of Aknoul; in Fez, blue pottery and cut zellige."
        ),
        "MA-04": _(
            "The plateau of Zaër grows small lentils, that of Oulmès lavender; around Salé, wicker and palm leaf are plaited."
        ),
        "MA-05": _(
            "Euphorbia honey from the slopes of Azilal, pomegranates of Ouled Abdellah, olive oil of the Dir, and rugs from the wool of the Atlas."
        ),
        "MA-06": _(
            "One Moroccan in five lives here. Quinces of Oued El Maleh, grapes of Doukkala, and around Settat the wheat that is rolled into couscous."
        ),
        "MA-07": _(
            "Argan from the country of Essaouira, olive oil of Tyout Chiadma, cumin of Rhamna, and the clay and capers of Safi."
        ),
        "MA-08": _(
            "A land of oases: roses of Kelâat M'Gouna and the Dadès, Majhoul and Boufeggous dates, apples of Midelt, almonds of Amellago."
        ),
        "MA-09": _(
            "From the Anti-Atlas down to the ocean: saffron of Taliouine, almonds of Tafraout, henna of Aït Ouabelli, argan, and silver from Tiznit."
        ),
        "MA-10": _(
            "Where the Anti-Atlas ends and the desert begins: prickly pears of Aït Baâmrane, honey of the Saharan euphorbia, herds of camels."
        ),
        "MA-11": _(
            "Salt from the coast of Tarfaya, dyed melhfas and worked goat leather from Laâyoune, and spices for the tea of the Sahara."
        ),
        "MA-12": _(
            "Between ocean and desert: khoumassi couscous of five grains, toasted barley, and jewellery from the shells of the bay."
        ),
    }
    return known.get(code, "")


def region_tiles(on: date) -> list[dict[str, Any]]:
    """The regions for the map, each with how many goods come from it today."""
    return tiles_of(Region.objects.all(), on=on)


def tiles_of(regions: Iterable[Region], *, on: date) -> list[dict[str, Any]]:
    """Likewise, of regions that were fetched already."""
    counts = shelves.by_region(on=on)
    return [cards.tile(each, count=shelves.said(counts.get(each.code, 0))) for each in regions]
