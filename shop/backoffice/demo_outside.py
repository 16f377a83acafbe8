"""What happens outside by itself in the world, and in the demonstration only when somebody tells the sandbox.

Stripe's deposits reach our bank, and the carrier takes our parcels: the bank sandbox hears of both here.
"""

from __future__ import annotations

import csv
import io
import json
import logging
from datetime import datetime, timedelta
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from django.conf import settings

from shop.core.errors import Refused
from shop.fulfilment import delivering
from shop.fulfilment.delivering import TrackingImport, TrackingRow
from shop.fulfilment.models import Carrier, Shipment
from shop.payments.models import Deposit
from shop.reconciliation import fetching
from shop.reconciliation.models import Match

logger = logging.getLogger(__name__)

#: A sandbox that takes longer is taken for one that is down.
PATIENCE_S = 20
#: Parcels older than this have long been announced.
DAYS_ANNOUNCED = 60


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


def announce(*, at: datetime) -> None:
    """Tell bank and carrier what is on its way to them, and which parcels our people saw delivered.

    The same again changes nothing. Raises Unavailable when the sandbox does not answer.
    """
    if not fetching.is_connected():
        return
    arrived = Match.objects.filter(subject=Match.Subject.DEPOSIT, state=Match.State.CONFIRMED)
    on_the_way = Deposit.objects.filter(status="paid").exclude(trace_id="")
    for deposit in on_the_way.exclude(stripe_id__in=arrived.values("subject_reference")).order_by("pk"):
        _quietly(fetching.announce_deposit, deposit=deposit)
    recent = Shipment.objects.exclude(tracking_number="").filter(
        dispatched_at__gte=at - timedelta(days=DAYS_ANNOUNCED), remittance_lines=None
    )
    for shipment in recent.select_related("supplier_order").order_by("pk"):
        _quietly(fetching.announce_parcel, shipment=shipment)
        outcome = "delivered" if shipment.delivered_at else "refused" if shipment.returned_at else ""
        if outcome and shipment.cash_to_collect_minor:
            post(f"{settings.BANK_SANDBOX_URL}/parcels/{quote(shipment.tracking_number)}/{outcome}", {})


def _quietly(ask: Any, **about: Any) -> None:
    """What the sandbox refuses (it knows it otherwise) is no business of ours."""
    try:
        ask(**about)
    except Refused as refusal:
        logger.info("sandbox knows it otherwise", extra={"said": str(refusal)})


def take_tracking(*, at: datetime) -> TrackingImport:
    """Take the carrier's word for its parcels. Raises Unavailable, NoBankConnection."""
    announce(at=at)
    text = fetching.fetch_tracking().decode("utf-8-sig")
    carriers = dict(
        Shipment.objects.exclude(tracking_number="").values_list("tracking_number", "carrier__code")
    )
    rows = []
    for row in csv.DictReader(io.StringIO(text)):
        if row.get("status") in ("delivered", "refused") and row.get("tracking") in carriers:
            rows.append(
                TrackingRow(
                    carrier=carriers[row["tracking"]],
                    tracking_number=row["tracking"],
                    status="delivered" if row["status"] == "delivered" else "refused",
                    happened_at=datetime.fromisoformat(row["at"]),
                )
            )
    return delivering.import_tracking(rows=rows, at=at)


def carrier() -> Carrier | None:
    """The carrier the sandbox plays: the one that collects cash."""
    return Carrier.objects.filter(is_active=True, collects_cash=True).order_by("pk").first()


def let_the_bank_work() -> bool:
    """The sandbox does now what waits for its next business day; whether it answered."""
    return post(f"{settings.BANK_SANDBOX_URL}/_sandbox/settle", {})
