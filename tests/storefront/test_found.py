"""What pages tell search engines and messengers: one address, a sentence, a picture, facts that are the page's own."""

from __future__ import annotations

import html
import json
import re
from decimal import Decimal

import pytest
from oscar.core.loading import get_model

from catalogue.models import Product, ProductImage
from shop.storefront import found, structured
from tests.factories import (
    CertificationFactory,
    CooperativeFactory,
    DeliveryRateFactory,
    ListingFactory,
    RegionFactory,
    UserFactory,
    listing_with_variants,
)
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db

SITE = "https://tadamon.example"


@pytest.fixture(autouse=True)
def site(settings):
    settings.SITE_URL = SITE


def head(response) -> str:
    return html.unescape(response.content.decode().split("</head>")[0])


def meta(response, name: str) -> list[str]:
    return re.findall(rf'<meta (?:name|property)="{name}" content="([^"]*)">', head(response))


def canonical(response) -> list[str]:
    return re.findall(r'<link rel="canonical" href="([^"]*)">', head(response))


def languages(response) -> dict[str, str]:
    return dict(re.findall(r'<link rel="alternate" hreflang="([^"]*)" href="([^"]*)">', head(response)))


def facts(response) -> dict[str, dict]:
    """The graph of a page, by kind."""
    blocks = re.findall(
        r'<script type="application/ld\+json">(.*?)</script>', response.content.decode(), re.DOTALL
    )
    assert len(blocks) <= 1
    graph = json.loads(blocks[0])["@graph"] if blocks else []
    return {each["@type"]: each for each in graph}


@pytest.fixture
def honey():
    """A good with everything there is to tell of it."""
    food = get_model("catalogue", "Category").add_root(name="Food", slug="food", code="food")
    cooperative = CooperativeFactory(
        name="Jbel Nahla", slug="jbel-nahla", place="Chefchaouen", region=RegionFactory(code="MA-01")
    )
    listing = ListingFactory(
        reference="H-1",
        slug="thyme-honey",
        title="Thyme honey",
        title_fr="Miel de thym",
        title_ar="عسل الزعتر",
        title_en="Thyme honey",
        description="<p>Gathered in <b>June</b>.</p>",
        cooperative=cooperative,
        origin_region=cooperative.region,
        price="150.00",
        unit="500 g",
    )
    get_model("catalogue", "ProductCategory").objects.create(product=listing, category=food)
    return listing


# --- its one address ----------------------------------------------------------------------------


def test_a_page_names_its_one_address_and_itself_in_every_language(visitor, honey):
    page = visitor.get("listing", honey.slug, query={"utm_source": "mail", "variant": "x", "fbclid": "1"})

    assert canonical(page) == [f"{SITE}/en/goods/thyme-honey/"]
    assert languages(page) == {
        "fr": f"{SITE}/fr/goods/thyme-honey/",
        "ar": f"{SITE}/ar/goods/thyme-honey/",
        "en": f"{SITE}/en/goods/thyme-honey/",
        "x-default": f"{SITE}/fr/goods/thyme-honey/",
    }
    assert meta(page, "robots") == []


def test_who_speaks_none_of_our_languages_is_led_to_the_door_that_asks(visitor, honey):
    assert languages(visitor.get("home"))["x-default"] == f"{SITE}/"


@pytest.mark.parametrize(
    ("page", "arguments", "query", "kept"),
    [
        ("listings", (), {}, "/en/goods/"),
        ("listings", (), {"sort": "cheapest", "utm_campaign": "x", "gclid": "1"}, "/en/goods/"),
        ("listings", (), {"maker": "jbel-nahla"}, "/en/cooperatives/jbel-nahla/"),
        ("listings", (), {"women": "1"}, None),
        ("listings", (), {"region": "MA-99"}, None),
        ("listings", (), {"region": "MA-01"}, "/en/regions/MA-01/"),
        ("listings", (), {"category": "food"}, "/en/kinds/food/"),
        ("listings", (), {"label": "igp"}, "/en/goods/?label=igp"),
        ("category", ("food",), {"region": "MA-01"}, "/en/kinds/food/?region=MA-01"),
        ("listings", (), {"region": "MA-01", "category": "food"}, None),
        ("listings", (), {"region": ["MA-01", "MA-09"]}, None),
        ("listings", (), {"stock": "1"}, None),
        ("listings", (), {"q": "honey"}, None),
        ("listings", (), {"after": "a-place-in-the-list"}, None),
    ],
)
def test_a_list_is_kept_by_search_engines_with_one_narrowing_at_most(
    visitor, honey, page, arguments, query, kept
):
    RegionFactory(code="MA-09")
    certification = CertificationFactory(cooperative=honey.cooperative)
    for _each in range(25):
        ListingFactory(
            cooperative=honey.cooperative, claims=[certification], origin_region=honey.origin_region
        )

    response = visitor.get(page, *arguments, query=query)

    assert response.status_code == 200
    assert canonical(response) == ([SITE + kept] if kept else [])
    assert meta(response, "robots") == ([] if kept else ["noindex, follow"])
    assert bool(languages(response)) == bool(kept)


