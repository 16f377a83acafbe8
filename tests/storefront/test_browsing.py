"""Lists, listings, labels, regions: only what is on sale today, and every word of it checked."""

from __future__ import annotations

import re
from datetime import date

import pytest
from oscar.core.loading import get_model

from catalogue import publishing, stock
from shop.core import clock
from tests.factories import (
    NOW,
    CertificationFactory,
    CooperativeFactory,
    LabelFactory,
    ListingFactory,
    RegionFactory,
)
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode()).replace("\u00a0", " ")


def names_in(response):
    """The goods on a list, in their order."""
    return re.findall(r'class="name"><a href="[^"]*">([^<]*)</a>', response.content.decode())


@pytest.fixture
def tree():
    """Food, with honey below it; and home."""
    category_model = get_model("catalogue", "Category")
    food = category_model.add_root(name="Food", slug="food", code="food")
    category_model.objects.get(pk=food.pk).add_child(name="Honey", slug="honey", code="honey")
    category_model.add_root(name="Home", slug="home", code="home")
    return {each.slug: each for each in category_model.objects.all()}


def put(listing, category):
    get_model("catalogue", "ProductCategory").objects.create(product=listing, category=category)
    return listing


def test_a_listing_tells_price_maker_place_and_who_gets_what(visitor):
    cooperative = CooperativeFactory(name="Jbel Nahla", place="Chefchaouen", is_demo=True)
    honey = ListingFactory(
        title="Thyme honey",
        price="150.00",
        unit="500 g",
        cooperative=cooperative,
        origin_region=RegionFactory(),
        allergens="none",
    )

    page = text_of(visitor.get("listing", honey.slug))

    for said in (
        "Thyme honey",
        "MAD 150.00",
        "which is <bdi>MAD 300</bdi> per kilo",
        "MAD 133.50",
        "MAD 12.50",
        "MAD 2.50",
        "MAD 1.50",
        "Jbel Nahla",
        "Marrakech-Safi",
        "Douar Aït Ali, Essaouira",
        "RC/2014/17</bdi> (fictional)",
        "001234567000089</bdi> (fictional)",
        "06 00 00 00 01",
        "send it back within 7 days",
        "10 ready at the cooperative",
    ):
        assert said in page, said


def test_goods_that_spoil_quickly_say_that_they_cannot_come_back(visitor):
    cheese = ListingFactory(shelf_life_months=1)

    page = text_of(visitor.get("listing", cheese.slug))

    assert "cannot be sent back" in page


@pytest.mark.parametrize(
    ("left", "said"), [(1, "Only 1 left"), (3, "Only 3 left"), (4, "In stock"), (0, "Sold out")]
)
def test_stock_is_said_first(visitor, left, said):
    honey = ListingFactory(stock=left)

    page = text_of(visitor.get("listing", honey.slug))

    assert said in page
    assert ("Add to the basket" in page) == (left > 0)


def test_what_is_not_on_sale_has_no_page(visitor):
    honey = ListingFactory()
    publishing.withdraw(listing=honey)

    assert visitor.get("listing", honey.slug).status_code == 410
    assert names_in(visitor.get("listings")) == []


def test_a_listing_and_its_label_leave_on_the_day_the_certificate_lapses(visitor, monkeypatch):
    certification = CertificationFactory(valid_until=date(2026, 11, 30), number="IGP-117")
    honey = ListingFactory(cooperative=certification.cooperative, claims=[certification])
    before = text_of(visitor.get("listing", honey.slug))

    monkeypatch.setattr(clock, "now", lambda: NOW.replace(month=12, day=1))

    assert 'Certificate <bdi dir="ltr" class="num">IGP-117</bdi>. Valid until 30 November 2026.' in before
    assert visitor.get("listing", honey.slug).status_code == 410
    assert names_in(visitor.get("listings")) == []
    assert "Nobody holds it today." in text_of(visitor.get("label", certification.label.code))


