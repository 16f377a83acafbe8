"""What a cooperative earned of its sales, read from the books."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from shop.ledger import earnings, entries, journal
from shop.ledger.models import JournalEntry
from tests.ledger.example import (
    A_PART,
    DAY,
    ORDER,
    confirmed_a,
    confirmed_b,
    mad,
    paid_in_mad,
    refunded_a,
    released_a,
    released_b,
)

pytestmark = pytest.mark.django_db

YEAR = {"since": date(2026, 1, 1), "until": date(2026, 12, 31)}


def told(found):
    return (
        found.sales,
        found.goods,
        found.share,
        found.commission_net,
        found.commission_vat,
        found.solidarity,
    )


def test_nobody_who_sold_nothing_earned_anything():
    found = earnings.earned(cooperative="A", **YEAR)

    assert told(found) == (0, mad("0"), mad("0"), mad("0"), mad("0"), mad("0"))
    assert found.rate is None


def test_a_sale_counts_once_its_time_to_withdraw_is_over():
    paid_in_mad()
    confirmed_a()
    before = earnings.earned(cooperative="A", **YEAR)

    released_a()

    assert before.sales == 0
    found = earnings.earned(cooperative="A", **YEAR)
    assert told(found) == (1, mad("600.00"), mad("534.00"), mad("50.00"), mad("10.00"), mad("6.00"))
    assert found.rate == Decimal("0.89")


def test_another_cooperative_of_the_same_order_earned_its_own_part_only():
    paid_in_mad()
    confirmed_a()
    confirmed_b()
    released_a()
    released_b()

    found = earnings.earned(cooperative="B", **YEAR)

    assert told(found) == (1, mad("340.00"), mad("302.60"), mad("28.33"), mad("5.67"), mad("3.40"))


@pytest.mark.parametrize("stage", ["payable", "paid"])
def test_what_went_back_to_the_customer_is_taken_off(stage):
    paid_in_mad()
    confirmed_a()
    released_a()

    refunded_a(stage)

    found = earnings.earned(cooperative="A", **YEAR)
    assert told(found) == (1, mad("500.00"), mad("445.00"), mad("41.67"), mad("8.33"), mad("5.00"))
    assert found.rate == Decimal("0.89")


def test_a_delivery_the_cooperative_bears_is_no_part_of_a_price():
    paid_in_mad()
    confirmed_a()
    released_a()

    entries.record_delivery_charged(
        supplier_order=A_PART,
        order=ORDER,
        cooperative="A",
        effective_on=DAY,
        stage="payable",
        net=mad("30.00"),
        vat=mad("6.00"),
    )

    assert earnings.earned(cooperative="A", **YEAR).share == mad("534.00")


def test_only_the_days_asked_for_count_and_both_ends_are_inside():
    paid_in_mad()
    confirmed_a()
    on = released_a().effective_on

    assert earnings.earned(cooperative="A", since=on, until=on).sales == 1
    assert earnings.earned(cooperative="A", since=date(2025, 1, 1), until=date(2025, 12, 31)).sales == 0


def test_a_release_that_was_reversed_is_no_sale():
    paid_in_mad()
    confirmed_a()
    released = released_a()

    journal.reverse(
        entry=released,
        event=f"reversal:{released.event}",
        effective_on=released.effective_on,
        actor="youssef@example.ma",
        memo="written by mistake",
    )

    assert earnings.earned(cooperative="A", **YEAR).sales == 0
    assert JournalEntry.objects.filter(reverses=released).count() == 1
