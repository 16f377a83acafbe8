"""Home, harvests, regions and cooperatives: where goods come from, and when."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta

import pytest
from django.core.cache import cache

from catalogue import publishing
from shop.core import clock
from shop.ledger import entries
from shop.search import indexing
from shop.storefront import shelves
from tests.factories import (
    NOW,
    CertificationFactory,
    CooperativeFactory,
    LabelFactory,
    ListingFactory,
    RegionFactory,
    mad,
)
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db

TODAY = NOW.date()


def text_of(response):
    page = re.sub(r"</?(bdi|b|a|span)\b[^>]*>", "", response.content.decode())
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page))).replace("\u00a0", " ")


def names_in(response):
    return re.findall(r'class="name"><a href="[^"]*">([^<]*)</a>', response.content.decode())


# The season


def test_what_is_harvested_this_month_stands_on_the_first_screen(visitor):
    saffron = ListingFactory(family="safran", title_en="Saffron", title_fr="Safran")
    ListingFactory(family="dattes", title_en="Dates", title_fr="Dattes")
    for number in range(6):
        ListingFactory(family="tapis", title=f"Rug {number}")

    response = visitor.get("home")

    assert response.context["big"]["name"] == "Saffron"
    assert [each["name"] for each in response.context["beside"]] == ["Dates", "Rug 5", "Rug 4", "Rug 3"]
    assert "Picked before sunrise from mid-October to mid-November" in text_of(response)
    assert 'href="/en/goods/?q=safran"' in response.content.decode()
    assert saffron.cooperative.place in text_of(response)


def test_only_what_can_be_bought_is_in_season(visitor):
    ListingFactory(family="safran", title="Saffron", stock=0)

    response = visitor.get("home")

    assert response.context["seasons"] == []
    assert "Picked and pressed this month" not in text_of(response)


def test_a_season_with_many_goods_leaves_room_for_the_others(now):
    ListingFactory(family="safran", title="Safran")
    for number in range(shelves.OF_A_SEASON + 2):
        ListingFactory(family="dattes", title=f"Dattes {number}")

    indexing.refresh()

    found = shelves.of_season(on=TODAY)

    assert {code: len(ids) for code, ids in found.items()} == {
        "olive-oil": 0,
        "strawberry-tree-honey": 0,
        "saffron": 1,
        "dates": shelves.OF_A_SEASON,
    }


def test_out_of_every_season_the_newest_goods_stand_in_front(visitor, monkeypatch):
    ListingFactory(family="safran", title="Saffron")
    ListingFactory(family="tapis", title="Rug")
    monkeypatch.setattr(clock, "now", lambda: NOW.replace(year=2027, month=2))

    response = visitor.get("home")

    assert response.context["big"]["name"] == "Rug"
    assert response.context["seasons"] == []


def test_goods_that_went_off_sale_meanwhile_are_not_shown_from_memory(visitor):
    ListingFactory(family="tapis", title="Rug")
    gone = ListingFactory(family="safran", title="Saffron")
    assert "Saffron" in str(visitor.get("home").context["big"])

    publishing.withdraw(listing=gone)

    response = visitor.get("home")
    assert response.context["big"]["name"] == "Rug"


def test_the_calendar_has_this_month_in_front_and_every_harvest_once(visitor):
    response = visitor.get("calendar")

    now, later = ([each["name"] for each in response.context[key]] for key in ("now", "later"))
    assert now == ["New olive oil", "Strawberry-tree honey", "Saffron", "Dates"]
    assert later[0] == "Rosemary honey"
    assert len(set(now + later)) == len(now + later) == 19
    text = text_of(response)
    assert "November to January" in text
    months = re.findall(r'class="m-(\w+)"', response.content.decode())
    assert len(months) == 19 * 12
    assert months.count("now") == 4


@pytest.mark.parametrize(
    ("language", "said"), [("fr", "d'octobre à novembre"), ("ar", "من أكتوبر إلى نونبر")]
)
def test_the_months_of_a_harvest_are_said_in_the_readers_language(now, language, said):
    assert said in text_of(Visitor(language).get("calendar"))


# Counts


def test_counts_are_of_what_is_on_sale_and_stop_somewhere(now, monkeypatch):
    rif, souss = RegionFactory(code="MA-01"), RegionFactory(code="MA-09")
    label = LabelFactory(code="aop")
    certification = CertificationFactory(label=label)
    maker = certification.cooperative
    for _ in range(3):
        ListingFactory(cooperative=maker, origin_region=rif, claims=[certification])
    ListingFactory(origin_region=souss, state="draft")
    ListingFactory(cooperative=maker, origin_region=souss)
    indexing.refresh()

    assert {key: goods for key, goods in shelves.by_region(on=TODAY).items() if goods} == {
        "MA-01": 3,
        "MA-09": 1,
    }
    assert shelves.by_cooperative(on=TODAY)[maker.pk] == 4
    assert shelves.by_label(on=TODAY) == {label.pk: 3}
    assert shelves.whole(on=TODAY) == shelves.Shop(goods=4, is_more=False, makers=1)

    monkeypatch.setattr(shelves, "MOST", 2)
    cache.clear()
    assert shelves.by_region(on=TODAY)["MA-01"] == 2
    assert shelves.whole(on=TODAY) == shelves.Shop(goods=2, is_more=True, makers=1)
    assert (shelves.said(1), shelves.said(2)) == ("1", "2+")


def test_a_certificate_that_lapses_takes_its_goods_out_of_the_counts_on_the_day(now):
    certification = CertificationFactory(valid_until=TODAY)
    ListingFactory(
        cooperative=certification.cooperative,
        claims=[certification],
        origin_region=RegionFactory(code="MA-01"),
    )
    indexing.refresh()

    assert shelves.by_region(on=TODAY)["MA-01"] == 1
    assert shelves.by_region(on=TODAY + timedelta(days=1))["MA-01"] == 0
    assert shelves.by_label(on=TODAY + timedelta(days=1)) == {certification.label_id: 0}


# Regions


def test_a_region_tells_what_is_made_there_by_whom_and_marks_itself_on_the_map(visitor):
    souss = RegionFactory(code="MA-09", name_fr="Souss-Massa")
    maker = CooperativeFactory(name="Tiwizi", place="Tiznit", region=souss, women_only=True)
    ListingFactory(title="Almonds", cooperative=maker, origin_region=souss)
    RegionFactory(code="MA-01", name_fr="Tanger-Tétouan-Al Hoceima")

    response = visitor.get("region", "MA-09")

    text, page = text_of(response), response.content.decode()
    assert "saffron of Taliouine" in text
    assert "8 protected names of this region" in text
    assert "Taliouine saffron PDO" in text
    assert "Tiwizi, Tiznit · women's cooperative" in text
    assert names_in(response) == ["Almonds"]
    assert re.search(
        r'<a href="/en/regions/MA-09/"[^>]* aria-current="true"><span>Souss</span><b>1</b>', page
    )
    assert re.search(r'<a href="/en/regions/MA-01/"[^>]*><span>Tanger</span><b>0</b>', page)
    # Beside the words on a desk, below the goods on a phone: one of the two is shown.
    assert page.count('aria-current="true"><span>') == 2


def test_who_filters_a_region_sees_goods_at_once(visitor):
    RegionFactory(code="MA-09")

    page = text_of(visitor.get("region", "MA-09", query={"stock": "1"}))

    assert "Who works here" not in page


def test_a_region_where_nobody_sells_yet_says_so(visitor):
    RegionFactory(code="MA-11")

    page = text_of(visitor.get("region", "MA-11"))

    assert "No cooperative of this region sells here yet." in page
    assert "protected name" not in page


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_every_region_has_its_words_in_every_language(now, language):
    for number in range(1, 13):
        RegionFactory(code=f"MA-{number:02d}")

    page = Visitor(language).get("regions")

    said = [row["said"] for row in page.context["rows"]]
    assert len(set(said)) == 12
    assert all(len(each) > 40 for each in said)
    assert all(any("\u0600" <= letter <= "\u06ff" for letter in each) == (language == "ar") for each in said)


# Cooperatives


def sold(cooperative, number, *, on, goods="100.00", share="89.00"):
    """One completed sale in the books, of which the shop keeps 10 and the fund 1."""
    part = f"T-{cooperative.code}-{number}"
    shared = {"supplier_order": part, "order": f"T-{number}", "cooperative": cooperative.code}
    entries.record_confirmation(
        **shared,
        effective_on=on - timedelta(days=12),
        goods=mad(goods),
        commission=mad("10.00"),
        solidarity=mad("1.00"),
        delivery_net=mad("25.00"),
        delivery_vat=mad("5.00"),
    )
    entries.record_release(
        **shared,
        effective_on=on,
        share=mad(share),
        commission_net=mad("8.33"),
        commission_vat=mad("1.67"),
    )


def test_what_a_cooperative_earned_in_twelve_full_months_is_read_from_the_books(visitor):
    maker = CooperativeFactory()
    for number, on in enumerate(
        [date(2025, 11, 1), date(2026, 2, 3), date(2026, 5, 4), date(2026, 8, 9), date(2026, 10, 31)]
    ):
        sold(maker, number, on=on)
    sold(maker, 6, on=date(2025, 10, 31))
    sold(maker, 7, on=date(2026, 11, 1))
    sold(CooperativeFactory(), 8, on=date(2026, 5, 4))

    text = text_of(visitor.get("cooperative", maker.slug))

    assert "89% of the price of its goods." in text
    assert "1 November 2025 to 31 October 2026" in text
    for amount in ("MAD 445.00", "MAD 41.65", "MAD 8.35", "MAD 5.00", "MAD 500.00"):
        assert amount in text, amount


def test_no_single_sale_can_be_read_out_of_the_sums(visitor):
    maker = CooperativeFactory()
    for number in range(4):
        sold(maker, number, on=date(2026, 5, 4))

    text = text_of(visitor.get("cooperative", maker.slug))

    assert "89% of the price of its goods." in text
    assert "too few sales to show amounts" in text
    assert "MAD 400.00" not in text and "MAD 356.00" not in text


def test_a_cooperative_without_a_completed_sale_says_so_and_shows_an_example(visitor):
    honey = ListingFactory(title="Thyme honey", price="150.00")

    text = text_of(visitor.get("cooperative", honey.cooperative.slug))

    assert "The books show no completed sale yet, 1 November 2025 to 31 October 2026." in text
    assert "An example: Thyme honey." in text
    assert "MAD 133.50" in text


def test_the_twelve_months_are_whole_at_the_turn_of_the_year(visitor, monkeypatch):
    maker = CooperativeFactory()
    monkeypatch.setattr(clock, "now", lambda: NOW.replace(year=2027, month=1))

    text = text_of(visitor.get("cooperative", maker.slug))

    assert "1 January 2026 to 31 December 2026" in text or "1 January to 31 December 2026" in text


def test_more_goods_than_fit_are_on_the_next_page(visitor):
    maker = CooperativeFactory()
    for number in range(62):
        ListingFactory(title=f"Good {number:02d}", cooperative=maker, stock=0)

    first = visitor.get("cooperative", maker.slug)
    second = visitor.get("cooperative", maker.slug, query={"page": "2"})
    odd = visitor.get("cooperative", maker.slug, query={"page": "two"})
    beyond = visitor.get("cooperative", maker.slug, query={"page": "1000000000"})

    assert (len(names_in(first)), len(names_in(second))) == (60, 2)
    assert not set(names_in(first)) & set(names_in(second))
    assert names_in(odd) == names_in(first)
    assert names_in(beyond) == names_in(second)


def test_a_cooperative_is_marked_on_the_map(visitor):
    RegionFactory(code="MA-01")
    maker = CooperativeFactory(region=RegionFactory(code="MA-09"))

    page = visitor.get("cooperative", maker.slug).content.decode()

    assert re.search(r'href="/en/regions/MA-09/"[^>]* aria-current="true"', page)
    assert page.count('aria-current="true"><span>') == 1


# Labels


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("legal_sign", "A certification body approved by the ministry visits the producer"),
        ("public", "The public body, or an auditor it appoints, visits the workshop"),
        ("shop", "Our own operators check it"),
        ("declared", "Nobody has certified it"),
    ],
)
def test_a_label_says_who_checks_and_who_certified(visitor, kind, said):
    label = LabelFactory(code="mark", kind=kind)
    certification = CertificationFactory(
        label=label, certifier="Normacert", public_url="https://proof.example/1"
    )
    ListingFactory(cooperative=certification.cooperative, claims=[certification])

    response = visitor.get("label", "mark")

    text = text_of(response)
    assert said in text
    assert "Normacert" in text
    assert "See the 1 good" in text
    assert 'href="https://proof.example/1"' in response.content.decode()


def test_a_label_links_its_register_or_says_that_there_is_no_link(visitor):
    LabelFactory(code="with", public_url="https://register.example/")
    LabelFactory(code="without")

    with_link, without = visitor.get("label", "with"), visitor.get("label", "without")

    assert 'href="https://register.example/"' in with_link.content.decode()
    assert "cannot be reached by a link" not in text_of(with_link)
    assert "cannot be reached by a link" in text_of(without)
