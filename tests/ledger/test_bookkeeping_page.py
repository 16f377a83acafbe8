"""docs/bookkeeping.md names every account and every entry there is."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from shop.ledger import accounts, entries
from shop.ledger.chart import CHART

PAGE = (Path(__file__).parents[2] / "docs" / "bookkeeping.md").read_text()


def test_every_account_of_the_chart_stands_on_the_page_and_has_a_function():
    named = set(re.findall(r"`([a-z_]+)(?::<\w+>)?`", PAGE))

    assert set(CHART) <= named
    for kind, line in CHART.items():
        owner = ["X"] if line.has_owner else []
        assert getattr(accounts, kind)(*(owner if kind != "bank" else []), "MAD").kind == kind


def test_every_entry_stands_on_the_page():
    functions = {
        name for name, _ in inspect.getmembers(entries, inspect.isfunction) if name.startswith("record_")
    }

    assert functions == set(re.findall(r"`(record_\w+)`", PAGE))
