"""A cooperative's account at Stripe: opened, proved by the cooperative itself, judged by Stripe's own word.

Having an account means nothing; only an active capability to receive transfers does. When it is lost, or
the bank behind the account changes, what is owed is held until a person has looked.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from cooperatives import payout_accounts
from cooperatives.models import Cooperative, PayoutAccount
from shop.payments.stripe import gateway
from shop.payments.stripe.errors import NotAtStripe, StripeRefused

logger = logging.getLogger(__name__)


def open_account(*, cooperative: Cooperative, by: Any, at: datetime) -> PayoutAccount:
    """Open an account at Stripe for a cooperative and propose it; the old one stays in use meanwhile.

    Raises StripeRefused when Stripe takes no account of this country, and then nothing changes.
    """
    account = gateway.create_account(
        cooperative=cooperative.code,
        email=cooperative.email,
        country=getattr(settings, "STRIPE_CONNECT_COUNTRY", "MA"),
        key=f"acct:{cooperative.code}:{cooperative.payout_accounts.count() + 1}",
    )
    return payout_accounts.propose(
        cooperative=cooperative,
        rail=PayoutAccount.Rail.STRIPE,
        holder=cooperative.name,
        stripe_account_id=account,
        by=by,
        at=at,
    )


def link(*, account: PayoutAccount, done_url: str, again_url: str) -> str:
    """Where the cooperative proves to Stripe who it is; valid for some minutes. Raises StripeRefused."""
    return gateway.onboarding_link(account=account.stripe_account_id, done_url=done_url, again_url=again_url)


def refresh(*, stripe_account_id: str, at: datetime) -> list[PayoutAccount]:
    """Take over what Stripe says of an account now. One that may no longer receive money is put on hold.

    Raises Unavailable.
    """
    try:
        active = gateway.account_status(account=stripe_account_id).transfers_active
    except NotAtStripe:
        active = False
    except StripeRefused:
        active = False  # the cooperative took our access away
    found = list(_open_accounts(stripe_account_id))
    for account in found:
        lost = account.transfers_active and not active
        PayoutAccount.objects.filter(pk=account.pk).update(transfers_active=active)
        account.transfers_active = active
        if lost:
            _hold(account, _("Stripe no longer lets this account receive money."), at)
    return found


def bank_changed(*, stripe_account_id: str, at: datetime) -> None:
    """The bank behind an account at Stripe was changed: a person looks before more is sent.

    Where money goes there now it is put on hold; where it does not, the account has to be approved anew first.
    The first one, given while the account is being opened, is not a change.
    """
    payout_accounts.note_bank_changed(stripe_account_id=stripe_account_id, at=at)
    for account in _open_accounts(stripe_account_id):
        if account.transfers_active:
            _hold(account, _("The bank behind this Stripe account was changed."), at)


def _open_accounts(stripe_account_id: str) -> Any:
    return PayoutAccount.objects.filter(
        stripe_account_id=stripe_account_id, rail=PayoutAccount.Rail.STRIPE, closed_at=None
    ).select_related("cooperative")


def _hold(account: PayoutAccount, reason: str, at: datetime) -> None:
    now = payout_accounts.current(cooperative=account.cooperative, at=at)
    if now is not None and now.pk == account.pk:
        payout_accounts.put_on_hold(cooperative=account.cooperative, reason=reason, at=at)
