"""Real stripe-python, talking to the stand-in in this process; every request is checked against its shape."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shop.core import clock
from shop.payments.stripe import contract, gateway
from tests.payments.shop import SECRET, Shop


@pytest.fixture(autouse=True)
def _every_call_keeps_the_contract() -> Iterator[None]:
    with contract.checking():
        yield


@pytest.fixture
def shop(settings, monkeypatch) -> Iterator[Shop]:
    settings.STRIPE_API_KEY = "sk_test_sandbox"
    settings.STRIPE_API_BASE = ""
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    each = Shop()
    monkeypatch.setattr(clock, "now", lambda: each.at)
    with gateway.speaking_through(each.http):
        yield each
    each.sandbox.close()