def test_filters_of_one_kind_widen_and_kinds_narrow(visitor, tree):
    souss, rif = RegionFactory(code="MA-09"), RegionFactory(code="MA-01")
    put(ListingFactory(title="A", origin_region=souss), tree["honey"])
    put(ListingFactory(title="B", origin_region=rif), tree["honey"])
    put(ListingFactory(title="C", origin_region=rif), tree["home"])

    assert names_in(visitor.get("listings")) == ["C", "B", "A"]
    assert names_in(visitor.get("listings", query={"region": ["MA-09", "MA-01"]})) == ["C", "B", "A"]
    assert names_in(visitor.get("listings", query={"region": "MA-01"})) == ["C", "B"]
    assert names_in(visitor.get("listings", query={"region": "MA-01", "category": "food"})) == ["B"]
    assert names_in(visitor.get("category", "food")) == ["B", "A"]
    assert names_in(visitor.get("category", "food", query={"region": "MA-09"})) == ["A"]
    assert names_in(visitor.get("region", "MA-09")) == ["A"]


def test_filters_count_what_each_choice_would_find_and_can_be_taken_away(visitor, tree):
    souss, rif = RegionFactory(code="MA-09"), RegionFactory(code="MA-01")
    maker = CooperativeFactory(slug="jbel-nahla", women_only=True)
    put(ListingFactory(origin_region=souss), tree["honey"])
    put(ListingFactory(origin_region=rif, cooperative=maker), tree["honey"])
    put(ListingFactory(origin_region=rif, cooperative=maker, stock=0), tree["home"])

    page = text_of(visitor.get("listings", query={"region": "MA-01"}))

    counts = dict(
        re.findall(r'value="([\w-]{2,})"[^>]*>\s*<span>[^<]*</span>\s*<span class="n"><bdi>(\d+)', page)
    )
    assert counts == {
        "MA-01": "2",
        "MA-09": "1",
        "food": "1",
        "honey": "1",
        "home": "1",
        "jbel-nahla": "2",
    }
    assert dict(re.findall(r'name="(stock|women)" value="1">.*?<bdi>(\d+)', page)) == {
        "stock": "1",
        "women": "2",
    }
    assert re.search(r'<a class="chip" href="/en/goods/">\s*MA-01', page)


def test_a_label_filters_and_has_its_page(visitor):
    label = LabelFactory(code="aop", name="Protected origin", short_name="PDO")
    certification = CertificationFactory(label=label)
    ListingFactory(title="With", cooperative=certification.cooperative, claims=[certification])
    ListingFactory(title="Without")

    assert names_in(visitor.get("listings", query={"label": "aop"})) == ["With"]
    assert names_in(visitor.get("label", "aop")) == ["With"]


def test_prices_sort_both_ways_and_stock_filters(visitor):
    ListingFactory(title="Dear", price="90.00")
    ListingFactory(title="Cheap", price="10.00")
    gone = ListingFactory(title="Gone", price="50.00", stock=1)
    stock.reserve(quantities={gone.stockrecords.get().pk: 1}, about="T-OTHER", at=NOW)

    assert names_in(visitor.get("listings", query={"sort": "cheapest"})) == ["Cheap", "Gone", "Dear"]
    assert names_in(visitor.get("listings", query={"sort": "dearest"})) == ["Dear", "Gone", "Cheap"]
    assert names_in(visitor.get("listings", query={"stock": "1"})) == ["Cheap", "Dear"]


@pytest.mark.parametrize(
    "typed",
    ["miel", "MIEL", "thym miel", "  Miël ", "عسل", "عَسَل", "honey", "nahla"],
)
def test_a_search_finds_in_every_language_without_accents_or_case(visitor, typed):
    cooperative = CooperativeFactory(name="Jbel Nahla")
    ListingFactory(
        title_fr="Miel de thym", title_ar="عسل الزعتر", title_en="Thyme honey", cooperative=cooperative
    )
    ListingFactory(title_fr="Tapis", title_ar="زربية", title_en="Rug")

    assert names_in(visitor.get("listings", query={"q": typed})) == ["Thyme honey"]


def test_a_search_without_result_says_so_and_offers_what_is_there(visitor):
    ListingFactory(title="Rug")

    page = visitor.get("listings", query={"q": "<b>cedar</b> honey.*("})

    assert page.status_code == 200
    assert "Nothing fits “&lt;b&gt;cedar&lt;/b&gt; honey.*(”." in text_of(page)
    assert names_in(page) == ["Rug"]


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ("listing", "nothing"),
        ("category", "nothing"),
        ("region", "MA-99"),
        ("label", "nothing"),
        ("cooperative", "no"),
    ],
)
def test_what_does_not_exist_is_not_found_in_the_readers_language(now, page, code):
    response = Visitor("ar").get(page, code)

    assert response.status_code == 404
    assert 'lang="ar" dir="rtl"' in response.content.decode()


