"""Why a file is not taken for a statement of the bank or the carrier. Each says what to do."""

from __future__ import annotations

from typing import Any

from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from moneyed import Money

from shop.core.errors import Refused
from shop.design.numbers import money_text

#: An amount in the language of whoever reads the sentence it stands in.
_shown = lazy(money_text, str)


class NotAStatement(Refused):
    """The file is no statement, or not one that can be believed. Nothing of it is taken over."""


class FileEmpty(NotAStatement):
    def __init__(self) -> None:
        super().__init__(_("The file is empty. Download the statement again."))


class FileTooLarge(NotAStatement):
    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(
            format_lazy(
                _(
                    "The file is larger than a statement can be ({limit} MB). Ask the bank for a shorter period."
                ),
                limit=limit // (1024 * 1024),
            )
        )


class TooManyLines(NotAStatement):
    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(
            format_lazy(
                _("The file has more than {limit} lines. Ask the bank for a shorter period."), limit=limit
            )
        )


class FileIsASpreadsheet(NotAStatement):
    def __init__(self) -> None:
        super().__init__(_("This is a spreadsheet. Open it and save it as CSV, then import that file."))


class FileIsADocument(NotAStatement):
    def __init__(self) -> None:
        super().__init__(
            _(
                "This is a document to read, not data. Download the statement from the bank as CSV or camt.053."
            )
        )


class NotCamt053(NotAStatement):
    def __init__(self) -> None:
        super().__init__(
            _(
                "This is not a camt.053 statement. Download the statement again as camt.053, or as CSV and "
                "import it through a column mapping."
            )
        )


class StatementIncomplete(NotAStatement):
    def __init__(self, missing: str) -> None:
        self.missing = missing
        super().__init__(
            format_lazy(
                _(
                    "The statement lacks {missing}, or has it wrongly. Download it again; if it stays so, ask the bank."
                ),
                missing=missing,
            )
        )


class SeveralStatements(NotAStatement):
    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(
            format_lazy(
                _("The file has {count} statements, one is wanted here. Import them one by one."), count=count
            )
        )


class UnsafeFile(NotAStatement):
    def __init__(self) -> None:
        super().__init__(
            _(
                "The file contains declarations that no bank sends and that could do harm. It was not opened; ask the bank."
            )
        )


class EncodingDiffers(NotAStatement):
    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        super().__init__(
            format_lazy(
                _(
                    "The file is not text in the encoding {encoding}. Choose another encoding for this bank's files."
                ),
                encoding=encoding,
            )
        )


class NotATable(NotAStatement):
    def __init__(self) -> None:
        super().__init__(_("This is not a table. Save the statement as CSV and check the delimiter."))


class HeadRowMissing(NotAStatement):
    def __init__(self) -> None:
        super().__init__(
            _(
                "No row of this file has headings such as Date, Libellé, Débit and Crédit. Import the bank's own "
                "export, saved as CSV with its headings."
            )
        )


class NoLines(NotAStatement):
    def __init__(self) -> None:
        super().__init__(
            _("The file has no lines. If nothing moved on the account, give the statement's period.")
        )


class ColumnMissing(NotAStatement):
    def __init__(self, headings: list[str]) -> None:
        self.headings = headings
        super().__init__(
            format_lazy(
                _(
                    "The file has no column {headings}. Correct the column mapping, or import the file it was made for."
                ),
                headings=", ".join(f"“{heading}”" for heading in headings),
            )
        )


class CarriersColumnMissing(ColumnMissing):
    """As ``ColumnMissing``, for a carrier's file: its columns are fixed, nobody maps them."""

    def __init__(self, headings: list[str]) -> None:
        self.headings = headings
        NotAStatement.__init__(
            self,
            format_lazy(
                _("The file has no column {headings}. Ask the carrier for the file with all its columns."),
                headings=", ".join(f"“{heading}”" for heading in headings),
            ),
        )


