"""A walk past every page a customer can see, so that a test may look at each.

Which templates were seen is noted while the server renders them: a new one that no step of the walk leads to is
found by ``unseen``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string
from django.test import RequestFactory
from django.test.signals import template_rendered
from django.utils import translation
from playwright.sync_api import Page

import shop.design
import shop.storefront
from catalogue import publishing
from catalogue.models import Product
from cooperatives.models import Cooperative
from fixtures.demo.accounts import PASSWORD
from shop.core import clock
from shop.customers import ending, newsletter
from shop.customers.models import Purpose, Subscription
from shop.design import views as design
from shop.fulfilment import deciding, delivering, dispatching
from shop.fulfilment.models import Carrier, Shipment
from shop.orders.models import Order
from shop.people.models import User
from tests.browsers import LiveShop

FOLDERS = [Path(each.__file__).parent / "templates" for each in (shop.design, shop.storefront)]
#: Frames of pages, fields of other programs' forms, and what is no page at all.
NO_PAGES = re.compile(r"^(?:mail|allauth)/|^design/base|^account/base|(?:^|/)_")
#: Pages that stand by their address alone; each language has its own.
ADDRESSES = {
    "home": "/",
    "all goods": "/goods/",
    "goods, narrowed": "/goods/?region=MA-05&label=igp&stock=1",
    "search": "/goods/?q=miel",
    "nothing found": "/goods/?q=zzzzzz",
    "category": "/kinds/honey-and-sweets/",
    "region": "/regions/MA-05/",
    "regions": "/regions/",
    "labels": "/labels/",
    "label": "/labels/igp/",
    "cooperatives": "/cooperatives/",
    "harvests": "/harvests/",
    "sellers": "/sellers/",
    "place of delivery": "/delivery-place/",
    "newsletter": "/newsletter/",
    "delivery": "/pages/delivery/",
    "paying": "/pages/payment/",
    "how we work": "/pages/how-we-work/",
    "terms": "/pages/terms/",
    "withdrawal": "/pages/withdrawal/",
    "privacy": "/pages/privacy/",
    "legal": "/pages/legal/",
    "account, a guest's": "/me/",
    "favourites, none yet": "/me/favourites/",
    "basket, empty": "/basket/",
    "offline": "/offline/",
    "nothing there": "/no-such-page/",
}
#: Pages without a language in their address: they follow the one chosen.
OTHERS = {
    "signing in": "/account/login/",
    "opening an account": "/account/signup/",
    "forgotten password": "/account/password/reset/",
    "mails of the demonstration": "/demo/mails/",
}
ERRORS = ("400", "403", "403_csrf", "405", "429", "500", "503")

Look = Callable[[str], None]


class Walk:
    """One customer's way through the shop in one language; ``look`` is called on each page with its name."""

    def __init__(self, page: Page, shop: LiveShop, language: str, look: Look) -> None:
        self.page = page
        self.shop = shop
        self.language = language
        self.look = look

    def everywhere(self) -> None:
        """Every page there is."""
        for name, path in ADDRESSES.items():
            self.opens(f"/{self.language}{path}", name)
        for name, path in OTHERS.items():
            self.opens(path, name)
        self.pages_of_the_design()
        self.a_cooperative_and_its_good()
        self.chooses_and_orders()
        self.follows_her_orders()
        self.signs_in()

    def opens(self, path: str, name: str) -> None:
        self.page.goto(self.shop.at(path))
        self.look(name)

    def pages_of_the_design(self) -> None:
        """Pages for when something broke, and the living page: shown as if the shop had answered with them."""
        with translation.override(self.language):
            shown = {f"error {status}": render_to_string(f"{status}.html") for status in ERRORS}
        for place in design.PLACES:
            request = RequestFactory().get("/design/", {"place": place, "language": self.language})
            shown[f"design, {place}"] = design.page(request).content.decode()
        for name, html in shown.items():
            self.page.route(
                "**/as-if/", lambda route, html=html: route.fulfill(body=html, content_type="text/html")
            )
            self.opens("/as-if/", name)
            self.page.unroute("**/as-if/")

    def a_cooperative_and_its_good(self) -> None:
        cooperative = Cooperative.objects.get(code="C09")
        self.opens(f"/{self.language}/cooperatives/{cooperative.slug}/", "cooperative")
        good = cooperative.listings.order_by("reference").first()
        assert good is not None
        self.opens(self.good(good), "listing")
        self.opens(f"{self.good(good)}pictures/1/", "picture of a listing")
        self.opens(f"{self.good(good)}reviews/", "reviews of a listing")
        gone = Cooperative.objects.get(code="C01").listings.filter(parent=None).order_by("reference")[0]
        publishing.withdraw(listing=gone)
        self.opens(self.good(gone), "listing that is gone")

    def good(self, listing: Product) -> str:
        return f"/{self.language}/goods/{listing.slug}/"

    def adds(self, listing: Product) -> None:
        self.page.goto(self.shop.at(self.good(listing)))
        self.page.click(".add button")
        self.page.wait_for_selector("#said .toast")

    def chooses_and_orders(self) -> None:
        first, second = Product.objects.filter(stockrecords__num_in_stock__gt=9, parent=None).order_by(
            "reference"
        )[:2]
        self.adds(first)
        self.look("listing, with what was added")
        self.adds(second)
        self.opens(f"/{self.language}/basket/", "basket")
        self.opens(f"/{self.language}/checkout/", "checkout")
        self.page.locator("main form button[type=submit]").first.click()
        self.page.wait_for_selector("#errors")
        self.look("checkout, with what is wrong")
        self.gives_her_address("card")
        self.look("checkout, to be looked over")
        self.confirms()
        self.page.wait_for_url(re.compile(re.escape(self.shop.stripe.url)))

    def gives_her_address(self, method: str) -> None:
        page = self.page
        page.fill("[name=name]", "خديجة العمراني" if self.language == "ar" else "Khadija El Amrani")
        page.fill("[name=phone]", "0661234567")
        if page.locator("[name=email]").count():
            page.fill("[name=email]", "khadija@example.org")
        page.select_option("[name=region]", "MA-06")
        page.fill("[name=town]", "الدار البيضاء" if self.language == "ar" else "Casablanca")
        page.fill("[name=street]", "12 rue des Orangers")
        page.fill("[name=landmark]", "Maârif")
        page.check(f"[name=method][value={method}]")
        page.locator("main form button[type=submit]").first.click()
        page.wait_for_selector("[name=terms]")

    def confirms(self) -> None:
        self.page.check("[name=terms]")
        self.page.locator("main form button[type=submit]").first.click()

    def follows_her_orders(self) -> None:
        unpaid = Order.objects.get(guest_email="khadija@example.org")
        home = f"/{self.language}/orders/{unpaid.number}/"
        self.opens(f"{home}payment/?look=99", "payment, being confirmed")
        self.opens(home, "order that waits for its payment")
        self.adds(Cooperative.objects.get(code="C09").listings.order_by("reference")[0])
        self.page.goto(self.shop.at(f"/{self.language}/checkout/"))
        self.gives_her_address("cash")
        self.confirms()
        self.page.wait_for_url("**/orders/**")
        self.look("thanks")
        order = Order.objects.exclude(pk=unpaid.pk).get(guest_email="khadija@example.org")
        (part,) = order.supplier_orders.all()
        member = User.objects.get(email="hassan@tadamon.example")
        self.opens(f"/{self.language}/parts/{part.reference}/cancel/", "taking a part back")
        part = deciding.accept(supplier_order=part, by=member, at=clock.now())
        parcel = dispatching.dispatch(
            supplier_order=part,
            carrier=Carrier.objects.all()[0],
            tracking_number="RH1",
            by=member,
            at=clock.now(),
        )
        self.opens(f"/{self.language}/parcels/{parcel.reference}/received/", "parcel that came")
        self.opens(f"/{self.language}/orders/{order.number}/", "order on its way")
        delivering.record_delivery(
            shipment=parcel, proof=Shipment.Proof.CUSTOMER, at=clock.now(), actor="customer"
        )
        line = order.lines.select_related("product")[0]
        self.opens(
            f"/{self.language}/orders/{order.number}/reviews/{line.product.reference}/", "writing a review"
        )

    def signs_in(self) -> None:
        self.page.goto(self.shop.at("/account/login/"))
        self.page.fill("input[name=login]", "salma@tadamon.example")
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("main form button")
        self.page.wait_for_load_state()
        self.opens(f"/{self.language}/me/", "account")
        self.keeps_what_is_hers()
        self.answers_mails()
        self.asks_for_her_data()

    def keeps_what_is_hers(self) -> None:
        """An address, a favourite, the mails she wants."""
        home = f"/{self.language}/me"
        self.opens(f"{home}/details/", "details")
        self.opens(f"{home}/notices/", "notices")
        self.opens(f"{home}/addresses/", "addresses, none yet")
        self.page.goto(self.shop.at(f"{home}/addresses/new/"))
        self.presses("main form.form button")
        self.look("address, with what is wrong")
        for name, typed in {
            "name": "Salma Bennis",
            "phone": "0661234567",
            "street": "12 rue du Port",
        }.items():
            self.page.fill(f"[name={name}]", typed)
        self.page.select_option("[name=region]", "MA-06")
        self.page.fill("[name=town]", "الدار البيضاء" if self.language == "ar" else "Casablanca")
        self.presses("main form.form button")
        self.look("addresses")
        good = Cooperative.objects.get(code="C09").listings.order_by("reference")[0]
        self.page.goto(self.shop.at(self.good(good)))
        self.page.click(".favourite button")
        self.page.wait_for_selector(".favourite [name=off]")
        self.look("listing, a favourite")
        self.opens(f"{home}/favourites/", "favourites")

    def answers_mails(self) -> None:
        """What the links of mails she did not order lead to."""
        newsletter.ask(email=f"walk.{self.language}@example.org", language=self.language, at=clock.now())
        person = Subscription.objects.get(email=f"walk.{self.language}@example.org").person
        token = ending.confirm_token(person=person)
        self.opens(f"/{self.language}/newsletter/confirm/{token}/", "newsletter, is it you")
        self.presses("main form button")
        self.look("newsletter, it comes")
        self.opens(f"/{self.language}/newsletter/confirm/x/", "newsletter, link too old")
        token = ending.end_token(person=person, purpose=Purpose.NEWSLETTER)
        self.opens(f"/{self.language}/unsubscribe/{token}/", "newsletter, end it")
        self.presses("main form button")
        self.look("newsletter, ended")

    def asks_for_her_data(self) -> None:
        """Her data, and its erasure: of an account of her own, which is gone afterwards."""
        home = f"/{self.language}/me/data/"
        self.opens(home, "data")
        self.page.goto(self.shop.at(f"{home}erase/"))
        self.look("is it you")
        self.page.fill("input[name=password]", PASSWORD)
        self.presses("main form button[type=submit]")
        self.look("erasing")
        self.presses("main form button.grave")
        self.look("erased")

    def presses(self, selector: str) -> None:
        with self.page.expect_navigation():
            self.page.locator(selector).first.click()


@contextmanager
def noting_templates() -> Iterator[set[str]]:
    """The names of all templates rendered meanwhile, also by the server's threads."""
    seen: set[str] = set()

    def note(sender: Any, template: Any, **_: Any) -> None:
        if template.name:
            seen.add(template.name)

    template_rendered.connect(note)
    try:
        yield seen
    finally:
        template_rendered.disconnect(note)


def unseen(seen: set[str], language: str) -> list[str]:
    """Pages that no step led to."""
    foreign = tuple(f"_{code}.html" for code in {"fr", "ar", "en"} - {language})
    names = {path.relative_to(folder).as_posix() for folder in FOLDERS for path in folder.rglob("*.html")}
    return sorted(each for each in names - seen if not NO_PAGES.search(each) and not each.endswith(foreign))
