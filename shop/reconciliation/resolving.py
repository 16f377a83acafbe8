"""What is done about exceptions: proposed by one person, approved by another, and only then carried out.

A note moves no money and settles at once what is over; what is still so stays open, and is due again later.
Sending a refund again is no new decision, so one person does it. Every entry carries, or is named by, the resolution two persons
agreed on.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from moneyed import Money

from shop.core.clock import day_of
from shop.core.errors import Refused
from shop.core.lives import refused_when_stale
from shop.core.money import from_minor, to_minor
from shop.fulfilment import story
from shop.ledger import accounts, entries
from shop.ledger.accounts import AccountName
from shop.ledger.journal import Move
from shop.ledger.models import JournalEntry
from shop.payments import payouts, refunding
from shop.payments.models import Payout, Refund
from shop.payments.stripe import importing as stripe_importing
from shop.reconciliation import matching, watching
from shop.reconciliation.actions import LASTING, OF_OWN_ACCORD, QUARANTINED, Action, actions_for
from shop.reconciliation.errors import (
    Changed,
    LineNotBooked,
    MoneyMoved,
    MovesByStatementOnly,
    NotForThis,
    ReasonMissing,
    RowNotBooked,
    SamePerson,
    UnknownAccount,
    UnknownReference,
    WaitsAlready,
)
from shop.reconciliation.judging import record_of
from shop.reconciliation.models import Discrepancy, Match, Resolution, StatementLine
from shop.reconciliation.noticing import cure_line, due_after, notice
from shop.reconciliation.spotting import Known

logger = logging.getLogger(__name__)

State = Discrepancy.State
Kind = Discrepancy.Kind
Subject = Match.Subject
#: Whose the money is that the bank moved by mistake.
BANK = "bank"
#: Why a refund failed of which the bank never showed a debit; ``wording`` says it in words.
NOT_CARRIED_OUT = "not_carried_out"


# Proposing


@transaction.atomic
def propose(
    *,
    discrepancy: Discrepancy,
    action: str,
    reason: str,
    by: Any,
    at: datetime,
    details: Mapping[str, Any] | None = None,
    evidence: Any = None,
) -> Resolution:
    """Say what to do about an exception. What ``moves_money`` waits for a second person, all else is done at once.

    ``details`` by action: ``match_by_hand`` and ``accept_return`` take ``reference`` (of a payout, refund,
    deposit, or ``carrier/remittance``), ``match_by_hand`` optionally ``subject``; ``adjust`` takes ``debit``
    and ``credit`` (codes of accounts) and ``amount_minor``, which is the line's where there is a line.
    Raises ReasonMissing, NotForThis, MoneyMoved, UnknownReference, UnknownAccount, LineNotBooked,
    WaitsAlready.
    """
    discrepancy = _locked(discrepancy)
    if discrepancy.state == State.PROPOSED:
        raise WaitsAlready
    if discrepancy.state != State.OPEN:
        raise Changed
    if not reason.strip():
        raise ReasonMissing
    chosen = Action(action)
    if chosen not in actions_for(discrepancy):
        raise MoneyMoved if chosen == Action.NOTE_ONLY else NotForThis
    resolution = Resolution(
        discrepancy=discrepancy,
        reference=f"{discrepancy.reference}-{discrepancy.resolutions.count() + 1}",
        action=chosen,
        moves_money=chosen.moves_money,
        reason=reason.strip()[:250],
        details=_checked(discrepancy, chosen, dict(details or {})),
        proposed_by=by,
        proposed_at=at,
    )
    if evidence is not None:
        resolution.evidence = evidence
    try:
        with transaction.atomic():
            resolution.save(force_insert=True)
    except IntegrityError as error:
        raise WaitsAlready from error
    with refused_when_stale():
        if resolution.moves_money:
            discrepancy.propose()
        elif chosen == Action.NOTE_ONLY and discrepancy.kind in LASTING:
            discrepancy.due_on = due_after(discrepancy.kind, at)
        else:
            _do_at_once(resolution, discrepancy, by, at)
            discrepancy.settle(at=at)
        discrepancy.save()
    logger.info("resolution proposed", extra={"resolution": resolution.reference, "action": action})
    return resolution


def _do_at_once(resolution: Resolution, discrepancy: Discrepancy, by: Any, at: datetime) -> None:
    """What one person may do alone."""
    if resolution.action == Action.REFUND_AGAIN:
        refunding.retry(refund=_refund_of(discrepancy), by=by, at=at)
    elif discrepancy.kind in QUARANTINED:
        stripe_importing.set_aside(stripe_id=discrepancy.subject_reference, at=at)


def _refund_of(discrepancy: Discrepancy) -> Refund:
    refund: Refund | None = Refund.objects.filter(reference=discrepancy.subject_reference).first()
    if refund is None:
        raise UnknownReference(discrepancy.subject_reference)
    return refund


@transaction.atomic
def propose_undo(*, match: Match, reason: str, by: Any, at: datetime) -> Resolution:
    """Doubt a match: propose that it be undone. Raises ReasonMissing, WaitsAlready, Changed."""
    match = Match.objects.select_for_update(of=("self",)).select_related("line").get(pk=match.pk)
    if match.state != Match.State.CONFIRMED:
        raise Changed
    discrepancy = notice(
        kind=Kind.DOUBTED_MATCH,
        subject=match.subject_reference,
        amount=match.line.amount,
        suggestion=Action.UNDO_MATCH,
        line=match.line,
        account=accounts.bank(match.line.currency).code,
        detail={"match": match.pk, "subject": match.subject},
        at=at,
    )
    return propose(discrepancy=discrepancy, action=Action.UNDO_MATCH, reason=reason, by=by, at=at)


def _checked(discrepancy: Discrepancy, action: Action, details: dict[str, Any]) -> dict[str, Any]:
    """The details as they will be carried out, so that what is approved is what was proposed."""
    line = discrepancy.line
    if action == Action.MATCH_BY_HAND:
        if line is None:
            raise NotForThis
        known = _named(discrepancy, details)
        return {"subject": known.subject, "reference": known.reference}
    if action == Action.ACCEPT_RETURN:
        known = _named(discrepancy, details)
        if (
            line is None
            or line.amount_minor <= 0
            or known.subject not in (Subject.PAYOUT, Subject.RETURN, Subject.REFUND)
        ):
            raise NotForThis
        subject = Subject.RETURN if known.subject == Subject.PAYOUT else known.subject
        return {"subject": subject, "reference": known.reference}
    if action == Action.BOOK_BANK_FEE and (line is None or line.amount_minor >= 0):
        raise NotForThis
    if action == Action.SET_ASIDE_DUPLICATE and line is None:
        raise NotForThis
    if action == Action.ADJUST:
        move = _adjustment(discrepancy, details)
        return {
            "debit": move.debit.code,
            "credit": move.credit.code,
            "amount_minor": to_minor(move.amount),
            "memo": str(details.get("memo", ""))[:120],
        }
    if action == Action.REFUND_NOT_CARRIED_OUT:
        return {"attempt": _refund_of(discrepancy).attempt}
    if action == Action.UNDO_MATCH:
        return {"match": discrepancy.detail["match"]}
    return {}


def _named(discrepancy: Discrepancy, details: Mapping[str, Any]) -> Known:
    """What of ours a person named. Raises UnknownReference."""
    reference = " ".join(str(details.get("reference") or discrepancy.subject_reference).split())
    subject = str(details.get("subject") or "")
    line = discrepancy.line
    credit = line is not None and line.amount_minor > 0
    likely = (
        (Subject.DEPOSIT, Subject.REMITTANCE, Subject.RETURN, Subject.REFUND)
        if credit
        else (Subject.PAYOUT, Subject.REFUND, Subject.BATCH)
    )
    for each in (subject,) if subject else likely:
        known = Known(each, reference)
        if reference and record_of(known) is not None:
            return known
    raise UnknownReference(reference)


def account_named(code: str) -> AccountName:
    """The account of a code such as ``suspense:bank:MAD``. Raises UnknownAccount."""
    parts = code.strip().split(":")
    try:
        if len(parts) == 2:
            return AccountName(parts[0], "", parts[1])
        kind, owner, currency = parts
        return AccountName(kind, owner, currency)
    except (KeyError, ValueError) as error:
        raise UnknownAccount(code) from error


def _adjustment(discrepancy: Discrepancy, details: Mapping[str, Any]) -> Move:
    debit, credit = (
        account_named(str(details.get("debit", ""))),
        account_named(str(details.get("credit", ""))),
    )
    line = discrepancy.line
    outside: AccountName | None = None
    refusal: type[Refused] = LineNotBooked
    if line is not None:
        outside, reference, moved = accounts.bank(line.currency), line.reference, line.amount
    elif discrepancy.kind in QUARANTINED:
        outside, reference = accounts.stripe_balance(discrepancy.currency), discrepancy.subject_reference
        moved, refusal = discrepancy.amount, RowNotBooked
    else:
        if discrepancy.kind == Kind.ADJUSTMENT:
            for each in (debit, credit):
                if each.kind in accounts.MIRRORS:
                    raise MovesByStatementOnly(each.code)
        reference = ""
        minor = int(details.get("amount_minor") or abs(discrepancy.amount_minor))
        moved = from_minor(minor, debit.currency)
    if outside is not None:
        own, other = (debit, credit) if moved.amount > 0 else (credit, debit)
        if own != outside or other == outside or debit.currency != credit.currency:
            raise refusal
        if details.get("amount_minor") not in (None, "", to_minor(abs(moved))):
            raise refusal
    try:
        move = Move(debit=debit, credit=credit, amount=abs(moved), ext_ref=reference)
    except ValueError as error:
        raise UnknownAccount(f"{debit.code} / {credit.code}") from error
    if not move.amount:
        raise refusal
    return move


# The second person


@transaction.atomic
def approve(*, resolution: Resolution, by: Any, at: datetime) -> Resolution:
    """A second person agrees, and what was proposed is carried out. Again changes nothing.

    Raises SamePerson, Changed if it was refused or is no longer possible, and what the action
    itself refuses.
    """
    discrepancy = _locked(resolution.discrepancy)
    resolution = Resolution.objects.select_for_update(of=("self",)).get(pk=resolution.pk)
    if resolution.proposed_by_id == by.pk:
        raise SamePerson
    if resolution.approved_at is not None:
        return resolution
    if resolution.refused_at is not None or discrepancy.state != State.PROPOSED:
        raise Changed
    line = discrepancy.line
    if line is not None:
        line = StatementLine.objects.select_for_update().get(pk=line.pk)
        wanted = StatementLine.State.NEW
        if resolution.action != Action.UNDO_MATCH and line.state != wanted:
            raise Changed
    # Agreed first: whatever is carried out below may ask for its approval.
    resolution.approved_by, resolution.approved_at = by, at
    resolution.save(update_fields=["approved_by", "approved_at"])
    resolution.entry = _carry_out(resolution, discrepancy, line, by, at)
    resolution.save(update_fields=["entry"])
    with refused_when_stale():
        discrepancy.settle(at=at)
        discrepancy.save()
    if line is not None:
        cure_line(line, at=at)
        if resolution.action == Action.UNDO_MATCH:
            matching.match_line(line=line, at=at)  # opens the exception about the line that is new again
    watching.watch(at=at)  # what this settles beside its own exception closes with it
    logger.info("resolution approved", extra={"resolution": resolution.reference})
    return resolution


@transaction.atomic
def refuse(*, resolution: Resolution, by: Any, at: datetime) -> Resolution:
    """Do not do it: the exception is open again, unless it was only proposed of somebody's own accord. The proposer may take her own proposal back this way."""
    discrepancy = _locked(resolution.discrepancy)
    resolution = Resolution.objects.select_for_update(of=("self",)).get(pk=resolution.pk)
    if resolution.refused_at is not None:
        return resolution
    if resolution.approved_at is not None or not resolution.moves_money:
        raise Changed
    resolution.refused_by, resolution.refused_at = by, at
    resolution.save(update_fields=["refused_by", "refused_at"])
    with refused_when_stale():
        if discrepancy.kind in OF_OWN_ACCORD:
            discrepancy.settle(at=at)  # the match, or the books, stand as they are
        else:
            discrepancy.send_back()
        discrepancy.save()
    logger.info("resolution refused", extra={"resolution": resolution.reference})
    return resolution


