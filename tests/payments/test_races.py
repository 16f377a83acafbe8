"""Several at once, with real transactions: one attempt, one confirmation, one refund, one payout."""

import threading
import time
from collections import Counter

import pytest
from django.db import IntegrityError, connection, connections, transaction

from cooperatives import payout_accounts
from shop.core.errors import Refused
from shop.fulfilment import deciding
from shop.ledger.models import JournalEntry
from shop.payments import paying, payouts, refunding, transferring
from shop.payments.models import PaymentAttempt, PayoutItem, PayoutRun, Refund, StripeEvent
from shop.payments.stripe import gateway, importing, receiving
from tests.factories import (
    CooperativeFactory,
    ListingFactory,
    OperatorFactory,
    PayoutAccountFactory,
    mad,
    order_of,
)
from tests.payments.shop import URLS, stands

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def at_once(count, do):
    """Do it in so many threads at the same moment; returns what each came to, value or exception."""
    together, results = threading.Barrier(count), []

    def run(number):
        try:
            together.wait(timeout=10)
            results.append(do(number))
        except BaseException as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=60)
    assert len(results) == count
    return results


def test_four_presses_of_pay_are_one_attempt_one_page_and_one_charge(shop):
    order = order_of((ListingFactory(), 2))

    pages = at_once(4, lambda _: paying.page_for(payment=shop.payment_of(order), urls=URLS, at=shop.at))

    assert len(set(pages)) == 1, pages
    assert PaymentAttempt.objects.count() == 1
    assert len(shop.things("session")) == 1
    shop.press_pay(order)
    paying.confirm(payment=shop.payment_of(order), at=shop.at)
    assert len(shop.things("charge")) == 1


def test_without_the_lock_and_the_rule_four_presses_would_open_several_pages(shop, monkeypatch):
    """The control: every press makes an attempt of its own, as it would if nothing took turns."""
    order = order_of((ListingFactory(), 2))

    def unguarded(payment, at):
        number = PaymentAttempt.objects.filter(payment=payment).count() + 1
        return PaymentAttempt.objects.create(
            payment=payment,
            number=number * 1000 + threading.get_ident() % 1000,
            key=f"unguarded:{threading.get_ident()}",
            asked_at=at,
            expires_at=at + paying.SHORTEST_PAGE,
        )

    with connection.cursor() as cursor:
        cursor.execute('DROP INDEX "one_live_attempt_for_a_payment"')
    monkeypatch.setattr(paying, "_attempt_for", unguarded)

    pages = at_once(4, lambda _: paying.page_for(payment=shop.payment_of(order), urls=URLS, at=shop.at))

    assert len(set(pages)) == 4
    assert len(shop.things("session")) == 4


def test_the_rule_alone_refuses_a_second_live_attempt(shop):
    payment = shop.payment_of(order_of((ListingFactory(), 2)))
    paying.page_for(payment=payment, urls=URLS, at=shop.at)

    with pytest.raises(IntegrityError):
        PaymentAttempt.objects.create(
            payment=payment, number=2, key="second", asked_at=shop.at, expires_at=shop.at
        )


def test_webhook_return_page_and_sweep_at_once_confirm_once(shop):
    order = order_of((ListingFactory(), 2))
    shop.card_pays(order)
    session = shop.payment_of(order).attempts.get().stripe_session_id
    intent = shop.things("payment_intent")[0]["id"]

    results = at_once(
        6,
        lambda number: [
            lambda: paying.confirm(payment=shop.payment_of(order), at=shop.at),
            lambda: paying.confirm_session(session=session, at=shop.at),
            lambda: paying.confirm_intent(payment_intent=intent, at=shop.at),
        ][number % 3](),
    )

    assert not [each for each in results if isinstance(each, BaseException)]
    assert order.supplier_orders.count() == 1
    assert JournalEntry.objects.filter(kind="confirmation").count() == 1
    assert stands("producer_held", order.lines.get().cooperative.code) == mad("267.00")


def test_paying_and_ending_at_once_end_in_one_of_the_two(shop):
    listing = ListingFactory(stock=10)
    order = order_of((listing, 2))
    shop.card_pays(order)
    shop.wait(minutes=31)

    at_once(
        2,
        lambda number: (
            paying.expire_due(at=shop.at)
            if number
            else paying.confirm(payment=shop.payment_of(order), at=shop.at)
        ),
    )

    order.refresh_from_db()
    assert order.confirmed_at
    assert not order.ended_at
    record = listing.stockrecords.get()
    assert record.num_allocated == 2


