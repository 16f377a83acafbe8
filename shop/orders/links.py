"""The signed link by which a guest follows her order. System time, never the demo's clock."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext_lazy as _

from shop.core.errors import Refused
from shop.orders.models import Order

_SALT = "tadamon.guest-link"


class LinkRefused(Refused):
    message = _("This link is no longer valid. Ask for a new one with your order number and e-mail.")


def sign(*, order: Order) -> str:
    """A token that opens this order's page for 180 days, until it is revoked."""
    return signing.dumps([order.number, order.link_version], salt=_SALT, compress=True)


def sign_for(*, number: str) -> str:
    """A new token for the order of this number, as its mail is sent once more."""
    return sign(order=Order.objects.get(number=number))


def read(*, token: str) -> Order:
    """The order a token opens. Raises LinkRefused for a forged, old or revoked one."""
    try:
        number, version = signing.loads(token, salt=_SALT, max_age=settings.GUEST_LINK_DAYS * 86400)
        return Order.objects.select_related("shipping_address", "user").get(
            number=number, link_version=version
        )
    except (signing.BadSignature, Order.DoesNotExist, ValueError, TypeError) as error:
        raise LinkRefused() from error


def revoke(*, order: Order) -> None:
    """Every link signed so far stops working."""
    order.link_version += 1
    order.save(update_fields=["link_version"])
