"""What we owe the outside is written with the fact that caused it, and delivered afterwards.

``put`` belongs inside the causing transaction. After commit a task nudges the delivery; a sweep finds
whatever the nudge lost. A room that can deliver a kind registers itself when the shop starts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from shop.core.crashpoints import crashpoint
from shop.core.models import OutboxMessage

logger = logging.getLogger(__name__)

#: Waits between attempts; after the last the message is failed and an operator sees it.
RETRY_AFTER = [timedelta(minutes=each) for each in (1, 5, 15, 60, 240, 720)]

Deliverer = Callable[[OutboxMessage], None]
_deliverers: dict[str, Deliverer] = {}


def register(kind: str, deliverer: Deliverer) -> None:
    """From now on messages of that kind are delivered by ``deliverer``; it raises if it could not."""
    _deliverers[kind] = deliverer


def put(
    *,
    kind: str,
    key: str,
    topic: str,
    recipient: str,
    at: datetime,
    language: str = "fr",
    about: str = "",
    payload: dict[str, Any] | None = None,
) -> OutboxMessage:
    """Promise a message. The same key again promises nothing new and returns the first."""
    message, new = OutboxMessage.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "topic": topic,
            "recipient": recipient,
            "language": language,
            "about": about,
            "payload": payload or {},
            "created_at": at,
            "due_at": at,
        },
    )
    if new:
        from shop.core import tasks  # the task calls us back: the one import that cannot stand above

        tasks.deliver.delay_on_commit(message.pk)
    return message


def deliver(*, message_id: int, at: datetime) -> bool:
    """Deliver one message if it still waits; returns whether it was delivered now.

    The row is locked while its deliverer works, so two workers never send the same one at once. A failure
    is written down and tried again later.
    """
    with transaction.atomic():
        message = (
            OutboxMessage.objects.select_for_update(skip_locked=_skips_locked())
            .filter(pk=message_id, state=OutboxMessage.State.WAITING, due_at__lte=at)
            .first()
        )
        if message is None:
            return False
        message.attempts += 1
        try:
            with transaction.atomic():
                crashpoint("outbox.before_sending")
                _deliverers[message.kind](message)
                crashpoint("outbox.after_sending")
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the promise stands and is retried
            _postpone(message, error, at)
            return False
        message.state = OutboxMessage.State.DELIVERED
        message.delivered_at = at
        message.last_error = ""
        message.save()
    logger.info("outbox message delivered", extra={"topic": message.topic, "about": message.about})
    return True


def _skips_locked() -> bool:
    from django.db import connection

    return connection.features.has_select_for_update_skip_locked


def _postpone(message: OutboxMessage, error: Exception, at: datetime) -> None:
    message.last_error = f"{type(error).__name__}: {error}"[:300]
    if message.attempts > len(RETRY_AFTER):
        message.state = OutboxMessage.State.FAILED
    else:
        message.due_at = at + RETRY_AFTER[message.attempts - 1]
    message.save()
    logger.warning(
        "outbox message not delivered",
        extra={"topic": message.topic, "about": message.about, "attempt": message.attempts},
    )


def sweep(*, at: datetime, limit: int = 200) -> int:
    """Deliver whatever waits; returns how many were delivered."""
    due = list(OutboxMessage.objects.waiting(at=at).values_list("pk", flat=True)[:limit])
    return sum(deliver(message_id=each, at=at) for each in due)


def send_again(
    *, message: OutboxMessage, at: datetime, payload: dict[str, Any] | None = None
) -> OutboxMessage:
    """Promise the same message once more, e.g. after an operator mended an address.

    ``payload`` takes the place of what it said the first time.
    """
    again = OutboxMessage.objects.filter(key__startswith=f"{message.key}:again:").count() + 1
    return put(
        kind=message.kind,
        key=f"{message.key}:again:{again}",
        topic=message.topic,
        recipient=message.recipient,
        language=message.language,
        about=message.about,
        payload=message.payload if payload is None else payload,
        at=at,
    )
