"""Payouts by Stripe: out of the charge that paid, in its currency, once, and back to due when refused."""

import pytest

from cooperatives import lifting, payout_accounts
from cooperatives.models import PayoutAccount
from shop.backoffice import auditing, waiting
from shop.core.errors import CarriedOutMeanwhile, Unavailable
from shop.core.models import OutboxMessage
from shop.ledger import entries
from shop.payments import onboarding, paying, payouts, refunding, statements, tasks, transferring
from shop.payments.models import BalanceTransaction, Payout, PayoutItem, PayoutTransfer
from shop.payments.owing import owing
from shop.payments.stripe import gateway
from tests.factories import (
    CooperativeFactory,
    ListingFactory,
    MemberFactory,
    OperatorFactory,
    PayoutAccountFactory,
    mad,
    order_of,
)
from tests.payments.shop import killed, stands

pytestmark = pytest.mark.django_db
State = Payout.State
Made = PayoutTransfer.State


@pytest.fixture
def cooperative(shop):
    """A cooperative whose account at Stripe may receive transfers."""
    found = CooperativeFactory(code="A")
    MemberFactory(cooperative=found)
    account = gateway.create_account(cooperative="A", email="a@example.ma", country="MA", key="acct:A:1")
    shop.press("capability", account=account, status="active")
    PayoutAccountFactory(cooperative=found, rail="stripe", rib="", stripe_account_id=account)
    onboarding.refresh(stripe_account_id=account, at=shop.at)
    return found


def sold(shop, cooperative, price="600.00"):
    order = shop.paid_order((ListingFactory(cooperative=cooperative, price=price), 1))
    return shop.released(order.supplier_orders.get())


def approved(shop):
    run = payouts.plan(by=OperatorFactory(), at=shop.at)
    payouts.approve(run=run, by=OperatorFactory(), at=shop.at)
    return run.payouts.get()


def test_a_payout_is_one_transfer_for_each_order_out_of_its_own_charge(shop, cooperative):
    first, second = sold(shop, cooperative), sold(shop, cooperative, "340.00")
    payout = approved(shop)

    tasks.send_approved_payouts()
    payout.refresh_from_db()
    assert payout.state == State.SENT

    shop.import_balance()

    payout.refresh_from_db()
    assert payout.state == State.PAID
    assert payout.amount == mad("836.60")
    assert (payout.settled_currency, payout.settled_minor) == ("EUR", 4940 + 2799)
    made = shop.things("transfer")
    assert [(each["amount"], each["currency"], each["transfer_group"]) for each in made] == [
        (4940, "eur", f"ORDER_{first.order.number}"),
        (2799, "eur", f"ORDER_{second.order.number}"),
    ]
    assert [each["source_transaction"] for each in made] == [
        first.order.payment.stripe_charge_id,
        second.order.payment.stripe_charge_id,
    ]
    assert payout.stripe_transfer_id == made[0]["id"]
    assert stands("producer_payable", "A") == mad(0)
    assert stands("stripe_balance", currency="EUR") == shop.at_stripe()
    assert statements.statement(payout=payout).closing == mad(0)


def test_a_run_given_up_sends_nothing_to_stripe(shop, cooperative):
    sold(shop, cooperative)
    payout = approved(shop)

    payouts.give_up(run=payout.run, why="a mistake", by=OperatorFactory(), at=shop.at)
    tasks.send_approved_payouts()
    transferring.send(payout=payout, at=shop.at)

    payout.refresh_from_db()
    assert (payout.state, shop.things("transfer")) == (State.CANCELLED, [])
    assert payouts.plan(by=OperatorFactory(), at=shop.at).payouts.get().amount == mad("534.00")


def test_a_run_of_which_stripe_was_asked_is_not_given_up(shop, cooperative, monkeypatch):
    sold(shop, cooperative)
    payout = approved(shop)
    with killed(monkeypatch, transferring, "_before_asking"):
        transferring.send(payout=payout, at=shop.at)

    with pytest.raises(payouts.PartsSent) as refusal:
        payouts.give_up(run=payout.run, why="a mistake", by=OperatorFactory(), at=shop.at)

    assert refusal.value.references == [payout.reference]
    assert transferring.send(payout=payout, at=shop.at).state == State.SENT


