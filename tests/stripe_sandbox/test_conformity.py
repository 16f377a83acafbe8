"""Everything the sandbox emits has the shape of the library's classes, and names only what they name."""

from __future__ import annotations

import json

import pytest
import stripe

from fixtures.stripe_sandbox import books
from fixtures.stripe_sandbox.resources import accounts, checkout  # noqa: F401
from fixtures.stripe_sandbox.routes import ROUTES
from shop.payments.stripe import contract
from tests.stripe_sandbox.browser import Browser

CLASSES = {
    each.OBJECT_NAME: each
    for each in (
        stripe.Account, stripe.AccountLink, stripe.Balance, stripe.BalanceTransaction, stripe.BankAccount,
        stripe.Capability, stripe.Charge, stripe.checkout.Session, stripe.Dispute, stripe.Event, stripe.File,
        stripe.LineItem, stripe.PaymentIntent, stripe.Payout, stripe.Refund, stripe.reporting.ReportRun, stripe.Topup,
        stripe.Transfer, stripe.TransferReversal, stripe.WebhookEndpoint,
    )
}  # fmt: skip
DELETED = {"account", "webhook_endpoint"}


@pytest.fixture
def emitted(sandbox, monkeypatch):
    """Every JSON object that leaves the sandbox, by its type, also those inside others."""
    found = {}
    handle = sandbox.handle

    def keep(value):
        if isinstance(value, dict):
            if "object" in value and isinstance(value["object"], str):
                found.setdefault(value["object"], []).append(value)
            for each in value.values():
                keep(each)
        elif isinstance(value, list):
            for each in value:
                keep(each)

    def listen(request):
        answer = handle(request)
        if answer.headers["Content-Type"] == "application/json":
            keep(json.loads(answer.body))
        return answer

    monkeypatch.setattr(sandbox, "handle", listen)
    return found


def _live_through_everything(client, sandbox, control, charged, cooperative):
    """One of each: payments by API and page, refunds, transfers, disputes, deposits, reports, endpoints."""
    v1 = client.v1
    v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"], "connect": True})
    endpoint = v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["*"]})
    v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    v1.account_links.create(
        {
            "account": cooperative,
            "type": "account_onboarding",
            "return_url": "http://a/",
            "refresh_url": "http://a/",
        }
    )
    charge = charged(100_000, transfer_group="ORDER_1")
    transfer = v1.transfers.create(
        {"amount": 4940, "currency": "eur", "destination": cooperative, "source_transaction": charge.id}
    )
    v1.transfers.reversals.create(transfer.id, {"amount": 100})
    v1.transfers.update(transfer.id, {"metadata": {"payout": "P-1"}})
    v1.refunds.create({"charge": charge.id, "amount": 5_000, "reason": "requested_by_customer"})
    charged(20_000, "pm_card_createDispute")
    won = charged(30_000, "pm_card_createDispute")
    dispute = v1.disputes.list({"charge": won.id}).data[0]
    v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    failing = v1.refunds.create({"charge": charged(10_000, "pm_card_refundFail").id})
    v1.topups.create({"amount": 500_000, "currency": "eur"})
    with pytest.raises(stripe.CardError):
        charged(10_000, "pm_card_chargeDeclined")
    manual = v1.payment_intents.create(
        {
            "amount": 70_000,
            "currency": "mad",
            "capture_method": "manual",
            "payment_method": "pm_card_visa",
            "confirm": True,
        }
    )
    v1.payment_intents.capture(manual.id, {"amount_to_capture": 60_000})
    v1.payment_intents.create(
        {
            "amount": 70_000,
            "currency": "mad",
            "payment_method": "pm_card_threeDSecure2Required",
            "confirm": True,
        }
    )
    v1.payment_intents.cancel(v1.payment_intents.create({"amount": 5_000, "currency": "mad"}).id)
    browser = Browser(sandbox)
    session = browser.session(client)
    browser.pay(session, "4242424242424242")
    browser.session(client)
    v1.reporting.report_runs.create(
        {
            "report_type": "payout_reconciliation.itemized.5",
            "parameters": {"interval_start": 0, "interval_end": 2**31},
        }
    )
    control("capability", account=cooperative, capability="transfers", status="inactive")
    control("bank-account", account=cooperative, last4="1234")
    control("advance", days=9)
    payout = v1.payouts.list().data[0]
    control("payout", fail=payout.id)

    look = {"limit": 100}
    v1.accounts.list(look), v1.accounts.retrieve_current(), v1.accounts.capabilities.list(cooperative)
    v1.balance.retrieve(), v1.balance_transactions.list(look), v1.events.list(look), v1.payouts.list(look)
    v1.charges.list({**look, "expand": ["data.refunds", "data.balance_transaction"]}), v1.disputes.list(look)
    v1.refunds.retrieve(
        failing.id, {"expand": ["charge", "balance_transaction", "failure_balance_transaction"]}
    )
    (
        v1.payment_intents.list({**look, "expand": ["data.latest_charge"]}),
        v1.refunds.list(look),
        v1.topups.list(look),
    )
    v1.transfers.list({**look, "expand": ["data.destination", "data.destination_payment"]})
    v1.checkout.sessions.list({**look, "expand": ["data.line_items", "data.payment_intent"]})
    v1.checkout.sessions.line_items.list(session.id)
    v1.webhook_endpoints.list(look), v1.transfers.reversals.list(transfer.id)
    run = v1.reporting.report_runs.list(look).data[0]
    v1.files.retrieve(run.result.id)
    v1.webhook_endpoints.delete(endpoint.id)


