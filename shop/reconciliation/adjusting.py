"""What no statement shows and two persons decide: a dispute lost, a debt waived (J15).

It travels like an exception: proposed by one person with a reason, and carried out when another agrees.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from moneyed import Money

from shop.core.money import to_minor
from shop.ledger.models import JournalEntry
from shop.reconciliation import resolving
from shop.reconciliation.actions import Action
from shop.reconciliation.errors import AdjustmentWaits, WaitsAlready
from shop.reconciliation.models import Discrepancy, Resolution
from shop.reconciliation.noticing import notice


@transaction.atomic
def propose(
    *,
    debit: str,
    credit: str,
    amount: Money,
    reason: str,
    by: Any,
    at: datetime,
    about: JournalEntry | None = None,
    evidence: Any = None,
) -> Resolution:
    """Propose that an amount leaves the account ``credit`` for ``debit`` (codes); another person approves it.

    ``about`` is the entry it follows up. Between two accounts one waits at a time. Raises AdjustmentWaits,
    MovesByStatementOnly, UnknownAccount, ReasonMissing.
    """
    proposal = notice(
        kind=Discrepancy.Kind.ADJUSTMENT,
        subject=f"{debit}/{credit}",
        amount=amount,
        suggestion=Action.ADJUST,
        account=debit,
        detail={"order": about.order} if about is not None else None,
        at=at,
    )
    try:
        return resolving.propose(
            discrepancy=proposal,
            action=Action.ADJUST,
            reason=reason,
            details={"debit": debit, "credit": credit, "amount_minor": to_minor(amount)},
            evidence=evidence,
            by=by,
            at=at,
        )
    except WaitsAlready as waits:
        raise AdjustmentWaits(proposal.reference) from waits
