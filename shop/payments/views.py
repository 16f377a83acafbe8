"""The door Stripe knocks at. A webhook is checked, kept as it came, and answered; handled later, once."""

from __future__ import annotations

import json
import logging
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from shop.core import clock
from shop.payments.stripe import receiving, signatures

logger = logging.getLogger(__name__)

#: Stripe's events are some kilobytes.
LARGEST = 512 * 1024


@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """200 when it is kept, also for the second time; 400 for anything that is not Stripe's, and nothing kept."""
    length = request.headers.get("Content-Length", "")
    if not length.isascii() or not length.isdigit() or int(length) > LARGEST:
        return HttpResponse(status=413 if length.isdigit() else 400)
    body = request.body
    try:
        signatures.check(
            body=body,
            header=request.headers.get("Stripe-Signature", ""),
            secrets=settings.STRIPE_WEBHOOK_SECRETS,
        )
    except signatures.NotFromStripe:
        logger.warning("webhook refused")
        return HttpResponse(status=400)
    event = _event(body)
    if event is None:
        return HttpResponse(status=400)
    receiving.keep(
        event_id=event["id"],
        kind=event["type"],
        api_version=event.get("api_version") or "",
        payload=event,
        by_webhook=True,
        at=clock.now(),
    )
    return HttpResponse(status=200)


def _event(body: bytes) -> dict[str, Any] | None:
    """The event in a body, if there is one that can be told from others."""
    try:
        event = json.loads(body)
    except ValueError:
        return None
    if not isinstance(event, dict):
        return None
    for name in ("id", "type"):
        if not isinstance(event.get(name), str) or not 0 < len(event[name]) <= 80:
            return None
    return event
