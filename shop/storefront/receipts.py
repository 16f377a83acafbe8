"""The receipt of an order, as ``shop.design.documents`` sets it. All values are text."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from moneyed import MAD, Money

from shop.core.money import from_minor, to_minor, total
from shop.design import documents, numbers
from shop.fulfilment.models import SupplierOrder
from shop.orders.models import Order
from shop.storefront import following

_BREAKDOWN = ("producer_share", "commission_net", "commission_vat", "solidarity")


def receipt_of(order: Order, *, language: str) -> bytes:
    """The receipt as PDF, in the language that is active: ``language``."""
    return documents.render("receipt", data_of(order, language=language), language)


def data_of(order: Order, *, language: str) -> dict[str, Any]:
    """What the receipt says. What a part came to when it ended (declined, cancelled) is said with it."""
    parts = following.parts_of(order)

    def money(amount: Money) -> str:
        return numbers.money_text(amount, language)

    address = order.shipping_address
    going = [each for each in parts if each.state not in following.ENDED]
    totals = [
        {"label": str(each["name"]), "amount": money(each["amount"])} for each in following.sums(order, parts)
    ]
    return {
        "reference": order.number,
        "placed_on": numbers.day_text(order.date_placed, language),
        "customer": {
            "name": f"{address.first_name} {address.last_name}".strip() if address else "",
            "address_lines": _address_lines(order),
            "phone": order.contact_phone,
            "email": order.contact_email,
        },
        "parts": [_part(each, money) for each in parts],
        "totals": totals,
        "payment": {
            "method": str(order.get_payment_method_display()),
            "paid_on": _paid_on(order, parts, language),
        },
        "breakdown": [
            {"label": label, "amount": money(total([_kept(each)[name] for each in going], MAD))}
            for name, label in zip(
                _BREAKDOWN,
                (
                    _("The cooperatives receive"),
                    _("Commission of the shop"),
                    _("VAT on the commission"),
                    _("Solidarity fund"),
                ),
                strict=True,
            )
        ]
        if going
        else [],
        "notes": _notes(parts, going, money),
    }


def _kept(part: SupplierOrder) -> dict[str, Money]:
    """How the price of a part's goods is shared, less what refunds gave back of each share."""
    refunds = list(part.refunds.all())

    def back(name: str) -> Money:
        return total([getattr(each, name) for each in refunds], MAD)

    vat, solidarity = back("commission_vat"), back("solidarity")
    commission = back("commission")
    return {
        "producer_share": part.producer_share - (back("goods") - commission - solidarity),
        "commission_net": part.commission_net - (commission - vat),
        "commission_vat": part.commission_vat - vat,
        "solidarity": part.solidarity - solidarity,
    }


def _left_by_shop(part: SupplierOrder) -> Money:
    """What the shop's voucher paid of the goods that were kept."""
    return part.discount_by_shop - total([each.discount for each in part.refunds.all()], MAD)


def _address_lines(order: Order) -> list[str]:
    address = order.shipping_address
    if address is None:
        return []
    return [each for each in (address.line1, address.landmark, address.line4) if each]


def _part(part: SupplierOrder, money: Any) -> dict[str, Any]:
    cooperative = part.cooperative
    fictional = _(" (fictional)") if cooperative.is_demo else ""
    ended = f" — {following.state_text(part)}" if part.state in following.ENDED else ""
    return {
        "cooperative": {
            "name": cooperative.name,
            "legal": _("seller of these goods"),
            "register": f"{cooperative.register_number}{fictional}" if cooperative.register_number else "",
            "ice": f"{cooperative.ice}{fictional}" if cooperative.ice else "",
            "phone": str(cooperative.phone or ""),
            "email": cooperative.email,
            "address": cooperative.address or cooperative.place,
        },
        "reference": f"{part.reference}{ended}",
        "lines": [
            {
                "title": line.order_line.shown_title,
                "quantity": str(line.quantity),
                "unit_price": money(from_minor(to_minor(line.price) // line.quantity, line.currency)),
                "amount": money(line.price),
                "vat": _vat(line, money),
            }
            for line in part.lines.all()
        ],
        "goods": money(part.price),
        "discount": money(-part.discount) if part.discount else "",
        "delivery": money(part.delivery),
    }


def _vat(line: Any, money: Any) -> str:
    if not line.vat_rate:
        return _("exempt")
    inside = from_minor(line.goods_vat_minor, line.currency)
    return f"{numbers.percent_text(line.vat_rate)} · {money(inside)}"


def _paid_on(order: Order, parts: list[SupplierOrder], language: str) -> str:
    if order.payment_method == Order.Method.CARD:
        paid_at = order.payment.paid_at if hasattr(order, "payment") else None
        return numbers.day_text(paid_at, language) if paid_at else ""
    days = [each.delivered_at for each in parts if each.delivered_at]
    return numbers.day_text(max(days), language) if days else ""


def _notes(parts: list[SupplierOrder], going: list[SupplierOrder], money: Any) -> list[str]:
    by_shop = total([_left_by_shop(each) for each in going], MAD)
    notes = [
        _("The cooperatives receive %(amount)s of it from the shop, which gave the voucher.")
        % {"amount": money(by_shop)}
        if by_shop
        else "",
        _("The legal seller of the goods is the cooperative named with them; the shop is its agent."),
        _("Delivery is sold by the shop; its price includes VAT at %(rate)s.")
        % {"rate": numbers.percent_text(parts[0].delivery_vat_rate)}
        if parts
        else "",
        _("You may withdraw within 7 days of receiving a parcel; what you paid comes back within 15 days."),
    ]
    return [each for each in notes if each]
