"""The whole way in a real browser: from the shelf to the bank's statement, in French and Arabic.

Nothing is done behind the pages' back but what the bank and the carrier do. ``SHOTS=1`` keeps the pictures.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from cooperatives.models import Cooperative
from fixtures.demo.accounts import PASSWORD
from fixtures.demo.loading import ON_STRIPE
from shop.backoffice import auditing
from shop.core import clock, outbox
from shop.fulfilment.models import SupplierOrder
from shop.orders.models import Order
from shop.people.models import User
from shop.reconciliation import proving
from shop.reconciliation import tasks as reconciliation_tasks
from tests.browsers import DESKTOP, PHONE, LiveShop, keep_picture, overflows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


class Person:
    """Somebody in front of the shop, in a window of her own."""

    def __init__(self, page: Page, shop: LiveShop, tag: str) -> None:
        self.page = page
        self.shop = shop
        self.tag = tag

    def opens(self, path: str) -> Person:
        answer = self.page.goto(self.shop.at(path))
        assert answer is not None and answer.status == 200, f"{path}: {answer and answer.status}"
        return self

    def signs_in(self, email: str) -> Person:
        self.opens("/account/login/")
        self.page.fill("input[name=login]", email)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("main form button")
        return self

    def presses(self, action: str) -> Person:
        """The button of the form that leads there."""
        self.page.click(f"main form[action*='{action}'] button")
        return self

    def follows(self, part_of_href: str) -> Person:
        self.page.locator(f"main a[href*='{part_of_href}']").first.click()
        return self

    def confirms(self) -> Person:
        """The button of a confirmation page."""
        self.page.locator("main form[method=post] button").first.click()
        return self

    def keeps(self, name: str) -> Person:
        self.page.wait_for_load_state()  # with its sheet, without which every page is too wide
        assert not overflows(self.page), f"{name} is wider than its window"
        keep_picture(self.page, f"{self.tag}-{name}", whole=True)
        return self


@pytest.fixture
def people(live_shop: LiveShop, open_page: Any) -> Callable[..., Person]:
    def somebody(size: Any, language: str, tag: str) -> Person:
        return Person(open_page(size=size, language=language), live_shop, tag)

    return somebody


def speak(language: str) -> None:
    """Everybody who works here reads that language."""
    User.objects.update(language=language)


def slugs() -> list[str]:
    """The three goods' addresses, whatever the demonstration calls them."""
    wanted = (("C09", "80.00"), ("C17", "45.00"), ("C13", "120.00"))
    return [
        Cooperative.objects.get(code=code).listings.get(stockrecords__price=price).slug
        for code, price in wanted
    ]


def fills_the_basket(customer: Person, language: str) -> None:
    for slug in slugs():
        customer.opens(f"/{language}/goods/{slug}/")
        customer.page.click("main form[action*='basket'] button")
        customer.page.wait_for_selector("#said .toast")
    customer.opens(f"/{language}/basket/").keeps("basket")


def gives_the_address(customer: Person, language: str, method: str) -> None:
    page = customer.opens(f"/{language}/checkout/").page
    page.fill("[name=name]", "خديجة العمراني" if language == "ar" else "Khadija El Amrani")
    page.fill("[name=phone]", "0661234567")
    page.fill("[name=email]", "khadija@example.org")
    page.select_option("[name=region]", "MA-06")
    page.fill("[name=town]", "الدار البيضاء" if language == "ar" else "Casablanca")
    page.fill("[name=street]", "12 rue des Orangers")
    page.fill("[name=landmark]", "Maârif")
    page.check(f"[name=method][value={method}]")
    page.locator("main form button[type=submit]").first.click()
    page.check("[name=terms]")
    customer.keeps("checkout")
    page.locator("main form button[type=submit]").first.click()


def the_order() -> Order:
    return Order.objects.get(guest_email="khadija@example.org")


