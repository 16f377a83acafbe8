"""The batch as a table: the bank's columns, no formulas, and the same transfers when read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moneyed import Money

from shop.payments.bank import batch_csv, errors, pain001
from shop.payments.bank.batch_csv import Layout, columns
from tests.payments.bank.batches import A, B, batches, example

TERSE = Layout(
    columns=columns(
        {"rib": "rib", "name": "name", "amount": "amount", "currency": "currency", "ref": "reference"}
    ),
    delimiter=",",
    decimal_mark=".",
    encoding="windows-1252",
    with_headings=False,
)


def test_the_worked_example_is_a_table_a_clerk_can_read():
    content = batch_csv.write(batch=example())

    assert content.decode("utf-8-sig").split("\r\n") == [
        "Remise;N°;Date d'exécution;Compte à débiter;Référence;Bénéficiaire;RIB;Montant;Devise;Motif",
        (
            "B-20260105-1;1;06/01/2026;310 810 1014029004423101 33;P-20260105-01;Coopérative Démo Jbel Nahla;"
            "999 780 0000000000000001 05;534,00;MAD;Décompte P-20260105-01"
        ),
        (
            "B-20260105-1;2;06/01/2026;310 810 1014029004423101 33;P-20260105-02;تعاونية منديل الريف (تجريبية);"
            "999 780 0000000000000002 02;302,60;MAD;"
        ),
        "",
    ]


def test_the_table_says_the_same_as_the_order():
    table = batch_csv.read(batch_csv.write(batch=example()))

    order = pain001.read(pain001.write(batch=example()))
    assert table.transfers == order.transfers
    assert (table.count, table.total) == (2, Money("836.60", "MAD"))
    assert (table.batch, table.execute_on, table.debtor_rib) == (
        "B-20260105-1",
        date(2026, 1, 6),
        "310810101402900442310133",
    )


def test_another_bank_gets_its_own_columns_and_an_encoding_without_arabic_a_transliteration():
    content = batch_csv.write(batch=example(), layout=TERSE)

    assert content == (
        b"999780000000000000000105,Cooperative Demo Jbel Nahla,534.00,MAD,P-20260105-01\r\n"
        b"999780000000000000000202,taaounia mndil alrif (tjribia),302.60,MAD,P-20260105-02\r\n"
    )
    assert batch_csv.read(content, layout=TERSE).total == Money("836.60", "MAD")


def test_no_cell_is_a_formula():
    batch = example(transfers=(replace(A, name="=cmd()|A1", text="+1-1 @SUM(A1)"), replace(B, name="-2+3")))

    content = batch_csv.write(batch=batch).decode("utf-8-sig")

    cells = [cell for row in content.splitlines() for cell in row.split(";")]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")]
    assert "'+1-1 (at)SUM(A1)" in cells
    assert "'-2+3" in cells
    assert batch_csv.read(batch_csv.write(batch=batch)).transfers[1].name == "-2+3"


@given(st.text(max_size=20))
def test_the_guard_can_be_taken_off_again(cell):
    assert batch_csv.unguarded(batch_csv.guarded(cell)) == cell
    assert batch_csv.guarded(cell)[:1] not in tuple("=+-@\t\r\n|%")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Remise;", "Lot;"),
        ("534,00", "534.00"),
        ("534,00", "-534,00"),
        ("534,00", "534"),
        ("05;534,00", "06;534,00"),
        (";2;06/01", ";3;06/01"),
        ("P-20260105-02;", "P-20260105-02;;"),
        (";302,60", ';"302,60'),
        ("B-20260105-1;2", "B-20260105-2;2"),
        ("MAD", "XXZ"),
    ],
)
def test_a_table_with_anything_wrong_is_refused(before, after):
    content = batch_csv.write(batch=example()).decode("utf-8-sig")
    assert before in content

    with pytest.raises(errors.BatchFileUnreadable):
        batch_csv.read(content.replace(before, after, 1).encode("utf-8-sig"))


def test_a_payout_twice_in_the_table_is_refused():
    content = batch_csv.write(batch=example()).decode("utf-8-sig").replace("P-20260105-02", "P-20260105-01")

    with pytest.raises(errors.BatchFileAltered):
        batch_csv.read(content.encode("utf-8-sig"))


@pytest.mark.parametrize("content", [b"", b"\x00", b"a;b\r\n", b"\xff\xfe\xff"])
def test_what_is_no_table_is_refused(content):
    with pytest.raises(errors.BatchFileUnreadable):
        batch_csv.read(content)


@pytest.mark.parametrize(
    "fields",
    [
        {"a": "reference", "b": "name", "c": "amount", "d": "currency"},
        {"a": "reference", "b": "name", "c": "rib", "d": "currency"},
        {"a": "reference", "b": "reference", "c": "rib", "d": "currency", "e": "amount", "f": "name"},
    ],
)
def test_a_layout_nobody_could_pay_from_is_refused(fields):
    with pytest.raises(ValueError, match="a layout has"):
        Layout(columns=columns(fields))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(batches)
def test_every_batch_comes_back_as_it_was_written(batch):
    table = batch_csv.read(batch_csv.write(batch=batch))

    assert table.transfers == pain001.clean(batch=batch).transfers
    assert table.batch == batch.reference
