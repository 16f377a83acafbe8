"""Strictness: what real Stripe would refuse, the sandbox refuses in the same words and shape."""

from __future__ import annotations

import json

import pytest
import stripe

from fixtures.stripe_sandbox import Sandbox, client_for, controls
from fixtures.stripe_sandbox.wire import Request
from shop.payments.stripe import contract
from tests.stripe_sandbox.conftest import MORNING, balance_of

AUTH = {"authorization": "Bearer sk_test_x", "content-type": "application/x-www-form-urlencoded"}
DAY = 86_400


def ask(sandbox, method, path, body="", **headers):
    answer = sandbox.handle(Request(method, path, "", {**AUTH, **headers}, body.encode()))
    return answer.status, json.loads(answer.body), answer.headers


@pytest.mark.parametrize(
    ("body", "code", "param", "message"),
    [
        ("amount=1&currency=mad&colour=red", "parameter_unknown", "colour", "Received unknown parameter: colour"),
        ("amount=1", "parameter_missing", "currency", "Missing required param: currency."),
        ("amount=1.5&currency=mad", "parameter_invalid_integer", "amount", "Invalid integer: 1.5"),
        ("amount=0&currency=mad", "parameter_invalid_integer", "amount", "This value must be greater than or equal to 1."),
        ("amount=1&currency=mad&capture_method=later", None, "capture_method", None),
        ("amount=1&currency=mad&shipping[name]=A", "parameter_missing", "shipping[address]", None),
        ("amount=1&currency=mad&on_behalf_of=acct_1", "sandbox_unmodelled", "on_behalf_of", None),
        ("amount=1&currency=xyz", None, "currency", "Invalid currency: xyz. The sandbox has no exchange rate for it."),
    ],
)  # fmt: skip
def test_a_wrong_request_is_refused_in_stripe_s_shape(sandbox, body, code, param, message):
    status, answer, _ = ask(sandbox, "POST", "/v1/payment_intents", body)

    error = answer["error"]
    assert (status, error["type"], error.get("code"), error["param"]) == (
        400,
        "invalid_request_error",
        code,
        param,
    )
    assert message is None or error["message"] == message
    assert sandbox.store.rows("select * from thing where kind = 'payment_intent'") == []


def test_an_unknown_address_is_a_404_in_json(sandbox, client):
    status, answer, headers = ask(sandbox, "GET", "/v1/unicorns")

    assert (status, headers["Content-Type"]) == (404, "application/json")
    assert answer["error"]["message"].startswith("Unrecognized request URL (GET: /v1/unicorns).")
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        client.v1.customers.create({"email": "a@example.org"})


def test_a_thing_that_is_not_there_is_a_404(client):
    with pytest.raises(stripe.InvalidRequestError, match="No such charge: 'ch_none'") as missing:
        client.v1.charges.retrieve("ch_none")

    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")


def test_a_live_key_is_turned_away_and_nothing_is_written(sandbox):
    controls.advance(sandbox, {})
    before = list(map(tuple, sandbox.store.rows("select * from setting order by name")))
    client = client_for(sandbox, key="sk_" + "live_0123456789")

    with pytest.raises(
        stripe.AuthenticationError, match="takes keys that begin with sk_test_ only"
    ) as turned_away:
        client.v1.payment_intents.create({"amount": 1, "currency": "mad"})

    assert turned_away.value.http_status == 401
    assert "0123456789" not in str(turned_away.value)
    assert sandbox.store.rows("select * from request") == []
    assert sandbox.store.rows("select * from thing") == []
    assert list(map(tuple, sandbox.store.rows("select * from setting order by name"))) == before


@pytest.mark.parametrize("key", ["", "rk_test_1", "pk_test_1", "nonsense"])
def test_only_secret_test_keys_are_taken(sandbox, key):
    status, _, _ = ask(sandbox, "GET", "/v1/balance", authorization=f"Bearer {key}")

    assert status == 401


def test_the_version_asked_for_is_echoed(sandbox):
    assert (
        ask(sandbox, "GET", "/v1/balance", **{"stripe-version": "2026-10-28.endive"})[2]["Stripe-Version"]
        == stripe.api_version
    )


# --- accounts apart ---


def test_accounts_do_not_see_each_other(client, charged, cooperative):
    charge = charged()
    as_cooperative = {"stripe_account": cooperative}

    assert client.v1.charges.list({}, as_cooperative).data == []
    assert client.v1.balance_transactions.list({}, as_cooperative).data == []
    assert balance_of(client, cooperative) == {"eur": (0, 0)}
    with pytest.raises(stripe.InvalidRequestError, match="No such charge"):
        client.v1.charges.retrieve(charge.id, {}, as_cooperative)
    with pytest.raises(stripe.InvalidRequestError, match="No such payment_intent"):
        client.v1.payment_intents.cancel(charge.payment_intent, {}, as_cooperative)


