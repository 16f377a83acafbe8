"""Bank statements as CSV: each bank in its own words, read through a mapping a person confirmed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st
from moneyed import Money

from shop.reconciliation.readers import errors, statement_csv, tables
from shop.reconciliation.readers.statement_csv import ColumnMapping, suggest_mapping

FRENCH = (
    "Relevé n°;7\r\nCompte;310 810 1014029004423101 33\r\nSolde initial;1 000,00\r\n\r\n"
    "Date d'opération;Date de valeur;Référence;Libellé;Débit;Crédit;Solde\r\n"
    "05/01/2026;06/01/2026;BK1;REMISE REM-1;;970,00;1\u00a0970,00\r\n"
    "06/01/2026;06/01/2026;BK2;VIREMENT P-1;534,00;;1\u00a0436,00\r\n"
    '06/01/2026;06/01/2026;BK3;"VIREMENT; P-2";302,60;;1\u00a0133,40\r\n'
    ";;;Total;836,60;970,00;\r\n"
    "Solde final;1\u00a0133,40\r\n"
)
ENGLISH = (
    "Date,Description,Amount,Reference,Balance\n"
    "2026-01-06,TRANSFER P-1,-534.00,BK2,1436.00\n"
    '2026-01-05,REMITTANCE,"1,970.00",BK1,"1,970.00"\n'
)

ARABIC = "التاريخ\tالبيان\tمدين\tدائن\n٠٥/٠١/٢٠٢٦\tتحويل\t\t٩٧٠٫٠٠\n٠٦/٠١/٢٠٢٦\tتحويل ٢\t٥٣٤٫٠٠\t\n"


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """The sentences below are the ones the code names."""
    with translation.override("en"):
        yield


def mad(amount: str) -> Money:
    return Money(amount, "MAD")


def read(content: bytes, mapping: ColumnMapping, opening: str, closing: str, **more):
    return statement_csv.read(
        content,
        mapping=mapping,
        account="310810101402900442310133",
        opening=mad(opening),
        closing=mad(closing),
        **more,
    )


def test_a_french_statement_is_understood_and_read():
    content = FRENCH.encode("windows-1252")

    suggestion = suggest_mapping(content)
    statement = read(content, suggestion.mapping, "1000.00", "1133.40", sequence=suggestion.sequence)

    assert suggestion.mapping == ColumnMapping(
        delimiter=";",
        encoding="windows-1252",
        date_format="%d/%m/%Y",
        decimal_mark=",",
        booked_on="Date d'opération",
        value_on="Date de valeur",
        bank_reference="Référence",
        text="Libellé",
        debit="Débit",
        credit="Crédit",
        balance="Solde",
    )
    assert (suggestion.opening, suggestion.closing) == (Decimal("1000.00"), Decimal("1133.40"))
    assert (suggestion.account, suggestion.sequence) == ("310810101402900442310133", 7)
    assert (statement.account, statement.sequence) == ("310810101402900442310133", 7)
    assert (statement.from_on, statement.to_on) == (date(2026, 1, 5), date(2026, 1, 6))
    assert [(each.amount, each.bank_reference, each.text) for each in statement.lines] == [
        (mad("970.00"), "BK1", "REMISE REM-1"),
        (mad("-534.00"), "BK2", "VIREMENT P-1"),
        (mad("-302.60"), "BK3", "VIREMENT; P-2"),
    ]
    assert statement.lines[0].value_on == date(2026, 1, 6)
    assert statement.lines[1].raw == "06/01/2026;06/01/2026;BK2;VIREMENT P-1;534,00;;1\u00a0436,00"


def test_an_english_statement_with_one_signed_column_and_the_newest_first():
    content = ENGLISH.encode("utf-8-sig")

    mapping = suggest_mapping(content).mapping
    statement = read(content, mapping, "0", "1436.00")

    assert (mapping.delimiter, mapping.decimal_mark, mapping.date_format) == (",", ".", "%Y-%m-%d")
    assert (mapping.amount, mapping.debit, mapping.credit, mapping.encoding) == (
        "Amount",
        "",
        "",
        "utf-8-sig",
    )
    assert [each.amount for each in statement.lines] == [mad("-534.00"), mad("1970.00")]


def test_an_arabic_statement_with_arabic_digits():
    content = ARABIC.encode()

    mapping = suggest_mapping(content).mapping
    statement = read(content, mapping, "0", "436.00")

    assert (mapping.delimiter, mapping.debit, mapping.credit) == ("\t", "مدين", "دائن")
    assert [each.amount for each in statement.lines] == [mad("970.00"), mad("-534.00")]
    assert statement.lines[1].booked_on == date(2026, 1, 6)


def test_a_debit_column_with_minus_signs_is_noticed():
    content = b"Date;Libelle;Debit;Credit\n05/01/2026;a;-534,00;\n06/01/2026;b;;970,00\n"

    mapping = suggest_mapping(content).mapping

    assert mapping.debit_is_negative is True
    assert [each.amount for each in read(content, mapping, "0", "436.00").lines] == [
        mad("-534.00"),
        mad("970.00"),
    ]
    with pytest.raises(errors.CellUnreadable):
        read(content, replace(mapping, debit_is_negative=False), "0", "436.00")


def test_a_mapping_is_remembered_as_plain_values():
    mapping = suggest_mapping(FRENCH.encode()).mapping

    assert ColumnMapping(**asdict(mapping)) == mapping


def test_two_true_twins_stay_two():
    content = b"Date;Libelle;Montant\n05/01/2026;FRAIS;-25,00\n05/01/2026;FRAIS;-25,00\n"

    statement = read(content, suggest_mapping(content).mapping, "50.00", "0")

    assert [each.occurrence for each in statement.lines] == [1, 2]
    assert len({each.identity for each in statement.lines}) == 2


def test_nothing_moved_is_a_statement_too_when_the_period_is_given():
    content = b"Date;Libelle;Montant\n"
    mapping = ColumnMapping(encoding="utf-8", booked_on="Date", text="Libelle", amount="Montant")

    statement = read(content, mapping, "5.00", "5.00", from_on=date(2026, 1, 1), to_on=date(2026, 1, 31))

    assert statement.lines == ()
    with pytest.raises(errors.NoLines):
        read(content, mapping, "5.00", "5.00")


@pytest.mark.parametrize(
    ("before", "after", "refusal"),
    [
        ("534,00;", "534,01;", errors.RunningBalanceBreaks),
        ("05/01/2026;06", "2026-01-05;06", errors.CellUnreadable),
        ("05/01/2026;06", "31/02/2026;06", errors.CellUnreadable),
        (";534,00;;", ";534.00;;", errors.CellUnreadable),
        (";534,00;;", ";;;", errors.CellUnreadable),
        (";534,00;;", ";534,00;534,00;", errors.CellUnreadable),
        (";534,00;;", ";-534,00;;", errors.CellUnreadable),
        (";534,00;;", ";534,000;;", errors.CellUnreadable),
        ("534,00;;1\u00a0436,00", "534,00", errors.RowCut),
        ("Libellé", "Texte", errors.ColumnMissing),
        ("Débit", "Crédit", errors.ColumnMissing),
        ("06/01/2026;06/01/2026;BK2;VIREMENT P-1;534,00;;1\u00a0436,00\r\n", "", errors.RunningBalanceBreaks),
        ('"VIREMENT; P-2"', '"VIREMENT', errors.NotATable),
    ],
)
def test_a_changed_file_is_refused(before, after, refusal):
    mapping = suggest_mapping(FRENCH.encode()).mapping
    assert before in FRENCH

    with pytest.raises(refusal) as refused:
        read(FRENCH.replace(before, after, 1).encode(), mapping, "1000.00", "1133.40")

    assert isinstance(refused.value, errors.NotAStatement)


def test_a_refusal_names_row_and_column():
    with pytest.raises(errors.CellUnreadable) as refusal:
        read(
            FRENCH.replace(";534,00;;", ";cinq;;").encode(),
            suggest_mapping(FRENCH.encode()).mapping,
            "1000.00",
            "1133.40",
        )

    assert (refusal.value.row, refusal.value.cell) == (7, "cinq")
    assert "Row 7" in str(refusal.value)


def test_wrong_balances_are_refused():
    mapping = replace(suggest_mapping(FRENCH.encode()).mapping, balance="")

    with pytest.raises(errors.SumsDoNotAgree):
        read(FRENCH.encode(), mapping, "1000.00", "1133.41")
    with pytest.raises(errors.RunningBalanceBreaks):
        read(FRENCH.encode(), replace(mapping, balance="Solde"), "999.00", "1132.40")


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", errors.FileEmpty),
        (b"PK\x03\x04", errors.FileIsASpreadsheet),
        (b"\xd0\xcf\x11\xe0", errors.FileIsASpreadsheet),
        (b"%PDF-1.4", errors.FileIsADocument),
        (b"hello", errors.HeadRowMissing),
        (b"<?xml version='1.0'?><a/>", errors.HeadRowMissing),
        (bytes(range(256)) * 4, errors.HeadRowMissing),
        (b"a;b;c\n1;2;3\n", errors.HeadRowMissing),
    ],
)
def test_a_file_that_is_no_statement_gets_no_mapping(content, refusal):
    with pytest.raises(refusal):
        suggest_mapping(content)


def test_the_wrong_encoding_is_told():
    mapping = suggest_mapping(FRENCH.encode()).mapping

    with pytest.raises(errors.EncodingDiffers):
        read(FRENCH.encode("windows-1252"), mapping, "1000.00", "1133.40")
    with pytest.raises(errors.EncodingDiffers):
        read(b"Date\x00;", replace(mapping, encoding="windows-1252"), "0", "0")
    with pytest.raises(errors.EncodingDiffers):
        read(b"Date;", replace(mapping, encoding="no-such"), "0", "0")


def test_a_file_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(tables, "MOST_LINES", 3)

    with pytest.raises(errors.TooManyLines):
        read(FRENCH.encode(), ColumnMapping(booked_on="a", text="b", amount="c"), "0", "0")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": ""},
        {"amount": "M", "debit": "D", "credit": "C"},
        {"amount": "", "debit": "D"},
        {"amount": "M", "debit": "D"},
        {"amount": "T"},
        {"booked_on": ""},
        {"decimal_mark": "x"},
        {"delimiter": ","},
        {"delimiter": ""},
    ],
)
def test_a_mapping_that_reads_nothing_is_refused(changes):
    with pytest.raises(errors.MappingIncomplete):
        ColumnMapping(**({"booked_on": "D1", "text": "T", "amount": "M"} | changes))


amounts = st.integers(-10_000_000, 10_000_000).filter(bool).map(lambda centimes: Decimal(centimes).scaleb(-2))
movements = st.lists(
    st.tuples(
        st.integers(0, 27),
        amounts,
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=80, deadline=None)
@given(movements, st.booleans(), st.booleans(), st.sampled_from(["utf-8-sig", "utf-16"]))
def test_every_statement_written_in_either_shape_comes_back(moved, in_two_columns, newest_first, encoding):
    first, opening = date(2026, 1, 1), Decimal("12.34")
    moved = sorted(moved, key=lambda each: each[0])
    rows, balance = [], opening
    for offset, amount, text in moved:
        balance += amount
        shown = f"{abs(amount):,.2f}".replace(",", "\u202f").replace(".", ",")
        money = (
            (["", shown] if amount > 0 else [shown, ""])
            if in_two_columns
            else [("-" if amount < 0 else "") + shown]
        )
        rows.append(
            [
                (first + timedelta(offset)).strftime("%d/%m/%Y"),
                text,
                *money,
                f"{balance:.2f}".replace(".", ","),
            ]
        )
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=";")
    writer.writerow(["Date", "Libellé", *(["Débit", "Crédit"] if in_two_columns else ["Montant"]), "Solde"])
    writer.writerows(reversed(rows) if newest_first else rows)
    content = file.getvalue().encode(encoding)

    statement = read(content, suggest_mapping(content).mapping, str(opening), str(balance))

    lines = list(reversed(statement.lines)) if newest_first else list(statement.lines)
    assert [line.amount for line in lines] == [Money(amount, "MAD") for _, amount, _ in moved]
    assert [line.booked_on for line in lines] == [first + timedelta(offset) for offset, _, _ in moved]
    assert [line.text for line in lines] == [" ".join(text.split()) for _, _, text in moved]
