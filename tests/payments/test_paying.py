"""From the button to the confirmed order: once, whoever hears of it first."""

from datetime import timedelta

import pytest
from moneyed import Money

from shop.core.errors import Unavailable
from shop.core.models import OutboxMessage
from shop.fulfilment.models import OrderEvent, SupplierOrder
from shop.ledger.models import JournalEntry
from shop.orders.models import Order
from shop.payments import paying, refunding, tasks
from shop.payments.models import LatePayment, Payment, PaymentAttempt, Refund, StripeEvent
from shop.payments.stripe import gateway
from tests.factories import CooperativeFactory, ListingFactory, mad, order_of, stock_of
from tests.payments.shop import DECLINED_CARD, URLS, killed, stands

pytestmark = pytest.mark.django_db
State = Payment.State


def test_a_card_payment_confirms_the_order_and_splits_it_among_cooperatives(shop):
    honey = ListingFactory(cooperative=CooperativeFactory(code="A"), price="300.00")
    soap = ListingFactory(cooperative=CooperativeFactory(code="B"), price="340.00")
    order = order_of((honey, 2), (soap, 1))

    shop.card_pays(order)
    payment = paying.confirm(payment=shop.payment_of(order), at=shop.at)
    shop.import_balance()

    order.refresh_from_db()
    assert payment.state == State.PAID
    assert (payment.paid_at, order.confirmed_at) == (shop.at, shop.at)
    assert payment.attempts.get().state == PaymentAttempt.State.PAID
    assert [each.reference for each in order.supplier_orders.order_by("pk")] == [
        f"{order.number}-1",
        f"{order.number}-2",
    ]
    assert stands("producer_held", "A") == mad("534.00")
    assert stands("producer_held", "B") == mad("302.60")
    assert stands("customer_funds") == mad(0)
    assert stands("stripe_balance", currency="EUR") == shop.at_stripe() == Money("89.52", "EUR")
    assert OutboxMessage.objects.filter(topic="order.confirmed").count() == 1


def test_a_declined_card_confirms_nothing_and_the_same_page_takes_another_card(shop):
    order = order_of((ListingFactory(), 2))

    shop.card_pays(order, DECLINED_CARD)
    declined = paying.confirm(payment=shop.payment_of(order), at=shop.at)

    assert declined.state == State.AWAITING
    assert not order.supplier_orders.exists()

    shop.card_pays(order)
    paid = paying.confirm(payment=shop.payment_of(order), at=shop.at)

    assert paid.state == State.PAID
    assert paid.attempts.count() == 1
    assert len(shop.things("session")) == 1


def test_pressing_pay_again_leads_to_the_same_page(shop):
    payment = shop.payment_of(order_of((ListingFactory(), 1)))

    first = paying.page_for(payment=payment, urls=URLS, at=shop.at)
    second = paying.page_for(payment=payment, urls=URLS, at=shop.at)

    assert first == second
    assert len(shop.things("session")) == 1


def test_a_page_that_stripe_closed_is_replaced_by_another(shop):
    payment = shop.payment_of(order_of((ListingFactory(), 1)))
    first = paying.page_for(payment=payment, urls=URLS, at=shop.at)
    shop.press("expire", session=payment.attempts.get().stripe_session_id)

    second = paying.page_for(payment=payment, urls=URLS, at=shop.at)

    assert first != second
    assert list(payment.attempts.order_by("number").values_list("state", flat=True)) == ["closed", "open"]


def test_the_attempt_is_on_record_before_stripe_is_asked_and_a_lost_answer_opens_no_second_page(
    shop, monkeypatch
):
    payment = shop.payment_of(order_of((ListingFactory(), 1)))

    with killed(monkeypatch, paying, "_after_asking"):
        paying.page_for(payment=payment, urls=URLS, at=shop.at)
    attempt = payment.attempts.get()
    assert (attempt.state, attempt.stripe_session_id) == (PaymentAttempt.State.ASKED, "")

    url = paying.page_for(payment=payment, urls=URLS, at=shop.at)

    attempt.refresh_from_db()
    assert attempt.state == PaymentAttempt.State.OPEN
    assert attempt.url == url
    assert len(shop.things("session")) == 1


def test_when_stripe_keeps_an_error_under_the_key_the_next_press_takes_another(shop):
    payment = shop.payment_of(order_of((ListingFactory(), 1)))
    shop.fault("error_500", method="POST", path="/v1/checkout/sessions", execute=True, times=1)

    with pytest.raises(Unavailable):
        paying.page_for(payment=payment, urls=URLS, at=shop.at)
    paying.page_for(payment=payment, urls=URLS, at=shop.at)

    assert list(payment.attempts.order_by("number").values_list("state", flat=True)) == ["closed", "open"]


