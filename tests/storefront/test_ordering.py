"""Checkout over HTTP: what is typed wrong is said, what changed is shown, nothing is believed."""

from __future__ import annotations

import html
import re

import pytest

from catalogue import prices, publishing, stock
from shop.core.errors import Unavailable
from shop.fulfilment.models import DeliveryQuote, DeliveryRate
from shop.orders.models import Order
from shop.payments import paying
from shop.payments.models import PaymentAttempt
from tests.checkout.buying import casablanca
from tests.factories import (
    NOW,
    CommuneFactory,
    ListingFactory,
    ProvinceFactory,
    RegionFactory,
    UserFactory,
    mad,
    stock_of,
)
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db

PAGE = "https://pay.example/session"


@pytest.fixture(autouse=True)
def hosted_page(monkeypatch):
    """The hosted page without its provider."""
    monkeypatch.setattr(paying, "page_for", lambda **_: PAGE)


@pytest.fixture
def honey():
    return ListingFactory(title="Thyme honey", price="150.00", stock=5)


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


def test_a_guest_orders_from_three_cooperatives_and_goes_to_the_payment_page(visitor):
    goods = [ListingFactory(price="100.00") for _ in range(3)]
    for each in goods:
        visitor.add(each)

    response = visitor.order()

    assert (response.status_code, response["Location"]) == (302, PAGE)
    order = Order.objects.get()
    assert order.total == mad("390.00")
    assert order.delivery_quotes.count() == 3
    assert order.guest_email == "salma@example.ma"
    assert str(order.guest_phone) == "+212661000000"
    assert (order.shipping_address.line4, order.shipping_address.commune_code) == (
        "Casablanca",
        "06.141.01.0",
    )
    assert order.language == "en"


def test_paying_in_cash_leads_straight_to_the_order(visitor, honey):
    visitor.add(honey)

    response = visitor.order(method="cash")

    order = Order.objects.get()
    assert response["Location"] == visitor.url("track", order.number) + "?thanks=1"
    assert order.stage == Order.Stage.CONFIRMED
    assert "Thank you, your order is placed" in text_of(visitor.client.get(response["Location"]))


def test_an_account_orders_without_typing_its_mail_again(now, honey):
    visitor = Visitor(user=UserFactory(email="amina@example.ma"))
    visitor.add(honey)

    response = visitor.order(email="other@example.ma")

    assert response.status_code == 302
    assert Order.objects.get().contact_email == "amina@example.ma"


def test_the_page_shows_delivery_terms_and_total_before_the_binding_button(visitor, honey):
    visitor.add(honey, 2)
    before = text_of(visitor.get("checkout"))
    visitor.work_out()

    page = text_of(visitor.get("checkout"))

    assert "Work out the delivery" in before
    assert "Order and pay" not in before
    assert "MAD 30" in page
    assert re.search(r"Order and pay <bdi>MAD.330</bdi>", page)
    assert "withdraw within 7 days" in page
    assert 'name="terms"' in page
    assert "between Tuesday 24 and Thursday 26" in page.replace("\u00a0", " ")


def test_pressing_again_leads_to_the_same_order(visitor, honey):
    visitor.add(honey)
    visitor.work_out()
    form = visitor.answers() | {"terms": "on"} | visitor.shown()

    first = visitor.post("place", **form)
    again = visitor.post("place", **form)

    assert (first["Location"], again["Location"]) == (PAGE, PAGE)
    assert Order.objects.count() == 1
    assert stock_of(honey) == (5, 1)


def test_pressing_again_with_an_account_leads_to_the_same_order(now, honey):
    visitor = Visitor(user=UserFactory())
    visitor.add(honey)
    visitor.work_out()
    form = visitor.answers() | {"terms": "on"} | visitor.shown()

    visitor.post("place", **form)
    again = visitor.post("place", **form)

    assert again["Location"] == PAGE
    assert Order.objects.count() == 1


