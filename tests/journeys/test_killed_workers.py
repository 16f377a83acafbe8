"""A worker killed in the middle of each task: the sweep finishes what it left, once.

Every task of the house dies at marked points (``shop/core/crashpoints.py``) in a real process, by SIGKILL,
with files as the broker; another real process then runs the sweep. Two controls stand beside each: before the
sweep the work is undone and no message is left that would bring it back; and where a guard of the shop keeps
the work whole, the same death with that guard off leaves it half done, or done twice, for good.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from kombu import Connection

from catalogue import prices
from catalogue.models import ProductImage
from cooperatives.models import PayoutAccount
from fixtures import bank_sandbox
from fixtures.stripe_sandbox.server import Running
from shop.celery import SWEEPS
from shop.celery import app as celery_app
from shop.core import crashpoints, outbox
from shop.core.clock import day_of
from shop.core.models import ClockOffset, OutboxMessage
from shop.customers import erasing, favourites, issues, newsletter, noticing
from shop.customers.models import Favourite, Purpose, Subscription
from shop.fulfilment import deciding
from shop.fulfilment.models import DeliveryQuote, OrderEvent, Shipment, SupplierOrder
from shop.ledger.models import JournalEntry
from shop.orders.models import Order
from shop.payments import onboarding, paying, payouts, refunding
from shop.payments.models import BalanceTransaction, Payout, Refund, StripeEvent
from shop.payments.stripe import gateway, handlers, receiving
from shop.people.models import User
from shop.reconciliation import fetching
from shop.reconciliation.models import Match
from shop.search import indexing
from shop.search.models import Entry, Waiting
from tests.architecture.test_sweeps import tasks_of_ours
from tests.catalogue.test_pictures import encoded, two_halves
from tests.checkout.buying import address, basket_of, quotes_of
from tests.customers.people import proved
from tests.factories import (
    NOW,
    CarrierFactory,
    CooperativeFactory,
    ListingFactory,
    MemberFactory,
    OperatorFactory,
    PayoutAccountFactory,
    UserFactory,
    dispatched,
    mad,
    order_of,
    stock_of,
)
from tests.payments.shop import Shop, stands
from tests.reconciliation.world import L, World, exceptions

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]

ROOT = Path(__file__).resolve().parents[2]
KILLED = -signal.SIGKILL


# The processes


@dataclass
class Workers:
    """The queue in files, and processes that work on it, each for as long as there is something to do."""

    folder: Path
    program: subprocess.Popen[str]

    @property
    def queue(self) -> Path:
        return self.folder / "queue" / "out"

    def waiting(self) -> list[str]:
        """The task of every message in the queue."""
        return [json.loads(each.read_text())["headers"]["task"] for each in self.queue.iterdir()]

    def mails(self) -> list[str]:
        """The key of every mail that left, in order."""
        files = sorted((self.folder / "mail").glob("*"))
        return sorted(message_from_bytes(each.read_bytes())["X-Tadamon-Key"] for each in files)

    def enqueue(self, task: str, *args: Any) -> None:
        options = {
            "data_folder_in": str(self.queue),
            "data_folder_out": str(self.queue),
            "control_folder": str(self.folder / "queue" / "control"),
        }
        with Connection("filesystem://", transport_options=options) as connection:
            celery_app.send_task(task, args=args, connection=connection)

    def run(self, *, settings: dict[str, str], crash: str, without: tuple[str, ...], press: Any) -> int:
        """Let one process live; returns the code it ended with."""
        order = {
            "environment": {crashpoints.VARIABLE: crash},
            "settings": settings,
            "without": without,
            "press": press,
        }
        assert self.program.stdin and self.program.stdout
        self.program.stdin.write(json.dumps(order) + "\n")
        self.program.stdin.flush()
        return int(self.program.stdout.readline())

    def empty(self) -> None:
        for each in (self.queue, self.folder / "mail", self.folder / "queue" / "control"):
            shutil.rmtree(each, ignore_errors=True)
            each.mkdir(parents=True)


def environment(folder: Path) -> dict[str, str]:
    """The shop's own settings, on the database and the files of this test."""
    from django.conf import settings

    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "TADAMON_VAR": str(folder),
        "MEDIA_ROOT": str(settings.MEDIA_ROOT),
        "PRIVATE_MEDIA_ROOT": str(settings.PRIVATE_MEDIA_ROOT),
        "LOG_LEVEL": "WARNING",
        # Django's own checks of the models take a second each time.
        "CELERY_SKIP_CHECKS": "1",
    }