def test_what_lies_further_on_in_a_list_has_no_address_that_stays(visitor, honey):
    for _each in range(30):
        ListingFactory(cooperative=honey.cooperative)
    further = re.search(r'href="(\?after=[^"]+)"', visitor.get("listings").content.decode())[1]

    page = visitor.client.get(visitor.url("listings") + html.unescape(further))

    assert page.status_code == 200
    assert canonical(page) == []
    assert meta(page, "robots") == ["noindex, follow"]


@pytest.mark.parametrize(
    ("page", "arguments"),
    [("newsletter", ()), ("newsletter_confirm", ("x",)), ("picture", ("thyme-honey", 1))],
)
def test_pages_that_answer_one_person_or_only_enlarge_another_are_not_kept(visitor, honey, page, arguments):
    ProductImage.objects.create(product=honey, state=ProductImage.State.READY, stem="x", widths="600")

    response = visitor.get(page, *arguments)

    assert canonical(response) == []
    assert meta(response, "robots") in (["noindex"], ["noindex, follow"])
    assert meta(response, "og:image") == []


@pytest.mark.parametrize("page", ["basket", "account"])
def test_pages_about_one_person_are_kept_by_nobody(now, page):
    response = Visitor(user=UserFactory() if page == "account" else None).get(page)

    assert meta(response, "robots") == ["noindex"]
    assert canonical(response) == []
    assert meta(response, "og:image") == []


def test_the_pages_of_signing_in_are_kept_by_nobody(visitor):
    for address in ("/account/login/", "/account/signup/", "/account/password/reset/"):
        assert meta(visitor.client.get(address), "robots") == ["noindex"], address


# --- its sentence and its picture ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "arguments"),
    [
        ("home", ()),
        ("listings", ()),
        ("category", ("food",)),
        ("region", ("MA-01",)),
        ("regions", ()),
        ("cooperatives", ()),
        ("cooperative", ("jbel-nahla",)),
        ("labels", ()),
        ("label", ("igp",)),
        ("listing", ("thyme-honey",)),
        ("page", ("terms",)),
        ("sellers", ()),
        ("calendar", ()),
    ],
)
def test_every_public_page_describes_itself_in_its_language_and_shows_a_card(now, honey, page, arguments):
    CertificationFactory(cooperative=honey.cooperative)
    described = {}

    for language in ("fr", "ar", "en"):
        visitor = Visitor(language)
        response = visitor.get(page, *arguments)
        (sentence,) = meta(response, "description")
        (picture,) = meta(response, "og:image")
        described[language] = sentence
        assert 10 <= len(sentence) <= 170
        assert "<" not in sentence
        assert meta(response, "og:description") == [sentence]
        assert meta(response, "og:url") == canonical(response)
        assert (meta(response, "og:image:width"), meta(response, "og:image:height")) == (["1200"], ["630"])
        assert meta(response, "og:image:alt") != [""]
        drawn = visitor.client.get(picture.removeprefix(SITE))
        assert (drawn.status_code, drawn["Content-Type"]) == (200, "image/jpeg"), picture

    # Words of the maker's own are shown as they were written.
    if page not in ("listing", "cooperative", "label"):
        assert len(set(described.values())) == 3, described


