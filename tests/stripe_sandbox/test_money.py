"""Money in the sandbox: amounts to the centime, and everything Stripe would refuse."""

from __future__ import annotations

import csv
import io
import sqlite3

import pytest
import stripe

from fixtures.stripe_sandbox import Sandbox, books, client_for, controls
from fixtures.stripe_sandbox.wire import Request
from tests.stripe_sandbox.conftest import MORNING, balance_of, events_of

DAY = 86_400


def refused(code=None, match=None):
    """Expect Stripe's refusal; ``code`` is compared exactly."""
    check = None if code is None else (lambda error: error.code == code)
    return pytest.raises(stripe.InvalidRequestError, match=match, check=check)


# --- charges ---


def test_a_charge_in_dirhams_lands_in_euros(charged, client):
    charge = charged(100_000)

    row = charge.balance_transaction
    assert (row.amount, row.fee, row.net, row.currency, row.exchange_rate) == (9250, 298, 8952, "eur", 0.0925)
    assert (row.type, row.reporting_category, row.status) == ("charge", "charge", "pending")
    assert row.available_on == MORNING + 2 * DAY
    assert balance_of(client) == {"eur": (0, 8952)}


def test_settled_in_dirhams_the_worked_example_is_exact(sandbox, charged, client):
    sandbox.configure(settlement_currency="mad", fee_fixed=350)

    charge = charged(100_000)

    row = charge.balance_transaction
    assert (row.amount, row.fee, row.net, row.currency, row.exchange_rate) == (
        100_000,
        3250,
        96_750,
        "mad",
        None,
    )


def test_settled_in_dirhams_the_fixed_fee_is_thirty_cents_worth(sandbox, charged):
    sandbox.configure(settlement_currency="mad")

    charge = charged(100_000)

    # 29,00 and 0,30 EUR at 0,0925, which is 3,24 MAD
    assert charge.balance_transaction.fee == 2900 + 324


def test_halves_round_up(sandbox, charged):
    sandbox.configure(exchange_rates={"mad:eur": "0.5"}, fee_percent="5", fee_fixed=0)

    row = charged(101).balance_transaction

    # 50.5 becomes 51; five percent of it, 2.55, becomes 3
    assert (row.amount, row.fee) == (51, 3)


def test_the_settlement_currency_stays_once_money_has_moved(sandbox, charged):
    charged()

    with pytest.raises(Exception, match="settlement currency stays"):
        sandbox.configure(settlement_currency="mad")


def test_money_becomes_available_after_two_days(charged, client, control):
    charged()
    control("settings", deposits="off")

    control("advance", days=2, seconds=-1)
    assert balance_of(client) == {"eur": (0, 8952)}
    control("advance", seconds=1)

    assert balance_of(client) == {"eur": (8952, 0)}
    assert events_of(client)[-1] == "balance.available"


def test_a_declined_card_leaves_a_failed_charge_and_no_money(client, charged):
    with pytest.raises(stripe.CardError) as declined:
        charged(100_000, "pm_card_chargeDeclinedInsufficientFunds")

    assert (declined.value.code, declined.value.http_status) == ("card_declined", 402)
    assert declined.value.error.decline_code == "insufficient_funds"
    assert declined.value.error.payment_intent.status == "requires_payment_method"
    charge = client.v1.charges.retrieve(declined.value.error.charge)
    assert (charge.status, charge.paid, charge.balance_transaction) == ("failed", False, None)
    assert balance_of(client) == {"eur": (0, 0)}
    assert events_of(client)[-2:] == ["charge.failed", "payment_intent.payment_failed"]


def test_a_declined_intent_can_be_confirmed_with_another_card(client):
    intent = client.v1.payment_intents.create({"amount": 100_000, "currency": "mad"})
    with pytest.raises(stripe.CardError):
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_chargeDeclined"})

    again = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})

    assert (again.status, again.amount_received) == ("succeeded", 100_000)
    assert len(client.v1.charges.list({"payment_intent": intent.id}).data) == 2


def _authorised(client, amount=100_000):
    return client.v1.payment_intents.create(
        {
            "amount": amount,
            "currency": "mad",
            "capture_method": "manual",
            "payment_method": "pm_card_visa",
            "confirm": True,
        }
    )


