"""Bank statements as CSV, through a column mapping that a person confirms once and the shop remembers.

No two banks agree on headings, marks or encodings, so a mapping says them all and nothing is guessed while
reading. ``suggest_mapping`` proposes one from the head row (French, English or Arabic) for the person to
confirm. The balances come from the person: without them nobody can tell whether a line is missing.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from itertools import pairwise

from moneyed import Currency, Money

from shop.core.errors import Refused
from shop.core.money import MAD
from shop.payments.bank import rib
from shop.reconciliation.readers import cells, tables
from shop.reconciliation.readers.errors import (
    CellUnreadable,
    ColumnMissing,
    HeadRowMissing,
    MappingIncomplete,
    NoLines,
    NotAStatement,
    RowCut,
    RunningBalanceBreaks,
)
from shop.reconciliation.readers.statement import Line, Statement, proved

_ROWS_BEFORE_HEADINGS = 40
_NOT_COLUMNS = frozenset(["delimiter", "encoding", "date_format", "decimal_mark", "debit_is_negative"])


@dataclass(frozen=True, kw_only=True)
class ColumnMapping:
    """How one bank writes its CSV: the headings of the columns we read, and its marks.

    Either ``amount`` (signed) or both ``debit`` and ``credit``. ``debit_is_negative`` says that the debit
    column has its amounts with a minus. Columns left empty are not read. ``date_format`` is strptime's.
    """

    delimiter: str = ";"
    encoding: str = "utf-8-sig"
    date_format: str = "%d/%m/%Y"
    decimal_mark: str = ","
    booked_on: str
    text: str
    amount: str = ""
    debit: str = ""
    credit: str = ""
    debit_is_negative: bool = False
    value_on: str = ""
    bank_reference: str = ""
    end_to_end_id: str = ""
    counterparty_name: str = ""
    counterparty_rib: str = ""
    balance: str = ""

    def __post_init__(self) -> None:
        headings = self.headings
        in_two_columns = bool(self.debit and self.credit)
        if not self.booked_on or not self.text or bool(self.amount) == in_two_columns:
            raise MappingIncomplete
        if bool(self.debit) != bool(self.credit) or len(set(headings)) != len(headings):
            raise MappingIncomplete
        if (
            self.decimal_mark not in cells.DECIMAL_MARKS
            or self.delimiter == self.decimal_mark
            or len(self.delimiter) != 1
        ):
            raise MappingIncomplete

    @property
    def headings(self) -> list[str]:
        """The headings the file must have."""
        named = (getattr(self, field.name) for field in fields(self) if field.name not in _NOT_COLUMNS)
        return [heading for heading in named if heading]


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A mapping to confirm, and what else the file says about itself; None or empty where it says nothing."""

    mapping: ColumnMapping
    account: str = ""
    sequence: int | None = None
    opening: Decimal | None = None
    closing: Decimal | None = None
    period: tuple[date, date] | None = None


def read(
    content: bytes,
    *,
    mapping: ColumnMapping,
    account: str,
    opening: Money,
    closing: Money,
    from_on: date | None = None,
    to_on: date | None = None,
    sequence: int | None = None,
) -> Statement:
    """The statement in a CSV file, of the account and with the balances the person gave.

    Rows without a booking date and rows of totals or balances are no lines; that none is lost is proved by
    the balances. Without ``from_on`` and ``to_on`` the period is that of the lines. Raises a ``NotAStatement``.
    """
    numbered = tables.rows(content, encoding=mapping.encoding, delimiter=mapping.delimiter)
    places, after = _find_headings(numbered, mapping)
    currency = opening.currency

    lines: list[Line] = []
    balances: list[tuple[int, Money]] = []
    for row_number, row in after:
        if not _cell(row, places[mapping.booked_on]) or _is_remark(row):
            continue
        if len(row) <= max(places.values()):
            raise RowCut(row_number)
        asked = _Row(row_number, row, places, mapping, currency)
        lines.append(asked.line(number=len(lines) + 1))
        if mapping.balance:
            balances.append((row_number, asked.money(mapping.balance)))

    if not lines and (from_on is None or to_on is None):
        raise NoLines
    _check_running_balance(lines, balances, opening=opening)
    booked = [line.booked_on for line in lines]
    return proved(
        account=_account(account),
        opening=opening,
        closing=closing,
        from_on=from_on or min(booked),
        to_on=to_on or max(booked),
        sequence=sequence,
        lines=lines,
    )


