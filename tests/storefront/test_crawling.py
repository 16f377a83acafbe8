"""What programs read: robots.txt, the map of all pages, the feeds, whom to tell of a hole."""

from __future__ import annotations

import gzip
import re
from datetime import date
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from catalogue import publishing
from shop.core import clock
from shop.storefront import sitemaps
from shop.storefront.views.pages import PAGES
from tests.factories import NOW, CertificationFactory, CooperativeFactory, ListingFactory, RegionFactory
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db

SITE = "https://tadamon.example"
SPACE = {
    "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "x": "http://www.w3.org/1999/xhtml",
    "a": "http://www.w3.org/2005/Atom",
}


@pytest.fixture(autouse=True)
def site(settings, now):
    settings.SITE_URL = SITE
    settings.DEMO_MODE = False


def tree(address: str) -> ElementTree.Element:
    response = Client().get(address)
    assert response.status_code == 200
    return ElementTree.fromstring(response.content)  # noqa: S314 - our own


def addresses(address: str) -> list[str]:
    return [each.text.removeprefix(SITE) for each in tree(address).iterfind("s:url/s:loc", SPACE)]


# --- robots.txt ---------------------------------------------------------------------------------


def test_robots_may_read_the_shop_and_are_told_where_its_map_is():
    response = Client().get("/robots.txt")

    lines = response.content.decode().splitlines()
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert lines[0] == "User-agent: *"
    assert f"Sitemap: {SITE}/sitemap.xml" in lines
    assert {"Disallow: /backoffice/", "Disallow: /*/basket/", "Disallow: /*?*q="} <= set(lines)
    assert "Disallow: /" not in lines


def test_a_demonstration_asks_to_be_left_out(settings):
    settings.DEMO_MODE = True

    lines = Client().get("/robots.txt").content.decode().splitlines()

    assert lines == [
        "# A demonstration: cooperatives and goods are fictional.",
        "User-agent: *",
        "Disallow: /",
    ]


def test_no_page_of_the_map_is_closed_to_robots():
    closed = [re.escape(each).replace(r"\*", ".*") for each in _closed()]
    ListingFactory()

    for each in [*addresses("/sitemaps/pages.xml"), *addresses("/sitemaps/goods-1.xml")]:
        assert not [rule for rule in closed if re.match(rule, each)], each


def _closed() -> list[str]:
    text = Client().get("/robots.txt").content.decode()
    return re.findall(r"^Disallow: (.+)$", text, re.MULTILINE)


def test_who_finds_a_hole_is_told_whom_to_write_to(settings):
    settings.DEFAULT_FROM_EMAIL = "Tadamon <bonjour@tadamon.example>"

    text = Client().get("/.well-known/security.txt").content.decode()

    assert "Contact: mailto:bonjour@tadamon.example\n" in text
    assert re.search(r"^Expires: 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$", text, re.MULTILINE)
    assert f"Canonical: {SITE}/.well-known/security.txt\n" in text


# --- the map ------------------------------------------------------------------------------------


def test_the_map_names_its_parts_and_every_part_can_be_read():
    ListingFactory()

    parts = [each.text.removeprefix(SITE) for each in tree("/sitemap.xml").iterfind("s:sitemap/s:loc", SPACE)]

    assert "/sitemaps/pages.xml" in parts
    assert parts[-1].startswith("/sitemaps/goods-")
    for each in parts:
        tree(each)


def goods() -> list[str]:
    """All goods of the map, whatever range their part is."""
    parts = sitemaps.parts(on=clock.today())
    return [
        path for name in parts if name.startswith("goods-") for path in addresses(f"/sitemaps/{name}.xml")
    ]


def test_only_what_is_on_sale_today_is_on_the_map_in_every_language():
    certification = CertificationFactory(valid_until=date(2026, 11, 21))
    lapsed = ListingFactory(slug="lapsed", cooperative=certification.cooperative)
    lapsed.label_claims.create(certification=certification)
    suspended = ListingFactory(slug="suspended").cooperative
    suspended.suspend()
    suspended.save()
    withdrawn = ListingFactory(slug="withdrawn")
    publishing.withdraw(listing=withdrawn)
    ListingFactory(slug="honey")

    assert goods() == ["/fr/goods/honey/", "/ar/goods/honey/", "/en/goods/honey/"]


def test_the_map_is_true_of_the_day(monkeypatch):
    certification = CertificationFactory(valid_until=date(2026, 11, 30))
    ListingFactory(slug="honey", cooperative=certification.cooperative, claims=[certification])
    before = goods()

    monkeypatch.setattr(clock, "now", lambda: NOW.replace(month=12, day=1))

    assert len(before) == 3
    assert goods() == []


def test_each_page_of_the_map_names_its_languages_and_its_last_change():
    honey = ListingFactory(slug="honey")
    part = sitemaps.parts(on=clock.today())[-1]

    (entry, *_others) = tree(f"/sitemaps/{part}.xml").iterfind("s:url", SPACE)

    beside = {each.get("hreflang"): each.get("href") for each in entry.iterfind("x:link", SPACE)}
    assert beside == {
        "fr": f"{SITE}/fr/goods/honey/",
        "ar": f"{SITE}/ar/goods/honey/",
        "en": f"{SITE}/en/goods/honey/",
        "x-default": f"{SITE}/fr/goods/honey/",
    }
    assert entry.find("s:lastmod", SPACE).text == honey.date_updated.isoformat(timespec="seconds")


