"""The door to the basket takes a form without a token from our own pages, and from nowhere else."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import ListingFactory
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db

HERE, ELSEWHERE = "http://testserver", "https://elsewhere.example"


@pytest.fixture
def guarded(now):
    """A visitor whose forms are checked as in earnest."""
    visitor = Visitor()
    visitor.client = Client(enforce_csrf_checks=True)
    return visitor


def sent(visitor, listing, **headers):
    return visitor.client.post(visitor.url("basket_add", listing.slug), {"quantity": 1}, headers=headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": HERE},
        {"origin": HERE, "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-origin"},
        {"referer": f"{HERE}/en/goods/argan/"},
    ],
)
def test_goods_go_into_the_basket_from_our_own_pages(guarded, headers):
    answer = sent(guarded, ListingFactory(), **headers)

    assert answer.status_code == 302
    assert guarded.client.cookies["tadamon_basket"].value == "1"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": ELSEWHERE},
        {"origin": "null"},
        {"origin": f"{HERE}.elsewhere.example"},
        {"origin": HERE, "sec-fetch-site": "cross-site"},
        {"origin": HERE, "sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"referer": f"{ELSEWHERE}/?{HERE}"},
        {"origin": ELSEWHERE, "referer": f"{HERE}/en/"},
    ],
)
def test_a_page_of_somebody_else_puts_nothing_into_a_basket(guarded, headers):
    answer = sent(guarded, ListingFactory(), **headers)

    assert answer.status_code == 403
    assert "tadamon_basket" not in guarded.client.cookies
    assert "sessionid" not in guarded.client.cookies


def test_other_doors_want_their_token_from_our_own_pages_too(guarded):
    listing = ListingFactory()
    sent(guarded, listing, origin=HERE)

    for door in (("basket_update", listing.slug), ("checkout",), ("place",)):
        answer = guarded.client.post(guarded.url(*door), {"remove": "1"}, headers={"origin": HERE})

        assert answer.status_code == 403, door
