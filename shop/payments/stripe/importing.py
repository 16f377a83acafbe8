"""Stripe's balance, mirrored row by row and booked. No webhook is needed: they only make it quicker.

A row is written down once, whatever becomes of it, and booked once it can be: what cannot be yet stays in
quarantine and is tried again at every import.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from shop.core.clock import day_of
from shop.core.crashpoints import crashpoint
from shop.core.money import to_minor
from shop.core.sweeping import each_by_itself
from shop.ledger import entries
from shop.ledger.errors import DifferentEntry
from shop.ledger.journal import Move
from shop.ledger.models import JournalEntry
from shop.payments import refunding, transferring
from shop.payments.models import BalanceTransaction, Deposit, ImportWatermark, Payout
from shop.payments.stripe import gateway, posting
from shop.payments.stripe.errors import RowBooked, RowMoves

logger = logging.getLogger(__name__)

#: Rows may turn up late: each import looks back this far behind the newest row seen.
OVERLAP = timedelta(hours=48)
BALANCE = "stripe-balance"


@dataclass(frozen=True)
class Imported:
    """What one import came to: rows seen for the first time, rows booked, rows in quarantine."""

    new: int
    booked: int
    quarantined: int


def import_balance(*, at: datetime) -> Imported:
    """Mirror and book everything new on the Stripe balance. Again changes nothing. Raises Unavailable."""
    watermark = ImportWatermark.objects.filter(name=BALANCE).first()
    rows = gateway.list_balance_transactions(
        created_gte=watermark.reached_at - OVERLAP if watermark else None
    )
    new = take(rows=rows, at=at)
    crashpoint("importing.mirrored")
    booked = book_waiting(at=at)
    if rows:
        reached = max(each.created_at for each in rows)
        if watermark is None or reached > watermark.reached_at:
            ImportWatermark.objects.update_or_create(name=BALANCE, defaults={"reached_at": reached})
    each_by_itself(
        Payout.objects.filter(rail="stripe", state=Payout.State.SENDING),
        lambda payout: transferring.conclude(payout=payout, at=at),
        what="conclude payout",
    )
    transferring.arrive_transferred(at=at)
    import_deposits(at=at)
    return Imported(
        new=new,
        booked=booked,
        quarantined=BalanceTransaction.objects.filter(posted_at=None).count(),
    )


def take(*, rows: Iterable[gateway.BalanceRow], at: datetime) -> int:
    """Write rows down as Stripe gave them; returns how many were new."""
    new, rows = 0, list(rows)
    mirrored = BalanceTransaction.objects.filter(stripe_id__in=[each.id for each in rows])
    known = set(mirrored.values_list("stripe_id", flat=True))
    for row in rows:
        if row.id in known:
            continue
        _, made = BalanceTransaction.objects.get_or_create(
            stripe_id=row.id,
            defaults={
                "category": row.category,
                "kind": row.kind,
                "source_id": row.source.id,
                "currency": row.amount.currency.code,
                "amount_minor": to_minor(row.amount),
                "fee_minor": to_minor(row.fee),
                "net_minor": to_minor(row.net),
                "exchange_rate": row.exchange_rate,
                "created_at": row.created_at,
                "available_on": row.available_on,
                "raw": dict(row.raw),
                "imported_at": at,
            },
        )
        new += made
    return new


def book_waiting(*, at: datetime) -> int:
    """Book every row that waits, oldest first; returns how many could be."""
    waiting = BalanceTransaction.objects.filter(posted_at=None).order_by("created_at", "pk")
    return each_by_itself(
        waiting.values_list("pk", flat=True),
        lambda key: book(row_id=key, at=at),
        what="book balance transaction",
    )


@transaction.atomic
def book(*, row_id: int, at: datetime) -> bool:
    """Book one row and let what it is about know. Whether it is booked now."""
    row = BalanceTransaction.objects.select_for_update().get(pk=row_id)
    if row.posted_at is not None:
        return False
    try:
        with transaction.atomic():
            posting.post(row=row)
            crashpoint("importing.posted")
            _tell(row, at)
    except posting.Quarantined as reason:
        _quarantine(row, reason.why)
        return False
    except (ValueError, DifferentEntry) as problem:
        # Stripe wrote something nobody expected: a person has to look, and the other rows go on.
        _quarantine(row, str(problem))
        return False
    row.posted_at, row.quarantine = at, ""
    row.save(update_fields=["posted_at", "quarantine"])
    return True


@transaction.atomic
def book_by_hand(
    *, stripe_id: str, approval: str, moves: Sequence[Move], memo: str, actor: str, at: datetime
) -> JournalEntry:
    """Take a row out of quarantine as two persons agreed; ``approval`` is their resolution.

    Raises RowBooked if it could be booked in the meantime.
    """
    row = BalanceTransaction.objects.select_for_update().get(stripe_id=stripe_id)
    if row.posted_at is not None:
        raise RowBooked
    entry = entries.record_stripe_row_agreed(
        bt=stripe_id,
        approval=approval,
        effective_on=day_of(row.created_at),
        memo=memo,
        moves=moves,
        actor=actor,
    )
    row.posted_at, row.quarantine = at, ""
    row.save(update_fields=["posted_at", "quarantine"])
    return entry


@transaction.atomic
def set_aside(*, stripe_id: str, at: datetime) -> None:
    """A row that moves nothing needs no entry: somebody looked at it, and it waits no longer.

    Raises RowBooked if it could be booked in the meantime, RowMoves if it moves money after all.
    """
    row = BalanceTransaction.objects.select_for_update().get(stripe_id=stripe_id)
    if row.posted_at is not None:
        raise RowBooked
    if row.net_minor:
        raise RowMoves
    row.posted_at, row.quarantine = at, ""
    row.save(update_fields=["posted_at", "quarantine"])


def _quarantine(row: BalanceTransaction, why: str) -> None:
    if row.quarantine == why[:200]:
        return
    row.quarantine = why[:200]
    row.save(update_fields=["quarantine"])
    logger.warning(
        "balance transaction in quarantine",
        extra={"balance_transaction": row.stripe_id, "category": row.category},
    )


def _tell(row: BalanceTransaction, at: datetime) -> None:
    """A balance transaction is the proof: the refund has been paid, the transfer made, or taken back."""
    source = gateway.source_of(row.raw.get("source") or {})
    if row.category in ("refund", "payment_refund", "refund_failure") and source.amount is not None:
        failed = row.category == "refund_failure"
        refunding.follow(
            seen=gateway.SentRefund(
                id=source.id,
                status="failed" if failed else _unless_failed(row, source.status),
                failure=source.failure,
                amount=source.amount,
                reference=source.metadata.get("refund", ""),
                key=source.metadata.get("key", ""),
            ),
            at=at,
        )
    elif row.category == "transfer":
        transfer = posting.transfer_of(row)
        if transfer is not None:
            transferring.transfer_made(transfer=transfer, stripe_transfer_id=source.id, at=at)
    elif row.category == "transfer_reversal":
        transfer = posting.transfer_of(row)
        if transfer is not None:
            transferring.transfer_reversed(transfer=transfer, at=at)


def _unless_failed(row: BalanceTransaction, status: str) -> str:
    """A refund's own row never says that it failed: the failure has a row of its own."""
    return "pending" if status in ("failed", "canceled") else status


