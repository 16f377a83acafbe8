"""Who gets the newsletter: asked for by a form, confirmed by a mail, ended by one click.

Nothing here tells whether an address subscribes: asking always answers the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from shop.core import mailing
from shop.core.crashpoints import crashpoint
from shop.core.models import OutboxMessage
from shop.customers import consents, ending, owning
from shop.customers.models import Consent, Purpose, Subscription

CONFIRM, ISSUE = "newsletter.confirm", "newsletter.issue"
#: An address is asked to confirm no more often than this.
PAUSE = timedelta(minutes=10)


@transaction.atomic
def ask(*, email: str, language: str, at: datetime) -> None:
    """Promise a mail by which the address confirms that it wants the newsletter; says nothing either way.

    An address that subscribes already gets no mail, nor one that was asked within the last ten minutes.
    """
    found, new = Subscription.objects.get_or_create(
        email=email.strip().lower(),
        defaults={
            "language": language,
            "text_version": consents.version_of(Purpose.NEWSLETTER),
            "asked_at": at,
        },
    )
    if found.confirmed_at or not (new or found.asked_at <= at - PAUSE):
        return
    if not new:
        found.language, found.asked_at = language, at
        found.text_version = consents.version_of(Purpose.NEWSLETTER)
        found.save(update_fields=["language", "asked_at", "text_version"])
    mailing.promise(
        topic=CONFIRM,
        to=found.email,
        language=language,
        key=f"{CONFIRM}:{found.person}:{int(at.timestamp())}",
        at=at,
        context=lambda: {
            "person": found.person,
            "confirmation": ending.confirm_token(person=found.person),
        },
    )


@transaction.atomic
def confirm(*, token: str, at: datetime) -> Subscription:
    """The mail was answered: from now on the address gets the newsletter. Again changes nothing.

    Raises LinkRefused for a link that is forged, older than seven days, or of an ended subscription.
    """
    person = ending.read_confirm(token=token)
    found = Subscription.objects.select_for_update().filter(person=person).first()
    if found is None:
        raise ending.LinkRefused
    if found.confirmed_at is None:
        found.confirmed_at = at
        found.save(update_fields=["confirmed_at"])
        _record(found, True, Consent.Source.FORM, at, found.text_version)
    return found


@transaction.atomic
def subscribe(*, user: Any, language: str, at: datetime) -> None:
    """Her account asks for the newsletter: at once where the address is known to be hers, else by a mail."""
    email = user.email.lower()
    if email not in owning.verified_emails(user=user):
        ask(email=email, language=language, at=at)
        return
    version = consents.version_of(Purpose.NEWSLETTER)
    Subscription.objects.get_or_create(
        email=email, defaults={"language": language, "text_version": version, "asked_at": at}
    )
    found = Subscription.objects.select_for_update().get(email=email)
    if found.confirmed_at is None:
        found.confirmed_at, found.language, found.text_version = at, language, version
        found.save()
        _record(found, True, Consent.Source.ACCOUNT, at, version)


def of(*, user: Any) -> Subscription | None:
    """The subscription of her address. Only for an address that is known to be hers."""
    return Subscription.objects.filter(email__in=owning.verified_emails(user=user)).order_by("pk").first()


@transaction.atomic
def end(*, person: str, source: Consent.Source, at: datetime) -> bool:
    """No more newsletters: the address is forgotten, with what was already on its way to it.

    Again changes nothing; returns whether it did.
    """
    found = Subscription.objects.select_for_update().filter(person=person).first()
    if found is None:
        return False
    if found.confirmed_at is not None:
        _record(found, False, source, at)
    waiting = OutboxMessage.objects.filter(topic__in=[ISSUE, CONFIRM], recipient=found.email)
    waiting.exclude(state=OutboxMessage.State.DELIVERED).delete()
    found.delete()
    return True


def forget_unconfirmed(*, at: datetime) -> int:
    """Addresses that never answered are removed once their link is too old, with the mails that asked them."""
    too_old = at - timedelta(days=settings.NEWSLETTER_CONFIRM_DAYS)
    forgotten = 0
    silent = Subscription.objects.filter(confirmed_at=None, asked_at__lte=too_old)
    for key in silent.values_list("pk", flat=True):
        with transaction.atomic():
            # Held before it is looked at once more: she may be confirming, or asking again, right now.
            found = silent.select_for_update().filter(pk=key).first()
            if found is None:
                continue
            OutboxMessage.objects.filter(topic=CONFIRM, recipient=found.email).delete()
            crashpoint("newsletter.forgetting")
            found.delete()
            forgotten += 1
    return forgotten


def _record(
    found: Subscription, is_given: bool, source: Consent.Source, at: datetime, version: str = ""
) -> None:
    consents.record(
        person=found.person,
        purpose=Purpose.NEWSLETTER,
        is_given=is_given,
        source=source,
        language=found.language,
        at=at,
        text_version=version,
    )
