"""Whatever is typed, cut off or sent to any door of the storefront: a helpful page in the shop's frame, never a fault."""

from __future__ import annotations

import re
import runpy

import pytest
from django.core.exceptions import TooManyFieldsSent
from django.test import Client
from django.urls import reverse
from django.urls.converters import IntConverter
from django.utils.translation import override
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

from shop.storefront.urls import urlpatterns
from tests.factories import CertificationFactory, CooperativeFactory, ListingFactory, RegionFactory

pytestmark = pytest.mark.django_db

LANGUAGES = ("fr", "ar", "en")
#: What stands behind a name in an address, where it is not "there".
THERE = {"kind": "goods", "number": "T-THERE"}
#: Answers with a piece of a page, for a page that is already open.
PIECES = ("/en/suggest/",)


@pytest.fixture(autouse=True)
def world(now):
    """A shop in which most names mean something."""
    cooperative = CooperativeFactory(slug="there", region=RegionFactory(code="MA-01"))
    certification = CertificationFactory(cooperative=cooperative)
    ListingFactory(slug="there", reference="there", cooperative=cooperative, claims=[certification])


def doors(language: str = "en") -> list[str]:
    """The address of every door of the storefront."""
    with override(language):
        return [
            reverse(
                f"storefront:{each.name}",
                kwargs={
                    name: 1 if isinstance(kind, IntConverter) else THERE.get(name, "there")
                    for name, kind in each.pattern.converters.items()
                },
            )
            for each in urlpatterns
        ]


def is_helpful(response, language: str | None = None) -> bool:
    """A picture, a paper or an answer without words as it is; else a page in the shop's frame with a heading."""
    if 300 <= response.status_code < 400:
        return True
    if not response.get("Content-Type", "text/html").startswith("text/html"):
        return response.status_code == 200
    text = response.content.decode()
    if not text:
        return response.status_code in (200, 204)
    return (
        '<header class="top">' in text
        and text.count("<h1") == 1
        and (language is None or f'<html lang="{language}"' in text)
    )


def check(response, path: str, language: str | None = None) -> None:
    assert response.status_code < 500, (path[:80], response.status_code)
    assert path in PIECES or is_helpful(response, language), (path[:80], response.status_code)


def test_the_walk_knows_every_door():
    assert len(doors()) >= 30
    assert "/en/goods/there/" in doors()


# --- languages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "accepts", "leads_to"),
    [
        ("/de/", "ar", "/ar/"),
        ("/de/goods/", "ar", "/ar/goods/"),
        ("/es/goods/there/?variant=x&y=%C3%A9", "en", "/en/goods/there/?variant=x&y=%C3%A9"),
        ("/pt-br/regions/MA-01/", "de", "/fr/regions/MA-01/"),
        ("/fr-ma/goods/", "en", "/fr/goods/"),
        ("/ar-MA/goods/", "en", "/ar/goods/"),
        ("/FR/goods/", "en", "/fr/goods/"),
        ("/de/goods", "fr", "/fr/goods"),
    ],
)
def test_a_language_we_do_not_speak_leads_to_the_same_page_in_one_we_do(asked, accepts, leads_to):
    response = Client().get(asked, headers={"accept-language": accepts})

    assert (response.status_code, response["Location"]) == (302, leads_to)


@pytest.mark.parametrize(
    "asked", ["/xx/goods/", "/zz/", "/de/nothing/here/at/all/", "/de//evil.example/", "/de/%5Cevil.example"]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_no_language_or_no_page_is_not_found_in_hers(asked, language):
    response = Client().get(asked, headers={"accept-language": language})

    assert response.status_code == 404
    check(response, asked, language)


def test_no_form_is_sent_on_to_another_language():
    assert Client().post("/de/basket/add/there/", {"quantity": 1}).status_code == 404


@pytest.mark.parametrize(
    "accepts",
    ["", ",,,;;q=", "x" * 5_000, "fr;q=a, ar;q=", "*", "ar-" + "a-" * 500, "\u00e9\u00e8", "en;q=99999"],
)
def test_odd_wishes_for_a_language_are_answered(accepts):
    for path in ("/", "/de/goods/", "/nothing/"):
        response = Client().get(path, headers={"accept-language": accepts})
        check(response, path)


# --- every door ---------------------------------------------------------------------------------

QUERIES = [
    "page=1000000000&v=" + "f" * 3_000,
    "page=-1&page=0&page=two&page=&x=%ff%fe%80&%ff=%c0%af",
    "q=" + "a" * 10_000 + "&page=" + "9" * 5_000,
    "&" * 2_000 + "=&==&&=;",
    "next=//evil.example&next=javascript:alert(1)&not=%27%20OR%201%3D1--&not=saffron",
    "variant=%3Cscript%3E&variant=../../etc/passwd&variant=&region=MA-01&region=MA-01&region=%F0%9F%8D%AF",
]


#: Lists answer an impossible query by rules of their own: tests of the lists.
LISTS = re.compile(r"^/en/(goods|kinds/[^/]+|regions/[^/]+)/$")


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query[:24])
def test_no_query_breaks_any_door(query):
    client = Client()

    for path in doors():
        response = client.get(path, QUERY_STRING=query)
        check(response, path)


def test_a_search_of_10_kb_reaches_the_shop():
    settings = Config()
    for name, value in runpy.run_path("gunicorn.conf.py").items():
        if name in settings.settings:
            settings.set(name, value)
    line = b"GET /fr/goods/?q=" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: tadamon.example\r\n\r\n"

    request = Request(settings, IterUnreader([line]), ("127.0.0.1", 1))

    assert request.path == "/fr/goods/"
    assert len(request.query) == 10_002


