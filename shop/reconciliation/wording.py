"""Why a line was matched and why another was not, in words for the person who looks at it.

What is stored is the code; the sentence is made when it is shown, in the reader's language.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from shop.payments.bank.reasons import reason_text as bank_reason_text
from shop.payments.models import Payout, Refund
from shop.reconciliation.actions import QUARANTINED, Action
from shop.reconciliation.models import Discrepancy, Match

_RULES: dict[str, Promise] = {
    "EndToEndId, and the amount": _("our reference came back with it, and the amount agrees"),
    "reference in the text, and the amount": _("the text names it, and the amount agrees"),
    "EndToEndId, and the total of the batch": _(
        "the batch's reference came back with it, and the total agrees"
    ),
    "reference in the text, and the total of the batch": _("the text names the batch, and the total agrees"),
    "EndToEndId, and the amount before exchange": _("our reference, and the amount before exchange"),
    "reference in the text, and the amount before exchange": _(
        "the text names it, and the amount before exchange"
    ),
    "EndToEndId, and a rate within the band": _("our reference, and a likely exchange rate"),
    "reference in the text, and a rate within the band": _("the text names it, at a likely exchange rate"),
    "EndToEndId, the amount, and said to be a return": _(
        "our reference, the amount, and it is marked as a return"
    ),
    "reference in the text, the amount, and said to be a return": _(
        "the text names it, the amount agrees, and it is marked as a return"
    ),
    "by hand": _("two persons say so"),
}

_REASONS: dict[str, Promise] = {
    "several": _("It names several things of ours."),
    "currency": _("It is in another currency."),
    "earlier_try": _("It names an earlier attempt of this refund, which came back."),
    "matched_before": _("Another line is already matched with it."),
    "account": _("It names another account than the one we pay."),
    "twin": _("The bank had booked this payout twice; this may be its correction."),
    "batch_in_parts": _("Part of this batch has been seen in another line, or is not on its way."),
    "not_debited": _("We have not seen this payout leave."),
    "not_said": _("The bank does not say that this is a return."),
    "undone": _("A match of it was undone before."),
    "direction": _("The money moves the wrong way for it."),
    "rate": _("The exchange rate is not known, or far from the last one."),
    "stated_amount": _("The text states another amount before exchange."),
    "fee_exceeds": _("The carrier's fee is more than what it settles."),
    "refund_came_back": _("This refund came back."),
    "not_carried_out": _("The bank never debited it; two persons say that it was not carried out."),
    "rest": _("What a match by hand left open."),
    "too_much": _("The carrier hands over more than it had to collect."),
}
_NOT_ON_ITS_WAY = _("It is not on its way as far as we know.")
_STATES = {*Payout.State.values, *Refund.State.values, "canceled"} - {"paid", "succeeded"}


_Kind = Discrepancy.Kind
_ADVICE: dict[str, Promise] = {
    _Kind.MISSING_AT_PROVIDER: _("Ask the bank or Stripe where the rest is."),
    _Kind.AMOUNT_DIFFERS: _("Compare the line with what it names. What is missing or too much has a reason."),
    _Kind.CURRENCY_DIFFERS: _("Ask the bank at which rate it changed the money."),
    _Kind.DUPLICATE: _("Ask the bank whether it booked this twice, and claim it back."),
    _Kind.UNKNOWN_CATEGORY: _(
        "Open this row in Stripe's dashboard, find out what it is, then book it between two accounts."
    ),
    _Kind.DISPUTE: _(
        "Answer it in Stripe's dashboard before its deadline. Until it is decided, book the money as disputed."
    ),
    _Kind.UNMATCHED_CREDIT: _("Find out who sent it: match it, or book it between two accounts."),
    _Kind.UNMATCHED_DEBIT: _("Find out what it paid: match it, or book it between two accounts."),
    _Kind.BANK_FEE: _("Compare it with the bank's price list, then book it as a fee."),
    _Kind.DEPOSIT_LATE: _(
        "Look for it on the bank's site; if it is not there, ask Stripe with its trace id."
    ),
    _Kind.DEPOSIT_FAILED: _("Correct our bank account in Stripe's dashboard; Stripe sends the money again."),
    _Kind.COD_SHORT: _("Ask the carrier for the rest."),
    _Kind.COD_UNKNOWN: _("Ask the carrier whose parcel it is; until then the money waits as not ours."),
    _Kind.COD_OVERDUE: _("Ask the carrier for the cash of this parcel, or for the money of this remittance."),
    _Kind.PAYOUT_REJECTED: _(
        "Ask the cooperative for the right account. The money is due again once two persons agree."
    ),
    _Kind.PAYOUT_RETURNED: _("Ask the cooperative for another account: the money is due to it again."),
    _Kind.REFUND_NOT_DEBITED: _(
        "Ask the bank what became of it. If it was not carried out, say so with a second person; then it is sent again."
    ),
    _Kind.REFUND_FAILED: _("Ask the customer for a bank account, or send it again."),
    _Kind.PAYMENT_WITHOUT_ORDER: _("Nothing, unless its refund does not arrive: it goes back by itself."),
    _Kind.NEGATIVE_BALANCE: _("Top up the balance at Stripe, or wait for the next payments."),
    _Kind.STALE_IN_FLIGHT: _("Ask the bank what became of this transfer, and fetch its report on the batch."),
    _Kind.WEBHOOK_GAP: _(
        "Look whether Stripe still reaches us. Nothing is missing: the import found everything."
    ),
    _Kind.STATEMENT_GAP: _("Import the statement that is missing."),
    _Kind.STATEMENT_LATE: _("Download the newest statement at the bank and import it."),
    _Kind.DOUBTED_MATCH: _("Compare both sides, then agree or not."),
    _Kind.ADJUSTMENT: _("Read the reason and the evidence, then agree or not."),
}


#: What Stripe calls the rows of its balance, and the states of its deposits.
_CATEGORIES: dict[str, Promise] = {
    "charge": _("card payment"),
    "payment": _("payment"),
    "partial_capture_reversal": _("part of a card payment not taken"),
    "refund": _("refund"),
    "payment_refund": _("refund"),
    "refund_failure": _("refund that failed"),
    "dispute": _("disputed payment"),
    "dispute_reversal": _("dispute won back"),
    "transfer": _("transfer to a cooperative"),
    "transfer_reversal": _("transfer taken back"),
    "payout": _("deposit to our bank"),
    "payout_reversal": _("deposit that came back"),
    "payout_failure": _("deposit that failed"),
    "payout_cancel": _("deposit cancelled"),
    "fee": _("fee of Stripe"),
    "stripe_fee": _("fee of Stripe"),
    "network_cost": _("fee of the card networks"),
    "tax": _("tax on Stripe's fees"),
    "topup": _("balance topped up"),
    "topup_reversal": _("top-up taken back"),
}
_DEPOSIT_STATES: dict[str, Promise] = {
    "pending": _("being prepared"),
    "in_transit": _("on its way"),
    "paid": _("sent"),
    "failed": _("failed"),
    "canceled": _("cancelled"),
}


def category_text(code: str) -> str:
    """What a row of Stripe's balance is; a kind we do not know stands as Stripe calls it."""
    return str(_CATEGORIES.get(code, code))


def deposit_text(status: str) -> str:
    """Where a deposit is."""
    return str(_DEPOSIT_STATES.get(status, status))


def rule_text(match: Match) -> str:
    """Why a line was matched."""
    by_two = match.rule.removeprefix("two persons: ")
    if by_two in Action.values:
        return str(Action(by_two).label)
    return str(_RULES.get(match.rule, match.rule))


def reason_text(discrepancy: Discrepancy) -> str:
    """Why it does not match, beyond what its kind says; empty if there is nothing more to say.

    What the carrier or Stripe said stands as they said it; a bank's code is told in words.
    """
    reason = str(discrepancy.detail.get("reason") or "")
    if discrepancy.kind in QUARANTINED:
        return quarantine_text(reason)
    return str(_NOT_ON_ITS_WAY if reason in _STATES else _REASONS.get(reason) or bank_reason_text(reason))


def quarantine_text(why: str) -> str:
    """Why a row of Stripe's balance is not booked; what nobody foresaw stands as it was said."""
    return gettext(why) if why else ""


def advice(discrepancy: Discrepancy) -> str:
    """What to do first about an exception: whom to ask, where to look."""
    return str(_ADVICE[discrepancy.kind])
