"""Minor units, one rounding, exact splitting."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from shop.core import money
from shop.core.money import EUR, MAD


def test_an_amount_and_its_centimes_are_the_same_thing():
    assert money.to_minor(Money("1000.05", MAD)) == 100005
    assert money.from_minor(100005, MAD) == Money("1000.05", MAD)
    assert money.from_minor(-5, "eur") == Money("-0.05", EUR)


def test_currencies_without_centimes_and_with_three_places_are_counted_as_they_are():
    assert money.to_minor(Money("1000", "JPY")) == 1000
    assert money.from_minor(1000, "JPY") == Money("1000", "JPY")
    assert money.to_minor(Money("1.234", "TND")) == 1234
    assert money.from_minor(1234, "TND") == Money("1.234", "TND")


def test_a_fraction_of_a_centime_is_no_amount():
    with pytest.raises(ValueError, match="minor units"):
        money.to_minor(Money("10.005", MAD))


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [("28.333", "28.33"), ("0.005", "0.01"), ("0.015", "0.02"), ("0.025", "0.03"), ("0.0049", "0.00")],
)
def test_half_a_centime_is_rounded_up(exact, rounded):
    assert money.half_up(Money(exact, MAD)) == Money(rounded, MAD)
    assert money.half_up(Decimal(exact), "MAD") == Money(rounded, MAD)


def test_the_worked_example_rounds_as_an_accountant_would():
    commission = money.half_up(Money("340.00", MAD) * Decimal("0.10"))
    net = money.half_up(commission / Decimal("1.20"))

    assert (commission, net, commission - net) == (
        Money("34.00", MAD),
        Money("28.33", MAD),
        Money("5.67", MAD),
    )


def test_nothing_added_up_is_nothing_in_a_currency():
    assert money.total([]) == Money("0", MAD)
    assert money.total([], EUR) == Money("0", EUR)
    assert money.total([Money("1.10", MAD), Money("2.20", MAD)]) == Money("3.30", MAD)


def test_centimes_left_over_go_to_the_largest_remainders_and_ties_to_the_first():
    assert money.share_minor(100, [1, 1, 1]) == [34, 33, 33]
    assert money.share_minor(100, [1, 2]) == [33, 67]
    assert money.share_minor(5, [0, 1, 0]) == [0, 5, 0]
    assert money.share(Money("0.05", MAD), [1, 1]) == [Money("0.03", MAD), Money("0.02", MAD)]


@given(
    amount=st.integers(0, 10**12),
    weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any),
)
def test_parts_add_up_and_each_is_within_a_centime_of_its_due(amount, weights):
    parts = money.share_minor(amount, weights)

    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        # |part − amount × weight ÷ sum| < 1, without leaving whole numbers
        assert abs(part * sum(weights) - amount * weight) < sum(weights)
        assert weight or not part


def test_nothing_can_be_split_by_nothing_but_something_cannot():
    assert money.share_minor(0, [0, 0]) == [0, 0]
    assert money.share_minor(0, []) == []
    with pytest.raises(ValueError, match="nothing to split by"):
        money.share_minor(1, [0, 0])
    with pytest.raises(ValueError, match="zero or more"):
        money.share_minor(-1, [1])
    with pytest.raises(ValueError, match="zero or more"):
        money.share_minor(1, [2, -1])
