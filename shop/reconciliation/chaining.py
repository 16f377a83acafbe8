"""Whether statements follow on: each opens where the one before it closed, and none is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum
from moneyed import Money

from shop.core.money import from_minor, to_minor
from shop.ledger import accounts
from shop.reconciliation.actions import Action
from shop.reconciliation.models import Discrepancy, StatementFile, StatementLine
from shop.reconciliation.noticing import cure, notice

Kind = Discrepancy.Kind


@dataclass(frozen=True)
class Gap:
    """A statement that does not follow on. ``jump`` is what moved on the account and stands on no line."""

    file: StatementFile
    jump: Money
    missing_numbers: tuple[int, int] | None


def statements(account: str) -> list[StatementFile]:
    """The bank statements of an account, oldest first."""
    files = StatementFile.objects.filter(
        account=account, kind__in=[StatementFile.Kind.CSV, StatementFile.Kind.CAMT053]
    )
    return sorted(files, key=lambda each: (each.from_on, each.sequence or 0, each.to_on, each.pk))


def last_statement(account: str) -> StatementFile | None:
    """The one that tells the newest closing balance."""
    found = statements(account)
    return max(found, key=lambda each: (each.to_on, each.sequence or 0, each.pk), default=None)


def gaps(account: str) -> Iterator[Gap]:
    """Every statement that does not follow on from those before it."""
    files = statements(account)
    by_number = {each.sequence: each for each in files if each.sequence is not None}
    for place, file in enumerate(files):
        opening = file.opening_minor or 0
        if place == 0:
            if opening:
                yield Gap(file, from_minor(opening, file.currency), None)
            continue
        before = by_number.get(file.sequence - 1) if file.sequence is not None else files[place - 1]
        if before is not None and before.closing_minor == opening:
            continue
        lower = [each for each in by_number if file.sequence is not None and each < file.sequence]
        hole = (max(lower) + 1, file.sequence - 1) if before is None and lower and file.sequence else None
        expected = _balance_before(files[0], file)
        if expected == opening and hole is None:
            continue
        if expected != opening and lower:
            nearest = by_number[max(lower)].closing_minor or 0
            expected = nearest
        yield Gap(file, from_minor(opening - expected, file.currency), hole)


def _balance_before(first: StatementFile, file: StatementFile) -> int:
    """What the lines we have make of the balance when the file's first day begins."""
    lines = StatementLine.objects.filter(account=file.account, booked_on__lt=file.from_on)
    moved = lines.aggregate(sum=Sum("amount_minor"))["sum"] or 0
    return (first.opening_minor or 0) + moved


def look(*, account: str, at: datetime) -> None:
    """Open an exception for each gap, and close those of gaps that were filled."""
    present = set()
    for gap in gaps(account):
        subject = f"{account}/{gap.file.sha256[:12]}/{gap.jump.amount}"
        present.add(subject)
        notice(
            kind=Kind.STATEMENT_GAP,
            subject=subject,
            amount=gap.jump,
            suggestion=Action.ADJUST if gap.jump else Action.NOTE_ONLY,
            account=accounts.bank(gap.file.currency).code,
            detail={
                "file": gap.file.name,
                "from_on": gap.file.from_on.isoformat() if gap.file.from_on else "",
                "missing_numbers": list(gap.missing_numbers or ()),
                "explains": -to_minor(gap.jump),
            },
            at=at,
        )
    known = Discrepancy.objects.filter(kind=Kind.STATEMENT_GAP, subject_reference__startswith=f"{account}/")
    cure([each for each in known.unsettled() if each.subject_reference not in present], at=at)
