"""The file a bank takes: made once when a run is planned, shown from its own bytes, never made again.

What the approver reads is read back from the stored file, not from the tables; a file that is not the one
that was made is refused everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shop.core.clock import day_of
from shop.core.errors import Refused
from shop.core.money import to_minor
from shop.payments.bank import batch_csv, pain001
from shop.payments.bank.errors import BatchFileAltered
from shop.payments.bank.pain001 import Batch, CreditTransfer, Debtor
from shop.payments.models import BatchDownload, Payout, PayoutBatch, PayoutRun, Refund

_SATURDAY = 5


class NotApproved(Refused):
    message = _("This batch has not been approved by a second person yet.")


class GivenUp(Refused):
    message = _("This run was given up: its file is never used.")


def make(
    *, run: PayoutRun, payouts: Sequence[Payout], refunds: Sequence[Refund], reference: str, at: datetime
) -> PayoutBatch:
    """Write the file of a run: its payouts by bank transfer, and refunds of orders that were paid in cash.

    Raises a ``BatchRefused`` or ``RibRefused``, and then nothing is kept.
    """
    legal = settings.SHOP_LEGAL
    batch = Batch(
        reference=reference,
        created_at=at,
        execute_on=_next_bank_day(day_of(at)),
        debtor=Debtor(name=legal["name"], rib=legal["rib"]),
        transfers=(
            *(
                CreditTransfer(
                    reference=each.reference,
                    name=each.account.holder,
                    rib=each.account.rib,
                    amount=each.amount,
                    text=f"Tadamon {each.reference}",
                )
                for each in payouts
            ),
            *(
                CreditTransfer(
                    reference=each.bank_reference,
                    name=each.bank_holder,
                    rib=each.bank_rib,
                    amount=each.amount,
                    text=f"Tadamon {each.payment.order.number}",
                )
                for each in refunds
            ),
        ),
    )
    content = pain001.write(batch=batch)
    table = batch_csv.write(batch=batch)
    written = pain001.read(content)
    made = PayoutBatch(
        reference=reference,
        run=run,
        sha256=hashlib.sha256(content).hexdigest(),
        currency=written.total.currency.code,
        total_minor=to_minor(written.total),
        count=written.count,
        execute_on=written.execute_on,
        made_at=at,
    )
    made.pain001.save(f"{reference}.xml", ContentFile(content), save=False)
    made.csv.save(f"{reference}.csv", ContentFile(table), save=False)
    made.save(force_insert=True)
    return made


def shown(*, batch: PayoutBatch) -> Batch:
    """What the bank will be told, read from the file's own bytes. Raises BatchFileAltered."""
    return pain001.read(_content(batch))


def check(*, batch: PayoutBatch) -> None:
    """The file says what the tables say, transfer by transfer. Raises BatchFileAltered."""
    written = shown(batch=batch)
    payouts = batch.run.payouts.filter(batch=batch).select_related("account")
    expected = {each.reference: (each.account.rib, each.amount) for each in payouts}
    expected |= {each.bank_reference: (each.bank_rib, each.amount) for each in batch.refunds.all()}
    if {each.reference: (each.rib, each.amount) for each in written.transfers} != expected:
        raise BatchFileAltered
    if to_minor(written.total) != batch.total_minor or written.count != batch.count:
        raise BatchFileAltered


@transaction.atomic
def download(
    *, batch: PayoutBatch, by: Any, format: Literal["pain001", "csv"] = "pain001", at: datetime
) -> bytes:
    """The file for the bank, the same bytes each time; who took it is written down.

    Raises NotApproved before a second person agreed, GivenUp after, and BatchFileAltered.
    """
    require_approved(run=PayoutRun.objects.select_for_update().get(pk=batch.run_id))
    content = _content(batch)
    if format == "csv":
        with batch.csv.open("rb") as file:
            content = file.read()
        if content != batch_csv.write(batch=pain001.read(_content(batch))):
            raise BatchFileAltered
    BatchDownload.objects.create(batch=batch, user=by, format=format, downloaded_at=at)
    return content


def require_approved(*, run: PayoutRun) -> None:
    """Only what two persons agreed on leaves, and only as long as they stand by it. Raises NotApproved, GivenUp."""
    if run.state == PayoutRun.State.CANCELLED:
        raise GivenUp
    if run.state != PayoutRun.State.APPROVED:
        raise NotApproved


def _content(batch: PayoutBatch) -> bytes:
    with batch.pain001.open("rb") as file:
        content: bytes = file.read()
    if hashlib.sha256(content).hexdigest() != batch.sha256:
        raise BatchFileAltered
    return content


def _next_bank_day(day: date) -> date:
    """The next day banks work; public holidays the bank moves by itself."""
    day += timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
    return day
