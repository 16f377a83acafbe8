"""Every address of the shop, asked with nonsense and with what belongs to somebody else: nothing breaks,
nothing of another person is shown, nothing is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import pytest
from allauth.account.models import EmailAddress
from django.db.models import Max
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import LocalePrefixPattern
from django.utils.translation import override

from catalogue.models import StockMovement
from cooperatives.models import PayoutAccount
from shop.core.models import OutboxMessage
from shop.fulfilment import deciding, delivering, releasing
from shop.fulfilment.models import OrderEvent, SupplierOrder
from shop.ledger.models import JournalEntry
from shop.orders import links
from shop.payments import paying, payouts, refunding
from shop.payments.models import Payment, Payout, Refund
from shop.payments.stripe import gateway
from tests.factories import (
    NOW,
    CooperativeFactory,
    ListingFactory,
    MemberFactory,
    OperatorFactory,
    PayoutAccountFactory,
    UserFactory,
    dispatched,
    order_of,
    rib_of,
)

pytestmark = pytest.mark.django_db

#: What stands in an address where a reference should: wrong, huge, in other scripts, or aimed at something.
NONSENSE = [
    "1000000000000",
    "٣",
    "T-00000000-9",
    "zz" * 150,
    "' OR 1=1 --",
    "%00",
    "<script>alert(1)</script>",
]
#: What only its customer, her cooperative and support may read.
HERS = ("salma.idrissi@example.ma", "Salma Idrissi", "12, rue des Orangers", "661000000")


@dataclass(frozen=True)
class Address:
    """A route of the shop, cut where a reference stands: ``("en/orders/", "/pay/")``."""

    pieces: tuple[str, ...]

    def with_(self, reference: str) -> str:
        return "/" + reference.join(self.pieces)


def addresses() -> list[Address]:
    """Every route with a reference in it, once."""
    with override("en"):
        routes = {_plain(route) for route in _routes(get_resolver())}
    found = [Address(tuple(re.split(r"\0", each))) for each in routes if "\0" in each]
    return sorted(found, key=lambda each: each.pieces)


def _routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        pattern = each.pattern
        own = pattern.language_prefix if isinstance(pattern, LocalePrefixPattern) else str(pattern)
        if isinstance(each, URLPattern):
            yield before + own
        else:
            yield from _routes(each, before + own)


def _plain(route: str) -> str:
    """A route with one mark for each reference; allauth writes some of its own as expressions."""
    route = re.sub(r"<[^>]+>", "\0", route) if "(?P" not in route else _expression(route)
    return route.replace("\\.", ".").replace("^", "").replace("$", "")


def _expression(route: str) -> str:
    while (start := route.find("(?P<")) >= 0:
        depth = end = 0
        for end in range(start, len(route)):
            depth += {"(": 1, ")": -1}.get(route[end], 0)
            if not depth:
                break
        route = route[:start] + "\0" + route[end + 1 :]
    return route


@dataclass
class Somebody:
    """What belongs to others: the references an address may be asked with."""

    references: list[str]
    part: SupplierOrder


@pytest.fixture
def somebody_elses() -> Somebody:
    """One customer's order of two parcels at one cooperative; one part is paid out, one waits."""
    cooperative = CooperativeFactory(code="C77")
    account = PayoutAccountFactory(cooperative=cooperative, rib=rib_of(7))
    assert isinstance(account, PayoutAccount)
    listing = ListingFactory(cooperative=cooperative, stock=20)
    found: list[str] = [listing.reference, cooperative.slug]
    parts = []
    for number in (1, 2):
        order = order_of((listing, 2), email=HERS[0])
        paying.start(order=order, at=NOW)
        paying.settle(
            card=gateway.CardPayment(
                id=f"pi_{number}",
                charge_id=f"ch_{number}",
                is_paid=True,
                received=order.total,
                order=order.number,
            ),
            at=NOW,
        )
        part = order.supplier_orders.get()
        parts.append(part)
    done, waits = parts
    deciding.accept(supplier_order=done, by=None, at=NOW)
    parcel = dispatched(done)
    delivering.record_delivery(shipment=parcel, proof="tracking", at=NOW)
    later = NOW.replace(day=30)
    done = SupplierOrder.objects.get(pk=done.pk)
    releasing.release(supplier_order=done, at=later)
    run = payouts.plan(by=OperatorFactory(), at=later)
    refund = refunding.request(
        supplier_order=waits, reason="claim", lines=None, with_delivery=False, by=None, at=later
    )
    found += [
        waits.order.number,
        waits.reference,
        parcel.reference,
        run.reference,
        refund.reference,
        *run.payouts.values_list("reference", flat=True),
    ]
    return Somebody(found, waits)


