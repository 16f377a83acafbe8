"""The shop for everybody: WCAG 2.2 AA on every page, with keys alone, enlarged, and under its strict policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Page

from tests.browser.walking import Walk, noting_templates, unseen
from tests.browsers import DESKTOP, LiveShop, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
#: The narrowest phone and a desk, each light in one language and dark in the other; the campaign looks at all
#: widths and schemes crosswise.
SOME = {"fr": ((320, "light"), (1280, "dark")), "ar": ((320, "dark"), (1280, "light"))}
ALL = tuple((width, scheme) for width in (320, 768, 1280, 1920) for scheme in ("light", "dark"))
#: No page is wider than its window at any of these.
WIDTHS = {320: "320 px", 640: "1280 px at 200 %", 768: "768 px", 1280: "1280 px", 1920: "1920 px"}
#: What the policy forbade, noted by each page for itself.
LISTEN = """
window.forbidden = [];
document.addEventListener("securitypolicyviolation", (event) =>
    forbidden.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
OUTLINE = """() => {
    const at = document.activeElement;
    const drawn = [at, at.closest(".card") && at.closest(".card").querySelector(".pic")].some((each) => {
        const style = each && getComputedStyle(each);
        return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    });
    return [at === document.body ? "" : at.outerHTML.slice(0, 90), drawn];
}"""


def look_at(page: Page, name: str, looks: Any) -> list[str]:
    """What keeps somebody out of this page, one line for each."""
    wrong = []
    height = DESKTOP.height
    page.evaluate(AXE)
    for width, scheme in looks:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scheme => { document.documentElement.dataset.theme = scheme; }", scheme)
        for each in page.evaluate("rules => axe.run(document, rules)", RULES)["violations"]:
            places = ", ".join(" ".join(map(str, node["target"])) for node in each["nodes"][:3])
            wrong.append(f"{name}, {width} {scheme}: {each['id']} at {places}")
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    for width, said in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        if page.evaluate(wide):
            wrong.append(f"{name}: has to be scrolled sideways at {said}")
    page.set_viewport_size({"width": DESKTOP.width, "height": height})
    wrong += [f"{name}: the policy forbade {each}" for each in page.evaluate("window.forbidden")]
    return wrong


def walk_and_look(live_shop: LiveShop, open_page: Any, language: str, looks: Any) -> None:
    page = open_page(size=DESKTOP, language=language, expected=r"status of [45]\d\d")
    page.add_init_script(LISTEN)
    wrong: list[str] = []
    seen_pages: list[str] = []

    def look(name: str) -> None:
        seen_pages.append(name)
        wrong.extend(look_at(page, name, looks))

    with noting_templates() as seen:
        Walk(page, live_shop, language, look).everywhere()

    assert not wrong, "\n".join(wrong)
    assert unseen(seen, language) == [], "pages that tests/browser/walking.py does not lead to"
    assert len(seen_pages) == len(set(seen_pages)) > 45


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_no_page_keeps_anybody_out(live_shop, open_page, language):
    walk_and_look(live_shop, open_page, language, SOME[language])


@pytest.mark.campaign
@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_no_page_keeps_anybody_out_in_any_width_and_scheme(live_shop, open_page, language):
    walk_and_look(live_shop, open_page, language, ALL)


def test_axe_finds_what_is_wrong(open_page):
    """The control: a page with a picture nobody can hear of, pale letters and a small button."""
    page = open_page()
    page.add_init_script(LISTEN)
    page.goto("about:blank")
    page.set_content(
        "<!doctype html><html lang=fr><title>x</title><main><img src='data:,'><p style='color:#bbb'>pale</p>"
        "<div style='inline-size:1500px'>wide</div></main>"
    )
    page.evaluate("window.forbidden = []")

    wrong = look_at(page, "bad", SOME["fr"])

    assert any("image-alt" in each for each in wrong)
    assert any("color-contrast" in each for each in wrong)
    assert "bad: has to be scrolled sideways at 320 px" in wrong


@pytest.mark.parametrize("path", ["/", "/goods/", "/goods/?q=miel", "/checkout/", "/me/"])
def test_whoever_goes_by_keys_sees_where_she_is(live_shop, open_page, path):
    page = open_page(size=DESKTOP)
    page.goto(live_shop.at(f"/fr{path}"))

    stops, hidden = [], []
    for _ in range(200):
        page.keyboard.press("Tab")
        where, drawn = page.evaluate(OUTLINE)
        if not where or where in stops[:1]:
            break
        stops.append(where)
        if not drawn:
            hidden.append(where)

    assert 'class="skip"' in stops[0]
    assert len(stops) > 20
    assert hidden == []


class Keys:
    """A customer who has no mouse."""

    def __init__(self, page: Page, shop: LiveShop) -> None:
        self.page = page
        self.shop = shop

    def goes_to(self, selector: str, *, back: bool = False) -> Keys:
        """Presses Tab until she stands there."""
        for _ in range(150):
            self.page.keyboard.press("Shift+Tab" if back else "Tab")
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return self
        raise AssertionError(f"the keys do not lead to {selector} on {self.page.url}")

    def presses(self, key: str) -> Keys:
        self.page.keyboard.press(key)
        return self

    def types(self, text: str) -> Keys:
        self.page.keyboard.insert_text(text)
        return self


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_she_orders_with_keys_alone(live_shop, open_page, language):
    page = open_page(size=DESKTOP, language=language, expected="status of 422")
    keys = Keys(page, live_shop)
    page.goto(live_shop.at(f"/{language}/goods/?stock=1"))

    # to a good, into the basket, to the checkout
    keys.goes_to(".skip").presses("Enter").goes_to(".card a").presses("Enter")
    page.wait_for_selector(".add")
    keys.goes_to(".add button").presses("Enter")
    page.wait_for_selector("#said .toast")
    assert page.inner_text("#count") == "1"
    keys.goes_to("#said .toast a").presses("Enter")
    page.wait_for_url(f"**/{language}/basket/")
    keys.goes_to("a.button[href$='/checkout/']").presses("Enter")
    page.wait_for_url(f"**/{language}/checkout/")

    # nothing typed: she is led to what is wrong, and from there to each field
    keys.goes_to("main form button[type=submit]").presses("Enter")
    page.wait_for_selector("#errors")
    wait_until(page, "document.activeElement.id === 'errors'")
    assert page.get_attribute("#errors", "role") == "alert"
    keys.goes_to("#errors a").presses("Enter")
    assert page.evaluate("document.activeElement.name") == "name"

    # the form, the total, the order
    keys.types("Khadija El Amrani").goes_to("[name=phone]").types("0661234567")
    keys.goes_to("[name=email]").types("khadija@example.org").goes_to("[name=region]")
    while page.evaluate("document.activeElement.value") != "MA-06":
        keys.presses("ArrowDown")
    keys.goes_to("[name=town]").types("الدار البيضاء" if language == "ar" else "Casablanca")
    keys.goes_to("[name=street]").types("12 rue des Orangers")
    keys.goes_to("[name=method]")
    while page.evaluate("document.querySelector('[name=method]:checked')?.value") != "cash":
        keys.presses("ArrowDown")
    keys.goes_to("main form button[type=submit]").presses("Enter")
    page.wait_for_selector("[name=terms]")
    keys.goes_to("[name=terms]").presses("Space").goes_to("main form button[type=submit]").presses("Enter")
    page.wait_for_url(f"**/{language}/orders/**")

    assert page.locator("main h1").count() == 1
    from shop.orders.models import Order

    assert Order.objects.get(guest_email="khadija@example.org").stage == "confirmed"