def _carry_out(
    resolution: Resolution, discrepancy: Discrepancy, line: StatementLine | None, by: Any, at: datetime
) -> JournalEntry | None:
    """Do what was agreed; the entry it left in the books, if any."""
    action, details, actor = resolution.action, resolution.details, _actor(by)
    if action == Action.PUT_BACK:
        return _put_back(discrepancy, resolution.reason, at)
    if action == Action.REFUND_NOT_CARRIED_OUT:
        refunding.never_debited(
            refund=_refund_of(discrepancy), attempt=details["attempt"], why=NOT_CARRIED_OUT, at=at
        )
        return None
    if action == Action.UNDO_MATCH:
        match = matching.undo(
            match=Match.objects.get(pk=details["match"]), approval=resolution.reference, by=actor, at=at
        )
        return match.reversal
    if action == Action.ADJUST and line is None:
        return _between_accounts(resolution, discrepancy, actor, at)
    if line is None:
        raise NotForThis
    if action == Action.MATCH_BY_HAND or (
        action == Action.ACCEPT_RETURN and details["subject"] == Subject.RETURN
    ):
        match = matching.match_by_hand(
            line=line,
            known=Known(details["subject"], details["reference"]),
            approval=resolution.reference,
            by=actor,
            at=at,
        )
        return match.entry
    if action == Action.ACCEPT_RETURN:
        entry = _refund_came_back(resolution, details["reference"], line, actor, at)
    elif action == Action.BOOK_BANK_FEE:
        entry = _bank_fee(resolution, line, actor)
    elif action == Action.SET_ASIDE_DUPLICATE:
        entry = _claim_from_bank(resolution, line, actor)
    else:
        entry = _between_accounts(resolution, discrepancy, actor, at)
    matching.tie(
        line=line,
        subject=Subject.ADJUSTMENT,
        reference=resolution.reference,
        entry=entry,
        rule=f"two persons: {action}",
        by=actor,
        at=at,
    )
    return entry


