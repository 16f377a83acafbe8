import pytest
from django.db import IntegrityError, transaction

from catalogue import prices, publishing
from shop.checkout import baskets, filling
from shop.core.errors import CarriedOutMeanwhile
from tests.checkout.buying import basket_of
from tests.factories import NOW, ListingFactory, UserFactory, mad

pytestmark = pytest.mark.django_db


def quantities(basket):
    return {each.listing: each.quantity for each in filling.contents(basket=basket, at=NOW)}


def test_adding_the_same_good_again_makes_it_more():
    honey = ListingFactory(stock=10)
    basket = basket_of((honey, 2))

    filling.add(basket=basket, listing=honey, quantity=3, at=NOW)

    assert quantities(basket) == {honey: 5}


@pytest.mark.parametrize("quantity", [0, -1, 100, 10**12])
def test_a_senseless_quantity_is_refused(quantity):
    honey = ListingFactory(stock=1000)
    basket = basket_of((honey, 2))

    with pytest.raises(filling.QuantityRefused):
        filling.add(basket=basket, listing=honey, quantity=quantity, at=NOW)
    with pytest.raises(filling.QuantityRefused):
        filling.change(basket=basket, listing=honey, quantity=quantity, at=NOW)

    assert quantities(basket) == {honey: 2}


def test_many_small_additions_do_not_get_past_the_most():
    honey = ListingFactory(stock=1000)
    basket = basket_of((honey, 98))

    with pytest.raises(filling.QuantityRefused):
        filling.add(basket=basket, listing=honey, quantity=2, at=NOW)

    assert quantities(basket) == {honey: 98}


def test_more_than_is_in_stock_is_refused_with_what_is_left():
    honey = ListingFactory(stock=3)
    basket = basket_of((honey, 2))

    with pytest.raises(filling.NotSoMany) as refusal:
        filling.add(basket=basket, listing=honey, quantity=2, at=NOW)

    assert refusal.value.left == 3
    assert quantities(basket) == {honey: 2}


def test_a_draft_cannot_be_put_into_a_basket():
    draft = ListingFactory(state="draft")
    basket = baskets.Basket.objects.create()

    with pytest.raises(filling.NotOnSale):
        filling.add(basket=basket, listing=draft, quantity=1, at=NOW)

    assert quantities(basket) == {}


def test_an_ordered_basket_takes_nothing_more():
    honey = ListingFactory()
    basket = basket_of((honey, 1))
    baskets.Basket.objects.filter(pk=basket.pk).update(status=baskets.Basket.FROZEN)

    with pytest.raises(CarriedOutMeanwhile):
        filling.add(basket=basket, listing=honey, quantity=1, at=NOW)
    with pytest.raises(CarriedOutMeanwhile):
        filling.remove(basket=basket, listing=honey)

    assert quantities(basket) == {honey: 1}


def test_a_good_that_left_the_shelf_can_still_be_taken_out():
    honey = ListingFactory()
    basket = basket_of((honey, 1))
    publishing.withdraw(listing=honey)

    (content,) = filling.contents(basket=basket, at=NOW)
    filling.remove(basket=basket, listing=honey)

    assert isinstance(content.problem, filling.NotOnSale)
    assert quantities(basket) == {}


def test_a_good_of_another_basket_cannot_be_changed():
    honey, rug = ListingFactory(), ListingFactory()
    mine, theirs = basket_of((honey, 1)), basket_of((rug, 1))

    with pytest.raises(filling.NotInBasket):
        filling.change(basket=mine, listing=rug, quantity=3, at=NOW)
    with pytest.raises(filling.NotInBasket):
        filling.remove(basket=mine, listing=rug)

    assert quantities(theirs) == {rug: 1}


def test_a_price_counts_as_seen_once_it_was_shown():
    honey = ListingFactory(price="150.00")
    basket = basket_of((honey, 1))
    prices.change(listing=honey, price=mad("160.00"))
    contents = filling.contents(basket=basket, at=NOW)

    filling.show_prices(contents=contents)

    assert isinstance(contents[0].refusal, filling.PriceChanged)
    assert filling.contents(basket=basket, at=NOW)[0].refusal is None


def test_a_person_has_one_open_basket():
    user = UserFactory()
    first = baskets.open_for(user=user)

    with pytest.raises(IntegrityError), transaction.atomic():
        baskets.Basket.objects.create(owner=user)

    assert baskets.open_for(user=user) == first
    assert baskets.Basket.objects.filter(owner=user).count() == 1


def test_signing_in_takes_over_what_the_guest_chose():
    user = UserFactory()
    honey, rug = ListingFactory(), ListingFactory()
    own = basket_of((honey, 1), user=user)
    guests = basket_of((honey, 3), (rug, 1))

    came = baskets.take_over(guest_basket=guests, user=user)
    again = baskets.take_over(guest_basket=guests, user=user)

    assert (came, again) == (2, 0)
    assert quantities(own) == {honey: 3, rug: 1}


def test_a_form_names_only_baskets_of_its_own_visitor():
    user, other = UserFactory(), UserFactory()
    basket = basket_of((ListingFactory(), 1), user=user)
    name = baskets.token(basket=basket)

    assert baskets.named(token_=name, user=user, key=None) == basket
    assert baskets.named(token_=name, user=other, key=None) is None
    assert baskets.named(token_=name, user=None, key=None) is None
    assert baskets.named(token_="", user=user, key=None) is None
