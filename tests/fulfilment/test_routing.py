from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from cooperatives.models import Member
from shop.core.models import OutboxMessage
from shop.fulfilment import routing
from shop.ledger import accounts
from shop.ledger.balances import balance, balances
from tests.factories import (
    NOW,
    CooperativeFactory,
    FeeTermsFactory,
    ListingFactory,
    MemberFactory,
    UserFactory,
    confirmed,
    mad,
    order_of,
)

pytestmark = pytest.mark.django_db


def test_an_order_of_two_cooperatives_becomes_two_supplier_orders_with_exact_amounts():
    first, second = CooperativeFactory(code="C01"), CooperativeFactory(code="C02")
    order = order_of(
        (ListingFactory(cooperative=second, price="170.00"), 2),
        (ListingFactory(cooperative=first, price="200.00"), 3),
    )

    one, two = confirmed(order)

    assert [one.reference, two.reference] == [f"{order.number}-1", f"{order.number}-2"]
    assert (one.cooperative, two.cooperative) == (first, second)
    assert (one.goods, one.commission, one.commission_net, one.commission_vat) == (
        mad("600.00"),
        mad("60.00"),
        mad("50.00"),
        mad("10.00"),
    )
    assert (one.solidarity, one.producer_share) == (mad("6.00"), mad("534.00"))
    assert (two.goods, two.commission, two.commission_net, two.commission_vat) == (
        mad("340.00"),
        mad("34.00"),
        mad("28.33"),
        mad("5.67"),
    )
    assert (two.solidarity, two.producer_share) == (mad("3.40"), mad("302.60"))
    assert (one.delivery, one.delivery_net, one.delivery_vat) == (mad("30.00"), mad("25.00"), mad("5.00"))
    assert one.accept_by == NOW + timedelta(hours=48)
    assert one.state == "placed"


def test_a_card_order_is_split_in_the_books_when_it_is_confirmed():
    order = order_of((ListingFactory(cooperative=CooperativeFactory(code="C01"), price="200.00"), 3))

    confirmed(order)

    assert balances(order=order.number) == {
        "customer_funds:MAD": mad("-630.00"),
        "producer_held:C01:MAD": mad("534.00"),
        "commission_held:MAD": mad("60.00"),
        "solidarity_fund:MAD": mad("6.00"),
        "shipping_income:MAD": mad("25.00"),
        "vat_output:MAD": mad("5.00"),
    }


def test_a_cash_order_moves_nothing_until_a_parcel_is_delivered():
    order = order_of((ListingFactory(price="200.00"), 3), method="cash")

    confirmed(order)

    assert balances(order=order.number) == {}


def test_fees_are_computed_once_and_spread_over_the_lines_without_losing_a_centime():
    cooperative = CooperativeFactory()
    order = order_of(
        *((ListingFactory(cooperative=cooperative, price=price), 1) for price in ("33.33", "33.33", "33.35"))
    )

    (part,) = confirmed(order)

    lines = list(part.lines.all())
    assert part.commission == mad("10.00")
    assert [each.commission for each in lines] == [mad("3.33"), mad("3.33"), mad("3.34")]
    assert sum(each.commission_vat_minor for each in lines) == part.commission_vat_minor == 167
    assert sum(each.solidarity_minor for each in lines) == part.solidarity_minor == 100
    assert sum(each.goods_minor for each in lines) == part.goods_minor == 10001


def test_own_terms_and_the_vat_of_goods_are_frozen_with_the_part():
    cooperative = CooperativeFactory(vat_regime="STANDARD")
    FeeTermsFactory(cooperative=cooperative, commission_rate=Decimal("0.0500"))
    order = order_of((ListingFactory(cooperative=cooperative, price="120.00"), 1))

    (part,) = confirmed(order)

    line = part.lines.get()
    assert part.commission == mad("6.00")
    assert part.commission_rate == Decimal("0.0500")
    assert (line.vat_code, line.vat_rate, line.goods_vat) == ("R20", Decimal("0.2000"), mad("20.00"))


def test_routing_again_changes_nothing_and_tells_nobody():
    member = MemberFactory()
    order = order_of((ListingFactory(cooperative=member.cooperative), 1))
    first = confirmed(order)

    again = routing.route(order=order, at=NOW + timedelta(hours=1))

    assert again == first
    assert OutboxMessage.objects.filter(topic="supplier_order.placed").count() == 1
    assert order.events.filter(kind="supplier_order.placed").count() == 1
    assert balance(accounts.commission_held("MAD")) == mad("15.00")


def test_owners_and_those_who_fill_orders_are_told_each_in_her_language():
    cooperative = CooperativeFactory()
    for role, language in (("owner", "ar"), ("orders", "fr"), ("finance", "fr"), ("read_only", "en")):
        MemberFactory(cooperative=cooperative, role=role, user=UserFactory(language=language))
    MemberFactory(cooperative=cooperative, role=Member.Role.OWNER, left_at=NOW - timedelta(days=1))

    confirmed(order_of((ListingFactory(cooperative=cooperative), 1)))

    told = OutboxMessage.objects.filter(topic="supplier_order.placed").order_by("pk")
    assert [each.language for each in told] == ["ar", "fr"]
    assert told[0].payload["share"] == {"minor": 13350, "currency": "MAD"}


def test_an_order_nobody_priced_the_delivery_of_is_not_split():
    order = order_of((ListingFactory(), 1))
    order.delivery_quotes.all().delete()

    with pytest.raises(routing.NotQuoted):
        confirmed(order)

    assert not order.supplier_orders.exists()
    order.refresh_from_db()
    assert order.stage in ("awaiting_payment", "confirmed")
