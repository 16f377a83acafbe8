"""Amounts and days as people and banks write them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from shop.core.money import MAD
from shop.reconciliation.readers import cells


@pytest.mark.parametrize(
    ("text", "mark", "amount"),
    [
        ("1 234,56", ",", "1234.56"),
        ("1\u00a0234,56", ",", "1234.56"),
        ("1\u202f234\u202f567,00", ",", "1234567.00"),
        ("1\u2009234,5", ",", "1234.50"),
        ("1.234,56", ",", "1234.56"),
        ("1'234.56", ".", "1234.56"),
        ("1,234,567.89", ".", "1234567.89"),
        ("1234,56", ",", "1234.56"),
        ("-970,00", ",", "-970.00"),
        ("−970,00", ",", "-970.00"),
        ("970,00-", ",", "-970.00"),
        ("(970,00)", ",", "-970.00"),
        ("+0,01", ",", "0.01"),
        ("534,00 MAD", ",", "534.00"),
        ("- 25,00 DH", ",", "-25.00"),
        ("٥٣٤٫٠٠", ",", "534.00"),
        ("١٬٢٣٤٫٥٦", ".", "1234.56"),
        ("۳۰۲,۶۰ د.م.", ",", "302.60"),
        ("\u200f٣٠٢٫٦٠\u200f", ",", "302.60"),
        ("12", ",", "12.00"),
    ],
)
def test_amounts_are_read_as_they_were_meant(text, mark, amount):
    assert cells.amount(text, decimal_mark=mark, currency=MAD) == Money(amount, "MAD")


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("", ","),
        ("abc", ","),
        ("1,234", ","),
        ("534,000", ","),
        ("1.234", "."),
        ("1.23", ","),
        ("12 34,00", ","),
        ("1 234 56,00", ","),
        ("1.234 567,00", ","),
        ("1,2,3", ","),
        ("--5,00", ","),
        ("(-5,00)", ","),
        ("-5,00-", ","),
        ("5,00 USD", ","),
        ("1e5", "."),
        ("NaN", "."),
        ("=1+1", ","),
        ("9" * 50, ","),
        ("-", ","),
        (",50", ","),
    ],
)
def test_an_amount_that_could_mean_two_things_is_not_read(text, mark):
    with pytest.raises(ValueError):  # noqa: PT011 - the cell's reader names row and column
        cells.amount(text, decimal_mark=mark, currency=MAD)


@given(
    st.integers(-99_999_999_999, 99_999_999_999),
    st.sampled_from(
        [(",", " "), (",", "\u202f"), (",", "\u00a0"), (",", "."), (".", ","), (".", "'"), (".", "")]
    ),
    st.booleans(),
)
def test_every_amount_comes_back_from_every_way_to_write_it(centimes, marks, in_arabic_digits):
    decimal_mark, group = marks
    amount = Decimal(centimes).scaleb(-2)
    text = f"{amount:,.2f}".replace(",", "\x00").replace(".", decimal_mark).replace("\x00", group)
    if in_arabic_digits:
        text = text.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))

    assert cells.amount(text, decimal_mark=decimal_mark, currency=MAD) == Money(amount, "MAD")


@pytest.mark.parametrize(
    ("text", "date_format"),
    [
        ("05/01/2026", "%d/%m/%Y"),
        ("٠٥/٠١/٢٠٢٦", "%d/%m/%Y"),
        ("2026-01-05", "%Y-%m-%d"),
        (" 05.01.26 ", "%d.%m.%y"),
    ],
)
def test_days_are_read_in_any_digits(text, date_format):
    assert cells.day(text, date_format=date_format) == date(2026, 1, 5)


@pytest.mark.parametrize("text", ["", "31/02/2026", "05/01/0026", "2026-01-05", "05/01/2026 x"])
def test_a_day_that_is_none_is_not_read(text):
    with pytest.raises(ValueError):  # noqa: PT011
        cells.day(text, date_format="%d/%m/%Y")
