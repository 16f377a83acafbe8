"""The twelve main pages of the shop as customers see them: French and Arabic, light and dark, phone and desktop.

``SHOTS=1`` keeps them in ``docs/pictures/storefront``; without it every page is still looked at for what is wider
than its window.
"""

from __future__ import annotations

import io
import os
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page

from catalogue.models import Product
from cooperatives.models import Cooperative
from fixtures.demo.accounts import PASSWORD
from shop.core import clock
from shop.fulfilment import deciding, dispatching
from shop.fulfilment.models import Carrier
from shop.orders.models import Order
from shop.people.models import User
from tests.browsers import DESKTOP, PHONE, PICTURES, LiveShop, Size, overflows, wait_until

FOLDER = PICTURES / "storefront"
PAGES = (
    "home",
    "category",
    "region",
    "cooperative",
    "label",
    "listing",
    "search",
    "basket",
    "checkout",
    "thank-you",
    "tracking",
    "account",
)
SCHEMES = ("light", "dark")
#: How much of a page a picture shows, in windows, and in how many colours: all of them together stay small.
SCREENS = {PHONE.name: 2, DESKTOP.name: 1}
COLOURS = 96
HEAVIEST = 64 * 1024  # bytes, on average

#: All that is in sight, and a little more, has been drawn.
DRAWN = """height => [...document.images].every((each) =>
    each.getBoundingClientRect().top > height || (each.complete && each.naturalWidth > 0))"""


class Photographer:
    """Salma, who orders something, and whoever takes pictures over her shoulder."""

    def __init__(self, page: Page, shop: LiveShop, language: str, size: Size) -> None:
        self.page = page
        self.shop = shop
        self.language = language
        self.size = size
        self.taken: list[str] = []
        self.wrong: list[str] = []

    def opens(self, path: str) -> None:
        answer = self.page.goto(self.shop.at(path))
        assert answer is not None and answer.status == 200, path

    def shows(self, path: str, name: str) -> None:
        self.opens(f"/{self.language}{path}")
        self.takes(name)

    def takes(self, name: str) -> None:
        """What the window shows, once in each scheme; the window is as high as the picture meanwhile."""
        height = self.size.height * SCREENS[self.size.name]
        self.page.set_viewport_size({"width": self.size.width, "height": height})
        for scheme in SCHEMES:
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            self.page.evaluate("document.fonts.ready")
            wait_until(self.page, DRAWN, height)
            if overflows(self.page):
                self.wrong.append(f"{name}, {scheme}: wider than its window")
            keep(self.page, f"{name}-{self.language}-{scheme}-{self.size.name}")
        self.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        self.page.set_viewport_size({"width": self.size.width, "height": self.size.height})
        self.taken.append(name)

    def signs_in(self) -> None:
        self.opens("/account/login/")
        self.page.fill("input[name=login]", "salma@tadamon.example")
        self.page.fill("input[name=password]", PASSWORD)
        with self.page.expect_navigation():
            self.page.click("main form button")

    def looks_around(self) -> None:
        cooperative = Cooperative.objects.get(code="C09")
        self.shows("/", "home")
        self.shows("/kinds/honey-and-sweets/", "category")
        self.shows("/regions/MA-05/", "region")
        self.shows(f"/cooperatives/{cooperative.slug}/", "cooperative")
        self.shows("/labels/igp/", "label")
        self.shows(f"/goods/{goods()[0].slug}/", "listing")
        self.shows("/goods/?q=miel" if self.language == "fr" else "/goods/?q=عسل", "search")

    def orders(self) -> Order:
        for each in goods():
            self.opens(f"/{self.language}/goods/{each.slug}/")
            self.page.click(".add button")
            self.page.wait_for_selector("#said .toast")
        self.shows("/basket/", "basket")
        self.shows("/checkout/", "checkout")
        page = self.page
        arabic = self.language == "ar"
        page.fill("[name=name]", "سلمى بنيس" if arabic else "Salma Bennis")
        page.fill("[name=phone]", "0661234567")
        page.select_option("[name=region]", "MA-06")
        page.fill("[name=town]", "الدار البيضاء" if arabic else "Casablanca")
        page.fill("[name=street]", "زنقة البرتقال 12" if arabic else "12, rue des Orangers")
        page.check("[name=method][value=cash]")
        page.locator("main form button[type=submit]").first.click()
        page.check("[name=terms]")
        page.locator("main form button[type=submit]").first.click()
        page.wait_for_url("**/orders/**")
        self.takes("thank-you")
        return Order.objects.latest("date_placed")

    def follows(self, order: Order) -> None:
        """One part is on its way, one accepted, the rest still waits."""
        member = User.objects.get(email="hassan@tadamon.example")
        first, second, *_ = [
            deciding.accept(supplier_order=each, by=member, at=clock.now())
            for each in order.supplier_orders.filter(cooperative__code__in=["C09", "C17"]).order_by("pk")
        ]
        dispatching.dispatch(
            supplier_order=first,
            carrier=Carrier.objects.all()[0],
            tracking_number="RH123456789MA",
            by=member,
            at=clock.now(),
        )
        assert second.state == "accepted"
        self.shows(f"/orders/{order.number}/", "tracking")
        self.shows("/me/", "account")


def goods() -> list[Product]:
    """One good each of three cooperatives that deliver by themselves."""
    wanted = (("C09", "80.00"), ("C17", "45.00"), ("C13", "120.00"))
    return [
        Cooperative.objects.get(code=code).listings.get(stockrecords__price=price) for code, price in wanted
    ]


def keep(page: Page, name: str) -> None:
    """Write what the window shows with few colours, when pictures are asked for."""
    if not os.environ.get("SHOTS"):
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    whole = Image.open(io.BytesIO(page.screenshot(scale="css"))).convert("RGB")
    whole.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        FOLDER / f"{name}.png", optimize=True
    )


@pytest.mark.browser
@pytest.mark.campaign
@pytest.mark.timeout(600)
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=lambda each: each.name)
@pytest.mark.parametrize("language", ["fr", "ar"])
def test_the_twelve_main_pages_stand_in_their_window(
    live_shop: LiveShop, open_page: Any, language: str, size: Size
) -> None:
    page = open_page(size=size, language=language)
    salma = Photographer(page, live_shop, language, size)

    salma.signs_in()
    salma.looks_around()
    salma.follows(salma.orders())

    assert salma.wrong == []
    assert sorted(salma.taken) == sorted(PAGES)


def test_the_pictures_are_all_there_and_small() -> None:
    wanted = {
        f"{page}-{language}-{scheme}-{size.name}.png"
        for page in PAGES
        for language in ("fr", "ar")
        for scheme in SCHEMES
        for size in (PHONE, DESKTOP)
    }

    found = {each.name: each.stat().st_size for each in FOLDER.iterdir()}

    assert found.keys() == wanted
    assert sum(found.values()) <= HEAVIEST * len(wanted)