def test_a_partial_capture_is_two_rows(client):
    intent = _authorised(client)
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 100_000)
    assert balance_of(client) == {"eur": (0, 0)}

    captured = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 60_000})

    rows = client.v1.balance_transactions.list({"source": captured.latest_charge}).data[::-1]
    # 600,00 MAD is 55,50 EUR; its fee is 1,61 and 0,30
    assert [(each.reporting_category, each.amount, each.fee) for each in rows] == [
        ("charge", 9250, 191),
        ("partial_capture_reversal", -3700, 0),
    ]
    assert (captured.amount_received, captured.amount_capturable) == (60_000, 0)


def test_more_than_authorised_cannot_be_captured(client):
    intent = _authorised(client)

    with refused("amount_too_large"):
        client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 100_001})

    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_capture"


def test_nothing_cannot_be_captured(client):
    intent = _authorised(client)

    with refused("amount_too_large"):
        client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 0})

    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_capture"


def test_an_authorisation_given_up_leaves_no_row(client, sandbox):
    intent = _authorised(client)

    cancelled = client.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})

    assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "abandoned")
    assert sandbox.store.rows("select * from balance_transaction") == []
    with refused("payment_intent_unexpected_state"):
        client.v1.payment_intents.capture(intent.id)


def test_an_authorisation_expires_after_a_week(client, control):
    intent = _authorised(client)

    control("advance", days=7)

    assert client.v1.payment_intents.retrieve(intent.id).cancellation_reason == "automatic"
    assert events_of(client)[-2:] == ["charge.expired", "payment_intent.canceled"]


# --- refunds ---


def test_a_refund_takes_its_money_and_stripe_keeps_its_fee(client, charged):
    charge = charged()

    refund = client.v1.refunds.create({"charge": charge.id, "amount": 10_000}, {"idempotency_key": "re:1"})

    row = client.v1.balance_transactions.retrieve(refund.balance_transaction)
    assert (refund.status, row.type, row.amount, row.fee) == ("succeeded", "refund", -925, 0)
    charge = client.v1.charges.retrieve(charge.id)
    assert (charge.amount_refunded, charge.refunded) == (10_000, False)
    assert balance_of(client) == {"eur": (0, 8027)}


def test_more_than_was_paid_is_not_refunded(client, charged):
    charge = charged(12_345)
    client.v1.refunds.create({"charge": charge.id, "amount": 2_345})

    with refused(
        match=r"Refund amount \(100.01 mad\) is greater than unrefunded amount on charge \(100.00 mad\)"
    ):
        client.v1.refunds.create({"charge": charge.id, "amount": 10_001})

    assert client.v1.charges.retrieve(charge.id).amount_refunded == 2_345
    assert len(client.v1.refunds.list({"charge": charge.id}).data) == 1


def test_a_refunded_charge_is_not_refunded_again(client, charged):
    charge = charged()
    client.v1.refunds.create({"payment_intent": charge.payment_intent})

    with refused("charge_already_refunded"):
        client.v1.refunds.create({"charge": charge.id})


def test_a_pending_refund_counts_as_gone_and_succeeds_later(client, charged, control):
    charge = charged(100_000, "pm_card_pendingRefund")
    refund = client.v1.refunds.create({"charge": charge.id, "amount": 60_000})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    with refused():
        client.v1.refunds.create({"charge": charge.id, "amount": 50_000})

    control("advance", days=1)

    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"


def test_a_failed_refund_brings_its_money_back(client, charged, control):
    charge = charged()
    before = balance_of(client)
    refund = client.v1.refunds.create({"charge": charge.id})

    control("refund-fail", refund=refund.id)

    failed = client.v1.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    row = failed.failure_balance_transaction
    assert (failed.status, row.type, row.reporting_category, row.amount) == (
        "failed",
        "adjustment",
        "refund_failure",
        9250,
    )
    assert sum(sum(each) for each in balance_of(client).values()) == sum(before["eur"])
    assert client.v1.charges.retrieve(charge.id).amount_refunded == 0
    assert events_of(client)[-2:] == ["refund.failed", "refund.updated"]


# --- transfers ---