def test_money_that_is_still_pending_can_be_transferred(shop, cooperative):
    shop.press("settings", pending_seconds=60 * 86400)
    sold(shop, cooperative)
    payout = approved(shop)

    sent = transferring.send(payout=payout, at=shop.at)

    assert sent.state == State.SENT


def test_there_is_no_file_for_the_bank_when_everything_goes_by_stripe(shop, cooperative):
    sold(shop, cooperative)

    run = payouts.plan(by=OperatorFactory(), at=shop.at)

    assert not hasattr(run, "batch")


def test_orders_paid_in_cash_cannot_go_by_stripe(shop, cooperative):
    order = order_of((ListingFactory(cooperative=cooperative, price="600.00"), 1), method="cash")
    paying.settle_cash(order=order, at=shop.at)
    shop.released(order.supplier_orders.get())

    with pytest.raises(payouts.NothingToPay):
        payouts.plan(by=OperatorFactory(), at=shop.at)

    (out,) = payouts.left_out(at=shop.at)
    assert (out.amount, out.why) == (mad("534.00"), payouts.Why.CASH)


def test_an_order_whose_money_is_not_imported_yet_waits(shop, cooperative):
    order = shop.confirmed_order((ListingFactory(cooperative=cooperative, price="600.00"), 1))
    shop.released(order.supplier_orders.get())

    (out,) = payouts.left_out(at=shop.at)
    assert out.why == payouts.Why.NOT_IMPORTED

    shop.import_balance()
    assert payouts.left_out(at=shop.at) == []


def test_an_account_that_may_not_receive_is_left_out(shop, cooperative):
    sold(shop, cooperative)
    cooperative.payout_accounts.update(transfers_active=False)

    (out,) = payouts.left_out(at=shop.at)

    assert out.why == payouts.Why.NOT_ACTIVE


def test_a_lost_capability_puts_the_cooperative_on_hold(shop, cooperative):
    account = cooperative.payout_accounts.get().stripe_account_id
    shop.listen()
    shop.press("capability", account=account, status="inactive")

    shop.hear()

    held = payout_accounts.current(cooperative=cooperative, at=shop.at)
    assert held.rail == "hold"
    assert "Stripe" in held.reason


def test_another_bank_behind_the_account_puts_the_cooperative_on_hold(shop, cooperative):
    account = cooperative.payout_accounts.get().stripe_account_id
    shop.listen()
    shop.press("bank-account", account=account, last4="6666")

    shop.hear()

    assert payout_accounts.current(cooperative=cooperative, at=shop.at).rail == "hold"


def test_what_stripe_refuses_is_due_again_and_the_account_held(shop, cooperative):
    sold(shop, cooperative)
    payout = approved(shop)
    shop.press("capability", account=cooperative.payout_accounts.get().stripe_account_id, status="inactive")

    refused = transferring.send(payout=payout, at=shop.at)

    assert refused.state == State.REJECTED
    assert "capabilities" in refused.failure
    assert shop.things("transfer") == []
    assert stands("producer_payable", "A") == mad("534.00")
    assert not payout.items.filter(is_live=True).exists()
    held = payout_accounts.current(cooperative=cooperative, at=shop.at)
    assert (held.rail, held.reason) == ("hold", refused.failure[:200])
    (out,) = payouts.left_out(at=shop.at)
    assert (out.amount, out.why) == (mad("534.00"), payouts.Why.ON_HOLD)


