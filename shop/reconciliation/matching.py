"""Statement lines tied to what they are the other side of, and the books moved with them. Once.

``judging`` says whether a line is surely something; here it is booked, or an exception is opened. Every match
records the rule that found it and who made it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop
from moneyed import Money

from shop.core.clock import day_of
from shop.core.crashpoints import crashpoint
from shop.core.lives import refused_when_stale
from shop.core.money import from_minor, to_minor
from shop.core.sweeping import each_by_itself
from shop.ledger import accounts, entries, journal
from shop.ledger.journal import Move
from shop.ledger.models import JournalEntry
from shop.payments import payouts, refunding
from shop.payments.models import Deposit, Payout, PayoutBatch, Refund
from shop.reconciliation.actions import Action
from shop.reconciliation.errors import AlreadyMatched, AmountsDiffer, CannotBeUndone, UnknownReference
from shop.reconciliation.judging import (
    Doubt,
    Found,
    contents_of,
    is_matched,
    judge,
    named_in_bank,
    record_of,
    was_undone,
)
from shop.reconciliation.models import Discrepancy, Match, Remittance, StatementLine
from shop.reconciliation.noticing import cure, notice
from shop.reconciliation.remitted import settled_by
from shop.reconciliation.spotting import Known, Register, register, spot

logger = logging.getLogger(__name__)

State = StatementLine.State
Subject = Match.Subject
Kind = Discrepancy.Kind
#: Who made a match that nobody made by hand.
MATCHER = "matcher"
WHY_RETURNED = gettext_noop("returned by the bank")


@dataclass(frozen=True)
class Run:
    """What a run came to: lines matched, and lines that somebody has to look at from now on.

    A line that waited in an exception before is not counted again.
    """

    matched: int
    doubtful: int


def match_new(*, at: datetime) -> Run:
    """Try every new line, each in a transaction of its own. Again changes nothing.

    Debits before credits of the same day, so that what was sent is known before it comes back.
    """
    known = register()
    new = StatementLine.objects.filter(state=State.NEW)
    lines = sorted(new, key=lambda each: (each.booked_on, each.amount_minor > 0, each.number, each.pk))
    seen = set(Discrepancy.objects.unsettled().filter(line__in=new).values_list("line", flat=True))
    fresh = [each.pk for each in lines if each.pk not in seen]
    matched = each_by_itself(
        lines, lambda each: match_line(line=each, at=at, known=known), what="match statement line"
    )
    return Run(matched=matched, doubtful=new.filter(pk__in=fresh).count())


@transaction.atomic
def match_line(*, line: StatementLine, at: datetime, known: Register | None = None) -> Match | None:
    """Match a line if it is surely something of ours; open an exception if not. Again returns the same match."""
    line = _fresh(line)
    if line.state != State.NEW:
        return line.matches.filter(state=Match.State.CONFIRMED).first()
    noticed = list(Discrepancy.objects.filter(line=line).unsettled())
    if any(each.state == Discrepancy.State.PROPOSED for each in noticed):
        return None  # two persons are at it
    if not line.amount_minor:
        line.ignore()
        line.save()
        return None
    verdict = judge(line, spot(line, known or register()))
    if isinstance(verdict, Found):
        match = _book(line, verdict, at)
        cure(noticed, at=at)
        return match
    _doubt(line, verdict, noticed, at)
    return None


def _fresh(line: StatementLine) -> StatementLine:
    """The line as it is now; whoever else wants it waits, and then sees what we did."""
    fresh: StatementLine = StatementLine.objects.select_for_update().get(pk=line.pk)
    return fresh


def _doubt(line: StatementLine, doubt: Doubt, noticed: Sequence[Discrepancy], at: datetime) -> None:
    """Open the exception, in place of one of another kind; what is noticed already stays as it is."""
    cure([each for each in noticed if each.kind != doubt.kind], at=at)
    if any(each.kind == doubt.kind for each in noticed):
        return
    notice(
        kind=doubt.kind,
        subject=doubt.reference,
        amount=doubt.differs_by if doubt.differs_by is not None else line.amount,
        suggestion=doubt.suggestion,
        line=line,
        account=accounts.bank(line.currency).code,
        detail={**doubt.detail, "subject": doubt.subject},
        at=at,
    )


# Booking


def _book(line: StatementLine, found: Found, at: datetime) -> Match:
    """Post what the line is, through whoever owns the record, and tie the two together."""
    record, reference = found.record, found.reference
    if isinstance(record, PayoutBatch):
        booked = []
        for each in contents_of(record):
            booked.append((each, _debited(line, each, at)))
            crashpoint("matching.booked_one_of_a_batch")
        return _tie_batch(line, record, booked, rule=found.rule, by=MATCHER, at=at)
    if isinstance(record, Payout) and found.subject == Subject.RETURN:
        entry = _returned(line, record, at)
    elif isinstance(record, Payout | Refund):
        entry = _debited(line, record, at)
    elif isinstance(record, Deposit):
        entry = entries.record_deposit_arrived(
            deposit=reference,
            line=line.reference,
            effective_on=line.booked_on,
            amount=record.amount,
            received=line.amount,
        )
    else:
        assert isinstance(record, Remittance)
        entry = _remitted(line, record, reference, at)
    crashpoint("matching.booked")
    return tie(
        line=line,
        subject=found.subject,
        reference=reference,
        entry=entry,
        rule=found.rule,
        by=MATCHER,
        at=at,
    )


def _debited(line: StatementLine, record: Payout | Refund, at: datetime) -> JournalEntry:
    """What was sent has left our account."""
    if isinstance(record, Payout):
        payouts.arrive(payout=record, line=line.reference, on=line.booked_on, at=at)
        return JournalEntry.objects.get(event=f"payout:{record.reference}:debited")
    assert isinstance(record, Refund)
    refunding.record_paid_by_bank(refund=record, line=line.reference, on=line.booked_on, at=at)
    return JournalEntry.objects.get(event=f"refund:{record.bank_reference}:paid-by-bank")


def _returned(line: StatementLine, payout: Payout, at: datetime) -> JournalEntry:
    """The payout is due again and its account on hold; somebody has to ask the cooperative for another."""
    payouts.returned(payout=payout, line=line.reference, why=WHY_RETURNED, on=line.booked_on, at=at)
    notice(
        kind=Kind.PAYOUT_RETURNED,
        subject=payout.reference,
        amount=payout.amount,
        suggestion=Action.NOTE_ONLY,
        detail={"line": line.reference, "text": line.text[:140], "cooperative": payout.cooperative.code},
        at=at,
    )
    return JournalEntry.objects.get(event=f"payout:{payout.reference}:returned")


def _remitted(line: StatementLine, remittance: Remittance, reference: str, at: datetime) -> JournalEntry:
    entry = entries.record_carrier_remittance(
        remittance=reference,
        carrier=remittance.carrier.code,
        effective_on=line.booked_on,
        collected=from_minor(settled_by(remittance), remittance.currency),
        fee_net=remittance.fee,
        fee_vat=remittance.vat,
        received=line.amount,
        line=line.reference,
    )
    remittance.arrived_at = at
    remittance.save(update_fields=["arrived_at"])
    return entry


def tie(
    *,
    line: StatementLine,
    subject: str,
    reference: str,
    entry: JournalEntry,
    rule: str,
    by: str,
    at: datetime,
) -> Match:
    """Write a match down; the line is settled. A line has one."""
    with refused_when_stale():
        if subject == Subject.ADJUSTMENT:
            line.explain()
        else:
            line.match()
        line.save()
    match: Match = Match.objects.create(
        line=line,
        subject=subject,
        subject_reference=reference,
        entry=entry,
        rule=rule[:60],
        made_by=by,
        made_at=at,
    )
    logger.info("line matched", extra={"line": line.reference, "subject": subject, "rule": rule})
    return match


def _tie_batch(
    line: StatementLine,
    batch: PayoutBatch,
    booked: Sequence[tuple[Payout | Refund, JournalEntry]],
    *,
    rule: str,
    by: str,
    at: datetime,
) -> Match:
    """The line is the whole of a batch: it is settled once, with a match for each transfer. Returns the first."""
    with refused_when_stale():
        line.match()
        line.save()
    matches: list[Match] = []
    for record, entry in booked:
        subject, reference = named_in_bank(record)
        matches.append(
            Match.objects.create(
                line=line,
                subject=subject,
                subject_reference=reference,
                batch=batch.reference,
                entry=entry,
                rule=rule[:60],
                made_by=by,
                made_at=at,
            )
        )
    logger.info("line matched", extra={"line": line.reference, "batch": batch.reference, "rule": rule})
    return matches[0]


# By hand: two persons agreed (``resolving``)


def match_by_hand(*, line: StatementLine, known: Known, approval: str, by: str, at: datetime) -> Match:
    """Book a line as what two persons say it is; ``approval`` is their resolution.

    Raises UnknownReference, AlreadyMatched or AmountsDiffer. What is still missing then is an exception.
    """
    record = record_of(known, lock=True)
    if record is None:
        raise UnknownReference(known.reference)
    if is_matched(known.subject, known.reference):
        raise AlreadyMatched(known.reference)
    if isinstance(record, Refund) and known.reference != record.bank_reference:
        raise UnknownReference(known.reference)  # an earlier try of it: that one came back
    if isinstance(record, PayoutBatch):
        return _batch_by_hand(line, record, approval, by, at)
    again = was_undone(known.subject, known.reference)
    if isinstance(record, Payout) and known.subject == Subject.RETURN:
        if again or record.state != Payout.State.PAID or line.amount_minor != record.amount_minor:
            raise AmountsDiffer
        entry = _returned(line, record, at)
    elif isinstance(record, Deposit):
        entry = _deposit_by_hand(line, record, again, approval, by, at)
    elif isinstance(record, Remittance):
        entry = _remittance_by_hand(line, record, known.reference, again, approval, by, at)
    else:
        assert isinstance(record, Payout | Refund)
        entry = _sent_by_hand(line, record, again, approval, by, at)
    return tie(
        line=line,
        subject=known.subject,
        reference=known.reference,
        entry=entry,
        rule="by hand",
        by=by,
        at=at,
    )


def _batch_by_hand(line: StatementLine, batch: PayoutBatch, approval: str, by: str, at: datetime) -> Match:
    """A debit that is all that is left of a batch, to the centime."""
    contents = contents_of(batch)
    if line.currency != batch.currency or -line.amount_minor != sum(each.amount_minor for each in contents):
        raise AmountsDiffer
    booked = []
    for each in contents:
        named = named_in_bank(each)
        if is_matched(*named):
            raise AlreadyMatched(named[1])
        entry = _sent(line, each, was_undone(*named), approval=approval, by=by, at=at, part=named[1])
        booked.append((each, entry))
    return _tie_batch(line, batch, booked, rule="by hand", by=by, at=at)


def _sent_by_hand(
    line: StatementLine, record: Payout | Refund, again: bool, approval: str, by: str, at: datetime
) -> JournalEntry:
    """A debit that is a payout or a refund; what it takes beyond the amount is the bank's fee."""
    beyond = -line.amount_minor - record.amount_minor
    if line.currency != record.currency or beyond < 0:
        raise AmountsDiffer
    return _sent(line, record, again, beyond=beyond, approval=approval, by=by, at=at)