def test_a_payment_and_the_end_of_its_order_never_wait_for_each_other(shop, monkeypatch):
    """The payment is settled half-way when the sweep comes: the sweep waits, and finds the order paid."""
    order = order_of((ListingFactory(), 2))
    shop.card_pays(order)
    card = gateway.read_payment(payment_intent=shop.things("payment_intent")[0]["id"])
    half_way = threading.Event()

    def pause(point):
        if point == "paying.paid":
            half_way.set()
            time.sleep(1)

    monkeypatch.setattr(paying, "crashpoint", pause)

    def end(_):
        assert half_way.wait(timeout=10)
        return paying._end(order.pk, shop.at)

    results = at_once(2, lambda number: end(number) if number else paying.settle(card=card, at=shop.at))

    assert not [each for each in results if isinstance(each, BaseException)], results
    order.refresh_from_db()
    assert (bool(order.confirmed_at), order.ended_at) == (True, None)


def test_a_change_of_accounts_does_not_keep_an_order_from_being_routed(shop):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    cooperative = CooperativeFactory()
    order = order_of((ListingFactory(cooperative=cooperative), 2))
    shop.card_pays(order)
    routed = threading.Event()

    def work(number):
        if number:
            paying.confirm(payment=shop.payment_of(order), at=shop.at)
            routed.set()
            return True
        with transaction.atomic():
            payout_accounts.lock(cooperative)
            return routed.wait(timeout=5)

    assert at_once(2, work) == [True, True]


def test_the_same_event_twice_at_once_is_kept_once(shop):
    def keep(_):
        return receiving.keep(
            event_id="evt_1", kind="a", api_version="", payload={}, by_webhook=True, at=shop.at
        ).pk

    results = at_once(4, keep)

    assert len(set(results)) == 1
    assert StripeEvent.objects.count() == 1


def test_two_imports_at_once_book_each_row_once(shop):
    shop.card_pays(order_of((ListingFactory(), 2)))
    shop.card_pays(order_of((ListingFactory(), 1)))

    results = at_once(3, lambda _: importing.import_balance(at=shop.at))

    assert not [each for each in results if isinstance(each, BaseException)]
    assert stands("stripe_balance", currency="EUR") == shop.at_stripe()
    assert JournalEntry.objects.filter(kind="card_payment").count() == 2


def test_four_refunds_of_the_same_goods_at_once_give_them_back_once(shop):
    part = shop.paid_order().supplier_orders.get()

    results = at_once(
        4,
        lambda _: refunding.request(
            supplier_order=part, reason="claim", lines=None, with_delivery=False, by=None, at=shop.at
        ),
    )

    assert Counter(type(each) for each in results) == {Refund: 1, refunding.NothingLeft: 3}
    assert Refund.objects.get().amount == mad("300.00")


def test_two_sweeps_at_once_refund_an_ended_part_once_and_send_it_once(shop):
    part = shop.paid_order().supplier_orders.get()
    deciding.decline(supplier_order=part, by=None, reason="sold_out", at=shop.at)

    def sweep(_):
        refunding.refund_ended_parts(at=shop.at)
        for refund in Refund.objects.all():
            refunding.send(refund=refund, at=shop.at)

    results = at_once(3, sweep)

    assert not [each for each in results if isinstance(each, BaseException)]
    assert Refund.objects.count() == 1
    assert len(shop.things("refund")) == 1


def test_two_who_plan_at_once_make_one_live_payout(shop):
    cooperative = CooperativeFactory(code="A")
    PayoutAccountFactory(cooperative=cooperative)
    order = shop.paid_order((ListingFactory(cooperative=cooperative, price="600.00"), 1))
    shop.released(order.supplier_orders.get())
    people = [OperatorFactory(), OperatorFactory()]

    results = at_once(2, lambda number: payouts.plan(by=people[number], at=shop.at))

    assert Counter(isinstance(each, PayoutRun) for each in results) == {True: 1, False: 1}
    assert [each for each in results if isinstance(each, Refused)]
    assert PayoutItem.objects.filter(is_live=True).count() == 1