@pytest.fixture(scope="module")
def workers(tmp_path_factory: Any) -> Iterator[Workers]:
    folder = tmp_path_factory.mktemp("workers")
    with (folder / "log").open("w") as log:
        program = subprocess.Popen(
            [sys.executable, "-m", "tests.journeys.worker"],
            cwd=ROOT,
            env=environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert program.stdin and program.stdout
        assert program.stdout.readline() == "ready\n", (folder / "log").read_text()
        yield Workers(folder, program)
        program.stdin.close()
        program.wait(timeout=30)
        program.stdout.close()


class House:
    """A shop whose workers are processes. What it is told ``at`` is what their clocks say."""

    def __init__(self, shop: Shop, stripe: Running, workers: Workers) -> None:
        self.shop, self.stripe, self.workers = shop, stripe, workers
        self.bank_url = ""

    @property
    def at(self) -> Any:
        return self.shop.at

    def settings(self) -> dict[str, str]:
        """Where the stand-ins are; as settings, and the same as an environment."""
        return {"STRIPE_SANDBOX_URL": self.stripe.url, "BANK_SANDBOX_URL": self.bank_url}

    def set_clock(self) -> None:
        """The workers' clock goes on from the moment it is for the test."""
        ahead = math.ceil((self.at - timezone.now()).total_seconds())
        ClockOffset.objects.update_or_create(pk=1, defaults={"seconds": ahead})

    def work(self, task: str, *args: Any, crash: str = "", without: tuple[str, ...] = ()) -> int:
        """Give a worker a task; it goes home when the queue is empty. Returns the code it ended with."""
        self.workers.enqueue(task, *args)
        return self._live(crash=crash, without=without, press=None)

    def press(self, user: Any, path: str, *, crash: str = "", without: tuple[str, ...] = ()) -> int:
        """Let a web process answer a customer."""
        return self._live(crash=crash, without=without, press={"user": user.pk, "path": path})

    def _live(self, **given: Any) -> int:
        self.set_clock()
        connections.close_all()
        ended = self.workers.run(settings=self.settings() | {"STRIPE_API_BASE": self.stripe.url}, **given)
        # The worker's clock ran on meanwhile.
        self.shop.wait(minutes=1)
        return ended


@pytest.fixture
def house(shop: Shop, workers: Workers, settings: Any) -> Iterator[House]:
    workers.empty()
    settings.BANK_SANDBOX_URL = ""
    stripe = Running(shop.sandbox)
    stripe.start()
    yield House(shop, stripe, workers)
    stripe.stop()


# What each task is given, and what is seen of it


@dataclass
class Work:
    """``seen`` looks at what the task is about; ``whole`` is what it sees when all is done, once."""

    seen: Callable[[], Any]
    whole: Any
    args: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Death:
    """A task, the point at which its worker dies, and what was there to do.

    ``guard`` is what keeps the work whole; ``broken`` is what is seen for good when it is off.
    """

    task: str
    point: str
    prepare: Callable[[House], Work]
    guard: str = ""
    broken: Any = None
    #: What comes back for it; the task itself if it is a sweep.
    sweep: str = field(default="")

    @property
    def finisher(self) -> str:
        return self.sweep or self.task

    def __str__(self) -> str:
        return f"{self.task.rpartition('.')[2]}@{self.point}"


def entries(kind: str) -> int:
    return JournalEntry.objects.filter(kind=kind).count()


def promised(topic: str) -> int:
    return OutboxMessage.objects.filter(topic=topic).count()


def told(kind: str) -> int:
    return OrderEvent.objects.filter(kind=kind).count()


def a_promise(house: House) -> Work:
    order = house.shop.confirmed_order()
    key = f"order.confirmed:{order.number}"
    message = OutboxMessage.objects.get(key__startswith=key)

    def seen() -> Any:
        message.refresh_from_db()
        return message.state, message.attempts, house.workers.mails()

    return Work(seen, ("delivered", 1, [message.key]), (message.pk,))


def a_promise_for_the_sweep(house: House) -> Work:
    work = a_promise(house)
    return Work(work.seen, work.whole)


def a_promise_that_left_before_the_death(house: House) -> Work:
    """At least once, never lost: the copy carries the same key, by which whoever receives it can tell."""
    work = a_promise(house)
    state, attempts, (key,) = work.whole
    return Work(work.seen, (state, attempts, [key, key]))


def a_paid_page(house: House) -> Work:
    order = order_of((ListingFactory(), 2), at=house.at)
    house.shop.card_pays(order)

    def seen() -> Any:
        order.refresh_from_db()
        state = house.shop.payment_of(order).state
        return state, order.confirmed_at is not None, order.supplier_orders.count(), entries("confirmation")

    return Work(seen, ("paid", True, 1, 1))


def a_page_whose_time_is_over(house: House) -> Work:
    listing = ListingFactory(stock=10)
    order = order_of((listing, 2), at=house.at)
    paying.page_for(payment=house.shop.payment_of(order), urls=PAGES, at=house.at)
    house.shop.wait(minutes=31)

    def seen() -> Any:
        order.refresh_from_db()
        (session,) = house.shop.things("session")
        return session["status"], order.ended_at is not None, stock_of(listing), promised("order.expired")

    return Work(seen, ("expired", True, (10, 0), 1))


def an_event(house: House) -> Work:
    paid = a_paid_page(house)
    house.shop.wait(minutes=3)
    receiving.fetch_untold(at=house.at)
    event = StripeEvent.objects.get(kind="payment_intent.succeeded")

    def seen() -> Any:
        event.refresh_from_db()
        return event.state, *paid.seen()

    return Work(seen, ("handled", *paid.whole), (event.pk,))


def untold_events(house: House) -> Work:
    a_paid_page(house)
    house.shop.wait(minutes=3)
    happened = gateway.list_events(created_gte=NOW - timedelta(days=1), kinds=handlers.KINDS)
    ids = sorted(each.id for each in happened)
    assert len(ids) > 1

    def seen() -> Any:
        kept = StripeEvent.objects.order_by("event_id").values_list("event_id", "state")
        return list(kept)

    return Work(seen, [(each, "handled") for each in ids])


def a_row_on_the_balance(house: House) -> Work:
    house.shop.confirmed_order()

    def seen() -> Any:
        waiting = BalanceTransaction.objects.filter(posted_at=None).count()
        agrees = stands("stripe_balance", currency="EUR") == house.shop.at_stripe()
        return waiting, agrees, entries("card_payment")

    return Work(seen, (0, True, 1))


def a_declined_part(house: House) -> Work:
    part = house.shop.paid_order().supplier_orders.get()
    deciding.decline(supplier_order=part, by=None, reason="sold_out", at=house.at)

    def seen() -> Any:
        return (
            Refund.objects.count(),
            entries("refund"),
            told("refund.requested"),
            [each["amount"] for each in house.shop.things("refund")],
        )

    return Work(seen, (1, 1, 1, [33_000]))


def a_refund(house: House) -> Work:
    part = house.shop.paid_order().supplier_orders.get()
    refund = refunding.request(
        supplier_order=part,
        reason="claim",
        lines={part.lines.get(): 1},
        with_delivery=False,
        by=None,
        at=house.at,
    )

    def seen() -> Any:
        refund.refresh_from_db()
        return refund.state, [each["amount"] for each in house.shop.things("refund")], promised("refund.sent")

    return Work(seen, ("succeeded", [15_000], 1))


def an_approved_payout(house: House) -> Work:
    cooperative = CooperativeFactory(code="A")
    account = gateway.create_account(cooperative="A", email="a@example.ma", country="MA", key="acct:A:1")
    house.shop.press("capability", account=account, status="active")
    PayoutAccountFactory(cooperative=cooperative, rail="stripe", rib="", stripe_account_id=account)
    onboarding.refresh(stripe_account_id=account, at=house.at)
    mine, other = ListingFactory(cooperative=cooperative, price="300.00"), ListingFactory(price="600.00")
    order = house.shop.paid_order((mine, 1), (other, 1))  # the charge has room for a second transfer
    house.shop.released(order.supplier_orders.get(cooperative=cooperative))
    run = payouts.plan(by=OperatorFactory(), at=house.at)
    payouts.approve(run=run, by=OperatorFactory(), at=house.at)
    payout = run.payouts.get()

    def seen() -> Any:
        payout.refresh_from_db()
        has_left = payout.state in ("sent", "paid")
        return has_left, [each["amount"] for each in house.shop.things("transfer")]

    return Work(seen, (True, [2470]))


def silence_past_the_deadline(house: House) -> Work:
    listing = ListingFactory(stock=10)
    MemberFactory(cooperative=listing.cooperative)
    part = house.shop.paid_order((listing, 2)).supplier_orders.get()
    house.shop.wait(hours=49)

    def seen() -> Any:
        part.refresh_from_db()
        letters = promised("part.declined"), promised("supplier_order.overdue")
        return part.state, stock_of(listing), letters

    return Work(seen, ("declined", (10, 0), (1, 1)))


def half_of_the_time_to_accept(house: House) -> Work:
    listing = ListingFactory()
    MemberFactory(cooperative=listing.cooperative)
    house.shop.paid_order((listing, 2))
    house.shop.wait(hours=25)
    return Work(lambda: promised("supplier_order.reminder"), 1)


def cash_that_stripe_cannot_carry(house: House) -> Work:
    for number in (1, 2):
        account = PayoutAccountFactory(
            rail="stripe", rib="", stripe_account_id=f"acct_{number}", transfers_active=True
        )
        MemberFactory(cooperative=account.cooperative)
        listing = ListingFactory(cooperative=account.cooperative)
        order = order_of((listing, 1), method="cash")
        paying.settle_cash(order=order, at=house.at)
        house.shop.released(order.supplier_orders.get())
    return Work(lambda: promised("payout.cash_waits"), 2)


def a_silent_parcel(house: House) -> Work:
    part = house.shop.paid_order().supplier_orders.get()
    deciding.accept(supplier_order=part, by=None, at=house.at)
    dispatched(part, at=house.at)
    house.shop.wait(days=11)

    def seen() -> Any:
        part.refresh_from_db()
        return part.state, told("supplier_order.delivered"), promised("part.delivered")

    return Work(seen, ("delivered", 1, 1))


def a_closed_return_window(house: House) -> Work:
    part = house.shop.delivered(house.shop.paid_order().supplier_orders.get())
    house.shop.wait(days=8)
    code = part.cooperative.code

    def seen() -> Any:
        part.refresh_from_db()
        return part.state, entries("release"), stands("producer_payable", code)

    return Work(seen, ("released", 1, mad("267.00")))


def expired_quotes(house: House) -> Work:
    quotes_of(basket_of((ListingFactory(), 1)), address())
    house.shop.wait(days=3)
    return Work(lambda: DeliveryQuote.objects.count(), 0)


def parcels_at_the_carrier(house: House) -> Work:
    part, other = (house.shop.paid_order().supplier_orders.get() for _ in range(2))
    for each in (part, other):
        deciding.accept(supplier_order=each, by=None, at=house.at)
        dispatched(each, at=house.at)
    arrived = Shipment.objects.get(supplier_order=part)
    fetching.announce_parcel(shipment=arrived)
    fetching._ask(f"/parcels/{arrived.tracking_number}/delivered", body=b"{}")

    def seen() -> Any:
        at_the_carrier = fetching._ask("/tracking.csv").decode().strip().splitlines()[1:]
        states = SupplierOrder.objects.order_by("pk").values_list("state", flat=True)
        return len(at_the_carrier), list(states)

    return Work(seen, (2, ["delivered", "dispatched"]))


def payouts_at_the_bank(house: House, *prices: str) -> list[Payout]:
    """Payouts by bank transfer, in one batch the bank was given."""
    for price in prices:
        cooperative = PayoutAccountFactory().cooperative
        order = house.shop.paid_order((ListingFactory(cooperative=cooperative, price=price), 1))
        house.shop.released(order.supplier_orders.get())
    run = payouts.plan(by=OperatorFactory(), at=house.at)
    run = payouts.approve(run=run, by=OperatorFactory(), at=house.at)
    payouts.hand_over(batch=run.batch, at=house.at)
    return list(run.payouts.order_by("pk"))


def a_statement_line(house: House) -> Work:
    (payout,) = payouts_at_the_bank(house, "600.00")
    house.shop.wait(days=1)
    world = World()
    world.at = house.at
    world.import_csv(L("-534.00", "VIREMENT EMIS", e2e=payout.reference, on=day_of(house.at)))

    def seen() -> Any:
        payout.refresh_from_db()
        return payout.state, stands("bank"), Match.objects.count(), exceptions()

    return Work(seen, ("paid", mad("-534.00"), 1, []))


def a_statement_line_of_a_whole_batch(house: House) -> Work:
    sent = payouts_at_the_bank(house, "600.00", "340.00")
    house.shop.wait(days=1)
    world = World()
    world.at = house.at
    world.import_csv(L("-836.60", f"VIREMENT DE MASSE {sent[0].batch.reference}", on=day_of(house.at)))

    def seen() -> Any:
        for each in sent:
            each.refresh_from_db()
        # The first order's deposit from Stripe has been waiting for a statement since; that is another story.
        about_lines = [each for each in exceptions() if each != "statement_late"]
        return [each.state for each in sent], stands("bank"), Match.objects.count(), about_lines

    return Work(seen, (["paid", "paid"], mad("-836.60"), 2, []))


def payouts_the_bank_is_silent_about(house: House) -> Work:
    payouts_at_the_bank(house, "600.00", "340.00")
    house.shop.wait(days=10)
    world = World()
    world.at = house.at
    world.import_silence()
    return Work(lambda: exceptions().count("stale_in_flight"), 2)


def two_superseded_accounts(house: House) -> Work:
    for _ in range(2):
        first = PayoutAccountFactory()
        PayoutAccountFactory(cooperative=first.cooperative, version=2)
    return Work(
        lambda: list(PayoutAccount.objects.filter(closed_at=None).values_list("version", flat=True)), [2, 2]
    )


def an_upload(house: House) -> Work:
    picture = ProductImage(product=ListingFactory(), display_order=0)
    picture.original.save("tapis.jpg", ContentFile(encoded(two_halves(640, 480))))

    def seen() -> Any:
        picture.refresh_from_db()
        return picture.state, picture.widths

    return Work(seen, ("ready", "300,420,600,640"))


def an_issue_of_the_newsletter(house: House) -> Work:
    for name in ("a", "b"):
        Subscription.objects.create(
            email=f"{name}@example.ma",
            language="fr",
            text_version="2026-11",
            asked_at=house.at,
            confirmed_at=house.at,
        )
    by = OperatorFactory()
    issue = issues.write(words=dict.fromkeys(issues.FIELDS, "Safran"), by=by, at=house.at)
    issues.send(issue=issue, by=by, at=house.at)

    def seen() -> Any:
        issue.refresh_from_db()
        return issue.state, promised("newsletter.issue"), issue.copies.filter(promised_at=None).count()

    return Work(seen, ("sent", 2, 0))


def favourites_that_cost_less(house: House) -> Work:
    listing = ListingFactory(price="150.00")
    for _ in range(2):
        user = proved()
        noticing.choose(user=user, wanted={Purpose.CHEAPER: True}, language="fr", at=house.at)
        favourites.keep(user=user, listing=listing, at=house.at)
    listing.stockrecords.update(price=Decimal("140.00"))

    def seen() -> Any:
        known = Favourite.objects.order_by("pk").values_list("seen_minor", "told")
        return promised("favourite.cheaper"), list(known)

    return Work(seen, (2, [(14_000, 1), (14_000, 1)]))


def addresses_that_never_confirmed(house: House) -> Work:
    for name in ("a", "b"):
        newsletter.ask(email=f"{name}@example.ma", language="fr", at=house.at)
    house.shop.wait(days=8)
    return Work(lambda: (Subscription.objects.count(), promised("newsletter.confirm")), (0, 0))


def an_erasure_whose_order_is_over(house: House) -> Work:
    user = proved()
    part = house.shop.paid_order(user=user).supplier_orders.get()
    erasure = erasing.ask(user=user, at=house.at)
    house.shop.released(part)

    def seen() -> Any:
        erasure.refresh_from_db()
        order = Order.objects.get(pk=part.order_id)
        names = order.user_id, order.shipping_address.first_name  # type: ignore[union-attr]
        account = User.objects.filter(pk=user.pk).exists()
        return bool(erasure.done_at), bool(erasure.listed_at), account, names

    return Work(seen, (True, True, False, (None, "")))


def a_change_of_a_listing(house: House) -> Work:
    listing = ListingFactory(stock=10)
    indexing.refresh()
    prices.change(listing=listing, price=mad("95.00"))

    def seen() -> Any:
        priced = Entry.objects.filter(pk=listing.pk).values_list("price_minor", flat=True)
        return list(priced), Waiting.objects.count()

    return Work(seen, ([9_500], 0))


PAGES = gateway.Urls(paid="https://shop.example/return/", given_up="https://shop.example/track/")
PAYMENTS, FULFILMENT = "shop.payments.tasks.", "shop.fulfilment.tasks."
CUSTOMERS = "shop.customers.tasks."

DEATHS = [
    Death(
        "shop.core.tasks.deliver",
        "outbox.before_sending",
        a_promise,
        sweep="shop.core.tasks.sweep_outbox",
    ),
    Death("shop.core.tasks.sweep_outbox", "outbox.before_sending", a_promise_for_the_sweep),
    Death("shop.core.tasks.sweep_outbox", "outbox.after_sending", a_promise_that_left_before_the_death),
    Death(
        PAYMENTS + "handle_stripe_event",
        "handlers.acted",
        an_event,
        sweep=PAYMENTS + "sweep_events",
    ),
    Death(PAYMENTS + "sweep_events", "receiving.kept", untold_events),
    Death(
        PAYMENTS + "sweep_payments",
        "paying.paid",
        a_paid_page,
        guard="transactions",
        broken=("paid", False, 0, 0),
    ),
    Death(PAYMENTS + "sweep_payments", "paying.page_closed", a_page_whose_time_is_over),
    Death(PAYMENTS + "import_balance", "importing.mirrored", a_row_on_the_balance),
    Death(PAYMENTS + "import_balance", "importing.posted", a_row_on_the_balance),
    Death(
        PAYMENTS + "refund_ended_parts",
        "refunding.taken",
        a_declined_part,
        guard="transactions",
        broken=(1, 0, 0, []),
    ),
    Death(PAYMENTS + "send_refunds", "refunding.before_asking", a_refund),
    Death(
        PAYMENTS + "send_refunds",
        "refunding.after_asking",
        a_refund,
        guard="kept keys",
        broken=("sending", [15_000, 15_000], 0),
    ),
    Death(PAYMENTS + "send_approved_payouts", "transferring.before_asking", an_approved_payout),
    Death(
        PAYMENTS + "send_approved_payouts",
        "transferring.after_asking",
        an_approved_payout,
        guard="kept keys",
        broken=(True, [2470, 2470]),
    ),
    Death(PAYMENTS + "send_approved_payouts", "transferring.all_made", an_approved_payout),
    Death(PAYMENTS + "tell_of_waiting_cash", "waiting_cash.told_one", cash_that_stripe_cannot_carry),
    Death(
        FULFILMENT + "decline_overdue",
        "deciding.declined",
        silence_past_the_deadline,
        guard="transactions",
        broken=("declined", (10, 0), (1, 0)),
    ),
    Death(
        FULFILMENT + "remind",
        "deciding.marked_reminded",
        half_of_the_time_to_accept,
        guard="transactions",
        broken=0,
    ),
    Death(
        FULFILMENT + "deliver_silent",
        "delivering.delivered",
        a_silent_parcel,
        guard="transactions",
        broken=("delivered", 0, 0),
    ),
    Death(
        FULFILMENT + "release_due",
        "releasing.released",
        a_closed_return_window,
        guard="transactions",
        broken=("released", 0, mad("0.00")),
    ),
    Death(FULFILMENT + "forget_expired_quotes", "quoting.forgetting", expired_quotes),
    Death(
        CUSTOMERS + "send_issues",
        "issues.marked_one",
        an_issue_of_the_newsletter,
        guard="transactions",
        broken=("sent", 1, 0),
    ),
    Death(CUSTOMERS + "look_at_favourites", "favourites.promised_one", favourites_that_cost_less),
    Death(CUSTOMERS + "forget_unconfirmed", "newsletter.forgetting", addresses_that_never_confirmed),
    Death(CUSTOMERS + "erase_due", "erasing.removed", an_erasure_whose_order_is_over),
    Death(CUSTOMERS + "erase_due", "erasing.listing", an_erasure_whose_order_is_over),
    Death("shop.reconciliation.tasks.talk_to_the_sandbox", "sandbox.announced", parcels_at_the_carrier),
    Death(
        "shop.reconciliation.tasks.match_new_lines",
        "matching.booked",
        a_statement_line,
        guard="transactions",
        broken=("paid", mad("-534.00"), 0, ["unmatched_debit"]),
    ),
    Death(
        "shop.reconciliation.tasks.match_new_lines",
        "matching.booked_one_of_a_batch",
        a_statement_line_of_a_whole_batch,
        guard="transactions",
        broken=(["paid", "sent"], mad("-534.00"), 0, ["unmatched_debit"]),
    ),
    Death("shop.reconciliation.tasks.watch", "watching.noticed", payouts_the_bank_is_silent_about),
    Death(
        "cooperatives.tasks.close_superseded_accounts", "payout_accounts.closed_one", two_superseded_accounts
    ),
    Death("catalogue.tasks.prepare_pictures", "picturing.stored", an_upload),
    Death(
        "shop.search.tasks.refresh_index",
        "indexing.taken",
        a_change_of_a_listing,
        guard="transactions",
        broken=([15_000], 0),
    ),
]
#: Points that a web process passes, not a worker.
PRESSED = ["paying.before_asking", "paying.after_asking"]


# Nothing is left out


def test_every_task_of_the_house_dies_here():
    assert {each.task for each in DEATHS} == set(tasks_of_ours())


def test_what_comes_back_for_a_dead_task_runs_on_a_schedule():
    assert {each.finisher for each in DEATHS} <= set(SWEEPS)


def test_every_crash_point_in_the_source_is_died_at():
    written = [
        name
        for room in ("shop", "catalogue", "cooperatives")
        for file in (ROOT / room).rglob("*.py")
        for name in re.findall(r'\bcrashpoint\(\s*"([^"]+)"', file.read_text())
    ]

    assert sorted(written) == sorted({each.point for each in DEATHS} | set(PRESSED))


def test_a_crash_point_kills_nothing_in_production_or_under_another_name(settings, monkeypatch):
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _pid, number: killed.append(number))
    monkeypatch.setenv(crashpoints.VARIABLE, "a.place")

    crashpoints.crashpoint("another.place")
    settings.PRODUCTION = True
    crashpoints.crashpoint("a.place")
    assert killed == []

    settings.PRODUCTION = False
    crashpoints.crashpoint("a.place")
    assert killed == [signal.SIGKILL]


