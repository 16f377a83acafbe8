"""What is marked is found again; who asked for it hears once of each change."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail

from catalogue import publishing, stock
from shop.core import outbox
from shop.core.models import OutboxMessage
from shop.customers import favourites, noticing
from shop.customers.models import Favourite, Purpose
from shop.people.models import User
from tests.customers.people import proved
from tests.factories import NOW, ListingFactory, UserFactory, mad

pytestmark = pytest.mark.django_db
BOTH = {Purpose.BACK_IN_STOCK: True, Purpose.CHEAPER: True}


def asking(wanted=None, **given):
    user = proved(**given)
    noticing.choose(user=user, wanted=wanted or BOTH, language="fr", at=NOW)
    return user


def costs(listing, price):
    listing.stockrecords.update(price=Decimal(price))


def comes_in(listing, quantity=3):
    stock.receive(quantities={listing.stockrecords.get().pk: quantity}, at=NOW)


def promised():
    return list(OutboxMessage.objects.order_by("pk").values_list("topic", flat=True))


def test_marking_twice_marks_once_and_keeps_what_she_saw():
    user, listing = UserFactory(), ListingFactory(price="150.00")

    first = favourites.keep(user=user, listing=listing, at=NOW)
    costs(listing, "200.00")
    second = favourites.keep(user=user, listing=listing, at=NOW)

    assert first == second == Favourite.objects.get()
    assert second.seen == mad("150.00")


def test_a_list_is_not_longer_than_anybody_reads(monkeypatch):
    monkeypatch.setattr(favourites, "MOST", 2)
    user = UserFactory()
    for _ in range(2):
        favourites.keep(user=user, listing=ListingFactory(), at=NOW)

    with pytest.raises(favourites.TooMany):
        favourites.keep(user=user, listing=ListingFactory(), at=NOW)

    assert Favourite.objects.count() == 2


def test_what_a_visitor_marked_joins_her_list_and_what_is_unknown_is_left_out():
    user, mine, other = UserFactory(), ListingFactory(), ListingFactory()
    favourites.keep(user=user, listing=mine, at=NOW)

    number = favourites.take_over(
        user=user, references=[mine.reference, other.reference, "L-NOTHING"], at=NOW
    )

    assert number == 2
    assert set(Favourite.objects.values_list("listing", flat=True)) == {mine.pk, other.pk}


def test_she_hears_once_that_a_sold_out_one_is_back():
    user, listing = asking(), ListingFactory(stock=0)
    favourites.keep(user=user, listing=listing, at=NOW)

    before = favourites.look(at=NOW)
    comes_in(listing)
    after, again = favourites.look(at=NOW), favourites.look(at=NOW + timedelta(days=1))

    assert (before, after, again) == (0, 1, 0)
    assert promised() == ["favourite.back"]


def test_sold_out_again_and_back_again_is_a_new_mail():
    user, listing = asking(), ListingFactory(stock=0)
    favourites.keep(user=user, listing=listing, at=NOW)
    comes_in(listing)
    favourites.look(at=NOW)
    listing.stockrecords.update(num_allocated=3)
    favourites.look(at=NOW)
    listing.stockrecords.update(num_allocated=0)

    favourites.look(at=NOW)

    assert promised() == ["favourite.back", "favourite.back"]


def test_she_hears_that_one_costs_less_than_when_she_last_heard_of_it():
    user, listing = asking(), ListingFactory(price="150.00")
    favourites.keep(user=user, listing=listing, at=NOW)

    found = []
    for price in ("160.00", "149.00", "149.00", "155.00", "148.00"):
        costs(listing, price)
        found.append(favourites.look(at=NOW))

    assert found == [0, 1, 0, 0, 1]
    assert [each.payload["was"] for each in OutboxMessage.objects.order_by("pk")] == [
        {"minor": 15000, "currency": "MAD"},
        {"minor": 14900, "currency": "MAD"},
    ]


def test_who_did_not_ask_hears_nothing():
    listing = ListingFactory(price="150.00")
    silent = proved()
    only_back = asking({Purpose.BACK_IN_STOCK: True})
    for user in (silent, only_back):
        favourites.keep(user=user, listing=listing, at=NOW)
    costs(listing, "100.00")

    assert favourites.look(at=NOW) == 0
    assert promised() == []


def test_nothing_is_told_of_a_good_that_left_the_shelf_or_is_sold_out():
    user = asking()
    gone, empty = ListingFactory(price="150.00"), ListingFactory(price="150.00", stock=0)
    for listing in (gone, empty):
        favourites.keep(user=user, listing=listing, at=NOW)
        costs(listing, "100.00")
    publishing.withdraw(listing=gone)

    assert favourites.look(at=NOW) == 0


@pytest.mark.parametrize(
    ("language", "back", "cheaper"),
    [
        ("fr", "De nouveau en stock", "Moins cher à présent"),
        ("ar", "متوفر من جديد", "انخفض ثمنه"),
        ("en", "Back in stock", "Costs less now"),
    ],
)
def test_the_mail_is_in_her_language_and_ends_by_one_click(language, back, cheaper):
    user = asking(language=language)
    first, second = ListingFactory(stock=0), ListingFactory(price="150.00")
    for listing in (first, second):
        favourites.keep(user=user, listing=listing, at=NOW)
    comes_in(first)
    costs(second, "140.00")

    favourites.look(at=NOW)
    outbox.sweep(at=NOW)

    one, two = mail.outbox
    assert back in one.subject and cheaper in two.subject
    for sent in (one, two):
        link = sent.extra_headers["List-Unsubscribe"].strip("<>")
        assert f"/{language}/unsubscribe/" in link
        assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert link in sent.body and link in sent.alternatives[0][0]
        assert "{" not in sent.body and "None" not in sent.body
    assert not OutboxMessage.objects.filter(body__contains="/unsubscribe/").exists()


def test_looking_costs_the_same_for_one_favourite_and_for_ten(django_assert_max_num_queries):
    user = asking()
    for _ in range(10):
        favourites.keep(user=user, listing=ListingFactory(), at=NOW)

    with django_assert_max_num_queries(5):
        favourites.look(at=NOW)


def test_nothing_is_told_to_an_address_that_was_never_proved():
    user, listing = asking(), ListingFactory(stock=0)
    favourites.keep(user=user, listing=listing, at=NOW)
    User.objects.filter(pk=user.pk).update(email="somebody.else@example.ma")
    comes_in(listing)

    assert favourites.look(at=NOW) == 0
    assert promised() == []


def test_more_favourites_than_are_looked_at_together_are_all_looked_at(monkeypatch):
    monkeypatch.setattr(favourites, "AT_ONCE", 2)
    listing = ListingFactory(stock=0)
    for _ in range(5):
        favourites.keep(user=asking(), listing=listing, at=NOW)
    comes_in(listing)

    assert favourites.look(at=NOW) == 5
    assert promised() == ["favourite.back"] * 5
