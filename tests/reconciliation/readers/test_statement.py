"""A statement holds together, and its lines are told apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from moneyed import Money

from shop.reconciliation.readers import errors
from shop.reconciliation.readers.statement import Line, proved

JANUARY = {"from_on": date(2026, 1, 1), "to_on": date(2026, 1, 31), "sequence": 1}


def mad(amount: str) -> Money:
    return Money(amount, "MAD")


def line(number: int, amount: str, **changes) -> Line:
    values = {"booked_on": date(2026, 1, 6), "value_on": date(2026, 1, 6), "amount": mad(amount), "text": "x"}
    return Line(number=number, **(values | changes))


def test_opening_and_lines_make_the_closing_balance():
    statement = proved(
        account="1",
        opening=mad("100.00"),
        closing=mad("66.00"),
        lines=[line(1, "-534.00"), line(2, "500.00")],
        **JANUARY,
    )

    assert statement.currency == "MAD"
    assert [each.amount for each in statement.lines] == [mad("-534.00"), mad("500.00")]


def test_one_centime_off_is_refused():
    with pytest.raises(errors.SumsDoNotAgree) as refusal:
        proved(account="1", opening=mad("0"), closing=mad("533.99"), lines=[line(1, "534.00")], **JANUARY)

    assert refusal.value.moved == mad("534.00")


def test_two_true_twins_stay_two_and_a_second_export_adds_nothing():
    lines = [line(1, "-25.00"), line(2, "-25.00"), line(3, "-25.00", text="y")]

    first = proved(account="1", opening=mad("75.00"), closing=mad("0"), lines=lines, **JANUARY)
    again = proved(account="1", opening=mad("75.00"), closing=mad("0"), lines=lines[::-1], **JANUARY)

    assert [each.occurrence for each in first.lines] == [1, 2, 1]
    assert len({each.identity for each in first.lines}) == 3
    assert {each.identity for each in first.lines} == {each.identity for each in again.lines}


def test_with_a_bank_reference_the_text_does_not_matter():
    csv = line(1, "-25.00", bank_reference="BK1", text="FRAIS")
    camt = line(7, "-25.00", bank_reference="BK1", text="FRAIS TENUE", end_to_end_id="P-1")

    assert csv.identity == camt.identity
    assert csv.identity != line(1, "-25.00", bank_reference="BK2").identity
    assert csv.identity != line(1, "-25.01", bank_reference="BK1").identity


def test_a_line_outside_the_period_or_in_another_currency_is_refused():
    late = line(1, "1.00", booked_on=date(2026, 2, 1))
    foreign = replace(line(1, "1.00"), amount=Money("1.00", "EUR"))

    with pytest.raises(errors.OutsidePeriod):
        proved(account="1", opening=mad("0"), closing=mad("1.00"), lines=[late], **JANUARY)
    with pytest.raises(errors.CurrencyDiffers):
        proved(account="1", opening=mad("0"), closing=mad("1.00"), lines=[foreign], **JANUARY)
    with pytest.raises(errors.CurrencyDiffers):
        proved(account="1", opening=mad("0"), closing=Money("0", "EUR"), lines=[], **JANUARY)