def suggest_mapping(content: bytes) -> Suggestion:
    """The mapping this file seems to want, for a person to confirm. Raises a ``NotAStatement`` if there is none."""
    tables.check_kind(content)
    encoding = tables.encoding_of(content)
    best: tuple[int, str, int, dict[str, str]] | None = None
    for delimiter in tables.DELIMITERS:
        try:
            numbered = tables.rows(content, encoding=encoding, delimiter=delimiter)
        except NotAStatement:
            continue
        for place, (_, row) in enumerate(numbered[:_ROWS_BEFORE_HEADINGS]):
            named = _recognised(row)
            enough = (
                "booked_on" in named
                and "text" in named
                and ("amount" in named or {"debit", "credit"} <= set(named))
            )
            if enough and (best is None or len(named) > best[0]):
                best = (len(named), delimiter, place, named)
    if best is None:
        raise HeadRowMissing

    _, delimiter, place, named = best
    numbered = tables.rows(content, encoding=encoding, delimiter=delimiter)
    if {"debit", "credit"} <= set(named):
        named.pop("amount", None)
    else:
        named.pop("debit", None)
        named.pop("credit", None)
    headings = [cell.strip() for cell in numbered[place][1]]
    columns = {
        field: [_cell(row, headings.index(heading)) for _, row in numbered[place + 1 :]]
        for field, heading in named.items()
    }
    decimal_mark = _likely_decimal_mark(
        [cell for field in ("debit", "credit", "amount", "balance") for cell in columns.get(field, [])]
    )
    if decimal_mark == delimiter:
        decimal_mark = "."
    mapping = ColumnMapping(
        delimiter=delimiter,
        encoding=encoding,
        date_format=_likely_date_format([cell for cell in columns["booked_on"] if cell]),
        decimal_mark=decimal_mark,
        debit_is_negative=_all_negative(columns.get("debit", [])),
        **named,
    )
    return _about(mapping, numbered[:place] + numbered[place + 1 :])


class _Row:
    """One row of the file, asked by heading."""

    def __init__(
        self, number: int, row: list[str], places: dict[str, int], mapping: ColumnMapping, currency: Currency
    ) -> None:
        self.number = number
        self.row = row
        self.places = places
        self.mapping = mapping
        self.currency = currency

    def line(self, *, number: int) -> Line:
        mapping = self.mapping
        booked_on = self.day(mapping.booked_on)
        return Line(
            number=number,
            booked_on=booked_on,
            value_on=self.day(mapping.value_on) if self.text(mapping.value_on) else booked_on,
            amount=self.amount(),
            text=self.text(mapping.text),
            bank_reference=self.text(mapping.bank_reference),
            end_to_end_id=self.text(mapping.end_to_end_id),
            counterparty_name=self.text(mapping.counterparty_name),
            counterparty_rib=_account(self.text(mapping.counterparty_rib)),
            raw=mapping.delimiter.join(self.row),
        )

    def text(self, heading: str) -> str:
        return " ".join(_cell(self.row, self.places[heading]).split()) if heading else ""

    def day(self, heading: str) -> date:
        try:
            return cells.day(self.text(heading), date_format=self.mapping.date_format)
        except ValueError as error:
            raise CellUnreadable(row=self.number, heading=heading, cell=self.text(heading)) from error

    def money(self, heading: str) -> Money:
        try:
            return cells.amount(
                self.text(heading), decimal_mark=self.mapping.decimal_mark, currency=self.currency
            )
        except ValueError as error:
            raise CellUnreadable(row=self.number, heading=heading, cell=self.text(heading)) from error

    def amount(self) -> Money:
        """What moved, positive when it came in. Of debit and credit exactly one may say something."""
        mapping = self.mapping
        if mapping.amount:
            return self.money(mapping.amount)
        debit = self.money(mapping.debit) if self.text(mapping.debit) else Money(0, self.currency)
        credit = self.money(mapping.credit) if self.text(mapping.credit) else Money(0, self.currency)
        both_or_none = bool(debit.amount) == bool(credit.amount)
        wrong_sign = credit.amount < 0 or (
            debit.amount > 0 if mapping.debit_is_negative else debit.amount < 0
        )
        if both_or_none or wrong_sign:
            shown = f"{self.text(mapping.debit)} / {self.text(mapping.credit)}"
            raise CellUnreadable(row=self.number, heading=f"{mapping.debit} / {mapping.credit}", cell=shown)
        return credit - debit if not mapping.debit_is_negative else credit + debit


