"""The strings behind the bank sandbox that only operators of the demonstration pull."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from django.conf import settings

from shop.core.errors import Refused
from shop.fulfilment.models import Shipment
from shop.reconciliation import fetching

logger = logging.getLogger(__name__)

#: A sandbox that takes longer is taken for one that is down.
PATIENCE_S = 20
#: Parcels older than this have long been told.
DAYS_TOLD = 60


def post(url: str, body: dict[str, Any]) -> bool:
    """Tell a sandbox something; whether it took it. Never anywhere but on this machine."""
    if not url.startswith(("http://127.0.0.1", "http://localhost")):
        return False
    request = Request(  # noqa: S310 - a loopback address, checked just above
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    try:
        with urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310
            return bool(answer.status < 300)
    except (HTTPError, URLError, OSError):
        logger.warning("sandbox not told", extra={"sandbox": url})
        return False


def let_the_bank_work() -> bool:
    """The sandbox does now what waits for its next business day; whether it answered."""
    return post(f"{settings.BANK_SANDBOX_URL.rstrip('/')}/_sandbox/settle", {})


def tell_carrier_of_cash(*, at: datetime) -> int:
    """The carrier learns what our people saw at the door, so that its cash stands on its next remittance.

    Returns how many parcels it was told of. Again changes nothing. Raises Unavailable, NoBankConnection.
    """
    seen = Shipment.objects.filter(
        cash_to_collect_minor__gt=0,
        dispatched_at__gte=at - timedelta(days=DAYS_TOLD),
        remittance_lines=None,
    ).exclude(delivered_at=None, returned_at=None)
    told = 0
    for shipment in seen.exclude(tracking_number="").select_related("supplier_order").order_by("pk"):
        try:
            fetching.announce_parcel(shipment=shipment)
        except Refused:
            continue  # it knows the parcel otherwise; that is its business
        outcome = "delivered" if shipment.delivered_at else "refused"
        address = f"{settings.BANK_SANDBOX_URL.rstrip('/')}/parcels/{quote(shipment.tracking_number)}"
        told += post(f"{address}/{outcome}", {})
    return told
