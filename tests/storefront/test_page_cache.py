"""Finished pages: the same for everybody, of nobody's, and never in the way of what is true."""

from __future__ import annotations

import gzip
from decimal import Decimal

import brotli
import pytest
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import ResolverMatch
from oscar.core.loading import get_model

from catalogue import prices, publishing
from shop.core import freshness
from shop.storefront import page_cache
from tests.factories import CertificationFactory, ListingFactory, UserFactory, mad
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keeping(settings, now):
    """Pages are kept, and none is yet."""
    settings.PAGE_CACHE_SECONDS = 60
    freshness.pages().clear()
    yield
    freshness.pages().clear()


@pytest.fixture
def listing():
    certification = CertificationFactory()
    made = ListingFactory(
        cooperative=certification.cooperative,
        origin_region=certification.cooperative.region,
        claims=[certification],
        price="150.00",
        stock=20,
    )
    category = get_model("catalogue", "Category").add_root(name="Food", slug="food", code="food")
    get_model("catalogue", "ProductCategory").objects.create(product=made, category=category)
    return made


def pages_of(listing):
    return {
        "home": ("home",),
        "listings": ("listings",),
        "listing": ("listing", listing.slug),
        "category": ("category", "food"),
        "regions": ("regions",),
        "region": ("region", listing.origin_region.code),
        "labels": ("labels",),
        "label": ("label", "igp"),
        "cooperatives": ("cooperatives",),
        "cooperative": ("cooperative", listing.cooperative.slug),
        "page": ("page", "terms"),
    }


def is_kept(response) -> bool:
    """Whether the answer came from the cache or went into it."""
    return response.has_header("Age")


# The same for everybody


def test_every_kept_page_costs_the_second_visitor_no_query(listing):
    pages = pages_of(listing)
    first = {name: Visitor().get(*page) for name, page in pages.items()}

    for name, page in pages.items():
        with CaptureQueriesContext(connection) as queries:
            second = Visitor().get(*page)

        assert second.status_code == 200
        assert is_kept(second), f"{name} holds a form's token or sets a cookie"
        assert second.content == first[name].content
        assert len(queries) == 0, name
    assert {f"storefront:{name}" for name in pages} == page_cache.KEPT


def test_languages_themes_and_queries_have_pages_of_their_own(listing):
    arabic, english = Visitor("ar"), Visitor("en")
    dark = Visitor("en")
    dark.client.cookies["tadamon_theme"] = "dark"

    assert 'lang="ar"' in arabic.get("listings").content.decode()
    assert 'lang="en"' in english.get("listings").content.decode()
    assert is_kept(dark.get("listings"))
    assert page_cache.key_of(_asked("/en/goods/"), "") != page_cache.key_of(_asked("/en/goods/?stock=1"), "")
    light = _asked("/en/goods/")
    light.COOKIES["tadamon_theme"] = "light"
    assert page_cache.key_of(light, "") != page_cache.key_of(_asked("/en/goods/"), "")


def test_pages_are_sent_packed_as_the_browser_takes_them(listing):
    plain = Visitor().get("listings")
    gzipped = Client().get(Visitor().url("listings"), headers={"accept-encoding": "gzip, deflate"})
    best = Client().get(Visitor().url("listings"), headers={"accept-encoding": "gzip, br"})
    refused = Client().get(Visitor().url("listings"), headers={"accept-encoding": "br;q=0, gzip;q=0"})

    assert "Content-Encoding" not in plain.headers
    assert gzipped["Content-Encoding"] == "gzip"
    assert gzip.decompress(gzipped.content) == plain.content
    assert best["Content-Encoding"] == "br"
    assert brotli.decompress(best.content) == plain.content
    assert refused.content == plain.content
    assert {"Cookie", "Accept-Encoding"} <= {each.strip() for each in best["Vary"].split(",")}


def test_a_kept_page_still_remembers_the_visitors_language(listing):
    Visitor("ar").get("home")

    second = Visitor("ar").get("home")

    assert is_kept(second)
    assert second.cookies["tadamon_language"].value == "ar"


# Nobody's


def _leak(listing):
    """One visitor fills her basket and looks around, then another comes who has never been here."""
    first, second = Visitor(), Visitor()
    first.add(listing, 7)
    first.get("basket")
    page = first.get("listing", listing.slug).content.decode()
    return page, second.get("listing", listing.slug).content.decode()


def _count_of(page: str) -> bool:
    """Whether a 7 stands beside "Basket"."""
    return ">7</span>" in page


def test_a_full_basket_is_seen_by_its_owner_alone(listing):
    own, others = _leak(listing)

    assert _count_of(own)
    assert not _count_of(others)


def test_control_without_the_look_at_cookies_the_basket_would_be_seen(listing, monkeypatch):
    monkeypatch.setattr(page_cache, "is_anybody", lambda request: True)
    monkeypatch.setattr(page_cache, "may_be_kept", lambda request, response: response.status_code == 200)

    _own, others = _leak(listing)

    assert _count_of(others)


def test_a_full_basket_reads_its_own_page_after_others_were_there(listing):
    Visitor().get("listing", listing.slug)
    first = Visitor()
    first.add(listing, 7)
    first.get("basket")

    assert _count_of(first.get("listing", listing.slug).content.decode())


