"""Without a network: the last pages can be read and say how old they are; no price at the checkout is old."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page

from catalogue.models import Product
from tests.browsers import PHONE, LiveShop, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

KEPT = """async () => {
    const cache = await caches.open("pages-1");
    return (await cache.keys()).map((each) => new URL(each.url).pathname + new URL(each.url).search);
}"""
OFFLINE = "status of 503|ERR_INTERNET_DISCONNECTED|ERR_FAILED|Failed to fetch"


def good() -> Product:
    return Product.objects.filter(stockrecords__num_in_stock__gt=9, parent=None).order_by("reference")[0]


def costs(listing: Product, price: str) -> None:
    listing.stockrecords.update(price=Decimal(price))


def opens(page: Page, live_shop: LiveShop, path: str) -> Any:
    """The answer to a page that the worker had its hands on."""
    answer = page.goto(live_shop.at(path))
    page.wait_for_load_state("networkidle")
    return answer


@pytest.fixture
def reader(live_shop: LiveShop, open_page: Any) -> Page:
    """A window whose worker has begun."""
    page = open_page(size=PHONE, language="fr", expected=OFFLINE)
    opens(page, live_shop, "/fr/")
    wait_until(page, "navigator.serviceWorker.controller !== null")
    wait_until(page, "caches.match('/fr/offline/').then((found) => Boolean(found))")
    return page


def test_a_page_seen_before_is_read_offline_under_a_strip_that_says_so(live_shop, reader):
    listing = good()
    path = f"/fr/goods/{listing.slug}/"
    online = opens(reader, live_shop, path)
    assert online.status == 200
    assert reader.locator(".offline").count() == 0

    reader.context.set_offline(True)
    reader.goto(live_shop.at(path))

    assert reader.inner_text("h1") == listing.title_fr
    said = reader.inner_text(".offline")
    assert re.fullmatch(r"Vue le \d+ \w+ à \d\d:\d\d, hors connexion\. Les prix et le stock .+\.", said), said
    assert reader.evaluate("document.querySelector('.gallery img').naturalWidth") > 0
    assert reader.evaluate("getComputedStyle(document.querySelector('.button')).minBlockSize") == "46px"


def test_the_first_page_of_a_visit_is_kept_too(live_shop, reader):
    reader.context.set_offline(True)
    answer = reader.goto(live_shop.at("/fr/"))

    assert answer.status == 200
    assert reader.locator(".offline").count() == 1


def test_a_page_never_seen_leads_to_those_that_were(live_shop, reader):
    opens(reader, live_shop, "/fr/labels/")

    reader.context.set_offline(True)
    answer = reader.goto(live_shop.at("/fr/regions/"))

    assert answer.status == 503
    assert reader.inner_text("h1") == "Pas de connexion"
    kept = reader.eval_on_selector_all("[data-kept] a", "all => all.map((each) => each.getAttribute('href'))")
    assert kept == ["/fr/labels/", "/fr/"]
    reader.click("[data-kept] a >> nth=0")
    reader.wait_for_selector(".offline")
    assert reader.url == live_shop.at("/fr/labels/")


def test_offline_in_arabic_is_arabic(live_shop, reader):
    opens(reader, live_shop, "/ar/labels/")
    wait_until(reader, "caches.match('/ar/offline/').then((found) => Boolean(found))")

    reader.context.set_offline(True)
    reader.goto(live_shop.at("/ar/labels/"))
    strip = reader.inner_text(".offline")
    reader.goto(live_shop.at("/ar/regions/"))

    assert re.search(r"\d+ نونبر|\d+ [\u0600-\u06ff]+", strip), strip
    assert not re.search(r"[\u0660-\u0669]", strip)
    assert reader.get_attribute("html", "dir") == "rtl"
    assert reader.locator("[data-kept] a").count() == 2


def test_no_price_of_the_checkout_is_ever_an_old_one(live_shop, reader):
    listing = good()
    costs(listing, "101.00")
    opens(reader, live_shop, f"/fr/goods/{listing.slug}/")
    reader.click(".add button")
    reader.wait_for_selector("#said .toast")
    for path in ("/fr/basket/", "/fr/checkout/"):
        opens(reader, live_shop, path)
        assert "101,00" in reader.inner_text("main")
    kept = reader.evaluate(KEPT)

    # offline: nothing of basket and checkout is there, while the listing still is (the control)
    reader.context.set_offline(True)
    for path in ("/fr/basket/", "/fr/checkout/", "/fr/me/", "/account/login/"):
        answer = reader.goto(live_shop.at(path))
        assert answer.status == 503
        assert "101,00" not in reader.content()
    reader.goto(live_shop.at(f"/fr/goods/{listing.slug}/"))
    assert "101,00" in reader.inner_text("main")
    assert reader.locator(".offline").count() == 1

    # online again, and dearer meanwhile: everybody is shown what it costs now
    costs(listing, "102.00")
    reader.context.set_offline(False)
    for path in (f"/fr/goods/{listing.slug}/", "/fr/basket/", "/fr/checkout/"):
        assert opens(reader, live_shop, path).status == 200
        assert "102,00" in reader.inner_text("main")
    assert kept == ["/fr/", "/fr/offline/", f"/fr/goods/{listing.slug}/"]


def test_an_order_sent_without_a_network_is_not_lost_silently(live_shop, reader):
    opens(reader, live_shop, f"/fr/goods/{good().slug}/")
    reader.click(".add button")
    reader.wait_for_selector("#said .toast")
    opens(reader, live_shop, "/fr/checkout/")

    reader.context.set_offline(True)
    reader.locator("main form button[type=submit]").first.click()
    reader.wait_for_selector("[data-kept]")

    assert reader.inner_text("h1") == "Pas de connexion"
    assert "panier" in reader.inner_text("main")


def test_the_oldest_pages_make_room(live_shop, reader):
    paths = [
        f"/fr/goods/{each.slug}/" for each in Product.objects.filter(parent=None).order_by("reference")[:22]
    ]
    for path in paths:
        reader.goto(live_shop.at(path))
    reader.wait_for_load_state("networkidle")
    reader.wait_for_timeout(300)  # the last is being kept

    kept = [each for each in reader.evaluate(KEPT) if each != "/fr/offline/"]

    assert kept == paths[-20:]


def test_what_is_marked_private_is_not_kept(live_shop, reader):
    def marked(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, "cache-control": "private"})

    reader.context.route("**/fr/labels/", marked)
    opens(reader, live_shop, "/fr/labels/")
    opens(reader, live_shop, "/fr/regions/")
    reader.wait_for_timeout(300)

    kept = reader.evaluate(KEPT)
    assert "/fr/regions/" in kept
    assert "/fr/labels/" not in kept
