from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from catalogue import stock
from tests.factories import (
    NOW,
    CertificationFactory,
    ListingFactory,
    MemberFactory,
    UserFactory,
    listing_with_variants,
    placed,
    stock_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client):
    member = MemberFactory(user=UserFactory(language="en"))
    client.force_login(member.user)
    return member


def _post(client, door, listing, **data):
    return client.post(reverse(f"desk:{door}", args=[listing.reference]), data, follow=True)


@pytest.mark.parametrize(("typed", "kept"), [("133,50", "133.50"), ("1 250", "1250.00"), ("99.9", "99.90")])
def test_a_price_is_written_as_moroccans_write_it(client, owner, typed, kept):
    listing = ListingFactory(cooperative=owner.cooperative)

    _post(client, "price", listing, price=typed)

    assert listing.stockrecords.get().price == Decimal(kept)


@pytest.mark.parametrize("typed", ["", "0", "-5", "12,345", "abc", "999999999"])
def test_what_is_no_price_changes_nothing(client, owner, typed):
    listing = ListingFactory(cooperative=owner.cooperative, price="150.00")

    response = _post(client, "price", listing, price=typed)

    assert response.status_code == 422
    assert listing.stockrecords.get().price == Decimal("150.00")


def test_a_new_price_does_not_reach_an_order_already_placed(client, owner):
    listing = ListingFactory(cooperative=owner.cooperative, price="150.00")
    (part,) = placed((listing, 2))

    _post(client, "price", listing, price="10")

    part.refresh_from_db()
    assert part.goods_minor == 30000


def test_counting_more_is_received_and_counting_less_is_written_off(client, owner):
    listing = ListingFactory(cooperative=owner.cooperative, stock=10)

    _post(client, "stock", listing, quantity="14", seen="10")
    _post(client, "stock", listing, quantity="11", seen="14")

    assert stock_of(listing) == (11, 0)
    kinds = listing.stockrecords.get().movements.order_by("pk").values_list("kind", "quantity")
    assert list(kinds) == [("received", 10), ("received", 4), ("written_off", 3)]


def test_a_sale_while_she_counted_is_not_undone(client, owner):
    listing = ListingFactory(cooperative=owner.cooperative, stock=10)
    # She sees ten and types twelve; meanwhile three are ordered.
    placed((listing, 3))

    _post(client, "stock", listing, quantity="12", seen="10")

    assert stock_of(listing) == (12, 3)


def test_what_is_ordered_cannot_be_written_off(client, owner):
    listing = ListingFactory(cooperative=owner.cooperative, stock=10)
    record = listing.stockrecords.get()
    stock.reserve(quantities={record.pk: 8}, about="T-X", at=NOW)

    response = _post(client, "stock", listing, quantity="0", seen="10")

    assert stock_of(listing) == (10, 8)
    assert "8 are set aside for orders; you can write off at most 2." in str(
        list(response.context["messages"])[0]
    )


def test_a_good_leaves_the_shelf_and_comes_back(client, owner):
    listing = ListingFactory(cooperative=owner.cooperative)

    _post(client, "withdraw", listing)
    listing.refresh_from_db()
    assert listing.state == "withdrawn"

    _post(client, "publish", listing)
    listing.refresh_from_db()
    assert listing.state == "published"


def test_a_lapsed_label_keeps_a_good_off_the_shelf_and_says_which(client, owner):
    certification = CertificationFactory(
        cooperative=owner.cooperative,
        valid_until=NOW.date().replace(year=2020),
        valid_from=NOW.date().replace(year=2019),
    )
    listing = ListingFactory(cooperative=owner.cooperative, claims=[certification], state="draft")

    response = _post(client, "publish", listing)

    listing.refresh_from_db()
    assert listing.state == "draft"
    assert "Indication géographique protégée" in str(list(response.context["messages"])[0])


def test_a_good_with_variants_shows_each_with_its_stock_and_has_none_itself(client):
    listing, [small, large] = listing_with_variants(("100 ml", "110.00", 5), ("250 ml", "245.00", 2))
    member = MemberFactory(cooperative=listing.cooperative)
    client.force_login(member.user)

    every = client.get(reverse("desk:listings")).content.decode()
    one = client.get(reverse("desk:listing", args=[listing.reference])).content.decode()
    doors = [
        client.post(reverse("desk:price", args=[listing.reference]), {"price": "99"}),
        client.post(reverse("desk:stock", args=[listing.reference]), {"quantity": "9", "seen": "0"}),
    ]

    for page in (every, one):
        assert f'id="listing-{small.reference}"' in page
        assert f'id="listing-{large.reference}"' in page
    assert f'id="listing-{listing.reference}"' not in every
    assert [each.status_code for each in doors] == [404, 404]
    assert stock_of(small) == (5, 0)


def test_a_variant_has_its_own_price_and_stock_at_the_desk(client):
    listing, [small, large] = listing_with_variants(("100 ml", "110.00", 5), ("250 ml", "245.00", 2))
    client.force_login(MemberFactory(cooperative=listing.cooperative).user)

    client.post(reverse("desk:price", args=[large.reference]), {"price": "230"})
    client.post(reverse("desk:stock", args=[large.reference]), {"quantity": "9", "seen": "2"})

    assert [each.stockrecords.get().price for each in (small, large)] == [110, 230]
    assert [stock_of(each) for each in (small, large)] == [(5, 0), (9, 0)]
