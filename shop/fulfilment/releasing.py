"""The return window has closed: what was held for the cooperative is due to it, and our commission earned."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _
from moneyed import Money

from shop.core.clock import day_of
from shop.core.crashpoints import crashpoint
from shop.core.errors import Refused
from shop.core.lives import refused_when_stale
from shop.core.money import from_minor, zero
from shop.core.sweeping import each_by_itself
from shop.fulfilment import story
from shop.fulfilment.models import SupplierOrder
from shop.ledger import accounts, balances, entries

logger = logging.getLogger(__name__)


class ReturnWindowOpen(Refused):
    message = _("The customer can still send it back; its price is not due yet.")


@transaction.atomic
def release(*, supplier_order: SupplierOrder, at: datetime) -> SupplierOrder:
    """The customer keeps the goods; from now on their price is due to the cooperative.

    What is released is what the books still hold for this part, so that earlier refunds are already off.
    Raises ReturnWindowOpen before the window has closed.
    """
    if supplier_order.return_until is not None and supplier_order.return_until > at:
        raise ReturnWindowOpen
    with refused_when_stale():
        supplier_order.release(at=at)
        supplier_order.save()
    crashpoint("releasing.released")
    share, commission_net, commission_vat = left_of(supplier_order)
    entries.record_release(
        supplier_order=supplier_order.reference,
        order=supplier_order.order.number,
        cooperative=supplier_order.cooperative.code,
        effective_on=day_of(at),
        share=share,
        commission_net=commission_net,
        commission_vat=commission_vat,
    )
    story.tell(
        order=supplier_order.order, kind="supplier_order.released", supplier_order=supplier_order, at=at
    )
    logger.info("supplier order released", extra={"supplier_order": supplier_order.reference})
    return supplier_order


def left_of(supplier_order: SupplierOrder) -> tuple[Money, Money, Money]:
    """What the books still hold of a part: (the cooperative's share, our commission net, its VAT).

    The VAT is what was frozen less what refunds froze when they gave it back, never computed anew from what
    is left: a refund before the release and the same one after it end in the same books, to the centime.
    """
    stand = balances.balances(supplier_order=supplier_order.reference)
    currency = supplier_order.currency
    nothing = zero(currency)
    held = accounts.producer_held(supplier_order.cooperative.code, currency).code
    commission = stand.get(accounts.commission_held(currency).code, nothing)
    gone = supplier_order.refunds.aggregate(vat=Sum("commission_vat_minor"))["vat"] or 0
    vat = supplier_order.commission_vat - from_minor(gone, currency)
    return stand.get(held, nothing), commission - vat, vat


def release_due(*, at: datetime) -> int:
    """Release every part whose return window has closed; returns how many. A repeat finds nothing."""
    due = SupplierOrder.objects.due_for_release(at=at).select_related("order", "cooperative")
    return each_by_itself(
        due.order_by("return_until", "pk"),
        lambda each: release(supplier_order=each, at=at),
        what="release supplier order",
    )
