"""Many hands at once. Every test has a control that fails with its guard off."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models import F
from django.db.models.functions import Coalesce
from oscar.core.loading import get_model

from catalogue import stock
from shop.checkout import baskets, filling, placing
from shop.core.errors import Refused
from shop.orders.models import Order
from tests.checkout.buying import address, basket_of, guest, quotes_of
from tests.factories import NOW, ListingFactory, UserFactory, stock_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

BUYERS, PRESSES = 8, 4


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """What each call returned, or the exception it raised, when all start together."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            start.wait(timeout=30)
            return call()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def eight_buyers_of(listing, monkeypatch) -> list[Any]:
    """Everybody looks, sees the last unit, and only then presses."""
    waiting = []
    for _each in range(BUYERS):
        basket, to = basket_of((listing, 1)), address()
        waiting.append((basket, to, quotes_of(basket, to)))
    seen = {basket.pk: filling.contents(basket=basket, at=NOW) for basket, _to, _quotes in waiting}
    monkeypatch.setattr(filling, "contents", lambda *, basket, at: seen[basket.pk])

    def press(basket: Any, to: Any, quotes: Any) -> Callable[[], Any]:
        return lambda: placing.place(
            basket=basket, customer=guest(), address=to, method="card", quotes=quotes, at=NOW
        )

    return at_once([press(*each) for each in waiting])


def test_of_eight_buyers_of_the_last_unit_one_gets_it_and_seven_are_refused(monkeypatch):
    honey = ListingFactory(stock=1)

    outcomes = eight_buyers_of(honey, monkeypatch)

    assert len([each for each in outcomes if isinstance(each, Order)]) == 1
    assert len([each for each in outcomes if isinstance(each, stock.SoldOut)]) == 7
    assert Order.objects.count() == 1
    assert stock_of(honey) == (1, 1)
    assert baskets.Basket.objects.filter(status=baskets.Basket.OPEN).count() == 7


def test_without_the_condition_in_the_update_the_last_unit_is_sold_eight_times(monkeypatch):
    honey = ListingFactory(stock=1)

    def check_then_write(*, quantities: dict[int, int], about: str, at: Any) -> None:
        for key, quantity in quantities.items():
            get_model("partner", "StockRecord").objects.filter(pk=key).update(
                num_allocated=Coalesce(F("num_allocated"), 0) + quantity
            )

    monkeypatch.setattr(stock, "reserve", check_then_write)

    outcomes = eight_buyers_of(honey, monkeypatch)

    assert len([each for each in outcomes if isinstance(each, Order)]) == BUYERS
    assert stock_of(honey) == (1, BUYERS)


def four_presses_of(basket) -> list[Any]:
    quotes = quotes_of(basket, address())

    def press() -> Any:
        return placing.place(
            basket=basket, customer=guest(), address=address(), method="card", quotes=quotes, at=NOW
        )

    return at_once([press] * PRESSES)


def test_four_presses_at_once_make_one_order():
    honey = ListingFactory(stock=10)

    outcomes = four_presses_of(basket_of((honey, 2)))

    assert {type(each) for each in outcomes} == {Order}
    assert len({each.pk for each in outcomes}) == 1
    assert Order.objects.count() == 1
    assert stock_of(honey) == (10, 2)


def test_without_the_claim_four_presses_would_reserve_four_times(monkeypatch):
    honey = ListingFactory(stock=10)
    monkeypatch.setattr(placing, "_claim", lambda basket: True)

    outcomes = four_presses_of(basket_of((honey, 2)))

    # The database still keeps it to one order; the others are crashes instead of the same answer.
    assert len([each for each in outcomes if isinstance(each, Order)]) == 1
    assert len([each for each in outcomes if isinstance(each, Exception)]) == 3
    assert not any(isinstance(each, Refused) for each in outcomes)


def first_baskets_of(user, open_basket: Callable[..., Any]) -> list[Any]:
    return at_once([lambda: open_basket(user=user).pk] * PRESSES)


def test_four_first_requests_make_one_basket():
    user = UserFactory()

    outcomes = first_baskets_of(user, baskets.open_for)

    assert len(set(outcomes)) == 1
    assert baskets.Basket.objects.filter(owner=user).count() == 1


def test_without_the_index_four_first_requests_make_four_baskets():
    user = UserFactory()
    looked = threading.Barrier(PRESSES)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_open_basket_for_each_owner")

    def look_then_make(*, user: Any) -> Any:
        found = baskets.Basket.open.filter(owner=user).first()
        looked.wait(timeout=30)
        return found or baskets.Basket.objects.create(owner=user)

    first_baskets_of(user, look_then_make)

    assert baskets.Basket.objects.filter(owner=user).count() == PRESSES


def test_what_is_added_while_a_basket_is_ordered_is_in_the_order_or_refused():
    honey, rug = ListingFactory(stock=10), ListingFactory(stock=10)
    basket = basket_of((honey, 1))
    quotes = quotes_of(basket, address())

    def order() -> Any:
        return placing.place(
            basket=basket, customer=guest(), address=address(), method="card", quotes=quotes, at=NOW
        )

    def add() -> Any:
        return filling.add(basket=basket, listing=rug, quantity=1, at=NOW)

    placed, added = at_once([order, add])

    in_basket = basket.lines.count()
    if isinstance(placed, Order):
        assert isinstance(added, Refused)
        assert (placed.lines.count(), in_basket) == (1, 1)
    else:
        # She had not seen the delivery of what came in between.
        assert isinstance(placed, Refused)
        assert in_basket == 2
        assert not Order.objects.exists()