def test_every_page_of_the_map_is_there():
    certification = CertificationFactory(cooperative=CooperativeFactory(region=RegionFactory(code="MA-01")))
    ListingFactory(cooperative=certification.cooperative, claims=[certification])
    names = sitemaps.parts(on=clock.today())

    paths = [path for name in names for path in addresses(f"/sitemaps/{name}.xml")]

    assert len(paths) == len(set(paths)) == 3 * (11 + len(PAGES))
    client = Client()
    assert {client.get(each).status_code for each in paths} == {200}
    assert "/ar/labels/igp/" in paths
    assert "/en/regions/MA-01/" in paths


@pytest.mark.parametrize(
    "name",
    ["goods-0", "goods-99", "goods-", "goods", "goods-1x", "goods-99999999999", "cooperatives-9", "x", "-1"],
)
def test_a_part_that_does_not_exist_is_not_found(name):
    ListingFactory()

    assert Client().get(f"/sitemaps/{name}.xml").status_code == 404


def test_parts_hold_fixed_ranges_and_cost_the_same_at_any_length(monkeypatch):
    monkeypatch.setattr(sitemaps, "THINGS", 2)
    made = [ListingFactory() for _each in range(7)]
    names = [each for each in sitemaps.parts(on=clock.today()) if each.startswith("goods-")]
    on = clock.today()

    with CaptureQueriesContext(connection) as queries:
        held = [[page.path for page in sitemaps.part(name, on=on)] for name in names]

    assert all(len(each) <= 2 for each in held)
    assert [path for each in held for path in each] == [f"/fr/goods/{each.slug}/" for each in made]
    assert len(queries) == 2 * len(names)
    assert all(" LIMIT " in each["sql"] for each in queries)


def test_a_part_stays_under_five_thousand_addresses():
    assert sitemaps.ADDRESSES <= 5_000
    assert sitemaps.THINGS * 3 <= 5_000


def test_a_part_is_made_once_in_an_hour_and_sent_compressed_to_who_takes_it():
    ListingFactory(slug="honey")
    address = f"/sitemaps/{sitemaps.parts(on=clock.today())[-1]}.xml"
    plain = Client().get(address)

    with CaptureQueriesContext(connection) as queries:
        packed = Client().get(address, headers={"accept-encoding": "gzip, br"})

    assert len(queries) == 0
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert plain["Cache-Control"] == "public, max-age=3600"
    assert "Accept-Encoding" in plain["Vary"]


# --- feeds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "title", "said"),
    [("fr", "Miel & thym", "150,00 MAD"), ("ar", "عسل", "150,00 درهم"), ("en", "Honey", "MAD 150.00")],
)
def test_new_goods_are_told_to_feed_readers_in_each_language(language, title, said):
    ListingFactory(title_fr="Savon", title_ar="صابون", title_en="Soap", slug="soap")
    honey = ListingFactory(
        title_fr="Miel & thym", title_ar="عسل", title_en="Honey", slug="honey", price="150.00"
    )
    publishing.withdraw(listing=ListingFactory(slug="gone"))

    feed = tree(f"/{language}/feed.xml")

    entries = feed.findall("a:entry", SPACE)
    assert [each.find("a:link", SPACE).get("href") for each in entries] == [
        f"{SITE}/{language}/goods/honey/",
        f"{SITE}/{language}/goods/soap/",
    ]
    assert entries[0].find("a:title", SPACE).text == title
    assert said in entries[0].find("a:summary", SPACE).text.replace("\u00a0", " ").replace("\u200e", "")
    assert entries[0].find("a:author/a:name", SPACE).text == honey.cooperative.name
    assert feed.get("{http://www.w3.org/XML/1998/namespace}lang") == language


def test_a_cooperative_has_a_feed_of_its_own_named_on_its_page():
    honey = ListingFactory(slug="honey")
    ListingFactory(slug="other")
    visitor = Visitor("en")

    feed = tree(visitor.url("cooperative_feed", honey.cooperative.slug))
    page = visitor.get("cooperative", honey.cooperative.slug).content.decode()

    assert [each.find("a:id", SPACE).text for each in feed.iterfind("a:entry", SPACE)] == [
        f"{SITE}/en/goods/honey/"
    ]
    named = re.findall(r'type="application/atom\+xml" title="([^"]*)" href="([^"]*)"', page)
    assert [url for _title, url in named] == [
        f"{SITE}/en/feed.xml",
        f"{SITE}/en/cooperatives/{honey.cooperative.slug}/feed.xml",
    ]
    assert all(resolve(url.removeprefix(SITE)) for _title, url in named)


def test_an_unknown_or_silent_cooperative_has_no_feed():
    silent = ListingFactory().cooperative
    silent.suspend()
    silent.save()

    assert Client().get(f"/en/cooperatives/{silent.slug}/feed.xml").status_code == 404
    assert Client().get("/en/cooperatives/nobody/feed.xml").status_code == 404


def test_an_empty_shop_has_an_empty_feed_and_a_map():
    assert tree("/fr/feed.xml").findall("a:entry", SPACE) == []
    assert addresses("/sitemaps/pages.xml")[0] == "/fr/"
    cache.clear()


def test_a_feed_costs_the_same_few_queries_for_many_goods():
    for _each in range(8):
        ListingFactory()

    with CaptureQueriesContext(connection) as queries:
        Client().get("/en/feed.xml")

    assert len(queries) <= 5
