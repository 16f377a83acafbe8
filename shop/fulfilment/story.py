"""What happened to an order, one line after the other."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shop.fulfilment.models import OrderEvent, SupplierOrder
from shop.orders.models import Order


def tell(
    *,
    order: Order,
    kind: str,
    at: datetime,
    supplier_order: SupplierOrder | None = None,
    actor: str = "system",
    **detail: Any,
) -> OrderEvent:
    """Write down one thing that happened. ``detail`` is plain JSON without personal data."""
    return OrderEvent.objects.create(
        order=order, supplier_order=supplier_order, kind=kind, actor=actor, detail=detail, happened_at=at
    )


def actor_of(by: Any) -> str:
    """How the story names who acted: the account of a person, ``system`` for nobody."""
    return str(by)[:80] if by is not None else "system"
