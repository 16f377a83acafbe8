"""The first page: what is there today, from whom, and how a price is shared. And the year's harvests."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import zip_longest
from typing import Any

from django.db.models import QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from oscar.core.loading import get_model

from catalogue import seasons, showing
from catalogue.models import Product
from catalogue.seasons import Season
from catalogue.showing import Shown
from cooperatives.models import Cooperative, Label
from shop.core import clock
from shop.core.addresses import address
from shop.core.prepared import Prepared, in_language
from shop.design import numbers
from shop.design.numbers import language_of
from shop.search import finding
from shop.search.finding import Wanted
from shop.storefront import cards, shelves
from shop.storefront.crumbs import shop_crumb
from shop.storefront.views.labels import kinds_of_labels
from shop.storefront.views.makers import region_tiles

Category = get_model("catalogue", "Category")

#: The great picture of the first page and the four beside it.
FIRST_SCREEN = 5
#: Shown under "new", and of the cooperative of the day.
NEW, THEIRS = 8, 3


def home(request: HttpRequest) -> HttpResponse:
    """What is there today: the season, how a price is shared, new goods, regions, labels, one cooperative."""
    on = clock.today()
    chosen = _cooperative_of(on)
    theirs, newest_ids, by_season = _theirs(chosen, on), shelves.newest(on=on), shelves.of_season(on=on)
    seasonal_ids, kinds = _in_turn(by_season), shelves.kinds(on=on)
    wanted = [*newest_ids, *seasonal_ids, *theirs, *(listing for _category, listing in kinds)]
    found = {each.pk: each for each in showing.shown(list(dict.fromkeys(wanted)), on=on)}
    newest = [found[each] for each in newest_ids if each in found]
    seasonal = [found[each] for each in seasonal_ids if each in found]
    first = _first_screen(seasonal, newest)
    new = [each for each in newest if each not in first][:NEW]
    shown_theirs = [found[each] for each in theirs if each in found]
    terms = cards.terms_for([*first, *new, *shown_theirs], on)
    shown = cards.cards(first, terms=terms)
    example = next((each for each in first if cards.price_of(each)), None)
    return render(
        request,
        "storefront/home.html",
        {
            "today": month_heading(on),
            "seasons": [_season(each, on) for each in seasons.in_season(on=on) if by_season.get(each.code)],
            "families": _families(kinds, found),
            "big": shown[0] if shown else None,
            "big_description": _description(first[0]) if first else "",
            "beside": shown[1:],
            "new": cards.cards(new, terms=terms),
            "example": example,
            "parts": cards.parts_of(example, terms) if example else None,
            "shop": shelves.whole(on=on),
            "people": Cooperative.objects.selling().aggregate(
                all=Sum("members_count"), women=Sum("women_count")
            ),
            "regions": region_tiles(on),
            "kinds": kinds_of_labels(),
            "cooperative": chosen,
            "theirs": cards.cards(shown_theirs, terms=terms),
        },
    )


def calendar(request: HttpRequest) -> HttpResponse:
    """The harvests of the year, what is picked now in front."""
    on = clock.today()
    now = seasons.in_season(on=on)
    later = sorted(
        (each for each in seasons.every_season() if each not in now),
        key=lambda each: (each.from_month - on.month) % 12,
    )
    return render(
        request,
        "storefront/calendar.html",
        {
            "month": capfirst(numbers.month_text(on.month)),
            "now": [_season(each, on) for each in now],
            "later": [_season(each, on) for each in later],
            "crumbs": [shop_crumb(), {"name": _("Harvests of the year")}],
        },
    )


def _in_turn(by_season: dict[str, list[int]]) -> list[int]:
    """What is in season, one good of each kind after the other."""
    return [each for turn in zip_longest(*by_season.values()) for each in turn if each is not None]


def _description(listing: Shown) -> str:
    """What its cooperative says of the good in the great picture; no other card needs it."""
    found = Product.objects.filter(pk=listing.pk).rewrite(False)
    (row,) = found.values_list(in_language("description", language_of())) or [("",)]
    return str(row[0])


def _first_screen(seasonal: list[Shown], newest: list[Shown]) -> list[Shown]:
    """Five goods of five cooperatives. What is in season stands in front of what is new.

    The great picture is of what the fewest may carry: the rarest sign of origin. The next four carry a
    label where they can.
    """
    candidates = [*seasonal, *(each for each in newest if each not in seasonal)]
    if not candidates:
        return []
    signs = {
        each.pk: [seal.label for seal in each.seals if seal.kind == Label.Kind.LEGAL_SIGN]
        for each in candidates
    }
    carried = Counter(label for labels in signs.values() for label in labels)
    rank = {each.pk: at for at, each in enumerate(candidates)}
    great = min(
        seasonal or newest,
        key=lambda each: (
            min((carried[label] for label in signs[each.pk]), default=len(signs) + 1),
            not each.seals,
            rank[each.pk],
        ),
    )
    first, makers = [great], {great.cooperative_id}
    for each in sorted(candidates, key=lambda each: not each.seals):
        if len(first) < FIRST_SCREEN and each.cooperative_id not in makers:
            first.append(each)
            makers.add(each.cooperative_id)
    return first


def month_heading(on: date) -> str:
    """A heading that is true today: early, mid or late in which month."""
    if on.day <= 10:
        text = _("Early %(month)s at the cooperatives")
    elif on.day <= 20:
        text = _("Mid %(month)s at the cooperatives")
    else:
        text = _("Late %(month)s at the cooperatives")
    return text % {"month": numbers.month_text(on.month)}


def _season(season: Season, on: date) -> dict[str, Any]:
    """One harvest as pages show it: its months as twelve tiles and in words."""
    return {
        "name": season.name,
        "said": season.said,
        "url": f"{reverse('storefront:listings')}?{urlencode({'q': season.search})}",
        "months": numbers.month_range_text(season.from_month, season.until_month),
        "tiles": [
            {
                "x": (month - 1) * 20,
                "state": "now"
                if month == on.month and month in season.months
                else "done"
                if month in season.months
                else "next",
            }
            for month in range(1, 13)
        ],
    }


def _cooperative_of(on: date) -> Cooperative | None:
    """The cooperative of the day, each in its turn: those whose goods fill the row, or all while none does."""
    selling = {key: goods for key, goods in shelves.by_cooperative(on=on).items() if goods}
    keys = sorted(key for key, goods in selling.items() if goods >= THEIRS) or sorted(selling)
    if not keys:
        return None
    today = keys[on.toordinal() % len(keys)]
    return Cooperative.objects.selling().select_related("region").filter(pk=today).first()


def _theirs(chosen: Cooperative | None, on: date) -> list[int]:
    if chosen is None:
        return []
    goods = finding.find(wanted=Wanted(cooperative=chosen.slug), on=on).order_by("-id")
    return list(goods.values_list("pk", flat=True)[:THEIRS])


def _families(kinds: list[tuple[int, int]], found: dict[int, Shown]) -> list[dict[str, Any]]:
    """The kinds of goods for the rail, each with a picture of the good that has been there longest."""
    named = {key: rest for key, *rest in _KINDS.rows(keys=[category for category, _listing in kinds])}
    return [
        {
            "url": address("storefront:category", named[category][0]),
            "name": named[category][1],
            "picture": _small(cards.picture(found[listing])),
        }
        for category, listing in kinds
        if category in named and listing in found
    ]


def _kinds(*, language: str, keys: list[int]) -> QuerySet[Any, Any]:
    named = Category.objects.filter(pk__in=keys).order_by().rewrite(False)
    return named.values_list("pk", "slug", in_language("name", language))


_KINDS = Prepared(_kinds)


def _small(picture: dict[str, Any]) -> dict[str, Any]:
    """The smallest rendition, for a rail of 84 pixels."""
    src, webp = (picture.get(each, "").split(" ")[0] for each in ("srcset", "webp"))
    return {"src": src or picture["src"], "webp": webp}