# Deposits


def import_deposits(*, at: datetime) -> int:
    """Mirror deposits that are new or not settled yet, and what is in them; returns how many were read.

    One that Stripe does not answer for, or does not know, leaves the others in peace.
    """
    mirrored = set(Deposit.objects.values_list("stripe_id", flat=True))
    booked = BalanceTransaction.objects.filter(
        category__in=["payout", "payout_reversal", "payout_failure", "payout_cancel"]
    )
    named = set(booked.values_list("source_id", flat=True))
    ended = Deposit.objects.filter(status__in=["failed", "canceled"])
    settled = Q(status="paid", is_reconciled=True) | Q(status__in=["failed", "canceled"])
    # A manual deposit is never reconciled: after a month nobody waits for it any more.
    recent = Deposit.objects.filter(created_at__gte=at - timedelta(days=31))
    unsettled = set(recent.exclude(settled).values_list("stripe_id", flat=True))
    failed = set(booked.exclude(category="payout").values_list("source_id", flat=True)) - set(
        ended.values_list("stripe_id", flat=True)
    )
    read = sorted((named - mirrored) | unsettled | failed)
    return each_by_itself(read, lambda each: import_deposit(deposit=each, at=at), what="import deposit")


def import_deposit(*, deposit: str, at: datetime) -> Deposit:
    """Mirror one deposit as it is now; its contents once Stripe has finished listing them.

    Raises Unavailable, NotAtStripe.
    """
    seen = gateway.read_deposit(deposit=deposit)
    contents = gateway.deposit_contents(deposit=deposit) if seen.is_reconciled and seen.is_automatic else []
    with transaction.atomic():
        mirrored, _ = Deposit.objects.update_or_create(
            stripe_id=seen.id,
            defaults={
                "trace_id": seen.trace_id,
                "status": seen.status,
                "currency": seen.amount.currency.code,
                "amount_minor": to_minor(seen.amount),
                "created_at": seen.created_at,
                "arrives_on": seen.arrives_on,
                "failure": seen.failure[:120],
                "raw": dict(seen.raw),
            },
        )
        found = BalanceTransaction.objects.filter(stripe_id__in=contents)
        found.update(deposit=mirrored)
        # Only whole: a deposit counts as reconciled when every row in it is mirrored.
        if contents and found.count() == len(contents) and not mirrored.is_reconciled:
            mirrored.is_reconciled = True
            mirrored.save(update_fields=["is_reconciled"])
    return mirrored
