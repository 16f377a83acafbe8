"""A listing comes in sizes, colours or contents: each variant has its own price, weight and stock."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from moneyed import Money
from oscar.core.loading import get_model

from catalogue import stock
from catalogue.models import Product
from catalogue.prices import PriceNotPositive
from shop.core.errors import Refused
from shop.core.money import to_minor

logger = logging.getLogger(__name__)

_LANGUAGES = settings.MODELTRANSLATION_LANGUAGES
#: Facts a variant has of its listing when it is made: the same maker, origin and tax.
_SHARED = (
    "cooperative_id",
    "family",
    "origin_region_id",
    "origin_province_id",
    "vat_class",
    "shelf_life_months",
    "harvested_on",
    "is_demo",
)


class SoldByItself(Refused):
    """A listing with a price of its own cannot have variants beside it: which price would count?"""

    def __init__(self, listing: Product) -> None:
        self.listing = listing
        super().__init__(
            _("“%(title)s” is sold as one good, with a price of its own. It cannot have variants as well.")
            % {"title": listing.get_title()}
        )


class VariantOfVariant(Refused):
    message = _("A variant has no variants of its own.")


class VariantExists(Refused):
    def __init__(self, listing: Product, variant: str) -> None:
        self.listing, self.variant = listing, variant
        super().__init__(
            _("“%(title)s” has a variant “%(variant)s” already.")
            % {"title": listing.get_title(), "variant": variant}
        )


class VariantUnnamed(Refused):
    message = _("Say in every language what tells this variant apart, such as 250 ml.")


@transaction.atomic
def add(
    *,
    listing: Product,
    reference: str,
    variant: Mapping[str, str],
    price: Money,
    gross_weight_g: int,
    quantity: int,
    at: datetime,
    unit: Mapping[str, str] | None = None,
) -> Product:
    """One more variant of a listing, with its price and what is there of it; a draft until it is published.

    ``variant`` and ``unit`` are ``{language: text}``; without ``unit`` it is the listing's. It belongs to the
    listing's cooperative, always. Raises VariantOfVariant, SoldByItself, VariantUnnamed, VariantExists or
    PriceNotPositive, and then nothing is written.
    """
    Product.objects.select_for_update().get(pk=listing.pk)
    if listing.parent_id:
        raise VariantOfVariant
    if listing.stockrecords.exists():
        raise SoldByItself(listing)
    named = {each: variant.get(each, "").strip() for each in _LANGUAGES}
    if not all(named.values()):
        raise VariantUnnamed
    for language, name in named.items():
        if listing.children.filter(**{f"variant_{language}": name}).exists():
            raise VariantExists(listing, name)
    if to_minor(price) <= 0:
        raise PriceNotPositive
    if not listing.has_variants:
        listing.structure = Product.PARENT
        listing.save(update_fields=["structure"])
    made = Product.objects.create(
        structure=Product.CHILD,
        parent=listing,
        reference=reference,
        slug=f"{listing.slug}-{reference.lower()}",
        gross_weight_g=gross_weight_g,
        **{each: getattr(listing, each) for each in _SHARED},
        **{f"variant_{each}": name for each, name in named.items()},
        **{f"unit_{each}": (unit or {}).get(each) or getattr(listing, f"unit_{each}") for each in _LANGUAGES},
    )
    record = get_model("partner", "StockRecord").objects.create(
        product=made,
        partner_id=listing.cooperative.partner_id,
        partner_sku=reference,
        price_currency=price.currency.code,
        price=price.amount,
        num_in_stock=0,
    )
    if quantity:
        stock.receive(quantities={record.pk: quantity}, at=at)
    logger.info("variant added", extra={"listing": listing.reference, "variant": reference})
    return made