def _transfer(client, cooperative, amount=4940, currency="eur", **more):
    return client.v1.transfers.create(
        {"amount": amount, "currency": currency, "destination": cooperative, **more}
    )


def test_one_charge_pays_two_cooperatives(client, charged, cooperative, control):
    charge = charged(100_000, transfer_group="ORDER_1")
    other = client.v1.accounts.create(
        {"country": "MA", "capabilities": {"transfers": {"requested": True}}}
    ).id
    control("capability", account=other)

    first = _transfer(client, cooperative, 4940, source_transaction=charge.id)
    _transfer(client, other, 2799, source_transaction=charge.id)

    assert first.transfer_group == "ORDER_1"
    assert balance_of(client) == {"eur": (0, 8952 - 4940 - 2799)}
    assert balance_of(client, cooperative) == {"eur": (0, 4940)}
    assert balance_of(client, other) == {"eur": (0, 2799)}
    assert len(client.v1.transfers.list({"transfer_group": "ORDER_1"}).data) == 2


def test_the_transfers_of_a_charge_do_not_exceed_it(client, charged, cooperative):
    charge = charged()
    _transfer(client, cooperative, 9000, source_transaction=charge.id)

    with refused(match="would exceed its amount: 250 eur are left"):
        _transfer(client, cooperative, 251, source_transaction=charge.id)

    assert balance_of(client, cooperative) == {"eur": (0, 9000)}


def test_a_transfer_is_in_the_currency_of_the_row_not_of_the_charge(client, charged, cooperative):
    charge = charged()

    with refused(match=r"balance transaction \(eur\) must be the same as the transfer currency \(mad\)"):
        _transfer(client, cooperative, 1, "mad", source_transaction=charge.id)


def test_without_a_charge_behind_it_a_transfer_needs_available_money(client, charged, cooperative):
    charged()

    with refused("balance_insufficient"):
        _transfer(client, cooperative, 1)

    client.v1.topups.create({"amount": 5_000, "currency": "eur"})
    assert _transfer(client, cooperative, 5_000).amount == 5_000


def test_an_account_without_the_capability_receives_nothing(client, charged, cooperative, control):
    charge = charged()
    control("capability", account=cooperative, status="inactive")

    with refused("insufficient_capabilities_for_transfer"):
        _transfer(client, cooperative, source_transaction=charge.id)

    assert client.v1.transfers.list().data == []


def test_a_transfer_is_reversed_in_parts(client, charged, cooperative):
    charge = charged()
    transfer = _transfer(client, cooperative, source_transaction=charge.id)

    client.v1.transfers.reversals.create(transfer.id, {"amount": 940})

    transfer = client.v1.transfers.retrieve(transfer.id)
    assert (transfer.amount_reversed, transfer.reversed, len(transfer.reversals.data)) == (940, False, 1)
    assert balance_of(client, cooperative) == {"eur": (0, 4000)}
    with refused(match="greater than unreversed amount"):
        client.v1.transfers.reversals.create(transfer.id, {"amount": 4001})
    row = client.v1.balance_transactions.list({"type": "transfer_refund"}).data[0]
    assert (row.amount, row.reporting_category) == (940, "transfer_reversal")


def test_money_the_cooperative_has_taken_out_is_not_reversed(client, charged, cooperative, control):
    charge = charged()
    transfer = _transfer(client, cooperative, source_transaction=charge.id)
    control("advance", days=2)
    control("payout", account=cooperative)

    with refused("balance_insufficient"):
        client.v1.transfers.reversals.create(transfer.id)

    assert client.v1.transfers.retrieve(transfer.id).amount_reversed == 0


# --- disputes ---


def test_a_dispute_takes_amount_and_fee_at_once(client, charged):
    charge = charged(100_000, "pm_card_createDispute")

    dispute = client.v1.disputes.list({"charge": charge.id}).data[0]

    row = dispute.balance_transactions[0]
    assert (row.type, row.reporting_category, row.amount, row.fee) == ("adjustment", "dispute", -9250, 1500)
    assert balance_of(client) == {"eur": (0, 8952 - 9250 - 1500)}
    assert client.v1.charges.retrieve(charge.id).disputed
    assert "charge.dispute.funds_withdrawn" in events_of(client)


