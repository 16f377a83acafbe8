"""Many customers at once, each with a browser's cookies, over HTTP from the listing to the card and back.

The shop answers on a port, each request in a thread of its own; the hosted page is the stand-in's, on another.
Every test has its control.
"""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django.db import connection, connections
from django.db.models import F
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import override
from oscar.core.loading import get_model

from catalogue import stock
from fixtures.stripe_sandbox.server import Running
from shop.backoffice import auditing
from shop.core import clock, outbox
from shop.ledger.models import JournalEntry
from shop.orders.models import Order
from shop.payments import paying
from shop.payments.models import LatePayment, Payment, PaymentAttempt
from shop.payments.stripe import importing
from tests.checkout.buying import casablanca
from tests.checkout.test_races import at_once
from tests.factories import ListingFactory, mad, stock_of
from tests.payments.shop import GOOD_CARD, SECRET, Shop, stands
from tests.storefront.test_races import believe_the_first_look, press_together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

BUYERS, PRESSES = 8, 4
CARD = {"number": GOOD_CARD, "expiry": "12/34", "cvc": "123"}


class Street:
    """The shop behind its door, and Stripe behind its own."""

    def __init__(self, url: str, shop: Shop) -> None:
        self.url, self.shop = url, shop

    def audit(self) -> list[str]:
        """What the audit finds once the balance is imported and every promised mail has left."""
        importing.import_balance(at=self.shop.at)
        outbox.sweep(at=self.shop.at)
        found = auditing.audit(at=self.shop.at)
        return [f"{each.invariant} {each.name}: {each.rows}" for each in found if not each.holds]


@pytest.fixture
def street(live_server: Any, settings: Any, monkeypatch: Any) -> Iterator[Street]:
    shop = Shop()
    stripe = Running(shop.sandbox)
    stripe.start()
    settings.STRIPE_API_KEY = "sk_test_sandbox"
    settings.STRIPE_API_BASE = settings.STRIPE_SANDBOX_URL = stripe.url
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    settings.SITE_URL = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    monkeypatch.setattr(clock, "now", lambda: shop.at)
    casablanca()
    yield Street(live_server.url, shop)
    stripe.stop()


class Buyer:
    """A browser without a window: it keeps cookies, reads forms, and presses their buttons."""

    def __init__(self, street: Street) -> None:
        self.street = street
        self.session = requests.Session()

    def tab(self) -> Buyer:
        """Another window of the same browser."""
        other = Buyer(self.street)
        other.session.cookies.update(self.session.cookies)
        return other

    def url(self, page: str, *args: Any) -> str:
        with override("en"):
            return self.street.url + reverse(f"storefront:{page}", args=args)

    def look(self, url: str) -> str:
        answer = self.session.get(url, timeout=60)
        answer.raise_for_status()
        return answer.text

    def press(self, url: str, seen: str, **form: Any) -> requests.Response:
        """Send a form with the token of the page it stands on."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', seen)
        given = {"csrfmiddlewaretoken": token[1]} if token else {}
        return self.session.post(
            url, data=given | form, headers={"Referer": url}, allow_redirects=False, timeout=60
        )

    def to_the_last_button(self, listing: Any, quantity: int = 1) -> tuple[str, dict[str, str]]:
        """Into the basket, address typed, delivery shown: the page with the button, and what it will send."""
        page = self.url("listing", listing.slug)
        self.press(self.url("basket_add", listing.slug), self.look(page), quantity=quantity)
        checkout = self.url("checkout")
        typed = {
            "name": "Salma Idrissi",
            "phone": "06 61 00 00 00",
            "email": "salma@example.ma",
            "region": "MA-06",
            "town": "casablanca",
            "street": "12, rue des Orangers",
            "landmark": "",
            "method": "card",
        }
        assert self.press(checkout, self.look(checkout), **typed).status_code == 302
        seen = self.look(checkout)
        hidden = re.findall(r'<input type="hidden" name="(fingerprint|total|basket)" value="([^"]*)"', seen)
        return seen, typed | dict(hidden) | {"terms": "on"}

    def order(self, ready: tuple[str, dict[str, str]]) -> requests.Response:
        """The button with the obligation to pay."""
        seen, form = ready
        return self.press(self.url("place"), seen, **form)

    def pay(self, hosted_page: str) -> requests.Response:
        """On Stripe's page: type the card, press, and come back to the shop."""
        self.look(hosted_page)
        back = self.press(f"{hosted_page.partition('?')[0]}/pay", "", **CARD)
        assert back.status_code == 303, back.text
        return self.session.get(back.headers["Location"], timeout=60)


def words(answer: requests.Response) -> str:
    return re.sub(r"\s+", " ", html.unescape(answer.text))


# Eight want the last one


def eight_order_the_last(
    street: Street, listing: Any, monkeypatch: Any
) -> list[tuple[Buyer, requests.Response]]:
    buyers = [Buyer(street) for _ in range(BUYERS)]
    ready = [each.to_the_last_button(listing) for each in buyers]
    press_together(monkeypatch, BUYERS)
    believe_the_first_look(monkeypatch)
    answers = at_once([lambda b=buyer, r=form: b.order(r) for buyer, form in zip(buyers, ready, strict=True)])
    return list(zip(buyers, answers, strict=True))


