from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalogue import prices, publishing, stock
from catalogue.models import StockMovement
from catalogue.stock import SoldOut
from shop.checkout import baskets, filling, placing
from shop.core.models import OutboxMessage
from shop.core.references import is_sound
from shop.fulfilment import quoting
from shop.fulfilment.models import OrderEvent
from shop.orders.models import Line, Order, ShippingAddress
from shop.payments.models import Payment
from tests.checkout.buying import address, basket_of, guest, place, quotes_of
from tests.factories import NOW, CooperativeFactory, ListingFactory, UserFactory, mad, stock_of

pytestmark = pytest.mark.django_db


def nothing_was_ordered(basket, *listings):
    """No order, no address, nothing reserved, nobody told; the basket is still open."""
    basket.refresh_from_db()
    return (
        basket.status == baskets.Basket.OPEN
        and not Order.objects.exists()
        and not Line.objects.exists()
        and not OrderEvent.objects.exists()
        and not OutboxMessage.objects.exists()
        and not StockMovement.objects.filter(kind=StockMovement.Kind.RESERVED).exists()
        and all(stock_of(each)[1] == 0 for each in listings)
    )


def test_an_order_freezes_what_the_customer_saw():
    honey = ListingFactory(price="150.00", title="Miel de thym", vat_class="N", stock=5)
    rug = ListingFactory(price="850.00", title="Tapis", stock=2)
    basket = basket_of((honey, 2), (rug, 1))

    order = place(basket)

    assert is_sound(order.number)
    assert order.number.startswith("T-")
    assert order.total == mad("1210.00")
    assert order.shipping_incl_tax == Decimal("60.00")
    assert order.stage == Order.Stage.AWAITING_PAYMENT
    assert order.reserved_until == NOW + timedelta(minutes=30)
    assert order.guest_email == "salma@example.ma"
    assert order.shipping_address.line4 == "Casablanca"
    lines = [(each.title, each.quantity, each.line_price_incl_tax) for each in order.lines.order_by("pk")]
    assert lines == [("Miel de thym", 2, Decimal("300.00")), ("Tapis", 1, Decimal("850.00"))]
    assert {each.cooperative for each in order.lines.all()} == {honey.cooperative, rug.cooperative}
    assert sorted(each.gross_minor for each in order.delivery_quotes.all()) == [3000, 3000]
    assert stock_of(honey) == (5, 2)
    assert stock_of(rug) == (2, 1)
    basket.refresh_from_db()
    assert basket.status == baskets.Basket.SUBMITTED


def test_tax_inside_a_price_is_told_apart_line_by_line():
    standard = CooperativeFactory(vat_regime="STANDARD")
    soap = ListingFactory(cooperative=standard, price="25.00", vat_class="R20")
    basket = basket_of((soap, 3))

    order = place(basket)

    line = order.lines.get()
    assert (line.tax_code, line.vat_rate) == ("R20", Decimal("0.2000"))
    assert line.line_price_incl_tax == Decimal("75.00")
    assert line.line_price_excl_tax == Decimal("62.50")
    # delivery 30,00 holds 5,00 of VAT
    assert order.total_excl_tax == Decimal("87.50")


def test_an_order_is_told_and_confirmed_in_writing():
    basket = basket_of((ListingFactory(price="150.00"), 1))

    order = place(basket, customer=guest(language="ar"))

    assert [each.kind for each in order.events.all()] == ["order.placed"]
    mail = OutboxMessage.objects.get()
    assert (mail.topic, mail.recipient, mail.language) == ("order.placed", "salma@example.ma", "ar")
    assert mail.payload["total"] == {"minor": 18000, "currency": "MAD"}
    assert mail.payload["token"]


def test_a_cash_order_keeps_its_stock_without_end_and_is_confirmed_at_once():
    honey = ListingFactory(price="150.00")
    basket = basket_of((honey, 1))
    to = address()

    order = placing.buy(
        basket=basket,
        customer=guest(),
        address=to,
        method=Order.Method.CASH,
        quotes=quotes_of(basket, to, Order.Method.CASH),
        at=NOW,
    )

    assert order.reserved_until is None
    assert order.stage == Order.Stage.CONFIRMED
    assert order.supplier_orders.count() == 1
    assert order.payment.state == Payment.State.ON_DELIVERY


def test_a_card_order_opens_its_payment_and_confirms_nothing():
    basket = basket_of((ListingFactory(), 1))
    to = address()

    order = placing.buy(
        basket=basket,
        customer=guest(),
        address=to,
        method=Order.Method.CARD,
        quotes=quotes_of(basket, to),
        at=NOW,
    )

    assert order.payment.state == Payment.State.AWAITING
    assert order.payment.amount == order.total
    assert not order.supplier_orders.exists()


def test_ordering_a_basket_again_gives_the_same_order():
    honey = ListingFactory(stock=5)
    basket = basket_of((honey, 2))
    to = address()
    quotes = quotes_of(basket, to)

    first = place(basket, address=to, quotes=quotes)
    again = place(basket, address=to, quotes=quotes)

    assert again == first
    assert Order.objects.count() == 1
    assert ShippingAddress.objects.filter(pk=first.shipping_address_id).count() == 1
    assert stock_of(honey) == (5, 2)


def test_an_account_order_belongs_to_the_account():
    user = UserFactory(email="amina@example.ma")
    basket = basket_of((ListingFactory(), 1), user=user)

    order = place(basket, customer=guest(user=user, email=user.email))

    assert order.user == user
    assert order.guest_email == ""
    assert order.contact_email == "amina@example.ma"
    assert OutboxMessage.objects.get().payload["token"] == ""


