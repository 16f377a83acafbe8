"""What the files alone say: amounts to the centavo, and what became of each part."""

from __future__ import annotations

import ast
import inspect
import json
from decimal import Decimal

import pytest

from tests.benchmarks import expected
from tests.replay import invented


@pytest.fixture
def found(tmp_path):
    return expected.expected(invented.write(tmp_path))


def test_the_script_imports_nothing_of_the_shop():
    tree = ast.parse(inspect.getsource(expected))
    names = {
        (node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }

    assert names <= {
        "__future__", "csv", "gzip", "json", "sys", "collections", "dataclasses", "decimal", "pathlib",
    }  # fmt: skip


def test_a_part_is_what_one_seller_has_in_one_order(found):
    first, second = found.parts["two-sellers", "s1"].sums, found.parts["two-sellers", "s2"].sums

    assert (first.goods, first.fee, first.fee_vat, first.solidarity, first.share) == (
        Decimal("600.00"),
        Decimal("60.00"),
        Decimal("10.00"),
        Decimal("6.00"),
        Decimal("534.00"),
    )
    assert (second.items, second.goods, second.fee, second.fee_vat, second.share) == (
        2,
        Decimal("340.00"),
        Decimal("34.00"),
        Decimal("5.67"),
        Decimal("302.60"),
    )
    assert (second.freight, second.freight_vat) == (Decimal("30.00"), Decimal("5.00"))
    assert found.orders["two-sellers"].payable == Decimal("836.60")


def test_halves_are_rounded_up(found):
    sums = found.parts["dearer", "s1"].sums

    assert (sums.goods, sums.fee, sums.solidarity) == (Decimal("620.05"), Decimal("62.01"), Decimal("6.20"))


@pytest.mark.parametrize(
    ("order", "state", "goes_back"),
    [
        ("approved", "placed", False),
        ("processing", "accepted", False),
        ("invoiced", "accepted", False),
        ("shipped", "dispatched", False),
        ("no-dates", "released", False),
        ("given-up", "cancelled", True),
        ("lost", "dispatched", True),
        ("sent-back", "delivered", True),
        ("sold-out", "declined", True),
    ],
)
def test_only_what_was_delivered_is_payable_and_what_came_to_nothing_goes_back_whole(
    found, order, state, goes_back
):
    parts = [part for (name, _), part in found.parts.items() if name == order]

    for part in parts:
        assert part.state == state
        assert part.sums.payable == (part.sums.share if state == "released" else 0)
        assert part.sums.given_back == (part.sums.goods + part.sums.freight if goes_back else 0)


def test_orders_without_items_do_not_count(found):
    assert set(found.orders) == set(invented.ITEMS)
    assert found.sellers_per_order == {"1": 9, "2": 3}
    assert found.total.items == sum(len(each) for each in invented.ITEMS.values())


def test_payments_that_exceed_price_and_freight_are_told_apart(found):
    assert (found.paid_on_top, found.paid_otherwise) == (Decimal("0.50"), 1)


def test_a_total_that_is_not_the_oracles_is_named(found, tmp_path):
    oracle = {
        "orders_with_items": 12,
        "items": found.total.items,
        "sellers": 3,
        "sellers_per_order": {"1": 9, "2": 3},
        "sum_price": str(found.total.goods),
        "sum_freight": str(found.total.freight),
        "top_sellers_by_price": found.top_sellers(2),
        "orders_mismatch": 1,
    }
    (tmp_path / "oracle.json").write_text(json.dumps(oracle))
    assert expected.differences(found, tmp_path) == []

    (tmp_path / "oracle.json").write_text(json.dumps(oracle | {"sellers": 4}))

    assert expected.differences(found, tmp_path) == ["sellers: 3, not 4"]