def _written() -> dict[str, object]:
    """What would show that somebody wrote something."""
    return {
        "events": OrderEvent.objects.count(),
        "entries": JournalEntry.objects.count(),
        "mails": OutboxMessage.objects.count(),
        "movements": StockMovement.objects.count(),
        "parts": sorted(SupplierOrder.objects.values_list("reference", "state")),
        "refunds": sorted(Refund.objects.values_list("reference", "state")),
        "payments": sorted(Payment.objects.values_list("pk", "state", "refunded_minor")),
        "payouts": sorted(Payout.objects.values_list("reference", "state")),
        "links": Payment.objects.aggregate(last=Max("order__link_version")),
    }


def _person(who: str) -> Client:
    client = Client()
    if who == "customer":
        customer = UserFactory(email="autre@example.ma", language="en")
        EmailAddress.objects.create(user=customer, email=customer.email, verified=True, primary=True)
        client.force_login(customer)
    elif who == "member":
        client.force_login(MemberFactory(user=UserFactory(language="en")).user)
    elif who != "guest":
        client.force_login(OperatorFactory(roles=[who], language="en"))
    return client


def test_the_walk_knows_every_room():
    first = {each.pieces[0].split("/")[0] for each in addresses()}

    assert {"account", "backoffice", "desk", "en", "media"} <= first
    assert len(addresses()) > 55


@pytest.mark.parametrize("who", ["guest", "member", "support"])
def test_nonsense_in_any_address_breaks_nothing_and_writes_nothing(who, somebody_elses):
    client = _person(who)
    before = _written()

    answers = {
        (method, path): getattr(client, method)(path).status_code
        for address in addresses()
        for path in map(address.with_, NONSENSE)
        for method in ("get", "post")
    }

    assert {status for status in answers.values() if status >= 500} == set()
    assert _written() == before


@pytest.mark.parametrize("who", ["guest", "customer", "member"])
def test_what_belongs_to_somebody_else_is_shown_to_nobody_and_changed_by_nobody(who, somebody_elses):
    client = _person(who)
    before = _written()
    shown = []

    for address in addresses():
        for path in map(address.with_, somebody_elses.references):
            for method in ("get", "post"):
                response = getattr(client, method)(path)
                assert response.status_code < 500, path
                content = b"".join(chain(response)) if response.streaming else response.content
                if any(each.encode() in content for each in HERS) or rib_of(7).encode() in content:
                    shown.append((method, path))

    assert shown == []
    assert _written() == before


@pytest.mark.parametrize("who", ["support", "finance_maker", "auditor"])
def test_only_support_reads_who_the_customer_is(who, somebody_elses):
    client = _person(who)
    reading = set()

    for address in addresses():
        for path in map(address.with_, somebody_elses.references):
            response = client.get(path)
            assert response.status_code < 500, path
            content = b"".join(chain(response)) if response.streaming else response.content
            if any(each.encode() in content for each in HERS):
                reading.add(address.pieces[0].split("/")[0])

    assert reading == ({"backoffice"} if who == "support" else set())


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
@pytest.mark.parametrize("token", ["x", "a:b:c", "٣٣٣", "zz" * 200])
def test_a_forged_link_says_in_the_readers_language_what_to_do(language, token, somebody_elses):
    said = {
        "fr": "Ce lien n",
        "ar": "هذا الرابط",
        "en": "This link is no longer valid",
    }
    real = links.sign(order=somebody_elses.part.order)

    forged = Client().get(f"/{language}/follow/{token}/")
    bent = Client().get(f"/{language}/follow/{real[:-1]}{'A' if real[-1] != 'A' else 'B'}/")

    for answer in (forged, bent):
        assert answer.status_code == 404
        assert said[language] in answer.content.decode()


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_a_letter_no_database_takes_is_refused_at_the_door_in_address_search_and_form(language):
    client = Client(headers={"accept-language": language})
    client.force_login(MemberFactory(user=UserFactory(language=language)).user)

    answers = [
        client.get("/desk/listings/%00/"),
        client.get("/desk/orders/", {"q": "T-\0"}),
        client.get(f"/{language}/goods/", {"q": "miel\0", "region": "\0"}),
        client.post("/desk/switch/", {"cooperative": "C\0"}),
        client.post("/desk/people/end/", {"email": "\0"}),
    ]

    assert [each.status_code for each in answers] == [400] * 5
    assert all(f'lang="{language}"' in each.content.decode() for each in answers)
