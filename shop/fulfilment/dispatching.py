"""A packed part leaves the cooperative with a carrier."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from catalogue import stock
from shop.core.errors import Refused
from shop.core.lives import refused_when_stale
from shop.core.money import zero
from shop.fulfilment import letters, story
from shop.fulfilment.deciding import quantities_of
from shop.fulfilment.models import Carrier, Shipment, SupplierOrder

logger = logging.getLogger(__name__)

#: No carrier's number is longer; what is has been copied with something beside it.
LONGEST_NUMBER = 40


class CarrierTakesNoCash(Refused):
    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        super().__init__(
            _("%(carrier)s collects no cash, and this part is paid at the door. Choose another carrier.")
            % {"carrier": carrier.name}
        )


class TrackingNumberUsed(Refused):
    def __init__(self, number: str) -> None:
        self.number = number
        super().__init__(
            _("The tracking number %(number)s already belongs to another parcel. Compare it with the label.")
            % {"number": number}
        )


class TrackingNumberTooLong(Refused):
    message = _("A tracking number has at most 40 characters. Compare it with the carrier's label.")


class TrackingNumberMissing(Refused):
    message = _("The carrier reports the cash of a parcel by its tracking number. Copy it from the label.")


class ParcelOver(Refused):
    message = _("This parcel has arrived or was refused; its carrier and number can no longer be changed.")


@transaction.atomic
def dispatch(
    *, supplier_order: SupplierOrder, carrier: Carrier, tracking_number: str, by: Any, at: datetime
) -> Shipment:
    """Hand the parcel of an accepted part to a carrier. Its goods leave the stock, the customer is told.

    Raises CarrierTakesNoCash, TrackingNumberTooLong, TrackingNumberMissing, TrackingNumberUsed, or
    CarriedOutMeanwhile when it was already sent or declined.
    """
    number = _number(supplier_order, carrier, tracking_number)
    with refused_when_stale():
        supplier_order.dispatch(at=at)
        supplier_order.save()
    stock.consume(quantities=quantities_of(supplier_order), about=supplier_order.reference, at=at)
    shipment = Shipment(
        reference=f"{supplier_order.reference}-P1",
        supplier_order=supplier_order,
        carrier=carrier,
        tracking_number=number,
        currency=supplier_order.currency,
        dispatched_at=at,
        dispatched_by=by,
    )
    shipment.cash_to_collect = (
        supplier_order.total if supplier_order.is_cash else zero(supplier_order.currency)
    )
    shipment.save(force_insert=True)
    story.tell(
        order=supplier_order.order,
        kind="supplier_order.dispatched",
        supplier_order=supplier_order,
        actor=story.actor_of(by),
        at=at,
        carrier=carrier.code,
        tracking_number=number,
    )
    letters.to_customer(
        topic="part.dispatched",
        supplier_order=supplier_order,
        at=at,
        more=lambda: {
            "carrier": carrier.name,
            "tracking_number": number,
            "tracking_url": tracking_url(shipment),
            "cash_to_collect": letters.amount(shipment.cash_to_collect),
        },
    )
    logger.info("shipment dispatched", extra={"shipment": shipment.reference})
    return shipment


@transaction.atomic
def correct(*, shipment: Shipment, carrier: Carrier, tracking_number: str, by: Any, at: datetime) -> Shipment:
    """Put another carrier or number on a parcel that is on its way. The same again changes nothing.

    Raises what ``dispatch`` raises about carrier and number, or ParcelOver once it has arrived or was refused.
    """
    supplier_order = shipment.supplier_order
    number = _number(supplier_order, carrier, tracking_number, own=shipment)
    before = shipment.carrier, shipment.tracking_number
    if before == (carrier, number):
        return shipment
    under_way = Shipment.objects.filter(pk=shipment.pk, delivered_at=None, returned_at=None)
    try:
        with transaction.atomic():
            changed = under_way.update(carrier=carrier, tracking_number=number)
    except IntegrityError as error:
        raise TrackingNumberUsed(number) from error
    if not changed:
        raise ParcelOver
    shipment.carrier, shipment.tracking_number = carrier, number
    story.tell(
        order=supplier_order.order,
        kind="supplier_order.parcel_corrected",
        supplier_order=supplier_order,
        actor=story.actor_of(by),
        at=at,
        carrier=carrier.code,
        tracking_number=number,
        carrier_before=before[0].code,
        tracking_number_before=before[1],
    )
    logger.info("shipment corrected", extra={"shipment": shipment.reference})
    return shipment


def _number(supplier_order: SupplierOrder, carrier: Carrier, given: str, own: Shipment | None = None) -> str:
    """A tracking number as it is kept, when this carrier may take this part under it."""
    number = "".join(given.split()).upper()
    if supplier_order.is_cash and not carrier.collects_cash:
        raise CarrierTakesNoCash(carrier)
    if len(number) > LONGEST_NUMBER:
        raise TrackingNumberTooLong
    if supplier_order.is_cash and not number:
        raise TrackingNumberMissing
    others = Shipment.objects.filter(carrier=carrier, tracking_number=number)
    if own is not None:
        others = others.exclude(pk=own.pk)
    if number and others.exists():
        raise TrackingNumberUsed(number)
    return number


def tracking_url(shipment: Shipment) -> str:
    """Where the carrier tells about this parcel; empty when it has no such page."""
    pattern, number = shipment.carrier.tracking_url, shipment.tracking_number
    return pattern.replace("{number}", quote(number, safe="")) if pattern and number else ""