def test_a_disputed_charge_is_not_refunded(client, charged):
    charge = charged(100_000, "pm_card_createDispute")

    with refused("charge_disputed"):
        client.v1.refunds.create({"charge": charge.id})


@pytest.mark.parametrize(("outcome", "left"), [("won", 8952 - 1500), ("lost", 8952 - 9250 - 1500)])
def test_a_dispute_ends(client, charged, control, outcome, left):
    charge = charged()
    dispute = control("dispute", charge=charge.id, reason="product_not_received")

    control("dispute", dispute=dispute["id"], outcome=outcome)

    assert client.v1.disputes.retrieve(dispute["id"]).status == outcome
    assert sum(balance_of(client)["eur"]) == left


def test_evidence_decides(client, charged):
    charge = charged(100_000, "pm_card_createDispute")
    dispute = client.v1.disputes.list({"charge": charge.id}).data[0]

    client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})

    assert client.v1.disputes.retrieve(dispute.id).status == "won"
    assert events_of(client)[-2:] == ["charge.dispute.closed", "charge.dispute.funds_reinstated"]


# --- deposits ---


def test_a_deposit_is_the_sum_of_its_rows(client, charged, cooperative, control):
    charge = charged()
    client.v1.refunds.create({"charge": charged(20_000).id})
    _transfer(client, cooperative, source_transaction=charge.id)

    control("advance", days=3)

    deposit = client.v1.payouts.list().data[0]
    rows = list(client.v1.balance_transactions.list({"payout": deposit.id, "limit": 2}).auto_paging_iter())
    others = [each for each in rows if each.source != deposit.id]
    assert len(rows) == 5
    assert sum(each.net for each in others) == deposit.amount
    assert sum(each.net for each in rows) == 0
    assert deposit.automatic and deposit.status == "in_transit"
    assert balance_of(client)["eur"] == (0, 0)


def test_a_deposit_is_reconciled_then_arrives_with_its_trace(client, charged, control):
    charged()
    control("advance", days=2)
    control("payout")
    deposit = client.v1.payouts.list().data[0]
    assert (deposit.reconciliation_status, deposit.trace_id.status) == ("in_progress", "pending")

    control("advance", seconds=3600)
    assert client.v1.payouts.retrieve(deposit.id).reconciliation_status == "completed"
    control("advance", days=1)

    deposit = client.v1.payouts.retrieve(deposit.id)
    assert (deposit.status, deposit.trace_id.status) == ("paid", "supported")
    assert deposit.trace_id.value.startswith("SBX")
    told = [each for each in events_of(client) if each.startswith("payout.")]
    assert told == ["payout.created", "payout.reconciliation_completed", "payout.paid", "payout.updated"]


def test_no_row_is_in_two_deposits(client, charged, control, sandbox):
    for _ in range(5):
        charged()
        control("advance", days=1)
    control("advance", days=5)

    deposits = client.v1.payouts.list({"limit": 100}).data

    assert len(deposits) == 5
    assert sum(each.amount for each in deposits) == 5 * 8952
    rows = sandbox.store.rows("select balance_transaction from deposit_row")
    assert len(rows) == len({row[0] for row in rows}) == 10


def test_a_negative_balance_makes_no_deposit(client, charged, control):
    charge = charged()
    control("advance", days=3)
    client.v1.refunds.create({"charge": charge.id})

    control("advance", days=3)

    assert balance_of(client) == {"eur": (-9250, 0)}
    assert len(client.v1.payouts.list().data) == 1


def test_a_negative_balance_is_made_up_by_the_next_money(client, charged, control):
    charge = charged()
    control("advance", days=3)
    client.v1.refunds.create({"charge": charge.id})
    charged(200_000)

    control("advance", days=3)

    # 185,00 less its fee of 5,67, less the 92,50 that were owed
    assert client.v1.payouts.list().data[0].amount == 18_500 - 567 - 9250


def test_a_failed_deposit_is_back_on_the_balance(client, charged, control):
    charged()
    control("advance", days=3)
    deposit = client.v1.payouts.list().data[0]

    control("payout", fail=deposit.id)

    deposit = client.v1.payouts.retrieve(deposit.id, {"expand": ["failure_balance_transaction"]})
    assert (deposit.status, deposit.failure_balance_transaction.type) == ("failed", "payout_failure")
    assert balance_of(client) == {"eur": (8952, 0)}