# Each task


@pytest.fixture
def bank(house: House, tmp_path: Path, settings: Any) -> Iterator[None]:
    """The carrier's and the bank's stand-in, for the one task that talks to it."""
    with bank_sandbox.running(tmp_path / "bank.sqlite3", seed=1, system_now=lambda: house.at) as running:
        settings.BANK_SANDBOX_URL = house.bank_url = running.url
        CarrierFactory()
        yield


def breaches(house: House) -> list[str]:
    """What the audit finds once every promised mail has left."""
    outbox.sweep(at=house.at)
    from shop.backoffice import auditing

    found = auditing.audit(at=house.at)
    return [f"{each.invariant} {each.name}: {each.rows}" for each in found if not each.holds]


def prepared(death: Death, house: House, request: Any) -> Work:
    if death.point == "sandbox.announced":
        request.getfixturevalue("bank")
    return death.prepare(house)


@pytest.mark.parametrize("death", DEATHS, ids=str)
def test_what_a_killed_worker_left_the_sweep_finishes_once(house, request, death):
    work = prepared(death, house, request)

    assert house.work(death.task, *work.args, crash=death.point) == KILLED
    # The control: without a sweep it would stay so, the queue has forgotten it.
    assert work.seen() != work.whole
    assert death.task not in house.workers.waiting()

    assert house.work(death.finisher) == 0
    assert work.seen() == work.whole
    house.shop.import_balance()
    assert breaches(house) == []

    assert house.work(death.finisher) == 0
    assert work.seen() == work.whole


