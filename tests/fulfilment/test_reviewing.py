"""What customers say of goods that have reached them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shop.core.errors import CarriedOutMeanwhile
from shop.fulfilment import delivering, reviewing
from shop.fulfilment.models import Review, Shipment
from shop.orders.models import ShippingAddress
from tests.factories import NOW, ListingFactory, OperatorFactory, UserFactory, placed

pytestmark = pytest.mark.django_db
WORDS = "Good oil, well packed."


def delivered(*, lines=1, at=NOW, **kwargs):
    """The order lines of one delivered part."""
    first = ListingFactory()
    listings = [first, *(ListingFactory(cooperative=first.cooperative) for _each in range(lines - 1))]
    [part] = placed(*((each, 1) for each in listings), to="dispatched", at=at, **kwargs)
    delivering.record_delivery(
        shipment=part.shipments.get(), proof=Shipment.Proof.CUSTOMER, at=at, actor="customer"
    )
    return [each.order_line for each in part.lines.all()]


def written(line, *, stars=4, words=WORDS, at=NOW):
    return reviewing.write(order_line=line, stars=stars, words=words, language="fr", at=at)


def test_pressing_the_button_twice_keeps_one_review_but_other_words_are_refused():
    [line] = delivered()

    first, again = written(line), written(line)
    with pytest.raises(reviewing.ReviewedAlready):
        written(line, words="On second thoughts, quite bad.")

    assert first == again
    assert Review.objects.get().words == WORDS


@pytest.mark.parametrize(
    ("stars", "words", "refusal"),
    [
        (0, WORDS, reviewing.StarsRefused),
        (6, WORDS, reviewing.StarsRefused),
        (5, " \n\t" * 20 + "Good", reviewing.WordsRefused),
        (5, "a" * 1501, reviewing.WordsRefused),
        (5, "\u200b" * 50, reviewing.WordsRefused),
    ],
)
def test_what_says_nothing_is_refused_and_not_kept(stars, words, refusal):
    [line] = delivered()

    with pytest.raises(refusal):
        written(line, stars=stars, words=words)

    assert not Review.objects.exists()


def test_lines_are_kept_and_nothing_invisible_is():
    [line] = delivered()

    review = written(line, words="  First line\r\n\r\n\r\n\r\nSecond\u202e line\x07  ")

    assert review.words == "First line\n\nSecond line"


def test_one_customer_writes_ten_in_a_day_over_all_her_orders_and_goes_on_the_next_day():
    user = UserFactory()
    lines = delivered(lines=6, user=user) + delivered(lines=5, user=user)
    for line in lines[:10]:
        written(line)

    with pytest.raises(reviewing.EnoughForToday):
        written(lines[10], at=NOW + timedelta(hours=23))
    written(lines[10], at=NOW + timedelta(hours=25))

    assert Review.objects.count() == 11


def test_a_guest_s_reviews_are_counted_by_her_address_and_others_are_not_held_up():
    for line in delivered(lines=10, email="a@example.ma"):
        written(line)
    [hers], [other] = delivered(email="a@example.ma"), delivered(email="b@example.ma")

    with pytest.raises(reviewing.EnoughForToday):
        written(hers)

    assert written(other).state == "waiting"


@pytest.mark.parametrize(
    ("first", "last", "signed"),
    [
        ("Salma", "Idrissi", "Salma I."),
        ("سلمى", "الإدريسي", "سلمى ا."),
        ("Salma", "", "Salma"),
        ("Marie Jeanne", "de la Tour", "Marie d."),
    ],
)
def test_she_is_named_by_first_name_and_initial(first, last, signed):
    [line] = delivered()
    ShippingAddress.objects.update(first_name=first, last_name=last)

    assert written(line).signed == signed


def test_an_operator_shows_it_or_says_why_not_and_may_change_her_mind():
    [line] = delivered()
    review, operator = written(line), OperatorFactory(roles=["catalogue"])

    reviewing.approve(review=review, by=operator, at=NOW)
    shown = list(Review.objects.shown(listing=review.listing))
    with pytest.raises(reviewing.ReasonNeeded):
        reviewing.decline(review=review, by=operator, reason="  ", at=NOW)
    reviewing.decline(review=review, by=operator, reason="an insult", at=NOW)

    assert shown == [review]
    assert not Review.objects.shown(listing=review.listing).exists()
    assert (review.state, review.reason, review.decided_by) == ("declined", "an insult", operator)


def test_of_two_operators_deciding_at_once_the_second_is_told():
    [line] = delivered()
    review, operator = written(line), OperatorFactory(roles=["catalogue"])
    same = Review.objects.get(pk=review.pk)
    reviewing.approve(review=review, by=operator, at=NOW)

    with pytest.raises(CarriedOutMeanwhile):
        reviewing.decline(review=same, by=operator, reason="an insult", at=NOW)

    assert Review.objects.get().state == "approved"


def test_mean_and_number_are_of_all_that_are_shown_not_only_of_those_listed():
    listing = ListingFactory(stock=20)
    operator = OperatorFactory(roles=["catalogue"])
    for stars in (5, 4, 4, 1):
        [part] = placed((listing, 1), to="dispatched")
        delivering.record_delivery(
            shipment=part.shipments.get(), proof=Shipment.Proof.CUSTOMER, at=NOW, actor="customer"
        )
        review = written(part.lines.get().order_line, stars=stars)
        if stars > 1:
            reviewing.approve(review=review, by=operator, at=NOW)

    newest = reviewing.newest(listing=listing, limit=2)

    assert [each.stars for each in newest] == [4, 4]
    assert {each.number for each in newest} == {3}
    assert [round(each.mean, 2) for each in newest] == [4.33, 4.33]