@pytest.mark.parametrize("query", ["page=1000000000", "variant=nothing&x=1", "q=%F0%9F%8D%AF"])
def test_a_query_means_nothing_to_a_page_that_asks_for_none(query):
    for page in (
        "/en/",
        "/en/cooperatives/",
        "/en/cooperatives/there/",
        "/en/labels/igp/",
        "/en/pages/terms/",
    ):
        assert not LISTS.match(page)
        assert Client().get(page, QUERY_STRING=query).status_code == 200, page


def test_more_fields_than_anybody_types_are_refused_with_a_page():
    for path in ("/en/", "/en/goods/there/", "/en/regions/"):
        response = Client().get(path, QUERY_STRING="a=1&" * 1_500)
        assert response.status_code == 400
        check(response, path, "en")
    assert issubclass(TooManyFieldsSent, Exception)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_odd_methods_are_answered_at_every_door(method):
    client = Client()

    for path in doors():
        response = client.generic(method, path, data="x=1")
        assert response.status_code < 500, path
        assert response.status_code != 200 or response["Content-Type"], path


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", ""),
        (b"\xff\xfe\x00\x01" * 100, "application/octet-stream"),
        (b"quantity=\xff&%ff=1", "application/x-www-form-urlencoded"),
        (b"--x\r\nnot really", "multipart/form-data; boundary=x"),
        (b"--x\r\n", "multipart/form-data"),
        (b'{"quantity": 1}', "application/json"),
        (b"quantity=1e9&quantity=-1&quantity=%D9%A3" + b"&a=" * 500, "application/x-www-form-urlencoded"),
    ],
)
def test_odd_forms_break_no_door(body, kind):
    client = Client()

    for path in doors():
        response = client.generic("POST", path, data=body, content_type=kind)
        assert response.status_code < 500, path


# --- odd addresses ------------------------------------------------------------------------------

ADDRESSES = [
    "/en/goods/" + "a" * 10_000 + "/",
    "/en/" + "a/" * 2_000,
    "/en/goods/%ff%fe%80/",
    "/en/goods/%C0%AF/",
    "/en/goods/..%2f..%2fetc%2fpasswd",
    "/en/goods/%252e%252e/",
    "/en/goods/there%0d%0aSet-Cookie:x/",
    "/en/goods/there/%20",
    "/en/goods/<script>alert(1)</script>/",
    "/en/goods/%D8%B9%D8%B3%D9%84/",
    "/en/kinds/' OR 1=1/",
    "/en/regions/MA-99/",
    "/en/labels/no-such-label/",
    "/en/cooperatives/nobody/",
    "/en/share/goods/%E2%82%AC.jpg",
    "/en/plates/nothing.svg",
    "/en/pages/..%2fsettings/",
    "/en//goods//",
    "/en/goods/there/extra/",
    "/.env",
    "/wp-login.php",
    "/en/%",
]


@pytest.mark.parametrize("path", ADDRESSES, ids=lambda path: path[:32])
def test_an_address_that_leads_nowhere_says_so_in_the_shops_frame(path):
    response = Client().get(path, headers={"accept-language": "en"})

    assert response.status_code in (302, 404), response.status_code
    check(response, path, "en")
    assert "evil.example" not in response.get("Location", "")
    assert "<script>alert" not in response.content.decode()


@pytest.mark.parametrize("path", ["/en/goods/a%00b/", "/en/labels/%00/"])
def test_a_letter_no_database_takes_is_refused_with_a_page(path):
    response = Client().get(path)

    assert response.status_code in (400, 404)
    check(response, path, "en")


def test_an_address_without_its_last_stroke_is_led_to_the_page():
    response = Client().get("/en/goods/there?x=1")

    assert (response.status_code, response["Location"]) == (301, "/en/goods/there/?x=1")


# --- headers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"cookie": "tadamon_language=xx; sessionid=%00; csrftoken=; oscar_open_basket=1:2:3:forged"},
        {"cookie": "=;;; a==b; " + "c=" + "d" * 5_000},
        {"user-agent": "x" * 20_000},
        {"user-agent": ""},
        {"referer": "javascript:alert(1)"},
        {"if-none-match": '"' + "x" * 2_000, "if-modified-since": "yesterday"},
        {"range": "bytes=9-1,a-b"},
        {"x-forwarded-for": "not an address, ::1", "x-forwarded-host": "evil.example"},
        {"accept": "\u00e9", "accept-encoding": "gzip;q=x,,br"},
        {"hx-request": "true", "hx-current-url": "http://[", "hx-target": "<script>"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_odd_headers_break_no_page(headers):
    client = Client()

    for path in (
        "/",
        "/en/",
        "/en/goods/",
        "/en/goods/there/",
        "/en/basket/",
        "/en/share/goods/there.jpg",
        "/nothing/",
    ):
        response = client.get(path, headers=headers)
        check(response, path)
        assert "evil.example" not in response.get("Location", "")


def test_another_hosts_name_is_refused_with_a_page(settings):
    settings.ALLOWED_HOSTS = ["tadamon.example"]

    for host in ("evil.example", "tadamon.example:bad", "a b", ""):
        response = Client().get("/en/goods/", headers={"host": host} if host else {})
        assert response.status_code == 400, host
        check(response, host)
        assert "evil.example" not in response.content.decode()
