"""A sandbox in memory, the real library talking to it, and short words for what the tests keep doing."""

from __future__ import annotations

from functools import partial

import pytest

from fixtures.stripe_sandbox import Sandbox, client_for, controls
from shop.payments.stripe import contract

# Wednesday 2026-07-01, 10:00 UTC. A frozen clock, so that amounts of time are exact.
MORNING = 1782900000


@pytest.fixture(autouse=True)
def _every_call_keeps_the_contract():
    with contract.checking():
        yield


class Told(list):
    """Webhooks that arrived: (url, body, headers). ``answers`` are given in turn, then 200 for ever."""

    def __init__(self):
        super().__init__()
        self.answers = []

    def __call__(self, url, body, headers):
        self.append((url, body, headers))
        return self.answers.pop(0) if self.answers else 200


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def sandbox(told):
    each = Sandbox(send=told)
    controls.set_clock(each, {"frozen_at": MORNING})
    yield each
    each.close()


@pytest.fixture
def client(sandbox):
    return client_for(sandbox)


@pytest.fixture
def control(sandbox):
    """``control("advance", days=3)`` presses a control and returns its answer."""

    return partial(controls.press, sandbox)


@pytest.fixture
def charged(client):
    """``charged(100000)`` takes money from a good card and returns the charge with its rows."""

    def charge(amount=100_000, card="pm_card_visa", **more):
        intent = client.v1.payment_intents.create(
            {"amount": amount, "currency": "mad", "payment_method": card, "confirm": True, **more}
        )
        return client.v1.charges.retrieve(intent.latest_charge, {"expand": ["balance_transaction"]})

    return charge


@pytest.fixture
def cooperative(client, control):
    """A connected account that may receive transfers and keeps its money until told."""
    account = client.v1.accounts.create(
        {
            "country": "MA",
            "controller": {
                "fees": {"payer": "application"},
                "losses": {"payments": "application"},
                "requirement_collection": "application",
                "stripe_dashboard": {"type": "none"},
            },
            "capabilities": {"transfers": {"requested": True}},
            "settings": {"payouts": {"schedule": {"interval": "manual"}}},
        }
    )
    control("capability", account=account.id, status="active")
    return account.id


def balance_of(client, account=None):
    """{currency: (available, pending)} as Stripe answers it."""
    balance = client.v1.balance.retrieve({}, {"stripe_account": account} if account else None)
    pending = {each.currency: each.amount for each in balance.pending}
    return {each.currency: (each.amount, pending[each.currency]) for each in balance.available}


def events_of(client, **filters):
    return [each.type for each in client.v1.events.list({"limit": 100, **filters}).auto_paging_iter()][::-1]