@pytest.mark.parametrize("cookie", ["sessionid", "messages", "tadamon_place", "anything"])
def test_a_visitor_with_a_cookie_we_do_not_know_gets_a_page_of_her_own(listing, cookie):
    Visitor().get("home")
    known = Visitor()
    known.client.cookies[cookie] = "x"

    assert not is_kept(known.get("home"))


def test_signed_in_visitors_get_pages_of_their_own(listing):
    Visitor().get("home")

    assert not is_kept(Visitor(user=UserFactory()).get("home"))


@pytest.mark.parametrize(
    "query", [{"q": "miel"}, {"utm_source": "letter"}, {"after": "abc"}, {"region": "x" * 300}]
)
def test_searches_and_strange_addresses_are_made_anew(listing, query):
    Visitor().get("listings", query=query)

    assert not is_kept(Visitor().get("listings", query=query))


def test_a_script_and_a_form_get_answers_of_their_own(listing):
    Visitor().get("listings")
    url = Visitor().url("listings")

    assert not is_kept(Client().get(url, headers={"hx-request": "true"}))
    assert not is_kept(Client().post(url))
    assert not is_kept(Client().get(Visitor().url("basket")))
    assert not is_kept(Client().get(Visitor().url("listing", "never-was")))


def _asked(path="/en/"):
    request = RequestFactory().get(path)
    request.resolver_match = ResolverMatch(lambda: None, (), {}, "home", namespaces=["storefront"])
    return request


def _with_cookie(request):
    response = HttpResponse("x")
    response.set_cookie("a", "b")
    return response


def _with_token(request):
    return HttpResponse(get_token(request))


def _private(request):
    return HttpResponse("x", headers={"Cache-Control": "private"})


def _packed(request):
    return HttpResponse("x", headers={"Content-Encoding": "gzip"})


def _with_session(request):
    request.session = type("Session", (), {"modified": True, "session_key": None})()
    return HttpResponse("x")


def _with_nonce(request):
    request._csp_nonce = "abc"
    return HttpResponse("x")


def _with_message(request):
    request._messages = type("Storage", (list,), {"added_new": False})(["Welcome"])
    return HttpResponse("x")


@pytest.mark.parametrize(
    "view",
    [
        _with_cookie, _with_token, _private, _packed, _with_session, _with_nonce, _with_message,
        lambda request: HttpResponse("x", status=404),
        lambda request: HttpResponse("x", content_type="text/plain"),
        lambda request: StreamingHttpResponse(["x"]),
    ],
)  # fmt: skip
def test_what_is_somebodys_is_never_kept(view):
    request = _asked()

    response = page_cache.PageCacheMiddleware(view)(request)

    assert not is_kept(response)
    assert freshness.pages().get_many([page_cache.key_of(request, "")]) == {}


def test_control_a_page_of_nobodys_is_kept():
    response = page_cache.PageCacheMiddleware(lambda request: HttpResponse("x"))(_asked())

    assert is_kept(response)
    assert response.content == b"x"


# Never in the way of what is true


def test_a_new_price_shows_at_once(listing, django_capture_on_commit_callbacks):
    Visitor().get("listing", listing.slug)

    with django_capture_on_commit_callbacks(execute=True):
        prices.change(listing=listing, price=mad("199.00"))

    assert "199.00" in Visitor().get("listing", listing.slug).content.decode()


def test_a_listing_taken_off_the_shelf_is_gone_at_once(listing, django_capture_on_commit_callbacks):
    Visitor().get("listing", listing.slug)

    with django_capture_on_commit_callbacks(execute=True):
        publishing.withdraw(listing=listing)

    assert Visitor().get("listing", listing.slug).status_code in (404, 410)


def test_a_page_made_from_old_facts_is_not_kept_under_the_new_mark(listing, monkeypatch):
    """Somebody changes a price while the page is being made: the page is shown once and not again."""
    made = page_cache.may_be_kept

    def changed_meanwhile(request, response):
        freshness._renew()
        return made(request, response)

    monkeypatch.setattr(page_cache, "may_be_kept", changed_meanwhile)
    Visitor().get("home")
    monkeypatch.undo()

    with CaptureQueriesContext(connection) as queries:
        Visitor().get("home")

    assert len(queries) > 0


def test_an_old_page_may_show_an_old_price_but_the_basket_never_does(listing):
    Visitor().get("listing", listing.slug)
    listing.stockrecords.update(price=Decimal("175.00"))  # told to nobody

    old = Client().get(Visitor().url("listing", listing.slug))
    assert "150.00" in old.content.decode()
    buyer = Visitor()
    buyer.add(listing)
    page = buyer.get("basket").content.decode()
    assert "175.00" in page
    assert "150.00" not in page


def test_the_shop_answers_while_the_cache_cannot_be_reached(listing, monkeypatch, caplog):
    class Gone:
        def get_many(self, *_args):
            raise ConnectionRefusedError

        set = get_many

    with monkeypatch.context() as patched:
        patched.setattr(freshness, "pages", Gone)
        assert Visitor().get("home").status_code == 200
        freshness._renew()

    assert "pages could not be renewed" in caplog.text
