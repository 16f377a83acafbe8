"""Whether a statement line is surely the other side of something of ours. When in doubt: no, and why.

A line is matched by itself only when it names one thing of ours and nothing else, in the direction that
thing moves, of exactly its amount, to or from its account, and nobody undid the match before. The tolerance
is nothing. All else becomes an exception with one suggestion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from moneyed import Money

from shop.core import rib as ribs
from shop.core.errors import Refused
from shop.core.money import from_minor, to_minor
from shop.payments import refunding
from shop.payments.models import BalanceTransaction, Deposit, Payout, PayoutBatch, Refund
from shop.reconciliation.actions import Action
from shop.reconciliation.models import Discrepancy, Match, Remittance, StatementLine
from shop.reconciliation.readers.cells import plain
from shop.reconciliation.remitted import settled_by
from shop.reconciliation.spotting import Known

Kind = Discrepancy.Kind
Subject = Match.Subject

#: How far the bank's rate may lie from Stripe's last one before a person looks.
FX_BAND = Decimal("0.05")

_FEE_WORDS = re.compile(
    r"\b(FRAIS|COMMISSIONS?|AGIOS|COTISATION|ABONNEMENT|TENUE DE COMPTE|FEES?|CHARGES?|COMMIS)\b|عمولة|رسوم|مصاريف"
)
_RETURN_WORDS = re.compile(r"\b(RETOUR|RETOURNE|REJET|RETURN(ED)?|REVERSAL)\b|إرجاع|مرتجع|ارجاع")


Record = Payout | PayoutBatch | Refund | Deposit | Remittance


@dataclass(frozen=True)
class Found:
    """The line is this, surely."""

    subject: str
    reference: str
    record: Record
    rule: str


@dataclass(frozen=True)
class Doubt:
    """Somebody has to look: what kind of exception, what would usually settle it."""

    kind: str
    suggestion: Action
    subject: str = ""
    reference: str = ""
    differs_by: Money | None = None
    detail: dict[str, Any] = field(default_factory=dict)


def record_of(known: Known, *, lock: bool = False) -> Record | None:
    """The record behind a reference, locked so that two lines about it take turns."""
    found: Record | None = None
    if known.subject in (Subject.PAYOUT, Subject.RETURN):
        payouts = Payout.objects.select_for_update(of=("self",)) if lock else Payout.objects
        found = payouts.select_related("cooperative", "account").filter(reference=known.reference).first()
    elif known.subject == Subject.BATCH:
        batches = PayoutBatch.objects.select_for_update() if lock else PayoutBatch.objects
        found = batches.filter(reference=known.reference).first()
    elif known.subject == Subject.REFUND:
        refunds = refunding.sent_as(reference=known.reference).select_related("payment__order")
        found = (refunds.select_for_update(of=("self",)) if lock else refunds).first()
    elif known.subject == Subject.DEPOSIT:
        deposits = Deposit.objects.select_for_update() if lock else Deposit.objects
        found = deposits.filter(stripe_id=known.reference).first()
    elif known.subject == Subject.REMITTANCE:
        carrier, _, reference = known.reference.partition("/")
        remittances = Remittance.objects.select_for_update(of=("self",)) if lock else Remittance.objects
        named = remittances.filter(carrier__code=carrier, reference=reference)
        found = named.select_related("carrier").first()
    return found


def judge(line: StatementLine, spotted: dict[Known, str]) -> Found | Doubt:
    """What a new line is. Locks what it names."""
    if not spotted:
        return _unknown(line)
    if len(spotted) > 1:
        names = sorted(each.reference for each in spotted)
        return Doubt(
            _unmatched(line), Action.MATCH_BY_HAND, detail={"reason": "several", "candidates": names}
        )
    ((known, seen),) = spotted.items()
    record = record_of(known, lock=True)
    if isinstance(record, Payout):
        verdict = _payout(line, record, seen)
    elif isinstance(record, PayoutBatch):
        verdict = _batch(line, record, seen)
    elif isinstance(record, Refund):
        verdict = _refund(line, record, known.reference, seen)
    elif isinstance(record, Deposit):
        verdict = _deposit(line, record, seen)
    elif isinstance(record, Remittance):
        verdict = _remittance(line, record, known.reference, seen)
    else:
        return _unknown(line)
    if isinstance(verdict, Found) and _was_undone(line, verdict):
        return _doubt(_unmatched(line), Action.MATCH_BY_HAND, verdict.subject, verdict.reference, "undone")
    return verdict


def _unknown(line: StatementLine) -> Doubt:
    """Nothing of ours is named."""
    is_fee = line.amount_minor < 0 and not line.counterparty_rib
    if is_fee and _FEE_WORDS.search(plain(line.text).upper()):
        return Doubt(Kind.BANK_FEE, Action.BOOK_BANK_FEE)
    return Doubt(_unmatched(line), Action.MATCH_BY_HAND)


def _payout(line: StatementLine, payout: Payout, seen: str) -> Found | Doubt:
    reference = payout.reference
    if line.currency != payout.currency:
        return _doubt(Kind.CURRENCY_DIFFERS, Action.MATCH_BY_HAND, Subject.PAYOUT, reference, "currency")
    if line.amount_minor > 0:
        return _returned(line, payout, seen)
    if abs(line.amount_minor) != payout.amount_minor:
        return _amount_differs(line, -payout.amount_minor, Subject.PAYOUT, reference)
    if is_matched(Subject.PAYOUT, reference):
        return _doubt(Kind.DUPLICATE, Action.SET_ASIDE_DUPLICATE, Subject.PAYOUT, reference, "matched_before")
    if payout.state != Payout.State.SENT:
        return _doubt(Kind.UNMATCHED_DEBIT, Action.MATCH_BY_HAND, Subject.PAYOUT, reference, payout.state)
    if _other_account(line, payout.account.rib):
        return _doubt(Kind.UNMATCHED_DEBIT, Action.MATCH_BY_HAND, Subject.PAYOUT, reference, "account")
    return Found(Subject.PAYOUT, reference, payout, f"{seen}, and the amount")


def contents_of(batch: PayoutBatch) -> list[Payout | Refund]:
    """What of a batch the bank carries out: its payouts and refunds without those it rejected. Locks them."""
    payouts = Payout.objects.select_for_update(of=("self",)).filter(batch=batch)
    refunds = Refund.objects.select_for_update(of=("self",)).filter(batch=batch)
    return [
        *payouts.exclude(state=Payout.State.REJECTED, paid_at=None)
        .select_related("cooperative")
        .order_by("pk"),
        *refunds.order_by("pk"),
    ]


def named_in_bank(record: Payout | Refund) -> tuple[str, str]:
    """As what, and under which reference, a match knows a transfer."""
    if isinstance(record, Refund):
        return Subject.REFUND, record.bank_reference
    return Subject.PAYOUT, record.reference


def _batch(line: StatementLine, batch: PayoutBatch, seen: str) -> Found | Doubt:
    """One line for a whole batch: all of it must be on its way, and the line exactly its sum."""
    reference = batch.reference
    if line.currency != batch.currency:
        return _doubt(Kind.CURRENCY_DIFFERS, Action.MATCH_BY_HAND, Subject.BATCH, reference, "currency")
    if line.amount_minor > 0:
        return _doubt(Kind.UNMATCHED_CREDIT, Action.ADJUST, Subject.BATCH, reference, "direction")
    contents = contents_of(batch)
    expected = sum(each.amount_minor for each in contents)
    if abs(line.amount_minor) != expected:
        return _amount_differs(line, -expected, Subject.BATCH, reference)
    if all(is_matched(*named_in_bank(each)) for each in contents):
        return _doubt(Kind.DUPLICATE, Action.SET_ASIDE_DUPLICATE, Subject.BATCH, reference, "matched_before")
    if any(each.state != "sent" or is_matched(*named_in_bank(each)) for each in contents):
        return _doubt(Kind.UNMATCHED_DEBIT, Action.MATCH_BY_HAND, Subject.BATCH, reference, "batch_in_parts")
    if any(was_undone(*named_in_bank(each)) for each in contents):
        return _doubt(Kind.UNMATCHED_DEBIT, Action.MATCH_BY_HAND, Subject.BATCH, reference, "undone")
    return Found(Subject.BATCH, reference, batch, f"{seen}, and the total of the batch")


def _returned(line: StatementLine, payout: Payout, seen: str) -> Found | Doubt:
    """Money in that names a payout: sent back, unless the bank is rather mending a mistake of its own."""
    reference = payout.reference
    if line.amount_minor != payout.amount_minor:
        return _amount_differs(line, payout.amount_minor, Subject.RETURN, reference)
    booked_twice = Discrepancy.objects.filter(kind=Kind.DUPLICATE, subject_reference=reference)
    if booked_twice.exists():
        return _doubt(Kind.UNMATCHED_CREDIT, Action.SET_ASIDE_DUPLICATE, Subject.RETURN, reference, "twin")
    if is_matched(Subject.RETURN, reference):
        return _doubt(Kind.DUPLICATE, Action.SET_ASIDE_DUPLICATE, Subject.RETURN, reference, "matched_before")
    says_so = line.is_reversal or _RETURN_WORDS.search(plain(line.text).upper())
    if payout.state != Payout.State.PAID or not is_matched(Subject.PAYOUT, reference):
        return _doubt(Kind.UNMATCHED_CREDIT, Action.MATCH_BY_HAND, Subject.RETURN, reference, "not_debited")
    if not says_so or _other_account(line, payout.account.rib):
        return _doubt(Kind.UNMATCHED_CREDIT, Action.ACCEPT_RETURN, Subject.RETURN, reference, "not_said")
    return Found(Subject.RETURN, reference, payout, f"{seen}, the amount, and said to be a return")


def _refund(line: StatementLine, refund: Refund, reference: str, seen: str) -> Found | Doubt:
    """``reference`` is that of one of its tries."""
    if line.currency != refund.currency:
        return _doubt(Kind.CURRENCY_DIFFERS, Action.MATCH_BY_HAND, Subject.REFUND, reference, "currency")
    if line.amount_minor > 0:
        whole = line.amount_minor == refund.amount_minor and reference == refund.bank_reference
        came_back = whole and is_matched(Subject.REFUND, reference)
        suggestion = Action.ACCEPT_RETURN if came_back else Action.ADJUST
        return _doubt(Kind.UNMATCHED_CREDIT, suggestion, Subject.REFUND, reference, "refund_came_back")
    if abs(line.amount_minor) != refund.amount_minor:
        return _amount_differs(line, -refund.amount_minor, Subject.REFUND, reference)
    if is_matched(Subject.REFUND, reference):
        return _doubt(Kind.DUPLICATE, Action.SET_ASIDE_DUPLICATE, Subject.REFUND, reference, "matched_before")
    if reference != refund.bank_reference:
        return _doubt(Kind.UNMATCHED_DEBIT, Action.MATCH_BY_HAND, Subject.REFUND, reference, "earlier_try")
    if refund.state != Refund.State.SENT:
        return _doubt(Kind.UNMATCHED_DEBIT, Action.MATCH_BY_HAND, Subject.REFUND, reference, refund.state)
    if _other_account(line, refund.bank_rib):
        return _doubt(Kind.UNMATCHED_DEBIT, Action.MATCH_BY_HAND, Subject.REFUND, reference, "account")
    return Found(Subject.REFUND, reference, refund, f"{seen}, and the amount")


def _deposit(line: StatementLine, deposit: Deposit, seen: str) -> Found | Doubt:
    reference = deposit.stripe_id
    if line.amount_minor < 0:
        return _doubt(Kind.UNMATCHED_DEBIT, Action.MATCH_BY_HAND, Subject.DEPOSIT, reference, "direction")
    matched = matches_of(Subject.DEPOSIT, reference).first()
    if matched is not None:
        same = matched.line.amount_minor == line.amount_minor
        if same:
            return _doubt(
                Kind.DUPLICATE, Action.SET_ASIDE_DUPLICATE, Subject.DEPOSIT, reference, "matched_before"
            )
        return _amount_differs(line, matched.line.amount_minor, Subject.DEPOSIT, reference)
    if deposit.status in ("failed", "canceled"):
        return _doubt(Kind.UNMATCHED_CREDIT, Action.MATCH_BY_HAND, Subject.DEPOSIT, reference, deposit.status)
    if line.currency == deposit.currency:
        if line.amount_minor != deposit.amount_minor:
            return _amount_differs(line, deposit.amount_minor, Subject.DEPOSIT, reference)
        return Found(Subject.DEPOSIT, reference, deposit, f"{seen}, and the amount")
    return _exchanged(line, deposit, seen)


def _exchanged(line: StatementLine, deposit: Deposit, seen: str) -> Found | Doubt:
    """A deposit the bank changed: by the foreign amount the text states, and a rate that can be."""
    stated = amounts_in(line.text, deposit.currency)
    if stated and deposit.amount_minor not in stated:
        return Doubt(
            Kind.AMOUNT_DIFFERS,
            Action.MATCH_BY_HAND,
            Subject.DEPOSIT,
            deposit.stripe_id,
            from_minor(max(stated) - deposit.amount_minor, deposit.currency),
            {"reason": "stated_amount"},
        )
    near = _rate_is_near(line, deposit)
    if near is False or (near is None and not stated):
        return _doubt(Kind.CURRENCY_DIFFERS, Action.MATCH_BY_HAND, Subject.DEPOSIT, deposit.stripe_id, "rate")
    rule = f"{seen}, and the amount before exchange" if stated else f"{seen}, and a rate within the band"
    return Found(Subject.DEPOSIT, deposit.stripe_id, deposit, rule)


def _rate_is_near(line: StatementLine, deposit: Deposit) -> bool | None:
    """Whether the bank's rate lies near Stripe's last one; None if Stripe never told one."""
    last = (
        BalanceTransaction.objects.filter(currency=deposit.currency, exchange_rate__gt=0)
        .exclude(exchange_rate=1)
        .order_by("-created_at", "-pk")
        .values_list("exchange_rate", flat=True)
        .first()
    )
    if last is None:
        return None
    expected = deposit.amount.amount / last
    return bool(abs(line.amount.amount - expected) <= expected * FX_BAND)


_NUMBER = r"\d{1,3}(?:[ .,']\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"


def amounts_in(text: str, currency: str) -> set[int]:
    """The amounts a text states in a currency, in minor units, however thousands and decimals are marked."""
    found = set()
    words = {"EUR": r"(?:EUR|€)"}.get(currency, re.escape(currency))
    said = plain(text).upper()
    # Two passes, since one word may stand between two numbers; digits inside a reference are no amount.
    numbers = re.findall(rf"{words}\s*({_NUMBER})", said) + re.findall(
        rf"(?<![\w.,])({_NUMBER})\s*{words}", said
    )
    for number in numbers:
        decimals = re.search(r"[.,](\d{1,2})$", number)
        whole = re.sub(r"\D", "", number[: decimals.start()] if decimals else number)
        value = Decimal(f"{whole}.{decimals[1] if decimals else '0'}")
        found.add(int((value * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP)))
    return found


def _remittance(line: StatementLine, remittance: Remittance, reference: str, seen: str) -> Found | Doubt:
    if line.currency != remittance.currency:
        return _doubt(Kind.CURRENCY_DIFFERS, Action.MATCH_BY_HAND, Subject.REMITTANCE, reference, "currency")
    if line.amount_minor < 0:
        return _doubt(Kind.UNMATCHED_DEBIT, Action.MATCH_BY_HAND, Subject.REMITTANCE, reference, "direction")
    if line.amount_minor != remittance.net_minor:
        return _amount_differs(line, remittance.net_minor, Subject.REMITTANCE, reference)
    if is_matched(Subject.REMITTANCE, reference):
        return _doubt(
            Kind.DUPLICATE, Action.SET_ASIDE_DUPLICATE, Subject.REMITTANCE, reference, "matched_before"
        )
    if remittance.fee_minor + remittance.vat_minor > settled_by(remittance):
        # Its fee is more than what it settles: the books have no entry for that.
        return _doubt(Kind.UNMATCHED_CREDIT, Action.ADJUST, Subject.REMITTANCE, reference, "fee_exceeds")
    return Found(Subject.REMITTANCE, reference, remittance, f"{seen}, and the amount")


# What they share


def matches_of(subject: str, reference: str) -> Any:
    """The confirmed matches of something of ours."""
    return _all_matches_of(subject, reference).filter(state=Match.State.CONFIRMED).select_related("line")


def is_matched(subject: str, reference: str) -> bool:
    """Whether a line is already the other side of it."""
    return bool(matches_of(subject, reference).exists())


def was_undone(subject: str, reference: str) -> bool:
    """Whether a match of it was undone: its event stands in the books, so the next one is by hand."""
    return bool(_all_matches_of(subject, reference).filter(state=Match.State.UNDONE).exists())


def _all_matches_of(subject: str, reference: str) -> Any:
    """Of a batch: those of lines that were the whole of it."""
    if subject == Subject.BATCH:
        return Match.objects.filter(batch=reference)
    return Match.objects.filter(subject=subject, subject_reference=reference)


def _was_undone(line: StatementLine, found: Found) -> bool:
    return line.matches.filter(state=Match.State.UNDONE).exists() or was_undone(
        found.subject, found.reference
    )


def _other_account(line: StatementLine, rib: str) -> bool:
    """Whether the line names another account than the one it should."""
    if not line.counterparty_rib or not rib:
        return False
    try:
        named = line.counterparty_rib
        named = ribs.from_iban(named) if named.upper().startswith("MA") else ribs.compact(named)
    except Refused:
        return True
    return named != rib


def _unmatched(line: StatementLine) -> str:
    return Kind.UNMATCHED_CREDIT if line.amount_minor > 0 else Kind.UNMATCHED_DEBIT


def _amount_differs(line: StatementLine, expected_minor: int, subject: str, reference: str) -> Doubt:
    differs = from_minor(line.amount_minor - expected_minor, line.currency)
    return Doubt(
        Kind.AMOUNT_DIFFERS,
        Action.MATCH_BY_HAND,
        subject,
        reference,
        differs,
        {"expected_minor": expected_minor, "line_minor": to_minor(line.amount)},
    )


def _doubt(kind: str, suggestion: Action, subject: str, reference: str, reason: str) -> Doubt:
    return Doubt(kind, suggestion, subject, reference, detail={"reason": reason})