def test_jumping_a_month_gives_the_same_deposits_as_living_it(told):
    def live(step):
        each = Sandbox(send=told)
        controls.set_clock(each, {"frozen_at": MORNING})
        client = client_for(each)
        for _ in range(3):
            client.v1.payment_intents.create(
                {"amount": 100_000, "currency": "mad", "payment_method": "pm_card_visa", "confirm": True}
            )
            controls.advance(each, {"days": 1})
        for _ in range(30 // step):
            controls.advance(each, {"days": step})
        found = [
            (every.amount, every.created, every.status)
            for every in client.v1.payouts.list({"limit": 100}).data
        ]
        each.close()
        return found

    assert live(30) == live(1)
    assert len(live(30)) == 3


def test_the_balance_is_the_sum_of_all_nets(client, charged, cooperative, control, sandbox):
    charge = charged()
    _transfer(client, cooperative, source_transaction=charge.id)
    client.v1.refunds.create({"charge": charge.id, "amount": 12_345})
    charged(50_000, "pm_card_createDispute")
    control("advance", days=1)

    for account in (None, cooperative):
        rows = client.v1.balance_transactions.list(
            {"limit": 100}, {"stripe_account": account} if account else None
        )
        nets = sum(each.net for each in rows.data)
        assert sum(balance_of(client, account)["eur"]) == nets
        assert all(each.net == each.amount - each.fee for each in rows.data)


def test_the_list_of_rows_is_append_only(sandbox, charged):
    charged()

    for statement in (
        "update balance_transaction set amount = amount + 1, net = net + 1",
        "delete from balance_transaction",
        "insert or replace into balance_transaction select * from balance_transaction",
    ):
        with pytest.raises(sqlite3.DatabaseError, match="append-only"):
            sandbox.store.write(statement)
    with pytest.raises(sqlite3.IntegrityError, match="net_is_amount_less_fee"):
        books_row = "insert into balance_transaction (id, account, currency, amount, fee, net, type, reporting_category, available_on, created)"
        sandbox.store.write(
            books_row + " values ('txn_x', 'acct', 'eur', 100, 3, 98, 'charge', 'charge', 0, 0)"
        )
    assert [row["net"] for row in sandbox.store.rows("select net from balance_transaction")] == [8952]


def test_a_deposit_that_is_not_the_sum_of_its_rows_is_noticed(sandbox, client, charged, control):
    """The control of the books' own check."""
    charged()
    control("advance", days=3)
    books.check(sandbox.store)
    deposit = sandbox.store.find("payout", sandbox.world.platform, client.v1.payouts.list().data[0].id)

    sandbox.store.save({**deposit, "amount": deposit["amount"] + 1})

    with pytest.raises(books.BooksBroken):
        books.check(sandbox.store)


def test_the_report_has_one_line_for_each_row_of_each_deposit(client, charged, control, sandbox):
    charged()
    client.v1.refunds.create({"charge": charged().id, "amount": 10_000})
    control("advance", days=3)
    run = client.v1.reporting.report_runs.create(
        {
            "report_type": "payout_reconciliation.itemized.5",
            "parameters": {"interval_start": MORNING, "interval_end": MORNING + 9 * DAY},
        }
    )
    assert run.status == "pending"

    control("advance", seconds=1)

    run = client.v1.reporting.report_runs.retrieve(run.id)
    path = run.result.url.removeprefix(sandbox.world.url)
    answer = sandbox.handle(Request("GET", path, headers={"authorization": "Bearer sk_test_x"}))
    lines = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [(each["reporting_category"], each["gross"], each["fee"], each["net"]) for each in lines] == [
        ("charge", "92.50", "2.98", "89.52"),
        ("charge", "92.50", "2.98", "89.52"),
        ("refund", "-9.25", "0.00", "-9.25"),
    ]
    assert {each["automatic_payout_id"] for each in lines} == {client.v1.payouts.list().data[0].id}


def test_manual_deposits_are_refused(client):
    with refused("sandbox_unmodelled"):
        client.v1.payouts.create({"amount": 1, "currency": "eur"})
