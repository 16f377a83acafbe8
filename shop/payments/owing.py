"""What a cooperative owes because goods came back after it was paid, and which payout took what of it off.

The books net sums. Told apart, the oldest debt is taken off first; a set-off that is undone leaves its debts
owed again, in their old place. Only reads.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from moneyed import Money

from shop.core.money import from_minor, to_minor
from shop.ledger import accounts
from shop.ledger.models import JournalEntry, Posting

Kind = JournalEntry.Kind


@dataclass
class Debt:
    """One thing a cooperative came to owe. ``about`` is the refund's reference; else what the entry names."""

    about: str
    supplier_order: str
    on: date
    minor: int
    left_minor: int
    currency: str

    @property
    def amount(self) -> Money:
        return from_minor(self.minor, self.currency)

    @property
    def left(self) -> Money:
        """What no payout has taken off yet."""
        return from_minor(self.left_minor, self.currency)


@dataclass(frozen=True)
class Taken:
    """What one payout took off for one debt."""

    debt: Debt
    amount: Money


@dataclass
class Owing:
    """Every debt there was, the oldest first, and ``taken_off``: ``{payout's reference: what it took}``."""

    debts: list[Debt] = field(default_factory=list)
    taken_off: dict[str, list[Taken]] = field(default_factory=dict)

    def payouts_of(self, debt: Debt) -> list[str]:
        """References of the payouts that took it off, or a part of it."""
        return [payout for payout, some in self.taken_off.items() if any(each.debt is debt for each in some)]


def owing(*, cooperative: str, currency: str = "MAD") -> Owing:
    """All that stood and stands on what a cooperative owes, by the books. ``cooperative`` is its code."""
    account = accounts.producer_receivable(cooperative, currency).code
    entries: dict[int, JournalEntry] = {}
    moved: dict[int, int] = defaultdict(int)
    for side, sign in (("debit", 1), ("credit", -1)):
        for posting in Posting.objects.filter(**{f"{side}__code": account}).select_related("entry"):
            entries[posting.entry_id] = posting.entry
            moved[posting.entry_id] += sign * posting.amount_minor
    found = Owing()
    by_entry: dict[int, list[Taken]] = {}
    for key in sorted(entries):
        entry, minor = entries[key], moved[key]
        undone = by_entry.pop(entry.reverses_id, None) if entry.reverses_id else None
        if undone is not None:
            _give_back(found, undone)
        elif minor > 0 and entry.kind == Kind.NETTING:
            _undo(found, entry.about, minor)
        elif minor > 0:
            found.debts.append(
                Debt(entry.about, entry.supplier_order, entry.effective_on, minor, minor, currency)
            )
        elif minor < 0:
            by_entry[key] = taken = _take(found.debts, -minor, currency)
            if entry.kind == Kind.NETTING:
                found.taken_off[entry.about] = taken
    return found


def _take(debts: list[Debt], minor: int, currency: str) -> list[Taken]:
    taken = []
    for debt in debts:
        part = min(debt.left_minor, minor)
        if part:
            debt.left_minor -= part
            minor -= part
            taken.append(Taken(debt, from_minor(part, currency)))
    return taken


def _give_back(found: Owing, undone: list[Taken]) -> None:
    for each in undone:
        each.debt.left_minor += to_minor(each.amount)
    found.taken_off = {payout: some for payout, some in found.taken_off.items() if some is not undone}


def _undo(found: Owing, payout: str, minor: int) -> None:
    """A part of a payout was taken back: what it had taken off last is owed again first."""
    kept: list[Taken] = []
    for each in reversed(found.taken_off.get(payout, [])):
        back = min(minor, to_minor(each.amount))
        minor -= back
        each.debt.left_minor += back
        rest = to_minor(each.amount) - back
        if rest:
            kept.insert(0, Taken(each.debt, from_minor(rest, each.debt.currency)))
    if kept:
        found.taken_off[payout] = kept
    else:
        found.taken_off.pop(payout, None)