@pytest.mark.parametrize("death", [each for each in DEATHS if each.guard], ids=str)
def test_without_its_guard_the_same_death_would_leave_it_broken(house, request, death):
    """The control: the same death, the same sweep, one guard off."""
    work = prepared(death, house, request)

    assert house.work(death.task, *work.args, crash=death.point, without=(death.guard,)) == KILLED
    assert house.work(death.finisher, without=(death.guard,)) == 0

    assert work.seen() == death.broken
    assert death.broken != work.whole


# The hosted page is asked for by a web process


def pressed(house: House, **given: Any) -> tuple[Any, str, int]:
    customer = UserFactory(language="fr")
    order = order_of((ListingFactory(), 2), user=customer, at=house.at)
    house.shop.payment_of(order)
    path = reverse("storefront:pay", args=[order.number])
    return order, path, house.press(customer, path, **given)


def press_again(house: House, order: Any, path: str) -> None:
    """She presses once more, and this time the process lives."""
    client = Client()
    client.force_login(order.user)
    assert client.post(path).status_code == 302
    assert order.payment.attempts.get().state == "open"


@pytest.mark.parametrize("point", PRESSED)
def test_a_web_process_killed_at_pay_leaves_one_page_and_one_charge(house, point):
    order, path, ended = pressed(house, crash=point)
    assert ended == KILLED
    assert order.payment.attempts.get().state == "asked"

    press_again(house, order, path)

    assert len(house.shop.things("session")) == 1
    house.shop.press_pay(order)
    assert house.work(PAYMENTS + "sweep_payments") == 0
    order.refresh_from_db()
    assert order.confirmed_at
    assert len(house.shop.things("charge")) == 1
    house.shop.import_balance()
    assert breaches(house) == []


