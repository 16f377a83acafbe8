"""Exceptions: opened once for each thing that does not match, closed by themselves when it does.

One that was settled opens again, under a new reference, when its cause comes back: it was gone in between, it
is another try of the same thing, or more money than people looked at.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from moneyed import Money

from shop.core.clock import day_of
from shop.core.lives import refused_when_stale
from shop.core.money import to_minor
from shop.reconciliation.actions import Action
from shop.reconciliation.models import Discrepancy, StatementLine
from shop.reconciliation.numbering import following

logger = logging.getLogger(__name__)

Kind = Discrepancy.Kind
State = Discrepancy.State

_SATURDAY = 5
#: Working days within which somebody should have looked; three where nothing is said.
DAYS_TO_SETTLE = {
    Kind.PAYOUT_REJECTED: 1,
    Kind.PAYOUT_RETURNED: 1,
    Kind.DUPLICATE: 1,
    Kind.DISPUTE: 1,
    Kind.NEGATIVE_BALANCE: 1,
    Kind.REFUND_FAILED: 1,
    Kind.REFUND_NOT_DEBITED: 1,
    Kind.BANK_FEE: 5,
    Kind.WEBHOOK_GAP: 5,
}


def due_after(kind: str, at: datetime) -> date:
    """The day by which somebody should have looked at what was noticed, or noted, at that moment."""
    return working_days_after(day_of(at), DAYS_TO_SETTLE.get(Kind(kind), 3))


def working_days_after(day: date, count: int) -> date:
    """``count`` days from Monday to Friday later."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < _SATURDAY
    return day


@transaction.atomic
def notice(
    *,
    kind: str,
    subject: str,
    amount: Money,
    suggestion: Action,
    at: datetime,
    line: StatementLine | None = None,
    account: str = "",
    detail: dict[str, Any] | None = None,
) -> Discrepancy:
    """Open an exception about a subject, or return the one there is, which then says what is so now.

    A line's exception opens again after its match was undone; any other as ``is_back`` says.
    ``detail["explains"]`` says how much of the account's difference it is, in minor units;
    ``detail["attempt"]`` which try of its subject it is about.
    """
    base = _base(kind, line.reference if line is not None else subject)
    # The lock of the numbering also makes two who notice the same thing take turns.
    numbers = following(Discrepancy, prefix="D", year=day_of(at).year, digits=5)
    reference = next(numbers)
    before = _earlier(base)
    if before:
        last = before[-1]
        if line is None:
            if not is_back(last, amount, detail or {}):
                return follow(last, amount, detail or {}, at)
        elif last.state != State.SETTLED:
            return last
    discrepancy: Discrepancy = Discrepancy.objects.create(
        reference=reference,
        key=base if not before else f"{base}#{len(before) + 1}",
        kind=kind,
        line=line,
        subject_reference=subject[:80],
        account=account,
        currency=amount.currency.code,
        amount_minor=to_minor(amount),
        suggestion=suggestion,
        detail=detail or {},
        opened_at=at,
        due_on=due_after(kind, at),
    )
    logger.info("exception opened", extra={"discrepancy": discrepancy.reference, "kind": kind})
    return discrepancy


def _base(kind: str, about: str) -> str:
    return f"{kind}:{about}"[:150]


def latest(*, kind: str, subjects: Iterable[str]) -> dict[str, Discrepancy]:
    """The newest exception about each subject, in one query: ``{subject: exception}``."""
    wanted = {_base(kind, each): each for each in subjects}
    found = Discrepancy.objects.filter(
        kind=kind, line=None, subject_reference__in=[each[:80] for each in wanted.values()]
    )
    bases = ((each, each.key.rpartition("#")[0] or each.key) for each in found.order_by("pk"))
    return {wanted[base]: each for each, base in bases if base in wanted}


def is_back(last: Discrepancy, amount: Money, detail: dict[str, Any]) -> bool:
    """Whether what was settled is to be looked at again."""
    return last.state == State.SETTLED and (
        last.kind == Kind.ADJUSTMENT
        or last.gone_at is not None
        or detail.get("attempt", 1) != last.detail.get("attempt", 1)
        or abs(to_minor(amount)) > abs(last.amount_minor)
    )


def follow(last: Discrepancy, amount: Money, detail: dict[str, Any], at: datetime) -> Discrepancy:
    """An open one is about as much as it is now; what grew is due as if it had just been noticed.

    What waits for a second person stays as she reads it, and what is settled stays as it was.
    """
    minor = to_minor(amount)
    if last.state != State.OPEN or minor == last.amount_minor:
        return last
    if abs(minor) > abs(last.amount_minor):
        last.due_on = min(last.due_on, due_after(last.kind, at))
    last.amount_minor, last.detail = minor, last.detail | detail
    last.save(update_fields=["amount_minor", "detail", "due_on"])
    return last


def _earlier(base: str) -> list[Discrepancy]:
    """Those opened about the same before. Most often the first says it all, and it is found by its key."""
    first = Discrepancy.objects.filter(key=base).first()
    if first is None or first.state != State.SETTLED:
        return [first] if first is not None else []
    return [first, *Discrepancy.objects.filter(key__startswith=f"{base}#").order_by("pk")]


@transaction.atomic
def cure(discrepancies: Iterable[Discrepancy], *, at: datetime) -> int:
    """Close what nobody needs to look at any more; returns how many.

    What waits for a second person stays: she decides, or sends it back.
    """
    cured = 0
    for each in discrepancies:
        if each.state != State.OPEN:
            continue
        each.detail, each.gone_at = each.detail | {"cured": True}, at
        with refused_when_stale():
            each.settle(at=at)
            each.save()
        cured += 1
        logger.info("exception closed by itself", extra={"discrepancy": each.reference})
    return cured


def forget(settled: QuerySet[Discrepancy], *, at: datetime) -> int:
    """What people settled is no longer so: if it comes back, it is looked at again. Returns how many."""
    return settled.filter(state=State.SETTLED, gone_at=None).update(gone_at=at)


def cure_line(line: StatementLine, *, at: datetime) -> None:
    """Close what was open about a line."""
    cure(line.discrepancies.filter(state=State.OPEN), at=at)
