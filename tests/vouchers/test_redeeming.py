"""A use is taken once, by the order that is placed, and comes back when the order comes to nothing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from shop.backoffice import auditing
from shop.checkout import placing
from shop.fulfilment import deciding, delivering
from shop.orders.models import Order
from shop.payments import paying
from shop.vouchers import applying, issuing
from shop.vouchers.models import Redemption
from tests.checkout.buying import basket_of, guest, place
from tests.factories import NOW, ListingFactory, UserFactory, dispatched, mad, stock_of, voucher

pytestmark = pytest.mark.django_db


def uses(of) -> int:
    of.refresh_from_db()
    return of.used


def audit_holds() -> bool:
    return [each.name for each in auditing.audit(at=NOW) if not each.holds and each.invariant == "I4"] == []


def test_the_order_freezes_what_each_line_costs_and_who_bears_it():
    carpet, platter = ListingFactory(price="600.00"), ListingFactory(price="340.00")
    welcome = voucher(amount=mad(100), code="WELCOME")

    order = place(basket_of((carpet, 1), (platter, 1)), voucher="welcome", expected=mad("900.00"))

    lines = order.lines.order_by("pk")
    assert [(each.line_price_before_discounts_incl_tax, each.line_price_incl_tax) for each in lines] == [
        (Decimal("600.00"), Decimal("536.17")),
        (Decimal("340.00"), Decimal("303.83")),
    ]
    assert order.total == mad("900.00")
    redemption = order.redemption
    assert (redemption.code, redemption.funded_by, redemption.amount) == ("WELCOME", "platform", mad(100))
    assert redemption.customer == "salma@example.ma"
    assert uses(welcome) == 1
    assert audit_holds()


def test_an_order_with_a_refused_voucher_is_not_placed_and_nothing_is_set_aside():
    honey = ListingFactory(price="100.00", stock=3)
    once = voucher(most_uses=1)
    place(basket_of((honey, 1)), voucher=once.code)
    basket = basket_of((honey, 1))

    with pytest.raises(applying.UsedUp):
        place(basket, voucher=once.code, customer=guest(email="another@example.ma"))

    basket.refresh_from_db()
    assert basket.status == "Open"
    assert Order.objects.count() == 1
    assert stock_of(honey) == (3, 1)
    assert uses(once) == 1


def test_the_sum_that_was_shown_without_the_voucher_is_not_taken():
    honey = ListingFactory(price="100.00")

    with pytest.raises(placing.TotalChanged):
        place(basket_of((honey, 1)), voucher=voucher().code, expected=mad("130.00"))

    assert not Redemption.objects.exists()


def test_each_customer_has_her_uses_by_account_and_by_e_mail():
    honey = ListingFactory(price="100.00", stock=9)
    each_once = voucher(most_uses_each=1)
    salma = UserFactory(email="salma@example.ma")
    as_salma = guest(user=salma, email="")
    place(basket_of((honey, 1), user=salma), voucher=each_once.code, customer=as_salma)

    for again in (as_salma, guest(email=" Salma@Example.ma ")):
        with pytest.raises(applying.UsedUpByHer):
            place(basket_of((honey, 1)), voucher=each_once.code, customer=again)
    place(basket_of((honey, 1)), voucher=each_once.code, customer=guest(email="aicha@example.ma"))

    assert uses(each_once) == 2
    assert audit_holds()


def test_pressing_twice_takes_one_use():
    once = voucher(most_uses=1)
    basket = basket_of((ListingFactory(price="100.00"), 1))

    first, second = (place(basket, voucher=once.code) for _ in range(2))

    assert first == second
    assert uses(once) == 1


def test_an_order_that_expires_unpaid_gives_its_use_back_once():
    once = voucher(most_uses=1, most_uses_each=1)
    order = place(basket_of((ListingFactory(price="100.00", stock=5), 1)), voucher=once.code)
    paying.start(order=order, at=NOW)

    assert paying.expire_due(at=NOW + timedelta(minutes=31)) == 1
    assert paying.expire_due(at=NOW + timedelta(minutes=31)) == 0

    assert uses(once) == 0
    assert audit_holds()
    # The same customer may use it again.
    again = place(basket_of((ListingFactory(price="100.00"), 1)), voucher=once.code)
    assert again.redemption.number == 1


def in_cash(code: str) -> Order:
    order = place(
        basket_of((ListingFactory(price="100.00"), 1), (ListingFactory(price="100.00"), 1)),
        voucher=code,
        method=Order.Method.CASH,
    )
    paying.settle_cash(order=order, at=NOW)
    return order


def test_only_the_last_part_that_ends_gives_the_use_back():
    once = voucher(most_uses=1)
    first, second = in_cash(once.code).supplier_orders.order_by("reference")

    deciding.cancel(supplier_order=first, at=NOW)
    assert uses(once) == 1
    assert audit_holds()

    deciding.accept(supplier_order=second, by=None, at=NOW)
    shipment = dispatched(second, at=NOW)
    assert shipment.cash_to_collect == mad("105.00")  # 100,00 less 25,00, and 30,00 of delivery
    delivering.record_refusal(shipment=shipment, reason="not_wanted", at=NOW)
    assert uses(once) == 0
    assert audit_holds()


def test_an_order_with_a_part_that_goes_on_keeps_its_use():
    once = voucher(most_uses=1)
    first, second = in_cash(once.code).supplier_orders.order_by("reference")

    deciding.accept(supplier_order=first, by=None, at=NOW)
    deciding.decline(supplier_order=second, by=None, reason="sold_out", at=NOW)

    assert uses(once) == 1
    assert audit_holds()


def test_a_voucher_switched_off_meanwhile_is_refused_with_its_own_reason(monkeypatch):
    one = voucher()
    basket = basket_of((ListingFactory(price="100.00"), 1))
    seen = applying.reduction(voucher=one, goods=[applying.Good(1, mad(100))], at=NOW)
    issuing.switch_off(voucher=one, by=None, at=NOW)
    monkeypatch.setattr(placing, "reduction", lambda **_: seen)

    with pytest.raises(applying.SwitchedOff):
        place(basket, voucher=one.code)

    assert not Order.objects.exists()
