"""Finding listings straight from the database: what is on sale today and fits what was asked.

Whatever the number of listings, a page and its counts cost the same few queries.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from oscar.core.loading import get_model

from catalogue.models import LabelClaim, ListingQuerySet, Product
from shop.search.words import pattern, words_of

Category = get_model("catalogue", "Category")
ProductCategory = get_model("catalogue", "ProductCategory")
StockRecord = get_model("partner", "StockRecord")

SORTS = ("newest", "cheapest", "dearest")
_SEARCHED = (
    "title_fr",
    "title_ar",
    "title_en",
    "cooperative__name_fr",
    "cooperative__name_ar",
    "origin_region__name_fr",
    "origin_region__name_ar",
)


@dataclass(frozen=True)
class Wanted:
    """What a visitor asks for. Choices of one kind widen each other, kinds narrow each other.

    ``regions`` and ``labels`` are codes, ``categories`` paths in the tree: each means all that lies below it.
    """

    text: str = ""
    regions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    cooperative: str = ""
    in_stock: bool = False
    sort: str = "newest"

    @property
    def is_narrow(self) -> bool:
        """Whether anything was asked for at all."""
        return bool(self.text or self.regions or self.categories or self.labels or self.in_stock)


@dataclass(frozen=True)
class Counts:
    """How many listings stand behind each choice (by code, code and path), given all else that was asked."""

    regions: dict[str, int]
    labels: dict[str, int]
    categories: dict[str, int]


def find(*, wanted: Wanted, on: date) -> ListingQuerySet:
    """The listings on sale that day which fit, unsorted."""
    listings: ListingQuerySet = Product.objects.on_sale(on=on).filter(parent=None)
    for word in words_of(wanted.text):
        expression = pattern(word)
        fits = Q()
        for column in _SEARCHED:
            fits |= Q(**{f"{column}__iregex": expression})
        listings = listings.filter(fits)
    if wanted.regions:
        listings = listings.filter(origin_region__in=wanted.regions)
    if wanted.categories:
        listings = listings.filter(Exists(_below(wanted.categories)))
    if wanted.labels:
        claims = LabelClaim.objects.valid_on(on).filter(certification__label__code__in=wanted.labels)
        listings = listings.filter(Exists(claims.filter(listing=OuterRef("pk"))))
    if wanted.cooperative:
        listings = listings.filter(cooperative__slug=wanted.cooperative)
    if wanted.in_stock:
        own, of_variants = (
            each.filter(num_in_stock__gt=Coalesce(F("num_allocated"), 0)) for each in _records()
        )
        listings = listings.filter(Exists(own) | Exists(of_variants))
    return listings


def sorted_by(listings: ListingQuerySet, sort: str) -> ListingQuerySet:
    """Newest first, or by price; the id settles ties, so that no listing shows on two pages."""
    if sort in ("cheapest", "dearest"):
        own, of_variants = (Subquery(each.order_by("price").values("price")[:1]) for each in _records())
        sign = "" if sort == "cheapest" else "-"
        return listings.annotate(lowest=Coalesce(own, of_variants)).order_by(f"{sign}lowest", "-id")
    return listings.order_by("-date_created", "-id")


def _records() -> tuple[QuerySet, QuerySet]:
    """The stock records of one listing, and those of its published variants."""
    shown = {"product__state": Product.State.PUBLISHED, "product__is_public": True}
    return (
        StockRecord.objects.filter(product=OuterRef("pk")),
        StockRecord.objects.filter(product__parent=OuterRef("pk"), **shown),
    )


def size(listings: ListingQuerySet) -> tuple[int, int]:
    """How many listings, of how many cooperatives."""
    found = listings.aggregate(goods=Count("pk"), cooperatives=Count("cooperative", distinct=True))
    return found["goods"], found["cooperatives"]


def counts(*, wanted: Wanted, on: date) -> Counts:
    """What each further choice would find, in three queries."""
    by_region = find(wanted=replace(wanted, regions=()), on=on)
    by_label = find(wanted=replace(wanted, labels=()), on=on)
    by_category = find(wanted=replace(wanted, categories=()), on=on)
    regions = by_region.order_by().values_list("origin_region").annotate(goods=Count("pk"))
    labels = (
        LabelClaim.objects.valid_on(on)
        .filter(listing__in=by_label.order_by().values("pk"))
        .values_list("certification__label__code")
        .annotate(goods=Count("listing", distinct=True))
    )
    leaves = (
        ProductCategory.objects.filter(product__in=by_category.order_by().values("pk"))
        .values_list("category__path")
        .annotate(goods=Count("product", distinct=True))
    )
    return Counts(
        regions={code: goods for code, goods in regions if code},
        labels=dict(labels),
        categories=_rolled_up(dict(leaves)),
    )


def _below(paths: tuple[str, ...]) -> QuerySet:
    """Where one listing stands in these branches of the tree."""
    inside = Q(pk__in=[])
    for path in paths:
        inside |= Q(category__path__startswith=path)
    return ProductCategory.objects.filter(inside, product=OuterRef("pk"))


def _rolled_up(by_path: dict[str, int]) -> dict[str, int]:
    """Counts by path, each with what lies below it. Every category path is a prefix of those below."""
    step = Category.steplen
    found: Counter[str] = Counter()
    for path, goods in by_path.items():
        for end in range(step, len(path) + 1, step):
            found[path[:end]] += goods
    return dict(found)
