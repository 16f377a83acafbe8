"""A carrier's remittance: the worked figure, and every way it can fail to add up."""

from __future__ import annotations

from datetime import date

import pytest
from moneyed import Money

from shop.reconciliation.readers import errors, remittance_csv
from shop.reconciliation.readers.remittance_csv import RemittanceColumns

HEAD = (
    "Bordereau;Transporteur;Date du bordereau;N° de suivi;Référence;Date de livraison;"
    "Encaissé;Frais HT;TVA sur frais;Net versé;Devise\r\n"
)
FILE = (
    HEAD + "REM-1;Amana;08/01/2026;AM001;T-7K3M9Q2X-1;06/01/2026;1 000,00;25,00;5,00;970,00;MAD\r\n"
    "REM-1;Amana;08/01/2026;AM002;T-7K3M9Q2X-2;07/01/2026;200,00;5,00;1,00;194,00;MAD\r\n"
    "TOTAL;;;;;;1 200,00;30,00;6,00;1 164,00;MAD\r\n"
)


def mad(amount: str) -> Money:
    return Money(amount, "MAD")


def test_the_worked_figure_is_read_to_the_centime():
    remittance = remittance_csv.read(FILE.encode())

    assert (remittance.reference, remittance.carrier, remittance.currency) == ("REM-1", "Amana", "MAD")
    assert remittance.remitted_on == date(2026, 1, 8)
    assert (remittance.collected, remittance.fee) == (mad("1200.00"), mad("30.00"))
    assert (remittance.vat, remittance.net) == (mad("6.00"), mad("1164.00"))
    first, second = remittance.lines
    assert (first.tracking, first.reference, first.delivered_on) == (
        "AM001",
        "T-7K3M9Q2X-1",
        date(2026, 1, 6),
    )
    assert (first.collected, first.fee, first.vat, first.net) == (
        mad("1000.00"),
        mad("25.00"),
        mad("5.00"),
        mad("970.00"),
    )
    assert (second.number, second.net) == (2, mad("194.00"))


def test_a_parcel_without_our_reference_is_kept_for_a_person_to_look_at():
    remittance = remittance_csv.read(FILE.replace("T-7K3M9Q2X-2;07/01/2026", ";").encode())

    assert (remittance.lines[1].reference, remittance.lines[1].delivered_on) == ("", None)


def test_another_carrier_has_other_words():
    columns = RemittanceColumns(encoding="windows-1252", tracking="Colis", total_word="Somme")
    content = FILE.replace("N° de suivi", "Colis").replace("TOTAL", "Somme").encode("windows-1252")

    assert len(remittance_csv.read(content, columns=columns).lines) == 2


@pytest.mark.parametrize(
    ("before", "after", "refusal"),
    [
        ("970,00;MAD", "970,01;MAD", errors.RemittanceSumsWrong),
        ("1 200,00", "1 200,01", errors.RemittanceSumsWrong),
        ("1 200,00;30,00;6,00;1 164,00", "1 201,00;30,00;6,00;1 165,00", errors.RemittanceSumsWrong),
        ("1 000,00;25,00;5,00;970,00", "1 000,00;-25,00;5,00;1 020,00", errors.RemittanceSumsWrong),
        ("AM002", "AM001", errors.ParcelTwice),
        ("AM002", "", errors.CellUnreadable),
        ("REM-1;Amana;08/01/2026;AM002", "REM-2;Amana;08/01/2026;AM002", errors.StatementIncomplete),
        ("TOTAL;;;;;;1 200,00;30,00;6,00;1 164,00;MAD\r\n", "", errors.StatementIncomplete),
        ("5,00;1,00;194,00;MAD", "5,00;1,00;194,00;EUR", errors.StatementIncomplete),
        (";MAD\r\nTOTAL", ";XXZ\r\nTOTAL", errors.CellUnreadable),
        ("1 164,00;MAD", "1 164,00;EUR", errors.CurrencyDiffers),
        ("06/01/2026", "6 janvier", errors.CellUnreadable),
        ("Encaissé", "Montant", errors.ColumnMissing),
        (";MAD\r\nREM", "\r\nREM", errors.RowCut),
    ],
)
def test_a_remittance_with_anything_wrong_is_refused_whole(before, after, refusal):
    assert before in FILE

    with pytest.raises(refusal) as refused:
        remittance_csv.read(FILE.replace(before, after, 1).encode())

    assert isinstance(refused.value, errors.NotAStatement)
    assert "column mapping" not in str(refused.value)  # a carrier's file has none


def test_nothing_may_follow_the_total():
    total = FILE.splitlines()[-1]

    with pytest.raises(errors.StatementIncomplete):
        remittance_csv.read((FILE + total + "\r\n").encode())


@pytest.mark.parametrize(
    "content", [b"", b"x", HEAD.encode(), b"PK\x03\x04", HEAD.encode() + b"TOTAL;;;;;;0;0;0;0;MAD"]
)
def test_a_file_that_is_no_remittance_is_refused(content):
    with pytest.raises(errors.NotAStatement):
        remittance_csv.read(content)
