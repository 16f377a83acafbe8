"""Oscar asks a strategy for price and stock. Our prices are stored with tax included.

One stock record for each listing; the customer sees and pays ``StockRecord.price``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from oscar.apps.partner import strategy as oscar
from oscar.apps.partner.prices import FixedPrice, Unavailable


class GrossPrice:
    """The stored price is what the customer pays; tax inside it is told at order time, with its code."""

    def pricing_policy(self, product: Any, stockrecord: Any) -> Any:
        if not stockrecord or stockrecord.price is None:
            return Unavailable()
        return FixedPrice(
            currency=stockrecord.price_currency,
            excl_tax=stockrecord.price,
            tax=Decimal("0.00"),
            tax_code=product.vat_class,
        )

    def parent_pricing_policy(self, product: Any, children_stock: Any) -> Any:
        prices = [(record, child) for child, record in children_stock if record and record.price is not None]
        if not prices:
            return Unavailable()
        record, child = min(prices, key=lambda each: each[0].price)
        return self.pricing_policy(child, record)


class ShopStrategy(oscar.UseFirstStockRecord, oscar.StockRequired, GrossPrice, oscar.Structured):
    """First (only) stock record, stock required, price with tax included."""


class Selector:
    """Oscar's entry point: one strategy for everybody."""

    def strategy(self, request: Any = None, user: Any = None, **kwargs: Any) -> ShopStrategy:
        return ShopStrategy(request)