def test_without_the_kept_key_the_same_press_would_open_two_pages(house):
    """The control."""
    order, path, ended = pressed(house, crash="paying.after_asking", without=("kept keys",))
    assert ended == KILLED

    press_again(house, order, path)

    assert len(house.shop.things("session")) == 2


# The very command that runs the shop


@contextmanager
def worker_of_the_procfile(house: House, *, crash: str = "") -> Iterator[subprocess.Popen[bytes]]:
    (line,) = (each for each in (ROOT / "Procfile").read_text().splitlines() if each.startswith("worker:"))
    started = environment(house.workers.folder) | house.settings()
    process = subprocess.Popen(
        # Not as nicely as there: beside a busy machine it would take minutes.
        ["/bin/sh", "-c", line.removeprefix("worker:").replace("nice -n 10 ", "")],
        cwd=ROOT,
        env=started | {"PYTHON": sys.executable, crashpoints.VARIABLE: crash},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(timeout=10)


def until(condition: Callable[[], Any], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)


def test_the_shop_s_own_worker_killed_after_asking_for_a_refund_leaves_one_refund_and_one_mail(house):
    work = a_refund(house)
    house.set_clock()
    house.workers.enqueue(PAYMENTS + "send_refunds")
    connections.close_all()

    with worker_of_the_procfile(house, crash="refunding.after_asking") as first:
        assert first.wait(timeout=60) == KILLED
    assert work.seen() == ("sending", [15_000], 0)
    assert house.workers.waiting() == []

    with worker_of_the_procfile(house) as second:
        house.workers.enqueue(PAYMENTS + "send_refunds")
        letter = f"refund.sent:{Refund.objects.get().reference}:1"
        until(lambda: letter in house.workers.mails())  # nudged by the worker itself
        second.terminate()
        assert second.wait(timeout=30) == 0

    assert work.seen() == work.whole
    assert house.workers.mails() == [letter]
    house.shop.wait(minutes=1)
    house.shop.import_balance()
    assert stands("refund_payable") == mad(0)
    outbox.sweep(at=house.at)
    call_command("audit")
