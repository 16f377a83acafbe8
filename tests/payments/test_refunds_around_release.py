"""A refund before the release of a part and the same one after it end in the same books, to the centime."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shop.core.money import from_minor
from shop.fulfilment import deciding, delivering, releasing
from shop.fulfilment.models import SupplierOrder
from shop.ledger import balances
from shop.payments import paying, refunding
from shop.payments.stripe import gateway
from tests.factories import NOW, CooperativeFactory, ListingFactory, dispatched, order_of

pytestmark = pytest.mark.django_db
RELEASED = NOW + timedelta(days=8)

#: (price of one in centimes, how many of it)
Goods = tuple[int, int]
#: What each refund gives back: how many of each line.
Refunds = Sequence[Sequence[int]]


def delivered_part(goods: Sequence[Goods]) -> SupplierOrder:
    """One part, paid by card and in the customer's hands."""
    cooperative = CooperativeFactory(code="C01")
    order = order_of(
        *(
            (
                ListingFactory(cooperative=cooperative, price=from_minor(price, "MAD").amount, stock=count),
                count,
            )
            for price, count in goods
        )
    )
    paying.start(order=order, at=NOW)
    paying.settle(
        card=gateway.CardPayment(
            id="pi_1", charge_id="ch_1", is_paid=True, received=order.total, order=order.number
        ),
        at=NOW,
    )
    part = order.supplier_orders.get()
    deciding.accept(supplier_order=part, by=None, at=NOW)
    delivering.record_delivery(shipment=dispatched(part), proof="tracking", at=NOW)
    return SupplierOrder.objects.get(pk=part.pk)


def books_after(goods: Sequence[Goods], before: Refunds, after: Refunds) -> dict[str, int]:
    """What stands on every account in centimes, when some refunds came before the release and some after."""
    with transaction.atomic():
        part = delivered_part(goods)
        for each in before:
            _give_back(part, each)
        releasing.release(supplier_order=part, at=RELEASED)
        part.refresh_from_db()
        for each in after:
            _give_back(part, each)
        stand = {code: int(each.amount * 100) for code, each in balances.balances().items()}
        transaction.set_rollback(True)
    return {code: amount for code, amount in stand.items() if amount}


def _give_back(part: SupplierOrder, counts: Sequence[int]) -> None:
    lines = dict(zip(part.lines.order_by("pk"), counts, strict=True))
    refunding.request(
        supplier_order=part, reason="claim", lines=lines, with_delivery=False, by=None, at=RELEASED
    )


def test_one_of_two_equal_jars_given_back_leaves_the_same_commission_and_vat_in_either_order():
    two_jars = [(8025, 2)]

    before = books_after(two_jars, before=[[1]], after=[])
    after = books_after(two_jars, before=[], after=[[1]])

    assert before == after
    assert (before["commission:MAD"], before["vat_output:MAD"]) == (669, 500 + 133)
    assert "commission_held:MAD" not in before


def test_what_was_refunded_before_the_release_is_not_released():
    stand = books_after([(20000, 3)], before=[[1]], after=[])

    assert stand == {
        "customer_funds:MAD": -63000,
        "refund_payable:MAD": 20000,
        "producer_payable:C01:MAD": 35600,
        "commission:MAD": 3333,
        "solidarity_fund:MAD": 400,
        "shipping_income:MAD": 2500,
        "vat_output:MAD": 500 + 667,
    }


@st.composite
def goods_and_refunds(draw: st.DrawFn) -> tuple[list[Goods], list[list[int]]]:
    goods = draw(st.lists(st.tuples(st.integers(1, 30000), st.integers(1, 5)), min_size=1, max_size=4))
    left = [count for _price, count in goods]
    refunds = []
    for _ in range(draw(st.integers(1, 3))):
        counts = [draw(st.integers(0, each)) for each in left]
        if any(counts):
            refunds.append(counts)
            left = [have - gone for have, gone in zip(left, counts, strict=True)]
    return goods, refunds


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sale=goods_and_refunds(), at_release=st.integers(0, 3))
@example(sale=([(8025, 2)], [[1]]), at_release=0)
def test_whenever_the_release_comes_the_books_end_the_same_and_nothing_falls_below_nothing(sale, at_release):
    goods, refunds = sale

    all_before = books_after(goods, before=refunds, after=[])
    mixed = books_after(goods, before=refunds[:at_release], after=refunds[at_release:])

    assert mixed == all_before
    assert {code for code, amount in all_before.items() if amount < 0} == {"customer_funds:MAD"}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    goods=st.lists(st.tuples(st.integers(1, 30000), st.integers(1, 4)), min_size=1, max_size=4),
    at_release=st.integers(0, 2),
)
def test_everything_given_back_in_two_steps_leaves_only_the_delivery(goods, at_release):
    first = [count - 1 for _price, count in goods]
    last = [1 for _ in goods]
    refunds = [each for each in (first, last) if any(each)]

    stand = books_after(goods, before=refunds[:at_release], after=refunds[at_release:])

    paid = sum(price * count for price, count in goods)
    assert stand == {
        "customer_funds:MAD": -paid - 3000,
        "refund_payable:MAD": paid,
        "shipping_income:MAD": 2500,
        "vat_output:MAD": 500,
    }