class MappingIncomplete(Refused):
    """The person's column mapping cannot read any statement."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "A column mapping names the date, the text, and either one signed amount or debit and credit, each "
                "column once; its decimal mark is a comma or a point and not the delimiter."
            )
        )


class CellUnreadable(NotAStatement):
    said: Any = _(
        "Row {row}, column “{heading}”: “{cell}” cannot be read. Check the date format and the decimal mark "
        "of the column mapping, or import the file as the bank gave it."
    )

    def __init__(self, *, row: int, heading: str, cell: str) -> None:
        self.row = row
        self.heading = heading
        self.cell = cell
        super().__init__(format_lazy(self.said, row=row, heading=heading, cell=cell[:60]))


class CarriersCellUnreadable(CellUnreadable):
    """In a file whose columns are agreed with the carrier, so that there is nothing to map."""

    said = _(
        "Row {row}, column “{heading}”: “{cell}” cannot be read. Import the file as the carrier gave it: days as "
        "31/12/2026, amounts as 1234,50."
    )


class RowCut(NotAStatement):
    def __init__(self, row: int) -> None:
        self.row = row
        super().__init__(
            format_lazy(
                _("Row {row} has not as many cells as the headings. Import the file as the bank gave it."),
                row=row,
            )
        )


class SumsDoNotAgree(NotAStatement):
    def __init__(self, *, opening: Money, moved: Money, closing: Money) -> None:
        self.opening = opening
        self.moved = moved
        self.closing = closing
        super().__init__(
            format_lazy(
                _(
                    "The opening balance {opening} and the lines {moved} make {sum}, but the closing balance is "
                    "{closing}. Lines are missing or a balance is mistyped: check the balances, or download again."
                ),
                opening=_shown(opening),
                moved=_shown(moved),
                sum=_shown(opening + moved),
                closing=_shown(closing),
            )
        )


class RunningBalanceBreaks(NotAStatement):
    def __init__(self, row: int) -> None:
        self.row = row
        super().__init__(
            format_lazy(
                _(
                    "At row {row} the balance does not follow from the row before. A row is missing or was changed."
                ),
                row=row,
            )
        )


class CurrencyDiffers(NotAStatement):
    def __init__(self, *, expected: str, found: str) -> None:
        self.expected = expected
        self.found = found
        super().__init__(
            format_lazy(
                _(
                    "The account is in {expected}, but the file has amounts in {found}. Import it into the other account."
                ),
                expected=expected,
                found=found,
            )
        )


class OutsidePeriod(NotAStatement):
    def __init__(self, row: int) -> None:
        self.row = row
        super().__init__(
            format_lazy(
                _(
                    "Line {row} was booked outside the statement's period. Check the period and the date format."
                ),
                row=row,
            )
        )


class ParcelTwice(NotAStatement):
    def __init__(self, tracking: str) -> None:
        self.tracking = tracking
        super().__init__(
            format_lazy(
                _("Parcel {tracking} is in this remittance twice. Ask the carrier for a correct file."),
                tracking=tracking,
            )
        )


class InvoiceSumsWrong(NotAStatement):
    def __init__(self, *, row: int, expected: Money, found: Money) -> None:
        self.row = row
        self.expected = expected
        self.found = found
        super().__init__(
            format_lazy(
                _(
                    "Row {row} of the invoice says {found} where its figures make {expected}. Ask the carrier for a "
                    "correct file."
                ),
                row=row,
                expected=_shown(expected),
                found=_shown(found),
            )
        )


class RemittanceSumsWrong(NotAStatement):
    def __init__(self, *, row: int, expected: Money, found: Money) -> None:
        self.row = row
        self.expected = expected
        self.found = found
        super().__init__(
            format_lazy(
                _(
                    "Row {row} of the remittance says {found} where its figures make {expected}. Ask the carrier for a "
                    "correct file."
                ),
                row=row,
                expected=_shown(expected),
                found=_shown(found),
            )
        )
