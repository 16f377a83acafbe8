"""What stands on the shelves, counted and picked for the pages that show the whole shop.

Every count stops at ``MOST`` and every pick has its limit, so that a page costs the same however many
listings there are; what was found holds for some minutes. Only numbers and ids are kept: a page asks again
which of the ids are on sale today.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, TypeVar

from django.core.cache import cache as kept
from django.db.models import Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from moneyed import Money
from oscar.core.loading import get_model

from catalogue import seasons
from catalogue.models import LabelClaim, Product
from cooperatives.models import Cooperative, Label
from shop.core.models import Region
from shop.core.prepared import Prepared
from shop.design import numbers
from shop.fulfilment import quoting
from shop.search import finding
from shop.search.finding import Wanted
from shop.search.models import Entry
from shop.storefront import cards

Category = get_model("catalogue", "Category")

#: No count goes further: beyond it a page says "more than".
MOST = 1000
#: So many seconds a count or a pick holds.
HOLDS = 300
#: The rail of kinds, the goods picked of one season, and the newest.
KINDS, OF_A_SEASON, NEWEST = 12, 4, 24

Found = TypeVar("Found")


class Counted(Subquery):
    """How many rows a subquery finds; the subquery brings its own limit."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


@dataclass(frozen=True)
class Shop:
    """How much there is in all. ``goods`` is ``MOST`` at most; then ``is_more``."""

    goods: int
    is_more: bool
    makers: int


def whole(*, on: date) -> Shop:
    """How many goods are on sale today, of how many cooperatives."""

    def count() -> Shop:
        there = finding.find(wanted=Wanted(), on=on).order_by().values("pk")[: MOST + 1]
        goods = there.count()
        return Shop(
            min(goods, MOST), goods > MOST, Cooperative.objects.selling().filter(_has_goods(on)).count()
        )

    return _kept("whole", on, count)


def by_region(*, on: date) -> dict[str, int]:
    """``{region code: goods}``."""
    return _kept("regions", on, lambda: dict(_by_region(MOST).rows(on=on)))


def by_cooperative(*, on: date) -> dict[int, int]:
    """``{cooperative id: goods}`` of those that sell."""
    return _kept("cooperatives", on, lambda: dict(_by_cooperative(MOST).rows(on=on)))


def by_label(*, on: date) -> dict[int, int]:
    """``{label id: goods that carry it}``."""

    def count() -> dict[int, int]:
        carried = LabelClaim.objects.valid_on(on).filter(
            Exists(finding.find(wanted=Wanted(), on=on).filter(pk=OuterRef("listing"))),
            certification__label=OuterRef("pk"),
        )
        goods = carried.order_by().values("listing").distinct()[:MOST]
        labels = Label.objects.order_by().annotate(goods=Counted(goods))
        return dict(labels.values_list("pk", "goods"))

    return _kept("labels", on, count)


def kinds(*, on: date) -> list[tuple[int, int]]:
    """``[(category id, listing id)]``: the kinds of the rail, each with the good that has been there longest."""

    return _kept("kinds", on, lambda: _KINDS.rows(on=on))


def newest(*, on: date) -> list[int]:
    """The ids of the newest goods that can be bought."""
    return _kept("newest", on, lambda: [key for (key,) in _NEWEST.rows(on=on)])


def delivery_from(*, on: date) -> Money | None:
    """What the cheapest parcel costs."""
    return _kept("delivery", on, lambda: quoting.cheapest(on=on))


def newest_picture(*, on: date) -> dict[str, Any] | None:
    """What stands where nothing has been chosen yet: the picture of the newest good."""
    return next(iter(cards.pictures_of(newest(on=on)[:1]).values()), None)


def of_season(*, on: date) -> dict[str, list[int]]:
    """``{season code: the ids of its newest goods that can be bought}``, in the calendar's order."""

    def pick() -> dict[str, list[int]]:
        now = seasons.in_season(on=on)
        there = finding.sorted_by(finding.find(wanted=Wanted(in_stock=True), on=on), "newest")
        wanted = Q(pk__in=[])
        for each in now:
            # A limit for each, so that a season with many goods leaves room for the others.
            wanted |= Q(pk__in=there.filter(seasons.listings_of([each])).values("pk")[:OF_A_SEASON])
        found = list(
            Product.objects.filter(wanted)
            .order_by("-date_created", "-pk")
            .rewrite(False)
            .values_list("pk", "family", "title_fr")
        )
        return {
            each.code: [pk for pk, family, title in found if each.means(family=family, title=title)]
            for each in now
        }

    return _kept("season", on, pick)


def said(goods: int) -> str:
    """A count as pages write it: where it stopped, with a plus."""
    text = numbers.number_text(goods)
    return f"{text}+" if goods >= MOST else text


def _has_goods(on: date) -> Exists:
    return Exists(_entries(on).filter(cooperative=OuterRef("slug")))


def _entries(on: date) -> QuerySet[Entry]:
    """What the index has on sale that day: a count of it reads no listings, and is some seconds old at most."""
    return Entry.objects.filter(sold_from__lte=on, sold_until__gte=on)


def _counted(owners: QuerySet[Any], column: str, key: str, on: date, most: int) -> QuerySet[Any, Any]:
    theirs = _entries(on).filter(**{column: OuterRef(key)}).order_by().values("pk")
    return owners.order_by().annotate(goods=Counted(theirs[:most])).values_list("pk", "goods")


def _ask_kinds(*, language: str, on: date) -> QuerySet[Any, Any]:
    longest = finding.find(wanted=Wanted(), on=on).filter(categories=OuterRef("pk")).order_by("pk")
    found = Category.objects.filter(is_public=True).annotate(shown=Subquery(longest.values("pk")[:1]))
    return found.exclude(shown=None).order_by("path").rewrite(False).values_list("pk", "shown")[:KINDS]


def _ask_newest(*, language: str, on: date) -> QuerySet[Any, Any]:
    there = finding.find(wanted=Wanted(in_stock=True), on=on)
    return finding.sorted_by(there, "newest").rewrite(False).values_list("pk")[:NEWEST]


@cache
def _by_region(most: int) -> Prepared:
    return Prepared(lambda language, on: _counted(Region.objects.all(), "region", "code", on, most))


@cache
def _by_cooperative(most: int) -> Prepared:
    def ask(*, language: str, on: date) -> QuerySet[Any, Any]:
        return _counted(Cooperative.objects.rewrite(False).selling(), "cooperative", "slug", on, most)

    return Prepared(ask)


_KINDS, _NEWEST = Prepared(_ask_kinds), Prepared(_ask_newest)


def _kept(name: str, on: date, find: Callable[[], Found]) -> Found:
    return kept.get_or_set(f"shelves:{name}:{on.isoformat()}", find, HOLDS)
