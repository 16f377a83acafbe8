"""What each event of Stripe leads to. An event only says "go and look": its object is fetched as it is now.

So order and repetition make no difference, and a snapshot that was true an hour ago changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import F

from shop.core.crashpoints import crashpoint
from shop.core.errors import Refused, Unavailable
from shop.payments import onboarding, paying, refunding
from shop.payments.models import StripeEvent
from shop.payments.stripe import importing
from shop.payments.stripe.errors import NotAtStripe

logger = logging.getLogger(__name__)

#: After so many tries an event is left to an operator; the sweeps over the objects themselves go on.
TRIES = 20


def handle(*, event_id: int, at: datetime) -> StripeEvent:
    """Do what an event asks for, once. Raises Unavailable, and then it waits for the next try."""
    event: StripeEvent = StripeEvent.objects.get(pk=event_id)
    if event.state != StripeEvent.State.WAITING:
        return event
    act = _ACTS.get(event.kind)
    if act is None:
        return _note(event, StripeEvent.State.IGNORED, at)
    try:
        act(_object(event), at)
    except Unavailable as error:
        _note_failure(event, error)
        raise
    except NotAtStripe as error:
        return _note(event, StripeEvent.State.IGNORED, at, str(error))
    except Refused as error:
        return _note(event, StripeEvent.State.FAILED, at, str(error))
    except Exception as error:
        _note_failure(event, error)
        raise
    crashpoint("handlers.acted")
    return _note(event, StripeEvent.State.HANDLED, at)


def _object(event: StripeEvent) -> dict[str, Any]:
    """Which thing the event is about. Nothing else of the payload is believed."""
    data = event.payload.get("data") or {}
    about = data.get("object") or event.payload.get("related_object") or {}
    return {"id": str(about.get("id") or ""), "account": str(event.payload.get("account") or "")}


def _note(event: StripeEvent, state: str, at: datetime, error: str = "") -> StripeEvent:
    StripeEvent.objects.filter(pk=event.pk, state=StripeEvent.State.WAITING).update(
        state=state, handled_at=at, last_error=error[:200], attempts=F("attempts") + 1
    )
    event.refresh_from_db()
    return event


def _note_failure(event: StripeEvent, error: Exception) -> None:
    over = event.attempts + 1 >= TRIES
    StripeEvent.objects.filter(pk=event.pk, state=StripeEvent.State.WAITING).update(
        attempts=F("attempts") + 1,
        last_error=f"{type(error).__name__}: {error}"[:200],
        state=StripeEvent.State.FAILED if over else StripeEvent.State.WAITING,
    )


def _session(about: dict[str, Any], at: datetime) -> None:
    paying.confirm_session(session=about["id"], at=at)


def _session_expired(about: dict[str, Any], at: datetime) -> None:
    paying.page_expired(session=about["id"])


def _intent(about: dict[str, Any], at: datetime) -> None:
    paying.confirm_intent(payment_intent=about["id"], at=at)


def _refund(about: dict[str, Any], at: datetime) -> None:
    refunding.look(stripe_refund_id=about["id"], at=at)


def _deposit(about: dict[str, Any], at: datetime) -> None:
    if not about["account"]:  # a connected account's own deposits are its own business
        importing.import_deposit(deposit=about["id"], at=at)


def _account(about: dict[str, Any], at: datetime) -> None:
    onboarding.refresh(stripe_account_id=about["account"] or about["id"], at=at)


def _other_bank(about: dict[str, Any], at: datetime) -> None:
    onboarding.bank_changed(stripe_account_id=about["account"], at=at)


def _nothing(about: dict[str, Any], at: datetime) -> None:
    """It moves the balance: importing the balance is all it asks for."""


_ACTS: dict[str, Callable[[dict[str, Any], datetime], None]] = {
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "checkout.session.expired": _session_expired,
    "payment_intent.succeeded": _intent,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "transfer.created": _nothing,
    "transfer.reversed": _nothing,
    "charge.dispute.created": _nothing,
    "charge.dispute.funds_withdrawn": _nothing,
    "charge.dispute.funds_reinstated": _nothing,
    "payout.created": _deposit,
    "payout.updated": _deposit,
    "payout.paid": _deposit,
    "payout.failed": _deposit,
    "payout.canceled": _deposit,
    "payout.reconciliation_completed": _deposit,
    "account.updated": _account,
    "capability.updated": _account,
    "account.application.deauthorized": _account,
    "account.external_account.created": _other_bank,
    "account.external_account.updated": _other_bank,
    "account.external_account.deleted": _other_bank,
}
#: What we listen to; anything else is kept and ignored.
KINDS = frozenset(_ACTS)
#: After these the balance has other rows than before.
MOVES_MONEY = frozenset(
    kind
    for kind in _ACTS
    if kind.startswith(("payment_intent.", "refund.", "transfer.", "payout.", "charge."))
)
