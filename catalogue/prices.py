"""What a listing costs from now on. Orders that are placed keep the price they were placed at."""

from __future__ import annotations

import logging

from django.utils.translation import gettext_lazy as _
from moneyed import Money
from oscar.core.loading import get_model

from catalogue.models import Product
from shop.core import freshness
from shop.core.errors import Refused
from shop.core.money import to_minor

logger = logging.getLogger(__name__)


class PriceNotPositive(Refused):
    message = _("A price is more than nothing.")


def change(*, listing: Product, price: Money) -> None:
    """Set the price customers pay, tax included. Raises PriceNotPositive."""
    if to_minor(price) <= 0:
        raise PriceNotPositive
    records = get_model("partner", "StockRecord").objects.filter(product=listing)
    records.update(price=price.amount, price_currency=price.currency.code)
    freshness.renew()
    logger.info("price changed", extra={"listing": listing.reference, "minor": to_minor(price)})
