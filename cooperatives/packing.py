"""Whether a cooperative packs its parcels as gifts, and what it asks for that."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from cooperatives.models import Cooperative
from shop.core.errors import Refused

#: Packing that costs more is a good of its own.
MOST = Decimal(500)


class PackingPriceRefused(Refused):
    message = _("Give a price from 0.01 to 500 dirhams, or leave it empty when you do not pack gifts.")


def offer(*, cooperative: Cooperative, price: Decimal | None) -> Cooperative:
    """From now on it packs gifts for ``price``, tax included; ``None`` ends it. Orders already placed keep
    what was asked. Raises PackingPriceRefused."""
    if price is not None and not Decimal("0.01") <= price <= MOST:
        raise PackingPriceRefused
    cooperative.gift_packing = price
    cooperative.save(update_fields=["gift_packing"])
    return cooperative