def _find_headings(
    numbered: list[tuple[int, list[str]]], mapping: ColumnMapping
) -> tuple[dict[str, int], list[tuple[int, list[str]]]]:
    """Where each mapped heading stands, and the rows below the headings."""
    missing: list[str] | None = None
    for place, (_, row) in enumerate(numbered[:_ROWS_BEFORE_HEADINGS]):
        headings = [cell.strip() for cell in row]
        absent = [heading for heading in mapping.headings if headings.count(heading) != 1]
        if not absent:
            return {heading: headings.index(heading) for heading in mapping.headings}, numbered[place + 1 :]
        if missing is None or len(absent) < len(missing):
            missing = absent
    raise ColumnMissing(missing or mapping.headings)


def _check_running_balance(lines: list[Line], balances: list[tuple[int, Money]], *, opening: Money) -> None:
    """If the file has a balance on each row, each must follow from the one before; newest may stand first."""
    if not balances:
        return
    amounts = [line.amount for line in lines]
    held = [balance for _, balance in balances]
    oldest_first = held[0] == opening + amounts[0]
    if not oldest_first and held[-1] != opening + amounts[-1]:
        raise RunningBalanceBreaks(balances[0][0])
    for place, (before, after) in enumerate(pairwise(held), start=1):
        moved = after - before == amounts[place] if oldest_first else before - after == amounts[place - 1]
        if not moved:
            raise RunningBalanceBreaks(balances[place][0])


def _cell(row: list[str], place: int) -> str:
    return row[place].strip() if place < len(row) else ""


def _account(text: str) -> str:
    """The RIB in a cell, whether written as RIB or IBAN; another number as it stands."""
    if not text:
        return ""
    try:
        return rib.from_iban(text) if text.upper().startswith("MA") else rib.check(text)
    except Refused:
        return " ".join(text.split())


# What banks call their columns. Compared after _folded, so accents, case and marks do not matter.
_HEADINGS = {
    "booked_on": (
        "Date d'opération", "Date opération", "Date comptable", "Date", "Date ope", "Date mouvement", "Booking date",
        "Transaction date", "Operation date", "Posting date", "التاريخ", "تاريخ العملية", "تاريخ القيد",
    ),
    "value_on": ("Date de valeur", "Date valeur", "Valeur", "Value date", "تاريخ القيمة", "تاريخ الاستحقاق"),
    "text": (
        "Libellé", "Libellé de l'opération", "Libellé opération", "Description", "Détails", "Désignation",
        "Nature de l'opération", "Nature opération", "Motif", "Text", "Narrative", "Details", "البيان", "الوصف",
        "التفاصيل", "بيان العملية",
    ),
    "debit": ("Débit", "Montant débit", "Débits", "Withdrawal", "Money out", "Paid out", "مدين", "المدين", "الخصم"),
    "credit": ("Crédit", "Montant crédit", "Crédits", "Deposit", "Money in", "Paid in", "دائن", "الدائن"),
    "amount": ("Montant", "Montant de l'opération", "Montant opération", "Amount", "Somme", "المبلغ", "مبلغ العملية"),
    "bank_reference": (
        "Référence", "Réf", "Référence opération", "Référence de l'opération", "Référence bancaire", "N° opération",
        "Numéro d'opération", "Reference", "Bank reference", "Transaction id", "المرجع", "رقم العملية", "مرجع العملية",
    ),
    "end_to_end_id": (
        "Référence client", "Référence de bout en bout", "Réf client", "End to end id", "EndToEndId",
        "End-to-end reference", "Customer reference", "مرجع العميل", "مرجع الزبون",
    ),
    "counterparty_name": (
        "Contrepartie", "Nom de la contrepartie", "Bénéficiaire", "Tiers", "Donneur d'ordre", "Counterparty",
        "Counterparty name", "Name", "الطرف المقابل", "المستفيد",
    ),
    "counterparty_rib": (
        "RIB contrepartie", "RIB de la contrepartie", "Compte contrepartie", "Counterparty account", "Counterparty rib",
        "Counterparty iban", "RIB", "IBAN", "حساب الطرف المقابل",
    ),
    "balance": ("Solde", "Solde après opération", "Balance", "Running balance", "الرصيد"),
}  # fmt: skip
_ABOUT = {
    "opening": (
        "Solde initial", "Solde d'ouverture", "Ancien solde", "Solde précédent", "Opening balance",
        "الرصيد الافتتاحي", "رصيد البداية", "الرصيد السابق",
    ),
    "closing": (
        "Solde final", "Solde de clôture", "Nouveau solde", "Closing balance", "الرصيد الختامي", "الرصيد النهائي",
        "الرصيد الجديد",
    ),
    "account": ("Compte", "N° compte", "N° de compte", "RIB", "Account", "Account number", "الحساب", "رقم الحساب"),
    "total": ("Total", "Totaux", "Total des mouvements", "Totals", "المجموع"),
    "period": ("Période", "Period", "Statement period", "الفترة", "المدة"),
    "sequence": ("Relevé n°", "Relevé", "N° de relevé", "Statement", "Statement number", "رقم الكشف", "كشف رقم"),
}  # fmt: skip
_DATE_FORMATS = (
    "%d/%m/%Y",
    "%Y-%m-%d",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%d/%m/%y",
    "%Y/%m/%d",
    "%d-%m-%y",
    "%Y%m%d",
    "%m/%d/%Y",
)


