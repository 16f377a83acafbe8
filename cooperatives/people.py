"""Who acts for a cooperative, in which role. A membership ends; it is never removed."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from cooperatives.models import Cooperative, Member
from shop.core.errors import Refused

logger = logging.getLogger(__name__)

Role = Member.Role


class NoSuchAccount(Refused):
    """No account, or one whose e-mail nobody has proved to be hers: said alike, so that nothing is told."""

    message = _(
        "Nobody has an account with this e-mail, confirmed. "
        "Ask her to sign up and to confirm her e-mail first, then add her again."
    )


class AlreadyMember(Refused):
    message = _("She already acts for this cooperative. End her present role first.")


class LastOwner(Refused):
    message = _("A cooperative needs at least one owner. Make somebody else an owner first.")


@transaction.atomic
def add(*, cooperative: Cooperative, email: str, role: str, at: datetime) -> Member:
    """Let the person with this e-mail act for the cooperative. Raises NoSuchAccount or AlreadyMember.

    Only an e-mail its owner has confirmed counts: anybody can sign up under somebody else's.
    """
    Cooperative.objects.select_for_update().get(pk=cooperative.pk)
    user = get_user_model().objects.filter(email__iexact=email.strip(), is_active=True).first()
    if user is None or not user.emailaddress_set.filter(email__iexact=user.email, verified=True).exists():
        raise NoSuchAccount
    if Member.objects.current().filter(cooperative=cooperative, user=user).exists():
        raise AlreadyMember
    member = Member.objects.create(cooperative=cooperative, user=user, role=role, joined_at=at)
    logger.info("member added", extra={"cooperative": cooperative.code, "role": role})
    return member


@transaction.atomic
def end(*, member: Member, at: datetime) -> Member:
    """The person no longer acts for the cooperative. Ending it again changes nothing. Raises LastOwner."""
    Cooperative.objects.select_for_update().get(pk=member.cooperative_id)
    owners = Member.objects.current().filter(cooperative=member.cooperative, role=Role.OWNER)
    if member.role == Role.OWNER and not owners.exclude(pk=member.pk).exists():
        raise LastOwner
    if Member.objects.current().filter(pk=member.pk).update(left_at=at):
        member.left_at = at
        logger.info("member left", extra={"cooperative": member.cooperative.code, "role": member.role})
    return member


def is_current(*, cooperative: Cooperative, user: Any) -> bool:
    """Whether the person acts for the cooperative today."""
    return Member.objects.current().filter(cooperative=cooperative, user=user).exists()