def _sent(
    line: StatementLine,
    record: Payout | Refund,
    again: bool,
    *,
    beyond: int = 0,
    approval: str,
    by: str,
    at: datetime,
    part: str = "",
) -> JournalEntry:
    """Something sent has left: by its own event, or by the approval where that event is used up."""
    if record.state != "sent":
        raise UnknownReference(record.reference)
    if not again and not beyond:
        return _debited(line, record, at)
    currency = record.currency
    owed = (
        accounts.payout_in_flight(record.cooperative.code, currency)
        if isinstance(record, Payout)
        else accounts.refund_payable(currency)
    )
    bank = accounts.bank(currency)
    with refused_when_stale():
        if isinstance(record, Payout):
            record.arrive(at=at)
        if isinstance(record, Refund):
            record.succeed(at=at)
        record.save()
    return _agreed(
        line,
        [
            Move(debit=owed, credit=bank, amount=record.amount, ext_ref=line.reference),
            Move(
                debit=accounts.bank_fee(currency),
                credit=bank,
                amount=from_minor(beyond, currency),
                ext_ref=line.reference,
            ),
        ],
        memo=f"{record.reference} debited, line {line.reference}",
        approval=approval,
        by=by,
        part=part,
    )


def _deposit_by_hand(
    line: StatementLine, deposit: Deposit, again: bool, approval: str, by: str, at: datetime
) -> JournalEntry:
    if line.amount_minor <= 0 or deposit.status in ("failed", "canceled"):
        raise AmountsDiffer
    same = line.currency == deposit.currency
    missing = deposit.amount_minor - line.amount_minor if same else 0
    if missing < 0:
        raise AmountsDiffer
    transit = accounts.deposit_transit(deposit.currency)
    if missing:
        _rest(
            Kind.MISSING_AT_PROVIDER,
            deposit.stripe_id,
            from_minor(missing, deposit.currency),
            account=transit.code,
            at=at,
        )
    if not again:
        return entries.record_deposit_arrived(
            deposit=deposit.stripe_id,
            line=line.reference,
            effective_on=line.booked_on,
            amount=deposit.amount,
            received=line.amount,
        )
    bank = accounts.bank(line.currency)
    if same:
        moves = [Move(debit=bank, credit=transit, amount=line.amount, ext_ref=line.reference)]
    else:
        given, taken = accounts.fx_position(deposit.currency), accounts.fx_position(line.currency)
        moves = [
            Move(debit=given, credit=transit, amount=deposit.amount, ext_ref=line.reference),
            Move(debit=bank, credit=taken, amount=line.amount, ext_ref=line.reference),
        ]
    memo = f"Deposit {deposit.stripe_id} arrived, line {line.reference}"
    return _agreed(line, moves, memo=memo, approval=approval, by=by)