def those_who_pay(answered: list[tuple[Buyer, requests.Response]]) -> list[requests.Response]:
    """Whoever was sent to the hosted page pays there, all at once."""
    sent = [(buyer, answer.headers["Location"]) for buyer, answer in answered if answer.status_code == 302]
    return at_once([lambda b=buyer, u=url: b.pay(u) for buyer, url in sent])


def test_of_eight_who_want_the_last_unit_one_is_charged_and_seven_are_told_so(street, monkeypatch):
    honey = ListingFactory(title="Thyme honey", price="150.00", stock=1)

    answered = eight_order_the_last(street, honey, monkeypatch)
    came_back = those_who_pay(answered)

    assert sorted(answer.status_code for _buyer, answer in answered) == [302] + [409] * 7
    refused = [words(answer) for _buyer, answer in answered if answer.status_code == 409]
    assert all("“Thyme honey” has just sold out. Nothing has been charged." in each for each in refused)
    assert [each.status_code for each in came_back] == [200]
    order = Order.objects.get()
    assert (order.stage, order.supplier_orders.count()) == ("confirmed", 1)
    assert order.number in words(came_back[0])
    assert stock_of(honey) == (1, 1)
    assert Payment.objects.count() == PaymentAttempt.objects.count() == 1
    assert [each["amount"] for each in street.shop.things("charge")] == [18_000]
    assert len(street.shop.things("session")) == len(street.shop.things("payment_intent")) == 1
    assert street.audit() == []


def test_with_check_then_write_eight_would_be_charged_for_one_unit(street, monkeypatch):
    """The control: the stock is written without its condition."""
    honey = ListingFactory(price="150.00", stock=1)

    def check_then_write(*, quantities: dict[int, int], about: str, at: Any) -> None:
        for key, quantity in quantities.items():
            get_model("partner", "StockRecord").objects.filter(pk=key).update(
                num_allocated=Coalesce(F("num_allocated"), 0) + quantity
            )

    monkeypatch.setattr(stock, "reserve", check_then_write)

    came_back = those_who_pay(eight_order_the_last(street, honey, monkeypatch))

    assert [each.status_code for each in came_back] == [200] * BUYERS
    assert stock_of(honey) == (1, BUYERS)
    assert len(street.shop.things("charge")) == BUYERS
    assert any(each.startswith("I2") for each in street.audit())


# One presses four times


def four_presses(street: Street) -> list[tuple[Buyer, requests.Response]]:
    """The button with the obligation to pay, in four windows of one browser, at once."""
    buyer = Buyer(street)
    ready = buyer.to_the_last_button(ListingFactory(price="150.00", stock=10), 2)
    tabs = [buyer.tab() for _ in range(PRESSES)]
    answers = at_once([lambda t=tab: t.order(ready) for tab in tabs])
    return list(zip(tabs, answers, strict=True))


def test_four_presses_at_once_are_one_order_one_page_and_one_charge(street):
    answered = four_presses(street)

    assert [answer.status_code for _tab, answer in answered] == [302] * PRESSES
    assert len({answer.headers["Location"] for _tab, answer in answered}) == 1
    assert len(street.shop.things("session")) == 1

    # In every window she types her card, presses, and comes back, all at once.
    came_back = those_who_pay(answered)

    order = Order.objects.get()
    assert [each.status_code for each in came_back] == [200] * PRESSES
    assert all(order.number in words(each) for each in came_back)
    assert (order.stage, order.supplier_orders.count()) == ("confirmed", 1)
    assert JournalEntry.objects.filter(kind="confirmation").count() == 1
    assert [each["amount"] for each in street.shop.things("charge")] == [33_000]
    assert street.audit() == []


def test_without_the_lock_and_the_rule_four_presses_would_be_four_charges(street, monkeypatch):
    """The control: every press makes an attempt of its own. She pays on each page she was sent to."""

    def unguarded(payment: Payment, at: Any) -> PaymentAttempt:
        mine = threading.get_ident()
        return PaymentAttempt.objects.create(
            payment=payment,
            number=1000 + mine % 30_000,
            key=f"unguarded:{mine}",
            asked_at=at,
            expires_at=at + paying.SHORTEST_PAGE,
        )

    with connection.cursor() as cursor:
        cursor.execute('DROP INDEX "one_live_attempt_for_a_payment"')
    connections.close_all()
    monkeypatch.setattr(paying, "_attempt_for", unguarded)

    pages = {answer.headers["Location"] for _tab, answer in four_presses(street)}
    assert len(pages) == PRESSES
    for each in sorted(pages):
        Buyer(street).press(f"{each.partition('?')[0]}/pay", "", **CARD)
    paying.confirm(payment=Payment.objects.get(), at=street.shop.at)

    assert len(street.shop.things("charge")) == PRESSES
    # What is left to the shop is to notice, and to send three of them back.
    assert LatePayment.objects.filter(reason="twice").count() == PRESSES - 1
    assert stands("producer_held", Order.objects.get().lines.get().cooperative.code) == mad("267.00")
