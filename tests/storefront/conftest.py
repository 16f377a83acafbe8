from __future__ import annotations

import pytest

from shop.core import clock
from tests.factories import NOW
from tests.payments.conftest import shop
from tests.storefront.visiting import Visitor

__all__ = ["shop"]


@pytest.fixture
def now(monkeypatch):
    """The shop's clock stands at NOW."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return NOW


@pytest.fixture
def visitor(now):
    return Visitor()