def test_a_refusal_in_the_middle_keeps_what_was_sent_and_frees_the_rest(shop, cooperative, monkeypatch):
    sold(shop, cooperative)
    second = sold(shop, cooperative, "340.00")
    payout = approved(shop)
    real, account = gateway.transfer, cooperative.payout_accounts.get().stripe_account_id

    def transfer(**given):
        made = real(**given)
        shop.press("capability", account=account, status="inactive")
        return made

    with monkeypatch.context() as patch:
        patch.setattr(gateway, "transfer", transfer)
        transferring.send(payout=payout, at=shop.at)
    shop.import_balance()

    payout.refresh_from_db()
    assert (payout.state, payout.amount) == (State.PAID, mad("534.00"))
    assert stands("producer_payable", "A") == mad("302.60")
    assert list(payout.items.filter(is_live=False).values_list("supplier_order", flat=True)) == [second.pk]
    assert payout_accounts.current(cooperative=cooperative, at=shop.at).rail == "hold"
    (out,) = payouts.left_out(at=shop.at)
    assert out.amount == mad("302.60")


def test_a_payout_held_after_its_approval_is_not_sent(shop, cooperative):
    sold(shop, cooperative)
    payout = approved(shop)
    payout_accounts.put_on_hold(cooperative=cooperative, reason="a call", at=shop.at)

    transferring.send(payout=payout, at=shop.at)

    payout.refresh_from_db()
    assert payout.state == State.REJECTED
    assert shop.things("transfer") == []
    assert payout_accounts.current(cooperative=cooperative, at=shop.at).reason == "a call"


def test_what_stripe_has_cannot_be_rejected_by_hand(shop, cooperative):
    sold(shop, cooperative)
    payout = transferring.send(payout=approved(shop), at=shop.at)

    with pytest.raises(CarriedOutMeanwhile):
        payouts.reject(payout=payout, why="changed my mind", at=shop.at)


def test_a_transfer_taken_back_is_due_again(shop, cooperative):
    sold(shop, cooperative)
    payout = transferring.send(payout=approved(shop), at=shop.at)
    shop.import_balance()
    transfer = PayoutTransfer.objects.get()
    gateway._client().v1.transfers.reversals.create(transfer.stripe_transfer_id, {})

    shop.import_balance()

    payout.refresh_from_db()
    transfer.refresh_from_db()
    assert (payout.state, transfer.state) == (State.REJECTED, Made.REVERSED)
    assert stands("producer_payable", "A") == mad("534.00")
    assert stands("stripe_balance", currency="EUR") == shop.at_stripe()
    assert payouts.left_out(at=shop.at)[0].amount == mad("534.00")


def test_a_part_of_a_transfer_taken_back_waits_for_two_persons(shop, cooperative):
    sold(shop, cooperative)
    payout = transferring.send(payout=approved(shop), at=shop.at)
    gateway._client().v1.transfers.reversals.create(
        PayoutTransfer.objects.get().stripe_transfer_id, {"amount": 100}
    )

    imported = shop.import_balance()

    assert imported.quarantined == 1
    payout.refresh_from_db()
    assert payout.state == State.PAID


def test_a_refund_after_the_payout_is_netted_from_the_next_one(shop, cooperative):
    oil = ListingFactory(cooperative=cooperative, price="100.00")
    order = shop.paid_order((oil, 6))
    part = shop.released(order.supplier_orders.get())
    transferring.send(payout=approved(shop), at=shop.at)
    shop.import_balance()
    refund = refunding.request(
        supplier_order=part,
        reason="claim",
        lines={part.lines.get(): 1},
        with_delivery=False,
        by=None,
        at=shop.at,
    )
    refunding.send(refund=refund, at=shop.at)
    assert stands("producer_receivable", "A") == mad("89.00")
    sold(shop, cooperative)

    payout = approved(shop)
    transferring.send(payout=payout, at=shop.at)
    shop.import_balance()

    payout.refresh_from_db()
    assert (payout.shares, payout.netted, payout.amount) == (mad("534.00"), mad("89.00"), mad("445.00"))
    assert stands("producer_receivable", "A") == mad(0)
    assert stands("producer_payable", "A") == mad(0)
    assert stands("stripe_balance", currency="EUR") == shop.at_stripe()
    assert statements.statement(payout=payout).closing == mad(0)


