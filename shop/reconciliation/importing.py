"""Files of the bank and the carriers, taken in as they came: stored, read, and each line written once.

A file that cannot be believed is refused whole and leaves nothing behind. The same bytes again, or an export
that overlaps an earlier one, add nothing twice.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils.text import get_valid_filename
from moneyed import Money

from shop.core import rib as ribs
from shop.core.clock import day_of
from shop.core.errors import Refused
from shop.core.lives import refused_when_stale
from shop.core.money import MAD, from_minor, to_minor, total
from shop.fulfilment.models import Carrier, Shipment, SupplierOrder
from shop.ledger import accounts, entries
from shop.ledger.models import JournalEntry
from shop.payments import refunding
from shop.payments.models import Payout, PayoutBatch, Refund
from shop.reconciliation import chaining
from shop.reconciliation.actions import Action
from shop.reconciliation.errors import (
    AlreadyImported,
    BalancesNeeded,
    InvoiceKnown,
    InvoiceOfAnotherTime,
    MappingNeeded,
    NotHandedOver,
    OtherAccount,
    OtherBatch,
    ParcelNotOurs,
    RemittanceKnown,
)
from shop.reconciliation.models import (
    ColumnMap,
    Discrepancy,
    Remittance,
    RemittanceLine,
    StatementFile,
    StatementLine,
)
from shop.reconciliation.noticing import cure, notice
from shop.reconciliation.numbering import following, one_at_a_time
from shop.reconciliation.readers import camt053, carrier_invoice_csv, remittance_csv, statement_csv
from shop.reconciliation.readers.statement import Line, Statement
from shop.reconciliation.readers.statement_csv import ColumnMapping
from shop.reconciliation.remitted import accounted_for

logger = logging.getLogger(__name__)

Kind = StatementFile.Kind


# Statements of the bank


@transaction.atomic
def import_statement(
    *,
    content: bytes,
    name: str,
    kind: str,
    account: str,
    mapping: ColumnMapping | None = None,
    opening: Money | None = None,
    closing: Money | None = None,
    by: Any,
    at: datetime,
) -> StatementFile:
    """Keep a statement and write down the lines nobody has seen yet.

    ``account`` is our RIB. A CSV needs its column mapping, and its balances unless it says them itself.
    Statements that do not follow on open an exception. Raises AlreadyImported, OtherAccount, MappingNeeded,
    BalancesNeeded or a ``NotAStatement``; then nothing is kept.
    """
    one_at_a_time("import")
    refuse_if_known(content=content)
    account = ribs.compact(account)
    statement = _read(content, kind, account, mapping, opening, closing)
    if statement.account != account:
        raise OtherAccount(expected=account, found=statement.account)
    file = _keep(
        content,
        StatementFile(
            kind=kind,
            name=name[:160],
            account=account,
            currency=statement.currency,
            opening_minor=to_minor(statement.opening),
            closing_minor=to_minor(statement.closing),
            from_on=statement.from_on,
            to_on=statement.to_on,
            sequence=statement.sequence,
            columns=asdict(mapping) if mapping else {},
            imported_by=by,
            imported_at=at,
        ),
    )
    new = _write_lines(file, statement.lines)
    chaining.look(account=account, at=at)
    logger.info("statement imported", extra={"file": file.sha256[:12], "lines": new})
    return file


def _read(
    content: bytes,
    kind: str,
    account: str,
    mapping: ColumnMapping | None,
    opening: Money | None,
    closing: Money | None,
) -> Statement:
    if kind == Kind.CAMT053:
        return camt053.read(content)
    if mapping is None:
        raise MappingNeeded
    try:
        said = statement_csv.suggest_mapping(content)
    except Refused:
        said = statement_csv.Suggestion(mapping=mapping)
    currency = opening.currency if opening else MAD
    if opening is None and said.opening is not None:
        opening = Money(said.opening, currency)
    if closing is None and said.closing is not None:
        closing = Money(said.closing, currency)
    if opening is None or closing is None:
        raise BalancesNeeded
    from_on, to_on = said.period or (None, None)
    return statement_csv.read(
        content,
        mapping=mapping,
        account=said.account or account,
        opening=opening,
        closing=closing,
        from_on=from_on,
        to_on=to_on,
        sequence=said.sequence,
    )


def refuse_if_known(*, content: bytes) -> None:
    """Raise AlreadyImported if these very bytes were taken before."""
    first = StatementFile.objects.filter(sha256=_hash(content)).first()
    if first is not None:
        raise AlreadyImported(first)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _keep(content: bytes, file: StatementFile) -> StatementFile:
    file.sha256 = _hash(content)
    safe = get_valid_filename(file.name.replace("/", "_").replace("\\", "_").lstrip(".") or "file")
    file.file.save(f"{file.sha256[:12]}-{safe[-80:]}", ContentFile(content), save=False)
    try:
        with transaction.atomic():
            file.save(force_insert=True)
    except IntegrityError as error:
        file.file.delete(save=False)
        raise AlreadyImported(StatementFile.objects.get(sha256=file.sha256)) from error
    return file


def _write_lines(file: StatementFile, lines: tuple[Line, ...]) -> int:
    """Write the lines whose identity is new to the account; returns how many."""
    known = set(
        StatementLine.objects.filter(account=file.account, booked_on__gte=file.from_on).values_list(
            "identity", flat=True
        )
    )
    fresh = [(each, each.identity) for each in lines]
    fresh = [(each, identity) for each, identity in fresh if identity not in known]
    references: dict[int, Iterator[str]] = {}
    rows = []
    for line, identity in fresh:
        year = line.booked_on.year
        if year not in references:
            references[year] = following(StatementLine, prefix="L", year=year, digits=6)
        rows.append(
            StatementLine(
                file=file,
                reference=next(references[year]),
                account=file.account,
                identity=identity,
                number=line.number,
                booked_on=line.booked_on,
                value_on=line.value_on,
                currency=line.amount.currency.code,
                amount_minor=to_minor(line.amount),
                text=line.text,
                bank_reference=line.bank_reference[:80],
                end_to_end_id=line.end_to_end_id[:80],
                counterparty_name=line.counterparty_name[:160],
                counterparty_rib=line.counterparty_rib[:40],
                is_reversal=line.is_reversal,
                raw=line.raw,
            )
        )
    StatementLine.objects.bulk_create(rows, batch_size=500)
    return len(rows)


# Column mappings


def remember_columns(*, name: str, mapping: ColumnMapping, by: Any, at: datetime) -> ColumnMap:
    """Keep how a bank writes its CSV under a name; the same name again replaces it."""
    saved, _new = ColumnMap.objects.update_or_create(
        name=name.strip()[:80], defaults={"columns": asdict(mapping), "saved_by": by, "saved_at": at}
    )
    return saved


def columns_of(*, saved: ColumnMap) -> ColumnMapping:
    """The mapping that was kept."""
    return ColumnMapping(**saved.columns)


# Remittances of carriers


@transaction.atomic
def import_remittance(
    *,
    content: bytes,
    name: str,
    carrier: Carrier,
    by: Any,
    at: datetime,
    columns: remittance_csv.RemittanceColumns = remittance_csv.STANDARD,
) -> Remittance:
    """Keep a carrier's remittance and tie each of its lines to a parcel of ours.

    The books move when the bank shows the money. A parcel that is not ours, or of which less is handed over
    than the carrier had to collect, opens an exception now. Raises AlreadyImported, RemittanceKnown or a
    ``NotAStatement``.
    """
    one_at_a_time("import")
    refuse_if_known(content=content)
    read = remittance_csv.read(content, columns=columns)
    if Remittance.objects.filter(carrier=carrier, reference=read.reference).exists():
        raise RemittanceKnown(read.reference)
    file = _keep(
        content,
        StatementFile(
            kind=Kind.REMITTANCE,
            name=name[:160],
            account=carrier.code,
            currency=read.currency,
            from_on=read.remitted_on,
            to_on=read.remitted_on,
            columns=asdict(columns),
            imported_by=by,
            imported_at=at,
        ),
    )
    remittance: Remittance = Remittance.objects.create(
        reference=read.reference,
        carrier=carrier,
        file=file,
        remitted_on=read.remitted_on,
        currency=read.currency,
        collected_minor=to_minor(read.collected),
        fee_minor=to_minor(read.fee),
        vat_minor=to_minor(read.vat),
        net_minor=to_minor(read.net),
    )
    for line in read.lines:
        written: RemittanceLine = RemittanceLine.objects.create(
            remittance=remittance,
            number=line.number,
            tracking=line.tracking[:60],
            parcel_reference=line.reference[:60],
            shipment=_shipment(carrier, line),
            currency=read.currency,
            collected_minor=to_minor(line.collected),
            fee_minor=to_minor(line.fee),
            vat_minor=to_minor(line.vat),
            net_minor=to_minor(line.net),
            raw=line.raw,
        )
        _hold_against_the_parcel(remittance, written, at)
    logger.info("remittance imported", extra={"remittance": remittance.reference, "lines": len(read.lines)})
    return remittance


def _shipment(
    carrier: Carrier, line: remittance_csv.RemittanceLine | carrier_invoice_csv.InvoiceLine
) -> Shipment | None:
    """The parcel a line is about. A tracking number and a reference that disagree name none."""
    parcels = Shipment.objects.filter(carrier=carrier)
    tracking = "".join(line.tracking.split()).upper()
    reference = "".join(line.reference.split()).upper()
    by_number = parcels.filter(tracking_number__iexact=tracking).first() if tracking else None
    named = list(parcels.filter(supplier_order__reference__iexact=reference)) if reference else []
    named += list(parcels.filter(reference__iexact=reference)) if reference else []
    if by_number is None:
        return named[0] if len({each.pk for each in named}) == 1 else None
    if named and by_number.pk not in {each.pk for each in named}:
        return None
    return by_number


def _hold_against_the_parcel(remittance: Remittance, line: RemittanceLine, at: datetime) -> None:
    receivable = accounts.cod_receivable(remittance.carrier.code, line.currency).code
    subject = f"{remittance.carrier.code}/{remittance.reference}/{line.tracking}"
    if line.shipment is None:
        if line.collected_minor:
            notice(
                kind=Discrepancy.Kind.COD_UNKNOWN,
                subject=subject,
                amount=line.collected,
                suggestion=Action.ADJUST,
                account=accounts.suspense(remittance.carrier.code, line.currency).code,
                detail={"tracking": line.tracking, "parcel": line.parcel_reference},
                at=at,
            )
        return
    accounted = accounted_for(line)
    if line.collected_minor > accounted:
        notice(
            kind=Discrepancy.Kind.AMOUNT_DIFFERS,
            subject=subject,
            amount=from_minor(line.collected_minor - accounted, line.currency),
            suggestion=Action.ADJUST,
            account=accounts.suspense(remittance.carrier.code, line.currency).code,
            detail={"shipment": line.shipment.reference, "tracking": line.tracking, "reason": "too_much"},
            at=at,
        )
        return
    paid = sum(accounted_for(each) for each in line.shipment.remittance_lines.select_related("shipment"))
    missing = line.shipment.cash_to_collect_minor - paid
    shortages = Discrepancy.objects.filter(
        kind=Discrepancy.Kind.COD_SHORT, subject_reference=line.shipment.reference
    ).unsettled()
    if missing <= 0:
        cure(shortages, at=at)
        return
    notice(
        kind=Discrepancy.Kind.COD_SHORT,
        subject=line.shipment.reference,
        amount=from_minor(missing, line.currency),
        suggestion=Action.NOTE_ONLY,
        account=receivable,
        detail={
            "remittance": remittance.reference,
            "tracking": line.tracking,
            "to_collect_minor": line.shipment.cash_to_collect_minor,
            "collected_minor": line.collected_minor,
        },
        at=at,
    )


# Invoices of carriers


#: How far the day of an invoice may be from the day it is imported.
NOT_FURTHER_THAN = timedelta(days=366)


@dataclass(frozen=True)
class BookedInvoice:
    """What was booked. ``again`` are the parts of which other invoices charged carriage before."""

    reference: str
    gross: Money
    again: tuple[str, ...]


@transaction.atomic
def import_carrier_invoice(
    *, content: bytes, name: str, carrier: Carrier, by: Any, at: datetime
) -> BookedInvoice:
    """Keep a carrier's invoice and book what each part's carriage cost (J4c), refused parcels too.

    Paying it is a line of the bank's that people settle. A part that another invoice charged before was carried
    twice, and is named, so that somebody can ask. A parcel that is not ours refuses the whole file. Raises
    AlreadyImported, InvoiceKnown, InvoiceOfAnotherTime, ParcelNotOurs or a ``NotAStatement``.
    """
    one_at_a_time("import")
    refuse_if_known(content=content)
    invoice = carrier_invoice_csv.read(content)
    if abs(invoice.invoiced_on - day_of(at)) > NOT_FURTHER_THAN:
        raise InvoiceOfAnotherTime(f"{invoice.invoiced_on:%d/%m/%Y}")
    named = f"{carrier.code}/{_as_a_name(invoice.reference)}"
    carriage = JournalEntry.objects.filter(kind=JournalEntry.Kind.CARRIER_COST)
    if carriage.filter(postings__ext_ref=named).exists():
        raise InvoiceKnown(invoice.reference)
    parts: dict[SupplierOrder, list[carrier_invoice_csv.InvoiceLine]] = {}
    for line in invoice.lines:
        parcel = _shipment(carrier, line)
        if parcel is None:
            raise ParcelNotOurs(line.tracking)
        parts.setdefault(parcel.supplier_order, []).append(line)
    before = carriage.filter(supplier_order__in=[each.reference for each in parts])
    again = sorted(set(before.values_list("supplier_order", flat=True)))
    file = _keep(
        content,
        StatementFile(
            kind=Kind.INVOICE,
            name=name[:160],
            account=carrier.code,
            currency=invoice.currency,
            from_on=invoice.invoiced_on,
            to_on=invoice.invoiced_on,
            imported_by=by,
            imported_at=at,
        ),
    )
    for part, lines in parts.items():
        entries.record_carrier_cost(
            supplier_order=part.reference,
            order=part.order.number,
            carrier=carrier.code,
            effective_on=invoice.invoiced_on,
            net=total([each.net for each in lines], invoice.currency),
            vat=total([each.vat for each in lines], invoice.currency),
            invoice=named,
        )
    logger.info("carrier invoice imported", extra={"file": file.sha256[:12], "parts": len(parts)})
    return BookedInvoice(reference=invoice.reference, gross=invoice.gross, again=tuple(again))


def _as_a_name(reference: str) -> str:
    """A carrier's reference as it can stand in the name of an event."""
    return re.sub(r"[^A-Za-z0-9_./#-]+", "-", reference)[:40]


