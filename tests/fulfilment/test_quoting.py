from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from shop.fulfilment import bearing, quoting
from shop.fulfilment.models import DeliveryQuote
from shop.fulfilment.quoting import Parcel
from tests.factories import (
    NOW,
    AddressFactory,
    CarrierFactory,
    CooperativeFactory,
    DeliveryRateFactory,
    ListingFactory,
    RegionFactory,
    mad,
    order_of,
)

pytestmark = pytest.mark.django_db


def _quote(cooperative, *, grams=1500, cash=False, address=None, at=NOW):
    return quoting.quote(
        baskets={cooperative: Parcel(mad("300.00"), grams)},
        address=address or AddressFactory(),
        fingerprint="f",
        at=at,
        cash=cash,
    )


def test_a_quote_tells_price_tax_and_the_working_days_it_arrives_between():
    DeliveryRateFactory(price_minor=4500, days_least=2, days_most=4)

    (quote,) = _quote(CooperativeFactory())

    assert (quote.gross, quote.net, quote.vat) == (mad("45.00"), mad("37.50"), mad("7.50"))
    # Ordered on a Sunday: Tuesday to Thursday.
    assert (quote.arrives_from, quote.arrives_until) == (date(2026, 11, 24), date(2026, 11, 26))
    assert quote.expires_at == NOW + timedelta(minutes=30)


def test_weekends_do_not_count():
    assert quoting.business_days_after(date(2026, 11, 26), 2) == date(2026, 11, 30)
    assert quoting.business_days_after(date(2026, 11, 28), 0) == date(2026, 11, 28)


def test_the_day_is_the_one_of_casablanca():
    DeliveryRateFactory(days_least=1, days_most=1)

    # 23:30 UTC on Monday is already Tuesday there (UTC+1).
    (quote,) = _quote(CooperativeFactory(), at=NOW.replace(day=23, hour=23, minute=30))

    assert quote.arrives_from == date(2026, 11, 25)


def test_a_rate_between_the_two_regions_goes_before_a_general_one():
    here, there = RegionFactory(), RegionFactory(code="MA-06")
    DeliveryRateFactory(price_minor=2000)
    DeliveryRateFactory(from_region=here, to_region=there, price_minor=3500)

    (quote,) = _quote(CooperativeFactory(region=here))

    assert quote.gross == mad("35.00")


def test_the_tightest_weight_is_taken_and_of_two_carriers_the_cheaper():
    DeliveryRateFactory(up_to_g=10_000, price_minor=5000)
    DeliveryRateFactory(up_to_g=2_000, price_minor=3000)
    DeliveryRateFactory(up_to_g=2_000, price_minor=2500, carrier=CarrierFactory(code="amana", name="Amana"))

    (quote,) = _quote(CooperativeFactory())

    assert (quote.gross, quote.carrier.code) == (mad("25.00"), "amana")


def test_cash_is_quoted_only_with_who_collects_it():
    DeliveryRateFactory(price_minor=4000)
    DeliveryRateFactory(price_minor=1000, carrier=CarrierFactory(code="bus", collects_cash=False))

    (card,) = _quote(CooperativeFactory())
    (cash,) = _quote(CooperativeFactory(), cash=True)

    assert (card.gross, cash.gross) == (mad("10.00"), mad("40.00"))


def test_a_rate_holds_from_its_first_to_its_last_day():
    DeliveryRateFactory(price_minor=1000, valid_until=date(2026, 11, 21))
    DeliveryRateFactory(price_minor=2000, valid_from=date(2026, 11, 22))
    DeliveryRateFactory(price_minor=500, valid_from=date(2026, 11, 23))

    (quote,) = _quote(CooperativeFactory())

    assert quote.gross == mad("20.00")


