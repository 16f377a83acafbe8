"""Putting goods into the basket and changing it, over HTTP."""

from __future__ import annotations

import re

import pytest

from catalogue import prices, publishing, stock
from shop.checkout import filling
from shop.checkout.baskets import Basket, Line
from tests.factories import NOW, CooperativeFactory, ListingFactory, UserFactory, mad
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db


def text_of(response):
    text = re.sub(r"\s+", " ", response.content.decode()).replace("\u00a0", " ")
    return text.replace("> <", "><")


@pytest.fixture
def honey():
    return ListingFactory(title="Thyme honey", price="150.00", stock=50)


def test_an_empty_basket_says_so_and_writes_nothing(visitor):
    response = visitor.get("basket")

    assert response.status_code == 200
    assert "Your basket is empty" in text_of(response)
    assert not Basket.objects.exists()


def test_goods_stand_with_their_cooperatives_and_the_price_is_told_apart(visitor, honey):
    rug = ListingFactory(title="Rug", price="850.00", cooperative=CooperativeFactory(name="Laine"))
    visitor.add(honey, 2)
    visitor.add(rug)

    page = text_of(visitor.get("basket"))

    assert "3 pieces, 2 cooperatives, one payment" in page
    assert "Laine" in page
    assert "MAD 1,150.00" in page
    # 89 % of 300,00 and of 850,00
    assert "MAD 1,023.50" in page


def test_the_number_beside_the_basket_follows_without_loading_it(visitor, honey, django_assert_num_queries):
    visitor.add(honey, 3)

    with django_assert_num_queries(1):  # the session
        response = visitor.get("page", "terms")

    assert '<span id="count" class="count">3</span>' in text_of(response)


@pytest.mark.parametrize(
    "typed", ["0", "-1", "1e3", "NaN", "", "two", "1.5", "100", "9" * 30, "١٠٠", "1 OR 1=1"]
)
def test_a_senseless_quantity_is_refused_with_a_sentence(visitor, honey, typed):
    response = visitor.add(honey, typed)

    assert response.status_code == 400
    assert "Give a quantity from 1 to 99." in text_of(response)
    assert not Line.objects.exists()


@pytest.mark.parametrize("typed", ["12", "١٢", "۱۲", " 12 "])
def test_a_quantity_is_understood_in_any_digits(visitor, honey, typed):
    response = visitor.add(honey, typed)

    assert response["Location"] == visitor.url("basket")
    assert Line.objects.get().quantity == 12


def test_more_than_there_is_is_refused_with_what_is_left(visitor):
    honey = ListingFactory(title="Thyme honey", stock=2)

    response = visitor.add(honey, 3)

    assert response.status_code == 409
    assert "Only 2 of “Thyme honey” are left." in text_of(response)
    assert not Line.objects.exists()


def test_goods_off_sale_cannot_be_added(visitor, honey):
    publishing.withdraw(listing=honey)

    response = visitor.add(honey)

    assert response.status_code == 409
    assert "not on sale at the moment" in text_of(response)
    assert not Line.objects.exists()


def test_a_price_sent_along_is_ignored(visitor, honey):
    visitor.post("basket_add", honey.slug, quantity=1, price="1.00", price_incl_tax="1.00")

    assert "MAD 150.00" in text_of(visitor.get("basket"))


def test_a_quantity_can_be_changed_and_a_good_taken_out(visitor, honey):
    visitor.add(honey, 2)

    changed = visitor.post("basket_update", honey.slug, quantity="٥")
    after = Line.objects.get().quantity
    removed = visitor.post("basket_update", honey.slug, remove="1")

    assert (changed.status_code, after) == (302, 5)
    assert removed.status_code == 302
    assert not Line.objects.exists()


@pytest.mark.parametrize("typed", ["0", "-3", "NaN", ""])
def test_a_senseless_change_changes_nothing(visitor, honey, typed):
    visitor.add(honey, 2)

    response = visitor.post("basket_update", honey.slug, quantity=typed)

    assert response.status_code == 400
    assert "To leave a good out, remove it." in text_of(response)
    assert Line.objects.get().quantity == 2


