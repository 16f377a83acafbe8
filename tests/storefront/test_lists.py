"""Lists and searches as a visitor meets them: pages, filters, what makes no sense, what finds nothing."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalogue import prices, publishing, stock
from shop.core import clock
from shop.search.models import Waiting
from tests.factories import (
    NOW,
    CertificationFactory,
    CooperativeFactory,
    DeliveryRateFactory,
    LabelFactory,
    ListingFactory,
    RegionFactory,
    mad,
)
from tests.storefront.test_browsing import names_in, put, text_of, tree
from tests.storefront.visiting import Visitor

__all__ = ["tree"]

pytestmark = pytest.mark.django_db

LANGUAGES = ("fr", "ar", "en")


def notices_in(response):
    return [each.strip() for each in re.findall(r'class="notice(?: \w+)?"[^>]*>([^<]*)', text_of(response))]


def way(response, rel):
    """The address of the page before or after."""
    found = re.search(rf'rel="{rel}" href="([^"]*)"', text_of(response))
    return found and found[1].replace("&amp;", "&")


def walked(visitor, query, rel="next", start=""):
    """The goods of every page, following one way until it ends."""
    path = visitor.url("listings")
    pages, address = [], start or "?" + "&".join(f"{key}={value}" for key, value in query.items())
    while address and len(pages) < 20:
        response = visitor.client.get(path + address)
        pages.append(names_in(response))
        address = way(response, rel)
    return pages


# Pages


@pytest.mark.parametrize(
    "query",
    [{}, {"sort": "cheapest"}, {"sort": "dearest"}, {"q": "honey"}, {"q": "honey", "sort": "newest"}],
    ids=str,
)
def test_pages_show_every_good_once_and_lead_back_the_same_way(visitor, query):
    maker = CooperativeFactory()
    for number in range(53):
        # Many cost the same: equal places must not lose or double a good.
        ListingFactory(title=f"Honey {number:02d}", price=f"{10 + number % 3}.00", cooperative=maker)
    first = visitor.get("listings", query=query)

    there = walked(visitor, query)

    assert [len(each) for each in there] == [24, 24, 5]
    assert there[0] == names_in(first)
    assert len({name for page in there for name in page}) == 53
    last = [way(first, "next")]
    last.append(way(visitor.client.get(visitor.url("listings") + last[0]), "next"))
    end = visitor.client.get(visitor.url("listings") + last[1])
    back = walked(visitor, query, rel="prev", start=way(end, "prev"))
    assert [*reversed(back), there[2]] == there


def test_a_list_of_one_page_has_no_ways_to_others(visitor):
    ListingFactory()

    page = visitor.get("listings")

    assert way(page, "next") is None
    assert way(page, "prev") is None


def test_newest_and_price_are_the_orders_and_a_search_begins_with_the_closest(visitor):
    ListingFactory(title="Soap with honey", price="10.00")
    ListingFactory(title="Honey", price="20.00")
    maker = CooperativeFactory(name="Honey house")
    ListingFactory(title="Rug", cooperative=maker, price="5.00")

    found = names_in(visitor.get("listings", query={"q": "honey"}))

    assert found[-1] == "Rug"
    assert set(found[:2]) == {"Honey", "Soap with honey"}
    assert names_in(visitor.get("listings", query={"q": "honey", "sort": "newest"})) == [
        "Rug",
        "Honey",
        "Soap with honey",
    ]
    assert 'value="relevance" selected' in text_of(visitor.get("listings", query={"q": "honey"}))
    assert 'value="relevance"' not in text_of(visitor.get("listings"))


@pytest.mark.parametrize(
    "at",
    [
        {"after": "zz"},
        {"after": "1.2.3"},
        {"before": "' OR 1=1 --"},
        {"after": "zzzzzzzzzzzzz.zzzzzzzzzzzzz"},
        {"after": "-zzzzzzzzzzzzzzzz.1"},
        {"after": "-1.0"},
        {"before": "3w5e11264sgsf.1y2p0ij32e8e7"},
        {"after": "٣.٣"},
        {"page": "2"},
        {"page": "0"},
        {"page": "two"},
        {"page": "1000000000"},
        {"page": "9" * 400},
    ],
    ids=str,
)
def test_a_place_that_no_page_of_ours_has_written_shows_the_first_page(visitor, at):
    ListingFactory(title="Honey")

    page = visitor.get("listings", query=at)

    assert page.status_code == 200
    assert names_in(page) == ["Honey"]
    assert notices_in(page) in ([], ["That page of the list does not exist; this is the first one."])
    assert notices_in(page) or "before" in at


def test_an_old_place_in_a_list_that_has_shrunk_shows_the_first_page(visitor):
    maker = CooperativeFactory()
    made = [ListingFactory(title=f"Honey {number:02d}", cooperative=maker) for number in range(26)]
    following = way(visitor.get("listings"), "next")
    for each in made[:2]:
        publishing.withdraw(listing=each)
    visitor.get("listings")

    page = visitor.client.get(visitor.url("listings") + following)

    assert len(names_in(page)) == 24
    assert notices_in(page) == ["That page of the list does not exist; this is the first one."]


# What is true


def test_a_good_leaves_at_once_when_its_certificate_is_suspended_though_no_task_ran(visitor):
    certification = CertificationFactory()
    ListingFactory(title="Claims", cooperative=certification.cooperative, claims=[certification])
    ListingFactory(title="Plain")
    assert names_in(visitor.get("listings")) == ["Plain", "Claims"]

    certification.suspend(reason="in doubt")
    certification.save()
    page = visitor.client.get(visitor.url("listings"))

    assert Waiting.objects.count() == 1
    assert names_in(page) == ["Plain"]


def test_goods_and_their_number_leave_on_the_day_the_certificate_lapses_though_no_task_ran(
    visitor, monkeypatch
):
    certification = CertificationFactory(valid_until=date(2026, 11, 30))
    ListingFactory(title="Claims", cooperative=certification.cooperative, claims=[certification])
    ListingFactory(title="Plain")
    assert visitor.get("listings").context["goods"] == 2

    monkeypatch.setattr(clock, "now", lambda: NOW.replace(month=12, day=1))
    page = visitor.client.get(visitor.url("listings"))

    assert names_in(page) == ["Plain"]
    assert page.context["goods"] == 1


def test_a_price_on_a_card_is_the_price_of_now_though_the_index_is_older(visitor):
    honey = ListingFactory(title="Honey", price="20.00")
    visitor.get("listings")

    prices.change(listing=honey, price=mad("25.00"))
    page = visitor.client.get(visitor.url("listings"))

    assert Waiting.objects.count() == 1
    assert "25" in text_of(page)


# Filters


def test_a_price_narrows_from_both_sides_and_is_a_chip(visitor):
    for price in ("10.00", "50.00", "90.50"):
        ListingFactory(title=f"At {price}", price=price)

    both = visitor.get("listings", query={"from": "20", "to": "60"})

    assert names_in(both) == ["At 50.00"]
    assert names_in(visitor.get("listings", query={"from": "50"})) == ["At 90.50", "At 50.00"]
    assert names_in(visitor.get("listings", query={"to": "٥٠"})) == ["At 50.00", "At 10.00"]
    assert names_in(visitor.get("listings", query={"from": "90,50"})) == ["At 90.50"]
    assert names_in(visitor.get("listings", query={"from": "60", "to": "20"})) == ["At 50.00"]
    assert re.search(r'<a class="chip" href="/en/goods/">\s*<?', text_of(both))
    assert 'name="from" type="text" inputmode="decimal" maxlength="12" value="20"' in text_of(both)


def test_women_s_cooperatives_and_their_name_in_a_search(visitor):
    ListingFactory(title="Theirs", cooperative=CooperativeFactory(women_only=True))
    ListingFactory(title="Others")

    assert names_in(visitor.get("listings", query={"women": "1"})) == ["Theirs"]
    assert names_in(visitor.get("listings", query={"q": "نساء"})) == ["Theirs"]


def test_one_maker_is_a_filter(visitor):
    ListingFactory(title="Hers", cooperative=CooperativeFactory(slug="nahla", name="Coopérative Nahla"))
    ListingFactory(title="Others")

    page = visitor.get("listings", query={"maker": "nahla"})

    assert names_in(page) == ["Hers"]
    assert "Nahla" in text_of(page)


def test_what_no_carrier_brings_to_her_region_is_left_out(visitor):
    RegionFactory(code="MA-06")
    south, north = RegionFactory(code="MA-11"), RegionFactory(code="MA-01")
    DeliveryRateFactory(from_region=north, to_region=None, up_to_g=20_000)
    DeliveryRateFactory(from_region=None, to_region=south, up_to_g=1_000)
    ListingFactory(title="Heavy", gross_weight_g=15_000, cooperative=CooperativeFactory(region=north))
    ListingFactory(title="Light", gross_weight_g=900, cooperative=CooperativeFactory(region=south))

    assert names_in(visitor.get("listings", query={"ships": "MA-06"})) == ["Heavy"]
    assert names_in(visitor.get("listings", query={"ships": "MA-11"})) == ["Light", "Heavy"]
    assert "Delivered to MA-06" in text_of(visitor.get("listings", query={"ships": "MA-06"}))


def test_the_forms_of_a_list_carry_each_other_along(visitor, tree):
    put(ListingFactory(origin_region=RegionFactory(code="MA-01")), tree["honey"])
    asked = {"q": "huile", "region": "MA-01", "from": "5", "stock": "1", "sort": "cheapest"}

    page = text_of(visitor.get("listings", query=asked))

    filters, sort = page.partition('id="filters"')[2], page.partition('id="filters"')[0]
    hidden = r'<input type="hidden" name="([^"]*)" value="([^"]*)">'
    assert set(re.findall(hidden, filters)) == {("q", "huile"), ("sort", "cheapest")}
    assert set(re.findall(hidden, sort)) == {
        ("q", "huile"),
        ("region", "MA-01"),
        ("from", "5"),
        ("stock", "1"),
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "query",
    [
        {"region": "MA-99"},
        {"region": ["1 OR 1=1", "MA-07", "MA-07", ""]},
        {"category": "nothing"},
        {"category": "<script>"},
        {"label": "x" * 500},
        {"maker": "somebody"},
        {"ships": "MA-99"},
        {"from": "abc"},
        {"to": "-5"},
        {"from": "1e400"},
        {"to": "NaN"},
        {"from": "9" * 300},
        {"region": [f"MA-{number}" for number in range(300)]},
        {"sort": "price; drop"},
        {"unknown": "x"},
        {"stock": "yes", "women": "0"},
    ],
    ids=lambda query: str(query)[:40],
)
def test_a_filter_that_makes_no_sense_is_left_out_and_said(now, language, query):
    ListingFactory(title="Honey", title_ar="عسل", origin_region=RegionFactory(code="MA-07"))

    page = Visitor(language).get("listings", query=query)

    assert page.status_code == 200
    assert len(names_in(page)) == 1
    is_silent = set(query) <= {"unknown", "stock", "women"}
    assert len(notices_in(page)) == (0 if is_silent else 1)


def test_what_was_left_out_is_named_and_escaped(visitor):
    ListingFactory(title="Honey")

    page = visitor.get("listings", query={"region": "<b>MA-99", "to": "cheap", "sort": "odd"})

    assert notices_in(page) == [
        "Left out, because nothing here is called so: Price “cheap”, Region “&lt;b&gt;MA-99”.",
        "There is no such order; the list stands in its usual one.",
    ]


# Searches


BAD = {
    "operators": "miel AND (NOT NEAR/3 *) OR -thym",
    "quotes": "\"miel' « ’’’ \\",
    "ten thousand letters": "miel " * 2000,
    "one word of ten thousand letters": "m" * 10_000,
    "emoji": "🐪🍯",
    "only vowel signs": "\u064b\u064c\u0651",
    "only accents": "\u0301\u0302",
    "SQL": "'; DROP TABLE search_entry; --",
    "a pattern": "%_%* ^$ [a-z]+ \\d",
    "a column of the index": "title:miel {names text}: ^miel",
    "only punctuation": "... !!! ؟؟ ،،",
    "only silent words": "de la le les the و في",
    "another script": "мёд 蜂蜜 μέλι",
    "marks of direction": "\u200f\u202emiel\u202c",
    "half a surrogate": "\ud83d".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
    "a tag": "<script>alert(1)</script>",
    "spaces": " \u00a0\t\n ",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("typed", BAD.values(), ids=BAD)
def test_whatever_is_typed_there_is_a_helpful_page(now, language, typed):
    ListingFactory(title_fr="Miel de thym", title_ar="عسل الزعتر", title_en="Thyme honey")

    for asked in ({"q": typed}, {"q": typed, "sort": "cheapest", "stock": "1", "region": "MA-07"}):
        page = Visitor(language).get("listings", query=asked)

        assert page.status_code == 200
        # Goods that fit, or goods to go on with.
        assert len(names_in(page)) == 1
        assert "<script>alert" not in page.content.decode()
    assert Visitor(language).get("suggest", query={"q": typed}).status_code == 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_nul_is_refused_with_a_page(now, language):
    page = Visitor(language).get("listings", query={"q": "miel\0"})

    assert page.status_code == 400
    assert "<h1" in page.content.decode()


def test_a_word_spelled_otherwise_is_found_and_said(visitor):
    ListingFactory(title="Saffron of Taliouine")
    ListingFactory(title="Rug")

    page = visitor.get("listings", query={"q": "safron talioune"})

    assert names_in(page) == ["Saffron of Taliouine"]
    assert notices_in(page) == [
        "Nothing is called “safron talioune”. These are the goods for “saffron taliouine”."
    ]


def test_a_word_begun_finds_what_it_begins_and_says_nothing(visitor):
    ListingFactory(title="Saffron of Taliouine")

    page = visitor.get("listings", query={"q": "saff"})

    assert names_in(page) == ["Saffron of Taliouine"]
    assert notices_in(page) == []


def test_a_search_without_letters_says_so(visitor):
    ListingFactory(title="Rug")

    page = visitor.get("listings", query={"q": "🐪"})

    assert "There is no word in “🐪” to look for." in text_of(page)
    assert page.context["goods"] == 0


def test_when_filters_leave_nothing_of_a_search_its_goods_are_shown_without_them(visitor, tree):
    put(ListingFactory(title="Thyme honey", origin_region=RegionFactory(code="MA-01")), tree["honey"])
    RegionFactory(code="MA-09")

    page = visitor.get("listings", query={"q": "honey", "region": "MA-09"})

    assert page.context["goods"] == 0
    assert "In stock for some of “honey”" in text_of(page)
    assert names_in(page) == ["Thyme honey"]
    assert re.search(r'<a class="chip" href="/en/kinds/food/">Food</a>', text_of(page))


def test_a_search_with_three_facets_costs_at_most_eight_queries_and_a_category_twelve(visitor, tree):
    label = LabelFactory(code="aop")
    certification = CertificationFactory(label=label)
    region = RegionFactory(code="MA-01")
    for _ in range(30):
        listing = ListingFactory(
            title="Honey", cooperative=certification.cooperative, claims=[certification], origin_region=region
        )
        put(listing, tree["honey"])
    visitor.get("listings")

    def cost(page, *args, **query):
        with CaptureQueriesContext(connection) as queries:
            assert len(names_in(visitor.get(page, *args, query=query))) == 24
        return len(queries)

    assert cost("listings", q="honey", region="MA-01", label="aop", category="honey") <= 8
    assert cost("category", "honey") <= 12
    assert cost("listings", after="zz") <= 12


# Suggestions


def links_in(response):
    return re.findall(r'<a href="([^"]*)">\s*([^<]*?)\s*<', response.content.decode())


def test_what_is_typed_is_finished_with_words_kinds_makers_and_goods(visitor, tree):
    maker = CooperativeFactory(slug="honey-house", name="Coopérative Honey House")
    put(ListingFactory(slug="thyme-honey", title="Thyme honey", cooperative=maker), tree["honey"])
    put(ListingFactory(title="Rug", cooperative=maker), tree["home"])

    page = visitor.get("suggest", query={"q": "hon"})

    assert links_in(page) == [
        ("/en/goods/?q=honey", "honey"),
        ("/en/kinds/honey/", "Honey"),
        ("/en/cooperatives/honey-house/", "Honey House"),
        ("/en/goods/thyme-honey/", "Thyme honey"),
    ]
    assert "<html" not in page.content.decode()


def test_suggestions_cost_at_most_three_queries(visitor, tree):
    for number in range(40):
        put(ListingFactory(title=f"Honey {number}"), tree["honey"])
    visitor.get("listings")

    for typed in ("hon", "thyme hon", "hony", "zzzz", "", "h"):
        with CaptureQueriesContext(connection) as queries:
            visitor.get("suggest", query={"q": typed})
        assert len(queries) <= 3, typed


def test_a_slip_suggests_the_right_spelling_and_nonsense_nothing(visitor):
    ListingFactory(title="Saffron")

    assert links_in(visitor.get("suggest", query={"q": "safrron"})) == [
        ("/en/goods/?q=saffron", "Did you mean “saffron”?")
    ]
    assert visitor.get("suggest", query={"q": "qqqq"}).content.decode().strip() == ""


def test_suggestions_are_in_the_reader_s_language_and_of_what_is_on_sale(now):
    kept = ListingFactory(title_fr="Miel de thym", title_ar="عسل الزعتر", slug="kept")
    gone = ListingFactory(title_fr="Miel perdu", title_ar="عسل ضائع", slug="gone")
    Visitor().get("listings")
    publishing.withdraw(listing=gone)

    arabic = Visitor("ar").get("suggest", query={"q": "عس"})
    stale = Visitor("ar").client.get(Visitor("ar").url("suggest"), {"q": "عس"})

    assert ("/ar/goods/kept/", kept.title_ar) in links_in(arabic)
    assert "gone" not in stale.content.decode()


def test_stock_that_sells_out_moves_the_filter(visitor):
    honey = ListingFactory(title="Honey", stock=1)
    stock.reserve(quantities={honey.stockrecords.get().pk: 1}, about="T-1", at=NOW)

    assert visitor.get("listings", query={"stock": "1"}).context["goods"] == 0
    assert names_in(visitor.get("listings")) == ["Honey"]