def owed_and_due(shop, cooperative):
    """89,00 owed of an earlier payout; 534,00 and 302,60 due, in one payout that nets the first part."""
    order = shop.paid_order((ListingFactory(cooperative=cooperative, price="100.00"), 6))
    part = shop.released(order.supplier_orders.get())
    transferring.send(payout=approved(shop), at=shop.at)
    shop.import_balance()
    refund = refunding.request(
        supplier_order=part,
        reason="claim",
        lines={part.lines.get(): 1},
        with_delivery=False,
        by=None,
        at=shop.at,
    )
    refunding.send(refund=refund, at=shop.at)
    shop.wait(days=1)
    sold(shop, cooperative)
    sold(shop, cooperative, "340.00")
    return approved(shop)


def wrong(shop):
    """What the audit finds of payouts and books; mails wait for their worker here."""
    return [each for each in auditing.audit(at=shop.at) if not each.holds and each.invariant != "I7"]


def taken_back(shop, transfer):
    gateway._client().v1.transfers.reversals.create(transfer.stripe_transfer_id, {})
    shop.import_balance()


def test_a_transfer_taken_back_that_was_netted_in_part_makes_that_part_owed_again(shop, cooperative):
    payout = owed_and_due(shop, cooperative)
    transferring.send(payout=payout, at=shop.at)
    shop.import_balance()
    first, second = PayoutTransfer.objects.filter(item__payout=payout)
    assert (first.amount, second.amount) == (mad("445.00"), mad("302.60"))

    taken_back(shop, first)

    payout.refresh_from_db()
    assert (payout.shares, payout.netted, payout.amount) == (mad("302.60"), mad(0), mad("302.60"))
    assert payout.settled_minor == second.settled_minor
    assert stands("producer_payable", "A") == mad("534.00")
    assert stands("producer_receivable", "A") == mad("89.00")
    assert stands("stripe_balance", currency="EUR") == shop.at_stripe()
    assert statements.statement(payout=payout).closing == mad("534.00")
    assert [each.left for each in owing(cooperative="A").debts] == [mad("89.00")]
    (due,) = payouts.outlook(at=shop.at)
    assert (due.shares, due.netted, due.left_out) == (53400, 8900, [])
    assert wrong(shop) == []


def test_the_rest_taken_back_later_undoes_only_what_is_still_netted(shop, cooperative):
    payout = owed_and_due(shop, cooperative)
    transferring.send(payout=payout, at=shop.at)
    shop.import_balance()
    first, second = PayoutTransfer.objects.filter(item__payout=payout)

    taken_back(shop, first)
    taken_back(shop, second)

    payout.refresh_from_db()
    assert payout.state == State.REJECTED
    assert stands("producer_payable", "A") == mad("836.60")
    assert stands("producer_receivable", "A") == mad("89.00")
    assert wrong(shop) == []


def test_what_the_books_do_not_bear_out_is_a_task_for_whoever_plans(shop, cooperative):
    sold(shop, cooperative)
    PayoutItem.objects.all().delete()
    entries.record_batch_sent(
        payout="PO-X", cooperative="A", effective_on=shop.at.date(), amount=mad("100.00")
    )

    assert payouts.left_out(at=shop.at)[0].why == payouts.Why.BOOKS_SAY_LESS
    assert waiting.cooperatives_the_books_hold_back(at=shop.at) == 1


# A bank that changes behind an account


