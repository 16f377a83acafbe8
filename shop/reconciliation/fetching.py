"""The demonstration's bank and carrier, over loopback: the port's adapter for ``fixtures/bank_sandbox``.

A Moroccan bank offers no such door to a shop of this size: in production the address is empty, operators
carry files between the bank's site and ours, and everything here says so.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings

from shop.core.errors import Refused, Unavailable
from shop.core.money import to_minor
from shop.fulfilment import delivering
from shop.fulfilment.models import Carrier, Shipment
from shop.payments import batches, payouts
from shop.payments.models import Deposit, PayoutBatch
from shop.reconciliation import importing
from shop.reconciliation.errors import AlreadyImported, NoBankConnection
from shop.reconciliation.models import Discrepancy, Match, Remittance, StatementFile

logger = logging.getLogger(__name__)

_TIMEOUT = 10


class BankRefused(Refused):
    """The bank took the question and said no; its own words."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def is_connected() -> bool:
    """Whether there is a bank to talk to: only in the demonstration."""
    return bool(settings.BANK_SANDBOX_URL)


def hand_over(*, batch: PayoutBatch, by: Any, at: datetime) -> PayoutBatch:
    """Give the approved file to the bank and write down that it took it.

    That it may have it is committed before it is asked. The bank knows a batch by its reference: given again,
    it says so and nothing moves twice. Raises NotApproved, GivenUp, BankRefused, Unavailable, NoBankConnection.
    """
    content = batches.download(batch=batch, by=by, at=at)
    is_first = payouts.offer(batch=batch, at=at)
    try:
        acknowledgement = _json(_ask("/batches", body=content, kind="application/xml"))
    except BankRefused as refusal:
        if refusal.code != "DU01":
            if is_first:
                payouts.not_taken(batch=batch)
            raise
        acknowledgement = _json(_ask(f"/batches/{quote(batch.reference)}"))
        if acknowledgement.get("sha256") != batch.sha256:
            raise
    return payouts.hand_over(batch=batch, at=at, acknowledgement=acknowledgement)


def fetch_status(*, batch: PayoutBatch, by: Any = None, at: datetime) -> list[Discrepancy]:
    """Ask what became of a batch; what was rejected is an exception. Raises BankRefused, Unavailable."""
    answer = _json(_ask(f"/batches/{quote(batch.reference)}"))
    return importing.import_batch_status(batch=batch, answer=answer, by=by, at=at)


def fetch_statement(*, by: Any, at: datetime) -> StatementFile:
    """The newest statement; one that is here already is returned as it is. Raises Unavailable."""
    content = _ask("/statement?format=camt053")
    try:
        return importing.import_statement(
            content=content,
            name=f"releve-{at:%Y%m%d-%H%M}.xml",
            kind=StatementFile.Kind.CAMT053,
            account=settings.SHOP_LEGAL["rib"],
            by=by,
            at=at,
        )
    except AlreadyImported as known:
        first: StatementFile = known.first
        return first


def fetch_remittance(*, carrier: Carrier, by: Any, at: datetime) -> Remittance:
    """The carrier's newest remittance; one that is here already is returned as it is.

    Raises BankRefused when nothing was collected yet, Unavailable.
    """
    content = _ask("/remittance?format=csv")
    try:
        return importing.import_remittance(
            content=content, name=f"bordereau-{at:%Y%m%d-%H%M}.csv", carrier=carrier, by=by, at=at
        )
    except AlreadyImported as known:
        remittance: Remittance = known.first.remittance
        return remittance


def announce_deposit(*, deposit: Deposit) -> dict[str, Any]:
    """Tell the bank what Stripe sent, as Stripe's own bank would. The same again changes nothing."""
    return _json(
        _ask(
            "/deposits",
            body=_packed(
                id=deposit.stripe_id,
                trace_id=deposit.trace_id or deposit.stripe_id,
                amount=deposit.amount_minor,
                currency=deposit.currency,
            ),
        )
    )


def announce_parcel(*, shipment: Shipment) -> dict[str, Any]:
    """Tell the carrier of a parcel and what to collect for it. The same again changes nothing."""
    return _json(
        _ask(
            "/parcels",
            body=_packed(
                tracking=shipment.tracking_number,
                reference=shipment.supplier_order.reference,
                cod_amount=to_minor(shipment.cash_to_collect),
            ),
        )
    )


def announce_waiting() -> int:
    """Tell bank and carrier of every deposit and parcel that is on its way; returns how many. Again changes nothing.

    In the world Stripe's bank and the parcel itself do this; here somebody has to. One that is refused is
    written to the log and holds up none of the others. Raises Unavailable.
    """
    arrived = Match.objects.filter(subject=Match.Subject.DEPOSIT, state=Match.State.CONFIRMED)
    # The bank shows a deposit's trace id, which Stripe gives when it arrives: announced before, under another
    # name, it would be refused ever after.
    deposits = (
        Deposit.objects.exclude(status__in=["failed", "canceled"])
        .exclude(trace_id="", status__in=["pending", "in_transit"])
        .exclude(stripe_id__in=arrived.values("subject_reference"))
    )
    parcels = Shipment.objects.filter(delivered_at=None, returned_at=None).exclude(tracking_number="")
    told = 0
    for deposit in deposits:
        told += _is_taken(partial(announce_deposit, deposit=deposit), deposit.stripe_id)
    for parcel in parcels.select_related("supplier_order"):
        told += _is_taken(partial(announce_parcel, shipment=parcel), parcel.reference)
    return told


def _is_taken(announce: Callable[[], Any], about: str) -> bool:
    try:
        announce()
    except BankRefused as refusal:
        logger.warning("announcement refused", extra={"about": about, "code": refusal.code})
        return False
    return True


def fetch_tracking(*, carrier: Carrier, at: datetime) -> delivering.TrackingImport:
    """Read where every parcel is and take the carrier's word for it. Again changes nothing. Raises Unavailable."""
    rows = csv.DictReader(io.StringIO(_ask("/tracking.csv").decode()))
    return delivering.import_tracking(
        rows=[
            delivering.TrackingRow(
                carrier=carrier.code,
                tracking_number=each["tracking"],
                status="delivered" if each["status"] == "delivered" else "refused",
                happened_at=datetime.fromisoformat(each["at"]),
            )
            for each in rows
            if each["status"] in ("delivered", "refused")
        ],
        at=at,
    )


def _packed(**values: Any) -> bytes:
    return json.dumps(values).encode()


def _json(content: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content)
    return found


def _ask(path: str, *, body: bytes | None = None, kind: str = "application/json") -> bytes:
    if not is_connected():
        raise NoBankConnection
    url = settings.BANK_SANDBOX_URL.rstrip("/") + path
    request = urllib.request.Request(url, data=body, headers={"Content-Type": kind})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError as error:
        raise _refusal(error) from error
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise Unavailable("the bank does not answer") from error


def _refusal(error: urllib.error.HTTPError) -> Exception:
    try:
        said = json.loads(error.read())["error"]
        code, message = str(said["code"]), str(said["message"])
    except (ValueError, KeyError, TypeError):
        return Unavailable(f"the bank answered {error.code}")
    return BankRefused(code, message) if error.code < 500 else Unavailable(message)


def statement_of(*, days: tuple[str, str]) -> bytes:
    """The bank's lines of some days (both included, ISO), as CSV: an overlapping export on purpose."""
    return _ask("/statement?" + urlencode({"format": "csv", "from": days[0], "to": days[1]}))
