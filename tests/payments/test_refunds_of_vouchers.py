"""However a line bought with a voucher is given back, its two payers get exactly what each had paid."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shop.fulfilment import routing
from shop.payments import refunding
from shop.payments.models import Payment, Refund
from tests.checkout.buying import basket_of, place
from tests.factories import NOW, ListingFactory, OperatorFactory, mad, voucher

pytestmark = pytest.mark.django_db


@given(
    price=st.integers(100, 99_999),
    off=st.integers(1, 50_000),
    steps=st.lists(st.integers(1, 4), min_size=1, max_size=6),
    by_shop=st.booleans(),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parts_given_back_one_after_the_other_add_up_to_what_was_paid(db, price, off, steps, by_shop):
    listing = ListingFactory(price=f"{price // 100}.{price % 100:02d}", stock=99)
    code = voucher(
        amount=mad(f"{off // 100}.{off % 100:02d}"), cooperative=None if by_shop else listing.cooperative
    ).code
    order = place(basket_of((listing, sum(steps))), voucher=code)
    (part,) = routing.route(order=order, at=NOW)
    Payment.objects.create(
        order=order, currency="MAD", amount_minor=int(order.total.amount * 100), created_at=NOW, state="paid"
    )
    line, by = part.lines.get(), OperatorFactory()

    refunds = [
        refunding.request(
            supplier_order=part,
            reason=Refund.Reason.CLAIM,
            lines={line: quantity},
            with_delivery=False,
            by=by,
            at=NOW,
        )
        for quantity in steps
    ]

    assert all(mad(0) <= each.discount <= each.goods for each in refunds)
    assert sum((each.amount for each in refunds), mad(0)) == order.total - part.delivery
    assert sum((each.discount for each in refunds), mad(0)) == line.discount_by_shop
    assert sum((each.goods for each in refunds), mad(0)) == line.goods
    assert refunding.left_of_payment(order.payment) >= part.delivery
