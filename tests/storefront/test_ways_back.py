"""Doors that only take forms, asked for as pages: each leads to its page, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.translation import override

from tests.factories import CooperativeFactory, ListingFactory, MemberFactory, UserFactory
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db

#: What stands for each kind of piece of an address.
PIECES = {
    "Reference": "T-7K3M9QX2P",
    "Digest": "a" * 64,
    "AccountCode": "shop:bank:MAD",
    "Event": "supplier-order:T-7K3M9QX2P-1:released",
    "StripeId": "txn_1",
    "BatchForm": "pain001",
    "Fetched": "bank",
    "IntConverter": "1",
}
MACHINES = {"/payments/stripe/webhook/"}


def addresses(resolver: Any = None, before: str = "/") -> Iterator[str]:
    """One address for every door of the house."""
    for each in (resolver or get_resolver()).url_patterns:
        if isinstance(each, URLResolver):
            with override("fr"):
                prefix = str(each.pattern)
            yield from addresses(each, before + prefix)
        elif isinstance(each, URLPattern) and hasattr(each.pattern, "_route"):
            route = str(each.pattern._route)
            for name, converter in each.pattern.converters.items():
                start = route.rfind("<", 0, route.index(f"{name}>"))
                piece = PIECES.get(type(converter).__name__, "x")
                route = route[:start] + piece + route[route.index(">", start) + 1 :]
            yield before + route


def test_no_door_answers_a_reader_with_a_bare_405(now):
    person = MemberFactory(role="owner").user
    person.is_superuser = True
    person.save()
    client = Client()
    client.force_login(person)
    doors = [each for each in addresses() if not each.startswith("/oscar/")]

    for address in doors:
        # Signing out would make the rest anonymous; the door takes a GET anyway.
        answer = client.get(address) if "logout" not in address else client.head("/health/")

        if address in MACHINES:
            assert answer.status_code == 405
            assert "Cette adresse ne reçoit que des formulaires" in answer.content.decode()
        else:
            assert answer.status_code != 405, address
    assert len(doors) > 120


@pytest.mark.parametrize(
    ("door", "page"),
    [
        ("/fr/basket/add/savon/", "/fr/goods/savon/"),
        ("/ar/basket/lines/savon/", "/ar/basket/"),
        ("/fr/checkout/place/", "/fr/checkout/"),
        ("/fr/me/find-order/", "/fr/me/"),
    ],
)
def test_a_form_s_door_leads_a_visitor_to_its_page(now, door, page):
    assert Client().get(door)["Location"] == page
    assert Client().head(door)["Location"] == page


def test_after_a_refused_form_the_other_language_shows_the_listing(now):
    listing = ListingFactory()
    visitor = Visitor("fr")
    refused = visitor.add(listing, quantity="beaucoup")

    switched = visitor.client.get(
        visitor.url("language", "ar") + f"?next={refused.wsgi_request.path}", follow=True
    )

    assert refused.status_code == 400
    assert switched.status_code == 200
    assert switched.redirect_chain[-1][0] == f"/ar/goods/{listing.slug}/"


def test_desk_and_back_office_lead_back_to_what_the_form_was_about(now):
    person = UserFactory(is_superuser=True)
    MemberFactory(user=person, cooperative=CooperativeFactory(), role="owner")
    client = Client()
    client.force_login(person)

    for door, page in {
        "/desk/listings/L-1/price/": "/desk/listings/L-1/",
        "/desk/people/add/": "/desk/people/",
        "/desk/switch/": "/desk/",
        "/backoffice/reconciliation/import/invoice/": "/backoffice/reconciliation/import/",
    }.items():
        assert client.get(door)["Location"] == page


def test_what_only_machines_use_says_405_in_the_reader_s_language(now):
    client = Client(headers={"accept-language": "ar"})

    answer = client.get("/payments/stripe/webhook/")

    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert 'dir="rtl"' in answer.content.decode()
