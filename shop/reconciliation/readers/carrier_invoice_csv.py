"""What a carrier charges for carrying: one file for many parcels, one row for each.

Every row must add up (before VAT + VAT = to pay), and so must the file, against the total row it carries. A
file that does not is refused whole: the carrier is asked, nobody guesses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from moneyed import CurrencyDoesNotExist, Money, get_currency

from shop.reconciliation.readers import cells, tables
from shop.reconciliation.readers.errors import (
    CarriersCellUnreadable,
    CarriersColumnMissing,
    CurrencyDiffers,
    InvoiceSumsWrong,
    ParcelTwice,
    RowCut,
    StatementIncomplete,
)

DELIMITER, DATE_FORMAT, DECIMAL_MARK, TOTAL = ";", "%d/%m/%Y", ",", "TOTAL"
INVOICE, INVOICED_ON, TRACKING, PARCEL = "Facture", "Date de la facture", "N° de suivi", "Référence"
NET, VAT, GROSS, CURRENCY = "Montant HT", "TVA", "Montant TTC", "Devise"
_HEADINGS = (INVOICE, INVOICED_ON, TRACKING, PARCEL, NET, VAT, GROSS, CURRENCY)
_ROWS_BEFORE_HEADINGS = 40


@dataclass(frozen=True, kw_only=True)
class InvoiceLine:
    """One parcel. ``reference`` is ours (the supplier order's) and may be empty."""

    tracking: str
    reference: str
    net: Money
    vat: Money


@dataclass(frozen=True, kw_only=True)
class Invoice:
    """One invoice of a carrier."""

    reference: str
    invoiced_on: date
    currency: str
    lines: tuple[InvoiceLine, ...]
    gross: Money


def read(content: bytes) -> Invoice:
    """The invoice in a carrier's CSV file, all sums checked. Raises a ``NotAStatement``."""
    encoding = tables.encoding_of(content)
    places, after = _below_headings(tables.rows(content, encoding=encoding, delimiter=DELIMITER))
    rows = [_Row(number, row, places) for number, row in after]
    if not rows or rows[-1].text(INVOICE).casefold() != TOTAL.casefold():
        raise StatementIncomplete(TOTAL)
    *parcels, total = rows
    heads = {(each.text(INVOICE), each.day(INVOICED_ON), each.text(CURRENCY)) for each in parcels}
    if len(heads) != 1:
        raise StatementIncomplete(INVOICE)
    ((reference, invoiced_on, currency),) = heads
    if not reference:
        raise StatementIncomplete(INVOICE)
    lines = tuple(each.line() for each in parcels)
    numbers = [each.tracking for each in lines]
    for tracking in numbers:
        if numbers.count(tracking) > 1:
            raise ParcelTwice(tracking)
    told = total.line(is_total=True)
    if told.net.currency.code != currency:
        raise CurrencyDiffers(expected=currency, found=told.net.currency.code)
    for said, summed in (
        (told.net, sum((each.net for each in lines), Money(0, currency))),
        (told.vat, sum((each.vat for each in lines), Money(0, currency))),
    ):
        if said != summed:
            raise InvoiceSumsWrong(row=total.number, expected=summed, found=said)
    return Invoice(
        reference=reference,
        invoiced_on=invoiced_on,
        currency=currency,
        lines=lines,
        gross=told.net + told.vat,
    )


class _Row:
    """One row of the file, asked by heading."""

    def __init__(self, number: int, row: list[str], places: dict[str, int]) -> None:
        if len(row) <= max(places.values()):
            raise RowCut(number)
        self.number, self.row, self.places = number, row, places

    def text(self, heading: str) -> str:
        return " ".join(self.row[self.places[heading]].split())

    def day(self, heading: str) -> date:
        try:
            return cells.day(self.text(heading), date_format=DATE_FORMAT)
        except ValueError as error:
            raise self._unreadable(heading) from error

    def money(self, heading: str) -> Money:
        try:
            currency = get_currency(self.text(CURRENCY))
            return cells.amount(self.text(heading), decimal_mark=DECIMAL_MARK, currency=currency)
        except CurrencyDoesNotExist as error:
            raise self._unreadable(CURRENCY) from error
        except ValueError as error:
            raise self._unreadable(heading) from error

    def line(self, *, is_total: bool = False) -> InvoiceLine:
        net, vat, gross = self.money(NET), self.money(VAT), self.money(GROSS)
        if net + vat != gross:
            raise InvoiceSumsWrong(row=self.number, expected=net + vat, found=gross)
        for figure in (net, vat):
            if figure.amount < 0:
                raise InvoiceSumsWrong(row=self.number, expected=-figure, found=figure)
        if not is_total and not self.text(TRACKING):
            raise self._unreadable(TRACKING)
        return InvoiceLine(tracking=self.text(TRACKING), reference=self.text(PARCEL), net=net, vat=vat)

    def _unreadable(self, heading: str) -> CarriersCellUnreadable:
        return CarriersCellUnreadable(row=self.number, heading=heading, cell=self.text(heading))


def _below_headings(
    numbered: list[tuple[int, list[str]]],
) -> tuple[dict[str, int], list[tuple[int, list[str]]]]:
    missing = list(_HEADINGS)
    for place, (_, row) in enumerate(numbered[:_ROWS_BEFORE_HEADINGS]):
        headings = [cell.strip() for cell in row]
        absent = [heading for heading in _HEADINGS if headings.count(heading) != 1]
        if not absent:
            return {heading: headings.index(heading) for heading in _HEADINGS}, numbered[place + 1 :]
        missing = min(missing, absent, key=len)
    raise CarriersColumnMissing(missing)
