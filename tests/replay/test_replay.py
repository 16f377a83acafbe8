"""Orders through the whole chain, held against what their files alone say, and audited."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shop.fulfilment.models import SupplierOrder
from shop.orders.models import Order
from shop.payments.models import Payout, Refund
from tests.benchmarks import comparing, expected, order_files, replay_orders
from tests.replay import invented

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(1800)]

SEED = 20261122


@pytest.fixture
def real_files() -> Path:
    """The folder of the real order files, which are never part of this repository."""
    folder = os.environ.get(order_files.FOLDER_VARIABLE, "")
    if not folder:
        pytest.skip(
            "LEFT OUT: the replay of 300 real orders. The order files are not part of this repository; "
            f"name their folder in {order_files.FOLDER_VARIABLE} to run it."
        )
    assert order_files.missing(Path(folder)) == [], f"{order_files.FOLDER_VARIABLE} names another folder"
    return Path(folder)


def test_invented_orders_of_every_fate_come_to_what_their_files_say(tmp_path):
    folder = invented.write(tmp_path)

    outcome = replay_orders.run(folder, count=len(invented.ITEMS), say=lambda _: None)

    assert outcome.differences == []
    assert outcome.breaches == 0, outcome.report
    assert Order.objects.count() == len(invented.ITEMS)
    parts = SupplierOrder.objects.order_by().values_list("state", flat=True)
    assert sorted(parts) == (
        ["accepted"] * 2
        + ["cancelled"] * 2
        + ["declined", "delivered"]
        + ["dispatched"] * 2
        + ["placed"]
        + ["released"] * 6
    )
    assert set(Payout.objects.values_list("state", flat=True)) == {"paid"}
    assert set(Refund.objects.values_list("state", flat=True)) == {"succeeded"}
    assert outcome.replayed.done["prices changed"] == 1

    # The comparison has teeth: one centavo is seen, wherever it is missing.
    found = expected.expected(folder)
    for column in ("goods_minor", "producer_share_minor"):
        paired = {"goods_minor", "producer_share_minor"}
        part = SupplierOrder.objects.filter(state="released").latest("pk")
        before = {each: getattr(part, each) for each in paired}
        SupplierOrder.objects.filter(pk=part.pk).update(**{each: before[each] + 1 for each in paired})
        wrong = comparing.differences(found=found, replayed=outcome.replayed)
        assert any(f"{part.reference} {column}" in each for each in wrong)
        SupplierOrder.objects.filter(pk=part.pk).update(**before)
    order = next(iter(found.orders))
    found.parts = {key: part for key, part in found.parts.items() if key[0] != order}
    assert comparing.differences(found=found, replayed=outcome.replayed) != []


@pytest.mark.replay
def test_three_hundred_real_orders_come_to_what_their_files_say(real_files):
    outcome = replay_orders.run(real_files, count=300, seed=SEED, say=lambda _: None)

    print(outcome.report)
    assert outcome.differences == []
    assert outcome.breaches == 0, outcome.report
    assert outcome.replayed.orders == 300
    several = [each for each in order_files.read(real_files).orders if len(each.sellers) > 1]
    assert len(several) == 145
    assert {each.id for each in several} <= set(outcome.replayed.numbers)
