"""How asking Stripe can fail, in the shop's two kinds."""

from __future__ import annotations

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from shop.core.errors import Refused, Unavailable


class StripeUnavailable(Unavailable):
    """Stripe did not answer, or not in a way that says what became of the request."""


class AnswerUnknown(StripeUnavailable):
    """Stripe answered with an error of its own, and keeps that answer under the key.

    Whether it did what was asked is not known: look the object up; only then use another key.
    """


class StripeRefused(Refused):
    """Stripe said no, and asking again in the same way will not change that."""

    def __init__(self, reason: str, code: str = "") -> None:
        self.reason = reason
        self.code = code
        super().__init__(format_lazy(_("Stripe refused: {reason}"), reason=reason))


class RowBooked(Refused):
    message = _("This row of Stripe's balance could be booked in the meantime. There is nothing left to do.")


class RowMoves(Refused):
    message = _("This row of Stripe's balance moves money: it has to be booked.")


class NotAtStripe(StripeRefused):
    """Stripe knows nothing under this id."""


class CapabilityMissing(StripeRefused):
    """The connected account may not receive transfers (any more)."""


class BalanceTooLow(StripeRefused):
    """The Stripe balance does not cover it: top up, or wait."""
