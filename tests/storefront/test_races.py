"""The same races as in ``tests/checkout``, from the browser's side. Every test has its control."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Coalesce
from oscar.core.loading import get_model

from catalogue import stock
from shop.checkout import baskets, filling, placing
from shop.orders.models import Order
from shop.payments import paying
from shop.payments.models import Payment
from tests.checkout.test_races import at_once
from tests.factories import ListingFactory, UserFactory, stock_of
from tests.storefront.visiting import Visitor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

PAGE = "https://pay.example/session"
BUYERS, PRESSES = 8, 4


@pytest.fixture(autouse=True)
def hosted_page(monkeypatch):
    monkeypatch.setattr(paying, "page_for", lambda **_: PAGE)


def press_together(monkeypatch, people: int) -> None:
    """Everybody has looked at the page's own check before anybody's order is written."""
    looked, buy = threading.Barrier(people), placing.buy

    def buy_together(**given: Any) -> Order:
        looked.wait(timeout=60)
        return buy(**given)

    monkeypatch.setattr(placing, "buy", buy_together)


def believe_the_first_look(monkeypatch) -> None:
    """An order is written from what was seen before, as check-then-write does."""
    look, seen = filling.contents, {}

    def contents(*, basket: Any, at: Any) -> Any:
        return seen.setdefault(basket.pk, look(basket=basket, at=at))

    monkeypatch.setattr(filling, "contents", contents)


def eight_visitors_want(listing, monkeypatch) -> list[Any]:
    ready = []
    for _each in range(BUYERS):
        visitor = Visitor()
        visitor.add(listing)
        visitor.work_out()
        ready.append((visitor, visitor.answers() | {"terms": "on"} | visitor.shown()))
    press_together(monkeypatch, BUYERS)
    believe_the_first_look(monkeypatch)
    return at_once([lambda v=visitor, f=form: v.post("place", **f) for visitor, form in ready])


def test_of_eight_visitors_one_gets_the_last_unit_and_seven_read_that_it_is_gone(now, monkeypatch):
    honey = ListingFactory(title="Thyme honey", stock=1)

    responses = eight_visitors_want(honey, monkeypatch)

    assert sorted(each.status_code for each in responses) == [302] + [409] * 7
    refused = [each.content.decode() for each in responses if each.status_code == 409]
    assert all("“Thyme honey” has just sold out. Nothing has been charged." in each for each in refused)
    assert Order.objects.count() == 1
    assert Payment.objects.count() == 1
    assert stock_of(honey) == (1, 1)


def test_with_check_then_write_eight_visitors_would_buy_one_unit(now, monkeypatch):
    honey = ListingFactory(stock=1)

    def check_then_write(*, quantities: dict[int, int], about: str, at: Any) -> None:
        for key, quantity in quantities.items():
            get_model("partner", "StockRecord").objects.filter(pk=key).update(
                num_allocated=Coalesce(F("num_allocated"), 0) + quantity
            )

    monkeypatch.setattr(stock, "reserve", check_then_write)

    responses = eight_visitors_want(honey, monkeypatch)

    assert [each.status_code for each in responses] == [302] * BUYERS
    assert stock_of(honey) == (1, BUYERS)


def presses_of(visitor, monkeypatch) -> list[Any]:
    visitor.work_out()
    form = visitor.answers() | {"terms": "on"} | visitor.shown()
    tabs = []
    for _each in range(PRESSES):
        tab = Visitor(visitor.language)
        tab.client.cookies = visitor.client.cookies.copy()
        tab.client.raise_request_exception = False
        tabs.append(tab)
    press_together(monkeypatch, PRESSES)
    return at_once([lambda t=tab: t.post("place", **form) for tab in tabs])


def test_four_presses_at_once_lead_to_one_order_and_one_page(now, monkeypatch):
    visitor, honey = Visitor(), ListingFactory(stock=10)
    visitor.add(honey, 2)

    responses = presses_of(visitor, monkeypatch)

    assert [(each.status_code, each["Location"]) for each in responses] == [(302, PAGE)] * PRESSES
    assert Order.objects.count() == 1
    assert Payment.objects.count() == 1
    assert stock_of(honey) == (10, 2)


def test_without_the_claim_three_of_four_presses_would_crash(now, monkeypatch):
    visitor, honey = Visitor(), ListingFactory(stock=10)
    visitor.add(honey, 2)
    monkeypatch.setattr(placing, "_claim", lambda basket: True)

    responses = presses_of(visitor, monkeypatch)

    assert sorted(each.status_code for each in responses) == [302, 500, 500, 500]


def test_four_first_goods_at_once_lie_in_one_basket(now):
    user, honey = UserFactory(), ListingFactory(stock=10)
    tabs = [Visitor(user=user) for _each in range(PRESSES)]

    responses = at_once([lambda t=tab: t.add(honey) for tab in tabs])

    assert [each.status_code for each in responses] == [302] * PRESSES
    basket = baskets.Basket.objects.get(owner=user)
    assert basket.lines.get().quantity == PRESSES