def test_terms_must_be_read(visitor, honey):
    visitor.add(honey)

    response = visitor.order(terms="")

    assert response.status_code == 422
    assert "tick the box" in text_of(response)
    assert "Order and pay" in text_of(response)
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("phone", "06 61 00 00", "A Moroccan number has ten digits. 2 are missing."),
        ("phone", "hello", "Write the number in digits"),
        ("email", "salma@", "e-mail"),
        ("name", " ", "This is needed."),
        ("street", "", "This is needed."),
        ("region", "MA-99", "Choose one of the twelve regions."),
        ("region", "", "This is needed."),
        ("town", "Atlantis", "We do not find this town in Casablanca-Settat."),
        ("method", "gold", "Choose card or cash."),
        ("name", "x" * 121, "120"),
    ],
)
def test_what_is_typed_wrong_is_said_at_its_field_and_kept(visitor, honey, field, typed, said):
    visitor.add(honey)

    response = visitor.work_out(**{field: typed})

    assert response.status_code == 422
    page = text_of(response)
    assert said.lower() in page.lower()
    assert 'role="alert"' in page
    assert not Order.objects.exists()
    assert not DeliveryQuote.objects.exists()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("0661000000", "+212661000000"),
        ("06.61-00 00 00", "+212661000000"),
        ("+212 661 00 00 00", "+212661000000"),
        ("+212 (0) 661 00 00 00", "+212661000000"),
        ("00212661000000", "+212661000000"),
        ("٠٠٢١٢٦٦١٠٠٠٠٠٠", "+212661000000"),
        ("05 28 80 00 00", "+212528800000"),
        ("+33 6 12 34 56 78", "+33612345678"),
        ("0033612345678", "+33612345678"),
    ],
)
def test_a_phone_number_is_understood_as_people_write_it(visitor, honey, typed, kept):
    visitor.add(honey)

    visitor.order(phone=typed)

    assert str(Order.objects.get().guest_phone) == kept


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_a_phone_fills_the_form_in_and_shows_the_right_keys(now, honey, language):
    visitor = Visitor(language)
    visitor.add(honey)

    page = visitor.get("checkout").content.decode()

    tags = {
        name: tag
        for tag, name in re.findall(r'(<(?:input|select)[^>]* name="(\w+)"[^>]*>)', page)
        if "hidden" not in tag
    }
    asked = {name: re.findall(r'autocomplete="([^"]+)"', tag) for name, tag in tags.items()}
    assert asked["name"] == ["name"]
    assert asked["phone"] == ["tel"] and 'type="tel"' in tags["phone"] and 'dir="ltr"' in tags["phone"]
    assert asked["email"] == ["email"] and 'type="email"' in tags["email"] and 'dir="ltr"' in tags["email"]
    assert asked["region"] == ["address-level1"]
    assert asked["town"] == ["address-level2"]
    assert (asked["street"], asked["landmark"]) == (["address-line1"], ["address-line2"])


def test_arabic_digits_and_an_arabic_town_are_understood(now, honey):
    visitor = Visitor(language="ar")
    visitor.add(honey, "٢")

    visitor.order(phone="٠٦٦١٠٠٠٠٠٠", town="الدار البيضاء")

    order = Order.objects.get()
    assert str(order.guest_phone) == "+212661000000"
    assert order.shipping_address.line4 == "الدار البيضاء"
    assert order.lines.get().quantity == 2


def test_a_town_spelt_almost_right_is_offered_and_can_be_chosen(visitor, honey):
    region = casablanca().province.region
    province = ProvinceFactory(code="06.371", region=region, name_fr="Mohammadia", name_ar="المحمدية")
    CommuneFactory(code="06.371.01.0", province=province, name_fr="Mohammadia", name_ar="المحمدية")
    visitor.add(honey)

    offered = visitor.work_out(town="Mohammedia")
    chosen = visitor.work_out(town="Mohammedia", commune="06.371.01.0")

    assert offered.status_code == 422
    assert 'value="06.371.01.0"' in text_of(offered)
    assert chosen.status_code == 302


