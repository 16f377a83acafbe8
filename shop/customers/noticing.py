"""Mails beyond those an order needs: which her account asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shop.core.errors import Refused
from shop.customers import consents, owning
from shop.customers.models import Consent, Preferences, Purpose

#: Kept on the account itself; the newsletter is a subscription of an address.
ON_ACCOUNT = (Purpose.BACK_IN_STOCK, Purpose.CHEAPER)


class EmailNotProved(Refused):
    message = _("Confirm your e-mail address first: we write only to addresses that are known to be yours.")


def of(*, user: Any) -> Preferences:
    """What she asked for; an unsaved row while she asked for nothing."""
    return Preferences.objects.filter(user=user).first() or Preferences(user=user)


@transaction.atomic
def choose(*, user: Any, wanted: dict[Purpose, bool], language: str, at: datetime) -> Preferences:
    """From now on she gets these mails and no others. Each change is written into the journal.

    Raises EmailNotProved when she asks for one and her address is not known to be hers.
    """
    if any(wanted.values()) and user.email.lower() not in owning.verified_emails(user=user):
        raise EmailNotProved
    Preferences.objects.get_or_create(user=user)
    kept = Preferences.objects.select_for_update().get(user=user)
    for purpose in ON_ACCOUNT:
        if purpose not in wanted or getattr(kept, purpose.value) == wanted[purpose]:
            continue
        setattr(kept, purpose.value, wanted[purpose])
        consents.record(
            person=kept.person,
            purpose=purpose,
            is_given=wanted[purpose],
            source=Consent.Source.ACCOUNT,
            language=language,
            at=at,
        )
    kept.save()
    return kept


@transaction.atomic
def end(*, person: str, purpose: Purpose, language: str, at: datetime) -> bool:
    """The link in a mail was followed: no more of this kind. Again changes nothing; returns whether it did."""
    kept = Preferences.objects.select_for_update().filter(person=person).first()
    if kept is None or purpose not in ON_ACCOUNT or not getattr(kept, purpose.value):
        return False
    setattr(kept, purpose.value, False)
    kept.save(update_fields=[purpose.value])
    consents.record(
        person=person,
        purpose=purpose,
        is_given=False,
        source=Consent.Source.LINK,
        language=language,
        at=at,
    )
    return True
