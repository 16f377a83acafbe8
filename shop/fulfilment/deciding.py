"""Whether a part goes ahead: the cooperative accepts or declines it, the customer cancels it, silence declines it.

Money goes back from the room above: ``SupplierOrder.objects.ended_after_payment()`` is its queue.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from catalogue import stock
from shop.core.crashpoints import crashpoint
from shop.core.errors import Refused
from shop.core.lives import refused_when_stale
from shop.core.sweeping import each_by_itself
from shop.fulfilment import letters, story
from shop.fulfilment.models import SupplierOrder
from shop.vouchers import redeeming

logger = logging.getLogger(__name__)


class EndReason(models.TextChoices):
    """Why a part came to nothing, kept as a code so that each reads it in her language."""

    SOLD_OUT = "sold_out", _("the goods are no longer there")
    DAMAGED = "damaged", _("the goods were damaged")
    TOO_LATE = "too_late", _("the goods cannot be ready in time")
    CLOSED = "closed", _("the cooperative is closed for some days")
    NO_ANSWER = "no_answer", _("the cooperative did not answer in time")
    CHANGED_MIND = "changed_mind", _("the customer no longer wanted it")
    AT_REQUEST = "at_request", _("the shop cancelled it for the customer")
    NOBODY_HOME = "nobody_home", _("nobody was there to take it")
    NOT_WANTED = "not_wanted", _("the customer did not take it")


class ReasonMissing(Refused):
    message = _("Say why: the customer reads the reason.")


def reason_text(reason: str) -> str:
    """A reason in the reader's language; what somebody wrote freely stays as it is."""
    return str(EndReason(reason).label) if reason in EndReason.values else reason


def quantities_of(supplier_order: SupplierOrder) -> dict[int, int]:
    """What of which stock record a part takes: ``{stock record id: quantity}``."""
    found: dict[int, int] = {}
    for line in supplier_order.lines.select_related("order_line"):
        key = line.order_line.stockrecord_id
        if key is not None:
            found[key] = found.get(key, 0) + line.quantity
    return found


@transaction.atomic
def accept(*, supplier_order: SupplierOrder, by: Any, at: datetime) -> SupplierOrder:
    """The cooperative takes the part on. Of two members the first wins, the other is told politely."""
    with refused_when_stale():
        supplier_order.accept(at=at)
        supplier_order.save()
    story.tell(
        order=supplier_order.order,
        kind="supplier_order.accepted",
        supplier_order=supplier_order,
        actor=story.actor_of(by),
        at=at,
    )
    letters.to_customer(topic="part.accepted", supplier_order=supplier_order, at=at)
    logger.info("supplier order accepted", extra={"supplier_order": supplier_order.reference})
    return supplier_order


@transaction.atomic
def decline(*, supplier_order: SupplierOrder, by: Any, reason: str, at: datetime) -> SupplierOrder:
    """The cooperative cannot fill the part, also after it had accepted it, until it leaves.

    ``reason`` is one of ``EndReason`` or words for the customer. Its stock can be sold again, and the
    customer is told that what she paid for it comes back.
    """
    if not reason.strip():
        raise ReasonMissing
    with refused_when_stale():
        supplier_order.decline(at=at, reason=reason.strip()[:200])
        supplier_order.save()
    _end(
        supplier_order, kind="supplier_order.declined", topic="part.declined", actor=story.actor_of(by), at=at
    )
    return supplier_order


@transaction.atomic
def cancel(*, supplier_order: SupplierOrder, at: datetime, actor: str = "customer") -> SupplierOrder:
    """The customer takes a part back that the cooperative has not accepted yet, herself or through support."""
    reason = EndReason.CHANGED_MIND if actor == "customer" else EndReason.AT_REQUEST
    with refused_when_stale():
        supplier_order.cancel(at=at, reason=reason)
        supplier_order.save()
    _end(supplier_order, kind="supplier_order.cancelled", topic="part.cancelled", actor=actor, at=at)
    letters.to_members(topic="supplier_order.cancelled", supplier_order=supplier_order, at=at)
    return supplier_order


def _end(supplier_order: SupplierOrder, *, kind: str, topic: str, actor: str, at: datetime) -> None:
    stock.free(quantities=quantities_of(supplier_order), about=supplier_order.reference, at=at)
    order = supplier_order.order
    story.tell(
        order=order,
        kind=kind,
        supplier_order=supplier_order,
        actor=actor,
        at=at,
        reason=supplier_order.end_reason,
    )
    letters.to_customer(
        topic=topic,
        supplier_order=supplier_order,
        at=at,
        more=lambda: {
            "reason": reason_text(supplier_order.end_reason),
            "by_shop": supplier_order.end_reason == EndReason.AT_REQUEST,
        },
    )
    give_voucher_back(supplier_order=supplier_order, at=at)
    logger.info("supplier order ended", extra={"supplier_order": supplier_order.reference, "kind": kind})


def give_voucher_back(*, supplier_order: SupplierOrder, at: datetime) -> None:
    """After a part ended: when nothing of its order comes any more, its voucher can be used once more."""
    order = supplier_order.order
    if not redeeming.lock(order=order):
        return
    over = [SupplierOrder.State.DECLINED, SupplierOrder.State.CANCELLED, SupplierOrder.State.REFUSED]
    if not order.supplier_orders.exclude(state__in=over).exists():
        redeeming.give_back(order=order, at=at)


def decline_overdue(*, at: datetime) -> int:
    """Decline what cooperatives let pass their deadline; returns how many. A repeat finds nothing."""
    overdue = SupplierOrder.objects.overdue_for_acceptance(at=at).select_related("order")
    return each_by_itself(overdue, lambda each: _decline_overdue(each, at), what="decline supplier order")


@transaction.atomic
def _decline_overdue(supplier_order: SupplierOrder, at: datetime) -> bool:
    """Raises CarriedOutMeanwhile if it was accepted or cancelled in this very moment."""
    decline(supplier_order=supplier_order, by=None, reason=EndReason.NO_ANSWER, at=at)
    crashpoint("deciding.declined")
    letters.to_members(topic="supplier_order.overdue", supplier_order=supplier_order, at=at)
    return True


def remind(*, at: datetime) -> int:
    """Remind members, once, of parts whose second half of the time to accept has begun; returns how many."""
    before = timedelta(hours=settings.ACCEPTANCE_HOURS) / 2
    reminded = 0
    for supplier_order in SupplierOrder.objects.unreminded(at=at, before=before):
        with transaction.atomic():
            # The condition in the update lets one of two sweeps through.
            waiting = SupplierOrder.objects.unreminded(at=at, before=before).filter(pk=supplier_order.pk)
            if waiting.update(reminded_at=at):
                crashpoint("deciding.marked_reminded")
                letters.to_members(topic="supplier_order.reminder", supplier_order=supplier_order, at=at)
                reminded += 1
    return reminded
