"""What a statement line could be: named in its text, or of the same amount and still waited for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from moneyed import Money

from shop.payments.models import Deposit, Payout, PayoutBatch, Refund
from shop.reconciliation import judging, spotting
from shop.reconciliation.models import Match, Remittance, StatementLine

Subject = Match.Subject
#: More of the same amount than this say nothing.
MOST = 8


@dataclass(frozen=True)
class Candidate:
    """Something of ours a line may be the other side of, and why we think so."""

    subject: str
    subject_text: str
    reference: str
    amount: Money
    on: date | None
    why: str
    is_matched: bool


def candidates(line: StatementLine) -> list[Candidate]:
    """The likeliest first. Only shown: which one it is, two persons say."""
    named = spotting.spot(line, spotting.register())
    found = [_named(known, rule) for known, rule in named.items()]
    seen = {(each.subject, each.reference) for each in found if each}
    alike = [each for each in _alike(line) if (each.subject, each.reference) not in seen]
    return [each for each in found if each] + alike[:MOST]


def _named(known: spotting.Known, rule: str) -> Candidate | None:
    record = judging.record_of(known)
    if record is None:
        return None
    return _candidate(known.subject, known.reference, record, _("named in the line"))


def _alike(line: StatementLine) -> Iterator[Candidate]:
    why = _("same amount, still waited for")
    minor = abs(line.amount_minor)
    if line.amount_minor < 0:
        for payout in Payout.objects.filter(
            rail="bank", state=Payout.State.SENT, currency=line.currency, amount_minor=minor
        ):
            yield _candidate(Subject.PAYOUT, payout.reference, payout, why)
        for refund in Refund.objects.filter(
            way=Refund.Way.BANK, state=Refund.State.SENT, currency=line.currency, amount_minor=minor
        ):
            yield _candidate(Subject.REFUND, refund.bank_reference, refund, why)
        sent = PayoutBatch.objects.filter(currency=line.currency, total_minor=minor, count__gt=1)
        for batch in sent.exclude(handed_over_at=None).order_by("-pk")[:MOST]:
            yield _candidate(Subject.BATCH, batch.reference, batch, why)
        return
    for remittance in Remittance.objects.filter(
        arrived_at=None, currency=line.currency, net_minor=minor
    ).select_related("carrier"):
        reference = f"{remittance.carrier.code}/{remittance.reference}"
        yield _candidate(Subject.REMITTANCE, reference, remittance, why)
    arrived = Match.objects.filter(subject=Subject.DEPOSIT, state=Match.State.CONFIRMED)
    waiting = Deposit.objects.exclude(stripe_id__in=arrived.values("subject_reference")).exclude(
        status__in=["failed", "canceled"]
    )
    for deposit in waiting:
        same = deposit.currency == line.currency
        if not same or deposit.amount_minor == minor:
            said = why if same else _("a deposit in another currency, still waited for")
            yield _candidate(Subject.DEPOSIT, deposit.stripe_id, deposit, said)
    for payout in Payout.objects.filter(
        rail="bank", state=Payout.State.PAID, currency=line.currency, amount_minor=minor
    )[:MOST]:
        yield _candidate(
            Subject.RETURN, payout.reference, payout, _("same amount, paid: it may have come back")
        )


def _candidate(
    subject: str, reference: str, record: Payout | Refund | Deposit | Remittance, why: str
) -> Candidate:
    if isinstance(record, Remittance):
        amount, on = record.net, record.remitted_on
    elif isinstance(record, Deposit):
        amount, on = record.amount, record.created_at.date()
    elif isinstance(record, Refund):
        amount, on = record.amount, record.requested_at.date()
    elif isinstance(record, PayoutBatch):
        amount, on = record.total, record.execute_on
    else:
        amount, on = record.amount, record.planned_at.date()
    return Candidate(
        subject=str(subject),
        subject_text=str(Subject(subject).label),
        reference=reference,
        amount=amount,
        on=on,
        why=why,
        is_matched=judging.is_matched(subject, reference),
    )
