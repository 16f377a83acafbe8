"""What can be done about an exception, in words an operator reads, and which of it moves money."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from shop.reconciliation.models import Discrepancy

Kind = Discrepancy.Kind


class Action(models.TextChoices):
    """One thing to do. What moves money in the books, or decides where money is, a second person approves."""

    BOOK_BANK_FEE = "book_bank_fee", _("Book it as a fee of the bank")
    PUT_BACK = "put_back_to_payable", _("The bank rejected it: due to the cooperative again, account on hold")
    ACCEPT_RETURN = "accept_return", _("The money came back: due again")
    SET_ASIDE_DUPLICATE = (
        "set_aside_duplicate",
        _("A mistake of the bank: book it as to be claimed from the bank"),
    )
    MATCH_BY_HAND = "match_by_hand", _("Match it with what it belongs to")
    REFUND_NOT_CARRIED_OUT = (
        "refund_not_carried_out",
        _("The bank did not carry it out: owed to the customer again"),
    )
    REFUND_AGAIN = "refund_again", _("Send the refund again")
    UNDO_MATCH = "undo_match", _("Undo the match")
    ADJUST = "adjust", _("Book it between two accounts")
    NOTE_ONLY = "note_only", _("Nothing to book: write down why")

    @property
    def moves_money(self) -> bool:
        """Whether a second person has to approve it. Why sending a refund again does not: docs/decisions/0007."""
        return self not in (Action.NOTE_ONLY, Action.REFUND_AGAIN)


_LINE = (Action.MATCH_BY_HAND, Action.ADJUST)
#: What somebody proposed of her own accord: when it is refused, nothing is left to settle.
OF_OWN_ACCORD = frozenset([Kind.DOUBTED_MATCH, Kind.ADJUSTMENT])
#: Rows of Stripe's balance that wait in quarantine until they are booked.
QUARANTINED = frozenset([Kind.DISPUTE, Kind.UNKNOWN_CATEGORY])
#: What ends by itself when its cause does. A note says why it is still so, and settles nothing.
LASTING = frozenset(
    [
        Kind.STALE_IN_FLIGHT,
        Kind.DEPOSIT_LATE,
        Kind.STATEMENT_LATE,
        Kind.COD_OVERDUE,
        Kind.REFUND_FAILED,
        Kind.REFUND_NOT_DEBITED,
        Kind.PAYMENT_WITHOUT_ORDER,
        Kind.NEGATIVE_BALANCE,
    ]
)
#: What may be done about each kind; the first is what usually fits. Money that moved at the bank or at Stripe
#: cannot be noted away.
ACTIONS: dict[str, tuple[Action, ...]] = {
    Kind.AMOUNT_DIFFERS: (*_LINE, Action.ACCEPT_RETURN, Action.SET_ASIDE_DUPLICATE, Action.NOTE_ONLY),
    Kind.CURRENCY_DIFFERS: (*_LINE, Action.SET_ASIDE_DUPLICATE),
    Kind.DUPLICATE: (Action.SET_ASIDE_DUPLICATE, Action.ADJUST),
    Kind.UNMATCHED_CREDIT: (*_LINE, Action.ACCEPT_RETURN, Action.SET_ASIDE_DUPLICATE),
    Kind.UNMATCHED_DEBIT: (*_LINE, Action.BOOK_BANK_FEE, Action.SET_ASIDE_DUPLICATE),
    Kind.BANK_FEE: (Action.BOOK_BANK_FEE, *_LINE),
    Kind.PAYOUT_REJECTED: (Action.PUT_BACK, Action.NOTE_ONLY),
    Kind.PAYOUT_RETURNED: (Action.NOTE_ONLY,),
    Kind.REFUND_FAILED: (Action.REFUND_AGAIN, Action.NOTE_ONLY),
    Kind.REFUND_NOT_DEBITED: (Action.NOTE_ONLY, Action.REFUND_NOT_CARRIED_OUT),
    Kind.NEGATIVE_BALANCE: (Action.NOTE_ONLY,),
    Kind.STATEMENT_LATE: (Action.NOTE_ONLY,),
    Kind.STALE_IN_FLIGHT: (Action.NOTE_ONLY, Action.PUT_BACK),
    Kind.DISPUTE: (Action.ADJUST,),
    Kind.UNKNOWN_CATEGORY: (Action.ADJUST,),
    Kind.DOUBTED_MATCH: (Action.UNDO_MATCH, Action.NOTE_ONLY),
    Kind.ADJUSTMENT: (Action.ADJUST,),
}
_ELSE = (Action.ADJUST, Action.NOTE_ONLY)


def actions_for(discrepancy: Discrepancy) -> tuple[Action, ...]:
    """What may be proposed about an exception, the likeliest first."""
    found = ACTIONS.get(discrepancy.kind, _ELSE)
    if discrepancy.kind in QUARANTINED and not discrepancy.amount_minor:
        return (Action.NOTE_ONLY,)
    if discrepancy.line_id is not None and discrepancy.kind != Kind.DOUBTED_MATCH:
        found = tuple(each for each in found if each != Action.NOTE_ONLY)
    suggested = [each for each in found if each == discrepancy.suggestion]
    return (*suggested, *(each for each in found if each not in suggested))
