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
        said = "The event is larger than any of Stripe's." if length.isdigit() else "The length is missing."
        return _refused(said, status=413 if length.isdigit() else 400)
    body = request.body
    try:
        signatures.check(
            body=body,
            header=request.headers.get("Stripe-Signature", ""),
            secrets=settings.STRIPE_WEBHOOK_SECRETS,
        )
    except signatures.NotFromStripe:
        logger.warning("webhook refused")
        return _refused("The signature is not Stripe's for this endpoint, or it is too old.")
    event = _event(body)
    if event is None:
        return _refused("This is not an event: it needs an id and a type.")
    receiving.keep(
        event_id=event["id"],
        kind=event["type"],
        api_version=event.get("api_version") or "",
        payload=event,
        by_webhook=True,
        at=clock.now(),
    )
    return HttpResponse(status=200)


def _refused(why: str, *, status: int = 400) -> HttpResponse:
    """One line for whoever set the endpoint up; nothing of what was sent."""
    return HttpResponse(f"{why}\n", status=status, content_type="text/plain")


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