def test_a_commune_of_another_region_cannot_be_smuggled_in(visitor, honey):
    casablanca()
    CommuneFactory(code="07.211.01.0")
    visitor.add(honey)

    response = visitor.order(commune="07.211.01.0")

    assert response.status_code == 302
    assert Order.objects.get().shipping_address.commune_code == "06.141.01.0"


def test_an_address_that_no_carrier_reaches_is_refused_by_name(visitor, honey):
    visitor.add(honey)
    typed = visitor.answers()
    DeliveryRate.objects.all().delete()

    response = visitor.post("checkout", **typed)

    assert response.status_code == 409
    assert "No carrier brings the goods of" in text_of(response)
    assert not Order.objects.exists()


def test_a_total_tampered_with_orders_nothing(visitor, honey):
    visitor.add(honey)

    for total in ("1", "-1", "NaN", "1e3", "99999999999", ""):
        response = visitor.order(total=total)
        assert response.status_code == 409
        assert "The total is not the one you were shown" in text_of(response)

    assert not Order.objects.exists()
    assert stock_of(honey) == (5, 0)


def test_a_price_in_the_request_changes_nothing(visitor, honey):
    visitor.add(honey)
    visitor.work_out()
    form = visitor.answers() | {"terms": "on"} | visitor.shown()

    visitor.post("place", **form | {"price": "1", "unit_price_incl_tax": "1", "delivery": "0"})

    assert Order.objects.get().total == mad("180.00")


def test_another_fingerprint_than_the_one_shown_orders_nothing(visitor, honey):
    visitor.add(honey)

    response = visitor.order(fingerprint="0" * 64)

    assert response.status_code == 409
    assert "The delivery prices have been worked out again" in text_of(response)
    assert not Order.objects.exists()


def test_an_address_changed_after_the_quote_is_worked_out_again_first(visitor, honey):
    casablanca()
    province = ProvinceFactory()
    CommuneFactory(province=province)
    visitor.add(honey)
    visitor.work_out()
    form = visitor.answers(region="MA-07", town="Essaouira") | {"terms": "on"} | visitor.shown()

    refused = visitor.post("place", **form)
    page = text_of(refused)
    shown = dict(re.findall(r'name="(fingerprint|total|basket)" value="([^"]*)"', page))
    ordered = visitor.post("place", **form | shown)

    assert refused.status_code == 409
    assert ordered["Location"] == PAGE
    assert Order.objects.get().shipping_address.line4 == "Essaouira"


def test_a_changed_price_is_shown_and_the_next_press_orders_it(visitor, honey):
    visitor.add(honey)
    visitor.work_out()
    form = visitor.answers() | {"terms": "on"} | visitor.shown()
    prices.change(listing=honey, price=mad("160.00"))

    refused = visitor.post("place", **form)
    page = text_of(refused).replace("\u00a0", " ")
    nothing = Order.objects.count()
    shown = dict(re.findall(r'name="(fingerprint|total|basket)" value="([^"]*)"', page))
    ordered = visitor.post("place", **form | shown)

    assert refused.status_code == 409
    assert "from MAD 150.00 to MAD 160.00" in page or "delivery prices have been worked out" in page
    assert nothing == 0
    assert ordered.status_code == 302
    assert Order.objects.get().total == mad("190.00")


def test_a_line_that_sold_out_is_named_and_the_basket_says_what_to_do(visitor, honey):
    visitor.add(honey, 2)
    visitor.work_out()
    form = visitor.answers() | {"terms": "on"} | visitor.shown()
    stock.reserve(quantities={honey.stockrecords.get().pk: 5}, about="T-OTHER", at=NOW)

    response = visitor.post("place", **form)

    page = text_of(response)
    assert response.status_code == 409
    assert "“Thyme honey” is sold out" in page
    assert "Sold out: take it out" in page
    assert not Order.objects.exists()