def test_a_bank_changed_during_a_hold_is_seen_and_checked_before_money_goes_there(shop, cooperative):
    account = cooperative.payout_accounts.get()
    payout_accounts.put_on_hold(cooperative=cooperative, reason="a call", at=shop.at)
    shop.listen()
    shop.wait(days=1)
    shop.press("bank-account", account=account.stripe_account_id, last4="6666")
    shop.hear()

    account.refresh_from_db()
    assert (account.bank_changed_at, account.is_in_doubt) == (shop.at, True)
    asked = lifting.propose(cooperative=cooperative, reason="they called", by=OperatorFactory(), at=shop.at)
    lifting.approve(lifting=asked, by=OperatorFactory(), at=shop.at)

    asked.refresh_from_db()
    assert (asked.resumed.approved_by, asked.resumed.is_in_doubt) == (None, True)
    assert payout_accounts.current(cooperative=cooperative, at=shop.at) is None
    assert list(PayoutAccount.objects.to_check()) == [asked.resumed]
    mail = OutboxMessage.objects.get(topic="payout_account.resumed")
    assert mail.payload["must_be_checked"] is True

    shop.wait(days=1)
    payout_accounts.approve(account=asked.resumed, by=OperatorFactory(), at=shop.at)
    now = payout_accounts.current(cooperative=cooperative, at=shop.at)
    assert (now, now.is_in_doubt) == (asked.resumed, False)


def test_a_bank_changed_behind_an_account_that_waits_for_its_time_is_approved_anew(shop, cooperative):
    account = gateway.create_account(cooperative="A", email="a@example.ma", country="MA", key="acct:A:2")
    new = payout_accounts.propose(
        cooperative=cooperative,
        rail="stripe",
        holder="A",
        stripe_account_id=account,
        by=OperatorFactory(),
        at=shop.at,
    )
    payout_accounts.approve(account=new, by=OperatorFactory(), at=shop.at)
    PayoutAccount.objects.filter(pk=new.pk).update(transfers_active=True)

    onboarding.bank_changed(stripe_account_id=account, at=shop.at)

    new.refresh_from_db()
    again = PayoutAccount.objects.to_check().get()
    assert (new.closed_at, again.version, again.usable_from) == (shop.at, 3, new.usable_from)
    assert payout_accounts.current(cooperative=cooperative, at=new.usable_from).version == 1


# Workers that die, answers that are lost


@pytest.mark.parametrize("point", ["_before_asking", "_after_asking"])
def test_a_worker_killed_around_the_call_leaves_one_transfer(shop, cooperative, monkeypatch, point):
    sold(shop, cooperative)
    payout = approved(shop)

    with killed(monkeypatch, transferring, point):
        transferring.send(payout=payout, at=shop.at)
    payout.refresh_from_db()
    assert payout.state == State.SENDING
    tasks.send_approved_payouts()
    shop.import_balance()

    payout.refresh_from_db()
    assert payout.state == State.PAID
    assert len(shop.things("transfer")) == 1
    assert stands("producer_payable", "A") == mad(0)


def test_without_the_stored_key_the_same_death_would_pay_twice(shop, cooperative, monkeypatch):
    """The control: a worker that makes up a key each time sends two transfers, if the charge has room."""
    mine, other = ListingFactory(cooperative=cooperative, price="300.00"), ListingFactory(price="600.00")
    order = shop.paid_order((mine, 1), (other, 1))
    shop.released(order.supplier_orders.get(cooperative=cooperative))
    payout = approved(shop)
    keys = iter(["one", "two"])
    real = gateway.transfer
    monkeypatch.setattr(gateway, "transfer", lambda **given: real(**{**given, "key": next(keys)}))

    with killed(monkeypatch, transferring, "_after_asking"):
        transferring.send(payout=payout, at=shop.at)
    tasks.send_approved_payouts()

    assert len(shop.things("transfer")) == 2


def test_a_worker_killed_before_the_last_commit_is_finished_by_the_import(shop, cooperative, monkeypatch):
    sold(shop, cooperative)
    payout = approved(shop)

    with killed(monkeypatch, transferring, "conclude"):
        transferring.send(payout=payout, at=shop.at)
    shop.import_balance()

    payout.refresh_from_db()
    assert payout.state == State.PAID


