from __future__ import annotations

from datetime import date

import pytest

from catalogue import publishing
from catalogue.models import LabelClaim, Product
from tests.factories import NOW, CertificationFactory, CooperativeFactory, ListingFactory

pytestmark = pytest.mark.django_db


def test_a_listing_leaves_the_shelf_when_its_certificate_lapses():
    certification = CertificationFactory(valid_until=date(2026, 11, 30))
    listing = ListingFactory(cooperative=certification.cooperative, state="draft")
    publishing.claim(listing=listing, certification=certification, at=NOW)

    publishing.publish(listing=listing, at=NOW)

    assert listing in Product.objects.on_sale(on=date(2026, 11, 30))
    assert listing not in Product.objects.on_sale(on=date(2026, 12, 1))


@pytest.mark.parametrize(
    ("kwargs", "missing"), [({"title": ""}, "its name"), ({"gross_weight_g": 0}, "its weight with packing")]
)
def test_an_incomplete_listing_stays_a_draft_and_says_what_is_missing(kwargs, missing):
    listing = ListingFactory(state="draft", **kwargs)

    with pytest.raises(publishing.ListingIncomplete) as refusal:
        publishing.publish(listing=listing, at=NOW)

    assert refusal.value.missing
    listing.refresh_from_db()
    assert (listing.state, listing.published_at) == ("draft", None)


def test_a_listing_without_a_price_stays_a_draft():
    listing = ListingFactory(state="draft", stock=0)
    listing.stockrecords.all().delete()

    with pytest.raises(publishing.ListingIncomplete):
        publishing.publish(listing=listing, at=NOW)


def test_a_claim_that_is_not_certified_today_keeps_the_listing_off_the_shelf():
    certification = CertificationFactory(state="suspended")
    listing = ListingFactory(cooperative=certification.cooperative, state="draft")
    LabelClaim.objects.create(listing=listing, certification=certification)

    with pytest.raises(publishing.ClaimNotCertified):
        publishing.publish(listing=listing, at=NOW)

    listing.refresh_from_db()
    assert listing.state == "draft"


def test_publishing_and_withdrawing_again_change_nothing():
    listing = ListingFactory()
    since = listing.published_at

    publishing.publish(listing=listing, at=NOW)
    listing.refresh_from_db()
    assert listing.published_at == since

    publishing.withdraw(listing=listing)
    publishing.withdraw(listing=listing)
    listing.refresh_from_db()
    assert listing.state == "withdrawn"


def test_a_label_is_claimed_once_and_only_by_its_own_cooperative():
    certification = CertificationFactory()
    own, foreign = (
        ListingFactory(cooperative=certification.cooperative),
        ListingFactory(cooperative=CooperativeFactory()),
    )

    first = publishing.claim(listing=own, certification=certification, at=NOW)
    again = publishing.claim(listing=own, certification=certification, at=NOW)
    with pytest.raises(publishing.NotItsOwnCertification):
        publishing.claim(listing=foreign, certification=certification, at=NOW)

    assert first == again
    assert not foreign.label_claims.exists()


def test_an_expired_certification_cannot_be_claimed():
    certification = CertificationFactory(valid_from=date(2024, 1, 1), valid_until=date(2025, 1, 1))
    listing = ListingFactory(cooperative=certification.cooperative)

    with pytest.raises(publishing.ClaimNotCertified):
        publishing.claim(listing=listing, certification=certification, at=NOW)

    assert not listing.label_claims.exists()
