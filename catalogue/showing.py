"""Listings as lists show them: the dozen facts of a card, read without the rest of a listing.

A list shows two dozen goods. Their rows and those of their cooperatives, regions and claims hold two hundred
columns; a card shows a dozen. So lists ask for these alone, in statements that are made once (``core.prepared``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from catalogue.models import LabelClaim, ListingQuerySet, Product, ProductImage, variants_shown
from shop.core.addresses import address
from shop.core.prepared import Prepared, in_language


@dataclass(frozen=True, slots=True)
class Seal:
    """A label that a listing carries, certified that day."""

    label: int
    kind: str
    short_name: str


@dataclass(slots=True)
class Variant:
    """What a card asks of a variant."""

    price_now: Decimal | None
    free_now: int | None
    unit: str
    has_variants: bool = False


@dataclass(slots=True)
class Shown:
    """One listing on its card."""

    pk: int
    reference: str
    slug: str
    structure: str
    cooperative_id: int
    title: str
    unit: str
    maker: str
    place: str
    price_now: Decimal | None
    free_now: int | None
    variants: list[Variant] = field(default_factory=list)
    image: ProductImage | None = None
    seals: list[Seal] = field(default_factory=list)

    @property
    def has_variants(self) -> bool:
        return self.structure == Product.PARENT

    def get_absolute_url(self) -> str:
        return address("storefront:listing", self.slug)


def shown(ids: Sequence[int], *, on: date) -> list[Shown]:
    """These listings in this order; those that are not on sale that day are left out. Four statements."""
    found = {each.pk: each for each in completed(_LISTINGS.rows(ids=ids, on=on), on=on)}
    return [found[each] for each in ids if each in found]


def completed(rows: Sequence[tuple[Any, ...]], *, on: date) -> list[Shown]:
    """The listings of rows of ``facts``, in their order, with pictures, variants and seals. Three statements."""
    found = {row[0]: Shown(*row) for row in rows}
    ids = list(found)
    for key, *facts in _IMAGES.rows(ids=ids):
        if key in found and found[key].image is None:
            found[key].image = ProductImage(**dict(zip(_OF_AN_IMAGE, facts, strict=True)))
    for key, *facts in _VARIANTS.rows(ids=ids):
        if key in found:
            found[key].variants.append(Variant(*facts))
    for key, *facts in _SEALS.rows(ids=ids, on=on):
        if key in found:
            found[key].seals.append(Seal(*facts))
    return list(found.values())


_OF_AN_IMAGE = ("state", "stem", "width", "height", "placeholder", "is_drawing", "widths")


def facts(listings: ListingQuerySet, language: str) -> QuerySet[Any, Any]:
    """What ``completed`` needs of these listings, for a prepared question of one's own."""
    return (
        listings.rewrite(False)
        .with_stock()  # modeltranslation puts columns in an order of its own
        .values_list(
            "pk",
            "reference",
            "slug",
            "structure",
            "cooperative_id",
            in_language("title", language),
            in_language("unit", language),
            in_language("cooperative__name", language),
            in_language("cooperative__place", language),
            "price_now",
            "free_now",
        )
    )


def _listings(*, language: str, ids: list[int], on: date) -> QuerySet[Any, Any]:
    return facts(Product.objects.on_sale(on=on).filter(pk__in=ids).order_by(), language)


def _images(*, language: str, ids: list[int]) -> QuerySet[Any, Any]:
    ready = ProductImage.objects.filter(product__in=ids, state=ProductImage.State.READY)
    return ready.order_by("display_order", "pk").values_list("product_id", *_OF_AN_IMAGE)


def _variants(*, language: str, ids: list[int]) -> QuerySet[Any, Any]:
    return (
        variants_shown()
        .filter(parent__in=ids)
        .rewrite(False)
        .values_list("parent_id", "price_now", "free_now", in_language("unit", language))
    )


def _seals(*, language: str, ids: list[int], on: date) -> QuerySet[Any, Any]:
    return (
        LabelClaim.objects.valid_on(on)
        .filter(listing__in=ids)
        .order_by("pk")
        .values_list(
            "listing_id",
            "certification__label_id",
            "certification__label__kind",
            in_language("certification__label__short_name", language),
        )
    )


_LISTINGS, _IMAGES = Prepared(_listings), Prepared(_images)
_VARIANTS, _SEALS = Prepared(_variants), Prepared(_seals)
