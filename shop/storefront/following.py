"""What a customer reads about her order: a sentence first, then each parcel. Computed from what happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from moneyed import MAD, Money

from shop.core.clock import day_of
from shop.core.money import total
from shop.design import numbers
from shop.fulfilment.deciding import EndReason, reason_text
from shop.fulfilment.models import SupplierOrder
from shop.orders.models import Line, Order
from shop.payments.models import Refund
from shop.storefront import cards, reviews, vouchering
from shop.vouchers.models import Redemption

State = SupplierOrder.State
ENDED = (State.DECLINED, State.CANCELLED, State.REFUSED)
ARRIVED = (State.DELIVERED, State.RELEASED)
_KINDS = {
    State.PLACED: "wait",
    State.ACCEPTED: "",
    State.DISPATCHED: "wait",
    State.DELIVERED: "ok",
    State.RELEASED: "ok",
    State.DECLINED: "bad",
    State.CANCELLED: "bad",
    State.REFUSED: "bad",
}


def parts_of(order: Order) -> list[SupplierOrder]:
    """The parts of a confirmed order with all that is shown of them, in a fixed number of queries."""
    return list(
        order.supplier_orders.select_related("cooperative", "carrier")
        .prefetch_related(
            Prefetch(
                "lines__order_line",
                queryset=Line.objects.select_related("order", "product__parent", "review"),
            ),
            "shipments__carrier",
            "refunds",
        )
        .order_by("reference")
    )


def taken_back(order: Order) -> bool:
    """Whether the customer cancelled the whole order while its goods were still kept for her payment."""
    return bool(order.ended_at and order.reserved_until and order.ended_at < order.reserved_until)


def headline(order: Order, parts: Iterable[SupplierOrder]) -> str:
    """The order in one heading."""
    parts = list(parts)
    if taken_back(order):
        return _("You cancelled this order")
    if order.ended_at:
        return _("This order was not paid in time")
    if not order.confirmed_at:
        return _("Your order waits for its payment")
    if parts and all(each.state in ENDED for each in parts):
        return _came_to_nothing(parts)
    going = [each for each in parts if each.state not in ENDED]
    if going and all(each.state in ARRIVED for each in going):
        return _("Everything has arrived")
    if any(each.state == State.DISPATCHED for each in going):
        return _("Your order is on its way")
    return _("Your order is with the cooperatives")


def _came_to_nothing(parts: list[SupplierOrder]) -> str:
    """Nothing of the order comes: by whose doing."""
    how = {each.state for each in parts}
    if how == {State.CANCELLED}:
        by_shop = any(each.end_reason == EndReason.AT_REQUEST for each in parts)
        return _("This order was cancelled for you") if by_shop else _("You cancelled this order")
    if how == {State.DECLINED}:
        return ngettext(
            "The cooperative could not fill your order",
            "The cooperatives could not fill your order",
            len(parts),
        )
    if how == {State.REFUSED}:
        return _("Your order was not taken at the door")
    return _("Nothing of this order is coming")


def state_text(part: SupplierOrder) -> str:
    """Where a part stands, in few words that say who did it."""
    if part.state == State.CANCELLED:
        return _("cancelled for you") if part.end_reason == EndReason.AT_REQUEST else _("cancelled by you")
    words = {
        State.ACCEPTED: _("accepted by the cooperative"),
        State.DECLINED: _("declined by the cooperative"),
        State.REFUSED: _("not taken at the door"),
    }
    return words.get(State(part.state)) or str(part.get_state_display())


def sentence(order: Order, parts: Iterable[SupplierOrder]) -> str:
    """How many parcels stand where, in one sentence; a single parcel says it itself."""
    parts = list(parts)
    if order.ended_at:
        return _("Nothing has been charged and its goods can be sold again. You can order them once more.")
    if not order.confirmed_at or len(parts) == 1:
        return ""
    counted = [
        (
            sum(each.state in ARRIVED for each in parts),
            lambda n: ngettext("%(n)s has arrived", "%(n)s have arrived", n),
        ),
        (
            sum(each.state == State.DISPATCHED for each in parts),
            lambda n: ngettext("%(n)s is on its way", "%(n)s are on their way", n),
        ),
        (
            sum(each.state == State.ACCEPTED for each in parts),
            lambda n: ngettext("%(n)s is being prepared", "%(n)s are being prepared", n),
        ),
        (
            sum(each.state == State.PLACED for each in parts),
            lambda n: ngettext("%(n)s waits for its cooperative", "%(n)s wait for their cooperatives", n),
        ),
        (
            sum(each.state == State.DECLINED for each in parts),
            lambda n: ngettext(
                "%(n)s was declined by its cooperative", "%(n)s were declined by their cooperatives", n
            ),
        ),
        (
            sum(each.state == State.CANCELLED for each in parts),
            lambda n: ngettext("%(n)s was cancelled at your wish", "%(n)s were cancelled at your wish", n),
        ),
        (
            sum(each.state == State.REFUSED for each in parts),
            lambda n: ngettext("%(n)s was not taken at the door", "%(n)s were not taken at the door", n),
        ),
    ]
    counted = [(number, word) for number, word in counted if number]
    if len(counted) == 1:  # "3 parcels wait", not "3 parcels: 3 wait"
        parcels = ngettext("%(n)s parcel", "%(n)s parcels", len(parts)) % {"n": len(parts)}
        said = counted[0][1](len(parts))
        if "%(n)s" in said:  # Arabic says "two of them wait" without the number
            return said % {"n": parcels} + "."
    parcels = ngettext("%(n)s parcel: ", "%(n)s parcels: ", len(parts)) % {"n": len(parts)}
    return parcels + _(", ").join(word(number) % {"n": number} for number, word in counted) + "."


def shown(order: Order, parts: Iterable[SupplierOrder], *, at: datetime) -> list[dict[str, Any]]:
    """Each part as the page shows it."""
    parts = list(parts)
    listings = {line.order_line.product_id for part in parts for line in part.lines.all()}
    pictures = cards.pictures_of(key for key in listings if key)
    town = order.shipping_address.line4 if order.shipping_address else ""
    return [_part(order, part, number, pictures, town, at) for number, part in enumerate(parts, start=1)]


def _part(
    order: Order,
    part: SupplierOrder,
    number: int,
    pictures: dict[int, dict[str, Any]],
    town: str,
    at: datetime,
) -> dict[str, Any]:
    shipments = list(part.shipments.all())
    cash = order.payment_method == Order.Method.CASH
    received = next(
        (each for each in shipments if part.state == State.DISPATCHED and not each.delivered_at), None
    )
    return {
        "number": number,
        "reference": part.reference,
        "cooperative": part.cooperative.name,
        "url": reverse("storefront:cooperative", args=[part.cooperative.slug]),
        "origin": part.cooperative.place or part.cooperative.region_id,
        "destination": town,
        "state": {"kind": _KINDS[State(part.state)], "text": capfirst(state_text(part))},
        "said": _said(part, cash=cash),
        "road": _road(part, at),
        "ended": part.state in ENDED,
        "stations": _stations(part),
        "lines": [
            {
                "title": line.order_line.shown_title,
                "quantity": line.quantity,
                "picture": pictures.get(line.order_line.product_id),
                "review": reviews.of_line(part, line.order_line),
            }
            for line in part.lines.all()
        ],
        "goods": part.price,
        "discount": part.discount,
        "delivery": part.delivery,
        "total": part.total,
        # Once it is on its way, what is said of it names the amount.
        "cash": part.total if cash and part.state in {State.PLACED, State.ACCEPTED} else None,
        "tracking": [
            {
                "carrier": each.carrier.name,
                "number": each.tracking_number,
                "url": each.carrier.tracking_url.replace("{number}", each.tracking_number)
                if each.carrier.tracking_url and each.tracking_number
                else "",
            }
            for each in shipments
        ],
        "refunds": [_refund(each) for each in part.refunds.all()],
        "cancel_url": reverse("storefront:cancel_part", args=[part.reference])
        if part.state == State.PLACED
        else "",
        "received_url": reverse("storefront:received", args=[received.reference]) if received else "",
        "return_until": part.return_until if part.state == State.DELIVERED else None,
        "seller": cards.identity(part.cooperative),
    }


def _said(part: SupplierOrder, *, cash: bool) -> str:
    """One part in one sentence."""
    arrives = numbers.date_range_text(part.arrives_from, part.arrives_until)
    if part.state == State.PLACED:
        return _("The cooperative answers until %(until)s. It arrives %(arrives)s.") % {
            "until": numbers.moment_text(part.accept_by, style="near"),
            "arrives": arrives,
        }
    if part.state == State.ACCEPTED:
        return _("The cooperative is preparing it. It arrives %(arrives)s.") % {"arrives": arrives}
    if part.state == State.DISPATCHED:
        if cash:
            return _("It arrives %(arrives)s. Have %(amount)s ready in cash.") % {
                "arrives": arrives,
                "amount": numbers.money_text(part.total, style="short"),
            }
        return _("It arrives %(arrives)s.") % {"arrives": arrives}
    if part.state in ARRIVED and part.delivered_at:
        return _("Handed over on %(day)s.") % {"day": numbers.day_text(part.delivered_at, style="weekday")}
    if part.state == State.CANCELLED:
        by_shop = part.end_reason == EndReason.AT_REQUEST
        return _("We cancelled this part for you.") if by_shop else _("You cancelled this part.")
    if part.end_reason == EndReason.NO_ANSWER:
        return _("The cooperative did not answer in time, so this part was declined.")
    if part.state == State.DECLINED:
        text = _("The cooperative could not fill it: %(reason)s.")
    else:
        text = _("It was not taken at the door: %(reason)s.")
    return text % {"reason": reason_text(part.end_reason)}


def _road(part: SupplierOrder, at: datetime) -> float:
    """How far the parcel is: 0 in the village, 1 at the door; on the way by the days that have passed."""
    if part.state in ARRIVED:
        return 1.0
    if part.state != State.DISPATCHED or not part.dispatched_at:
        return 0.0
    whole = max((part.arrives_until - day_of(part.dispatched_at)).days, 1)
    gone = (day_of(at) - day_of(part.dispatched_at)).days
    return min(max(gone / whole, 0.08), 0.92)


def _stations(part: SupplierOrder) -> list[dict[str, str]]:
    """The stations of a parcel: what is done with its moment, where it is, what is to come."""
    moments = [
        (_("Ordered"), part.placed_at),
        (_("Accepted"), part.accepted_at),
        (_("Handed to the carrier"), part.dispatched_at),
        (_("Arrived"), part.delivered_at),
    ]
    done = [(name, at) for name, at in moments if at]
    stations = [
        {"name": name, "state": "done", "said": numbers.moment_text(at, style="near")} for name, at in done
    ]
    if part.state in ENDED:
        said = numbers.moment_text(part.ended_at, style="near") if part.ended_at else ""
        return [*stations, {"name": capfirst(state_text(part)), "state": "stopped", "said": said}]
    if part.state not in ARRIVED and stations:
        stations[-1]["state"] = "now"
    return [*stations, *({"name": name, "state": "next", "said": ""} for name, at in moments if not at)]


def _refund(refund: Refund) -> dict[str, Any]:
    amount = numbers.money_text(refund.amount)
    if refund.state == Refund.State.SUCCEEDED:
        text, kind = _("%(amount)s have been paid back."), "proof"
    elif refund.state == Refund.State.SENT:
        text, kind = _("%(amount)s are on their way back; your bank shows them in a few days."), "proof"
    else:
        text, kind = _("%(amount)s are paid back by %(day)s at the latest."), "warn"
    return {"text": text % {"amount": amount, "day": numbers.day_text(refund.due_on)}, "kind": kind}


def waiting(order: Order) -> list[dict[str, Any]]:
    """The goods of an order that is not confirmed, by cooperative, with what each delivery costs."""
    quotes = {each.cooperative_id: each for each in order.delivery_quotes.select_related("cooperative").all()}
    makers: dict[int, dict[str, Any]] = {}
    codes: dict[int, str] = {}
    for line in order.lines.select_related("cooperative", "product__parent").order_by("pk"):
        quote = quotes.get(line.cooperative_id)
        codes[line.cooperative_id] = line.cooperative.code
        part = makers.setdefault(
            line.cooperative_id,
            {
                "name": line.cooperative.name,
                "place": line.cooperative.place,
                "url": reverse("storefront:cooperative", args=[line.cooperative.slug]),
                "lines": [],
                "delivery": quote.gross if quote else None,
                "parcel": _("One parcel, %(arrives)s")
                % {"arrives": numbers.date_range_text(quote.arrives_from, quote.arrives_until)}
                if quote
                else "",
            },
        )
        part["lines"].append(
            {
                "title": line.shown_title,
                "unit": line.shown_unit,
                "quantity": line.quantity,
                "amount": line_amount(line),
            }
        )
    # In the order of the parts it becomes, so that paying moves nothing on the page.
    return [makers[key] for key in sorted(makers, key=lambda key: codes[key])]


def line_amount(line: Any) -> Money:
    """What a line of an order costs at the price shown, tax included; a voucher comes off the sum."""
    return Money(line.line_price_before_discounts_incl_tax, MAD)


def sums(order: Order, parts: Iterable[SupplierOrder]) -> list[dict[str, Any]]:
    """What the order costs, what of it went or goes back, and what remains: the last row is the sum.

    A refund counts from when it was asked for: from then on the books owe it to the customer. Of an order
    paid in cash, parts that came to nothing were never paid.
    """
    parts = list(parts)
    rows = _goods_and_delivery(order, parts)
    refunds = [each for part in parts for each in part.refunds.all()]
    done = [each.amount for each in refunds if each.state == Refund.State.SUCCEEDED]
    under_way = [each.amount for each in refunds if each.state != Refund.State.SUCCEEDED]
    is_cash = order.payment_method == Order.Method.CASH
    unpaid = [each.total for each in parts if is_cash and each.state in ENDED]
    off = [
        {"name": name, "amount": -total(amounts, MAD)}
        for name, amounts in (
            (_("Not delivered, nothing to pay"), unpaid),
            (_("Refunded"), done),
            (_("Refund on its way"), under_way),
        )
        if amounts
    ]
    if not off:
        return [*rows, {"name": _("Total, tax included"), "amount": order.total}]
    remains = order.total + total([each["amount"] for each in off], MAD)
    return [
        *rows,
        {"name": _("Total ordered"), "amount": order.total},
        *off,
        {
            "name": _("For what you keep, tax included") if is_cash else _("Remains paid, tax included"),
            "amount": remains,
        },
    ]


def _goods_and_delivery(order: Order, parts: Iterable[SupplierOrder]) -> list[dict[str, Any]]:
    parts = list(parts)
    if parts:
        goods = total([each.price for each in parts], MAD)
        delivery = total([each.delivery for each in parts], MAD)
    else:
        goods = total([line_amount(each) for each in order.lines.all()], MAD)
        delivery = Money(order.shipping_incl_tax, MAD)
    used = redemption_of(order)
    return [
        {"name": _("Goods"), "amount": goods},
        *([{"name": voucher_name(used), "amount": -used.amount}] if used else []),
        {"name": _("Delivery"), "amount": delivery},
    ]


def redemption_of(order: Order) -> Redemption | None:
    """The voucher an order was placed with, if any."""
    return Redemption.objects.filter(order=order).select_related("cooperative").first()


def voucher_name(used: Redemption) -> str:
    """A used voucher as a line of a sum: its code and who gave it."""
    return vouchering.name(code=used.code, cooperative=used.cooperative)
