"""Cash sales of a cooperative that is paid by Stripe: due, but Stripe carries only what was paid by card.

Payout runs leave them out (``payouts.Why.CASH``); here the cooperative is told, so that it gives a bank account.
"""

from __future__ import annotations

from datetime import datetime

from moneyed import MAD, Money

from cooperatives import payout_accounts
from cooperatives.models import Cooperative, Member, PayoutAccount
from shop.core import mailing
from shop.core.crashpoints import crashpoint
from shop.core.money import total, zero
from shop.fulfilment import letters
from shop.payments import payouts


def waiting(*, cooperative: Cooperative, at: datetime) -> Money:
    """What is due from cash sales and cannot be sent as long as the account is at Stripe."""
    account = payout_accounts.current(cooperative=cooperative, at=at)
    if account is None or account.rail != PayoutAccount.Rail.STRIPE:
        return zero(MAD)
    left = payouts.left_out(at=at, of=cooperative)
    return total([each.amount for each in left if each.why == payouts.Why.CASH])


def tell(*, at: datetime) -> int:
    """Tell those who see its money, once for each account at Stripe; returns how many cooperatives wait."""
    found = [each for each in payouts.left_out(at=at) if each.why == payouts.Why.CASH]
    for each in found:
        _tell(each, at)
        crashpoint("waiting_cash.told_one")
    return len(found)


def _tell(left: payouts.LeftOut, at: datetime) -> None:
    cooperative = left.cooperative
    account = payout_accounts.current(cooperative=cooperative, at=at)
    version = account.version if account is not None else 0
    members = Member.objects.current().filter(
        cooperative=cooperative, role__in=[Member.Role.OWNER, Member.Role.FINANCE]
    )
    for member in members.select_related("user").order_by("pk"):
        mailing.promise(
            topic="payout.cash_waits",
            to=member.user.email,
            language=member.user.language,
            key=f"payout.cash_waits:{cooperative.code}:{version}:{member.user.email}"[:160],
            at=at,
            about=cooperative.code,
            context=lambda: {"cooperative": cooperative.name, "amount": letters.amount(left.amount)},
        )
