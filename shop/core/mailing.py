"""Mail as one kind of outbox message: promised with its cause, rendered in the person's language when sent.

A topic ``order.confirmed`` is rendered from ``mail/order_confirmed.txt`` and ``.html``; the first line of
the text is the subject.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import override

from shop.core import outbox
from shop.core.models import OutboxMessage


def promise(
    *,
    topic: str,
    to: str,
    language: str,
    key: str,
    at: datetime,
    about: str = "",
    context: dict[str, Any] | None = None,
) -> OutboxMessage | None:
    """Promise a mail. ``context`` is plain JSON; amounts as ``{"minor": 53400, "currency": "MAD"}``.

    ``key`` makes asking again harmless. Nothing is promised to an empty address.
    """
    if not to:
        return None
    return outbox.put(
        kind="mail",
        key=key,
        topic=topic,
        recipient=to,
        language=language or "fr",
        about=about,
        payload=context or {},
        at=at,
    )


def send(message: OutboxMessage) -> None:
    """Render and send one promised mail; the text that left is kept on the row."""
    template = "mail/" + message.topic.replace(".", "_")
    with override(message.language):
        context = {
            **message.payload,
            "site_url": settings.SITE_URL,
            "language": message.language,
            "about": message.about,
        }
        subject, _, text = render_to_string(f"{template}.txt", context).strip().partition("\n")
        html = render_to_string(f"{template}.html", {**context, "subject": subject})
    mail = EmailMultiAlternatives(
        subject=subject.strip(),
        body=text.strip() + "\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[message.recipient],
        headers={"X-Tadamon-Key": message.key},
    )
    mail.attach_alternative(html, "text/html")
    mail.send()
    message.subject = subject.strip()[:250]
    message.body = text.strip()
