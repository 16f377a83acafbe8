"""What should have happened by now and has not: looked for in the tables, opened as exceptions, closed when cured.

**What only the bank can show** (a payout or a refund debited, a deposit or a remittance credited) is missing once the
bank has told of it: when its working days of grace are over *and* a statement covers the last of them and does
not show it. Until that statement is read nobody knows, so nothing is opened. Silence does not hide money
either: when no statement covers the day within a further week of work, one exception says that, for all that
waits. A statement covers whole days: none later than the day before it was imported, and none from where
statements do not follow on until somebody has settled that.

**What only a carrier can show** goes by the same rule: ten days after a delivery its cash is missing once a
remittance of a later day leaves the parcel out; a carrier that sends none for a further week of work is one
exception for all its parcels.

**What needs no file** is opened as soon as it is so: what Stripe or the bank says outright.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from moneyed import Money

from shop.core.clock import day_of
from shop.core.crashpoints import crashpoint
from shop.core.money import MAD, total, zero
from shop.fulfilment.models import Shipment
from shop.ledger import accounts, balances
from shop.payments.models import BalanceTransaction, Deposit, LatePayment, Payout, Refund, StripeEvent
from shop.reconciliation import chaining, matching
from shop.reconciliation.actions import Action
from shop.reconciliation.models import Discrepancy, Match, Remittance, StatementLine
from shop.reconciliation.noticing import cure, follow, forget, is_back, latest, notice, working_days_after

Kind = Discrepancy.Kind

#: Working days after which a payout or refund, a deposit or a remittance should be on a statement.
DAYS_IN_FLIGHT = 3
DAYS_FOR_DEPOSIT = 2
DAYS_FOR_REMITTANCE = 3
#: Working days after that within which somebody should have imported the file that tells.
DAYS_FOR_STATEMENT = 5
#: What Stripe calls its rows about disputes.
DISPUTES = ("dispute", "dispute_reversal")
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


@dataclass(frozen=True)
class Awaited:
    """Something a statement should show by the end of ``by``."""

    kind: str
    seen: Seen
    by: date


@dataclass(frozen=True)
class Now:
    """The moment it is, and what every look needs of it: read once."""

    at: datetime
    #: The last day that statements tell of (``covered_until``).
    until: date | None
    awaited: tuple[Awaited, ...]


def catch_up(*, at: datetime) -> matching.Run:
    """Match what is new and look again: what it settles closes now, what it should have shown opens now."""
    run = matching.match_new(at=at)
    watch(at=at)
    return run


@transaction.atomic
def try_line(*, line: StatementLine, at: datetime) -> Match | None:
    """Match one line again, or open its exception, and close what that settles beside it."""
    match = matching.match_line(line=line, at=at)
    watch(at=at)
    return match


def watch(*, at: datetime) -> int:
    """Look for everything there is to look for; returns how many exceptions are open because of it."""
    now = Now(at=at, until=covered_until(account=settings.SHOP_LEGAL["rib"]), awaited=tuple(_awaited(at)))
    return sum(_follow(kind, list(look(now)), at) for kind, look in _LOOKS.items())


def _follow(kind: str, seen: list[Seen], at: datetime) -> int:
    """Open an exception for each thing seen, and close those of its kind that are seen no more.

    What people settled and is seen no more is remembered as gone: if it comes back, it opens again.
    """
    present = []
    known = latest(kind=kind, subjects=[each.subject for each in seen])
    for each in seen:
        last = known.get(each.subject)
        if last is not None and not is_back(last, each.amount, each.detail):
            present.append(follow(last, each.amount, each.detail, at).pk)
            continue
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
    gone = Discrepancy.objects.filter(kind=kind, line=None, detail__watched=True).exclude(pk__in=present)
    cure(gone.unsettled(), at=at)
    forget(gone, at=at)
    return len(present)


def _watched(**detail: Any) -> dict[str, Any]:
    return {"watched": True, **detail}


# What only the bank can show


def covered_until(*, account: str) -> date | None:
    """The last day up to which the statements we read tell everything; None if there is none.

    A statement imported on a day cannot tell the whole of that day.
    """
    whole = []
    for file in chaining.statements(account):
        until = min(file.to_on or date.min, day_of(file.imported_at) - timedelta(days=1))
        if file.from_on and file.from_on <= until:
            whole.append(until)
    if not whole:
        return None
    last = max(whole)
    gaps = Discrepancy.objects.filter(kind=Kind.STATEMENT_GAP, subject_reference__startswith=f"{account}/")
    for gap in gaps.unsettled():
        before = [each for each in whole if each.isoformat() < gap.detail["from_on"]]
        if not before:
            return None
        last = min(last, max(before))
    return last


def _awaited(at: datetime) -> Iterator[Awaited]:
    """Everything on its way over our bank account, with the day by which it should be there."""
    # A rejection has an exception of its own.
    rejected = Discrepancy.objects.filter(kind=Kind.PAYOUT_REJECTED).unsettled().values("subject_reference")
    sent = Payout.objects.filter(rail="bank", state=Payout.State.SENT).exclude(reference__in=rejected)
    for payout in sent.select_related("cooperative", "batch"):
        since = payout.batch.execute_on if payout.batch else day_of(payout.sent_at or at)
        account = accounts.payout_in_flight(payout.cooperative.code, payout.currency).code
        detail = _watched(since=since.isoformat())
        seen = Seen(payout.reference, payout.amount, Action.NOTE_ONLY, account, detail)
        yield Awaited(Kind.STALE_IN_FLIGHT, seen, working_days_after(since, DAYS_IN_FLIGHT))
    refunds = Refund.objects.filter(way=Refund.Way.BANK, state=Refund.State.SENT)
    for refund in refunds.select_related("batch", "payment__order"):
        since = refund.batch.execute_on if refund.batch else day_of(refund.sent_at or at)
        account = accounts.refund_payable(refund.currency).code
        detail = _watched(since=since.isoformat(), order=refund.payment.order.number, attempt=refund.attempt)
        seen = Seen(refund.reference, refund.amount, Action.NOTE_ONLY, account, detail)
        yield Awaited(Kind.REFUND_NOT_DEBITED, seen, working_days_after(since, DAYS_IN_FLIGHT))
    deposits = Deposit.objects.exclude(status__in=["failed", "canceled"])
    for deposit in deposits.exclude(stripe_id__in=_arrived_deposits()):
        due = deposit.arrives_on or day_of(deposit.created_at)
        account = accounts.deposit_transit(deposit.currency).code
        detail = _watched(due=due.isoformat())
        seen = Seen(deposit.stripe_id, deposit.amount, Action.NOTE_ONLY, account, detail)
        yield Awaited(Kind.DEPOSIT_LATE, seen, working_days_after(due, DAYS_FOR_DEPOSIT))
    remittances = Remittance.objects.filter(arrived_at=None, net_minor__gt=0)
    for remittance in remittances.select_related("carrier"):
        account = accounts.cod_receivable(remittance.carrier.code, remittance.currency).code
        subject = f"{remittance.carrier.code}/{remittance.reference}"
        detail = _watched(since=remittance.remitted_on.isoformat())
        seen = Seen(subject, remittance.net, Action.NOTE_ONLY, account, detail)
        yield Awaited(Kind.COD_OVERDUE, seen, working_days_after(remittance.remitted_on, DAYS_FOR_REMITTANCE))


def _arrived_deposits() -> Any:
    return Match.objects.filter(subject=Match.Subject.DEPOSIT, state=Match.State.CONFIRMED).values(
        "subject_reference"
    )


def _missing(kind: str, now: Now) -> Iterator[Seen]:
    """What a statement that was read should show, and does not."""
    for each in now.awaited:
        if each.kind == kind and now.until is not None and each.by <= now.until:
            yield each.seen


def _stale_in_flight(now: Now) -> Iterator[Seen]:
    return _missing(Kind.STALE_IN_FLIGHT, now)


def _refund_not_debited(now: Now) -> Iterator[Seen]:
    return _missing(Kind.REFUND_NOT_DEBITED, now)


def _deposit_late(now: Now) -> Iterator[Seen]:
    return _missing(Kind.DEPOSIT_LATE, now)


def _statement_late(now: Now) -> Iterator[Seen]:
    """One for all that waits for a statement nobody has imported."""
    account, today, until = settings.SHOP_LEGAL["rib"], day_of(now.at), now.until
    overdue = [
        each
        for each in now.awaited
        if (until is None or until < each.by) and working_days_after(each.by, DAYS_FOR_STATEMENT) < today
    ]
    if overdue:
        waiting = [each.seen.amount for each in overdue if each.seen.amount.currency == MAD]
        yield Seen(
            f"{account}/{until.isoformat() if until else '-'}",
            total(waiting),
            Action.NOTE_ONLY,
            accounts.bank(settings.SHOP_CURRENCY).code,
            _watched(
                until=until.isoformat() if until else "",
                candidates=sorted(each.seen.subject for each in overdue)[:20],
            ),
        )


# What only a carrier can show


def _cod_overdue(now: Now) -> Iterator[Seen]:
    """Parcels a later remittance leaves out, carriers that send none, and remittances whose money did not come."""
    remitted: dict[int, date] = {}
    for carrier_id, on in Remittance.objects.values_list("carrier", "remitted_on"):
        remitted[carrier_id] = max(on, remitted.get(carrier_id, on))
    waiting = Shipment.objects.filter(
        cash_to_collect_minor__gt=0,
        delivered_at__lt=now.at - timedelta(days=DAYS_FOR_CASH),
        remittance_lines=None,
    )
    silent: dict[int, list[Shipment]] = {}
    for parcel in waiting.select_related("carrier").order_by("delivered_at", "pk"):
        assert parcel.delivered_at is not None
        by = day_of(parcel.delivered_at) + timedelta(days=DAYS_FOR_CASH)
        if parcel.carrier_id in remitted and by <= remitted[parcel.carrier_id]:
            account = accounts.cod_receivable(parcel.carrier.code, parcel.currency).code
            detail = _watched(tracking=parcel.tracking_number)
            yield Seen(parcel.reference, parcel.cash_to_collect, Action.NOTE_ONLY, account, detail)
        elif working_days_after(by, DAYS_FOR_STATEMENT) < day_of(now.at):
            silent.setdefault(parcel.carrier_id, []).append(parcel)
    for parcels in silent.values():
        oldest, carrier = parcels[0], parcels[0].carrier
        yield Seen(
            f"{carrier.code}/{oldest.reference}",
            total([each.cash_to_collect for each in parcels], oldest.currency),
            Action.NOTE_ONLY,
            accounts.cod_receivable(carrier.code, oldest.currency).code,
            _watched(parcels=[each.reference for each in parcels][:20]),
        )
    yield from _missing(Kind.COD_OVERDUE, now)


# What needs no file


def _deposit_failed(now: Now) -> Iterator[Seen]:
    for deposit in Deposit.objects.filter(status="failed"):
        account = accounts.stripe_balance(deposit.currency).code
        yield Seen(
            deposit.stripe_id, deposit.amount, Action.NOTE_ONLY, account, _watched(reason=deposit.failure)
        )


def _webhook_gap(now: Now) -> Iterator[Seen]:
    """One for each day: many events lost in one outage are one exception."""
    missed = StripeEvent.objects.filter(by_webhook=False)
    days: dict[str, list[str]] = {}
    for event_id, received_at in missed.values_list("event_id", "received_at"):
        days.setdefault(day_of(received_at).isoformat(), []).append(event_id)
    for day, events in sorted(days.items()):
        yield Seen(
            day, zero(MAD), Action.NOTE_ONLY, detail=_watched(count=len(events), events=sorted(events)[:20])
        )


def _refund_failed(now: Now) -> Iterator[Seen]:
    for refund in Refund.objects.filter(state=Refund.State.FAILED).select_related("payment__order"):
        account = accounts.refund_payable(refund.currency).code
        yield Seen(
            refund.reference,
            refund.amount,
            Action.REFUND_AGAIN,
            account,
            _watched(
                reason=refund.failure,
                order=refund.payment.order.number,
                way=refund.way,
                attempt=refund.attempt,
            ),
        )


def _payment_without_order(now: Now) -> Iterator[Seen]:
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


def _dispute(now: Now) -> Iterator[Seen]:
    return _quarantined(BalanceTransaction.objects.filter(category__in=DISPUTES))


def _unknown_category(now: Now) -> Iterator[Seen]:
    return _quarantined(BalanceTransaction.objects.exclude(category__in=DISPUTES))


def _quarantined(rows: QuerySet[BalanceTransaction]) -> Iterator[Seen]:
    """Rows of Stripe's balance that nobody could book: real money, so two persons have to."""
    for row in rows.filter(posted_at=None):
        yield Seen(
            row.stripe_id,
            row.net,
            Action.ADJUST if row.net_minor else Action.NOTE_ONLY,
            accounts.stripe_balance(row.currency).code,
            _watched(category=row.category, reason=row.quarantine),
        )


def _negative_balance(now: Now) -> Iterator[Seen]:
    for code, amount in balances.balances(prefix="stripe_balance:").items():
        if amount.amount < 0:
            yield Seen(code, amount, Action.NOTE_ONLY, code, _watched())


_LOOKS: dict[str, Callable[[Now], Iterator[Seen]]] = {
    Kind.STALE_IN_FLIGHT: _stale_in_flight,
    Kind.REFUND_NOT_DEBITED: _refund_not_debited,
    Kind.DEPOSIT_LATE: _deposit_late,
    Kind.STATEMENT_LATE: _statement_late,
    Kind.DEPOSIT_FAILED: _deposit_failed,
    Kind.COD_OVERDUE: _cod_overdue,
    Kind.WEBHOOK_GAP: _webhook_gap,
    Kind.REFUND_FAILED: _refund_failed,
    Kind.PAYMENT_WITHOUT_ORDER: _payment_without_order,
    Kind.DISPUTE: _dispute,
    Kind.UNKNOWN_CATEGORY: _unknown_category,
    Kind.NEGATIVE_BALANCE: _negative_balance,
}