def test_every_object_that_leaves_the_sandbox_has_the_library_s_shape(
    emitted, client, sandbox, control, charged, cooperative
):
    _live_through_everything(client, sandbox, control, charged, cooperative)

    assert set(CLASSES) <= set(emitted)
    faults = [
        fault
        for name, things in emitted.items()
        if name in CLASSES
        for thing in things
        if not thing.get("deleted")
        for fault in contract.faults_in_response(thing, CLASSES[name])
    ]
    assert sorted(set(faults)) == []
    assert set(emitted) - set(CLASSES) <= {"list", "price"}
    for thing in emitted["list"]:
        contract.check_response(thing, stripe.ListObject)


def test_event_and_transaction_types_are_ones_the_library_knows(
    emitted, client, sandbox, control, charged, cooperative
):
    _live_through_everything(client, sandbox, control, charged, cooperative)

    types = {row["type"] for row in sandbox.store.rows("select distinct type from balance_transaction")}
    assert types <= set(_members(stripe.BalanceTransaction, "type"))
    assert {
        "charge",
        "refund",
        "transfer",
        "transfer_refund",
        "payout",
        "payout_failure",
        "adjustment",
        "topup",
    } <= types
    told = {each["type"] for each in emitted["event"]}
    assert told <= set(_members(stripe.Event, "type"))
    assert len(told) >= 30
    books.check(sandbox.store)


def _members(cls, field):
    shape, _ = contract.response_fields(cls)[field]
    return [
        member
        for each in contract.arms(shape)
        if contract.get_origin(each.annotation) is contract.Literal
        for member in contract.get_args(each.annotation)
    ]


def test_every_route_is_one_of_the_library_s_own_calls():
    assert len(ROUTES) >= 60
    assert len({(each.method, each.template) for each in ROUTES}) == len(ROUTES)


def test_a_stray_field_would_be_found(client):
    """The control: on the prototype this check found a stray ``livemode`` on accounts and refunds."""
    answer = client.v1.accounts.retrieve_current().to_dict()

    assert contract.faults_in_response(answer, stripe.Account) == []
    assert contract.faults_in_response({**answer, "livemode": False}, stripe.Account) == [
        "Account.livemode: unknown"
    ]
