"""What the shop's script makes nicer, and that all of it works without."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from catalogue.models import Product
from tests.browsers import DESKTOP, PHONE, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def good(least: int = 10) -> Product:
    return Product.objects.filter(stockrecords__num_in_stock__gte=least, parent=None).order_by("reference")[0]


def documents(page: Page) -> list[str]:
    """The whole pages this window asks for from now on."""
    asked: list[str] = []
    page.on("request", lambda each: each.is_navigation_request() and asked.append(each.url))
    return asked


def test_goods_go_into_the_basket_in_place(live_shop, open_page):
    page = open_page(size=PHONE)
    listing = good()
    page.goto(live_shop.at(f"/fr/goods/{listing.slug}/"))
    asked = documents(page)

    page.click(".add button")
    toast = page.wait_for_selector("#said .toast")

    assert listing.title_fr in toast.inner_text()
    assert page.get_attribute("#said", "role") == "status"
    assert page.inner_text("#count") == "1"
    assert asked == []
    assert page.inner_text(".add button") == "Ajouter au panier"
    page.click("#said .toast a")
    page.wait_for_url("**/fr/basket/")
    assert page.locator(".line").count() == 1


def test_a_refused_quantity_says_so_in_place(live_shop, open_page):
    page = open_page(size=DESKTOP, expected="status of 4")
    page.goto(live_shop.at(f"/fr/goods/{good(least=12).slug}/"))
    asked = documents(page)

    page.fill("#quantity", "1000")
    page.click(".add button")
    said = page.wait_for_selector("main [role=alert]")

    assert said.inner_text()
    assert page.input_value("#quantity") == "1000"
    assert asked == []
    assert page.locator("#count").is_hidden()


def test_without_a_script_the_basket_comes_as_a_page(live_shop, open_page):
    page = open_page(size=PHONE, javascript=False)
    page.goto(live_shop.at(f"/fr/goods/{good().slug}/"))

    page.click(".add button")

    assert page.url == live_shop.at("/fr/basket/")
    assert page.inner_text("#count") == "1"


def test_another_quantity_is_sent_when_it_is_chosen(live_shop, open_page):
    page = open_page(size=DESKTOP)
    listing = good()
    page.goto(live_shop.at(f"/fr/goods/{listing.slug}/"))
    page.click(".add button")
    page.wait_for_selector("#said .toast")
    page.goto(live_shop.at("/fr/basket/"))
    asked = documents(page)

    page.focus(".qty select")
    page.select_option(".qty select", "3")
    wait_until(page, "document.querySelector('#count').textContent === '3'")

    assert page.input_value(".qty select") == "3"
    assert page.evaluate("document.activeElement.matches('.qty select')")
    assert asked == []


def test_a_filter_changes_the_list_in_place_and_the_address_with_it(live_shop, open_page):
    page = open_page(size=DESKTOP)
    page.goto(live_shop.at("/fr/goods/"))
    before = page.inner_text("main .head .quiet")
    asked = documents(page)

    first = page.locator(".filters input[type=checkbox]:visible").first
    name = first.get_attribute("name")
    first.focus()
    page.keyboard.press("Space")
    page.wait_for_url(re.compile(rf"[?&]{name}="))
    wait_until(page, "before => document.querySelector('main .head .quiet').innerText !== before", before)

    assert asked == []
    assert page.evaluate("document.activeElement.name") == name
    assert page.inner_text("#said") == page.inner_text("main .head .quiet")
    page.go_back()
    wait_until(page, "before => document.querySelector('main .head .quiet')?.innerText === before", before)
    assert page.url == live_shop.at("/fr/goods/")


def test_a_button_that_was_pressed_says_so_and_is_not_pressed_twice(live_shop, open_page):
    page = open_page(size=PHONE)
    page.goto(live_shop.at(f"/fr/goods/{good().slug}/"))
    held: list[Route] = []
    page.route("**/basket/add/**", lambda route: held.append(route))

    page.click(".add button")
    wait_until(page, "document.querySelector('.add button').getAttribute('aria-busy') === 'true'")
    busy = page.inner_text(".add button")
    page.click(".add button")
    page.wait_for_timeout(100)

    assert busy == "Envoi…"
    assert len(held) == 1
    held[0].continue_()
    page.wait_for_selector("#said .toast")
    assert page.inner_text(".add button") == "Ajouter au panier"


SUGGESTIONS = '<ul><li><a href="/fr/goods/?q=miel">miel</a></li><li><a href="/fr/goods/?q=miel+de+thym">miel de thym</a></li></ul>'


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_suggestions_are_a_listbox_that_keys_lead_through(live_shop, open_page, language):
    page = open_page(size=DESKTOP, language=language)
    page.route("**/suggest/**", lambda route: route.fulfill(body=SUGGESTIONS, content_type="text/html"))
    page.goto(live_shop.at(f"/{language}/"))
    if not page.locator("#suggestions").count():
        pytest.skip("the shop suggests nothing yet")

    page.click("#q")
    page.keyboard.type("mi")
    page.wait_for_selector("#suggestions [role=option]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")

    field: dict[str, Any] = page.evaluate(
        "Object.fromEntries([...q.attributes].map((each) => [each.name, each.value]))"
    )
    assert (field["role"], field["aria-expanded"], field["aria-controls"]) == (
        "combobox",
        "true",
        "suggestions",
    )
    chosen = page.locator("#suggestions [aria-selected=true]")
    assert chosen.get_attribute("id") == field["aria-activedescendant"]
    assert chosen.inner_text() == "miel de thym"
    page.keyboard.press("Escape")
    assert page.locator("#suggestions").is_hidden()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/goods/?q=miel")


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_light_and_dark_are_chosen_in_the_footer_and_stay(live_shop, open_page, javascript):
    page = open_page(size=PHONE, javascript=javascript)
    page.goto(live_shop.at("/ar/labels/"))
    ground = "getComputedStyle(document.body).backgroundColor"

    page.click(".foot button[value=dark]")
    page.wait_for_load_state()

    assert page.url == live_shop.at("/ar/labels/")
    assert page.get_attribute("html", "data-theme") == "dark"
    assert page.evaluate(ground) == "rgb(23, 21, 26)"
    page.goto(live_shop.at("/account/login/"))
    assert page.get_attribute("html", "data-theme") == "dark"
    page.click(".foot button[value=system]")
    page.wait_for_load_state()
    assert page.get_attribute("html", "data-theme") is None
    assert page.evaluate(ground) == "rgb(251, 251, 249)"


def test_the_shop_can_stand_among_the_programs_of_a_phone(live_shop, open_page):
    page = open_page(size=PHONE, language="ar")
    page.goto(live_shop.at("/ar/"))

    address = page.get_attribute("link[rel=manifest]", "href")
    assert address is not None
    described = page.request.get(live_shop.at(address)).json()

    assert (described["lang"], described["dir"], described["start_url"]) == ("ar", "rtl", "/ar/")
    for icon in described["icons"]:
        picture = page.request.get(live_shop.at(icon["src"]))
        assert picture.status == 200
        assert picture.headers["content-type"].startswith(icon["type"])
