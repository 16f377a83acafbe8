"""Money on its way back: exact, once, and never more than was paid."""

from datetime import timedelta

import pytest

from shop.core.errors import Unavailable
from shop.core.models import OutboxMessage
from shop.core.money import from_minor
from shop.fulfilment import deciding, delivering
from shop.fulfilment.models import DeliveryCostRule, Shipment
from shop.ledger import balances
from shop.payments import batches, paying, payouts, refunding, tasks
from shop.payments.models import Payment, Refund
from shop.payments.stripe import gateway
from tests.factories import (
    CooperativeFactory,
    ListingFactory,
    OperatorFactory,
    PayoutAccountFactory,
    dispatched,
    mad,
    order_of,
    rib_of,
)
from tests.payments.shop import FAILING_REFUND_CARD, killed, stands

pytestmark = pytest.mark.django_db
State = Refund.State


def ask(part, at, *, reason="claim", lines=None, with_delivery=False, **given):
    return refunding.request(
        supplier_order=part, reason=reason, lines=lines, with_delivery=with_delivery, by=None, at=at, **given
    )


@pytest.fixture
def example(shop):
    """The order of the bookkeeping's example: A sells 600,00, B sells 340,00, delivery is 60,00."""
    oil = ListingFactory(cooperative=CooperativeFactory(code="A"), price="100.00")
    soap = ListingFactory(cooperative=CooperativeFactory(code="B"), price="340.00")
    return shop.paid_order((oil, 6), (soap, 1))


@pytest.fixture
def part(example):
    return example.supplier_orders.get(cooperative__code="A")


def test_a_part_refund_before_release_takes_each_share_in_proportion(shop, part):
    line = part.lines.get()

    refund = ask(part, shop.at, lines={line: 1})

    assert refund.stage == "held"
    assert refund.amount == refund.goods == mad("100.00")
    assert (refund.commission, refund.commission_vat) == (mad("10.00"), mad("1.67"))
    assert (refund.solidarity, refund.delivery) == (mad("1.00"), mad(0))
    assert refund.due_on == (shop.at + timedelta(days=15)).date()
    assert stands("producer_held", "A") == mad("445.00")
    assert stands("refund_payable") == mad("100.00")
    assert stands("commission_held") == mad("84.00")
    assert stands("solidarity_fund") == mad("8.40")
    assert Payment.objects.get().refunded == mad("100.00")


def test_it_is_sent_to_the_card_and_has_arrived_when_its_balance_transaction_is_here(shop, part):
    refund = ask(part, shop.at, lines={part.lines.get(): 1})

    sent = refunding.send(refund=refund, at=shop.at)
    assert sent.state in (State.SENT, State.SUCCEEDED)
    assert stands("refund_payable") == mad("100.00")

    shop.import_balance()

    sent.refresh_from_db()
    assert sent.state == State.SUCCEEDED
    assert stands("refund_payable") == mad(0)
    assert stands("stripe_balance", currency="EUR") == shop.at_stripe()
    assert OutboxMessage.objects.filter(topic="refund.sent").count() == 1


def test_a_pending_refund_has_not_arrived_because_its_money_has_left(shop, part):
    shop.press("settings", refunded_at_once=False)
    refund = refunding.send(refund=ask(part, shop.at, lines={part.lines.get(): 1}), at=shop.at)
    shop.import_balance()
    refund.refresh_from_db()
    assert refund.state == State.SENT

    shop.wait(days=2)
    tasks.send_refunds()

    refund.refresh_from_db()
    assert refund.state == State.SUCCEEDED


def test_the_whole_part_goes_back_with_its_delivery(shop, part):
    refund = ask(part, shop.at, with_delivery=True)

    assert refund.goods == mad("600.00")
    assert (refund.delivery, refund.delivery_vat) == (mad("30.00"), mad("5.00"))
    assert refund.amount == mad("630.00")
    assert stands("producer_held", "A") == mad(0)
    assert stands("commission_held") == mad("34.00")
    assert stands("shipping_income") == mad("25.00")