def _folded(heading: str) -> str:
    """A heading without accents, case, marks, or a remark in brackets; Arabic letters in one form each."""
    text = unicodedata.normalize("NFKD", re.sub(r"[(\[].*?[)\]]", " ", heading))
    text = "".join(character for character in text if unicodedata.category(character) not in ("Mn", "Cf"))
    text = text.casefold().translate(str.maketrans("ةىـٱ", "هي ا"))
    return " ".join(re.sub(r"[^\w]+", " ", text).split())


_BY_HEADING = {_folded(name): field for field, names in _HEADINGS.items() for name in names}
_BY_REMARK = {_folded(name): field for field, names in _ABOUT.items() for name in names}


def _is_remark(row: list[str]) -> bool:
    """Does the row say a balance or a total about the table, rather than a movement?"""
    first = next((cell for cell in row if cell.strip()), "")
    return _folded(first) in _BY_REMARK


def _recognised(row: list[str]) -> dict[str, str]:
    """The columns this row seems to name: {our field: their heading}. The first of two alike wins."""
    headings = [cell.strip() for cell in row]
    named: dict[str, str] = {}
    for heading in headings:
        field = _BY_HEADING.get(_folded(heading))
        if field is not None and field not in named and headings.count(heading) == 1:
            named[field] = heading
    return named


def _likely_date_format(written: list[str]) -> str:
    """The first format that reads every date; day before month where both would do."""
    for date_format in _DATE_FORMATS:
        try:
            for text in written:
                cells.day(text, date_format=date_format)
        except ValueError:
            continue
        return date_format
    return _DATE_FORMATS[0]


def _likely_decimal_mark(written: list[str]) -> str:
    """The mark that stands before the last one or two digits more often; a comma where nothing tells."""
    found = [re.search(r"([.,٫])\d{1,2}\D*$", cells.plain(text)) for text in written]
    marks = ["," if match[1] == "٫" else match[1] for match in found if match]
    return "." if marks.count(".") > marks.count(",") else ","


def _all_negative(written: list[str]) -> bool:
    said = [cells.plain(text) for text in written if text]
    return bool(said) and all(text.startswith(("-", "−", "(")) or text.endswith("-") for text in said)


def _about(mapping: ColumnMapping, around: list[tuple[int, list[str]]]) -> Suggestion:
    """The mapping, with balances, account and number where a row around the table says them in so many words."""
    said: dict[str, list[str]] = {}
    for _, row in around:
        filled = [cell.strip() for cell in row if cell.strip()]
        field = _BY_REMARK.get(_folded(filled[0])) if len(filled) >= 2 else None
        if field is not None:
            said.setdefault(field, filled[1:])
    number = cells.plain(said["sequence"][0]) if "sequence" in said else ""
    return Suggestion(
        mapping=mapping,
        account=_account(said["account"][0]) if "account" in said else "",
        sequence=int(number) if re.fullmatch(r"\d{1,18}", number, re.ASCII) else None,
        opening=_remarked(said.get("opening"), mapping.decimal_mark),
        closing=_remarked(said.get("closing"), mapping.decimal_mark),
        period=_period(said.get("period", []), mapping.date_format),
    )


def _period(said: list[str], date_format: str) -> tuple[date, date] | None:
    """The first and the last day, where exactly two stand there in order."""
    try:
        first, last = (cells.day(each, date_format=date_format) for each in said)
    except ValueError:
        return None
    return (first, last) if first <= last else None


def _remarked(said: list[str] | None, decimal_mark: str) -> Decimal | None:
    try:
        return cells.amount(said[-1], decimal_mark=decimal_mark, currency=MAD).amount if said else None
    except ValueError:
        return None
