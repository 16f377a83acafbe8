"""A shop with Stripe's stand-in in the same process, its webhooks reaching the shop's own door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from moneyed import Money

from fixtures.stripe_sandbox import Sandbox, cards, controls
from fixtures.stripe_sandbox.client import InProcessClient
from fixtures.stripe_sandbox.resources import checkout
from fixtures.stripe_sandbox.world import Call
from shop.fulfilment import delivering, releasing
from shop.fulfilment.models import Shipment, SupplierOrder
from shop.ledger import accounts, balances
from shop.orders.models import Order
from shop.payments import paying
from shop.payments.models import Payment, StripeEvent
from shop.payments.stripe import handlers, importing
from shop.payments.stripe.gateway import Urls
from tests.factories import NOW, ListingFactory, dispatched, order_of

SECRET = "whsec_of_the_tests"
GOOD_CARD, DECLINED_CARD = "4242424242424242", "4000000000000002"
FAILING_REFUND_CARD = "4000000000005126"
URLS = Urls(paid="https://shop.example/return/", given_up="https://shop.example/track/")


class Killed(BaseException):
    """A worker that is killed is not asked, and no ``except Exception`` hears of it."""


@contextmanager
def killed(monkeypatch: Any, module: Any, point: str) -> Iterator[None]:
    """The worker dies at a marked point inside the block."""

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(module, point, die)
        try:
            yield
        except Killed:
            return
    raise AssertionError(f"{point} was not reached")


class Shop:
    """What the tests keep doing, in few words. ``at`` is the moment it is, for the shop and for Stripe."""

    def __init__(self) -> None:
        self.at = NOW
        self.answers: list[int] = []
        self.sandbox = Sandbox(send=self._deliver)
        controls.set_clock(self.sandbox, {"frozen_at": int(NOW.timestamp())})
        self.http = InProcessClient(self.sandbox)
        self.door = Client()

    # webhooks

    def _deliver(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        return self.knock(body, headers["Stripe-Signature"]).status_code

    def knock(self, body: bytes, signature: str) -> Any:
        return self.door.post(
            reverse("stripe_webhook"),
            data=body,
            content_type="application/json",
            headers={"Stripe-Signature": signature},
        )

    def listen(self) -> None:
        """From now on Stripe tells the shop what happens."""
        self.sandbox.add_webhook("https://shop.example" + reverse("stripe_webhook"), SECRET)

    def hear(self) -> int:
        """Deliver every webhook that waits, and handle what was kept; returns how many were delivered."""
        delivered = len(self.sandbox.deliverer.flush())
        for event in StripeEvent.objects.filter(state=StripeEvent.State.WAITING):
            handlers.handle(event_id=event.pk, at=self.at)
        return delivered

    # time and control

    def wait(self, **span: float) -> datetime:
        """Let time pass, here and at Stripe."""
        self.at += timedelta(**span)
        self.press("advance", seconds=int(timedelta(**span).total_seconds()))
        return self.at

    def press(self, control: str, **given: Any) -> Any:
        return controls.press(self.sandbox, control, **given)

    def fault(self, kind: str, **given: Any) -> None:
        self.press("faults", kind=kind, **given)

    def asked(self, method: str, path: str) -> int:
        """How many such calls Stripe received."""
        found = self.sandbox.store.rows(
            "select count(*) as n from request where method = ? and path = ?", method, path
        )
        return int(found[0]["n"])

    def things(self, kind: str) -> list[dict[str, Any]]:
        """Everything of a kind at Stripe, e.g. ``session``, ``charge``, ``refund``, ``transfer``."""
        return self.sandbox.store.all(kind, self.sandbox.world.platform)

    # money

    def card_pays(self, order: Order, card: str = GOOD_CARD) -> None:
        """The customer pays on the hosted page; the shop has not heard of it yet."""
        paying.page_for(payment=self.payment_of(order), urls=URLS, at=self.at)
        self.press_pay(order, card)

    def press_pay(self, order: Order, card: str = GOOD_CARD) -> None:
        """The button on the page that is open."""
        number = self.payment_of(order).attempts.latest("number").stripe_session_id
        found = self.sandbox.store.find("session", self.sandbox.world.platform, number)
        assert found is not None
        with self.sandbox.store.step():
            chosen = cards.by_number(card)
            assert chosen is not None
            checkout.pay(Call(self.sandbox.world, self.sandbox.world.platform), found, chosen)

    def payment_of(self, order: Order) -> Payment:
        return paying.start(order=order, at=self.at)

    def paid_order(self, *items: Any, card: str = GOOD_CARD, **given: Any) -> Order:
        """An order paid by card, confirmed, and its money on the imported balance."""
        order = self.confirmed_order(*items, card=card, **given)
        self.import_balance()
        return order

    def confirmed_order(self, *items: Any, card: str = GOOD_CARD, **given: Any) -> Order:
        """An order paid by card and confirmed; the balance is not imported."""
        order = order_of(*(items or ((ListingFactory(), 2),)), at=self.at, **given)
        self.card_pays(order, card)
        paying.confirm(payment=self.payment_of(order), at=self.at)
        order.refresh_from_db()
        return order

    def late_payment(self) -> Order:
        """An order paid after it had ended; the shop knows, the balance is not imported."""
        order = order_of((ListingFactory(price="150.00"), 2), at=self.at)
        paying.page_for(payment=self.payment_of(order), urls=URLS, at=self.at)
        payment = self.payment_of(order)
        payment.expire()
        payment.save()
        Order.objects.filter(pk=order.pk).update(ended_at=self.at)
        self.press_pay(order)
        paying.confirm(payment=payment, at=self.at)
        return order

    def import_balance(self) -> importing.Imported:
        return importing.import_balance(at=self.at)

    def at_stripe(self, currency: str = "EUR") -> Money:
        """What Stripe says it holds for us, pending and available."""
        from fixtures.stripe_sandbox import books
        from shop.core.money import from_minor

        world = self.sandbox.world
        return from_minor(books.total(world, world.platform, currency.lower()), currency)

    def released(self, supplier_order: SupplierOrder) -> SupplierOrder:
        """Accepted, sent, delivered, and the return window closed."""
        self.delivered(supplier_order)
        self.wait(days=8)
        releasing.release(supplier_order=supplier_order, at=self.at)
        return supplier_order

    def delivered(self, supplier_order: SupplierOrder) -> SupplierOrder:
        from shop.fulfilment import deciding

        deciding.accept(supplier_order=supplier_order, by=None, at=self.at)
        shipment: Shipment = dispatched(supplier_order, at=self.at)
        delivering.record_delivery(shipment=shipment, proof=Shipment.Proof.CUSTOMER, at=self.at)
        supplier_order.refresh_from_db()
        return supplier_order


def stands(account: str, *who: str, currency: str = "MAD") -> Money:
    """What stands on an account: ``stands("producer_held", "C01")``."""
    return balances.balance(getattr(accounts, account)(*who, currency))
