"""The signed links in mails a customer did not order: one that confirms, one that ends. System time."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from shop.core.errors import Refused
from shop.customers.models import Purpose

_CONFIRM, _END = "tadamon.newsletter-confirm", "tadamon.end-mails"


class LinkRefused(Refused):
    message = _("This link is no longer valid. Ask for the newsletter once more: a new mail leads you on.")


class EndingRefused(Refused):
    message = _("This link is incomplete. Take the one at the foot of our last mail, or write to us.")


def confirm_token(*, person: str) -> str:
    """Opens the page that confirms a subscription, for seven days."""
    return signing.dumps(person, salt=_CONFIRM)


def read_confirm(*, token: str) -> str:
    """Whom a confirming link stands for. Raises LinkRefused for a forged or old one."""
    try:
        return str(signing.loads(token, salt=_CONFIRM, max_age=settings.NEWSLETTER_CONFIRM_DAYS * 86400))
    except signing.BadSignature as error:
        raise LinkRefused from error


def end_token(*, person: str, purpose: Purpose) -> str:
    """Ends mails of one kind to one person; it never gets too old to do so."""
    return signing.dumps([person, purpose.value], salt=_END)


def read_end(*, token: str) -> tuple[str, Purpose]:
    """Whom and which mails an ending link stands for. Raises EndingRefused for a forged one."""
    try:
        person, purpose = signing.loads(token, salt=_END)
        return str(person), Purpose(purpose)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise EndingRefused from error


def _link(person: str, purpose: Purpose) -> str:
    token = end_token(person=person, purpose=purpose)
    return settings.SITE_URL + reverse("storefront:unsubscribe", args=[token])


def newsletter_link(message: Any) -> str:
    """For ``mailing.ends_by``: the link at the foot of a newsletter."""
    return _link(message.payload["person"], Purpose.NEWSLETTER)


def notice_link(message: Any) -> str:
    """Likewise at the foot of a notice about a favourite."""
    return _link(message.payload["person"], Purpose(message.payload["purpose"]))