def test_where_nobody_goes_the_cooperative_and_the_place_are_named_and_nothing_is_written():
    DeliveryRateFactory(up_to_g=20_000)
    light, heavy = CooperativeFactory(code="C01"), CooperativeFactory(code="C02", name="Tapis du Haut Atlas")

    with pytest.raises(quoting.NoDelivery) as refusal:
        quoting.quote(
            baskets={light: Parcel(mad(10), 100), heavy: Parcel(mad(10), 30_000)},
            address=AddressFactory(),
            fingerprint="f",
            at=NOW,
        )

    assert "Tapis du Haut Atlas" in str(refusal.value)
    assert "Casablanca" in str(refusal.value)
    assert not DeliveryQuote.objects.exists()


def test_the_fingerprint_knows_basket_place_and_way_to_pay_but_not_their_order():
    home, other = AddressFactory(), AddressFactory(commune_code="06.141.01.01")
    basket = [(7, 2, Decimal("150")), (3, 1, Decimal("20.00"))]
    mark = quoting.fingerprint(lines=basket, address=home, method="card")

    assert mark == quoting.fingerprint(lines=reversed(basket), address=home, method="card")
    assert mark == quoting.fingerprint(
        lines=[(7, 2, Decimal("150.00")), (3, 1, Decimal("20"))], address=home, method="card"
    )
    assert len(mark) == 64
    others = [
        quoting.fingerprint(lines=basket[:1], address=home, method="card"),
        quoting.fingerprint(lines=[(7, 3, Decimal(150)), basket[1]], address=home, method="card"),
        quoting.fingerprint(lines=[(7, 2, Decimal(151)), basket[1]], address=home, method="card"),
        quoting.fingerprint(lines=basket, address=other, method="card"),
        quoting.fingerprint(lines=basket, address=home, method="cash"),
    ]
    assert len({mark, *others}) == 6


def test_two_orders_may_freeze_the_same_quote():
    listing = ListingFactory()
    one, two = order_of((listing, 1)), order_of((listing, 1))
    DeliveryQuote.objects.all().delete()
    quotes = _quote(listing.cooperative)

    quoting.freeze(quotes=quotes, order=one, fingerprint="f", at=NOW)
    quoting.freeze(quotes=DeliveryQuote.objects.filter(order=one), order=two, fingerprint="f", at=NOW)

    assert [each.delivery_quotes.get().gross for each in (one, two)] == [mad("30.00"), mad("30.00")]


@pytest.mark.parametrize(
    ("mark", "minutes"), [("another basket", 1), ("f", 30)], ids=["another basket", "too old"]
)
def test_a_quote_of_another_basket_or_an_old_one_is_not_frozen(mark, minutes):
    listing = ListingFactory()
    order = order_of((listing, 1))
    order.delivery_quotes.all().delete()
    quotes = _quote(listing.cooperative)

    with pytest.raises(quoting.QuoteExpired):
        quoting.freeze(quotes=quotes, order=order, fingerprint=mark, at=NOW + timedelta(minutes=minutes))

    assert not order.delivery_quotes.exists()


def test_unused_quotes_are_forgotten_and_frozen_ones_kept():
    order = order_of((ListingFactory(), 1))
    _quote(CooperativeFactory())

    assert quoting.forget_expired(at=NOW + timedelta(days=2)) == 1

    assert order.delivery_quotes.count() == 1


@pytest.mark.parametrize(
    ("case", "bearer"),
    [
        ("declined", "shop"),
        ("cancelled", "shop"),
        ("withdrawn", "customer"),
        ("claim", "shop"),
        ("cash_refused", "shop"),
    ],
)
def test_who_bears_a_delivery_that_came_to_nothing_is_a_dated_rule(case, bearer):
    from shop.fulfilment.models import DeliveryCostRule

    DeliveryCostRule.objects.create(case=case, bearer="cooperative", valid_from=date(2027, 1, 1))

    assert bearing.bearer_of(case=case, on=date(2026, 12, 31)) == bearer
    assert bearing.bearer_of(case=case, on=date(2027, 1, 1)) == "cooperative"
