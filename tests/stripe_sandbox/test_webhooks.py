"""Webhooks: signed as Stripe signs, and every way in which they disappoint."""

from __future__ import annotations

import json
import threading
import time

import pytest
import stripe

from fixtures.stripe_sandbox import Sandbox, client_for, controls, running
from fixtures.stripe_sandbox.server import wait_until
from fixtures.stripe_sandbox.webhooks import RETRIES

SECRET = "whsec_sandbox_demo"
HERE = "http://127.0.0.1:8000/payments/stripe/webhook/"


@pytest.fixture
def hooked(sandbox):
    sandbox.add_webhook(HERE, SECRET)
    return sandbox


def top_up(client, amount=100):
    """Two events: topup.created and topup.succeeded."""
    return client.v1.topups.create({"amount": amount, "currency": "eur"})


def read(each, secret=SECRET):
    _, body, headers = each
    return stripe.Webhook.construct_event(body, headers["Stripe-Signature"], secret)


def types(told):
    return [json.loads(body)["type"] for _, body, _ in told]


def test_the_library_accepts_the_signature_and_reads_the_event(hooked, client, control, told):
    top_up(client)

    control("webhooks/flush")

    event = read(told[0])
    assert (event.type, event.data.object.amount, event.api_version) == (
        "topup.created",
        100,
        stripe.api_version,
    )
    assert types(told) == ["topup.created", "topup.succeeded"]
    assert told[0][0] == HERE
    control("webhooks/flush")
    assert len(told) == 2


def test_a_changed_body_is_refused_by_the_library(hooked, client, control, told):
    top_up(client)
    control("webhooks/flush")
    url, body, headers = told[0]

    with pytest.raises(stripe.SignatureVerificationError):
        read((url, body.replace(b"100", b"999"), headers))


def test_signatures_carry_the_system_s_time_even_in_the_demo_s_future(hooked, client, control, told):
    control("advance", days=400)
    top_up(client)

    control("webhooks/flush")

    stamp = int(told[0][2]["Stripe-Signature"].split(",")[0].removeprefix("t="))
    assert abs(stamp - time.time()) < 5


def test_dropped(hooked, client, control, told):
    control("faults", kind="webhook_drop", times=-1)
    top_up(client)

    control("webhooks/flush")

    assert told == []
    assert len(client.v1.events.list().data) == 2


def test_duplicated(hooked, client, control, told):
    control("faults", kind="webhook_duplicate", event="topup.succeeded")
    top_up(client)

    control("webhooks/flush")

    assert types(told) == ["topup.created", "topup.succeeded", "topup.succeeded"]
    assert len({read(each).id for each in told}) == 2


def test_shuffled_in_an_order_the_seed_repeats(told):
    def live(seed):
        told.clear()
        each = Sandbox(seed=seed, send=told)
        each.add_webhook(HERE, SECRET)
        controls.ask_fault(each, {"kind": "webhook_shuffle", "count": 6, "times": 6})
        client = client_for(each)
        for amount in (1, 2, 3):
            top_up(client, amount)
        controls.flush(each, {})
        each.close()
        return [json.loads(body)["data"]["object"]["amount"] for _, body, _ in told], types(told)

    assert live(1) == live(1)
    assert sorted(live(1)[0]) == [1, 1, 2, 2, 3, 3]
    assert live(1)[1] != ["topup.created", "topup.succeeded"] * 3 or live(1)[0] != [1, 1, 2, 2, 3, 3]


def test_delayed(hooked, client, control, told, sandbox):
    control("faults", kind="webhook_delay", seconds=3600, event="topup.created")
    top_up(client)

    sandbox.deliverer.deliver_due()
    assert types(told) == ["topup.succeeded"]
    control("webhooks/flush")

    assert types(told) == ["topup.succeeded", "topup.created"]


def test_two_at_the_same_moment(client, sandbox, control):
    inside, most, lock = [0], [0], threading.Lock()

    def receive(url, body, headers):
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.1)
        with lock:
            inside[0] -= 1
        return 200

    sandbox.deliverer._send = receive
    sandbox.add_webhook(HERE, SECRET, events_=("topup.created",))
    control("faults", kind="webhook_parallel")
    top_up(client)

    delivered = control("webhooks/flush")["delivered"]

    assert (most[0], len(delivered)) == (2, 2)
    assert delivered[0]["event"] == delivered[1]["event"]


def test_signed_with_another_secret_then_rightly(hooked, client, control, told):
    control("faults", kind="webhook_wrong_secret", event="topup.created")
    told.answers = [400]
    top_up(client)

    control("webhooks/flush")
    with pytest.raises(stripe.SignatureVerificationError):
        read(told[0])
    control("webhooks/flush")

    assert read(told[-1]).type == "topup.created"


