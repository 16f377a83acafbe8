"""Where a cooperative's money goes, and how that changes: slowly, checked by another person, told to every owner.

Never by an edit. A hold ends in one way only: two persons lift it (``lifting``); docs/decisions.
"""

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


class NotToCheck(Refused):
    message = _("Nobody has to check this account any more: it is in use, refused or given up.")


class ReasonMissing(Refused):
    message = _("Say why: the owners of the cooperative read it.")


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
    """A new account for the cooperative's money, used once somebody else has approved it. A change also waits
    two days, and every owner is told, so that a stolen login cannot turn the money away unseen.

    A change that still waits is given up for the new one. Raises a ``RibRefused`` for a wrong RIB,
    HolderMissing, NoStripeAccount or SameAccount, also for the account a hold holds back: only a lifting brings
    that one back.
    """
    holder = " ".join(holder.split())
    if not holder:
        raise HolderMissing
    digits = ribs.check(rib) if rail == Rail.BANK else ""
    if rail == Rail.STRIPE and not stripe_account_id:
        raise NoStripeAccount
    lock(cooperative)
    now_used = current(cooperative=cooperative, at=at)
    if now_used is not None and now_used.rail == Rail.HOLD:
        now_used = after(hold=now_used, at=at)
    if now_used is not None and (now_used.rail, now_used.rib, now_used.stripe_account_id) == (
        rail,
        digits,
        stripe_account_id,
    ):
        raise SameAccount
    accounts = cooperative.payout_accounts
    accounts.waiting(at=at).update(closed_at=at)
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
    """A proposed account that is not in use yet: its time has not come, or nobody has checked it."""
    return cooperative.payout_accounts.waiting(at=at).first()


def last_refused(*, cooperative: Cooperative) -> PayoutAccount | None:
    """The account that was refused, as long as no other has been proposed since."""
    newest = cooperative.payout_accounts.order_by("-version").first()
    return newest if newest is not None and newest.refused_by_id is not None else None


@transaction.atomic
def approve(*, account: PayoutAccount, by: Any, at: datetime) -> PayoutAccount:
    """An operator has checked the account's papers: it may be used, once its two days are over too.

    Approving again changes nothing. Raises OwnProposal or NotToCheck.
    """
    account = _to_check(account, by)
    if account.approved_by_id is not None:
        return account
    account.approved_by, account.approved_at = by, at
    # In use from its approval if that came last: what was put in its place meanwhile is then older.
    account.usable_from = max(account.usable_from, at)
    account.save(update_fields=["approved_by", "approved_at", "usable_from"])
    _tell_owners(account, topic="payout_account.approved", at=at)
    logger.info(
        "payout account approved", extra={"cooperative": account.cooperative.code, "version": account.version}
    )
    return account


@transaction.atomic
def refuse(*, account: PayoutAccount, why: str, by: Any, at: datetime) -> PayoutAccount:
    """An operator does not agree to an account: money never goes there. Its owners read why.

    Raises ReasonMissing, OwnProposal or NotToCheck.
    """
    why = " ".join(why.split())
    if not why:
        raise ReasonMissing
    account = _to_check(account, by)
    if account.approved_by_id is not None:
        raise NotToCheck
    account.refused_by, account.refusal, account.closed_at = by, why[:200], at
    account.save(update_fields=["refused_by", "refusal", "closed_at"])
    _tell_owners(account, topic="payout_account.refused", at=at)
    logger.info(
        "payout account refused", extra={"cooperative": account.cooperative.code, "version": account.version}
    )
    return account


def _to_check(account: PayoutAccount, by: Any) -> PayoutAccount:
    """The account as it is now, with its cooperative's other accounts locked."""
    lock(account.cooperative)
    account = PayoutAccount.objects.select_related("cooperative").get(pk=account.pk)
    if account.closed_at is not None or account.rail == Rail.HOLD:
        raise NotToCheck
    if account.proposed_by_id is not None and account.proposed_by_id == by.pk:
        raise OwnProposal
    return account


def others_with(*, account: PayoutAccount) -> list[Cooperative]:
    """Other cooperatives whose open account is the same one: somebody should ask why."""
    same = PayoutAccount.objects.filter(closed_at=None, rail=account.rail).exclude(
        cooperative=account.cooperative
    )
    if account.rail == Rail.BANK:
        same = same.filter(rib=account.rib)
    elif account.rail == Rail.STRIPE:
        same = same.filter(stripe_account_id=account.stripe_account_id)
    else:
        return []
    return list(Cooperative.objects.filter(payout_accounts__in=same).distinct())


@transaction.atomic
def give_up(*, account: PayoutAccount, at: datetime) -> None:
    """An owner stops an account that is not in use yet. Raises AccountClosed when it is too late for that."""
    lock(account.cooperative)
    if not PayoutAccount.objects.waiting(at=at).filter(pk=account.pk).update(closed_at=at):
        raise AccountClosed
    _tell_owners(account, topic="payout_account.given_up", at=at)


def close_superseded(*, at: datetime) -> int:
    """Close every account a newer one has taken the place of; returns how many. The newest usable one stays.

    Under a hold nothing takes another's place.
    """
    closed = 0
    for cooperative in Cooperative.objects.filter(payout_accounts__closed_at=None).distinct():
        newest = current(cooperative=cooperative, at=at)
        if newest is not None and newest.rail != Rail.HOLD:
            older = PayoutAccount.objects.usable(at=at).filter(cooperative=cooperative).exclude(pk=newest.pk)
            closed += older.update(closed_at=at)
            crashpoint("payout_accounts.closed_one")
    return closed


