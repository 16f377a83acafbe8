"""What became of a parcel: it arrived, by whoever's word, or was refused at the door and came home.

When cash was to be collected, arriving is the moment its money is first written: the carrier owes it to us.
A refused parcel moves nothing in the books here; what its carriage cost is on the carrier's invoice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from catalogue import stock
from shop.core.clock import day_of
from shop.core.crashpoints import crashpoint
from shop.core.errors import CarriedOutMeanwhile, Refused
from shop.core.lives import refused_when_stale
from shop.core.sweeping import each_by_itself
from shop.fulfilment import letters, routing, story
from shop.fulfilment.deciding import give_voucher_back, quantities_of, reason_text
from shop.fulfilment.models import Shipment, SupplierOrder
from shop.ledger import entries

logger = logging.getLogger(__name__)


class AlreadyPaid(Refused):
    message = _("This parcel is paid for. If it came back, open a return for it instead.")


class NotComingHome(Refused):
    message = _("This parcel is not on its way back, or its return is already confirmed.")


class ProofNoteMissing(Refused):
    message = _("Say how you know that it arrived: who took it, or what the carrier told you.")


@transaction.atomic
def record_delivery(
    *, shipment: Shipment, proof: str, at: datetime, note: str = "", by: Any = None, actor: str = ""
) -> Shipment:
    """The parcel is with the customer; her time to send it back starts. Cash enters the books now.

    ``proof`` is one of ``Shipment.Proof``; a member's word needs a note. Raises ProofNoteMissing, or
    CarriedOutMeanwhile when it is already delivered or refused.
    """
    if proof == Shipment.Proof.MEMBER and not note.strip():
        raise ProofNoteMissing
    supplier_order = _supplier_order(shipment)
    with refused_when_stale():
        supplier_order.deliver(at=at, return_until=at + timedelta(days=settings.RETURN_WINDOW_DAYS))
        supplier_order.save()
    shipment.delivered_at, shipment.proof, shipment.proof_note = at, proof, note.strip()[:200]
    shipment.save(update_fields=["delivered_at", "proof", "proof_note"])
    crashpoint("delivering.delivered")
    if shipment.cash_to_collect_minor:
        entries.record_cash_collected(
            supplier_order=supplier_order.reference,
            order=supplier_order.order.number,
            carrier=shipment.carrier.code,
            effective_on=day_of(at),
            amount=shipment.cash_to_collect,
        )
        routing.post_confirmation(supplier_order=supplier_order, at=at)
    story.tell(
        order=supplier_order.order,
        kind="supplier_order.delivered",
        supplier_order=supplier_order,
        actor=actor or story.actor_of(by),
        at=at,
        proof=proof,
    )
    return_until = supplier_order.return_until
    assert return_until is not None
    letters.to_customer(
        topic="part.delivered",
        supplier_order=supplier_order,
        at=at,
        more=lambda: {
            "return_until": return_until.isoformat(),
            "was_assumed": proof == Shipment.Proof.AUTOMATIC,
        },
    )
    logger.info("shipment delivered", extra={"shipment": shipment.reference, "proof": proof})
    return shipment


@transaction.atomic
def record_refusal(*, shipment: Shipment, reason: str, at: datetime, by: Any = None) -> Shipment:
    """The customer did not take a parcel that she was to pay at the door. It comes home; nobody owes anything.

    Raises AlreadyPaid for a parcel paid by card.
    """
    if not shipment.cash_to_collect_minor:
        raise AlreadyPaid
    supplier_order = _supplier_order(shipment)
    with refused_when_stale():
        supplier_order.refuse(at=at, reason=reason.strip()[:200])
        supplier_order.save()
    shipment.returned_at = at
    shipment.save(update_fields=["returned_at"])
    order = supplier_order.order
    story.tell(
        order=order,
        kind="supplier_order.refused",
        supplier_order=supplier_order,
        actor=story.actor_of(by),
        at=at,
        reason=supplier_order.end_reason,
    )
    letters.to_customer(
        topic="part.refused",
        supplier_order=supplier_order,
        at=at,
        more=lambda: {"reason": reason_text(supplier_order.end_reason)},
    )
    letters.to_members(topic="supplier_order.refused", supplier_order=supplier_order, at=at)
    give_voucher_back(supplier_order=supplier_order, at=at)
    logger.info("shipment refused", extra={"shipment": shipment.reference})
    return shipment


@transaction.atomic
def confirm_return(*, shipment: Shipment, at: datetime, by: Any = None, sellable: bool = True) -> Shipment:
    """A refused parcel is back with the cooperative. Its goods can be sold again, or are written off.

    Raises NotComingHome.
    """
    waiting = Shipment.objects.coming_home().filter(pk=shipment.pk)
    if not waiting.update(return_confirmed_at=at):
        raise NotComingHome
    shipment.return_confirmed_at = at
    supplier_order = _supplier_order(shipment)
    quantities = quantities_of(supplier_order)
    stock.take_back(quantities=quantities, about=supplier_order.reference, at=at)
    if not sellable:
        stock.write_off(quantities=quantities, about=supplier_order.reference, at=at)
    story.tell(
        order=supplier_order.order,
        kind="supplier_order.returned",
        supplier_order=supplier_order,
        actor=story.actor_of(by),
        at=at,
        sellable=sellable,
    )
    return shipment


def _supplier_order(shipment: Shipment) -> SupplierOrder:
    return SupplierOrder.objects.select_related("order", "cooperative").get(pk=shipment.supplier_order_id)


@dataclass(frozen=True)
class TrackingRow:
    """One line of a carrier's tracking file, already read: what happened to which parcel, and when."""

    carrier: str
    tracking_number: str
    status: Literal["delivered", "refused"]
    happened_at: datetime
    note: str = ""