def test_refunds_one_after_another_end_exactly_at_what_was_paid(shop):
    oil = ListingFactory(cooperative=CooperativeFactory(code="A"), price="33.33")
    order = shop.paid_order((oil, 7))
    part = order.supplier_orders.get()
    line = part.lines.get()

    refunds = [ask(part, shop.at, lines={line: count}) for count in (1, 2, 3, 1)]

    assert sum(each.goods_minor for each in refunds) == part.goods_minor == 23331
    assert sum(each.commission_minor for each in refunds) == part.commission_minor
    assert sum(each.commission_vat_minor for each in refunds) == part.commission_vat_minor
    assert sum(each.solidarity_minor for each in refunds) == part.solidarity_minor
    assert stands("producer_held", "A") == mad(0)
    assert stands("commission_held") == mad(0)
    assert stands("solidarity_fund") == mad(0)
    with pytest.raises(refunding.TooMany):
        ask(part, shop.at, lines={line: 1})


@pytest.mark.parametrize(
    ("price", "commission", "vat", "solidarity", "share"),
    [("80.00", "8.00", "1.34", "0.80", "71.20"), ("55.00", "5.50", "0.92", "0.55", "48.95")],
)
def test_half_of_the_goods_gives_half_of_the_fee_back(shop, price, commission, vat, solidarity, share):
    listing = ListingFactory(cooperative=CooperativeFactory(code="A"), price=price)
    part = shop.paid_order((listing, 2)).supplier_orders.get()
    line = part.lines.get()

    first = ask(part, shop.at, lines={line: 1})

    assert (first.commission, first.commission_vat) == (mad(commission), mad(vat))
    assert first.solidarity == mad(solidarity)
    assert from_minor(refunding.share_of(first), "MAD") == mad(share)
    assert stands("producer_held", "A") == mad(share)

    second = ask(part, shop.at, lines={line: 1})

    assert second.commission == mad(commission)
    assert first.commission_vat + second.commission_vat == part.commission_vat
    assert stands("producer_held", "A") == stands("commission_held") == mad(0)


def test_more_than_is_left_of_a_line_is_refused_and_nothing_changes(shop, part):
    line = part.lines.get()
    ask(part, shop.at, lines={line: 4})
    before = balances.balances()

    with pytest.raises(refunding.TooMany) as refusal:
        ask(part, shop.at, lines={line: 3})

    assert refusal.value.left == 2
    assert balances.balances() == before
    assert Refund.objects.count() == 1
    assert Payment.objects.get().refunded == mad("400.00")


def test_the_guard_row_refuses_what_would_exceed_the_payment(shop, part):
    Payment.objects.update(refunded_minor=99_000)

    with pytest.raises(refunding.MoreThanPaid):
        ask(part, shop.at, lines={part.lines.get(): 1})

    assert Refund.objects.count() == 0
    assert Payment.objects.get().refunded_minor == 99_000


def test_a_refund_of_everything_a_second_time_is_refused(shop, part):
    ask(part, shop.at, with_delivery=True)

    with pytest.raises(refunding.NothingLeft):
        ask(part, shop.at, with_delivery=True)


def test_lines_of_another_part_are_refused(shop, example, part):
    other = example.supplier_orders.get(cooperative__code="B").lines.get()

    with pytest.raises(refunding.LineOfAnotherPart):
        ask(part, shop.at, lines={other: 1})


def test_by_rule_the_customer_may_bear_the_delivery(shop, part):
    DeliveryCostRule.objects.filter(case="withdrawn").update(bearer="customer")

    refund = ask(part, shop.at, reason="withdrawn", with_delivery=True)

    assert refund.amount == mad("600.00")


def test_by_rule_the_cooperative_may_bear_the_delivery_and_then_owes_it(shop, part):
    DeliveryCostRule.objects.filter(case="declined").update(bearer="cooperative")
    deciding.decline(supplier_order=part, by=None, reason="sold_out", at=shop.at)

    tasks.refund_ended_parts()

    assert Refund.objects.get().amount == mad("630.00")
    assert stands("producer_receivable", "A") == mad("30.00")
    assert stands("producer_held", "A") == mad(0)
    assert stands("shipping_income") == mad("50.00")


