"""The mails that tell members and customers what happened to a part. Each is promised once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import override
from moneyed import Money

from cooperatives.models import Member
from shop.core import mailing
from shop.core.money import to_minor
from shop.fulfilment.models import SupplierOrder
from shop.orders import links

Role = Member.Role


def amount(money: Money) -> dict[str, Any]:
    """An amount as a mail's stored context holds it."""
    return {"minor": to_minor(money), "currency": money.currency.code}


def to_members(*, topic: str, supplier_order: SupplierOrder, at: datetime, **context: Any) -> None:
    """Tell everybody who fills orders for the cooperative today, each in her own language."""
    members = Member.objects.current().filter(
        cooperative=supplier_order.cooperative_id, role__in=[Role.OWNER, Role.ORDERS]
    )
    for member in members.select_related("user").order_by("pk"):
        language = member.user.language
        mailing.promise(
            topic=topic,
            to=member.user.email,
            language=language,
            key=f"{topic}:{supplier_order.reference}:{member.user.email}"[:160],
            at=at,
            about=supplier_order.reference,
            context=_part(supplier_order, language) | context,
        )


def to_customer(*, topic: str, supplier_order: SupplierOrder, at: datetime, **context: Any) -> None:
    """Tell the customer, with a way back to the order: a signed one when she has no account."""
    order = supplier_order.order
    mailing.promise(
        topic=topic,
        to=order.contact_email,
        language=order.language,
        key=f"{topic}:{supplier_order.reference}",
        at=at,
        about=supplier_order.reference,
        context=_part(supplier_order, order.language)
        | {"order": order.number, "token": "" if order.user_id else links.sign(order=order)}
        | context,
    )


def _part(supplier_order: SupplierOrder, language: str) -> dict[str, Any]:
    with override(language):
        cooperative = supplier_order.cooperative.name
    return {
        "reference": supplier_order.reference,
        "cooperative": cooperative,
        "lines": [
            {"title": each.title, "unit": each.unit, "quantity": each.quantity}
            for each in supplier_order.lines.all()
        ],
        "goods": amount(supplier_order.goods),
        "total": amount(supplier_order.total),
        "share": amount(supplier_order.producer_share),
        "is_cash": supplier_order.is_cash,
        "arrives_from": supplier_order.arrives_from.isoformat(),
        "arrives_until": supplier_order.arrives_until.isoformat(),
        "accept_by": supplier_order.accept_by.isoformat(),
    }