def test_a_listing_is_shared_by_name_price_and_what_its_maker_receives(now, honey):
    page = Visitor("fr").get("listing", honey.slug)

    assert meta(page, "og:type") == ["product"]
    assert meta(page, "og:title") == ["Miel de thym"]
    assert meta(page, "og:locale") == ["fr_FR"]
    assert meta(page, "og:locale:alternate") == ["ar_AR", "en_GB"]
    assert meta(page, "product:price:amount") == ["150.00"]
    assert meta(page, "product:price:currency") == ["MAD"]
    assert [each.replace("\u00a0", " ") for each in meta(page, "og:image:alt")] == [
        "Miel de thym, Jbel Nahla, Chefchaouen, 150,00 MAD, dont 133,50 à la coopérative"
    ]
    assert meta(page, "description") == ["Gathered in June."]


def test_a_long_description_is_cut_between_words():
    text = "honey from the hills, " * 20

    told = found.shortened(text)

    assert told.endswith(("honey…", "from…", "the…", "hills…"))
    assert len(told) <= found.DESCRIPTION + 1
    assert found.shortened("<p>Short &amp; sweet</p>") == "Short & sweet"


# --- its facts ----------------------------------------------------------------------------------


def test_the_facts_of_a_listing_are_those_of_its_page(visitor, honey):
    DeliveryRateFactory(price_minor=3000, days_least=2, days_most=4)

    page = visitor.get("listing", honey.slug)

    product = facts(page)["Product"]
    offer = product["offers"]
    assert product["name"] == "Thyme honey"
    assert product["description"] == "Gathered in June."
    assert product["sku"] == "H-1"
    assert product["brand"] == {"@type": "Brand", "name": "Jbel Nahla"}
    assert product["image"][-1].startswith(f"{SITE}/en/share/goods/H-1.jpg?v=")
    assert "aggregateRating" not in product
    assert (offer["price"], offer["priceCurrency"]) == ("150.00", "MAD")
    assert offer["priceSpecification"]["valueAddedTaxIncluded"] is True
    assert offer["availability"] == "https://schema.org/InStock"
    assert offer["url"] == f"{SITE}/en/goods/thyme-honey/"
    assert offer["seller"] == {
        "@type": "Organization",
        "@id": f"{SITE}/en/cooperatives/jbel-nahla/#cooperative",
        "name": "Jbel Nahla",
        "url": f"{SITE}/en/cooperatives/jbel-nahla/",
    }
    assert offer["shippingDetails"]["shippingRate"] == {
        "@type": "MonetaryAmount",
        "currency": "MAD",
        "value": "30.00",
    }
    assert offer["shippingDetails"]["deliveryTime"]["transitTime"] == {
        "@type": "QuantitativeValue",
        "minValue": 2,
        "maxValue": 4,
        "unitCode": "DAY",
    }
    assert offer["hasMerchantReturnPolicy"] == {
        "@type": "MerchantReturnPolicy",
        "applicableCountry": "MA",
        "returnPolicyCategory": "https://schema.org/MerchantReturnFiniteReturnWindow",
        "merchantReturnDays": 7,
        "returnMethod": "https://schema.org/ReturnByMail",
        "returnFees": "https://schema.org/ReturnFeesCustomerResponsibility",
        "refundType": "https://schema.org/FullRefund",
        "merchantReturnLink": f"{SITE}/en/pages/withdrawal/",
    }
    assert "MAD 150.00" in html.unescape(page.content.decode()).replace("\u00a0", " ")


def test_what_is_sold_out_or_spoils_is_told_so(visitor):
    cheese = ListingFactory(stock=0, shelf_life_months=1)

    offer = facts(visitor.get("listing", cheese.slug))["Product"]["offers"]

    assert offer["availability"] == "https://schema.org/OutOfStock"
    assert offer["hasMerchantReturnPolicy"] == {
        "@type": "MerchantReturnPolicy",
        "applicableCountry": "MA",
        "returnPolicyCategory": "https://schema.org/MerchantReturnNotPermitted",
    }
    assert "shippingDetails" not in offer


def test_a_listing_with_variants_is_offered_from_its_lowest_price_to_its_highest(visitor):
    oil, (_small, large) = listing_with_variants(("100 ml", "90.00", 5), ("250 ml", "180.00", 2))

    page = visitor.get("listing", oil.slug, query={"variant": large.reference})

    offer = facts(page)["Product"]["offers"]
    assert canonical(page) == [f"{SITE}/en/goods/{oil.slug}/"]
    assert offer["@type"] == "AggregateOffer"
    assert (offer["lowPrice"], offer["highPrice"], offer["offerCount"]) == ("90.00", "180.00", 2)
    assert (offer["priceCurrency"], offer["availability"]) == ("MAD", "https://schema.org/InStock")
    assert "price" not in offer
    assert "from MAD 90.00" in meta(page, "og:image:alt")[0].replace("\u00a0", " ")