def _put_back(discrepancy: Discrepancy, reason: str, at: datetime) -> JournalEntry | None:
    """J12c, and the account held: done by payouts, which own both."""
    payout = Payout.objects.filter(reference=discrepancy.subject_reference).first()
    if payout is None:
        raise UnknownReference(discrepancy.subject_reference)
    why = str(discrepancy.detail.get("reason") or reason)
    payouts.reject(payout=payout, why=why, at=at)
    return JournalEntry.objects.filter(event=f"payout:{payout.reference}:rejected").first()


def _bank_fee(resolution: Resolution, line: StatementLine, actor: str) -> JournalEntry:
    amount = abs(line.amount)
    if line.matches.exists():  # booked before, and undone: its event stands in the books
        return _adjust(
            resolution,
            line,
            Move(accounts.bank_fee(line.currency), accounts.bank(line.currency), amount, line.reference),
            actor,
        )
    return entries.record_bank_fee(
        line=line.reference,
        effective_on=line.booked_on,
        amount=amount,
        actor=actor,
        approval=resolution.reference,
    )


def _claim_from_bank(resolution: Resolution, line: StatementLine, actor: str) -> JournalEntry:
    """The money did move, so the books follow it; the bank owes it, or has now given it back."""
    bank, claim = accounts.bank(line.currency), accounts.suspense(BANK, line.currency)
    out = line.amount_minor < 0
    move = Move(
        debit=claim if out else bank,
        credit=bank if out else claim,
        amount=abs(line.amount),
        ext_ref=line.reference,
    )
    return _adjust(resolution, line, move, actor)


