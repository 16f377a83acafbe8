"""The only place that writes to the books. What they answer about balances stands in ``balances``.

**Read a move as debit / credit: the amount leaves the credited account and enters the debited one.**
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction
from moneyed import Money

from shop.core.money import to_minor
from shop.ledger import accounts
from shop.ledger.accounts import AccountName
from shop.ledger.balances import balance, balances, sums_by_currency
from shop.ledger.errors import AlreadyReversed, DifferentEntry
from shop.ledger.models import JournalEntry, JournalEntryQuerySet, Posting

__all__ = ["Move", "balance", "balances", "entries_of", "post", "reverse", "sums_by_currency"]

logger = logging.getLogger(__name__)

_Written = tuple[str, str, str, int, str]


@dataclass(frozen=True)
class Move:
    """``amount`` leaves ``credit`` and enters ``debit``. Raises ValueError for what no book could hold.

    Both accounts and the amount are of one currency: an exchange is two moves, one in each currency,
    through ``fx_position``. ``ext_ref`` is the balance transaction or statement line that shows it.
    """

    debit: AccountName
    credit: AccountName
    amount: Money
    ext_ref: str = ""

    def __post_init__(self) -> None:
        currency = self.amount.currency.code
        if not self.debit.currency == self.credit.currency == currency:
            raise ValueError(f"{self.debit} / {self.credit} cannot take {self.amount}: currencies differ")
        if self.debit == self.credit:
            raise ValueError(f"{self.debit} cannot stand on both sides")
        if to_minor(self.amount) < 0:
            raise ValueError(f"{self.debit} / {self.credit} {self.amount}: swap the accounts instead")

    def _written(self) -> _Written:
        minor = to_minor(self.amount)
        return (self.debit.code, self.credit.code, self.amount.currency.code, minor, self.ext_ref)


def post(
    *,
    event: str,
    kind: str,
    effective_on: date,
    memo: str,
    moves: Sequence[Move],
    order: str = "",
    supplier_order: str = "",
    about: str = "",
    actor: str = "",
    approval: str = "",
) -> JournalEntry:
    """Write one entry; moves of nothing are left out.

    The same event again returns the first entry and writes nothing, also from several threads at once and
    inside a caller's transaction, which stays sound. An event that moved nothing is written without
    postings, so that it too has happened once. Raises DifferentEntry when the event is in the books with
    other moves.
    """
    return _write(
        JournalEntry(
            event=event,
            kind=kind,
            effective_on=effective_on,
            memo=memo[:200],
            order=order,
            supplier_order=supplier_order,
            about=about,
            actor=actor,
            approval=approval,
        ),
        [each for each in moves if each.amount],
    )


def reverse(
    *, entry: JournalEntry, event: str, effective_on: date, memo: str, actor: str, approval: str = ""
) -> JournalEntry:
    """Take an entry back by its mirror image; the first stays as it is.

    The same event again returns the first reversal. Raises AlreadyReversed under any other event.
    """
    before = JournalEntry.objects.filter(reverses=entry).first()
    if before is not None and before.event != event:
        raise AlreadyReversed(entry.event)
    moves = [
        Move(
            debit=accounts.named(each.credit),
            credit=accounts.named(each.debit),
            amount=each.amount,
            ext_ref=each.ext_ref,
        )
        for each in entry.postings.select_related("debit", "credit")
    ]
    try:
        return _write(
            JournalEntry(
                event=event,
                kind=JournalEntry.Kind.REVERSAL,
                effective_on=effective_on,
                memo=memo[:200],
                order=entry.order,
                supplier_order=entry.supplier_order,
                about=entry.about,
                actor=actor,
                approval=approval,
                reverses=entry,
            ),
            moves,
        )
    except IntegrityError as error:
        if JournalEntry.objects.filter(reverses=entry).exists():
            raise AlreadyReversed(entry.event) from error
        raise


def _write(entry: JournalEntry, moves: Sequence[Move]) -> JournalEntry:
    first = _written_under(entry.event)
    if first is not None:
        return _the_first(first, moves)
    try:
        # A savepoint: when another writer was faster, the caller's transaction goes on.
        with transaction.atomic():
            rows = accounts.rows({each for move in moves for each in (move.debit, move.credit)})
            entry.save(force_insert=True)
            Posting.objects.bulk_create(
                Posting(
                    entry=entry,
                    debit=rows[move.debit],
                    credit=rows[move.credit],
                    currency=move.amount.currency.code,
                    amount_minor=to_minor(move.amount),
                    ext_ref=move.ext_ref,
                )
                for move in moves
            )
    except IntegrityError:
        first = _written_under(entry.event)
        if first is None:
            raise
        return _the_first(first, moves)
    logger.info("journal entry written", extra={"event_name": entry.event, "kind": entry.kind})
    return entry


def _written_under(event: str) -> JournalEntry | None:
    return JournalEntry.objects.filter(event=event).first()


def _the_first(first: JournalEntry, moves: Sequence[Move]) -> JournalEntry:
    written = sorted(
        first.postings.values_list("debit__code", "credit__code", "currency", "amount_minor", "ext_ref")
    )
    posted = sorted(move._written() for move in moves)
    if written != posted:
        raise DifferentEntry(first.event, written, posted)
    return first


# Questions


def entries_of(*, order: str = "", supplier_order: str = "", about: str = "") -> JournalEntryQuerySet:
    """The entries of an order, of one part of it, or about a payout, refund, deposit or remittance.

    An order's entries include those of its parts. Oldest first, with postings and accounts.
    """
    named = {"order": order, "supplier_order": supplier_order, "about": about}
    asked = {column: reference for column, reference in named.items() if reference}
    if not asked:
        raise ValueError("whose entries?")
    return JournalEntry.objects.filter(**asked).whole()
