"""Many hands at the last use. Every test has a control that fails with its guard off."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError

from shop.checkout import placing
from shop.fulfilment import deciding
from shop.orders.models import Order
from shop.payments import paying
from shop.vouchers import applying, redeeming
from shop.vouchers.models import Redemption, Voucher
from tests.checkout.buying import address, basket_of, guest, place, quotes_of
from tests.checkout.test_races import at_once
from tests.factories import NOW, ListingFactory, mad, voucher

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

BUYERS = 6


def everybody_presses(of: Voucher, monkeypatch: Any, emails: list[str]) -> list[Any]:
    """Everybody sees that the voucher can be used, and only then presses."""
    honey = ListingFactory(price="100.00", stock=20)
    waiting = []
    for email in emails:
        basket, to = basket_of((honey, 1)), address()
        waiting.append((basket, to, quotes_of(basket, to), email))
    seen = applying.reduction(voucher=of, goods=[applying.Good(1, mad("100.00"))], at=NOW)
    monkeypatch.setattr(placing, "reduction", lambda **_: seen)

    def press(basket: Any, to: Any, quotes: Any, email: str) -> Any:
        return lambda: placing.place(
            basket=basket,
            customer=guest(email=email),
            address=to,
            method="card",
            quotes=quotes,
            at=NOW,
            voucher=of.code,
        )

    return at_once([press(*each) for each in waiting])


def strangers() -> list[str]:
    return [f"buyer{number}@example.ma" for number in range(BUYERS)]


def test_of_six_orders_that_want_the_last_use_one_gets_it(monkeypatch):
    last = voucher(most_uses=1)

    outcomes = everybody_presses(last, monkeypatch, strangers())

    assert len([each for each in outcomes if isinstance(each, Order)]) == 1
    assert len([each for each in outcomes if isinstance(each, applying.UsedUp)]) == BUYERS - 1
    last.refresh_from_db()
    assert (last.used, Redemption.objects.count(), Order.objects.count()) == (1, 1, 1)


def test_without_the_condition_the_table_has_to_refuse_the_second_use(monkeypatch):
    last = voucher(most_uses=1)
    whole = Voucher.objects.filter

    def unconditional(*args: Any, **given: Any) -> Any:
        given.pop("is_active", None)
        found = whole(*args, **given)
        found.filter = lambda *_args, **_given: found
        return found

    monkeypatch.setattr(redeeming.Voucher.objects, "filter", unconditional)

    outcomes = everybody_presses(last, monkeypatch, strangers())

    # Nobody is told politely: the constraint turns all but one into a crash.
    assert len([each for each in outcomes if isinstance(each, IntegrityError)]) == BUYERS - 1
    assert Redemption.objects.count() == 1


def test_of_six_orders_of_one_customer_one_gets_her_only_use(monkeypatch):
    each_once = voucher(most_uses_each=1)

    outcomes = everybody_presses(each_once, monkeypatch, ["salma@example.ma"] * BUYERS)

    assert len([each for each in outcomes if isinstance(each, Order)]) == 1
    assert len([each for each in outcomes if isinstance(each, applying.UsedUpByHer)]) == BUYERS - 1
    each_once.refresh_from_db()
    assert each_once.used == 1


def test_without_counting_anew_one_customer_gets_it_six_times(monkeypatch):
    each_once = voucher(most_uses_each=1)
    monkeypatch.setattr(redeeming, "hers", lambda **_: Redemption.objects.none())
    monkeypatch.setattr(
        Redemption.objects,
        "create",
        lambda **given: Redemption.objects.bulk_create([Redemption(**given | {"number": given["order"].pk})])[
            0
        ],
    )

    outcomes = everybody_presses(each_once, monkeypatch, ["salma@example.ma"] * BUYERS)

    assert len([each for each in outcomes if isinstance(each, Order)]) == BUYERS


def two_parts(code: str) -> list[Any]:
    order = place(
        basket_of((ListingFactory(price="100.00"), 1), (ListingFactory(price="100.00"), 1)),
        voucher=code,
        method=Order.Method.CASH,
    )
    paying.settle_cash(order=order, at=NOW)
    return list(order.supplier_orders.order_by("reference"))


def test_two_parts_that_end_at_once_give_the_use_back_once():
    for _each in range(3):
        once = voucher(most_uses=1)
        parts = two_parts(once.code)

        outcomes = at_once([lambda part=part: deciding.cancel(supplier_order=part, at=NOW) for part in parts])

        assert [each for each in outcomes if isinstance(each, Exception)] == []
        once.refresh_from_db()
        assert once.used == 0
        assert Redemption.objects.live().count() == 0


def test_giving_back_twice_at_once_counts_once():
    two = voucher(most_uses=5)
    orders = [place(basket_of((ListingFactory(price="100.00"), 1)), voucher=two.code) for _each in range(2)]

    outcomes = at_once([lambda: redeeming.give_back(order=orders[0], at=NOW)] * 4)

    assert sorted(outcomes) == [False, False, False, True]
    two.refresh_from_db()
    assert two.used == 1