@pytest.mark.parametrize(("seconds", "accepted"), [(3600, False), (-3600, True)])
def test_an_old_stamp_is_refused_and_one_from_the_future_is_not(
    hooked, client, control, told, seconds, accepted
):
    """Why our own door must look both ways: the library does not."""
    control("faults", kind="webhook_old_timestamp", seconds=seconds, event="topup.created")
    top_up(client)

    control("webhooks/flush")

    if accepted:
        assert read(told[0]).type == "topup.created"
    else:
        with pytest.raises(stripe.SignatureVerificationError, match="Timestamp outside the tolerance zone"):
            read(told[0])


def test_delivered_again_under_a_new_signature(hooked, client, control, told, monkeypatch):
    top_up(client)
    control("webhooks/flush")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 60)

    control("webhooks/redeliver", event=read(told[0]).id)

    assert told[2][1] == told[0][1]
    assert told[2][2]["Stripe-Signature"] != told[0][2]["Stripe-Signature"]
    assert read(told[2]).id == read(told[0]).id


def test_an_endpoint_that_fails_is_tried_again_later(hooked, client, control, told, sandbox):
    told.answers = [500, 200]
    top_up(client)
    sandbox.deliverer.deliver_due()
    sandbox.deliverer.deliver_due()
    assert types(told) == ["topup.created", "topup.succeeded"]

    control("webhooks/flush")

    assert types(told) == ["topup.created", "topup.succeeded", "topup.created"]


def test_an_endpoint_that_never_answers_is_given_up(hooked, client, control, told):
    told.answers = [500] * 100
    top_up(client)

    for _ in range(len(RETRIES) + 5):
        control("webhooks/flush")

    assert len(told) == 2 * (len(RETRIES) + 1)
    assert controls.state(hooked)["deliveries"] == {"given up": 2}


def test_events_of_cooperatives_go_to_their_own_endpoint(sandbox, client, control, told, cooperative):
    sandbox.add_webhook("http://127.0.0.1:1/ours", SECRET, connect=False)
    sandbox.add_webhook("http://127.0.0.1:1/theirs", "whsec_other", connect=True)
    top_up(client)
    control("capability", account=cooperative, status="inactive")

    control("webhooks/flush")

    ours = [read(each) for each in told if each[0].endswith("/ours")]
    theirs = [read(each, "whsec_other") for each in told if each[0].endswith("/theirs")]
    assert [each.type for each in ours] == ["topup.created", "topup.succeeded"]
    assert [(each.type, each.account) for each in theirs] == [
        ("account.updated", cooperative), ("capability.updated", cooperative),
    ]  # fmt: skip


def test_an_endpoint_hears_only_what_it_asked_for(client, control, told):
    endpoint = client.v1.webhook_endpoints.create({"url": HERE, "enabled_events": ["topup.succeeded"]})
    top_up(client)

    control("webhooks/flush")

    assert types(told) == ["topup.succeeded"]
    assert read(told[0], endpoint.secret).type == "topup.succeeded"
    assert "secret" not in client.v1.webhook_endpoints.retrieve(endpoint.id).to_dict()


def test_the_background_thread_delivers_by_itself(told):
    with running(send=told) as each:
        each.sandbox.add_webhook(HERE, SECRET)
        client = stripe.StripeClient("sk_test_x", base_addresses={"api": each.url})

        client.v1.topups.create({"amount": 100, "currency": "eur"})

        assert wait_until(lambda: len(told) == 2)


def test_what_waits_survives_a_restart(tmp_path, told):
    before = Sandbox(tmp_path / "state.sqlite3", send=told)
    before.add_webhook(HERE, SECRET)
    top_up(client_for(before))
    before.close()
    assert told == []

    after = Sandbox(tmp_path / "state.sqlite3", send=told)
    controls.flush(after, {})
    after.close()

    assert [read(each).type for each in told] == ["topup.created", "topup.succeeded"]


def test_webhooks_reach_a_real_door(tmp_path):
    """By HTTP, through another sandbox's server: it answers 404, which is not a delivery."""
    with running() as door:
        each = Sandbox()
        each.add_webhook(door.url + "/nowhere", SECRET)
        top_up(client_for(each))

        delivered = controls.flush(each, {})["delivered"]

        assert [(one["type"], one["status"]) for one in delivered] == [
            ("topup.created", 404),
            ("topup.succeeded", 404),
        ]
        each.close()