@dataclass
class TrackingImport:
    """What an import came to, as tracking numbers. ``unknown`` and ``disputed`` are for a person to look at."""

    delivered: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    disputed: list[str] = field(default_factory=list)


def import_tracking(*, rows: Iterable[TrackingRow], at: datetime) -> TrackingImport:
    """Take a carrier's word for its parcels, each in a transaction of its own. Importing again changes nothing.

    A word that goes against what we already hold (delivered, and now refused), or a refusal of a parcel that
    was paid by card, is ``disputed`` and changes nothing. What happens "later than now" happened now.
    """
    result = TrackingImport()
    for row in rows:
        number = "".join(row.tracking_number.split()).upper()
        shipment = (
            Shipment.objects.select_related("carrier")
            .filter(carrier__code=row.carrier, tracking_number=number)
            .exclude(tracking_number="")
            .first()
        )
        if shipment is None:
            result.unknown.append(row.tracking_number)
            continue
        over = shipment.delivered_at or shipment.returned_at
        if over:
            agrees = bool(shipment.delivered_at) == (row.status == "delivered")
            (result.known if agrees else result.disputed).append(number)
            continue
        happened_at = max(min(row.happened_at, at), shipment.dispatched_at)
        try:
            if row.status == "delivered":
                record_delivery(
                    shipment=shipment,
                    proof=Shipment.Proof.TRACKING,
                    note=row.note,
                    at=happened_at,
                    actor=f"carrier:{row.carrier}",
                )
                result.delivered.append(number)
            else:
                record_refusal(shipment=shipment, reason=row.note or "not_wanted", at=happened_at)
                result.refused.append(number)
        except AlreadyPaid:
            result.disputed.append(number)
        except CarriedOutMeanwhile:
            result.known.append(number)
    return result


def deliver_silent(*, at: datetime) -> int:
    """Take paid parcels for delivered of which nobody has heard for some days; returns how many.

    A parcel with cash to collect is never assumed delivered: silence is no money (docs/decisions). It stays
    on the operators' list, ``Shipment.objects.silent_since``.
    """
    since = at - timedelta(days=settings.AUTOMATIC_DELIVERY_DAYS)
    return each_by_itself(
        Shipment.objects.silent_since(since).filter(cash_to_collect_minor=0),
        lambda shipment: record_delivery(shipment=shipment, proof=Shipment.Proof.AUTOMATIC, at=at),
        what="deliver silent shipment",
    )
