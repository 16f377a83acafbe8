"""The same batch of payouts as a table, for banks that take a CSV file instead of pain.001.

No bank publishes its column layout, so the layout is data: which columns, under which headings, with
which marks. Cells that a spreadsheet would run as a formula are guarded with an apostrophe, and the RIB
stands in its printed groups so that a spreadsheet does not turn 24 digits into a rounded number.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from moneyed import CurrencyDoesNotExist, Money, get_currency

from shop.core.errors import Refused
from shop.payments.bank import rib
from shop.payments.bank.errors import BatchFileAltered, BatchFileUnreadable
from shop.payments.bank.pain001 import (
    LARGEST_FILE,
    AccountForm,
    Batch,
    CreditTransfer,
    clean,
    decimal_text,
)

_STARTS_A_FORMULA = frozenset("=+-@\t\r\n|%'")


class Field(StrEnum):
    """What a column may hold."""

    BATCH = "batch"
    NUMBER = "number"
    EXECUTE_ON = "execute_on"
    DEBTOR_RIB = "debtor_rib"
    REFERENCE = "reference"
    NAME = "name"
    RIB = "rib"
    RIB_GROUPED = "rib_grouped"
    IBAN = "iban"
    BANK_CODE = "bank_code"
    AMOUNT = "amount"
    CURRENCY = "currency"
    TEXT = "text"


@dataclass(frozen=True, kw_only=True)
class Column:
    heading: str
    field: Field


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How one bank wants the table. ``date_format`` is strftime's; ``decimal_mark`` a point or a comma."""

    columns: tuple[Column, ...]
    delimiter: str = ";"
    decimal_mark: str = ","
    date_format: str = "%d/%m/%Y"
    encoding: str = "utf-8-sig"
    with_headings: bool = True

    def __post_init__(self) -> None:
        fields = [column.field for column in self.columns]
        accounts = {Field.RIB, Field.RIB_GROUPED, Field.IBAN}
        if len(set(fields)) != len(fields) or not {
            Field.REFERENCE,
            Field.NAME,
            Field.AMOUNT,
            Field.CURRENCY,
        } <= set(fields):
            raise ValueError(
                "a layout has each column once, and reference, name, amount and currency among them"
            )
        if not accounts & set(fields):
            raise ValueError("a layout has the account as rib, rib_grouped or iban")
        if self.decimal_mark not in (".", ",") or self.delimiter == self.decimal_mark:
            raise ValueError("the decimal mark is a point or a comma, and not the delimiter")


def columns(fields: Mapping[str, str]) -> tuple[Column, ...]:
    """Columns as settings or a table keep them: ``{heading: field}`` in order."""
    return tuple(Column(heading=heading, field=Field(field)) for heading, field in fields.items())


STANDARD = Layout(
    columns=columns(
        {
            "Remise": "batch",
            "N°": "number",
            "Date d'exécution": "execute_on",
            "Compte à débiter": "debtor_rib",
            "Référence": "reference",
            "Bénéficiaire": "name",
            "RIB": "rib_grouped",
            "Montant": "amount",
            "Devise": "currency",
            "Motif": "text",
        }
    )
)


@dataclass(frozen=True, kw_only=True)
class Table:
    """What a batch table orders, read back. ``batch`` is empty when the layout has no such column."""

    batch: str
    execute_on: date | None
    debtor_rib: str
    transfers: tuple[CreditTransfer, ...]

    @property
    def count(self) -> int:
        return len(self.transfers)

    @property
    def total(self) -> Money:
        return sum((each.amount for each in self.transfers[1:]), self.transfers[0].amount)


def write(*, batch: Batch, layout: Layout = STANDARD, latin_only: bool = False) -> bytes:
    """The batch as a table; the same batch and layout always give the same bytes.

    Names are transliterated where the layout's encoding has no Arabic. Raises the refusals of
    ``pain001.write``, for the same reasons.
    """
    latin_only = latin_only or not layout.encoding.lower().startswith("utf")
    batch = clean(batch=batch, latin_only=latin_only)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=layout.delimiter, lineterminator="\r\n")
    if layout.with_headings:
        writer.writerow(column.heading for column in layout.columns)
    for number, transfer in enumerate(batch.transfers, start=1):
        values = _values(batch, number, transfer, layout)
        writer.writerow(guarded(values[column.field]) for column in layout.columns)
    return text.getvalue().encode(layout.encoding)


