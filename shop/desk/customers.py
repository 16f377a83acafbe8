"""What a cooperative sees of the customer: whom to send a parcel to while it needs to, her town otherwise.

Name, address and phone are shown from the acceptance until some days after the delivery
(``settings.CUSTOMER_SHOWN_DAYS``). Before it, afterwards, and of a part that came to nothing, only the town.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from shop.core.errors import Refused
from shop.fulfilment.models import SupplierOrder

State = SupplierOrder.State


class CustomerHidden(Refused):
    message = _(
        "The customer's name and address are shown from the moment you accept until some days after delivery."
    )


@dataclass(frozen=True)
class Customer:
    """What may be shown. ``is_whole`` is false when everything but the town is kept back."""

    is_whole: bool
    town: str
    name: str = ""
    address_lines: tuple[str, ...] = ()
    phone: str = ""


def may_see(*, part: SupplierOrder, at: datetime) -> bool:
    """Whether the cooperative needs to know, at that moment, whom this part goes to."""
    if part.state in (State.ACCEPTED, State.DISPATCHED):
        return True
    if part.state in (State.DELIVERED, State.RELEASED) and part.delivered_at:
        return at < part.delivered_at + timedelta(days=settings.CUSTOMER_SHOWN_DAYS)
    return False


def customer_of(*, part: SupplierOrder, at: datetime) -> Customer:
    """The customer of a part as its cooperative may see her. Needs ``order.shipping_address``."""
    address = part.order.shipping_address
    town = address.line4 if address else ""
    if address is None or not may_see(part=part, at=at):
        return Customer(is_whole=False, town=town)
    return Customer(
        is_whole=True,
        town=town,
        name=address.name,
        address_lines=address.lines,
        phone=part.order.contact_phone,
    )


def require(*, part: SupplierOrder, at: datetime) -> Customer:
    """The whole customer, for a paper that names her. Raises CustomerHidden."""
    customer = customer_of(part=part, at=at)
    if not customer.is_whole:
        raise CustomerHidden
    return customer
