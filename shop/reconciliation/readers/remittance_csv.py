"""What a carrier hands over of the cash it collected: one file for many parcels, net of its fee.

Every row must add up (collected - fee - VAT on the fee = net), and so must the file, against the total row
it carries. A file that does not is refused whole: the carrier is asked, nobody guesses.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date

from moneyed import CurrencyDoesNotExist, Money, get_currency

from shop.reconciliation.readers import cells, tables
from shop.reconciliation.readers.errors import (
    CarriersCellUnreadable,
    CarriersColumnMissing,
    CurrencyDiffers,
    ParcelTwice,
    RemittanceSumsWrong,
    RowCut,
    StatementIncomplete,
)

_ROWS_BEFORE_HEADINGS = 40
_NOT_COLUMNS = frozenset(["delimiter", "encoding", "date_format", "decimal_mark", "total_word"])


@dataclass(frozen=True, kw_only=True)
class RemittanceColumns:
    """How one carrier writes its file: the headings of its columns, its marks, its word for the total row."""

    delimiter: str = ";"
    encoding: str = "utf-8-sig"
    date_format: str = "%d/%m/%Y"
    decimal_mark: str = ","
    total_word: str = "TOTAL"
    reference: str = "Bordereau"
    carrier: str = "Transporteur"
    remitted_on: str = "Date du bordereau"
    tracking: str = "N° de suivi"
    parcel_reference: str = "Référence"
    delivered_on: str = "Date de livraison"
    collected: str = "Encaissé"
    fee: str = "Frais HT"
    vat: str = "TVA sur frais"
    net: str = "Net versé"
    currency: str = "Devise"

    @property
    def headings(self) -> list[str]:
        return [getattr(self, field.name) for field in fields(self) if field.name not in _NOT_COLUMNS]


STANDARD = RemittanceColumns()


@dataclass(frozen=True, kw_only=True)
class RemittanceLine:
    """One parcel: ``collected`` at the door, less ``fee`` (before VAT) and ``vat`` on it, makes ``net``.

    ``reference`` is ours (the supplier order's) and may be empty where the carrier does not know it.
    """

    number: int
    tracking: str
    reference: str
    delivered_on: date | None
    collected: Money
    fee: Money
    vat: Money
    net: Money
    raw: str = ""


@dataclass(frozen=True, kw_only=True)
class Remittance:
    """One handing-over of a carrier. ``net`` is what the bank statement must show."""

    reference: str
    carrier: str
    remitted_on: date
    currency: str
    lines: tuple[RemittanceLine, ...]
    collected: Money
    fee: Money
    vat: Money
    net: Money


def read(content: bytes, *, columns: RemittanceColumns = STANDARD) -> Remittance:
    """The remittance in a carrier's CSV file, all sums checked. Raises a ``NotAStatement``."""
    numbered = tables.rows(content, encoding=columns.encoding, delimiter=columns.delimiter)
    places, after = _find_headings(numbered, columns)

    lines: list[RemittanceLine] = []
    told: tuple[int, tuple[Money, Money, Money, Money]] | None = None
    heads: set[tuple[str, str, str, str]] = set()
    for row_number, row in after:
        if len(row) <= max(places.values()):
            raise RowCut(row_number)
        if told is not None:
            raise StatementIncomplete(columns.total_word)  # nothing may follow the total
        asked = _Row(row_number, row, places, columns)
        figures = asked.figures()
        _check_row(row_number, figures)
        if asked.text(columns.reference).casefold() == columns.total_word.casefold():
            told = (row_number, figures)
            continue
        heads.add(asked.head())
        lines.append(asked.line(number=len(lines) + 1, figures=figures))

    if told is None:
        raise StatementIncomplete(columns.total_word)
    if len(heads) != 1:
        raise StatementIncomplete(columns.reference)
    _check_parcels(lines)
    _check_total(lines, *told)
    ((reference, carrier, remitted_on, currency),) = heads
    if not reference or not remitted_on:
        raise StatementIncomplete(columns.reference if not reference else columns.remitted_on)
    collected, fee, vat, net = told[1]
    return Remittance(
        reference=reference,
        carrier=carrier,
        remitted_on=date.fromisoformat(remitted_on),
        currency=currency,
        lines=tuple(lines),
        collected=collected,
        fee=fee,
        vat=vat,
        net=net,
    )


class _Row:
    """One row of the file, asked by heading."""

    def __init__(
        self, number: int, row: list[str], places: dict[str, int], columns: RemittanceColumns
    ) -> None:
        self.number = number
        self.row = row
        self.places = places
        self.columns = columns

    def text(self, heading: str) -> str:
        return " ".join(self.row[self.places[heading]].split())

    def day(self, heading: str) -> date | None:
        if not self.text(heading):
            return None
        try:
            return cells.day(self.text(heading), date_format=self.columns.date_format)
        except ValueError as error:
            raise self._unreadable(heading) from error

    def money(self, heading: str) -> Money:
        try:
            currency = get_currency(self.text(self.columns.currency))
        except CurrencyDoesNotExist as error:
            raise self._unreadable(self.columns.currency) from error
        try:
            return cells.amount(self.text(heading), decimal_mark=self.columns.decimal_mark, currency=currency)
        except ValueError as error:
            raise self._unreadable(heading) from error

    def figures(self) -> tuple[Money, Money, Money, Money]:
        """Collected, fee, VAT, net."""
        columns = self.columns
        return (
            self.money(columns.collected),
            self.money(columns.fee),
            self.money(columns.vat),
            self.money(columns.net),
        )

    def head(self) -> tuple[str, str, str, str]:
        """What must be the same on every row: reference, carrier, day, currency."""
        columns = self.columns
        on = self.day(columns.remitted_on)
        return (
            self.text(columns.reference),
            self.text(columns.carrier),
            on.isoformat() if on else "",
            self.text(columns.currency),
        )

    def line(self, *, number: int, figures: tuple[Money, Money, Money, Money]) -> RemittanceLine:
        collected, fee, vat, net = figures
        tracking = self.text(self.columns.tracking)
        if not tracking:
            raise self._unreadable(self.columns.tracking)
        return RemittanceLine(
            number=number,
            tracking=tracking,
            reference=self.text(self.columns.parcel_reference),
            delivered_on=self.day(self.columns.delivered_on),
            collected=collected,
            fee=fee,
            vat=vat,
            net=net,
            raw=self.columns.delimiter.join(self.row),
        )

    def _unreadable(self, heading: str) -> CarriersCellUnreadable:
        return CarriersCellUnreadable(row=self.number, heading=heading, cell=self.text(heading))


def _find_headings(
    numbered: list[tuple[int, list[str]]], columns: RemittanceColumns
) -> tuple[dict[str, int], list[tuple[int, list[str]]]]:
    missing = columns.headings
    for place, (_, row) in enumerate(numbered[:_ROWS_BEFORE_HEADINGS]):
        headings = [cell.strip() for cell in row]
        absent = [heading for heading in columns.headings if headings.count(heading) != 1]
        if not absent:
            return {heading: headings.index(heading) for heading in columns.headings}, numbered[place + 1 :]
        missing = min(missing, absent, key=len)
    raise CarriersColumnMissing(missing)


def _check_row(row: int, figures: tuple[Money, Money, Money, Money]) -> None:
    collected, fee, vat, net = figures
    if collected - fee - vat != net:
        raise RemittanceSumsWrong(row=row, expected=collected - fee - vat, found=net)
    for figure in (collected, fee, vat):
        if figure.amount < 0:
            raise RemittanceSumsWrong(row=row, expected=-figure, found=figure)


def _check_parcels(lines: list[RemittanceLine]) -> None:
    seen: set[str] = set()
    for line in lines:
        if line.tracking in seen:
            raise ParcelTwice(line.tracking)
        seen.add(line.tracking)


def _check_total(lines: list[RemittanceLine], row: int, told: tuple[Money, Money, Money, Money]) -> None:
    for place, name in enumerate(("collected", "fee", "vat", "net")):
        figures: list[Money] = [getattr(line, name) for line in lines]
        summed = sum(figures[1:], figures[0])
        if summed.currency != told[place].currency:
            raise CurrencyDiffers(expected=told[place].currency.code, found=summed.currency.code)
        if summed != told[place]:
            raise RemittanceSumsWrong(row=row, expected=summed, found=told[place])