def _refund_came_back(
    resolution: Resolution, reference: str, line: StatementLine, actor: str, at: datetime
) -> JournalEntry:
    """A refund by bank was sent back: it is owed to the customer again."""
    refund = refunding.sent_as(reference=reference).first()
    if (
        refund is None
        or reference != refund.bank_reference
        or (line.currency, line.amount_minor) != (refund.currency, refund.amount_minor)
    ):
        raise UnknownReference(reference)
    refunding.rejected_by_bank(refund=refund, why=matching.WHY_RETURNED, at=at)
    move = Move(
        accounts.bank(line.currency), accounts.refund_payable(line.currency), line.amount, line.reference
    )
    return _adjust(resolution, line, move, actor)


def _between_accounts(
    resolution: Resolution, discrepancy: Discrepancy, actor: str, at: datetime
) -> JournalEntry:
    move = _adjustment(discrepancy, resolution.details)
    line = discrepancy.line
    if discrepancy.kind in QUARANTINED:
        return stripe_importing.book_by_hand(
            stripe_id=discrepancy.subject_reference,
            approval=resolution.reference,
            moves=[move],
            memo=resolution.details.get("memo") or resolution.reason,
            actor=actor,
            at=at,
        )
    return entries.record_adjustment(
        approval=resolution.reference,
        effective_on=line.booked_on if line is not None else day_of(at),
        memo=resolution.details.get("memo") or resolution.reason,
        moves=[move],
        actor=actor,
    )


def _adjust(resolution: Resolution, line: StatementLine, move: Move, actor: str) -> JournalEntry:
    return entries.record_adjustment(
        approval=resolution.reference,
        effective_on=line.booked_on,
        memo=resolution.reason,
        moves=[move],
        actor=actor,
    )


def _locked(discrepancy: Discrepancy) -> Discrepancy:
    now = Discrepancy.objects.select_for_update(of=("self",)).select_related("line")
    found: Discrepancy = now.get(pk=discrepancy.pk)
    return found


def _actor(by: Any) -> str:
    """The person as the journal names her."""
    return story.actor_of(by)


def amount_of(resolution: Resolution) -> Money:
    """How much a resolution is about, for whoever approves it."""
    discrepancy = resolution.discrepancy
    if "amount_minor" in resolution.details:
        return from_minor(int(resolution.details["amount_minor"]), discrepancy.currency)
    return abs(discrepancy.line.amount if discrepancy.line is not None else discrepancy.amount)
