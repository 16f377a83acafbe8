"""What every reader yields: a bank account's statement as plain, frozen facts, proved to add up."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from moneyed import Money

from shop.reconciliation.readers.errors import CurrencyDiffers, OutsidePeriod, SumsDoNotAgree


@dataclass(frozen=True, kw_only=True)
class Line:
    """One movement on the account. ``amount`` is positive when money came in, negative when it left.

    ``number`` is its place in the file (from 1), ``raw`` what stood there. ``occurrence`` tells apart
    lines that are alike in everything else: the second of two true twins has 2.
    """

    number: int
    booked_on: date
    value_on: date
    amount: Money
    text: str
    bank_reference: str = ""
    end_to_end_id: str = ""
    counterparty_name: str = ""
    counterparty_rib: str = ""
    is_reversal: bool = False
    occurrence: int = 1
    raw: str = ""

    @property
    def identity(self) -> str:
        """The same for the same line in every export that contains it, in whichever format; unlike its twin's.

        It holds as long as exports begin and end with whole days, as banks' exports do.
        """
        return hashlib.sha256("\x1f".join([*self._likeness, str(self.occurrence)]).encode()).hexdigest()

    @property
    def _likeness(self) -> tuple[str, ...]:
        money = (self.booked_on.isoformat(), f"{self.amount.amount:f}", self.amount.currency.code)
        if self.bank_reference:
            return (*money, "reference", self.bank_reference)
        return (*money, "text", self.end_to_end_id, " ".join(self.text.split()))


@dataclass(frozen=True, kw_only=True)
class Statement:
    """An account's movements over whole days, both included: opening + lines = closing.

    ``account`` is the RIB where the file gives one, else the account number as the file writes it.
    ``sequence`` is the bank's own statement number; None when it gives none.
    """

    account: str
    currency: str
    opening: Money
    closing: Money
    from_on: date
    to_on: date
    sequence: int | None
    lines: tuple[Line, ...]


def proved(
    *,
    account: str,
    opening: Money,
    closing: Money,
    from_on: date,
    to_on: date,
    sequence: int | None,
    lines: Iterable[Line],
) -> Statement:
    """The statement with its twins numbered. Raises a ``NotAStatement`` if it does not hold together."""
    currency = opening.currency
    if closing.currency != currency:
        raise CurrencyDiffers(expected=currency.code, found=closing.currency.code)

    moved = Money(0, currency)
    seen: Counter[tuple[str, ...]] = Counter()
    numbered = []
    for line in lines:
        if line.amount.currency != currency:
            raise CurrencyDiffers(expected=currency.code, found=line.amount.currency.code)
        if not from_on <= line.booked_on <= to_on:
            raise OutsidePeriod(line.number)
        moved += line.amount
        seen[line._likeness] += 1
        numbered.append(replace(line, occurrence=seen[line._likeness]))
    if opening + moved != closing:
        raise SumsDoNotAgree(opening=opening, moved=moved, closing=closing)

    return Statement(
        account=account,
        currency=currency.code,
        opening=opening,
        closing=closing,
        from_on=from_on,
        to_on=to_on,
        sequence=sequence,
        lines=tuple(numbered),
    )
