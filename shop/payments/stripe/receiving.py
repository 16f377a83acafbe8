"""Events as they come: kept raw, once, whoever brings them; handled later by ``handlers``.

Webhooks may come twice, in any order, or not at all. The sweep lists what Stripe says happened and keeps
what no webhook told.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from shop.core.crashpoints import crashpoint
from shop.payments.models import ImportWatermark, StripeEvent
from shop.payments.stripe import gateway, handlers

logger = logging.getLogger(__name__)

EVENTS = "stripe-events"
#: Events may be listed a little out of order.
OVERLAP = timedelta(hours=1)
#: On the first sweep; Stripe keeps events for thirty days.
FIRST_LOOK = timedelta(days=3)
#: A webhook is given this long before its event counts as untold.
GRACE = timedelta(minutes=2)


@transaction.atomic
def keep(
    *,
    event_id: str,
    kind: str,
    api_version: str,
    payload: Mapping[str, Any],
    by_webhook: bool,
    at: datetime,
) -> StripeEvent:
    """Keep an event as it came. The same id again keeps nothing new and returns the first."""
    event, new = StripeEvent.objects.get_or_create(
        event_id=event_id,
        defaults={
            "kind": kind,
            "api_version": api_version[:40],
            "payload": dict(payload),
            "by_webhook": by_webhook,
            "received_at": at,
        },
    )
    if new:
        from shop.payments import tasks  # the task calls the handlers, which know us

        tasks.handle_stripe_event.delay_on_commit(event.pk)
    kept: StripeEvent = event
    return kept


def fetch_untold(*, at: datetime) -> int:
    """Keep every event of the last time that no webhook brought; returns how many. Raises Unavailable.

    Each stays marked (``by_webhook`` false): many of them mean that the webhooks do not arrive.
    """
    watermark = ImportWatermark.objects.filter(name=EVENTS).first()
    since = watermark.reached_at - OVERLAP if watermark else at - FIRST_LOOK
    events = [
        each
        for each in gateway.list_events(created_gte=since, kinds=handlers.KINDS)
        if each.created_at <= at - GRACE
    ]
    known = set(
        StripeEvent.objects.filter(event_id__in=[each.id for each in events]).values_list(
            "event_id", flat=True
        )
    )
    untold = [each for each in events if each.id not in known]
    for each in untold:
        keep(
            event_id=each.id,
            kind=each.kind,
            api_version=each.api_version,
            payload=each.payload,
            by_webhook=False,
            at=at,
        )
        crashpoint("receiving.kept")
        logger.warning("event that no webhook told", extra={"event": each.id, "kind": each.kind})
    if events:
        reached = max(each.created_at for each in events)
        if watermark is None or reached > watermark.reached_at:
            ImportWatermark.objects.update_or_create(name=EVENTS, defaults={"reached_at": reached})
    return len(untold)
