"""Two hands at once on what a customer keeps with us. Every test has a control that fails with its guard off."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models import QuerySet
from django.db.models.deletion import Collector

from shop.checkout import placing
from shop.customers import ending, erasing, issues, newsletter
from shop.customers.models import Erasure, Issue, IssueCopy, Subscription
from shop.orders.models import Order
from shop.people.models import User
from tests.checkout.buying import address, basket_of, quotes_of
from tests.customers.people import proved
from tests.factories import NOW, ListingFactory, OperatorFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

LATER = NOW + timedelta(days=8)


class Meanwhile:
    """In the middle of what one hand does another one acts, and is waited for unless it is made to wait."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act, self.outcome = act, None
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.outcome = self.act()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.outcome = error
        finally:
            connections.close_all()

    def before(self, monkeypatch: Any, owner: Any, name: str, *, of: Callable[..., bool] = bool) -> None:
        then = getattr(owner, name)

        def interrupted(*given: Any, **named: Any) -> Any:
            if self.thread.ident is None and of(*given):
                self.thread.start()
                self.thread.join(timeout=1.5)
            return then(*given, **named)

        monkeypatch.setattr(owner, name, interrupted)

    def over(self) -> Any:
        self.thread.join(timeout=60)
        return self.outcome


@pytest.fixture
def without_locks(monkeypatch):
    if connection.vendor == "sqlite":
        pytest.skip("on SQLite a transaction that writes is alone: there is no lock to leave out")
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)


def removes(model: Any) -> Callable[[Collector], bool]:
    return lambda collector: model in collector.data


def erased_while_she_orders(monkeypatch: Any) -> tuple[User, Any]:
    user = proved()
    basket, to = basket_of((ListingFactory(), 1), user=user), address()
    quotes = quotes_of(basket, to)
    customer = placing.Customer(user=user, email=user.email, phone="+212600000001")
    orders = Meanwhile(
        lambda: placing.place(
            basket=basket, customer=customer, address=to, method="card", quotes=quotes, at=NOW
        )
    )
    orders.before(monkeypatch, erasing, "_remove", of=lambda *_: True)

    erasing.ask(user=user, at=NOW)

    return user, orders.over()


def test_an_order_placed_during_an_erasure_is_refused_and_not_left_without_its_customer(monkeypatch):
    user, outcome = erased_while_she_orders(monkeypatch)

    assert isinstance(outcome, placing.BasketGone)
    assert not Order.objects.exists()
    assert not User.objects.filter(pk=user.pk).exists()
    assert Erasure.objects.get().done_at == NOW


def test_without_the_lock_an_order_loses_its_customer_before_it_is_paid(monkeypatch, without_locks):
    _user, outcome = erased_while_she_orders(monkeypatch)

    assert isinstance(outcome, Order)
    order = Order.objects.get()
    assert (order.stage, order.user_id) == (Order.Stage.AWAITING_PAYMENT, None)


def forgotten_while_she_confirms(monkeypatch: Any) -> Any:
    newsletter.ask(email="late@example.ma", language="fr", at=NOW)
    token = ending.confirm_token(person=Subscription.objects.get().person)
    confirms = Meanwhile(lambda: newsletter.confirm(token=token, at=LATER))
    confirms.before(monkeypatch, Collector, "delete", of=removes(Subscription))

    newsletter.forget_unconfirmed(at=LATER)

    return confirms.over()


def test_who_confirms_while_her_address_is_forgotten_reads_that_the_link_is_too_old(monkeypatch):
    outcome = forgotten_while_she_confirms(monkeypatch)

    assert isinstance(outcome, ending.LinkRefused)
    assert not Subscription.objects.exists()


def test_without_the_lock_she_is_thanked_and_forgotten(monkeypatch, without_locks):
    outcome = forgotten_while_she_confirms(monkeypatch)

    assert isinstance(outcome, Subscription)
    assert not Subscription.objects.exists()


def thrown_away_while_it_is_sent(monkeypatch: Any) -> Any:
    newsletter.ask(email="reader@example.ma", language="fr", at=NOW)
    Subscription.objects.update(confirmed_at=NOW)
    operator = OperatorFactory()
    issue = issues.write(words=dict.fromkeys(issues.FIELDS, "Safran"), by=operator, at=NOW)
    sends = Meanwhile(lambda: issues.send(issue=issue, by=operator, at=NOW))
    sends.before(monkeypatch, Collector, "delete", of=removes(Issue))

    try:
        issues.throw_away(issue=issue)
    except Exception as error:  # noqa: BLE001 - the control looks at it
        return sends.over(), error
    return sends.over(), None


def test_a_draft_that_is_thrown_away_is_not_sent_as_well(monkeypatch):
    sent, error = thrown_away_while_it_is_sent(monkeypatch)

    assert (type(sent), error) == (issues.SentAlready, None)
    assert not Issue.objects.exists()
    assert not IssueCopy.objects.exists()


def test_without_the_lock_throwing_away_meets_an_issue_that_is_on_its_way(monkeypatch, without_locks):
    sent, error = thrown_away_while_it_is_sent(monkeypatch)

    assert sent == 1
    assert error is not None or not Issue.objects.exists()
