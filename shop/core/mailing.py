"""Mail as one kind of outbox message: promised with its cause, rendered in the person's language when sent.

A topic ``order.confirmed`` is rendered from ``mail/order_confirmed.txt`` and ``.html``; the first line of
the text is the subject. ``account.message:password_reset_key`` is rendered from ``account_message``: what
follows a colon names the case.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from shop.core import outbox
from shop.core.errors import Refused
from shop.core.models import OutboxMessage

#: What a context says under these names opens a door without a password: a guest's token, an account's link,
#: the answer to a newsletter's question.
SECRETS = ("token", "link", "confirmation")
HIDDEN = "•••"
#: Who makes a secret anew for a mail that is sent once more: ``{name in the context: from the context}``.
Renewer = Callable[[dict[str, Any]], str]
_renewers: dict[str, Renewer] = {}


#: Who makes the link by which a reader ends mails of a kind: ``{topic: from the message}``.
Ending = Callable[[OutboxMessage], str]
_endings: dict[str, Ending] = {}


class SecretSpent(Refused):
    message = _(
        "This mail held a link that opens an account. It is not kept: the person asks for a new one on the page where she signs in."
    )


def renew(name: str, renewer: Renewer) -> None:
    """From now on a secret of that name is made anew by ``renewer`` when its mail is sent once more."""
    _renewers[name] = renewer


def ends_by(topic: str, ending: Ending) -> None:
    """From now on every mail of this topic carries a link, made by ``ending``, by which its reader ends them.

    It stands in the mail as ``unsubscribe_url`` and in its headers, for one click (RFC 8058); it is made when
    the mail leaves and kept nowhere.
    """
    _endings[topic] = ending


def promise(
    *,
    topic: str,
    to: str,
    language: str,
    key: str,
    at: datetime,
    about: str = "",
    context: Callable[[], dict[str, Any]] = dict,
) -> OutboxMessage | None:
    """Promise a mail. ``key`` makes asking again harmless. Nothing is promised to an empty address.

    ``context`` tells what the mail says. It is asked in the language of the person who reads it, whoever
    caused the mail: names of cooperatives, goods and reasons are read inside it. It answers plain JSON;
    amounts as ``{"minor": 53400, "currency": "MAD"}``, moments and days in ISO, so that they are written out
    when the mail leaves.
    """
    if not to:
        return None
    language = language or "fr"
    with override(language):
        payload = context()
    return outbox.put(
        kind="mail",
        key=key,
        topic=topic,
        recipient=to,
        language=language,
        about=about,
        payload=payload,
        at=at,
    )


def send(message: OutboxMessage) -> None:
    """Render and send one promised mail; the text that left is kept on the row, its secrets nowhere."""
    topic = message.topic.partition(":")[0]
    template = "mail/" + topic.replace(".", "_")
    headers = {"X-Tadamon-Key": message.key}
    with override(message.language):
        end = _endings[topic](message) if topic in _endings else ""
        context = {
            **message.payload,
            "site_url": settings.SITE_URL,
            "language": message.language,
            "about": message.about,
            "unsubscribe_url": end,
        }
        subject, _newline, text = render_to_string(f"{template}.txt", context).strip().partition("\n")
        html = render_to_string(f"{template}.html", {**context, "subject": subject})
    if end:
        headers |= {"List-Unsubscribe": f"<{end}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    mail = EmailMultiAlternatives(
        subject=subject.strip(),
        body=text.strip() + "\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[message.recipient],
        headers=headers,
    )
    mail.attach_alternative(html, "text/html")
    mail.send()
    message.subject = subject.strip()[:250]
    text = text.strip().replace(end, HIDDEN) if end else text.strip()
    message.body = without_secrets(message, text)
    message.payload = _forgotten(message.payload)


@transaction.atomic
def send_again(*, message: OutboxMessage, at: datetime) -> OutboxMessage:
    """Promise a mail once more. A guest's link is made anew.

    A mail that failed still holds its secrets and hands them on, so that they stand in one place. Raises
    SecretSpent where nothing can be made anew.
    """
    message = OutboxMessage.objects.select_for_update().get(pk=message.pk)
    payload = dict(message.payload)
    for name in SECRETS:
        if name in _renewers and payload.get(name):
            payload[name] = _renewers[name](payload)
        elif payload.get(name) == HIDDEN:
            raise SecretSpent
    again = outbox.send_again(message=message, payload=payload, at=at)
    if message.state == OutboxMessage.State.FAILED:
        message.payload = _forgotten(message.payload)
        message.save(update_fields=["payload"])
    return again


def _forgotten(payload: dict[str, Any]) -> dict[str, Any]:
    return payload | {name: HIDDEN for name in SECRETS if payload.get(name)}


def without_secrets(message: OutboxMessage, text: str) -> str:
    """``text`` as people other than its recipient may read it: what opens her order or her account is hidden."""
    for name in SECRETS:
        if secret := message.payload.get(name):
            text = text.replace(str(secret), HIDDEN)
    return text