def test_an_account_that_is_not_ours_is_refused(client):
    with pytest.raises(stripe.PermissionError) as refused:
        client.v1.balance.retrieve({}, {"stripe_account": "acct_somebody"})

    assert (refused.value.http_status, refused.value.error.code) == (403, "account_invalid")


def test_a_key_of_one_account_is_not_the_key_of_another(client, cooperative):
    params = {"amount": 100, "currency": "eur"}

    ours = client.v1.topups.create(params, {"idempotency_key": "k"})
    theirs = client.v1.topups.create(params, {"idempotency_key": "k", "stripe_account": cooperative})

    assert ours.id != theirs.id


# --- onboarding ---


def test_an_account_is_not_active_because_it_exists(client):
    account = client.v1.accounts.create({"country": "MA", "capabilities": {"transfers": {"requested": True}}})

    assert account.capabilities.transfers == "inactive"
    assert account.payouts_enabled is False
    assert account.requirements.currently_due != []


def test_a_country_can_be_refused(sandbox, client):
    sandbox.configure(refused_countries=["MA"])

    with pytest.raises(stripe.InvalidRequestError, match="Connected accounts in MA cannot be created"):
        client.v1.accounts.create({"country": "MA"})

    assert client.v1.accounts.list().data == []


# --- expanding and paging ---


def test_expanding_goes_deep_and_through_lists(client, charged, cooperative):
    charge = charged()
    client.v1.transfers.create(
        {"amount": 100, "currency": "eur", "destination": cooperative, "source_transaction": charge.id}
    )

    intent = client.v1.payment_intents.retrieve(
        charge.payment_intent, {"expand": ["latest_charge.balance_transaction.source"]}
    )
    transfers = client.v1.transfers.list(
        {"expand": ["data.source_transaction.payment_intent", "data.destination"]}
    )

    assert intent.latest_charge.balance_transaction.source.id == charge.id
    assert transfers.data[0].source_transaction.payment_intent.id == charge.payment_intent
    assert transfers.data[0].destination.id == cooperative


@pytest.mark.parametrize("path", ["amount", "colour", "latest_charge.amount"])
def test_what_cannot_be_expanded_is_refused(client, charged, path):
    with pytest.raises(stripe.InvalidRequestError, match="This property cannot be expanded"):
        client.v1.payment_intents.retrieve(charged().payment_intent, {"expand": [path]})


def test_pages_follow_each_other_without_gap_or_twin(client):
    made = [client.v1.topups.create({"amount": n, "currency": "eur"}).id for n in range(1, 26)]

    forwards = [each.id for each in client.v1.topups.list({"limit": 7}).auto_paging_iter()]
    page = client.v1.topups.list({"limit": 10})
    after = client.v1.topups.list({"limit": 10, "starting_after": page.data[-1].id})
    before = client.v1.topups.list({"limit": 10, "ending_before": after.data[0].id})

    assert forwards == made[::-1]
    assert (page.has_more, len(after.data)) == (True, 10)
    assert [each.id for each in before.data] == [each.id for each in page.data]
    rows = list(client.v1.balance_transactions.list({"limit": 4}).auto_paging_iter())
    assert [each.source for each in rows] == made[::-1]


def test_rows_are_filtered_by_moment_source_and_type(client, charged, control):
    charge = charged()
    control("clock", frozen_at=MORNING + 100)
    client.v1.refunds.create({"charge": charge.id, "amount": 100})

    def types(**filters):
        return [each.type for each in client.v1.balance_transactions.list(filters).data]

    assert types() == ["refund", "charge"]
    assert types(created={"gte": MORNING + 1}) == ["refund"]
    assert types(created=MORNING) == ["charge"]
    assert types(source=charge.id) == ["charge"]
    assert types(type="refund") == ["refund"]
    with pytest.raises(stripe.InvalidRequestError, match="No such payout"):
        client.v1.balance_transactions.list({"payout": "po_none"})


def test_a_limit_beyond_a_hundred_is_refused(client):
    with pytest.raises(stripe.InvalidRequestError, match="Must be between 1 and 100"):
        client.v1.events.list({"limit": 101})


# --- keys ---


def test_the_same_key_gives_the_same_answer_and_says_so(sandbox):
    body = "amount=100&currency=eur"

    first = ask(sandbox, "POST", "/v1/topups", body, **{"idempotency-key": "k"})
    second = ask(sandbox, "POST", "/v1/topups", body, **{"idempotency-key": "k"})

    assert first[1] == second[1]
    assert "Idempotent-Replayed" not in first[2]
    assert second[2]["Idempotent-Replayed"] == "true"
    assert len(sandbox.store.rows("select * from balance_transaction")) == 1