def read(content: bytes, *, layout: Layout = STANDARD) -> Table:
    """The transfers in a table that ``write`` made with this layout. Raises a ``NotABatchFile``."""
    if len(content) > LARGEST_FILE:
        raise BatchFileUnreadable
    try:
        text = content.decode(layout.encoding)
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=layout.delimiter, strict=True))
        if layout.with_headings and rows.pop(0) != [column.heading for column in layout.columns]:
            raise BatchFileUnreadable
        table = _table(rows, layout)
    except (
        UnicodeDecodeError,
        csv.Error,
        LookupError,
        ValueError,
        InvalidOperation,
        CurrencyDoesNotExist,
        Refused,
    ) as error:
        raise BatchFileUnreadable from error
    if len({transfer.reference for transfer in table.transfers}) != table.count:
        raise BatchFileAltered
    return table


def guarded(cell: str) -> str:
    """The cell so that no spreadsheet takes it for a formula; ``unguarded`` gives the cell back."""
    return f"'{cell}" if cell[:1] in _STARTS_A_FORMULA and cell else cell


def unguarded(cell: str) -> str:
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1] in _STARTS_A_FORMULA else cell


def _values(batch: Batch, number: int, transfer: CreditTransfer, layout: Layout) -> dict[Field, str]:
    return {
        Field.BATCH: batch.reference,
        Field.NUMBER: str(number),
        Field.EXECUTE_ON: batch.execute_on.strftime(layout.date_format),
        Field.DEBTOR_RIB: _own_account(batch),
        Field.REFERENCE: transfer.reference,
        Field.NAME: transfer.name,
        Field.RIB: transfer.rib,
        Field.RIB_GROUPED: rib.grouped(transfer.rib),
        Field.IBAN: rib.to_iban(transfer.rib),
        Field.BANK_CODE: rib.bank_code(transfer.rib),
        Field.AMOUNT: decimal_text(transfer.amount).replace(".", layout.decimal_mark),
        Field.CURRENCY: transfer.amount.currency.code,
        Field.TEXT: transfer.text,
    }


def _own_account(batch: Batch) -> str:
    if batch.account_form is AccountForm.IBAN:
        return rib.to_iban(batch.debtor.rib)
    return rib.grouped(batch.debtor.rib)


def _table(rows: list[list[str]], layout: Layout) -> Table:
    transfers = []
    shared = set()
    for number, row in enumerate(rows, start=1):
        cells = {column.field: unguarded(cell) for column, cell in zip(layout.columns, row, strict=True)}
        if int(cells.get(Field.NUMBER, number)) != number:
            raise ValueError("rows are missing or out of order")
        shared.add(tuple(cells.get(field, "") for field in (Field.BATCH, Field.EXECUTE_ON, Field.DEBTOR_RIB)))
        transfers.append(
            CreditTransfer(
                reference=cells[Field.REFERENCE],
                name=cells[Field.NAME],
                rib=_number(cells),
                amount=_amount(cells, layout),
                text=cells.get(Field.TEXT, ""),
            )
        )
    ((batch, execute_on, debtor),) = shared
    return Table(
        batch=batch,
        execute_on=datetime.strptime(execute_on, layout.date_format).date() if execute_on else None,
        debtor_rib=(rib.from_iban(debtor) if debtor.startswith("MA") else rib.check(debtor))
        if debtor
        else "",
        transfers=tuple(transfers),
    )


def _number(cells: dict[Field, str]) -> str:
    """The RIB, which must be the same wherever the row says it."""
    found = {rib.check(cells[field]) for field in (Field.RIB, Field.RIB_GROUPED) if field in cells}
    if Field.IBAN in cells:
        found.add(rib.from_iban(cells[Field.IBAN]))
    (number,) = found
    return number


def _amount(cells: dict[Field, str], layout: Layout) -> Money:
    text = cells[Field.AMOUNT]
    amount = Money(
        Decimal(text.replace(layout.decimal_mark, ".")),
        get_currency(cells[Field.CURRENCY]),
    )
    if amount.amount <= 0 or decimal_text(amount).replace(".", layout.decimal_mark) != text:
        raise ValueError(text)
    return amount
