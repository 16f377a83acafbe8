"""Real orders through the shop's own activities, one moment after the other.

Sellers become cooperatives, one listing for each product and seller. Each order is put into a basket,
placed, paid by card on the hosted page of the Stripe sandbox (in this process), split, accepted, dispatched,
delivered, released and paid out, as far as it really came. What the calendar brings along: once a week
Stripe's balance is imported, once a month one operator plans the payouts and another approves them.

Two things are not the shop's own: what delivery costs is what the file says (``_quotes``), and no sweep
moves an order on by itself, because the file knows how far each one came.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.db import transaction
from moneyed import MAD, Money
from oscar.core.loading import get_model

from catalogue import prices, publishing, stock
from catalogue.models import Product, VatRate
from cooperatives import payout_accounts
from cooperatives.models import Cooperative, FeeTerms, Member, PayoutAccount
from fixtures.demo.loading import load_places
from fixtures.stripe_sandbox import controls
from fixtures.stripe_sandbox.app import Sandbox
from fixtures.stripe_sandbox.client import InProcessClient
from fixtures.stripe_sandbox.wire import Request
from shop.checkout import filling, placing
from shop.checkout.baskets import Basket
from shop.checkout.placing import Customer
from shop.core import outbox
from shop.core.models import Region
from shop.core.money import to_minor
from shop.fulfilment import deciding, delivering, dispatching, releasing
from shop.fulfilment.models import (
    Carrier,
    DeliveryCostRule,
    DeliveryQuote,
    DeliveryRate,
    Shipment,
    SupplierOrder,
)
from shop.orders.models import Order, ShippingAddress
from shop.payments import paying, payouts, refunding
from shop.payments.models import Payout, Refund
from shop.payments.stripe import gateway, importing
from shop.people.models import OperatorRole, User
from shop.pricing.fees import net_of
from tests.benchmarks.order_files import FileOrder, OrderFiles
from tests.factories import rib_of

#: Before the first order: the rules are in force, the accounts can be used.
SINCE = date(2010, 1, 1)
DAY = timedelta(days=1)
YARDSTICK_READS = 200
CARD = {"number": "4242 4242 4242 4242", "expiry": "12/39", "cvc": "123"}
URLS = gateway.Urls(paid="https://shop.invalid/paid/", given_up="https://shop.invalid/basket/")

StockRecord = get_model("partner", "StockRecord")


@dataclass
class Replayed:
    """What the replay did. ``references`` leads from (order, seller) of the files to the supplier order."""

    orders: int = 0
    numbers: dict[str, str] = field(default_factory=dict)
    references: dict[tuple[str, str], str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    #: Seconds spent in each kind of step.
    seconds: Counter[str] = field(default_factory=Counter)
    mails: int = 0
    #: Seconds of one read of the yardstick, each time it was laid on.
    yardsticks: list[float] = field(default_factory=list)

    @property
    def yardstick(self) -> float:
        """Seconds that one row read by its key through the ORM took in this very run, on average."""
        return sum(self.yardsticks) / len(self.yardsticks)

    @property
    def seconds_of_orders(self) -> float:
        """Everything but delivering the mails, which is a worker's business."""
        return sum(self.seconds.values()) - self.seconds["mails"]

    @property
    def orders_per_minute(self) -> float:
        return self.orders / self.seconds_of_orders * 60 if self.seconds_of_orders else 0.0