@pytest.mark.parametrize("first", ["give up", "send"])
def test_giving_a_run_up_and_sending_it_at_once_end_in_one_of_the_two(shop, first):
    cooperative = CooperativeFactory(code="A")
    account = gateway.create_account(cooperative="A", email="a@example.ma", country="MA", key="acct:A:1")
    shop.press("capability", account=account, status="active")
    PayoutAccountFactory(
        cooperative=cooperative, rail="stripe", rib="", stripe_account_id=account, transfers_active=True
    )
    order = shop.paid_order((ListingFactory(cooperative=cooperative, price="600.00"), 1))
    shop.released(order.supplier_orders.get())
    run = payouts.plan(by=OperatorFactory(), at=shop.at)
    payouts.approve(run=run, by=OperatorFactory(), at=shop.at)
    payout, by = run.payouts.get(), OperatorFactory()

    def give_up():
        return payouts.give_up(run=run, why="a mistake", by=by, at=shop.at)

    def send():
        return transferring.send(payout=payout, at=shop.at)

    both = [give_up, send] if first == "give up" else [send, give_up]
    results = at_once(2, lambda number: both[number]())

    assert not [each for each in results if isinstance(each, BaseException) and not isinstance(each, Refused)]
    run.refresh_from_db()
    payout.refresh_from_db()
    moved = len(shop.things("transfer"))
    live = PayoutItem.objects.filter(is_live=True).count()
    assert (run.state, payout.state, moved, live) in [
        ("cancelled", "cancelled", 0, 0),
        ("approved", "sent", 1, 1),
    ]


def test_giving_a_run_up_and_handing_its_file_over_at_once_end_in_one_of_the_two(shop):
    cooperative = CooperativeFactory(code="A")
    PayoutAccountFactory(cooperative=cooperative)
    order = shop.paid_order((ListingFactory(cooperative=cooperative, price="600.00"), 1))
    shop.released(order.supplier_orders.get())
    run = payouts.plan(by=OperatorFactory(), at=shop.at)
    payouts.approve(run=run, by=OperatorFactory(), at=shop.at)
    batch, by = run.batch, OperatorFactory()

    results = at_once(
        2,
        lambda number: (
            payouts.give_up(run=run, why="a mistake", by=by, at=shop.at)
            if number
            else payouts.hand_over(batch=batch, at=shop.at)
        ),
    )

    assert [isinstance(each, Refused) for each in results].count(True) == 1
    run.refresh_from_db()
    batch.refresh_from_db()
    handed_over = batch.handed_over_at is not None
    assert run.state == ("approved" if handed_over else "cancelled")
    assert stands("payout_in_flight", "A") == (mad("534.00") if handed_over else mad(0))


def test_two_who_plan_on_what_both_saw_before_would_pay_twice_without_the_rule(shop, monkeypatch):
    """The control: no lock, no look at the present, no rule in the database."""
    cooperative = CooperativeFactory(code="A")
    PayoutAccountFactory(cooperative=cooperative)
    order = shop.paid_order((ListingFactory(cooperative=cooperative, price="600.00"), 1))
    shop.released(order.supplier_orders.get())
    people = [OperatorFactory(), OperatorFactory()]
    seen = payouts._look_at([cooperative], shop.at)
    monkeypatch.setattr(payouts, "_look_at", lambda *_: seen)
    with connection.cursor() as cursor:
        cursor.execute('DROP INDEX "a_supplier_order_is_in_one_live_payout"')

    at_once(2, lambda number: payouts.plan(by=people[number], at=shop.at))
    if PayoutRun.objects.count() == 1:  # on PostgreSQL both may have taken the same number: once more
        payouts.plan(by=people[0], at=shop.at)

    assert PayoutItem.objects.filter(is_live=True).count() == 2


def press_refund(shop, part, once):
    return at_once(
        4,
        lambda number: (
            refunding.request(
                supplier_order=part,
                reason="claim",
                lines={part.lines.get(): 1},
                with_delivery=False,
                by=None,
                once=once(number),
                at=shop.at,
            ).pk
        ),
    )


def test_four_presses_of_one_refund_form_give_back_once(shop):
    part = shop.paid_order((ListingFactory(price="300.00"), 4)).supplier_orders.get()

    results = press_refund(shop, part, once=lambda _: "one-form")

    assert results == [Refund.objects.get().pk] * 4
    assert stands("refund_payable") == mad("300.00")


def test_without_the_forms_key_four_presses_would_give_back_four_times(shop):
    """The control."""
    part = shop.paid_order((ListingFactory(price="300.00"), 4)).supplier_orders.get()

    results = press_refund(shop, part, once=lambda _: "")

    assert len(set(results)) == Refund.objects.count() == 4
    assert stands("refund_payable") == mad("1200.00")


def test_the_rule_alone_refuses_a_second_refund_of_one_form(shop, monkeypatch):
    part = shop.paid_order((ListingFactory(price="300.00"), 4)).supplier_orders.get()
    monkeypatch.setattr(refunding, "asked_before", lambda **_: None)

    results = press_refund(shop, part, once=lambda _: "one-form")

    assert Counter(type(each) for each in results) == {int: 1, IntegrityError: 3}
    assert stands("refund_payable") == mad("300.00")