def members_fill_their_parts(
    people: Any, size: Any, language: str, live_shop: LiveShop
) -> dict[str, SupplierOrder]:
    parts = {
        each.cooperative.code: each for each in the_order().supplier_orders.select_related("cooperative")
    }
    for email, codes in (("hassan@tadamon.example", ("C09", "C17")), ("fadma@tadamon.example", ("C13",))):
        member = people(size, language, f"{language}-{size.name}").signs_in(email)
        member.opens("/desk/").keeps(f"desk-{email.partition('@')[0]}")
        foreign = [each for code, each in parts.items() if code not in codes]
        for other in foreign:
            answer = member.page.request.get(live_shop.at(f"/desk/orders/{other.reference}/"))
            assert answer.status == 404
        for code in codes:
            part = parts[code]
            member.opens(f"/desk/orders/{part.reference}/").presses("/accept/")
            slip = member.page.request.get(live_shop.at(f"/desk/orders/{part.reference}/packing-slip/"))
            assert slip.headers["content-type"] == "application/pdf" and slip.body()[:4] == b"%PDF"
            member.opens(f"/desk/orders/{part.reference}/dispatch/")
            member.page.fill("[name=tracking_number]", f"RH{code}")
            member.keeps(f"dispatch-{code}").confirms()
            part.refresh_from_db()
            assert part.state == "dispatched"
    return parts


def an_operator_moves_the_clock(nadia: Person, days: int) -> None:
    nadia.opens("/backoffice/clock/")
    nadia.page.fill("[name=days][type=number]", str(days))
    nadia.page.locator("main form:has([name=days][type=number]) button").click()


def two_operators_pay_out(nadia: Person, youssef: Person, live_shop: LiveShop) -> None:
    nadia.opens("/backoffice/payouts/plan/").keeps("payout-plan").confirms()
    reference = re.search(r"/runs/([^/]+)/", nadia.page.url)
    assert reference is not None, nadia.page.url
    run = f"/backoffice/payouts/runs/{reference[1]}/"
    nadia.opens(run).keeps("payout-run")
    # Who planned it cannot approve it, even by asking the address itself.
    answer = nadia.page.request.get(live_shop.at(f"{run}approve/"))
    assert answer.status == 403
    youssef.opens(f"{run}approve/").keeps("payout-approve").confirms()
    nadia.opens(run)
    if nadia.page.locator("main a[href*='/hand-over/']").count():
        nadia.follows("/hand-over/").confirms()


def the_stand_ins_hear_of_it() -> None:
    """What beat does every minute in the demonstration: the bank and the carrier learn of deposits and parcels."""
    reconciliation_tasks.talk_to_the_sandbox()


def the_bank_and_the_books_agree(nadia: Person) -> None:
    nadia.opens("/backoffice/reconciliation/").presses("/import/stripe/")
    the_stand_ins_hear_of_it()
    for what in ("/fetch/work/", "/fetch/statement/", "/fetch/status/"):
        nadia.opens("/backoffice/reconciliation/").presses(what)
    nadia.opens("/backoffice/reconciliation/").keeps("reconciliation")
    assert [f"{each.account} {each.unexplained}" for each in proving.proofs() if not each.holds] == []


def nothing_is_broken() -> None:
    at = clock.now()
    outbox.sweep(at=at)
    assert [f"{each.name}: {each.rows}" for each in auditing.audit(at=at) if not each.holds] == []


def connect_the_demo_accounts(live_shop: LiveShop) -> None:
    from fixtures.stripe_sandbox import controls

    for account in ON_STRIPE.values():
        controls.press(live_shop.stripe.sandbox, "account", account=account)


