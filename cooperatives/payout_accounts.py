"""Where a cooperative's money goes, and how that changes: slowly, told to every owner, never by an edit."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cooperatives.models import Cooperative, Member, PayoutAccount
from shop.core import mailing
from shop.core import rib as ribs
from shop.core.crashpoints import crashpoint
from shop.core.errors import Refused

logger = logging.getLogger(__name__)

Rail = PayoutAccount.Rail


class NoStripeAccount(Refused):
    message = _("Stripe has not opened an account for this cooperative yet.")


class HolderMissing(Refused):
    message = _("Say whose account it is, as the bank writes the name.")


class SameAccount(Refused):
    message = _("This is already the account the money goes to.")


class OwnProposal(Refused):
    message = _("Another person has to approve what you proposed.")


class AccountClosed(Refused):
    message = _("This account is no longer open; a newer one took its place.")


@transaction.atomic
def propose(
    *,
    cooperative: Cooperative,
    rail: str,
    holder: str,
    rib: str = "",
    stripe_account_id: str = "",
    by: Any,
    at: datetime,
) -> PayoutAccount:
    """A new account for the cooperative's money. The first can be used at once; a change waits, and every
    owner is told, so that a stolen login cannot turn the money away unseen.

    A change that still waits is given up for the new one. Raises a ``RibRefused`` for a wrong RIB,
    HolderMissing, NoStripeAccount or SameAccount.
    """
    holder = " ".join(holder.split())
    if not holder:
        raise HolderMissing
    digits = ribs.check(rib) if rail == Rail.BANK else ""
    if rail == Rail.STRIPE and not stripe_account_id:
        raise NoStripeAccount
    _lock(cooperative)
    now_used = current(cooperative=cooperative, at=at)
    if now_used is not None and (now_used.rail, now_used.rib, now_used.stripe_account_id) == (
        rail,
        digits,
        stripe_account_id,
    ):
        raise SameAccount
    accounts = cooperative.payout_accounts
    waiting = accounts.filter(closed_at=None, usable_from__gt=at)
    waiting.update(closed_at=at)
    is_first = not accounts.exclude(rail=Rail.HOLD).exists()
    waits = timedelta(hours=0 if is_first else settings.BANK_ACCOUNT_COOLING_HOURS)
    account = PayoutAccount.objects.create(
        cooperative=cooperative,
        version=_next_version(cooperative),
        rail=rail,
        holder=holder,
        rib=digits,
        stripe_account_id=stripe_account_id if rail == Rail.STRIPE else "",
        proposed_by=by,
        created_at=at,
        usable_from=at + waits,
    )
    _tell_owners(account, topic="payout_account.proposed", at=at)
    logger.info(
        "payout account proposed", extra={"cooperative": cooperative.code, "version": account.version}
    )
    return account


def current(*, cooperative: Cooperative, at: datetime) -> PayoutAccount | None:
    """The account the money goes to at that moment; None before the first. On hold, it is the hold."""
    return PayoutAccount.objects.usable(at=at).filter(cooperative=cooperative).first()


def waiting(*, cooperative: Cooperative, at: datetime) -> PayoutAccount | None:
    """A proposed change whose time has not come."""
    return cooperative.payout_accounts.filter(closed_at=None, usable_from__gt=at).first()


@transaction.atomic
def approve(*, account: PayoutAccount, by: Any, at: datetime) -> PayoutAccount:
    """An operator has checked the account's papers. It does not shorten the wait.

    Raises OwnProposal or AccountClosed.
    """
    if account.proposed_by_id is not None and account.proposed_by_id == by.pk:
        raise OwnProposal
    open_ones = PayoutAccount.objects.filter(pk=account.pk, closed_at=None)
    if not open_ones.update(approved_by=by):
        raise AccountClosed
    account.approved_by = by
    logger.info("payout account approved", extra={"cooperative": account.cooperative.code})
    return account


@transaction.atomic
def give_up(*, account: PayoutAccount, at: datetime) -> None:
    """An owner stops a change that still waits. Raises AccountClosed when it is too late for that."""
    stopped = PayoutAccount.objects.filter(pk=account.pk, closed_at=None, usable_from__gt=at)
    if not stopped.update(closed_at=at):
        raise AccountClosed
    _tell_owners(account, topic="payout_account.given_up", at=at)


def close_superseded(*, at: datetime) -> int:
    """Close every account a newer one has taken the place of; returns how many. The newest usable one stays."""
    closed = 0
    for cooperative in Cooperative.objects.filter(payout_accounts__closed_at=None).distinct():
        newest = current(cooperative=cooperative, at=at)
        if newest is not None:
            older = PayoutAccount.objects.usable(at=at).filter(cooperative=cooperative).exclude(pk=newest.pk)
            closed += older.update(closed_at=at)
            crashpoint("payout_accounts.closed_one")
    return closed


@transaction.atomic
def put_on_hold(*, cooperative: Cooperative, reason: str, at: datetime, by: Any = None) -> PayoutAccount:
    """From now on what is owed is not sent, for the reason given, until an account is proposed again.

    What waited is given up. A cooperative already on hold keeps its first reason.
    """
    _lock(cooperative)
    now_used = current(cooperative=cooperative, at=at)
    if now_used is not None and now_used.rail == Rail.HOLD:
        return now_used
    cooperative.payout_accounts.filter(closed_at=None).update(closed_at=at)
    account = PayoutAccount.objects.create(
        cooperative=cooperative,
        version=_next_version(cooperative),
        rail=Rail.HOLD,
        holder=now_used.holder if now_used else cooperative.name,
        reason=reason[:200],
        proposed_by=by,
        created_at=at,
        usable_from=at,
    )
    _tell_owners(account, topic="payout_account.on_hold", at=at)
    logger.info("payouts put on hold", extra={"cooperative": cooperative.code})
    return account


def _lock(cooperative: Cooperative) -> None:
    """Two proposals at once would take the same number."""
    Cooperative.objects.select_for_update().get(pk=cooperative.pk)


def _next_version(cooperative: Cooperative) -> int:
    highest = cooperative.payout_accounts.aggregate(highest=Max("version"))["highest"]
    return (highest or 0) + 1


def _tell_owners(account: PayoutAccount, *, topic: str, at: datetime) -> None:
    cooperative = account.cooperative
    owners = Member.objects.current().filter(cooperative=cooperative, role=Member.Role.OWNER)
    for owner in owners.select_related("user").order_by("pk"):
        mailing.promise(
            topic=topic,
            to=owner.user.email,
            language=owner.user.language,
            key=f"{topic}:{cooperative.code}:{account.version}:{owner.user.email}"[:160],
            at=at,
            about=cooperative.code,
            context=lambda: {
                "cooperative": cooperative.name,
                "rail": account.rail,
                "account": ribs.masked(account.rib) if account.rib else account.stripe_account_id,
                "holder": account.holder,
                "reason": gettext(account.reason) if account.reason else "",
                "usable_from": account.usable_from.isoformat(),
                "is_change": account.usable_from > at,
            },
        )