def test_a_line_of_another_basket_does_not_exist_here(visitor, honey):
    other = Visitor()
    other.add(honey, 2)

    changed = visitor.post("basket_update", honey.slug, quantity=9)
    removed = visitor.post("basket_update", honey.slug, remove="1")

    assert (changed.status_code, removed.status_code) == (404, 404)
    assert Line.objects.get().quantity == 2


@pytest.mark.parametrize("slug", ["nothing-like-it", "1", "99999999999999999999"])
def test_a_foreign_address_is_not_found(visitor, slug):
    assert visitor.post("basket_add", slug, quantity=1).status_code == 404
    assert visitor.post("basket_update", slug, quantity=1).status_code == 404
    assert not Basket.objects.exists()


def test_a_malformed_address_is_not_found(visitor):
    assert visitor.client.post("/en/basket/add/%00%20;drop/", {"quantity": 1}).status_code == 404
    assert visitor.client.get("/en/goods/<script>/").status_code == 404


def test_goods_are_not_added_by_following_a_link(visitor, honey):
    assert visitor.get("basket_add", honey.slug)["Location"] == visitor.url("listing", honey.slug)
    assert not Line.objects.exists()


def test_what_sold_out_meanwhile_is_marked_and_holds_the_order_back(visitor, honey):
    visitor.add(honey, 2)
    stock.reserve(quantities={honey.stockrecords.get().pk: 50}, about="T-OTHER", at=NOW)

    page = text_of(visitor.get("basket"))
    checkout = visitor.get("checkout")

    assert "Sold out: take it out" in page
    assert "Go on to order" not in page
    assert checkout.status_code == 409


def test_a_changed_price_is_said_where_the_good_stands(visitor, honey):
    visitor.add(honey)
    prices.change(listing=honey, price=mad("160.00"))

    page = text_of(visitor.get("basket"))

    assert "it was <bdi>MAD 150.00</bdi>, now it is <bdi>MAD 160.00</bdi>" in page


def test_signing_in_brings_the_guests_goods_along(now, honey):
    user = UserFactory()
    visitor = Visitor()
    visitor.add(honey, 2)

    visitor.client.force_login(user)
    page = text_of(visitor.get("basket"))

    assert "1 good you had chosen before signing in is in your basket." in page
    basket = Basket.open.get(owner=user)
    assert [each.quantity for each in filling.contents(basket=basket, at=NOW)] == [2]


def test_a_guests_long_session_ends_its_length_at_sign_in(visitor, honey, settings):
    visitor.add(honey)
    assert visitor.client.session.get_expiry_age() == 30 * 24 * 3600

    visitor.client.force_login(UserFactory())

    assert "_session_expiry" not in visitor.client.session
    assert visitor.client.session.get_expiry_age() == settings.SESSION_COOKIE_AGE


def test_looking_with_an_account_makes_no_basket(now):
    Visitor(user=UserFactory()).get("basket")

    assert not Basket.objects.exists()


def test_a_good_that_is_sold_out_is_not_said_to_be_in_the_basket(visitor, honey):
    stock.reserve(quantities={honey.stockrecords.get().pk: 50}, about="T-OTHER", at=NOW)

    text = visitor.add(honey).content.decode()

    assert "It was not put into your basket." in text
    assert "Take it out" not in text


def test_a_refused_quantity_stays_as_it_was_typed(visitor, honey):
    too_many = visitor.add(honey, quantity="77")
    visitor.add(honey, quantity=1)
    changed = visitor.post("basket_update", honey.slug, quantity="150")

    assert (too_many.status_code, changed.status_code) == (409, 400)
    assert 'name="quantity" value="77"' in too_many.content.decode()
    assert 'name="quantity" value="150"' in changed.content.decode()
    assert Line.objects.get().quantity == 1
