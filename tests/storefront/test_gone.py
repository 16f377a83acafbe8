"""What went off sale: gone, said why where everybody may know it, and never without a way on."""

from __future__ import annotations

import html
import re
from datetime import date

import pytest

from catalogue import publishing
from catalogue.models import Product
from cooperatives.models import Cooperative
from shop.core import clock
from shop.payments import paying
from tests.factories import (
    NOW,
    CertificationFactory,
    CooperativeFactory,
    LabelFactory,
    ListingFactory,
    RegionFactory,
    UserFactory,
    order_of,
)
from tests.storefront.test_browsing import names_in
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db


def text_of(response):
    text = re.sub(r"<script.*?</script>", "", response.content.decode(), flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", text)).replace("\u00a0", " ")


def suspend(cooperative: Cooperative) -> None:
    cooperative.suspend()
    cooperative.save()


def test_a_withdrawn_listing_is_gone_and_leads_to_its_maker_and_its_kind_in_stock(visitor):
    honey = ListingFactory(title="Thyme honey", family="miel")
    soap = ListingFactory(title="Soap", family="savon", cooperative=honey.cooperative)
    ListingFactory(title="Sold out soap", family="savon", cooperative=honey.cooperative, stock=0)
    ListingFactory(title="Other honey", family="miel")
    ListingFactory(title="Rug", family="tapis")
    publishing.withdraw(listing=honey)

    page = visitor.get("listing", honey.slug)

    assert page.status_code == 410
    assert "Thyme honey is no longer on sale" in text_of(page)
    assert "Its cooperative has taken it off the shelf." in text_of(page)
    assert names_in(page) == ["Soap", "Other honey"]
    assert visitor.url("cooperative", honey.cooperative.slug) in page.content.decode()
    assert soap.get_title() in text_of(page)


def test_a_listing_whose_certificate_lapsed_says_which_and_when(visitor, monkeypatch):
    certification = CertificationFactory(valid_until=date(2026, 11, 30))
    honey = ListingFactory(cooperative=certification.cooperative, claims=[certification])
    monkeypatch.setattr(clock, "now", lambda: NOW.replace(month=12, day=1))

    page = visitor.get("listing", honey.slug)

    assert page.status_code == 410
    assert "the label IGP, and the certificate for it lapsed on 30 November 2026" in text_of(page)


def test_a_certificate_that_was_revoked_is_told_to_nobody(visitor):
    certification = CertificationFactory()
    honey = ListingFactory(cooperative=certification.cooperative, claims=[certification])
    certification.revoke(reason="forged papers")
    certification.save()

    page = visitor.get("listing", honey.slug)

    assert page.status_code == 410
    assert "It is not sold here at present." in text_of(page)
    assert "forged" not in text_of(page)
    assert "lapsed" not in text_of(page)


def test_a_suspension_is_told_neither_on_the_listing_nor_on_the_cooperative(visitor):
    honey = ListingFactory(family="miel")
    other = ListingFactory(title="Other honey", family="miel")
    suspend(honey.cooperative)

    listing, cooperative = (
        visitor.get("listing", honey.slug),
        visitor.get("cooperative", honey.cooperative.slug),
    )

    assert (listing.status_code, cooperative.status_code) == (410, 410)
    assert "suspen" not in (text_of(listing) + text_of(cooperative)).lower()
    assert "It is not sold here at present." in text_of(listing)
    assert names_in(listing) == [other.get_title()]
    # No link leads to a page that is gone as well.
    assert f'href="{visitor.url("cooperative", honey.cooperative.slug)}"' not in listing.content.decode()


def test_a_cooperative_that_does_not_sell_leads_to_the_others_of_its_region(visitor):
    rif, souss = RegionFactory(code="MA-01"), RegionFactory(code="MA-09")
    gone = CooperativeFactory(name="Jbel Nahla", region=rif)
    CooperativeFactory(name="Mendil Rif", region=rif)
    CooperativeFactory(name="Far away", region=souss)
    ListingFactory(title="Mendil", origin_region=rif)
    ListingFactory(title="Argan", origin_region=souss)
    suspend(gone)

    page = visitor.get("cooperative", gone.slug)

    assert page.status_code == 410
    assert "Jbel Nahla does not sell here today" in text_of(page)
    assert "Mendil Rif" in text_of(page)
    assert "Far away" not in text_of(page)
    assert names_in(page) == ["Mendil"]


def test_orders_of_a_cooperative_that_does_not_sell_stay_readable(now, shop):
    customer = UserFactory(language="en")
    honey = ListingFactory(title="Thyme honey", title_en="Thyme honey")
    order = order_of((honey, 2), user=customer, email=customer.email)
    paying.settle_cash(order=order, at=NOW)
    publishing.withdraw(listing=honey)
    suspend(honey.cooperative)

    page = Visitor("en", user=customer).get("track", order.number)

    assert page.status_code == 200
    assert "Thyme honey" in text_of(page)
    assert honey.cooperative.name in text_of(page)


def test_what_was_never_shown_is_not_found_and_can_be_searched_for(visitor):
    draft = ListingFactory(title="Secret rug")
    Product.objects.filter(pk=draft.pk).update(state=Product.State.DRAFT, published_at=None)

    for slug in (draft.slug, "miel-de-thym-500"):
        page = visitor.get("listing", slug)
        assert page.status_code == 404
        assert "Secret rug" not in text_of(page)
    assert f'action="{visitor.url("listings")}"' in page.content.decode()
    assert 'value="miel de thym"' in page.content.decode()


def test_a_draft_that_was_on_sale_once_is_gone(visitor):
    honey = ListingFactory(title="Thyme honey")
    Product.objects.filter(pk=honey.pk).update(state=Product.State.DRAFT)

    assert visitor.get("listing", honey.slug).status_code == 410


def test_a_variants_own_address_leads_to_the_good_it_belongs_to(visitor):
    oil = ListingFactory(slug="argan-oil", title="Argan oil")
    large = ListingFactory(
        slug="argan-oil-250", reference="A-250", title="Argan oil 250 ml", cooperative=oil.cooperative
    )
    Product.objects.filter(pk=oil.pk).update(structure=Product.PARENT)
    Product.objects.filter(pk=large.pk).update(structure=Product.CHILD, parent=oil)

    response = visitor.get("listing", large.slug)

    assert (response.status_code, response["Location"]) == (301, "/en/goods/argan-oil/?variant=A-250")


def test_a_label_nobody_holds_any_more_is_gone_but_explained_one_never_held_is_as_usual(visitor, monkeypatch):
    lapsed = CertificationFactory(label=LabelFactory(code="igp"), valid_until=date(2026, 11, 30))
    waiting = LabelFactory(code="aop", name="AOP", short_name="AOP")
    before = visitor.get("label", "igp").status_code
    monkeypatch.setattr(clock, "now", lambda: NOW.replace(month=12, day=1))

    page = visitor.get("label", lapsed.label.code)

    assert (before, page.status_code) == (200, 410)
    assert "Nobody holds it today." in text_of(page)
    assert visitor.url("labels") in page.content.decode()
    assert visitor.get("label", waiting.code).status_code == 200


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", "Miel n'est plus en vente"),
        ("ar", "لم يعد معروضا للبيع: عسل"),
        ("en", "Honey is no longer on sale"),
    ],
)
def test_what_is_gone_is_said_in_the_readers_language_and_kept_by_no_search_engine(now, language, said):
    honey = ListingFactory(title_fr="Miel", title_ar="عسل", title_en="Honey")
    publishing.withdraw(listing=honey)

    page = Visitor(language).get("listing", honey.slug)

    assert said in text_of(page)
    assert 'content="noindex, follow"' in page.content.decode()
    assert 'rel="canonical"' not in page.content.decode()
    assert "ld+json" not in page.content.decode()


def test_a_good_that_is_gone_cannot_be_put_into_the_basket_by_its_old_form(visitor):
    honey = ListingFactory(title="Thyme honey")
    publishing.withdraw(listing=honey)

    response = visitor.add(honey)

    assert response.status_code == 409
    assert visitor.get("basket").content.decode().count("Thyme honey") == 0


def test_a_page_that_is_gone_costs_few_queries(visitor, django_assert_max_num_queries):
    honey = ListingFactory(family="miel")
    for _each in range(5):
        ListingFactory(family="miel")
        ListingFactory(cooperative=honey.cooperative, family="savon")
    publishing.withdraw(listing=honey)

    with django_assert_max_num_queries(14):
        assert visitor.get("listing", honey.slug).status_code == 410
