"""Customers' money: asked for on Stripe's hosted page, confirmed once, given up when its time is over.

Webhook, return page and sweep all end in ``settle``, which believes nothing but what Stripe itself answers.
Money for an order that cannot take it goes back and is listed (``LatePayment``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _
from moneyed import Money

from catalogue import stock
from shop.core import mailing
from shop.core.crashpoints import crashpoint
from shop.core.errors import Refused
from shop.core.lives import refused_when_stale
from shop.core.money import from_minor, half_up, to_minor
from shop.core.sweeping import each_by_itself
from shop.fulfilment import letters, routing, story
from shop.fulfilment.models import SupplierOrder
from shop.orders import links
from shop.orders.models import Line, Order
from shop.payments import refunding
from shop.payments.models import LatePayment, Payment, PaymentAttempt
from shop.payments.stripe import gateway, posting
from shop.payments.stripe.errors import AnswerUnknown, StripeRefused
from shop.vouchers import redeeming

logger = logging.getLogger(__name__)

State = Payment.State
Attempt = PaymentAttempt.State

#: Stripe wants a page to live for half an hour at least; the rest is for clocks and slow answers.
SHORTEST_PAGE = timedelta(minutes=35)


class AlreadyPaid(Refused):
    message = _("This order is already paid.")


class TimeIsOver(Refused):
    message = _("The time to pay this order is over. Nothing has been charged; you can order again.")


class NotByCard(Refused):
    message = _("This order is paid in cash when it arrives.")


# Starting


@transaction.atomic
def start(*, order: Order, at: datetime) -> Payment:
    """The payment of an order, awaiting the customer. Starting again returns the first."""
    payment: Payment
    payment, _new = Payment.objects.get_or_create(
        order=order,
        defaults={
            "currency": order.currency,
            "amount_minor": to_minor(order.total),
            "created_at": at,
        },
    )
    return payment


@transaction.atomic
def settle_cash(*, order: Order, at: datetime) -> Payment:
    """Cash on delivery: the order is confirmed as it is placed; its money comes parcel by parcel.

    Again changes nothing.
    """
    payment = _locked(start(order=order, at=at))
    if payment.state != State.AWAITING:
        return payment
    with refused_when_stale():
        payment.wait_for_the_door()
        payment.save()
    _confirm_order(payment.order, at)
    return payment


def page_for(*, payment: Payment, urls: gateway.Urls, at: datetime, language: str = "") -> str:
    """The address of the hosted page where this payment is made.

    However many times the customer presses, in however many windows, there is one attempt, one page and so
    one charge: the attempt is committed with its key before Stripe is asked, and a payment has one live
    attempt. Raises AlreadyPaid, TimeIsOver, NotByCard; Unavailable when Stripe does not answer, and then
    pressing again asks under the same key. ``language`` is that of the press (the order's unless told); a
    page that is open already stays as it was begun.
    """
    attempt = _attempt_for(payment, at)
    if attempt.state == Attempt.OPEN:
        session = gateway.read_session(session=attempt.stripe_session_id)
        if session.status == "open":
            return session.url
        if session.is_paid:
            confirm(payment=attempt.payment, at=at)
            raise AlreadyPaid
        _close(attempt)
        attempt = _attempt_for(payment, at)
    _before_asking(attempt)
    return _open(attempt, urls, language or attempt.payment.order.language).url


@transaction.atomic
def _attempt_for(payment: Payment, at: datetime) -> PaymentAttempt:
    """The one live attempt, made if there is none. The lock makes simultaneous presses take turns."""
    payment = _locked(payment)
    order = payment.order
    if payment.state == State.ON_DELIVERY:
        raise NotByCard
    if payment.state == State.PAID:
        raise AlreadyPaid
    if (
        payment.state == State.EXPIRED
        or order.ended_at
        or (order.reserved_until and order.reserved_until <= at)
    ):
        raise TimeIsOver
    live = payment.attempts.filter(state__in=[Attempt.ASKED, Attempt.OPEN]).first()
    if live is not None:
        return live
    number = payment.attempts.count() + 1
    return PaymentAttempt.objects.create(
        payment=payment,
        number=number,
        key=f"pay:{order.number}:{number}",
        asked_at=at,
        expires_at=max(order.reserved_until or at, at + SHORTEST_PAGE),
    )


def _before_asking(attempt: PaymentAttempt) -> None:
    """A marked point: the attempt is committed, Stripe not yet asked."""
    crashpoint("paying.before_asking")


def _after_asking(attempt: PaymentAttempt) -> None:
    """A marked point: Stripe opened the page, we have not written it down."""
    crashpoint("paying.after_asking")


def _open(attempt: PaymentAttempt, urls: gateway.Urls, language: str) -> gateway.Session:
    """Ask for the page under the attempt's key, then write it down."""
    order = attempt.payment.order
    try:
        session = gateway.open_checkout(
            order=order.number,
            amount=attempt.payment.amount,
            lines=_lines(order, attempt.payment.amount, language),
            urls=urls,
            key=attempt.key,
            expires_at=attempt.expires_at,
            language=language,
            email=order.contact_email,
        )
    except (StripeRefused, AnswerUnknown):
        # This key is spent. If a page was opened under it nobody knows its address; the next press takes
        # another key.
        _close(attempt)
        raise
    _after_asking(attempt)
    PaymentAttempt.objects.filter(pk=attempt.pk, state=Attempt.ASKED).update(
        state=Attempt.OPEN, stripe_session_id=session.id, url=session.url
    )
    attempt.refresh_from_db()
    if attempt.stripe_session_id != session.id:
        raise TimeIsOver  # given up while we asked: nobody is sent to this page
    return session


def _lines(order: Order, amount: Money, language: str) -> list[gateway.PageLine]:
    """What the customer reads on the page: each good and each delivery, or one line for the whole order if
    they do not add up to what she pays."""
    with override(language):
        lines = [
            _goods_line(
                title=_said_on_page(line),
                quantity=line.quantity,
                amount=half_up(Money(line.line_price_incl_tax, order.currency)),
            )
            for line in order.lines.select_related("product__parent").order_by("pk")
        ]
        lines += [
            gateway.PageLine(
                name=gettext("Delivery from %(cooperative)s") % {"cooperative": quote.cooperative.name},
                unit=quote.gross,
            )
            for quote in order.delivery_quotes.select_related("cooperative").order_by("pk")
            if quote.gross_minor
        ]
        if lines and sum((each.amount for each in lines[1:]), lines[0].amount) == amount:
            return lines
        return [gateway.PageLine(name=gettext("Order %(number)s") % {"number": order.number}, unit=amount)]


def _said_on_page(line: Line) -> str:
    """A good by its title, and that a voucher came off it: else its price would be none that she has seen."""
    if line.line_price_incl_tax == line.line_price_before_discounts_incl_tax:
        return line.shown_title
    return gettext("%(title)s, the voucher taken off") % {"title": line.shown_title}


def _goods_line(*, title: str, quantity: int, amount: Money) -> gateway.PageLine:
    """One good with its quantity and the price of one; where no whole price of one comes to the amount, the
    amount of all of them, and the name says so."""
    one, rest = divmod(to_minor(amount), quantity)
    if not rest:
        return gateway.PageLine(name=title, unit=from_minor(one, amount.currency), quantity=quantity)
    name = gettext("%(title)s, %(quantity)s together") % {"title": title, "quantity": quantity}
    return gateway.PageLine(name=name, unit=amount)


def _close(attempt: PaymentAttempt) -> None:
    """Nobody can pay on this page any more; the customer may have another."""
    PaymentAttempt.objects.filter(pk=attempt.pk, state__in=[Attempt.ASKED, Attempt.OPEN]).update(
        state=Attempt.CLOSED
    )


def page_expired(*, session: str) -> None:
    """Stripe closed a page by itself. Raises Unavailable."""
    attempt = PaymentAttempt.objects.filter(stripe_session_id=session).first()
    if attempt is not None and gateway.read_session(session=session).status == "expired":
        _close(attempt)


# Confirming


def confirm(*, payment: Payment, at: datetime) -> Payment:
    """Ask Stripe whether this payment has been made, and if so confirm its order, exactly once.

    For the return page, which proves nothing by itself, and for the sweep. Returns the payment as it now
    is. Raises Unavailable.
    """
    for attempt in payment.attempts.exclude(stripe_session_id="").order_by("-number"):
        session = gateway.read_session(session=attempt.stripe_session_id)
        if session.is_paid and session.payment_intent_id:
            settle(card=gateway.read_payment(payment_intent=session.payment_intent_id), at=at)
    payment.refresh_from_db()
    return payment


def confirm_session(*, session: str, at: datetime) -> Payment | None:
    """What a webhook about a page leads to; None if the page is none of ours. Raises Unavailable."""
    seen = gateway.read_session(session=session)
    if not (seen.is_paid and seen.payment_intent_id):
        return None
    return confirm_intent(payment_intent=seen.payment_intent_id, at=at)


def confirm_intent(*, payment_intent: str, at: datetime) -> Payment | None:
    """What a webhook about a card payment leads to; None if it belongs to no order. Raises Unavailable."""
    return settle(card=gateway.read_payment(payment_intent=payment_intent), at=at)


@transaction.atomic
def settle(*, card: gateway.CardPayment, at: datetime) -> Payment | None:
    """A card payment has been made, says Stripe: confirm its order, exactly once.

    In one transaction under one lock the payment is paid, the order confirmed and split into supplier
    orders. Another amount than the order's confirms nothing. Money that the order cannot take (too late,
    twice, another amount) is listed; late and double payments go back at once.
    """
    if not card.is_paid:
        return None
    found = Payment.objects.filter(order__number=card.order).first() if card.order else None
    if found is None:
        return None
    payment = _locked(found)
    if payment.stripe_payment_intent_id == card.id:
        return payment
    if payment.state != State.AWAITING:
        reason = LatePayment.Reason.TWICE if payment.state == State.PAID else LatePayment.Reason.LATE
        _list(payment, card, reason, at)
        return payment
    if card.received != payment.amount:
        _list(payment, card, LatePayment.Reason.DIFFERS, at)
        return payment
    payment.stripe_payment_intent_id, payment.stripe_charge_id = card.id, card.charge_id
    with refused_when_stale():
        payment.pay(at=at)
        payment.save()
    payment.attempts.filter(state__in=[Attempt.ASKED, Attempt.OPEN]).update(state=Attempt.PAID)
    crashpoint("paying.paid")
    _confirm_order(payment.order, at)
    # Another amount that came before waited for what would become of the order: it is not needed now.
    for late in payment.late.filter(refund=None).exclude(stripe_payment_intent_id=card.id):
        _send_back(late, at)
    return payment


def _confirm_order(order: Order, at: datetime) -> None:
    order.confirmed_at = at
    order.save(update_fields=["confirmed_at"])
    parts = routing.route(order=order, at=at)
    story.tell(order=order, kind="order.confirmed", at=at, method=order.payment_method)
    _mail(order, "order.confirmed", at, more=lambda: {"parts": [_shown(each) for each in parts]})
    logger.info("order confirmed", extra={"order": order.number})


def _list(payment: Payment, card: gateway.CardPayment, reason: str, at: datetime) -> None:
    """Write money down that the order cannot take. Once for each card payment."""
    late, new = LatePayment.objects.get_or_create(
        stripe_payment_intent_id=card.id,
        defaults={
            "payment": payment,
            "reason": reason,
            "stripe_charge_id": card.charge_id,
            "currency": card.received.currency.code,
            "amount_minor": to_minor(card.received),
            "noticed_at": at,
        },
    )
    if not new:
        return
    order = payment.order
    story.tell(
        order=order,
        kind=f"payment.{reason}",
        at=at,
        amount=letters.amount(card.received),
        charge=card.charge_id,
    )
    logger.warning("payment not taken by its order", extra={"order": order.number, "reason": reason})
    if reason != LatePayment.Reason.DIFFERS:
        _send_back(late, at)


def _send_back(late: LatePayment, at: datetime) -> None:
    refunding.request_late(late=late, at=at)
    posting.book_late(late=late)
    _mail(
        late.payment.order,
        "payment.late",
        at,
        key=late.stripe_payment_intent_id,
        more=lambda: {"amount": letters.amount(late.amount)},
    )


# Expiring


def expire_due(*, at: datetime) -> int:
    """End every order whose time to pay is over, unless Stripe says it was paid after all; returns how many.

    Where Stripe does not answer the order keeps its stock until it does.
    """
    due = Order.objects.past_reservation(at=at).filter(payment_method=Order.Method.CARD).order_by("pk")
    return each_by_itself(due, lambda order: expire(order=order, at=at), what="expire order")


def expire(*, order: Order, at: datetime) -> bool:
    """End one unpaid order: its page first, then its stock. Whether it ended. Raises Unavailable.

    When its time is over; before that only because the customer takes it back.
    """
    payment = Payment.objects.filter(order=order).first()
    if payment is not None:
        for attempt in payment.attempts.filter(state__in=[Attempt.ASKED, Attempt.OPEN]):
            _close_page(attempt)
        # Also a page closed long ago may have been paid first.
        payment = confirm(payment=payment, at=at)
        if payment.state != State.AWAITING:
            return False
    crashpoint("paying.page_closed")
    return _end(order.pk, at)


def _close_page(attempt: PaymentAttempt) -> None:
    """Make sure nobody can pay on the page of an attempt any more."""
    if not attempt.stripe_session_id:
        # Its address was never written down, so nobody was ever sent there.
        _close(attempt)
        return
    with suppress(StripeRefused):  # complete or expired already; which, is read next
        gateway.expire_session(session=attempt.stripe_session_id)
    if not gateway.read_session(session=attempt.stripe_session_id).is_paid:
        _close(attempt)


@transaction.atomic
def _end(order_pk: int, at: datetime) -> bool:
    # The payment first, then its order, as ``settle`` does: else the two could wait for each other.
    payment = Payment.objects.select_for_update().filter(order=order_pk).first()
    order = Order.objects.select_for_update().get(pk=order_pk)
    if order.confirmed_at or order.ended_at or (payment and payment.state != State.AWAITING):
        return False
    if payment is not None:
        with refused_when_stale():
            payment.expire()
            payment.save()
        for late in payment.late.filter(refund=None):
            _send_back(late, at)
    order.ended_at = at
    order.save(update_fields=["ended_at"])
    stock.free(quantities=reserved_by(order), about=order.number, at=at)
    redeeming.give_back(order=order, at=at)
    story.tell(order=order, kind="order.expired", at=at)
    in_time = bool(order.reserved_until and order.reserved_until > at)
    _mail(order, "order.expired", at, more=lambda: {"cancelled": in_time})
    logger.info("order ended unpaid", extra={"order": order.number})
    return True


def reserved_by(order: Order) -> dict[int, int]:
    """What an order set aside: ``{stock record id: quantity}``."""
    found: dict[int, int] = {}
    for key, quantity in order.lines.exclude(stockrecord=None).values_list("stockrecord_id", "quantity"):
        found[key] = found.get(key, 0) + quantity
    return found


def confirm_open(*, at: datetime) -> int:
    """Ask Stripe about every page that is open; returns how many payments were confirmed.

    With this no webhook is needed. Payments Stripe does not answer for are left for the next time.
    """
    open_ones = Payment.objects.filter(
        state=State.AWAITING, attempts__state=Attempt.OPEN, order__ended_at=None
    ).distinct()
    return each_by_itself(
        open_ones.order_by("pk"),
        lambda payment: confirm(payment=payment, at=at).state == State.PAID,
        what="confirm payment",
    )


# What is shared


def _locked(payment: Payment) -> Payment:
    """The payment as it is now, with its order, for as long as the transaction lasts."""
    now: Payment = Payment.objects.select_for_update(of=("self",)).select_related("order").get(pk=payment.pk)
    return now


def _shown(supplier_order: SupplierOrder) -> dict[str, Any]:
    return {
        "reference": supplier_order.reference,
        "cooperative": supplier_order.cooperative.name,
        "total": letters.amount(supplier_order.total),
        "arrives_from": supplier_order.arrives_from.isoformat(),
        "arrives_until": supplier_order.arrives_until.isoformat(),
    }


def _mail(
    order: Order, topic: str, at: datetime, *, key: str = "", more: Callable[[], dict[str, Any]] = dict
) -> None:
    mailing.promise(
        topic=topic,
        to=order.contact_email,
        language=order.language,
        key=f"{topic}:{key or order.number}",
        at=at,
        about=order.number,
        context=lambda: {
            "order": order.number,
            "total": letters.amount(order.total),
            "is_cash": order.payment_method == Order.Method.CASH,
            "token": "" if order.user_id else links.sign(order=order),
            **more(),
        },
    )