def _remittance_by_hand(
    line: StatementLine,
    remittance: Remittance,
    reference: str,
    again: bool,
    approval: str,
    by: str,
    at: datetime,
) -> JournalEntry:
    """The carrier paid what the line says; what the books then still expect of it is an exception."""
    received, fee, vat = line.amount_minor, remittance.fee_minor, remittance.vat_minor
    settled = settled_by(remittance)
    excess = max(received + fee + vat - settled, 0)
    if received <= 0 or line.currency != remittance.currency or excess > received:
        raise AmountsDiffer
    currency, carrier = remittance.currency, remittance.carrier.code
    receivable, bank = accounts.cod_receivable(carrier, currency), accounts.bank(currency)
    missing = settled - (received + fee + vat)
    if missing > 0:
        _rest(Kind.COD_SHORT, reference, from_minor(missing, currency), account=receivable.code, at=at)
    if not again:
        return _remitted(line, remittance, reference, at)
    remittance.arrived_at = at
    remittance.save(update_fields=["arrived_at"])
    return _agreed(
        line,
        [
            Move(bank, receivable, from_minor(received - excess, currency), line.reference),
            Move(bank, accounts.suspense(carrier, currency), from_minor(excess, currency), line.reference),
            Move(accounts.carrier_fee(currency), receivable, remittance.fee),
            Move(accounts.vat_input(currency), receivable, remittance.vat),
        ],
        memo=f"Remittance {reference}, line {line.reference}",
        approval=approval,
        by=by,
    )