def test_a_transfer_nobody_wrote_down_is_found_on_the_balance(shop, cooperative, monkeypatch):
    sold(shop, cooperative)
    payout = approved(shop)
    with killed(monkeypatch, transferring, "_after_asking"):
        transferring.send(payout=payout, at=shop.at)

    shop.import_balance()

    transfer = PayoutTransfer.objects.get()
    assert transfer.state == Made.MADE
    assert transfer.stripe_transfer_id == shop.things("transfer")[0]["id"]
    payout.refresh_from_db()
    assert payout.state == State.PAID


@pytest.mark.parametrize(("point", "attempt"), [("_after_asking", 1), ("_before_asking", 2)])
def test_after_a_day_stripe_is_searched_before_another_key_is_used(
    shop, cooperative, monkeypatch, point, attempt
):
    sold(shop, cooperative)
    payout = approved(shop)
    with killed(monkeypatch, transferring, point):
        transferring.send(payout=payout, at=shop.at)
    shop.wait(days=2)

    tasks.send_approved_payouts()

    assert len(shop.things("transfer")) == 1
    assert PayoutTransfer.objects.get().attempt == attempt


@pytest.mark.parametrize(("execute", "attempt"), [(True, 1), (False, 2)])
def test_after_an_error_kept_under_the_key_stripe_is_searched_first(shop, cooperative, execute, attempt):
    sold(shop, cooperative)
    payout = approved(shop)
    shop.fault("error_500", method="POST", path="/v1/transfers", execute=execute)

    with pytest.raises(Unavailable):
        transferring.send(payout=payout, at=shop.at)
    tasks.send_approved_payouts()

    payout.refresh_from_db()
    assert payout.state == State.SENT
    assert len(shop.things("transfer")) == 1
    assert PayoutTransfer.objects.get().attempt == attempt


def test_a_worker_killed_between_two_transfers_sends_the_second_once(shop, cooperative, monkeypatch):
    sold(shop, cooperative)
    sold(shop, cooperative, "340.00")
    payout = approved(shop)
    real, calls = transferring.transfer_made, []

    def once(**given):
        real(**given)
        calls.append(given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(transferring, "transfer_made", once)
        transferring.send(payout=payout, at=shop.at)
    assert len(calls) == 1

    tasks.send_approved_payouts()
    shop.import_balance()

    payout.refresh_from_db()
    assert payout.state == State.PAID
    assert [each["amount"] for each in shop.things("transfer")] == [4940, 2799]


def test_what_a_payout_under_way_will_take_is_not_planned_again(shop, cooperative, monkeypatch):
    sold(shop, cooperative)
    payout = approved(shop)
    with killed(monkeypatch, transferring, "conclude"):
        transferring.send(payout=payout, at=shop.at)
    sold(shop, cooperative, "340.00")  # imports the first transfer's balance transaction, too

    run = payouts.plan(by=OperatorFactory(), at=shop.at)

    assert run.payouts.get().amount == mad("302.60")
    assert BalanceTransaction.objects.filter(category="transfer").count() == 1


# Accounts


def test_stripe_takes_no_account_of_the_country_and_nothing_changes(shop):
    from shop.payments.stripe.errors import StripeRefused

    cooperative = CooperativeFactory(code="Z")
    shop.press("settings", refused_countries=["MA"])

    with pytest.raises(StripeRefused, match="MA"):
        onboarding.open_account(cooperative=cooperative, by=None, at=shop.at)

    assert not cooperative.payout_accounts.exists()


def test_opening_an_account_proposes_it_and_only_stripes_word_makes_it_active(shop):
    cooperative = CooperativeFactory(code="Z")

    account = onboarding.open_account(cooperative=cooperative, by=None, at=shop.at)
    link = onboarding.link(
        account=account, done_url="https://shop.example/a", again_url="https://shop.example/b"
    )

    assert account.transfers_active is False
    assert link.startswith("http")
    shop.press("capability", account=account.stripe_account_id, status="active")
    onboarding.refresh(stripe_account_id=account.stripe_account_id, at=shop.at)
    account.refresh_from_db()
    assert account.transfers_active is True