@pytest.mark.parametrize("reason", ["declined", "cancelled"])
def test_an_ended_part_goes_back_once_without_anybody_asking(shop, part, reason):
    if reason == "declined":
        deciding.decline(supplier_order=part, by=None, reason="sold_out", at=shop.at)
    else:
        deciding.cancel(supplier_order=part, at=shop.at)

    first = refunding.refund_ended_parts(at=shop.at)
    second = refunding.refund_ended_parts(at=shop.at)

    assert (first, second) == (1, 0)
    refund = Refund.objects.get()
    assert (refund.reason, refund.stage, refund.goods) == (reason, "held", mad("600.00"))
    assert stands("producer_held", "A") == mad(0)
    assert stands("producer_held", "B") == mad("302.60")
    assert refunding.refund_ended_part(supplier_order=part, at=shop.at) is None


def test_after_release_the_earned_commission_goes_back_too(shop, part):
    shop.released(part)
    assert stands("commission") == mad("50.00")

    refund = ask(part, shop.at, lines={part.lines.get(): 1})

    assert refund.stage == "payable"
    assert stands("producer_payable", "A") == mad("445.00")
    assert stands("commission") == mad("41.67")


def test_after_the_payout_the_cooperative_owes_its_share(shop, part):
    PayoutAccountFactory(cooperative=part.cooperative)
    shop.released(part)
    payouts.plan(by=OperatorFactory(), at=shop.at)

    refund = ask(part, shop.at, lines={part.lines.get(): 1})

    assert refund.stage == "paid"
    assert stands("producer_payable", "A") == mad("534.00")
    assert stands("producer_receivable", "A") == mad("89.00")


def test_a_refund_that_failed_is_owed_still_and_can_be_tried_again(shop):
    order = shop.paid_order(card=FAILING_REFUND_CARD)
    refund = ask(order.supplier_orders.get(), shop.at)
    refunding.send(refund=refund, at=shop.at)
    shop.import_balance()
    shop.wait(days=2)

    shop.import_balance()

    refund.refresh_from_db()
    assert refund.state == State.FAILED
    assert refund.failure == "lost_or_stolen_card"
    assert stands("refund_payable") == refund.amount
    assert stands("stripe_balance", currency="EUR") == shop.at_stripe()

    again = refunding.retry(refund=refund, by=OperatorFactory(), at=shop.at)
    assert again.key == f"re:{refund.reference}:2"
    refunding.send(refund=again, at=shop.at)
    assert len(shop.things("refund")) == 2


def test_an_event_about_an_earlier_try_does_not_touch_the_present_one(shop):
    order = shop.paid_order(card=FAILING_REFUND_CARD)
    refund = refunding.send(refund=ask(order.supplier_orders.get(), shop.at), at=shop.at)
    first = refund.stripe_refund_id
    shop.wait(days=2)
    refunding.look(stripe_refund_id=first, at=shop.at)
    refunding.retry(refund=refund, by=OperatorFactory(), at=shop.at)

    seen = refunding.look(stripe_refund_id=first, at=shop.at)

    assert seen is None
    refund.refresh_from_db()
    assert (refund.state, refund.stripe_refund_id) == (State.REQUESTED, "")


def test_what_stripe_refuses_is_failed_and_visible(shop, part):
    refund = ask(part, shop.at, lines={part.lines.get(): 1})
    shop.press("dispute", charge=shop.things("charge")[0]["id"])

    failed = refunding.send(refund=refund, at=shop.at)

    assert failed.state == State.FAILED
    assert "charged back" in failed.failure
    with pytest.raises(refunding.NotFailed):
        refunding.retry(refund=ask(part, shop.at, lines={part.lines.get(): 1}), by=None, at=shop.at)


# Workers that die, answers that are lost


@pytest.mark.parametrize("point", ["_before_asking", "_after_asking"])
def test_a_worker_killed_around_the_call_leaves_one_refund(shop, part, monkeypatch, point):
    refund = ask(part, shop.at, lines={part.lines.get(): 1})

    with killed(monkeypatch, refunding, point):
        refunding.send(refund=refund, at=shop.at)
    refund.refresh_from_db()
    assert (refund.state, refund.asked_at) == (State.SENDING, shop.at)
    tasks.send_refunds()
    shop.import_balance()

    refund.refresh_from_db()
    assert refund.state == State.SUCCEEDED
    assert [each["amount"] for each in shop.things("refund")] == [10_000]
    assert stands("refund_payable") == mad(0)


