"""What a refund would take from whom, before anybody asks for it: the activity itself is asked, then undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from moneyed import Money

from shop.core.clock import day_of
from shop.core.money import zero
from shop.fulfilment import bearing
from shop.fulfilment.models import DeliveryCostRule, SupplierOrder, SupplierOrderLine
from shop.payments import refunding
from shop.payments.models import Refund

Bearer = DeliveryCostRule.Bearer


@dataclass(frozen=True)
class Foreseen:
    """Who gives what of a refund. ``amount`` is what the customer gets back."""

    amount: Money
    goods: Money
    voucher: Money
    delivery: Money
    cooperative: Money
    commission: Money
    solidarity: Money
    stage: str
    stage_text: str
    way_text: str
    delivery_bearer: str
    quantities: list[tuple[str, int, Money]]

    @property
    def is_owed(self) -> bool:
        """Whether the cooperative was paid already, so that it owes its part."""
        return self.stage == Refund.Stage.PAID


def refund(
    *,
    supplier_order: SupplierOrder,
    reason: str,
    lines: Mapping[SupplierOrderLine, int],
    with_delivery: bool,
    by: Any,
    at: datetime,
    holder: str = "",
    rib: str = "",
) -> Foreseen:
    """Ask for the refund, read what it froze, and take everything back. Raises what asking raises."""
    with transaction.atomic():
        asked = refunding.request(
            supplier_order=supplier_order,
            reason=reason,
            lines=lines,
            with_delivery=with_delivery,
            by=by,
            at=at,
            holder=holder,
            rib=rib,
        )
        foreseen = Foreseen(
            amount=asked.amount,
            goods=asked.goods,
            voucher=asked.discount,
            delivery=asked.delivery,
            cooperative=asked.goods - asked.commission - asked.solidarity,
            commission=asked.commission,
            solidarity=asked.solidarity,
            stage=asked.stage,
            stage_text=str(asked.get_stage_display()),
            way_text=str(asked.get_way_display()),
            delivery_bearer=_bearer(asked, supplier_order, with_delivery, at),
            quantities=[
                (each.line.title, each.quantity, each.goods) for each in asked.lines.select_related("line")
            ],
        )
        transaction.set_rollback(True)
    return foreseen


def _bearer(asked: Refund, supplier_order: SupplierOrder, with_delivery: bool, at: datetime) -> str:
    """Who pays for the delivery of this refund; empty when it was not asked to go back."""
    if not with_delivery or not supplier_order.delivery_minor:
        return ""
    if asked.delivery == zero(asked.delivery.currency):
        earlier = supplier_order.refunds.filter(delivery_minor__gt=0).exists()
        return _("given back before") if earlier else str(Bearer.CUSTOMER.label)
    cases = DeliveryCostRule.Case.values
    rule = bearing.bearer_of(case=asked.reason, on=day_of(at)) if asked.reason in cases else Bearer.SHOP
    return str(Bearer(rule).label)


def left_to_refund(supplier_order: SupplierOrder) -> dict[int, int]:
    """How many of each line have not been given back: ``{line id: quantity}``."""
    return {
        line.pk: line.quantity - sum(each.quantity for each in line.refund_lines.all())
        for line in supplier_order.lines.prefetch_related("refund_lines")
    }
