"""Why a line was matched and why another was not, in words for the person who looks at it.

What is stored is the code; the sentence is made when it is shown, in the reader's language.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shop.payments.models import Payout, Refund
from shop.reconciliation.actions import Action
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
    "rest": _("What a match by hand left open."),
    "too_much": _("The carrier hands over more than it had to collect."),
}
_NOT_ON_ITS_WAY = _("It is not on its way as far as we know.")
_STATES = {*Payout.State.values, *Refund.State.values, "canceled"} - {"paid", "succeeded"}


def rule_text(match: Match) -> str:
    """Why a line was matched."""
    by_two = match.rule.removeprefix("two persons: ")
    if by_two in Action.values:
        return str(Action(by_two).label)
    return str(_RULES.get(match.rule, match.rule))


def reason_text(discrepancy: Discrepancy) -> str:
    """Why it does not match, beyond what its kind says; empty if there is nothing more to say.

    What the bank, the carrier or Stripe said stands as they said it.
    """
    reason = str(discrepancy.detail.get("reason") or "")
    return str(_NOT_ON_ITS_WAY if reason in _STATES else _REASONS.get(reason, reason))
