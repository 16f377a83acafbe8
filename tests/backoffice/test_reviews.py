"""Operators of the catalogue read what customers wrote before others do."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from shop.backoffice import waiting
from shop.fulfilment import delivering, reviewing
from shop.fulfilment.models import Review, Shipment
from tests.factories import NOW, ListingFactory, placed

pytestmark = pytest.mark.django_db


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", response.content.decode())).replace("\u00a0", " ")


def written(words="Good oil, well packed.", stars=4):
    [part] = placed((ListingFactory(title="Argan oil"), 1), to="dispatched", language="en")
    delivering.record_delivery(
        shipment=part.shipments.get(), proof=Shipment.Proof.CUSTOMER, at=NOW, actor="customer"
    )
    return reviewing.write(
        order_line=part.lines.get().order_line, stars=stars, words=words, language="fr", at=NOW
    )


def test_the_queue_shows_the_oldest_first_and_how_many_wait(as_):
    written("The first of them.")
    written("The second of them.")

    page = text_of(as_("catalogue").get(reverse("backoffice:reviews")))

    assert page.index("The first of them.") < page.index("The second of them.")
    assert "To be read (2)" in page
    assert waiting.reviews_to_read().count() == 2


def test_showing_a_review_takes_it_off_the_queue_and_says_by_whom(as_):
    review, operator = written(), as_("catalogue")

    answer = operator.post(reverse("backoffice:approve_review", args=[review.reference]))
    review.refresh_from_db()

    assert answer["Location"] == reverse("backoffice:reviews")
    assert (review.state, review.decided_by) == ("approved", operator.person)
    assert "No review waits to be read" in text_of(operator.get(reverse("backoffice:reviews")))


def test_not_showing_one_takes_a_reason(as_):
    review, operator = written(), as_("catalogue")
    door = reverse("backoffice:decline_review", args=[review.reference])

    without = operator.post(door, {"reason": " "})
    with_one = operator.post(door, {"reason": "it names a neighbour"})

    assert (without.status_code, with_one.status_code) == (422, 302)
    review = Review.objects.get()
    assert (review.state, review.reason) == ("declined", "it names a neighbour")
    assert "it names a neighbour" in text_of(
        operator.get(reverse("backoffice:reviews"), {"show": "declined"})
    )


def test_one_that_is_not_shown_is_not_asked_about_again_but_can_be_shown_after_all(as_):
    review, operator = written(), as_("catalogue")
    operator.post(reverse("backoffice:decline_review", args=[review.reference]), {"reason": "unread"})

    again = operator.get(reverse("backoffice:decline_review", args=[review.reference]))
    operator.post(reverse("backoffice:approve_review", args=[review.reference]))

    assert again.status_code == 409
    review = Review.objects.get()
    assert (review.state, review.reason) == ("approved", "")


@pytest.mark.parametrize("show", ["everything", "", "waiting' --", "1"])
def test_an_unknown_state_shows_what_waits(as_, show):
    written("Waits for a reader.")

    assert "Waits for a reader." in text_of(
        as_("catalogue").get(reverse("backoffice:reviews"), {"show": show})
    )