# What the bank says of a batch


@transaction.atomic
def import_batch_status(
    *, batch: PayoutBatch, answer: Mapping[str, Any], by: Any = None, at: datetime
) -> list[Discrepancy]:
    """Take the bank's report on a batch; returns the exceptions about what it rejected.

    A rejection has no line on any statement: this report is the only word of it. A rejected payout waits
    for two persons, a rejected refund is owed again. Raises OtherBatch, or NotHandedOver for a batch of which
    nobody has written down yet that the bank has it.
    """
    if answer.get("message_id") != batch.reference:
        raise OtherBatch(expected=batch.reference, found=str(answer.get("message_id", "")))
    one_at_a_time("import")
    batch = PayoutBatch.objects.select_for_update().get(pk=batch.pk)
    if batch.handed_over_at is None:
        raise NotHandedOver(batch.reference)
    content = json.dumps(answer, sort_keys=True, ensure_ascii=False, indent=1).encode()
    if not StatementFile.objects.filter(sha256=_hash(content)).exists():
        _keep(
            content,
            StatementFile(
                kind=Kind.STATUS,
                name=f"{batch.reference}.json",
                account=batch.reference,
                currency=batch.currency,
                imported_by=by,
                imported_at=at,
            ),
        )
    found = []
    for transfer in answer.get("transfers", []):
        if transfer.get("status") != "RJCT":
            continue
        reference, why = str(transfer.get("end_to_end_id", "")), str(transfer.get("reason", ""))
        payout = Payout.objects.filter(batch=batch, reference=reference).first()
        refund = next((each for each in batch.refunds.all() if each.bank_reference == reference), None)
        if payout is not None and payout.state != Payout.State.REJECTED:
            found.append(
                notice(
                    kind=Discrepancy.Kind.PAYOUT_REJECTED,
                    subject=payout.reference,
                    amount=payout.amount,
                    suggestion=Action.PUT_BACK,
                    account=accounts.payout_in_flight(payout.cooperative.code, payout.currency).code,
                    detail={"reason": why, "batch": batch.reference, "cooperative": payout.cooperative.code},
                    at=at,
                )
            )
        elif refund is not None and refund.state in (Refund.State.SENDING, Refund.State.SENT):
            with refused_when_stale():
                refunding.rejected_by_bank(refund=refund, why=why or "RJCT", at=at)
    return found