@pytest.mark.parametrize(
    ("language", "size"), [("fr", DESKTOP), ("ar", PHONE)], ids=["fr-desktop", "ar-phone"]
)
def test_by_card_from_the_shelf_to_the_statement(live_shop, people, language, size):
    speak(language)
    connect_the_demo_accounts(live_shop)
    tag = f"{language}-{size.name}"

    # She looks around, chooses, orders and pays on the hosted page.
    customer = people(size, language, tag)
    customer.opens(f"/{language}/").keeps("home")
    if size is DESKTOP:
        keep_picture(customer.page, f"home-{language}")
    customer.opens(f"/{language}/goods/?region=MA-05&label=igp").keeps("list")
    customer.opens(f"/{language}/goods/{slugs()[0]}/").keeps("listing")
    fills_the_basket(customer, language)
    gives_the_address(customer, language, "card")
    assert customer.page.url.startswith(live_shop.stripe.url)
    customer.keeps("hosted-page")
    customer.page.fill("input[name*=number]", "4242424242424242")
    customer.page.fill("input[name*=exp]", "12/30")
    customer.page.fill("input[name*=cvc]", "123")
    customer.page.click("button[type=submit]")
    customer.page.wait_for_url(re.compile(re.escape(live_shop.url)))
    order = the_order()
    customer.opens(f"/{language}/orders/{order.number}/").keeps("thanks")
    order.refresh_from_db()
    assert order.stage == "confirmed"
    parts = members_fill_their_parts(people, size, language, live_shop)
    assert {code: str(each.producer_share.amount) for code, each in parts.items()} == {
        "C09": "71.20",
        "C13": "106.80",
        "C17": "40.05",
    }
    customer.opens(f"/{language}/orders/{order.number}/").keeps("tracking")
    receipt = customer.page.request.get(live_shop.at(f"/{language}/orders/{order.number}/receipt.pdf"))
    assert receipt.status == 200 and receipt.body()[:4] == b"%PDF"

    # She says that all arrived; the window closes; two operators pay out.
    for part in parts.values():
        (parcel,) = part.shipments.all()
        customer.opens(f"/{language}/parcels/{parcel.reference}/received/").confirms()
        part.refresh_from_db()
        assert part.state == "delivered"
    nadia = people(size, language, tag).signs_in("nadia@tadamon.example")
    youssef = people(size, language, tag).signs_in("youssef@tadamon.example")
    nadia.opens(f"/backoffice/orders/{order.number}/").keeps("story")
    an_operator_moves_the_clock(nadia, 8)
    assert {each.state for each in order.supplier_orders.all()} == {"released"}
    two_operators_pay_out(nadia, youssef, live_shop)
    an_operator_moves_the_clock(nadia, 5)
    the_bank_and_the_books_agree(nadia)
    nothing_is_broken()


@pytest.mark.parametrize(
    ("language", "size"), [("fr", PHONE), ("ar", DESKTOP)], ids=["fr-phone", "ar-desktop"]
)
def test_in_cash_from_the_shelf_to_the_statement(live_shop, people, language, size):
    speak(language)
    connect_the_demo_accounts(live_shop)
    tag = f"cash-{language}-{size.name}"

    customer = people(size, language, tag)
    fills_the_basket(customer, language)
    gives_the_address(customer, language, "cash")
    customer.keeps("thanks")
    order = the_order()
    assert order.stage == "confirmed"
    members_fill_their_parts(people, size, language, live_shop)
    nadia = people(size, language, tag).signs_in("nadia@tadamon.example")
    youssef = people(size, language, tag).signs_in("youssef@tadamon.example")
    the_stand_ins_hear_of_it()
    for code in ("C09", "C13", "C17"):
        answer = nadia.page.request.post(f"{live_shop.bank.url}/parcels/RH{code}/delivered")
        assert answer.ok, answer.text()
    nadia.opens("/backoffice/reconciliation/").presses("/fetch/tracking/")
    assert {each.state for each in order.supplier_orders.all()} == {"delivered"}
    nadia.opens("/backoffice/reconciliation/").presses("/fetch/remittance/")
    an_operator_moves_the_clock(nadia, 8)
    two_operators_pay_out(nadia, youssef, live_shop)
    an_operator_moves_the_clock(nadia, 5)
    the_bank_and_the_books_agree(nadia)
    nothing_is_broken()