def test_a_line_that_left_the_shelf_is_named(visitor, honey):
    visitor.add(honey)
    visitor.work_out()
    form = visitor.answers() | {"terms": "on"} | visitor.shown()
    publishing.withdraw(listing=honey)

    response = visitor.post("place", **form)

    assert response.status_code == 409
    assert "“Thyme honey” is not on sale at the moment" in text_of(response)
    assert not Order.objects.exists()


def test_nothing_can_be_placed_from_an_empty_basket(visitor):
    casablanca()

    response = visitor.post("place", **visitor.answers(), terms="on")

    assert response.status_code == 409
    assert "There is nothing in this basket to order." in text_of(response)


def test_a_basket_of_another_visitor_cannot_be_ordered(visitor, honey):
    other = Visitor()
    other.add(honey, 3)
    other.work_out()
    stolen = other.shown()
    visitor.add(honey)
    visitor.work_out()

    response = visitor.post("place", **visitor.answers(), **{"terms": "on"} | stolen)

    # Her own basket answers, and it is another one than these fields speak of.
    assert response.status_code == 409
    assert not Order.objects.exists()


def test_when_the_bank_does_not_answer_the_order_is_kept_and_can_be_paid_later(visitor, honey, monkeypatch):
    def down(**_):
        raise Unavailable("Stripe did not answer")

    monkeypatch.setattr(paying, "page_for", down)
    visitor.add(honey)

    response = visitor.order()

    order = Order.objects.get()
    assert response["Location"] == visitor.url("track", order.number)
    page = text_of(visitor.get("track", order.number))
    assert "The bank does not answer at the moment" in page
    assert "Pay MAD" in page
    monkeypatch.setattr(paying, "page_for", lambda **_: PAGE)
    assert visitor.post("pay", order.number)["Location"] == PAGE
    assert not PaymentAttempt.objects.exists()


def test_checkout_of_an_empty_basket_leads_to_the_basket(visitor):
    assert visitor.get("checkout")["Location"] == visitor.url("basket")


def test_placing_needs_a_post(visitor):
    assert visitor.get("place")["Location"] == visitor.url("checkout")
    assert not Order.objects.exists()


@pytest.mark.parametrize("token", ["", "0" * 32, "x' or 1=1"])
def test_a_form_that_speaks_of_another_basket_orders_nothing(visitor, honey, token):
    visitor.add(honey)

    response = visitor.order(basket=token)

    assert response.status_code == 409
    assert "This basket is no longer open" in text_of(response)
    assert not Order.objects.exists()
    assert stock_of(honey) == (5, 0)


def test_a_town_of_another_region_is_named_with_its_region_and_offered(now):
    rabat = CommuneFactory(
        name_fr="Rabat",
        name_ar="الرباط",
        province=ProvinceFactory(region=RegionFactory(code="MA-04", name_fr="Rabat-Salé-Kénitra")),
    )
    visitor = Visitor("fr")
    visitor.add(ListingFactory())

    asked = visitor.work_out(town="Rabat")
    chosen = visitor.work_out(town="Rabat", commune=rabat.code)

    assert asked.status_code == 422
    assert "mais dans Rabat-Salé-Kénitra" in html.unescape(text_of(asked))
    assert f'value="{rabat.code}"' in asked.content.decode()
    assert chosen.status_code == 302
    assert visitor.client.session["checkout"]["region"] == "MA-04"
    assert visitor.client.session["checkout"]["commune"] == rabat.code


def test_the_button_says_when_the_cooperatives_get_the_order(visitor, honey):
    visitor.add(honey)

    visitor.work_out(method="card")
    by_card = text_of(visitor.get("checkout"))
    visitor.work_out(method="cash")
    in_cash = text_of(visitor.get("checkout"))

    assert "The cooperatives receive it once it is paid." in by_card
    assert "The cooperatives receive it at once." in in_cash