def _rest(kind: str, reference: str, missing: Money, *, account: str, at: datetime) -> None:
    """What a match by hand left open in the books."""
    notice(
        kind=kind,
        subject=reference,
        amount=missing,
        suggestion=Action.ADJUST,
        account=account,
        detail={"explains": to_minor(missing), "reason": "rest"},
        at=at,
    )


def _agreed(
    line: StatementLine, moves: Sequence[Move], *, memo: str, approval: str, by: str, part: str = ""
) -> JournalEntry:
    return entries.record_adjustment(
        approval=approval, effective_on=line.booked_on, memo=memo, moves=moves, actor=by, part=part
    )


# Undoing


@transaction.atomic
def undo(*, match: Match, approval: str, by: str, at: datetime) -> Match:
    """Take a match back: its entry is reversed, its line is new again, its subject waits again.

    Of a line that was a whole batch, every match is taken back.
    Only for what two persons agreed (``approval`` is their resolution). The row stays. Neither line nor
    subject is matched by itself again. Raises CannotBeUndone for a returned payout, whose items may be in
    another payout by now.
    """
    if not approval:
        raise ValueError("undoing moves money in the books: it needs two persons")
    match = Match.objects.select_for_update(of=("self",)).select_related("line", "entry").get(pk=match.pk)
    if match.state == Match.State.UNDONE:
        return match
    if match.subject == Subject.RETURN:
        raise CannotBeUndone
    line = _fresh(match.line)
    together = [match, *_others_of_the_batch(match)]
    for each in together:
        event = (
            f"match-undone:{approval}"
            if each is match
            else f"match-undone:{approval}:{each.subject_reference}"
        )
        reversal = journal.reverse(
            entry=each.entry,
            event=event,
            effective_on=day_of(at),
            memo=f"Match of {line.reference} with {each.subject_reference} undone",
            actor=by,
            approval=approval,
        )
        with refused_when_stale():
            each.undo(by=by, at=at, reversal=reversal)
            each.save()
            _subject_waits_again(each)
    with refused_when_stale():
        line.reopen()
        line.save()
    logger.info("match undone", extra={"line": line.reference, "subject": match.subject})
    return match


def _others_of_the_batch(match: Match) -> list[Match]:
    if not match.batch:
        return []
    same = Match.objects.filter(line=match.line, batch=match.batch, state=Match.State.CONFIRMED)
    locked = same.exclude(pk=match.pk).select_for_update(of=("self",)).select_related("line", "entry")
    return list(locked.order_by("pk"))


def _subject_waits_again(match: Match) -> None:
    reference = match.subject_reference
    if match.subject == Subject.PAYOUT:
        payout = payouts.locked(reference=reference).get()
        payout.take_back_arrival()
        payout.save()
    elif match.subject == Subject.REFUND:
        refund = refunding.sent_as(reference=reference).select_for_update().get()
        if reference != refund.bank_reference:
            raise CannotBeUndone  # it came back, and went out again since
        refund.take_back_arrival()
        refund.save()
    elif match.subject == Subject.REMITTANCE:
        carrier, _, number = reference.partition("/")
        Remittance.objects.filter(carrier__code=carrier, reference=number).update(arrived_at=None)
    rests = Discrepancy.objects.filter(subject_reference=reference, detail__reason="rest")
    cure(rests.unsettled(), at=match.undone_at or match.made_at)
