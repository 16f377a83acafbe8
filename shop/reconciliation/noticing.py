"""Exceptions: opened once for each thing that does not match, closed by themselves when it does.

One that people settled stays settled; one that closed by itself may open again, under a new reference.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
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
    Kind.BANK_FEE: 5,
    Kind.WEBHOOK_GAP: 5,
}


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
    """Open an exception about a subject, or return the one there is.

    A line's exception opens again after its match was undone; any other that people settled does not.
    ``detail["explains"]`` says how much of the account's difference it is, in minor units.
    """
    about = line.reference if line is not None else subject
    base = f"{kind}:{about}"[:150]
    # The lock of the numbering also makes two who notice the same thing take turns.
    numbers = following(Discrepancy, prefix="D", year=day_of(at).year, digits=5)
    reference = next(numbers)
    before = _earlier(base)
    for each in before:
        if each.state != State.SETTLED or (line is None and not each.detail.get("cured")):
            return each
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
        due_on=working_days_after(day_of(at), DAYS_TO_SETTLE.get(Kind(kind), 3)),
    )
    logger.info("exception opened", extra={"discrepancy": discrepancy.reference, "kind": kind})
    return discrepancy


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
        each.detail = each.detail | {"cured": True}
        with refused_when_stale():
            each.settle(at=at)
            each.save()
        cured += 1
        logger.info("exception closed by itself", extra={"discrepancy": each.reference})
    return cured


def cure_line(line: StatementLine, *, at: datetime) -> None:
    """Close what was open about a line."""
    cure(line.discrepancies.filter(state=State.OPEN), at=at)
