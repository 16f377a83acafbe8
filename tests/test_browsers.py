"""The browser tests' own ground: a real window, the live shop, and complaints that are heard."""

from __future__ import annotations

import pytest

from tests.browsers import DESKTOP, PHONE, Complaints, overflows

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=lambda each: each.name)
def test_the_live_shop_answers_in_a_real_window(live_shop, open_page, size):
    page = open_page(size=size)

    answer = page.goto(live_shop.at("/account/login/"))

    assert answer.status == 200
    assert page.viewport_size == {"width": size.width, "height": size.height}
    assert page.locator("html").get_attribute("lang") == "fr"
    assert not overflows(page)


def test_the_live_shop_holds_the_demo(live_shop):
    from cooperatives.models import Cooperative

    assert Cooperative.objects.count() == 24


def test_a_complaint_of_the_browser_is_heard(browser, live_shop):
    page = browser.new_page()
    complaints = Complaints()
    complaints.listen(page)

    page.goto(live_shop.at("/no-such-page/"))
    page.evaluate("setTimeout(() => { throw new Error('a broken script') })")
    page.wait_for_timeout(100)

    assert any("404" in each for each in complaints.heard)
    assert any("a broken script" in each for each in complaints.heard)
    page.close()


def test_a_complaint_the_test_expects_is_let_pass(live_shop, open_page):
    page = open_page(expected="status of 404")

    answer = page.goto(live_shop.at("/no-such-page/"))

    assert answer.status == 404
