"""What a browser keeps of the shop: light or dark, the worker that reads offline, the icon to start by."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from tests.factories import ListingFactory

pytestmark = pytest.mark.django_db
HOME = "http://testserver/fr/labels/?x=1"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_once_chosen_are_those_of_every_page(client, theme):
    answer = client.post("/theme/", {"theme": theme}, headers={"referer": HOME})

    assert (answer.status_code, answer.url) == (302, "/fr/labels/?x=1")
    assert answer.cookies["tadamon_theme"]["httponly"]
    assert answer.cookies["tadamon_theme"]["samesite"] == "Lax"
    for path in ("/fr/", "/account/login/", "/fr/no-such-page/"):
        assert f'data-theme="{theme}"' in client.get(path).content.decode()


def test_the_device_decides_again_when_she_says_so(client):
    client.post("/theme/", {"theme": "dark"}, headers={"referer": HOME})

    client.post("/theme/", {"theme": "system"}, headers={"referer": HOME})

    assert "data-theme" not in client.get("/fr/").content.decode()


@pytest.mark.parametrize("theme", ["", "blue", '"><script>', "dark "])
def test_an_unknown_colour_is_refused_and_a_forged_one_shows_nothing(client, theme):
    answer = client.post("/theme/", {"theme": theme})
    client.cookies["tadamon_theme"] = theme
    page = client.get("/fr/").content.decode()

    assert answer.status_code == 400
    assert "tadamon_theme" not in answer.cookies
    assert "data-theme" not in page


@pytest.mark.parametrize(
    "referer",
    [
        "",
        "https://elsewhere.example/x",
        "//elsewhere.example/",
        "http://testserver//elsewhere.example/",
        "javascript:alert(1)",
    ],
)
def test_the_way_back_stays_in_the_shop(client, referer):
    answer = client.post("/theme/", {"theme": "dark"}, headers={"referer": referer})

    assert (answer.status_code, answer.url) == (302, "/")


def test_the_colours_need_no_token_so_that_no_page_needs_one_for_them():
    strict = Client(enforce_csrf_checks=True)

    assert strict.post("/theme/", {"theme": "dark"}).status_code == 302
    assert strict.get("/theme/").url == "/"


def test_the_worker_is_asked_for_anew_each_time_and_knows_each_language(client):
    answer = client.get("/sw.js")

    text = answer.content.decode()
    words = json.loads(re.match(r"const WORDS = (\{.*\});\n", text)[1])
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["Cache-Control"] == "no-cache"
    assert {code: each["offline"] for code, each in words.items()} == {
        "fr": "/fr/offline/",
        "ar": "/ar/offline/",
        "en": "/en/offline/",
    }
    assert all("{when}" in each["seen"] for each in words.values())
    assert len({each["seen"] for each in words.values()}) == 3


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/fr/", True),
        ("/ar/goods/honey-of-thyme/", True),
        ("/en/pages/terms/", True),
        ("/fr/harvests/", True),
        ("/fr/sellers/", True),
        ("/fr/newsletter/confirm/abc/", False),
        ("/fr/basket/", False),
        ("/fr/basket/add/honey-of-thyme/", False),
        ("/fr/checkout/", False),
        ("/fr/checkout/place/", False),
        ("/ar/orders/T-7K3M9QXFZ/", False),
        ("/ar/follow/abc/", False),
        ("/fr/me/", False),
        ("/fr/parcels/T-7K3M9QXFZ-1/received/", False),
        ("/account/login/", False),
        ("/desk/", False),
        ("/backoffice/", False),
        ("/payments/stripe/webhook/", False),
    ],
)
def test_only_the_public_rooms_may_be_kept(client, path, kept):
    text = client.get("/sw.js").content.decode()

    readable = re.search(r"const READABLE = /(.+)/;", text)[1].replace("\\/", "/")

    assert bool(re.search(readable, path)) is kept


@pytest.mark.parametrize(
    ("language", "said"), [("fr", "Pas de connexion"), ("ar", "لا يوجد اتصال"), ("en", "No connection")]
)
def test_the_page_for_no_network_names_no_price_and_is_not_found_by_search_engines(client, language, said):
    page = client.get(f"/{language}/offline/").content.decode()

    assert f"<h1>{said}</h1>" in page
    assert 'content="noindex"' in page
    assert "data-kept" in page
    assert "MAD" not in page and "درهم" not in page


@pytest.mark.parametrize(("language", "direction"), [("fr", "ltr"), ("ar", "rtl")])
def test_the_shop_describes_itself_to_a_phone(client, language, direction):
    answer = client.get(f"/{language}/manifest.webmanifest")

    described = answer.json()
    assert answer["Content-Type"] == "application/manifest+json"
    assert answer["Cache-Control"] == "max-age=86400, public"
    assert (described["lang"], described["dir"]) == (language, direction)
    assert described["start_url"] == f"/{language}/"
    assert {each["sizes"] for each in described["icons"]} == {"any", "192x192", "512x512"}


def test_a_script_gets_one_line_and_the_new_number_of_the_basket(visitor):
    listing = ListingFactory(title="Thyme honey", price="150.00", stock=50)
    visitor.client.defaults["HTTP_HX_REQUEST"] = "true"

    added = visitor.add(listing, 2)
    refused = visitor.add(listing, "many")

    said = added.content.decode()
    assert added.status_code == 200
    assert "“Thyme honey” is in your basket." in said
    assert '<span id="count" class="count" hx-swap-oob="true">2</span>' in said
    assert 'href="/en/basket/"' in said
    assert "<html" not in said
    assert refused.status_code == 400
    assert refused["HX-Retarget"] == refused["HX-Reselect"] == "#main"
    assert refused["HX-Reswap"] == "outerHTML"
    assert "<html" in refused.content.decode()


def test_without_a_script_the_same_door_leads_to_the_basket(visitor):
    listing = ListingFactory(title="Thyme honey", price="150.00", stock=50)

    added = visitor.add(listing, 2)

    assert (added.status_code, added.url) == (302, "/en/basket/")
    assert "HX-Retarget" not in visitor.add(listing, "many")
