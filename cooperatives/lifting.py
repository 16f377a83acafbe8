"""How a hold on a cooperative's payouts ends: one person asks, with a reason, and another agrees."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from cooperatives import payout_accounts
from cooperatives.models import Cooperative, HoldLifting, PayoutAccount
from shop.core.errors import Refused

logger = logging.getLogger(__name__)


class NotOnHold(Refused):
    message = _("Payouts to this cooperative are not on hold.")


class WaitsAlready(Refused):
    message = _("Somebody has already asked for this; another person has to agree first.")


class SamePerson(Refused):
    message = _("Another person than the one who asked for it has to agree.")


class ReasonMissing(Refused):
    message = _("Say why: whoever agrees reads it, and so does whoever audits it.")


class Answered(Refused):
    message = _("This has been answered already, or the hold it was about is over.")


@transaction.atomic
def propose(*, cooperative: Cooperative, reason: str, by: Any, at: datetime) -> HoldLifting:
    """Ask that the cooperative be paid again. Nothing changes until another person agrees.

    Raises ReasonMissing, NotOnHold or WaitsAlready.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise ReasonMissing
    payout_accounts.lock(cooperative)
    hold = current_hold(cooperative=cooperative, at=at)
    if hold is None:
        raise NotOnHold
    number = HoldLifting.objects.filter(hold__cooperative=cooperative).count() + 1
    try:
        with transaction.atomic():
            lifting = HoldLifting.objects.create(
                reference=f"HL-{cooperative.code}-{number}",
                hold=hold,
                reason=reason[:250],
                proposed_by=by,
                proposed_at=at,
            )
    except IntegrityError as error:
        raise WaitsAlready from error
    logger.info("lifting of a hold proposed", extra={"lifting": lifting.reference})
    return lifting


@transaction.atomic
def approve(*, lifting: HoldLifting, by: Any, at: datetime) -> HoldLifting:
    """Agree: the hold is over, money goes to the account ``resumed``, and every owner is told. Again changes
    nothing.

    Raises SamePerson, or Answered if it was refused or the hold is over.
    """
    lifting = _locked(lifting)
    if lifting.proposed_by_id == by.pk:
        raise SamePerson
    if lifting.approved_at is not None:
        return lifting
    hold = lifting.hold
    if lifting.refused_at is not None or current_hold(cooperative=hold.cooperative, at=at) != hold:
        raise Answered
    lifting.resumed = payout_accounts.resume(
        hold=hold, proposed_by=lifting.proposed_by, approved_by=by, at=at
    )
    lifting.approved_by, lifting.approved_at = by, at
    lifting.save(update_fields=["approved_by", "approved_at", "resumed"])
    logger.info("hold lifted", extra={"lifting": lifting.reference, "cooperative": hold.cooperative.code})
    return lifting


@transaction.atomic
def refuse(*, lifting: HoldLifting, by: Any, at: datetime) -> HoldLifting:
    """Do not agree: the hold stands. Whoever asked takes it back in the same way. Raises Answered."""
    lifting = _locked(lifting)
    if lifting.refused_at is not None:
        return lifting
    if lifting.approved_at is not None:
        raise Answered
    lifting.refused_by, lifting.refused_at = by, at
    lifting.save(update_fields=["refused_by", "refused_at"])
    logger.info("lifting of a hold refused", extra={"lifting": lifting.reference})
    return lifting


def current_hold(*, cooperative: Cooperative, at: datetime) -> PayoutAccount | None:
    """The hold that keeps the cooperative from being paid now; None if there is none."""
    now = payout_accounts.current(cooperative=cooperative, at=at)
    return now if now is not None and now.rail == PayoutAccount.Rail.HOLD else None


def waiting(*, cooperative: Cooperative) -> HoldLifting | None:
    """The lifting that somebody has asked for and nobody has answered."""
    return HoldLifting.objects.waiting().filter(hold__cooperative=cooperative).first()


def _locked(lifting: HoldLifting) -> HoldLifting:
    """As it is now, with the cooperative's accounts locked."""
    found = HoldLifting.objects.select_related("hold__cooperative", "proposed_by")
    payout_accounts.lock(found.get(pk=lifting.pk).hold.cooperative)
    return found.get(pk=lifting.pk)