def test_a_suspended_cooperative_leaves_with_its_goods(visitor):
    honey = ListingFactory()
    cooperative = honey.cooperative
    cooperative.suspend()
    cooperative.save()

    assert visitor.get("cooperative", cooperative.slug).status_code == 410
    assert names_in(visitor.get("listings")) == []


def test_home_is_true_on_the_day_and_in_every_language(now):
    ListingFactory(title_fr="Miel", title_ar="عسل", title_en="Honey")

    for language, said in (("en", "Late November"), ("ar", "نونبر"), ("fr", "novembre")):
        page = Visitor(language).get("home")
        assert page.status_code == 200
        assert said in text_of(page)


def test_an_empty_shop_still_has_its_pages(visitor):
    for page in ("home", "listings", "regions", "labels", "cooperatives", "basket", "account"):
        assert visitor.get(page).status_code == 200, page


def test_a_listing_without_picture_has_a_plate_unlike_its_neighbour(visitor):
    first, second = ListingFactory(family="miel"), ListingFactory(family="miel")

    page = visitor.get("listings").content.decode()
    plates = re.findall(r'src="(/en/plates/[^"]+)"', page)
    drawn = [visitor.client.get(each.replace("&amp;", "&")) for each in plates]

    assert len(plates) == 2
    assert {each.status_code for each in drawn} == {200}
    assert {each["Content-Type"] for each in drawn} == {"image/svg+xml"}
    grounds = [re.search(r'fill="(#[0-9a-f]{6})"', each.content.decode(), re.I)[1] for each in drawn]
    assert grounds[0] != grounds[1]
    assert {first.reference, second.reference}


def test_no_page_carries_an_inline_style_or_script(visitor, tree):
    put(ListingFactory(), tree["honey"])

    for page in ("home", "listings", "regions", "labels", "cooperatives", "account"):
        response = visitor.get(page)
        text = response.content.decode()
        assert " style=" not in text
        # Files only; and data in another type than a script's, which no browser runs.
        for attributes, inside in re.findall(r"<script([^>]*)>(.*?)</script>", text, re.DOTALL):
            assert (" src=" in attributes and not inside) or 'type="application/ld+json"' in attributes
        assert not re.search(r"\son[a-z]+=", text)
        assert "default-src 'self'" in response["Content-Security-Policy"]


# The first page


def test_the_great_picture_is_of_what_the_fewest_may_carry_and_five_makers_share_the_first_screen(visitor):
    common = LabelFactory(code="igp", kind="legal_sign", short_name="PGI")
    rare = LabelFactory(code="aop", kind="legal_sign", short_name="PDO")
    makers = [CooperativeFactory(name=f"Coopérative Maker {number}") for number in range(6)]

    def good(title, maker, label=None):
        listing = ListingFactory(title=title, cooperative=maker)
        if label:
            certification = CertificationFactory(label=label, cooperative=maker)
            listing.label_claims.create(certification=certification)
        return listing

    good("Saffron", makers[0], rare)
    good("Oil", makers[1], common)
    good("Dates", makers[2], common)
    good("Dates again", makers[2], common)
    for number in (3, 4, 5):
        good(f"Plain {number}", makers[number])

    response = visitor.get("home")

    assert response.context["big"]["name"] == "Saffron"
    assert [each["name"] for each in response.context["beside"]] == [
        "Dates again",
        "Oil",
        "Plain 5",
        "Plain 4",
    ]
    assert [each["name"] for each in response.context["new"]] == ["Plain 3", "Dates"]


def test_a_maker_among_others_is_named_without_the_word_all_of_them_start_with(visitor):
    ListingFactory(cooperative=CooperativeFactory(name="Coopérative Jbel Nahla", place="Chefchaouen"))

    page = text_of(visitor.get("listings"))

    assert re.search(r'<p class="by">\s*Jbel Nahla, Chefchaouen\s*</p>', page)


def test_when_nothing_fits_all_her_words_one_of_them_finds_goods(visitor):
    ListingFactory(title="Thyme honey")
    ListingFactory(title="Rug")

    page = visitor.get("listings", query={"q": "cedar honey"})
    hopeless = visitor.get("listings", query={"q": "zzzz"})

    assert "Nothing fits “cedar honey”." in text_of(page)
    assert "In stock for some of “cedar honey”" in text_of(page)
    assert names_in(page) == ["Thyme honey"]
    assert "In stock meanwhile" in text_of(hopeless)