def test_without_the_stored_key_the_same_death_would_refund_twice(shop, part, monkeypatch):
    """The control: a worker that makes up a key each time pays twice."""
    refund = ask(part, shop.at, lines={part.lines.get(): 1})
    keys = iter(["one", "two"])
    real = gateway.refund
    monkeypatch.setattr(gateway, "refund", lambda **given: real(**{**given, "key": next(keys)}))

    with killed(monkeypatch, refunding, "_after_asking"):
        refunding.send(refund=refund, at=shop.at)
    tasks.send_refunds()

    assert len(shop.things("refund")) == 2


def test_a_lost_answer_is_asked_for_again_under_the_same_key(shop, part):
    refund = ask(part, shop.at, lines={part.lines.get(): 1})
    shop.fault("drop_answer", method="POST", path="/v1/refunds", times=3)

    with pytest.raises(Unavailable):
        refunding.send(refund=refund, at=shop.at)
    tasks.send_refunds()

    refund.refresh_from_db()
    assert refund.state in (State.SENT, State.SUCCEEDED)
    assert len(shop.things("refund")) == 1


def test_after_a_day_the_key_is_not_trusted_and_the_refund_is_looked_up(shop, part, monkeypatch):
    refund = ask(part, shop.at, lines={part.lines.get(): 1})
    with killed(monkeypatch, refunding, "_after_asking"):
        refunding.send(refund=refund, at=shop.at)
    shop.wait(days=2)

    tasks.send_refunds()

    refund.refresh_from_db()
    assert refund.state in (State.SENT, State.SUCCEEDED)
    assert refund.attempt == 1
    assert len(shop.things("refund")) == 1


def test_after_a_day_only_a_negative_look_up_earns_a_new_key(shop, part, monkeypatch):
    refund = ask(part, shop.at, lines={part.lines.get(): 1})
    with killed(monkeypatch, refunding, "_before_asking"):
        refunding.send(refund=refund, at=shop.at)
    shop.wait(days=2)

    tasks.send_refunds()

    refund.refresh_from_db()
    assert (refund.attempt, refund.key) == (2, f"re:{refund.reference}:2")
    assert len(shop.things("refund")) == 1


@pytest.mark.parametrize(("execute", "attempt"), [(True, 1), (False, 2)])
def test_after_an_error_kept_under_the_key_stripe_is_searched_first(shop, part, execute, attempt):
    refund = ask(part, shop.at, lines={part.lines.get(): 1})
    shop.fault("error_500", method="POST", path="/v1/refunds", execute=execute)

    with pytest.raises(Unavailable):
        refunding.send(refund=refund, at=shop.at)
    tasks.send_refunds()

    refund.refresh_from_db()
    assert refund.state in (State.SENT, State.SUCCEEDED)
    assert refund.attempt == attempt
    assert len(shop.things("refund")) == 1


# Orders paid in cash


@pytest.fixture
def cash_part(shop):
    order = order_of(
        (ListingFactory(cooperative=CooperativeFactory(code="A"), price="300.00"), 2), method="cash"
    )
    paying.settle_cash(order=order, at=shop.at)
    return order.supplier_orders.get()


def test_a_cash_part_that_ends_before_delivery_moves_nothing(shop, cash_part):
    deciding.cancel(supplier_order=cash_part, at=shop.at)

    asked = refunding.refund_ended_parts(at=shop.at)

    assert asked == 0
    assert balances.balances() == {}
    with pytest.raises(refunding.NotPaid):
        ask(cash_part, shop.at, holder="Salma Idrissi", rib=rib_of(77))