def test_an_unreachable_stripe_leaves_the_attempt_for_the_next_press(shop):
    payment = shop.payment_of(order_of((ListingFactory(), 1)))
    shop.fault("timeout_before", method="POST", path="/v1/checkout/sessions", times=3)

    with pytest.raises(Unavailable):
        paying.page_for(payment=payment, urls=URLS, at=shop.at)
    paying.page_for(payment=payment, urls=URLS, at=shop.at)

    assert payment.attempts.count() == 1
    assert len(shop.things("session")) == 1


def test_stripe_is_never_asked_inside_a_transaction(shop):
    from django.db import transaction

    payment = shop.payment_of(order_of((ListingFactory(), 1)))

    with pytest.raises(gateway.InsideATransaction), transaction.atomic():
        paying.page_for(payment=payment, urls=URLS, at=shop.at)

    assert shop.things("session") == []


def test_two_webhooks_and_the_return_page_confirm_once(shop):
    shop.listen()
    order = order_of((ListingFactory(), 2))
    shop.fault("webhook_duplicate", times=-1)
    shop.card_pays(order)

    delivered = shop.hear()
    paying.confirm(payment=shop.payment_of(order), at=shop.at)
    paying.confirm(payment=shop.payment_of(order), at=shop.at)

    assert delivered >= 4
    assert StripeEvent.objects.filter(kind="checkout.session.completed").count() == 1
    assert order.supplier_orders.count() == 1
    assert OrderEvent.objects.filter(order=order, kind="order.confirmed").count() == 1
    assert JournalEntry.objects.filter(order=order.number, kind="confirmation").count() == 1


def test_a_webhook_before_the_return_page_confirms(shop):
    shop.listen()
    order = order_of((ListingFactory(), 2))
    shop.card_pays(order)

    shop.hear()

    assert shop.payment_of(order).state == State.PAID


def test_without_any_webhook_the_sweep_confirms(shop):
    order = order_of((ListingFactory(), 2))
    shop.card_pays(order)

    tasks.sweep_payments()

    assert shop.payment_of(order).state == State.PAID
    assert StripeEvent.objects.count() == 0


def test_another_amount_than_the_orders_confirms_nothing_and_is_listed(shop):
    order = order_of((ListingFactory(price="150.00"), 2))
    paying.page_for(payment=shop.payment_of(order), urls=URLS, at=shop.at)
    with shop.sandbox.store.step():
        session = shop.things("session")[0]
        shop.sandbox.store.save({**session, "amount_total": 100})
    shop.press_pay(order)

    payment = paying.confirm(payment=shop.payment_of(order), at=shop.at)

    assert payment.state == State.AWAITING
    assert not order.supplier_orders.exists()
    late = LatePayment.objects.get()
    assert (late.reason, late.amount, late.refund) == ("differs", mad("1.00"), None)

    shop.wait(minutes=31)
    paying.expire_due(at=shop.at)
    shop.import_balance()

    late.refresh_from_db()
    assert late.refund.amount == mad("1.00")
    assert stands("refund_payable") == mad("1.00")
    assert stands("customer_funds") == mad(0)


def test_another_currency_than_the_orders_confirms_nothing(shop):
    order = order_of((ListingFactory(price="150.00"), 2))
    card = gateway.CardPayment(
        id="pi_1", charge_id="ch_1", is_paid=True, received=Money("330.00", "EUR"), order=order.number
    )
    shop.payment_of(order)

    payment = paying.settle(card=card, at=shop.at)

    assert payment.state == State.AWAITING
    assert LatePayment.objects.get().amount == Money("330.00", "EUR")


def test_an_unpaid_order_ends_after_its_time_and_its_stock_is_free_again(shop):
    listing = ListingFactory(stock=10)
    order = order_of((listing, 3))
    paying.page_for(payment=shop.payment_of(order), urls=URLS, at=shop.at)
    assert stock_of(listing) == (10, 3)

    too_early = paying.expire_due(at=shop.at + timedelta(minutes=29))
    shop.wait(minutes=30)
    ended = paying.expire_due(at=shop.at)

    assert (too_early, ended) == (0, 1)
    order.refresh_from_db()
    assert order.stage == Order.Stage.ENDED
    assert shop.payment_of(order).state == State.EXPIRED
    assert stock_of(listing) == (10, 0)
    assert shop.things("session")[0]["status"] == "expired"
    assert OutboxMessage.objects.filter(topic="order.expired").count() == 1
    assert paying.expire_due(at=shop.at) == 0
    with pytest.raises(paying.TimeIsOver):
        paying.page_for(payment=shop.payment_of(order), urls=URLS, at=shop.at)


def test_an_order_paid_in_the_last_moment_is_confirmed_instead_of_ended(shop):
    listing = ListingFactory(stock=10)
    order = order_of((listing, 3))
    shop.card_pays(order)
    shop.wait(minutes=31)

    ended = paying.expire_due(at=shop.at)

    assert ended == 0
    order.refresh_from_db()
    assert order.stage == Order.Stage.CONFIRMED
    assert stock_of(listing) == (10, 3)


