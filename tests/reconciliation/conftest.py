"""A shop and its bank on a Sunday morning."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.bank_sandbox import Running, running
from tests.reconciliation.world import World


@pytest.fixture
def world(db) -> World:
    return World()


@pytest.fixture
def sandbox(world: World, settings, tmp_path) -> Iterator[Running]:
    """The bank and the carrier, listening; their clock is the world's."""
    with running(tmp_path / "bank.sqlite3", seed=1, system_now=lambda: world.at) as bank:
        settings.BANK_SANDBOX_URL = bank.url
        yield bank
