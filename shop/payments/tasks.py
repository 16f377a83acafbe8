"""Nudges and sweeps of customers' payments, refunds, payouts and Stripe's balance.

The tables are the queue: every sweep finishes what a killed worker or a lost webhook left, and may run
twice or at once.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import shared_task

from shop.core import clock
from shop.core.errors import Unavailable
from shop.core.sweeping import each_by_itself
from shop.payments import paying, refunding, transferring, waiting_cash
from shop.payments.models import Payout, Refund, StripeEvent
from shop.payments.stripe import handlers, importing, receiving

logger = logging.getLogger(__name__)

_RETRY = {"acks_late": True, "autoretry_for": (Unavailable,), "retry_backoff": True, "max_retries": 5}


@shared_task(**_RETRY)
def handle_stripe_event(event_id: int) -> None:
    """Right after a webhook was kept."""
    event = handlers.handle(event_id=event_id, at=clock.now())
    if event.state == StripeEvent.State.HANDLED and event.kind in handlers.MOVES_MONEY:
        import_balance.delay()


@shared_task
def sweep_events() -> None:
    """Every five minutes: events no webhook told, and events whose handling was lost."""
    at = clock.now()
    try:
        receiving.fetch_untold(at=at)
    except Unavailable:
        logger.warning("events not listed: Stripe did not answer")
    waiting = StripeEvent.objects.filter(state=StripeEvent.State.WAITING)
    for key in waiting.order_by("pk").values_list("pk", flat=True):
        try:
            handlers.handle(event_id=key, at=at)
        except Unavailable:
            continue
        except Exception:
            # Written on the event; one that cannot be handled must not keep the others waiting.
            logger.exception("event not handled", extra={"event": key})


@shared_task
def sweep_payments() -> None:
    """Every minute: pages that were paid, orders whose time is over."""
    at = clock.now()
    # Apart: what keeps one from running must not keep ended orders on their stock.
    each_by_itself(
        (paying.confirm_open, paying.expire_due), lambda sweep: sweep(at=at), what="sweep payments"
    )


@shared_task(**_RETRY)
def import_balance() -> None:
    """Every five minutes, and after whatever moves it."""
    importing.import_balance(at=clock.now())


@shared_task
def refund_ended_parts() -> None:
    """Every five minutes, and right after a part was declined or cancelled."""
    if refunding.refund_ended_parts(at=clock.now()):
        send_refunds.delay()


@shared_task
def send_refunds() -> None:
    """Every five minutes: refunds that wait, whose answer was lost, or whose fate is not known yet."""
    at = clock.now()
    by_card = Refund.objects.filter(way=Refund.Way.STRIPE)
    waiting = by_card.filter(state__in=[Refund.State.REQUESTED, Refund.State.SENDING])
    each_by_itself(
        waiting.order_by("pk"), lambda refund: refunding.send(refund=refund, at=at), what="send refund"
    )
    sent = by_card.filter(state=Refund.State.SENT, sent_at__gte=at - timedelta(days=30))
    each_by_itself(
        sent.order_by("pk"),
        lambda refund: refunding.look(stripe_refund_id=refund.stripe_refund_id, at=at),
        what="look at refund",
    )


@shared_task
def send_approved_payouts() -> None:
    """Every five minutes, and right after an approval: payouts by Stripe."""
    waiting = Payout.objects.filter(rail="stripe", state__in=[Payout.State.APPROVED, Payout.State.SENDING])
    each_by_itself(
        waiting.order_by("pk"),
        lambda payout: transferring.send(payout=payout, at=clock.now()),
        what="send payout",
    )


@shared_task
def tell_of_waiting_cash() -> None:
    """Every hour: cash sales that a cooperative paid by Stripe cannot be sent."""
    waiting_cash.tell(at=clock.now())