def test_the_same_key_with_other_parameters_is_an_error(client):
    client.v1.topups.create({"amount": 100, "currency": "eur"}, {"idempotency_key": "k"})

    with pytest.raises(stripe.IdempotencyError, match="can only be used with the same parameters"):
        client.v1.topups.create({"amount": 101, "currency": "eur"}, {"idempotency_key": "k"})

    assert balance_of(client) == {"eur": (100, 0)}


def test_a_key_is_forgotten_after_a_day(client, control):
    def top_up():
        return client.v1.topups.create({"amount": 100, "currency": "eur"}, {"idempotency_key": "k"}).id

    first = top_up()
    control("advance", seconds=DAY - 1)
    assert top_up() == first
    control("advance", seconds=1)

    assert top_up() != first


def test_a_decline_is_replayed_under_its_key(client, charged):
    params = {"amount": 100, "currency": "mad", "payment_method": "pm_card_chargeDeclined", "confirm": True}
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            client.v1.payment_intents.create(params, {"idempotency_key": "k"})

    assert len(client.v1.payment_intents.list().data) == 1


def test_a_request_refused_before_it_began_does_not_use_up_its_key(client):
    contract.uninstall()
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.topups.create({"amount": "a", "currency": "eur"}, {"idempotency_key": "k"})

    assert client.v1.topups.create({"amount": 100, "currency": "eur"}, {"idempotency_key": "k"}).amount == 100


# --- time ---


def test_events_are_kept_for_thirty_days(client, control):
    client.v1.topups.create({"amount": 100, "currency": "eur"})
    event = client.v1.events.list({"type": "topup.created"}).data[0]

    control("advance", days=30)
    assert client.v1.events.retrieve(event.id).id == event.id
    control("advance", seconds=1)

    with pytest.raises(stripe.InvalidRequestError, match="No such event"):
        client.v1.events.retrieve(event.id)
    assert client.v1.events.list({"type": "topup.created"}).data == []


def test_the_clock_takes_an_offset_from_the_system_s_time(sandbox):
    import time

    controls.set_clock(sandbox, {"frozen_at": None, "offset_seconds": 9 * DAY})

    assert abs(sandbox.world.now() - time.time() - 9 * DAY) < 5


# --- the seed ---


def test_the_same_seed_and_steps_give_the_same_ids(told):
    def live(seed):
        each = Sandbox(seed=seed, send=told)
        controls.set_clock(each, {"frozen_at": MORNING})
        client = client_for(each)
        client.v1.payment_intents.create(
            {"amount": 100, "currency": "mad", "payment_method": "pm_card_visa", "confirm": True},
            {"idempotency_key": "k"},
        )
        found = [tuple(row) for row in each.store.rows("select * from thing")]
        each.close()
        return found

    assert live(7) == live(7)
    assert {row[1] for row in live(7)}.isdisjoint({row[1] for row in live(8)})


# --- controls ---


def test_controls_take_json_only(sandbox):
    def press(content_type):
        return sandbox.handle(
            Request("POST", "/_sandbox/advance", "", {"content-type": content_type}, b'{"days": 1}')
        )

    assert press("application/x-www-form-urlencoded").status == 415
    assert press("text/plain").status == 415
    assert sandbox.world.clock.offset() == 0
    assert press("application/json").status == 200
    assert sandbox.world.clock.offset() == DAY


def test_the_state_is_told_in_json(sandbox, charged):
    charged()

    answer = sandbox.handle(Request("GET", "/_sandbox/state"))

    state = json.loads(answer.body)
    assert state["sandbox"] is True
    assert state["balances"][state["platform"]] == {"eur": {"available": 0, "pending": 8952}}
    assert state["counts"]["charge"] == 1


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("nonsense", {}),
        ("faults", {"kind": "nonsense"}),
        ("faults", {"kind": "slow", "tims": 2}),
        ("settings", {"nonsense": 1}),
        ("settings", {"exchange_rates": {"mad:eur": "0"}}),
        ("dispute", {"charge": "ch_none"}),
        ("capability", {"account": "acct_none"}),
    ],
)
def test_a_control_that_makes_no_sense_is_refused(sandbox, name, given):
    body = json.dumps(given).encode()

    answer = sandbox.handle(
        Request("POST", f"/_sandbox/{name}", "", {"content-type": "application/json"}, body)
    )

    assert answer.status in (400, 404)
    assert "error" in json.loads(answer.body)


def test_the_front_page_says_sandbox(sandbox):
    answer = sandbox.handle(Request("GET", "/"))

    assert answer.status == 200
    assert "Sandbox: this is not Stripe." in answer.body.decode()