@transaction.atomic
def put_on_hold(*, cooperative: Cooperative, reason: str, at: datetime, by: Any = None) -> PayoutAccount:
    """From now on what is owed is not sent, for the reason given, until two persons lift the hold. One person is
    enough to stop money; every owner is told.

    What waited is given up. A cooperative already on hold keeps its first reason.
    """
    lock(cooperative)
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


def held_back(*, hold: PayoutAccount) -> PayoutAccount | None:
    """The account that was in use when the hold began; None if there was none."""
    before = PayoutAccount.objects.filter(
        cooperative=hold.cooperative_id,
        version__lt=hold.version,
        approved_by__isnull=False,
        usable_from__lte=hold.created_at,
        closed_at=hold.created_at,
    )
    return before.exclude(rail=Rail.HOLD).order_by("-usable_from", "-pk").first()


def after(*, hold: PayoutAccount, at: datetime) -> PayoutAccount | None:
    """Where money would go if the hold were lifted now: to the newest account approved since it began, else
    where it went before; None if there is neither."""
    approved = PayoutAccount.objects.usable(at=at).filter(cooperative=hold.cooperative_id)
    return approved.exclude(rail=Rail.HOLD).first() or held_back(hold=hold)


@transaction.atomic
def resume(*, hold: PayoutAccount, proposed_by: Any, approved_by: Any, at: datetime) -> PayoutAccount | None:
    """The hold is over, as two persons agreed, and money goes to ``after``. What the hold had closed comes back
    as a new row, since an account that was closed stays closed; None if there is no account.

    One whose bank was changed at Stripe meanwhile comes back unapproved: nothing goes there before somebody has
    checked it. Asked for by ``lifting`` only, which holds the lock.
    """
    account = after(hold=hold, at=at)
    PayoutAccount.objects.filter(pk=hold.pk).update(closed_at=at)
    if account is not None and account.closed_at is not None:
        is_checked = not account.is_in_doubt
        account = _again(
            account,
            at,
            proposed_by=proposed_by,
            approved_by=approved_by if is_checked else None,
            approved_at=at if is_checked else None,
        )
    _tell_owners(account or hold, topic="payout_account.resumed", at=at)
    return account


@transaction.atomic
def note_bank_changed(*, stripe_account_id: str, at: datetime) -> list[PayoutAccount]:
    """The bank behind a Stripe account was changed where no money goes now: nothing goes there before somebody
    has checked it anew. Returns what has to be checked.

    An account a hold holds back keeps it until the hold is lifted. One that has been approved but is not in use
    is closed, and waits for approval as a new row.
    """
    found = []
    theirs = PayoutAccount.objects.filter(rail=Rail.STRIPE, stripe_account_id=stripe_account_id)
    for cooperative in Cooperative.objects.filter(payout_accounts__in=theirs).distinct().order_by("pk"):
        lock(cooperative)
        in_use = current(cooperative=cooperative, at=at)
        approved = theirs.filter(
            cooperative=cooperative, closed_at=None, approved_by__isnull=False, transfers_active=True
        )
        if in_use is not None:
            approved = approved.exclude(pk=in_use.pk)
        for account in approved:
            PayoutAccount.objects.filter(pk=account.pk).update(closed_at=at)
            found.append(_again(account, at, proposed_by=account.proposed_by, bank_changed_at=at))
        if in_use is not None and in_use.rail == Rail.HOLD:
            before = held_back(hold=in_use)
            if before is not None and before.stripe_account_id == stripe_account_id:
                PayoutAccount.objects.filter(pk=before.pk).update(bank_changed_at=at)
                before.bank_changed_at = at
                found.append(before)
    return found


def _again(account: PayoutAccount, at: datetime, **given: Any) -> PayoutAccount:
    """A new row with what a closed one says."""
    values = {
        "cooperative": account.cooperative,
        "version": _next_version(account.cooperative),
        "rail": account.rail,
        "holder": account.holder,
        "rib": account.rib,
        "stripe_account_id": account.stripe_account_id,
        "transfers_active": account.transfers_active,
        "bank_changed_at": account.bank_changed_at,
        "created_at": at,
        "usable_from": max(account.usable_from, at),
    }
    again: PayoutAccount = PayoutAccount.objects.create(**{**values, **given})
    return again


def lock(cooperative: Cooperative) -> None:
    """Until the transaction ends nobody else changes this cooperative's accounts; orders can still be routed."""
    Cooperative.objects.select_for_update(no_key=True).get(pk=cooperative.pk)


def _next_version(cooperative: Cooperative) -> int:
    highest = cooperative.payout_accounts.aggregate(highest=Max("version"))["highest"]
    return (highest or 0) + 1


def _tell_owners(account: PayoutAccount, *, topic: str, at: datetime) -> None:
    cooperative = account.cooperative
    now_used = current(cooperative=cooperative, at=at)
    is_held = now_used is not None and now_used.rail == Rail.HOLD and account.rail != Rail.HOLD
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
                "reason": gettext(account.reason) if account.reason else account.refusal,
                "usable_from": account.usable_from.isoformat(),
                "is_change": account.usable_from > at,
                "is_on_hold": account.rail == Rail.HOLD,
                "is_held": is_held,
                "must_be_checked": account.approved_by_id is None,
            },
        )
