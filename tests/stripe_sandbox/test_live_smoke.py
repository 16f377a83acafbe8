"""The same story against the sandbox and, by a person with an account, against real Stripe.

Only the second shows that the sandbox *behaves* like Stripe; everything else here checks shapes. Run it
before each upgrade of the library::

    TADAMON_LIVE_STRIPE_KEY=<a secret test key> pytest tests/stripe_sandbox/test_live_smoke.py -n0
"""

from __future__ import annotations

import os

import pytest
import stripe

from shop.payments.stripe import contract
from tests.stripe_sandbox.scenario import EXPECTED, run
from tests.stripe_sandbox.test_conformity import CLASSES

KEY = os.environ.get("TADAMON_LIVE_STRIPE_KEY", "")


def test_the_sandbox_lives_through_the_story(client):
    states, objects = run(client, "mad")

    assert states == EXPECTED
    assert [
        fault for each in objects for fault in contract.faults_in_response(each, CLASSES[each["object"]])
    ] == []


@pytest.mark.skipif(
    not KEY.startswith("sk_test_"), reason="needs TADAMON_LIVE_STRIPE_KEY, a real secret test key"
)
def test_real_stripe_lives_through_the_same_story(client):
    real = stripe.StripeClient(KEY, max_network_retries=2)

    states, objects = run(real, "eur")

    assert states == EXPECTED
    assert [
        fault for each in objects for fault in contract.faults_in_response(each, CLASSES[each["object"]])
    ] == []
    _, ours = run(client, "mad")
    missing = {
        f"{theirs['object']}.{name}"
        for theirs, mine in zip(objects, ours, strict=False)
        for name, value in theirs.items()
        if name not in mine and value is not None
    }
    assert missing == set(), "fields real Stripe fills in and the sandbox does not have"
