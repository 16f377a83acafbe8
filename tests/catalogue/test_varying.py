"""Listings that come in several variants."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils.translation import override

from catalogue import publishing, varying
from catalogue.models import LabelClaim, Product
from cooperatives.models import Certification
from shop.core.errors import Refused
from tests.factories import (
    NOW,
    CertificationFactory,
    ListingFactory,
    listing_with_variants,
    mad,
    stock_of,
    variant_of,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 22)


def added(listing, **changed):
    values = {
        "listing": listing,
        "reference": "OIL-L",
        "variant": {"fr": "250 ml", "ar": "250 ملل", "en": "250 ml"},
        "unit": {"fr": "250 ml", "ar": "250 ملل", "en": "250 ml"},
        "price": mad("245.00"),
        "gross_weight_g": 430,
        "quantity": 12,
        "at": NOW,
    }
    return varying.add(**values | changed)


def test_a_variant_has_the_maker_and_tax_of_its_listing_and_a_price_and_stock_of_its_own():
    listing = ListingFactory(price=None, state=Product.State.DRAFT, vat_class="R10", shelf_life_months=24)

    made = added(listing)

    listing.refresh_from_db()
    assert (listing.structure, made.structure, made.parent) == ("parent", "child", listing)
    assert (made.cooperative, made.vat_class, made.shelf_life_months) == (listing.cooperative, "R10", 24)
    assert (made.gross_weight_g, made.stockrecords.get().price) == (430, 245)
    assert stock_of(made) == (12, 0)
    assert not listing.stockrecords.exists()


def test_a_variant_is_called_by_its_listing_and_what_tells_it_apart():
    listing = ListingFactory(price=None, title="Argan oil", state=Product.State.DRAFT)
    listing.title_ar = "زيت أركان"
    listing.save()

    made = added(listing)

    with override("fr"):
        assert made.get_title() == "Argan oil, 250 ml"
    with override("ar"):
        assert made.get_title() == "زيت أركان، 250 ملل"


def test_a_listing_with_a_price_of_its_own_takes_no_variants():
    listing = ListingFactory(price="110.00")

    with pytest.raises(varying.SoldByItself):
        added(listing)

    listing.refresh_from_db()
    assert (listing.structure, listing.children.count()) == ("standalone", 0)


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"variant": {"fr": "250 ml", "ar": " ", "en": "250 ml"}}, varying.VariantUnnamed),
        ({"variant": {"fr": "100 ml", "ar": "100 ملل", "en": "100 ml"}}, varying.VariantExists),
        ({"price": mad("0.00")}, varying.PriceNotPositive),
    ],
)
def test_what_is_no_variant_is_refused_and_nothing_is_written(changed, refusal):
    listing, _variants = listing_with_variants(("100 ml", "110.00", 5))

    with pytest.raises(refusal):
        added(listing, **changed)

    assert listing.children.count() == 1


def test_a_variant_has_no_variants():
    _listing, [small] = listing_with_variants(("100 ml", "110.00", 5))

    with pytest.raises(varying.VariantOfVariant):
        added(small)


def test_the_database_knows_no_variant_without_a_listing_and_no_two_of_one_name():
    listing, [small, large] = listing_with_variants(("100 ml", "110.00", 5), ("250 ml", "245.00", 5))

    with pytest.raises(IntegrityError, match="a_variant_has_a_listing"), transaction.atomic():
        Product.objects.filter(pk=small.pk).update(parent=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Product.objects.filter(pk=large.pk).update(variant_fr="100 ml")
    assert listing.children.count() == 2


def test_variants_are_published_with_their_listing_but_one_withdrawn_by_itself_stays_off():
    listing, [small, large] = listing_with_variants(("100 ml", "110.00", 5), ("250 ml", "245.00", 5))
    publishing.withdraw(listing=small)
    publishing.withdraw(listing=listing)

    nothing = list(Product.objects.buyable(on=TODAY))
    publishing.publish(listing=Product.objects.get(pk=listing.pk), at=NOW)

    assert nothing == []
    assert list(Product.objects.buyable(on=TODAY)) == [large]


def test_a_draft_is_published_with_its_listing():
    listing = ListingFactory(price=None, state=Product.State.DRAFT)
    made = added(listing)

    publishing.publish(listing=Product.objects.get(pk=listing.pk), at=NOW)

    made.refresh_from_db()
    assert (made.state, made.published_at) == ("published", NOW)


def test_a_listing_whose_every_variant_is_withdrawn_cannot_be_shown():
    listing, [small] = listing_with_variants(("100 ml", "110.00", 5))
    publishing.withdraw(listing=listing)
    publishing.withdraw(listing=small)

    with override("en"), pytest.raises(Refused, match="a variant to choose"):
        publishing.publish(listing=Product.objects.get(pk=listing.pk), at=NOW)

    listing.refresh_from_db()
    assert listing.state == "withdrawn"


def test_on_the_shelf_stands_the_listing_and_never_its_variants():
    listing, variants = listing_with_variants(("100 ml", "110.00", 5), ("250 ml", "245.00", 5))
    alone = ListingFactory()

    assert set(Product.objects.on_sale(on=TODAY)) == {listing, alone}
    assert set(Product.objects.buyable(on=TODAY)) == {*variants, alone}


def test_when_the_certificate_of_the_listing_lapses_its_variants_cannot_be_bought():
    certification = CertificationFactory(valid_until=date(2027, 1, 31))
    listing, [small] = listing_with_variants(("100 ml", "110.00", 5), cooperative=certification.cooperative)
    LabelClaim.objects.create(listing=listing, certification=certification)

    assert small in Product.objects.buyable(on=date(2027, 1, 31))
    assert small not in Product.objects.buyable(on=date(2027, 2, 1))
    assert Certification.objects.valid_on(date(2027, 2, 1)).count() == 0


def test_the_variants_of_many_listings_come_with_their_stock_in_a_fixed_number_of_queries(
    django_assert_num_queries,
):
    few, _variants = listing_with_variants(("S", "110.00", 5))
    many = ListingFactory(price=None, state=Product.State.DRAFT)
    for number in range(20):
        variant_of(many, f"N{number}", price=str(100 + number))
    publishing.publish(listing=Product.objects.get(pk=many.pk), at=NOW - timedelta(days=1))

    with django_assert_num_queries(4):  # listings, pictures, variants, label claims
        found = {each.pk: each for each in Product.objects.on_sale(on=TODAY).for_cards(on=TODAY)}

    assert [(each.variant, each.price_now, each.free_now) for each in found[few.pk].variants] == [
        ("S", 110, 5)
    ]
    assert len(found[many.pk].variants) == 20
    assert found[many.pk].variants[3].price_now == 103