def test_a_refund_of_cash_needs_an_account_and_travels_with_the_next_batch(shop, cash_part):
    deciding.accept(supplier_order=cash_part, by=None, at=shop.at)
    shipment = dispatched(cash_part, at=shop.at)
    delivering.record_delivery(shipment=shipment, proof=Shipment.Proof.CUSTOMER, at=shop.at)
    cash_part.refresh_from_db()
    with pytest.raises(refunding.AccountNeeded):
        ask(cash_part, shop.at)

    refund = ask(cash_part, shop.at, holder="Salma Idrissi", rib=rib_of(77), lines={cash_part.lines.get(): 1})

    assert (refund.way, refund.amount) == ("bank", mad("300.00"))
    assert stands("refund_payable") == mad("300.00")
    assert stands("producer_held", "A") == mad("267.00")
    tasks.send_refunds()
    assert shop.things("refund") == []

    run = payouts.plan(by=OperatorFactory(), at=shop.at)
    (order,) = batches.shown(batch=run.batch).transfers
    assert (order.reference, order.name, order.rib, order.amount) == (
        refund.reference,
        "Salma Idrissi",
        rib_of(77),
        mad("300.00"),
    )
    payouts.approve(run=run, by=OperatorFactory(), at=shop.at)
    payouts.hand_over(batch=run.batch, at=shop.at)
    refund.refresh_from_db()
    assert refund.state == State.SENT
    assert stands("refund_payable") == mad("300.00")

    refunding.record_paid_by_bank(refund=refund, line="L-1", on=shop.at.date(), at=shop.at)
    refunding.record_paid_by_bank(refund=refund, line="L-1", on=shop.at.date(), at=shop.at)

    refund.refresh_from_db()
    assert refund.state == State.SUCCEEDED
    assert stands("refund_payable") == mad(0)


def test_a_refund_the_bank_rejects_is_owed_still_and_goes_with_another_batch(shop, cash_part):
    deciding.accept(supplier_order=cash_part, by=None, at=shop.at)
    delivering.record_delivery(
        shipment=dispatched(cash_part, at=shop.at), proof=Shipment.Proof.CUSTOMER, at=shop.at
    )
    cash_part.refresh_from_db()
    refund = ask(cash_part, shop.at, holder="Salma Idrissi", rib=rib_of(77))
    run = payouts.plan(by=OperatorFactory(), at=shop.at)
    payouts.approve(run=run, by=OperatorFactory(), at=shop.at)
    payouts.hand_over(batch=run.batch, at=shop.at)

    refunding.rejected_by_bank(refund=refund, why="AC04", at=shop.at)
    refunding.retry(refund=refund, by=OperatorFactory(), at=shop.at)
    second = payouts.plan(by=OperatorFactory(), at=shop.at)

    refund.refresh_from_db()
    assert refund.batch == second.batch != run.batch
    assert stands("refund_payable") == refund.amount


def test_a_card_that_takes_nothing_back_can_be_paid_by_bank_instead(shop):
    order = shop.paid_order(card=FAILING_REFUND_CARD)
    refund = refunding.send(refund=ask(order.supplier_orders.get(), shop.at), at=shop.at)
    shop.wait(days=2)
    shop.import_balance()

    refunding.pay_by_bank_instead(
        refund=refund, holder="Salma Idrissi", rib=rib_of(77), by=OperatorFactory(), at=shop.at
    )
    run = payouts.plan(by=OperatorFactory(), at=shop.at)

    (order,) = batches.shown(batch=run.batch).transfers
    assert order.reference == f"{refund.reference}-2"  # the second try, after the card's
    assert stands("refund_payable") == refund.amount


def test_an_ended_part_that_was_given_back_whole_is_not_looked_at_again(shop, part, monkeypatch):
    ask(part, shop.at, with_delivery=True)
    deciding.decline(supplier_order=part, by=None, reason="sold_out", at=shop.at)
    looked_at = []
    monkeypatch.setattr(
        refunding, "refund_ended_part", lambda *, supplier_order, at: looked_at.append(supplier_order)
    )

    asked = refunding.refund_ended_parts(at=shop.at)

    assert (asked, looked_at) == (0, [])
    assert Refund.objects.count() == 1


def test_of_an_ended_part_of_which_some_was_given_back_the_rest_goes_back(shop, part):
    ask(part, shop.at, lines={part.lines.get(): 1})
    deciding.decline(supplier_order=part, by=None, reason="sold_out", at=shop.at)

    asked = refunding.refund_ended_parts(at=shop.at)

    assert asked == 1
    assert Refund.objects.get(reason="declined").goods == mad("500.00")
