"""Every real order. Long: part of ``make campaign``, whose figures stand in ``docs/benchmarks.md``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.benchmarks import order_files, replay_orders

pytestmark = [pytest.mark.replay, pytest.mark.campaign, pytest.mark.django_db(transaction=True)]


def test_every_real_order_comes_to_what_the_files_and_their_oracle_say():
    folder = os.environ.get(order_files.FOLDER_VARIABLE, "")
    if not folder:
        pytest.skip(
            "LEFT OUT: the replay of every real order. The order files are not part of this repository; "
            f"name their folder in {order_files.FOLDER_VARIABLE} to run it."
        )

    outcome = replay_orders.run(Path(folder))

    print(f"\n{outcome.report}")
    assert outcome.differences == []
    assert outcome.breaches == 0