def test_stars_are_told_only_where_somebody_gave_them(honey):
    def told(reviews):
        return structured.product(
            honey,
            url="/x/",
            description="",
            price=None,
            left=0,
            pictures=[],
            estimate=None,
            perishable=False,
            reviews=reviews,
            share_card="/card.jpg",
        ).get("aggregateRating")

    assert told(None) is None
    assert told({"figure": Decimal(0), "number": 0}) is None
    assert told({"figure": Decimal("4.666"), "number": 3}) == {
        "@type": "AggregateRating",
        "ratingValue": "4.7",
        "reviewCount": 3,
        "bestRating": 5,
        "worstRating": 1,
    }


def test_the_way_to_a_page_and_the_goods_of_a_list_are_told_in_their_order(visitor, honey):
    ListingFactory(title="Soap", slug="soap", cooperative=honey.cooperative)

    listing, goods = facts(visitor.get("listing", honey.slug)), facts(visitor.get("listings"))

    assert [
        (each["position"], each["name"], each["item"])
        for each in listing["BreadcrumbList"]["itemListElement"]
    ] == [
        (1, "Shop", f"{SITE}/en/"),
        (2, "Food", f"{SITE}/en/kinds/food/"),
        (3, "Thyme honey", f"{SITE}/en/goods/thyme-honey/"),
    ]
    assert [
        (each["position"], each["name"], each["url"]) for each in goods["ItemList"]["itemListElement"]
    ] == [
        (1, "Soap", f"{SITE}/en/goods/soap/"),
        (2, "Thyme honey", f"{SITE}/en/goods/thyme-honey/"),
    ]


def test_the_shop_can_be_searched_from_outside(now):
    told = facts(Visitor("ar").get("home"))

    assert told["Organization"]["name"] == "Tadamon"
    assert told["Organization"]["url"] == f"{SITE}/"
    assert told["WebSite"]["inLanguage"] == "ar"
    assert told["WebSite"]["potentialAction"] == {
        "@type": "SearchAction",
        "target": {"@type": "EntryPoint", "urlTemplate": f"{SITE}/ar/goods/?q={{search_term_string}}"},
        "query-input": "required name=search_term_string",
    }


def test_a_cooperative_is_told_with_its_place(visitor, honey):
    told = facts(visitor.get("cooperative", "jbel-nahla"))["Organization"]

    assert told["name"] == "Jbel Nahla"
    assert told["address"] == {
        "@type": "PostalAddress",
        "streetAddress": "Douar Aït Ali, Essaouira",
        "addressLocality": "Chefchaouen",
        "addressRegion": honey.cooperative.region.name,
        "addressCountry": "MA",
    }
    assert told["telephone"] == "+212600000001"


HOSTILE = "</script><script>alert(1)</script><!-- & \u2028 \" ' {{ x }}"


def test_no_title_ends_the_block_it_stands_in(visitor):
    cooperative = CooperativeFactory(name=HOSTILE, place=HOSTILE[:60])
    listing = ListingFactory(cooperative=cooperative)
    Product.objects.filter(pk=listing.pk).update(
        title=HOSTILE, title_fr=HOSTILE, title_en=HOSTILE, description=HOSTILE
    )

    for page, argument in (("listing", listing.slug), ("cooperative", cooperative.slug)):
        response = visitor.get(page, argument)
        assert "<script>alert" not in response.content.decode()
    told = facts(visitor.get("listing", listing.slug))["Product"]
    assert told["name"] == HOSTILE
    assert told["brand"]["name"] == HOSTILE
    assert facts(visitor.get("listings"))["ItemList"]["itemListElement"][0]["name"] == HOSTILE


def test_telling_all_this_asks_nothing_more_of_the_database(visitor, honey, django_assert_num_queries):
    response = visitor.get("listing", honey.slug)
    context = response.context[0].flatten()

    with django_assert_num_queries(0):
        told = found.about(context, response.wsgi_request)

    assert told.title == "Thyme honey"
