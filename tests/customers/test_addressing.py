"""An address book without doubles, with one default, and nobody else's in it."""

from __future__ import annotations

import pytest

from shop.addresses.models import UserAddress
from shop.customers import addressing
from tests.factories import AddressFactory, UserFactory

pytestmark = pytest.mark.django_db


def place(**given):
    return AddressFactory.build(country=AddressFactory.create().country, **given)


def keep(user, **given):
    is_default = given.pop("is_default", False)
    return addressing.keep(user=user, place=place(**given), is_default=is_default)


def streets(user):
    return [each.line1 for each in addressing.of(user=user)]


def test_the_first_is_the_default_and_a_new_default_takes_its_place():
    user = UserFactory()

    first = keep(user, line1="12, rue des Orangers")
    keep(user, line1="3, rue du Port")
    assert streets(user)[0] == "12, rue des Orangers"
    third = keep(user, line1="8, derb Sidi", is_default=True)

    first.refresh_from_db()
    assert (first.is_default_for_shipping, third.is_default_for_shipping) == (False, True)
    assert UserAddress.objects.filter(user=user, is_default_for_shipping=True).count() == 1


def test_the_same_place_again_is_brought_up_to_date_not_written_twice():
    user = UserFactory()
    keep(user, landmark="près de la poste")

    keep(user, landmark="derrière la mosquée", phone_number="+212662000000")

    (only,) = addressing.of(user=user)
    assert (only.landmark, str(only.phone_number)) == ("derrière la mosquée", "+212662000000")
    assert only.is_default_for_shipping


def test_changing_one_into_another_leaves_one():
    user = UserFactory()
    keep(user, line1="a")
    second = keep(user, line1="b")

    addressing.keep(user=user, place=place(line1="a"), instead_of=second)

    assert streets(user) == ["a"]
    assert addressing.of(user=user)[0].is_default_for_shipping


def test_when_the_default_goes_the_next_one_takes_over():
    user = UserFactory()
    first, second = keep(user, line1="a"), keep(user, line1="b")

    addressing.remove(address=first)

    second.refresh_from_db()
    assert second.is_default_for_shipping
    assert streets(user) == ["b"]


def test_a_book_has_an_end(monkeypatch):
    monkeypatch.setattr(addressing, "MOST", 1)
    user = UserFactory()
    keep(user, line1="a")

    with pytest.raises(addressing.BookFull):
        keep(user, line1="b")

    assert streets(user) == ["a"]


def test_another_persons_address_does_not_exist_for_her():
    hers = keep(UserFactory())

    assert addressing.named(user=UserFactory(), mark=hers.hash) is None
    assert addressing.named(user=hers.user, mark=str(hers.hash)) == hers