def test_an_empty_basket_is_refused():
    basket = baskets.Basket.objects.create()

    with pytest.raises(placing.BasketEmpty):
        placing.place(basket=basket, customer=guest(), address=address(), method="card", quotes=[], at=NOW)

    assert nothing_was_ordered(basket)


def test_a_merged_basket_is_refused():
    basket = basket_of((ListingFactory(), 1))
    to = address()
    quotes = quotes_of(basket, to)
    baskets.Basket.objects.filter(pk=basket.pk).update(status=baskets.Basket.MERGED)

    with pytest.raises(placing.BasketGone):
        place(basket, address=to, quotes=quotes)

    assert not Order.objects.exists()


def test_goods_that_left_the_shelf_are_refused_by_name():
    honey = ListingFactory(title="Miel de thym")
    basket = basket_of((honey, 1))
    to = address()
    quotes = quotes_of(basket, to)
    publishing.withdraw(listing=honey)

    with pytest.raises(filling.NotOnSale, match="Miel de thym"):
        place(basket, address=to, quotes=quotes)

    assert nothing_was_ordered(basket, honey)


def test_a_price_the_customer_has_not_seen_is_refused_with_the_new_one():
    honey = ListingFactory(title="Miel de thym", price="150.00")
    basket = basket_of((honey, 1))
    prices.change(listing=honey, price=mad("160.00"))
    to = address()

    with pytest.raises(filling.PriceChanged) as refusal:
        place(basket, address=to)

    assert (refusal.value.was, refusal.value.now) == (mad("150.00"), mad("160.00"))
    assert nothing_was_ordered(basket, honey)


def test_more_than_there_is_left_is_refused_by_name():
    honey = ListingFactory(title="Miel de thym", stock=5)
    basket = basket_of((honey, 3))
    to = address()
    quotes = quotes_of(basket, to)
    stock.reserve(quantities={honey.stockrecords.get().pk: 3}, about="T-OTHER", at=NOW)

    with pytest.raises(filling.NotSoMany, match="Miel de thym"):
        place(basket, address=to, quotes=quotes)

    assert not Order.objects.exists()
    assert stock_of(honey) == (5, 3)


def test_the_last_unit_goes_in_the_moment_of_reserving(monkeypatch):
    honey = ListingFactory(stock=1)
    basket = basket_of((honey, 1))
    to = address()
    quotes = quotes_of(basket, to)
    # Between our look and our reservation somebody else was quicker.
    seen = filling.contents(basket=basket, at=NOW)
    monkeypatch.setattr(filling, "contents", lambda **_: seen)
    stock.reserve(quantities={honey.stockrecords.get().pk: 1}, about="T-OTHER", at=NOW)

    with pytest.raises(SoldOut):
        place(basket, address=to, quotes=quotes)

    basket.refresh_from_db()
    assert basket.status == baskets.Basket.OPEN
    assert not Order.objects.exists()
    assert not OutboxMessage.objects.exists()
    assert stock_of(honey) == (1, 1)


def test_delivery_prices_that_ran_out_are_refused():
    basket = basket_of((ListingFactory(), 1))
    to = address()
    quotes = quotes_of(basket, to)

    with pytest.raises(quoting.QuoteExpired):
        place(basket, address=to, quotes=quotes, at=NOW + timedelta(minutes=31))

    assert nothing_was_ordered(basket)


def test_delivery_prices_of_another_place_are_refused():
    basket = basket_of((ListingFactory(), 1))
    to = address()
    quotes = quotes_of(basket, to)
    elsewhere = address()
    elsewhere.region_code = "MA-07"

    with pytest.raises(quoting.QuoteExpired):
        place(basket, address=elsewhere, quotes=quotes)

    assert nothing_was_ordered(basket)


def test_delivery_prices_of_another_way_to_pay_are_refused():
    basket = basket_of((ListingFactory(), 1))
    to = address()
    quotes = quotes_of(basket, to, Order.Method.CARD)

    with pytest.raises(quoting.QuoteExpired):
        place(basket, address=to, quotes=quotes, method=Order.Method.CASH)

    assert nothing_was_ordered(basket)


def test_delivery_of_one_cooperative_may_not_be_left_out():
    basket = basket_of((ListingFactory(), 1), (ListingFactory(), 1))
    to = address()
    quotes = quotes_of(basket, to)

    with pytest.raises(quoting.QuoteExpired):
        place(basket, address=to, quotes=quotes[:1])

    assert nothing_was_ordered(basket)


def test_another_total_than_the_button_promised_is_refused():
    basket = basket_of((ListingFactory(price="150.00"), 1))

    with pytest.raises(placing.TotalChanged):
        place(basket, expected=mad("170.00"))

    assert nothing_was_ordered(basket)


def _queries(lines: int) -> int:
    makers = [CooperativeFactory() for _ in range(3)]
    listings = [ListingFactory(cooperative=makers[each % 3]) for each in range(lines)]
    basket = basket_of(*((each, 1) for each in listings))
    to = address()
    quotes = quotes_of(basket, to)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        place(basket, address=to, quotes=quotes)
    return len(queries)


def test_placing_eight_lines_of_three_cooperatives_takes_few_queries_and_each_line_one_more():
    few, many = _queries(4), _queries(12)

    assert many <= 60
    assert (many - few) / 8 <= 1.01