def test_while_stripe_does_not_answer_an_order_keeps_its_stock(shop):
    listing = ListingFactory(stock=10)
    order = order_of((listing, 3))
    paying.page_for(payment=shop.payment_of(order), urls=URLS, at=shop.at)
    shop.wait(minutes=31)
    shop.fault("timeout_before", times=-1)

    ended = paying.expire_due(at=shop.at)

    assert ended == 0
    assert stock_of(listing) == (10, 3)
    order.refresh_from_db()
    assert order.stage == Order.Stage.AWAITING_PAYMENT


@pytest.mark.parametrize("imported_first", [True, False])
def test_money_that_comes_after_the_end_goes_back_and_is_listed(shop, imported_first):
    listing = ListingFactory(price="150.00", stock=10)
    order = order_of((listing, 2))
    paying.page_for(payment=shop.payment_of(order), urls=URLS, at=shop.at)
    shop.wait(minutes=31)
    Order.objects.filter(pk=order.pk).update(ended_at=shop.at)
    payment = shop.payment_of(order)
    payment.expire()
    payment.save()
    shop.press_pay(order)

    if imported_first:
        shop.import_balance()
    paying.confirm(payment=payment, at=shop.at)
    paying.confirm(payment=payment, at=shop.at)
    shop.import_balance()

    payment.refresh_from_db()
    assert payment.state == State.EXPIRED
    assert not order.supplier_orders.exists()
    late = LatePayment.objects.get()
    assert (late.reason, late.amount) == ("late", mad("330.00"))
    assert stands("refund_payable") == mad("330.00")
    assert stands("customer_funds") == mad(0)

    tasks.send_refunds()
    shop.import_balance()

    refund = Refund.objects.get()
    assert refund == LatePayment.objects.get().refund
    assert (refund.state, refund.amount, refund.stage) == ("succeeded", mad("330.00"), "none")
    assert stands("refund_payable") == mad(0)
    assert stands("stripe_balance", currency="EUR") == shop.at_stripe()


def test_a_second_payment_for_the_same_order_goes_back(shop):
    order = shop.paid_order()
    first = shop.payment_of(order).stripe_payment_intent_id
    again = gateway.open_checkout(
        order=order.number,
        amount=order.total,
        lines=[gateway.PageLine(name="again", unit=order.total)],
        urls=URLS,
        key="again",
        expires_at=shop.at + timedelta(minutes=40),
        language="fr",
        email="",
    )
    from fixtures.stripe_sandbox import cards
    from fixtures.stripe_sandbox.resources import checkout
    from fixtures.stripe_sandbox.world import Call

    with shop.sandbox.store.step():
        found = shop.sandbox.store.find("session", shop.sandbox.world.platform, again.id)
        checkout.pay(
            Call(shop.sandbox.world, shop.sandbox.world.platform), found, cards.CARDS["4242424242424242"]
        )

    paying.confirm_session(session=again.id, at=shop.at)
    shop.import_balance()

    payment = shop.payment_of(order)
    assert payment.stripe_payment_intent_id == first
    assert LatePayment.objects.get().reason == "twice"
    assert payment.refunded == mad(0)
    assert stands("refund_payable") == order.total
    tasks.send_refunds()
    assert Refund.objects.get().state in ("sent", "succeeded")


def test_cash_on_delivery_confirms_at_once_and_moves_nothing(shop):
    order = order_of((ListingFactory(), 2), method="cash")

    payment = paying.settle_cash(order=order, at=shop.at)
    again = paying.settle_cash(order=order, at=shop.at)

    assert payment == again
    assert payment.state == State.ON_DELIVERY
    order.refresh_from_db()
    assert order.stage == Order.Stage.CONFIRMED
    assert SupplierOrder.objects.filter(order=order).count() == 1
    assert JournalEntry.objects.count() == 0
    assert shop.sandbox.store.rows("select count(*) as n from request")[0]["n"] == 0
    with pytest.raises(paying.NotByCard):
        paying.page_for(payment=payment, urls=URLS, at=shop.at)


def test_a_payment_of_nobody_we_know_is_left_alone(shop):
    card = gateway.CardPayment(id="pi_1", charge_id="ch_1", is_paid=True, received=mad(10), order="T-NOBODY")

    assert paying.settle(card=card, at=shop.at) is None


