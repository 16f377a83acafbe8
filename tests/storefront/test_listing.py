"""The page of one good: variants, pictures, where it comes from, delivery to her own town, reviews."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.core.files.base import ContentFile

from catalogue import picturing, publishing
from catalogue.models import Product, ProductImage
from shop.checkout.baskets import Line as BasketLine
from shop.design import plates
from shop.fulfilment import delivering, reviewing
from shop.fulfilment.models import Review, Shipment
from shop.orders.models import Order
from shop.payments import paying
from tests.checkout.buying import casablanca
from tests.factories import (
    NOW,
    CommuneFactory,
    CooperativeFactory,
    DeliveryRateFactory,
    ListingFactory,
    OperatorFactory,
    ProvinceFactory,
    RegionFactory,
    UserFactory,
    listing_with_variants,
    placed,
    stock_of,
    variant_of,
)
from tests.storefront.test_budgets import queries_of
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db


def text_of(response):
    text = re.sub(r"\s+", " ", response.content.decode()).replace("\u00a0", " ")
    return text.replace("> <", "><")


def words_of(response):
    """What can be read on a page, without its mark-up."""
    bare = re.sub(r"(?s)<script.*?</script>|<[^>]+>", "", response.content.decode())
    return re.sub(r"\s+", " ", bare).replace("\u00a0", " ")


@pytest.fixture
def oil():
    """100 ml at 110,00 (5 left), 250 ml at 245,00 (2 left), 500 ml sold out."""
    return listing_with_variants(
        ("100 ml", "110.00", 5), ("250 ml", "245.00", 2), ("500 ml", "400.00", 0), title="Argan oil"
    )


def drawn(listing, **kwargs):
    svg = plates.render_svg("honey")
    picture = ProductImage.objects.create(
        product=listing, original=ContentFile(plates.rasterise(svg, 320), name="plate.png"), **kwargs
    )
    return picturing.prepare(picture=picture)


# variants


def test_the_first_variant_there_is_stands_chosen_and_the_others_are_links(visitor, oil):
    listing, [small, large, _gone] = oil

    page = text_of(visitor.get("listing", listing.slug))

    assert "MAD 97.90" in page  # 89 % of 110,00
    assert f'href="{visitor.url("listing", listing.slug)}?variant={large.reference}"' in page
    assert f'<input type="hidden" name="variant" value="{small.reference}">' in page


def test_a_chosen_variant_shows_its_own_price_unit_and_stock(visitor, oil):
    listing, [_small, large, _gone] = oil

    page = text_of(visitor.get("listing", listing.slug, query={"variant": large.reference}))

    assert f'<input type="hidden" name="variant" value="{large.reference}">' in page
    assert "MAD 245.00" in page
    assert "Only 2 left" in page
    assert "MAD 218.05" in page  # 89 % of 245,00


def test_a_sold_out_variant_can_be_seen_but_not_chosen(visitor, oil):
    listing, [_small, _large, gone] = oil

    page = text_of(visitor.get("listing", listing.slug))
    asked_for = text_of(visitor.get("listing", listing.slug, query={"variant": gone.reference}))

    assert f"variant={gone.reference}" not in page
    assert "<s><bdi>500 ml</bdi></s> sold out" in page
    assert "Sold out for now" in asked_for
    assert visitor.url("basket_add", listing.slug) not in asked_for


@pytest.mark.parametrize("named", ["", "nothing", "L-9999", "'; --", "1", "DEMO" * 200])
def test_an_unknown_variant_shows_the_first_one(visitor, oil, named):
    listing, [small, *_others] = oil

    response = visitor.get("listing", listing.slug, query={"variant": named})

    assert response.status_code == 200
    assert f'name="variant" value="{small.reference}"' in text_of(response)


def test_a_variant_withdrawn_by_itself_is_gone_from_the_page(visitor, oil):
    listing, [_small, large, _gone] = oil
    publishing.withdraw(listing=large)

    page = text_of(visitor.get("listing", listing.slug))

    assert large.reference not in page
    assert "sold out" in page  # the third is still to be seen


def test_what_is_put_into_the_basket_is_the_variant_and_it_says_so(visitor, oil):
    listing, [_small, large, _gone] = oil

    visitor.post("basket_add", listing.slug, quantity=2, variant=large.reference)

    line = BasketLine.objects.get()
    assert (line.product, line.quantity, line.price_incl_tax) == (large, 2, 245)
    page = text_of(visitor.get("basket"))
    assert "Argan oil, 250 ml" in page
    assert "MAD 490" in page


def test_without_a_variant_nothing_is_put_into_the_basket_and_she_is_asked_which(visitor, oil):
    listing, _variants = oil

    response = visitor.post("basket_add", listing.slug, quantity=1)

    assert response.status_code == 400
    assert "Choose one, then put it into the basket" in text_of(response)
    assert not BasketLine.objects.exists()


def test_a_variant_of_another_listing_is_not_found(visitor, oil):
    listing, _variants = oil
    _other, [theirs] = listing_with_variants(("100 ml", "90.00", 5))

    response = visitor.post("basket_add", listing.slug, quantity=1, variant=theirs.reference)

    assert response.status_code == 404
    assert not BasketLine.objects.exists()


def test_more_than_is_left_of_a_variant_is_refused_with_the_variant_still_chosen(visitor, oil):
    listing, [_small, large, _gone] = oil

    response = visitor.post("basket_add", listing.slug, quantity=3, variant=large.reference)

    assert response.status_code == 409
    page = text_of(response)
    assert "Only 2 of “Argan oil, 250 ml” are left" in page
    assert f'name="variant" value="{large.reference}"' in page


def test_an_order_names_the_variant_and_reserves_its_stock_alone(visitor, oil, monkeypatch):
    monkeypatch.setattr(paying, "page_for", lambda **_: "https://pay.example/")
    DeliveryRateFactory()
    listing, [small, large, _gone] = oil
    visitor.post("basket_add", listing.slug, quantity=2, variant=large.reference)

    visitor.order()

    line = Order.objects.get().lines.get()
    assert (line.product, line.title, line.line_price_incl_tax) == (large, "Argan oil, 250 ml", 490)
    assert (stock_of(large), stock_of(small)) == ((2, 2), (5, 0))


def test_a_card_says_from_and_the_lowest_price_that_is_there(visitor, oil):
    page = words_of(visitor.get("listings"))

    assert page.count("Argan oil") == 1
    assert "from MAD 110" in page
    assert "of which 97.90 to the cooperative" in page


def test_a_card_of_variants_of_one_price_says_the_price_and_the_share(visitor):
    listing_with_variants(("56", "120.00", 3), ("58", "120.00", 0), title="Straw hat")

    page = words_of(visitor.get("listings"))

    assert "from MAD" not in page
    assert "of which 106.80 to the cooperative" in page


def test_only_when_every_variant_is_sold_out_the_card_says_so(visitor, oil):
    listing_with_variants(("S", "50.00", 0), ("L", "60.00", 0), title="Tote")

    page = text_of(visitor.get("listings"))
    in_stock = text_of(visitor.get("listings", query={"stock": "1"}))

    assert page.count("Sold out for now") == 1
    assert "Argan oil" in in_stock
    assert "Tote" not in in_stock


def test_listings_are_sorted_by_the_lowest_price_of_their_variants(visitor, oil):
    ListingFactory(title="Soap", price="25.00")
    ListingFactory(title="Rug", price="3200.00")

    page = text_of(visitor.get("listings", query={"sort": "cheapest"}))

    assert page.index(">Soap<") < page.index(">Argan oil<") < page.index(">Rug<")


def test_fifty_variants_cost_as_many_queries_as_one(visitor, oil):
    DeliveryRateFactory()
    one, _variants = listing_with_variants(("S", "50.00", 3))
    fifty, _variants = listing_with_variants(("S", "50.00", 3))
    for number in range(49):
        variant_of(fifty, f"N{number}", price=str(60 + number), quantity=1)

    with_one = queries_of(lambda: visitor.get("listing", one.slug))
    with_fifty = queries_of(lambda: visitor.get("listing", fifty.slug))

    assert with_one == with_fifty
    assert with_one[0] == 200
    assert with_one[1] <= 14


def test_the_title_of_a_variant_follows_the_reader(visitor, oil):
    listing, [small, *_others] = oil
    Product.objects.filter(pk=listing.pk).update(title_ar="زيت أركان")
    Product.objects.filter(pk=small.pk).update(variant_ar="100 ملل")
    reader = Visitor("ar")

    reader.post("basket_add", listing.slug, quantity=1, variant=small.reference)

    assert "زيت أركان، 100 ملل" in text_of(reader.get("basket"))


# pictures


def test_several_pictures_can_be_swiped_led_to_and_opened_large(visitor):
    listing = ListingFactory(title="Honey")
    for order in range(3):
        drawn(listing, display_order=order)

    page = text_of(visitor.get("listing", listing.slug))

    assert page.count('<div id="picture-') == 3
    assert '<a href="#picture-2">' in page
    assert f'href="{visitor.url("picture", listing.slug, 3)}"' in page
    assert 'alt="Honey, picture 2 of 3"' in page


def test_a_picture_stands_large_with_the_one_before_and_the_next(visitor):
    listing = ListingFactory()
    for order in range(3):
        drawn(listing, display_order=order)

    page = text_of(visitor.get("picture", listing.slug, 2))

    assert f'rel="prev" href="{visitor.url("picture", listing.slug, 1)}"' in page
    assert f'rel="next" href="{visitor.url("picture", listing.slug, 3)}"' in page
    assert f'href="{visitor.url("listing", listing.slug)}#picture-2"' in page


@pytest.mark.parametrize("number", [0, 2, 10**9])
def test_a_picture_there_is_not_is_a_404(visitor, number):
    listing = ListingFactory()
    drawn(listing)

    assert visitor.get("picture", listing.slug, number).status_code == 404


def test_the_picture_of_the_chosen_variant_stands_first_and_keeps_its_number(visitor, oil):
    listing, [_small, large, _gone] = oil
    drawn(listing)
    drawn(large)

    page = text_of(visitor.get("listing", listing.slug, query={"variant": large.reference}))

    assert page.index('id="picture-2"') < page.index('id="picture-1"')
    assert 'alt="Argan oil, 250 ml"' in page


def test_a_listing_without_pictures_shows_its_plate_and_nothing_to_open(visitor):
    listing = ListingFactory()

    page = text_of(visitor.get("listing", listing.slug))

    assert visitor.url("plate", listing.reference) in page
    assert "See it large" not in page


# provenance


def test_the_page_says_where_it_comes_from_and_what_is_in_it(visitor):
    region = RegionFactory(code="MA-09")
    listing = ListingFactory(
        cooperative=CooperativeFactory(region=region, place="Taliouine", members_count=12),
        origin_region=region,
        harvested_on=date(2025, 11, 1),
        lot="C17-2025-43",
        ingredients="Crocus sativus",
        care="In the dark",
        allergens="none",
    )

    page = text_of(visitor.get("listing", listing.slug))

    for said in ("Taliouine", "12 members", "November 2025", "C17-2025-43", "Crocus sativus", "In the dark"):
        assert said in page
    assert '<i class="MA-09 here"></i>' in page
    assert page.count(' here"></i>') == 1


def test_goods_of_the_same_maker_and_goods_alike_stand_apart(visitor):
    here = ListingFactory(title="Thyme honey", family="miel")
    ListingFactory(title="Walnuts", family="fruits secs", cooperative=here.cooperative)
    ListingFactory(title="Orange honey", family="miel")
    ListingFactory(title="Rug", family="tapis")

    page = text_of(visitor.get("listing", here.slug))

    own, alike = page.index("More from this cooperative"), page.index("Similar goods")
    assert own < page.index("Walnuts") < alike < page.index("Orange honey")
    assert "Rug" not in page


# delivery to her place


def test_a_town_is_remembered_and_the_page_says_the_price_and_the_days(visitor):
    casablanca()
    DeliveryRateFactory()
    listing = ListingFactory()

    answer = visitor.post("destination", town="casablanca", next=visitor.url("listing", listing.slug))
    page = words_of(visitor.get("listing", listing.slug))

    assert (answer.status_code, answer["Location"]) == (302, visitor.url("listing", listing.slug))
    # NOW is a Sunday: two to four working days later
    assert "To Casablanca between Tuesday 24 and Thursday 26 November, MAD 30" in page


def test_where_no_carrier_goes_the_page_says_so(visitor):
    DeliveryRateFactory(to_region=RegionFactory(code="MA-01"))
    casablanca()
    listing = ListingFactory()

    visitor.post("destination", region="MA-06")

    assert "No carrier brings it to Casablanca-Settat" in words_of(visitor.get("listing", listing.slug))


def test_what_is_too_heavy_for_every_rate_cannot_be_delivered(visitor):
    DeliveryRateFactory(up_to_g=1000)
    casablanca()
    listing = ListingFactory(gross_weight_g=5000)

    visitor.post("destination", town="Casablanca")

    assert "No carrier brings it to Casablanca" in words_of(visitor.get("listing", listing.slug))


def test_without_a_place_the_page_gives_the_range_and_asks(visitor):
    DeliveryRateFactory()
    listing = ListingFactory()

    response = visitor.get("listing", listing.slug)

    assert "Delivery from MAD 30, in 2 to 4 working days, by town" in words_of(response)
    assert 'name="town"' in text_of(response)


def test_a_town_there_are_two_of_is_asked_for(visitor):
    for code, province in (("01.511.01.05", "01.511"), ("02.411.01.05", "02.411")):
        CommuneFactory(
            code=code,
            name_fr="Sidi Ali",
            province=ProvinceFactory(code=province, region=RegionFactory(code=f"MA-{code[:2]}")),
        )

    asked = visitor.post("destination", town="sidi ali")
    chosen = visitor.post("destination", town="sidi ali", commune="02.411.01.05")

    assert asked.status_code == 422
    assert "There are several of this name" in text_of(asked)
    assert chosen.status_code == 302
    assert visitor.client.cookies["destination"].value == "02.411.01.05"


@pytest.mark.parametrize("town", ["", "   ", "Atlantis", "x" * 500, "'; DROP TABLE", "😀"])
def test_what_is_no_town_gets_a_helpful_page_and_is_not_kept(visitor, town):
    casablanca()

    response = visitor.post("destination", town=town)

    assert response.status_code == 422
    assert "destination" not in visitor.client.cookies


@pytest.mark.parametrize("cookie", ["", "MA-99", "99.999.99.99", "../../etc", "<script>", "0" * 4000])
def test_a_place_that_does_not_exist_is_forgotten(visitor, cookie):
    visitor.client.cookies["destination"] = cookie
    listing = ListingFactory()
    DeliveryRateFactory()

    response = visitor.get("listing", listing.slug)

    assert response.status_code == 200
    assert "Delivery from MAD 30" in words_of(response)


@pytest.mark.parametrize(
    "away", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil"]
)
def test_after_choosing_a_place_nobody_is_led_out_of_the_shop(visitor, away):
    casablanca()

    answer = visitor.post("destination", town="Casablanca", next=away)

    assert answer["Location"] == visitor.url("listings")


def test_with_an_account_the_place_of_the_last_order_is_known(now):
    user = UserFactory()
    listing = ListingFactory()
    placed((listing, 1), user=user)

    page = text_of(Visitor(user=user).get("listing", listing.slug))

    assert "To Casablanca between" in page


# reviews


@pytest.fixture
def delivered(now, oil):
    """Her order of one small bottle and one soap, both delivered."""
    listing, [small, *_others] = oil
    user = UserFactory()
    soap = ListingFactory(title="Soap", cooperative=listing.cooperative)
    [part] = placed((small, 1), (soap, 1), user=user, to="dispatched", language="en")
    delivering.record_delivery(
        shipment=part.shipments.get(), proof=Shipment.Proof.CUSTOMER, at=NOW, actor="customer"
    )
    part.refresh_from_db()
    return Visitor(user=user), part, listing, small


def test_once_delivered_each_line_can_be_reviewed_from_the_order(delivered):
    visitor, part, _listing, small = delivered

    page = text_of(visitor.get("track", part.order.number))

    assert visitor.url("review", part.order.number, small.reference) in page
    assert page.count("Write a review") == 2


def test_a_review_waits_and_is_then_shown_with_first_name_initial_and_day(delivered):
    visitor, part, listing, small = delivered

    answer = visitor.post(
        "review", part.order.number, small.reference, stars="4", words="Light, no smell at all."
    )
    before = text_of(visitor.get("listing", listing.slug))
    review = Review.objects.get()
    reviewing.approve(review=review, by=OperatorFactory(), at=NOW)
    after = text_of(visitor.get("listing", listing.slug))

    assert answer["Location"] == f"{visitor.url('track', part.order.number)}#{part.reference}"
    assert (review.listing, review.stars, review.signed, review.bought_on) == (
        listing,
        4,
        "Salma I.",
        date(2026, 11, 22),
    )
    assert "Light, no smell at all." not in before
    assert "4 of 5, from 1 buyer" in after
    assert "Light, no smell at all." in after
    assert "Salma I." in after and "bought on 22 November 2026" in after


def test_script_tags_are_taken_out_and_what_is_left_is_text(delivered):
    visitor, part, listing, small = delivered
    words = "Good <script>alert(1)</script><img src=x onerror=alert(2)>oil & more <b>of it</b> &lt;i&gt;"

    visitor.post("review", part.order.number, small.reference, stars="5", words=words)
    review = Review.objects.get()
    reviewing.approve(review=review, by=OperatorFactory(), at=NOW)
    page = visitor.get("listing", listing.slug).content.decode()

    assert review.words == "Good oil & more of it <i>"
    assert "Good oil &amp; more of it &lt;i&gt;" in page
    assert "alert(1)" not in page


@pytest.mark.parametrize(
    ("stars", "words", "said"),
    [
        ("", "Good oil, well packed.", "Choose how many stars"),
        ("6", "Good oil, well packed.", "not one of the available choices"),
        ("0", "Good oil, well packed.", "not one of the available choices"),
        ("5", "", "Say in a few words"),
        ("5", "Good", "Say it in 10 to 1500 letters"),
        ("5", "<b></b><i></i><script>a long script of nothing</script>", "Say it in 10 to 1500 letters"),
        ("5", "a" * 1501, "write at most 1500 letters"),
    ],
)
def test_a_review_that_says_nothing_or_too_much_is_asked_for_again(delivered, stars, words, said):
    visitor, part, _listing, small = delivered

    response = visitor.post("review", part.order.number, small.reference, stars=stars, words=words)

    assert response.status_code == 422
    assert said in text_of(response)
    assert not Review.objects.exists()


def test_the_order_says_why_a_review_is_not_shown(delivered):
    visitor, part, _listing, small = delivered
    visitor.post("review", part.order.number, small.reference, stars="1", words="Call me on 0661000000.")
    reviewing.decline(review=Review.objects.get(), by=OperatorFactory(), reason="it holds a number", at=NOW)

    page = text_of(visitor.get("track", part.order.number))

    assert "Your review is not shown: it holds a number" in page


def test_another_person_cannot_review_it(delivered):
    _visitor, part, _listing, small = delivered
    for stranger in (Visitor(), Visitor(user=UserFactory())):
        response = stranger.post(
            "review", part.order.number, small.reference, stars="1", words="Never had it in my hands."
        )

        assert response.status_code == 404
    assert not Review.objects.exists()


@pytest.mark.parametrize("to", ["placed", "dispatched"])
def test_what_has_not_arrived_cannot_be_reviewed(now, oil, to):
    _listing, [small, *_others] = oil
    user = UserFactory()
    [part] = placed((small, 1), user=user, to=to)
    visitor = Visitor(user=user)

    asked = visitor.get("review", part.order.number, small.reference)
    sent = visitor.post(
        "review", part.order.number, small.reference, stars="5", words="I am sure it is good."
    )

    assert (asked.status_code, sent.status_code) == (302, 302)
    assert not Review.objects.exists()


def test_all_reviews_stand_on_a_page_of_their_own(delivered):
    visitor, part, listing, small = delivered
    empty = visitor.get("listing_reviews", listing.slug)
    visitor.post("review", part.order.number, small.reference, stars="4", words="Light, no smell at all.")
    reviewing.approve(review=Review.objects.get(), by=OperatorFactory(), at=NOW)

    page = visitor.get("listing_reviews", listing.slug, query={"page": "1000000000"})

    assert "Nobody has reviewed it yet" in text_of(empty)
    assert "Light, no smell at all." in text_of(page)
    assert visitor.get("listing_reviews", "nothing").status_code == 404
