"""What should have happened by now and has not: looked for in the tables, opened as exceptions, closed when cured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count
from moneyed import Money

from shop.core.clock import day_of
from shop.core.crashpoints import crashpoint
from shop.core.money import MAD, zero
from shop.fulfilment.models import Shipment
from shop.ledger import accounts, balances
from shop.payments.models import BalanceTransaction, Deposit, LatePayment, Payout, Refund, StripeEvent
from shop.reconciliation.actions import Action
from shop.reconciliation.models import Discrepancy, Match, Remittance
from shop.reconciliation.noticing import cure, notice, working_days_after

Kind = Discrepancy.Kind

#: Working days after which a payout, a deposit or a remittance should be on a statement.
DAYS_IN_FLIGHT = 3
DAYS_FOR_DEPOSIT = 2
DAYS_FOR_REMITTANCE = 3
#: Days after a delivery by which the carrier should have handed the cash over.
DAYS_FOR_CASH = 10


@dataclass(frozen=True)
class Seen:
    """Something that should not be so."""

    subject: str
    amount: Money
    suggestion: Action
    account: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


def watch(*, at: datetime) -> int:
    """Look for everything there is to look for; returns how many exceptions are open because of it."""
    return sum(_follow(kind, look(at), at) for kind, look in _LOOKS.items())


def _follow(kind: str, seen: Iterable[Seen], at: datetime) -> int:
    """Open an exception for each thing seen, and close those of its kind that are seen no more."""
    present = []
    for each in seen:
        discrepancy = notice(
            kind=kind,
            subject=each.subject,
            amount=each.amount,
            suggestion=each.suggestion,
            account=each.account,
            detail=each.detail,
            at=at,
        )
        present.append(discrepancy.pk)
        crashpoint("watching.noticed")
    # Rests of matches by hand and shortages found at import are not ours to close.
    gone = Discrepancy.objects.filter(kind=kind, line=None, detail__watched=True).unsettled()
    cure(gone.exclude(pk__in=present), at=at)
    return len(present)


def _watched(**detail: Any) -> dict[str, Any]:
    return {"watched": True, **detail}


def _stale_in_flight(at: datetime) -> Iterator[Seen]:
    """The bank should have debited it; a rejection has an exception of its own."""
    today = day_of(at)
    rejected = Discrepancy.objects.filter(kind=Kind.PAYOUT_REJECTED).unsettled().values("subject_reference")
    waiting = Payout.objects.filter(rail="bank", state=Payout.State.SENT).exclude(reference__in=rejected)
    for payout in waiting.select_related("cooperative", "batch"):
        since = payout.batch.execute_on if payout.batch else day_of(payout.sent_at or at)
        if working_days_after(since, DAYS_IN_FLIGHT) < today:
            account = accounts.payout_in_flight(payout.cooperative.code, payout.currency).code
            yield Seen(
                payout.reference, payout.amount, Action.NOTE_ONLY, account, _watched(since=since.isoformat())
            )


def _arrived_deposits() -> Any:
    return Match.objects.filter(subject=Match.Subject.DEPOSIT, state=Match.State.CONFIRMED).values(
        "subject_reference"
    )


def _deposit_late(at: datetime) -> Iterator[Seen]:
    waiting = Deposit.objects.exclude(status__in=["failed", "canceled"])
    for deposit in waiting.exclude(stripe_id__in=_arrived_deposits()):
        due = deposit.arrives_on or day_of(deposit.created_at)
        if working_days_after(due, DAYS_FOR_DEPOSIT) < day_of(at):
            account = accounts.deposit_transit(deposit.currency).code
            yield Seen(
                deposit.stripe_id, deposit.amount, Action.NOTE_ONLY, account, _watched(due=due.isoformat())
            )


def _deposit_failed(at: datetime) -> Iterator[Seen]:
    for deposit in Deposit.objects.filter(status="failed"):
        account = accounts.stripe_balance(deposit.currency).code
        yield Seen(
            deposit.stripe_id, deposit.amount, Action.NOTE_ONLY, account, _watched(reason=deposit.failure)
        )


def _cod_overdue(at: datetime) -> Iterator[Seen]:
    """Delivered parcels of which the carrier says nothing, and remittances whose money does not come."""
    late = Shipment.objects.filter(
        cash_to_collect_minor__gt=0,
        delivered_at__lt=at - timedelta(days=DAYS_FOR_CASH),
        remittance_lines=None,
    )
    for shipment in late.select_related("carrier"):
        account = accounts.cod_receivable(shipment.carrier.code, shipment.currency).code
        yield Seen(
            shipment.reference,
            shipment.cash_to_collect,
            Action.NOTE_ONLY,
            account,
            _watched(tracking=shipment.tracking_number),
        )
    for remittance in Remittance.objects.filter(arrived_at=None, net_minor__gt=0).select_related("carrier"):
        if working_days_after(remittance.remitted_on, DAYS_FOR_REMITTANCE) < day_of(at):
            account = accounts.cod_receivable(remittance.carrier.code, remittance.currency).code
            subject = f"{remittance.carrier.code}/{remittance.reference}"
            yield Seen(subject, remittance.net, Action.NOTE_ONLY, account, _watched())


def _webhook_gap(at: datetime) -> Iterator[Seen]:
    """One for each day: many events lost in one outage are one exception."""
    missed = StripeEvent.objects.filter(by_webhook=False)
    days: dict[str, list[str]] = {}
    for event_id, received_at in missed.values_list("event_id", "received_at"):
        days.setdefault(day_of(received_at).isoformat(), []).append(event_id)
    for day, events in sorted(days.items()):
        yield Seen(
            day, zero(MAD), Action.NOTE_ONLY, detail=_watched(count=len(events), events=sorted(events)[:20])
        )


def _refund_failed(at: datetime) -> Iterator[Seen]:
    for refund in Refund.objects.filter(state=Refund.State.FAILED).select_related("payment__order"):
        account = accounts.refund_payable(refund.currency).code
        yield Seen(
            refund.reference,
            refund.amount,
            Action.REFUND_AGAIN,
            account,
            _watched(reason=refund.failure, order=refund.payment.order.number, way=refund.way),
        )


def _payment_without_order(at: datetime) -> Iterator[Seen]:
    """Until its refund has arrived."""
    given_back = LatePayment.objects.filter(refund__state=Refund.State.SUCCEEDED)
    for late in LatePayment.objects.exclude(pk__in=given_back.values("pk")).select_related("payment__order"):
        yield Seen(
            late.stripe_payment_intent_id,
            late.amount,
            Action.NOTE_ONLY,
            accounts.refund_payable(late.currency).code,
            _watched(order=late.payment.order.number, reason=late.reason),
        )


def _unknown_category(at: datetime) -> Iterator[Seen]:
    for row in BalanceTransaction.objects.filter(posted_at=None):
        yield Seen(
            row.stripe_id,
            row.net,
            Action.NOTE_ONLY,
            accounts.stripe_balance(row.currency).code,
            _watched(category=row.category, reason=row.quarantine),
        )


def _negative_balance(at: datetime) -> Iterator[Seen]:
    for code, amount in balances.balances(prefix="stripe_balance:").items():
        if amount.amount < 0:
            yield Seen(code, amount, Action.NOTE_ONLY, code, _watched())


_LOOKS: dict[str, Callable[[datetime], Iterator[Seen]]] = {
    Kind.STALE_IN_FLIGHT: _stale_in_flight,
    Kind.DEPOSIT_LATE: _deposit_late,
    Kind.DEPOSIT_FAILED: _deposit_failed,
    Kind.COD_OVERDUE: _cod_overdue,
    Kind.WEBHOOK_GAP: _webhook_gap,
    Kind.REFUND_FAILED: _refund_failed,
    Kind.PAYMENT_WITHOUT_ORDER: _payment_without_order,
    Kind.UNKNOWN_CATEGORY: _unknown_category,
    Kind.NEGATIVE_BALANCE: _negative_balance,
}


def open_by_kind() -> dict[str, int]:
    """How many exceptions somebody still has to look at: ``{kind: count}``."""
    rows = Discrepancy.objects.all().unsettled().values("kind").annotate(count=Count("pk")).order_by("kind")
    return {row["kind"]: row["count"] for row in rows}
