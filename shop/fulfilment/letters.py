"""The mails that tell members and customers what happened to a part. Each is promised once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

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


def to_members(*, topic: str, supplier_order: SupplierOrder, at: datetime) -> None:
    """Tell everybody who fills orders for the cooperative today, each in her own language."""
    members = Member.objects.current().filter(
        cooperative=supplier_order.cooperative_id, role__in=[Role.OWNER, Role.ORDERS]
    )
    for member in members.select_related("user").order_by("pk"):
        mailing.promise(
            topic=topic,
            to=member.user.email,
            language=member.user.language,
            key=f"{topic}:{supplier_order.reference}:{member.user.email}"[:160],
            at=at,
            about=supplier_order.reference,
            context=lambda: _part(supplier_order) | {"lines": _goods(supplier_order)},
        )


def to_customer(
    *,
    topic: str,
    supplier_order: SupplierOrder,
    at: datetime,
    more: Callable[[], dict[str, Any]] = dict,
) -> None:
    """Tell the customer, with a way back to the order: a signed one when she has no account.

    ``more`` is what this topic says beside the part itself; it is asked in her language.
    """
    order = supplier_order.order
    mailing.promise(
        topic=topic,
        to=order.contact_email,
        language=order.language,
        key=f"{topic}:{supplier_order.reference}",
        at=at,
        about=supplier_order.reference,
        context=lambda: (
            _part(supplier_order)
            | {"lines": _as_bought(supplier_order)}
            | {"order": order.number, "token": "" if order.user_id else links.sign(order=order)}
            | more()
        ),
    )


def _part(supplier_order: SupplierOrder) -> dict[str, Any]:
    return {
        "reference": supplier_order.reference,
        "cooperative": supplier_order.cooperative.name,
        "goods": amount(supplier_order.goods),
        "total": amount(supplier_order.total),
        "share": amount(supplier_order.producer_share),
        "is_cash": supplier_order.is_cash,
        "arrives_from": supplier_order.arrives_from.isoformat(),
        "arrives_until": supplier_order.arrives_until.isoformat(),
        "accept_by": supplier_order.accept_by.isoformat(),
    }


def _as_bought(supplier_order: SupplierOrder) -> list[dict[str, Any]]:
    """The goods in the words the customer bought them by."""
    return [
        {"title": each.title, "unit": each.unit, "quantity": each.quantity}
        for each in supplier_order.lines.all()
    ]


def _goods(supplier_order: SupplierOrder) -> list[dict[str, Any]]:
    """The goods in the words of the reader's language; as bought when the listing is gone."""
    lines = supplier_order.lines.select_related("order_line__product__parent")
    return [{"title": each.title_said, "unit": each.unit_said, "quantity": each.quantity} for each in lines]