def replay(*, files: OrderFiles, orders: Sequence[FileOrder], say: Callable[[str], None] = print) -> Replayed:
    """Replay these orders in a database that is migrated and empty. Commits as the shop commits.

    ``say`` is told of the progress. Raises what an activity raises: none of these orders may be refused.
    """
    sandbox = Sandbox(seed=1)
    with _quiet_logs(), gateway.speaking_through(InProcessClient(sandbox)):
        try:
            return _Replay(files, orders, sandbox, say).run()
        finally:
            sandbox.close()


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """A line for each step would be most of the work."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


Step = Callable[[datetime], None]


class _Replay:
    def __init__(
        self, files: OrderFiles, orders: Sequence[FileOrder], sandbox: Sandbox, say: Callable[[str], None]
    ) -> None:
        self.files, self.orders, self.sandbox, self.say = files, orders, sandbox, say
        self.replayed = Replayed()
        self.cooperatives: dict[str, Cooperative] = {}
        self.listings: dict[tuple[str, str], Product] = {}
        self.prices: dict[tuple[str, str], Decimal] = {}
        self._agenda: list[tuple[datetime, int, str, Step]] = []
        self._turn = itertools.count()

    def run(self) -> Replayed:
        self._open_shop()
        self._lay_yardstick()
        for each in self.orders:
            self._at(each.dates.placed, "placed", lambda at, order=each: self._place(order, at))
        first = self.orders[0].dates.placed
        self._at(_midnight(first) + 7 * DAY, "imports", self._import_weekly)
        self._at(_next_month(first), "payouts", self._pay_out_monthly)
        started, last = time.monotonic(), first
        while self._agenda:
            at, _turn, what, step = heapq.heappop(self._agenda)
            began = time.monotonic()
            step(at)
            self.replayed.seconds[what] += time.monotonic() - began
            self.replayed.done[what] += 1
            last = at
            if what == "placed" and self.replayed.done[what] % 100 == 0:
                self._lay_yardstick()
                if self.replayed.done[what] % 500 == 0:
                    self.say(f"{self.replayed.done[what]:5} orders, {time.monotonic() - started:.0f} s")
        self._lay_yardstick()
        self._deliver_mails(last)
        return self.replayed

    def _at(self, at: datetime, what: str, step: Step) -> None:
        heapq.heappush(self._agenda, (at, next(self._turn), what, step))

    @property
    def _goes_on(self) -> bool:
        """Whether anything but the calendar is still to come."""
        return any(what not in ("imports", "payouts") for _at, _turn, what, _step in self._agenda)

    # The shop before its first order

    def _open_shop(self) -> None:
        load_places()
        FeeTerms.objects.create(
            commission_rate=Decimal("0.10"), solidarity_rate=Decimal("0.01"), valid_from=SINCE
        )
        VatRate.objects.create(code="R20", rate=Decimal("0.20"), valid_from=SINCE)
        for case in DeliveryCostRule.Case:
            # As today's rules say: what came to nothing costs the customer nothing.
            DeliveryCostRule.objects.get_or_create(
                case=case, valid_from=SINCE, defaults={"bearer": DeliveryCostRule.Bearer.SHOP}
            )
        self.country = get_model("address", "Country").objects.get_or_create(
            iso_3166_1_a2="MA", defaults={"name": "Maroc", "printable_name": "Maroc"}
        )[0]
        self.kind = get_model("catalogue", "ProductClass").objects.get_or_create(
            slug="good", defaults={"name": "Good", "requires_shipping": True, "track_stock": True}
        )[0]
        self.carrier = Carrier.objects.create(code="as-filed", name="As in the files", collects_cash=True)
        self.maker = self._operator("maker", OperatorRole.Role.FINANCE_MAKER)
        self.approver = self._operator("approver", OperatorRole.Role.FINANCE_APPROVER)
        self.support = self._operator("support", OperatorRole.Role.SUPPORT)

    def _operator(self, name: str, role: str) -> User:
        user = self._user(f"{name}@replay.invalid")
        OperatorRole.objects.create(user=user, role=role, granted_at=_midnight_of(SINCE))
        return user

    def _user(self, email: str) -> User:
        user = User(email=email, language="fr")
        user.set_unusable_password()
        user.save()
        return user

    def _cooperative(self, seller: str, at: datetime) -> Cooperative:
        """A seller's cooperative, with its owner and bank account, made at its first sale."""
        if seller in self.cooperatives:
            return self.cooperatives[seller]
        code = f"S{len(self.cooperatives) + 1:05d}"
        with transaction.atomic():
            partner = get_model("partner", "Partner").objects.create(code=code.lower(), name=code)
            cooperative = Cooperative.objects.create(
                code=code,
                slug=code.lower(),
                partner=partner,
                name=f"Coopérative {code}",
                region_id=self.files.region_of_seller[seller],
                vat_regime=Cooperative.VatRegime.STANDARD,
                created_at=at,
            )
            owner = self._user(f"{code.lower()}@replay.invalid")
            Member.objects.create(cooperative=cooperative, user=owner, role=Member.Role.OWNER, joined_at=at)
            account = payout_accounts.propose(
                cooperative=cooperative,
                rail=PayoutAccount.Rail.BANK,
                holder=cooperative.name,
                rib=rib_of(len(self.cooperatives) + 1),
                by=owner,
                at=at,
            )
            payout_accounts.approve(account=account, by=self.approver, at=at)
        self.cooperatives[seller] = cooperative
        self.replayed.codes[seller] = code
        return cooperative

    def _listing(self, product: str, seller: str, price: Decimal, at: datetime) -> Product:
        """The listing of a product and seller, at this price from now on."""
        key = (product, seller)
        if key not in self.listings:
            cooperative = self._cooperative(seller, at)
            reference = f"R-{len(self.listings) + 1:05d}"
            with transaction.atomic():
                listing = Product.objects.create(
                    reference=reference,
                    slug=reference.lower(),
                    title=f"Article {reference}",
                    cooperative=cooperative,
                    product_class=self.kind,
                    vat_class="R20",
                    gross_weight_g=self.files.weight_of_product[product],
                )
                StockRecord.objects.create(
                    product=listing,
                    partner_id=cooperative.partner_id,
                    partner_sku=reference,
                    price_currency="MAD",
                    price=price,
                    num_in_stock=0,
                )
                publishing.publish(listing=listing, at=at)
            self.listings[key], self.prices[key] = listing, price
        elif self.prices[key] != price:
            prices.change(listing=self.listings[key], price=Money(price, MAD))
            self.prices[key] = price
            self.replayed.done["prices changed"] += 1
        return self.listings[key]

    # One order

    def _place(self, order: FileOrder, at: datetime) -> None:
        quantities: Counter[tuple[str, str]] = Counter()
        freight: dict[str, Decimal] = defaultdict(Decimal)
        for item in order.items:
            self._listing(item.product, item.seller, item.price, at)
            quantities[item.product, item.seller] += 1
            freight[item.seller] += item.freight
        self._receive(quantities, at)

        basket = Basket.objects.create(owner=None)
        for key, quantity in quantities.items():
            filling.add(basket=basket, listing=self.listings[key], quantity=quantity, at=at)
        contents = filling.contents(basket=basket, at=at)
        address = ShippingAddress(
            first_name="Client",
            last_name="du rejeu",
            line1="1, rue des Essais",
            line4="Ville",
            region_code=order.region,
            phone_number="+212661000000",
            country=self.country,
        )
        quotes = self._quotes(
            freight, placing.fingerprint(contents=contents, address=address, method="card"), at
        )
        customer = Customer(
            user=None, email=f"c{self.replayed.orders + 1}@replay.invalid", phone="+212661000000"
        )
        made = placing.buy(
            basket=basket,
            customer=customer,
            address=address,
            method=Order.Method.CARD,
            quotes=quotes,
            at=at,
            expected=Money(sum(each.price + each.freight for each in order.items), MAD),
        )
        self.replayed.orders += 1
        self.replayed.numbers[order.id] = made.number
        self._at(order.dates.paid, "paid", lambda at: self._pay(order, made, at))

    def _receive(self, quantities: Counter[tuple[str, str]], at: datetime) -> None:
        """The cooperative brings what is missing for this order, and no more."""
        wanted = {self.listings[key].pk: quantity for key, quantity in quantities.items()}
        short = {}
        for record in StockRecord.objects.filter(product__in=wanted):
            missing = wanted[record.product_id] - record.net_stock_level
            if missing > 0:
                short[record.pk] = missing
        if short:
            stock.receive(quantities=short, at=at)

    def _quotes(self, freight: dict[str, Decimal], fingerprint: str, at: datetime) -> list[DeliveryQuote]:
        """The carrier's tariff "as in the file": for each cooperative the freight of its items.

        ``quoting`` prices by region and weight only, so these rows are made here, in the same shape.
        """
        quotes = []
        for seller, gross in freight.items():
            rate = DeliveryRate(
                carrier=self.carrier, price_minor=to_minor(Money(gross, MAD)), vat_rate=Decimal("0.20")
            )
            net, vat = net_of(rate.price, rate.vat_rate)
            quotes.append(
                DeliveryQuote(
                    fingerprint=fingerprint,
                    cooperative=self.cooperatives[seller],
                    carrier=self.carrier,
                    currency=rate.currency,
                    gross_minor=rate.price_minor,
                    net_minor=to_minor(net),
                    vat_minor=to_minor(vat),
                    vat_rate=rate.vat_rate,
                    weight_g=0,
                    arrives_from=(at + rate.days_least * DAY).date(),
                    arrives_until=(at + rate.days_most * DAY).date(),
                    quoted_at=at,
                    expires_at=at + timedelta(minutes=30),
                )
            )
        return DeliveryQuote.objects.bulk_create(quotes)

    def _pay(self, order: FileOrder, made: Order, at: datetime) -> None:
        self._stripe_clock(at)
        payment = made.payment
        page = urlsplit(paying.page_for(payment=payment, urls=URLS, at=at))
        form = urlencode(CARD | {"email": made.guest_email}).encode()
        headers = {"content-type": "application/x-www-form-urlencoded", "accept-language": "fr"}
        self.sandbox.handle(Request("POST", f"{page.path}/pay", page.query, headers, form))
        payment = paying.confirm(payment=payment, at=at)
        if payment.state != payment.State.PAID:
            raise AssertionError(f"{made.number} was not paid")
        sellers = {self.cooperatives[each].pk: each for each in order.sellers}
        for part in SupplierOrder.objects.filter(order=made).order_by("pk"):
            seller = sellers[part.cooperative_id]
            self.replayed.references[order.id, seller] = part.reference
            self._answer_later(order, part.pk)

    def _answer_later(self, order: FileOrder, part: int) -> None:
        never_left = order.status == "canceled" and not order.has_left
        if never_left:
            self._at(order.dates.answered, "cancelled", lambda at: self._cancel(part, at))
        elif order.status == "unavailable":
            self._at(order.dates.answered, "declined", lambda at: self._decline(part, at))
        elif order.status != "approved":
            self._at(order.dates.answered, "accepted", lambda at: self._accept(order, part, at))

    def _accept(self, order: FileOrder, part: int, at: datetime) -> None:
        deciding.accept(supplier_order=_part(part), by=None, at=at)
        if order.status in ("shipped", "delivered", "canceled"):
            self._at(order.dates.left, "dispatched", lambda at: self._dispatch(order, part, at))

    def _dispatch(self, order: FileOrder, part: int, at: datetime) -> None:
        supplier_order = _part(part)
        shipment = dispatching.dispatch(
            supplier_order=supplier_order,
            carrier=self.carrier,
            tracking_number=supplier_order.reference.replace("-", ""),
            by=None,
            at=at,
        )
        if order.status == "delivered" or order.has_arrived:
            self._at(order.dates.arrived, "delivered", lambda at: self._deliver(order, part, shipment.pk, at))
        elif order.status == "canceled":
            self._at(at + DAY, "given back", lambda at: self._give_back(part, at))

    def _deliver(self, order: FileOrder, part: int, shipment: int, at: datetime) -> None:
        parcel = Shipment.objects.select_related("carrier").get(pk=shipment)
        delivering.record_delivery(shipment=parcel, proof=Shipment.Proof.TRACKING, at=at)
        if order.status == "canceled":
            self._at(at + DAY, "given back", lambda at: self._give_back(part, at))
            return
        until = _part(part).return_until
        assert until is not None
        self._at(until, "released", lambda at: self._release(part, at))

    def _release(self, part: int, at: datetime) -> None:
        releasing.release(supplier_order=_part(part), at=at)

    # What came to nothing

    def _cancel(self, part: int, at: datetime) -> None:
        deciding.cancel(supplier_order=_part(part), at=at)
        self._send(refunding.refund_ended_part(supplier_order=_part(part), at=at), at)

    def _decline(self, part: int, at: datetime) -> None:
        deciding.decline(supplier_order=_part(part), by=None, reason=deciding.EndReason.SOLD_OUT, at=at)
        self._send(refunding.refund_ended_part(supplier_order=_part(part), at=at), at)

    def _give_back(self, part: int, at: datetime) -> None:
        """Cancelled after it had left: everything goes back, delivery too."""
        refund = refunding.request(
            supplier_order=_part(part),
            reason=Refund.Reason.CLAIM,
            lines=None,
            with_delivery=True,
            by=self.support,
            at=at,
        )
        self._send(refund, at)

    def _send(self, refund: Refund | None, at: datetime) -> None:
        assert refund is not None
        self._stripe_clock(at)
        refunding.send(refund=refund, at=at)

    # What the calendar brings

    def _import_weekly(self, at: datetime) -> None:
        self._stripe_clock(at)
        for refund in Refund.objects.filter(state=Refund.State.SENT).order_by("pk"):
            refunding.look(stripe_refund_id=refund.stripe_refund_id, at=at)
        importing.import_balance(at=at)
        if self._goes_on or self._waits_for_stripe():
            self._at(at + 7 * DAY, "imports", self._import_weekly)

    def _waits_for_stripe(self) -> bool:
        open_refunds = Refund.objects.filter(state__in=[Refund.State.SENDING, Refund.State.SENT])
        return open_refunds.exists() or not importing_is_over()

    def _pay_out_monthly(self, at: datetime) -> None:
        try:
            run = payouts.plan(by=self.maker, at=at)
        except payouts.NothingToPay:
            pass
        else:
            later = at + timedelta(hours=2)
            payouts.approve(run=run, by=self.approver, at=later)
            payouts.hand_over(batch=run.batch, at=later)
            for payout in Payout.objects.filter(run=run).order_by("pk"):
                payouts.arrive(
                    payout=payout, line=f"bank:{payout.reference}", on=(at + DAY).date(), at=at + DAY
                )
                self.replayed.done["paid out"] += 1
        if self._goes_on:
            self._at(_next_month(at), "payouts", self._pay_out_monthly)
        elif SupplierOrder.objects.filter(state="released", payout_items=None).exists():
            raise AssertionError("released parts were left unpaid")

    def _deliver_mails(self, at: datetime) -> None:
        """A worker would do this all along; here it is done at the end, and timed apart."""
        began = time.monotonic()
        while sent := outbox.sweep(at=at + DAY, limit=1000):
            self.replayed.mails += sent
        self.replayed.seconds["mails"] = time.monotonic() - began

    def _lay_yardstick(self) -> None:
        """The same little work again and again: it says how quick the machine was while this ran."""
        began = time.monotonic()
        for _ in range(YARDSTICK_READS):
            Region.objects.get(code="MA-06")
        self.replayed.yardsticks.append((time.monotonic() - began) / YARDSTICK_READS)

    def _stripe_clock(self, at: datetime) -> None:
        controls.press(self.sandbox, "clock", frozen_at=int(at.timestamp()))


def importing_is_over() -> bool:
    """Whether every payment of an order stands in the books."""
    from shop.payments.models import BalanceTransaction, Payment

    booked = BalanceTransaction.objects.filter(category="charge").exclude(posted_at=None).values("source_id")
    return not Payment.objects.filter(state=Payment.State.PAID).exclude(stripe_charge_id__in=booked).exists()


def _part(key: int) -> SupplierOrder:
    """As a door fetches it: with its order and cooperative."""
    found: Any = SupplierOrder.objects.select_related("order", "cooperative", "carrier").get(pk=key)
    return found


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _midnight_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _next_month(at: datetime) -> datetime:
    """The first of the next month, in the morning."""
    first = _midnight(at).replace(day=1)
    return (first + 32 * DAY).replace(day=1, hour=9)