def test_the_page_shows_each_good_and_each_delivery(shop):
    honey = ListingFactory(cooperative=CooperativeFactory(code="A", name="Tiz"), price="300.00", title="Miel")
    order = order_of((honey, 2))

    paying.page_for(payment=shop.payment_of(order), urls=URLS, at=shop.at)

    goods, delivery = shop.things("item")
    assert (goods["description"], goods["quantity"]) == ("Miel", 2)
    assert (goods["price"]["unit_amount"], goods["amount_total"]) == (30000, 60000)
    assert (delivery["quantity"], delivery["amount_total"]) == (1, 3000)
    assert "Tiz" in delivery["description"]


@pytest.mark.parametrize(
    "language, said",
    [
        ("fr", "Miel, bon déduit, les 3 ensemble"),
        ("ar", "Miel، بعد خصم القسيمة، 3 معًا"),
        ("en", "Miel, the voucher taken off, 3 together"),
    ],
)
def test_where_a_voucher_leaves_no_exact_price_of_one_the_line_says_it_is_for_all(shop, language, said):
    order = order_of((ListingFactory(price="100.00", title="Miel"), 3), language=language)
    line = order.lines.get()
    line.line_price_incl_tax -= 50
    line.save()
    order.total_incl_tax -= 50
    order.save()

    paying.page_for(payment=shop.payment_of(order), urls=URLS, at=shop.at)

    goods, _delivery = shop.things("item")
    assert (goods["description"], goods["quantity"], goods["amount_total"]) == (said, 1, 25000)


def test_the_page_shows_one_line_when_an_offer_lowers_the_whole(shop):
    order = order_of((ListingFactory(price="150.00"), 2))
    order.total_incl_tax -= 10
    order.save()

    paying.page_for(payment=shop.payment_of(order), urls=URLS, at=shop.at)

    (line,) = shop.things("item")
    assert line["amount_total"] == 32000
    assert order.number in line["description"]


def test_refunds_cannot_be_asked_for_an_unpaid_order(shop):
    order = shop.paid_order()
    part = order.supplier_orders.get()
    Payment.objects.filter(order=order).update(state="awaiting")

    with pytest.raises(refunding.NotPaid):
        refunding.request(
            supplier_order=part, reason="claim", lines=None, with_delivery=True, by=None, at=shop.at
        )

    assert Refund.objects.count() == 0


def poisoned(monkeypatch, module, name, spoilt, *, error=ValueError):
    """``module.name`` fails for one record, told by its primary key, as a row that cannot be read would."""
    real = getattr(module, name)

    def do(**given):
        if any(getattr(each, "pk", None) == spoilt.pk for each in given.values()):
            raise error("spoilt")
        return real(**given)

    monkeypatch.setattr(module, name, do)


def test_a_payment_that_cannot_be_read_keeps_no_other_waiting_for_its_confirmation(shop, monkeypatch):
    spoilt, sound = order_of((ListingFactory(), 1)), order_of((ListingFactory(), 1))
    shop.card_pays(spoilt)
    shop.card_pays(sound)
    poisoned(monkeypatch, paying, "confirm", shop.payment_of(spoilt))

    confirmed = paying.confirm_open(at=shop.at)

    assert confirmed == 1
    assert shop.payment_of(sound).state == State.PAID
    assert shop.payment_of(spoilt).state == State.AWAITING


def test_an_order_that_cannot_be_ended_keeps_no_other_on_its_stock(shop, monkeypatch):
    spoilt, sound = order_of((ListingFactory(), 1)), order_of((ListingFactory(), 1))
    Order.objects.update(reserved_until=shop.at - timedelta(minutes=1))
    poisoned(monkeypatch, paying, "expire", spoilt)

    ended = paying.expire_due(at=shop.at)

    sound.refresh_from_db()
    spoilt.refresh_from_db()
    assert ended == 1
    assert (sound.ended_at, spoilt.ended_at) == (shop.at, None)


def test_when_confirming_stops_orders_are_still_ended(shop, monkeypatch):
    swept = []
    monkeypatch.setattr(paying, "confirm_open", lambda **_: 1 / 0)
    monkeypatch.setattr(paying, "expire_due", lambda **_: swept.append("expire_due"))

    tasks.sweep_payments()

    assert swept == ["expire_due"]


def test_another_amount_goes_back_when_the_order_is_then_paid_in_full(shop):
    order = order_of((ListingFactory(price="150.00"), 2))
    payment = shop.payment_of(order)
    late = LatePayment.objects.create(
        payment=payment,
        reason=LatePayment.Reason.DIFFERS,
        stripe_payment_intent_id="pi_of_another_amount",
        stripe_charge_id="ch_of_another_amount",
        currency="MAD",
        amount_minor=100,
        noticed_at=shop.at,
    )

    shop.card_pays(order)
    paid = paying.confirm(payment=payment, at=shop.at)

    late.refresh_from_db()
    assert paid.state == State.PAID
    assert (late.refund.reason, late.refund.amount) == (Refund.Reason.LATE, mad("1.00"))
    assert OutboxMessage.objects.filter(topic="payment.late").count() == 1
