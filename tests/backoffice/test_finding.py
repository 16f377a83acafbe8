"""What somebody says on the phone, understood, and the order it is about."""

from __future__ import annotations

import pytest
from django.urls import reverse

from shop.backoffice import finding
from shop.orders.models import Order
from tests.factories import NOW, ListingFactory, SupplierOrderFactory, UserFactory, dispatched, order_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    order = order_of((ListingFactory(), 1), email="Salma.Idrissi@example.ma")
    Order.objects.filter(pk=order.pk).update(number="T-70BBFSXQD")
    order.refresh_from_db()
    return order


@pytest.mark.parametrize(
    "said",
    [
        "T-70BBFSXQD",
        "t-70bbfsxqd",
        " T-7 0BB FSX QD ",
        "T-7OBBFSXQD",  # the letter O for the digit
        "T70BBFSXQD",
        "70bbfsxqd",
        "T-٧0BBFSXQD",  # an Arabic digit
    ],
)
def test_a_reference_is_found_however_it_is_typed(order, said):
    assert list(finding.found(finding.understand(said))) == [order]


def test_i_and_l_are_read_as_one(order):
    Order.objects.filter(pk=order.pk).update(number="T-1110000000"[:11])

    assert list(finding.found(finding.understand("T-IL10OO00O"))) == [order]


@pytest.mark.parametrize("said", ["salma.idrissi@example.ma", "SALMA.IDRISSI@EXAMPLE.MA", "idrissi@example"])
def test_a_mail_address_is_found_in_any_case_and_in_part(order, said):
    order_of((ListingFactory(), 1), email="other@example.ma")

    assert list(finding.found(finding.understand(said))) == [order]


def test_the_mail_address_of_an_account_is_found():
    user = UserFactory(email="khadija@example.ma")
    order = order_of((ListingFactory(), 1), user=user)

    assert list(finding.found(finding.understand("khadija@example.ma"))) == [order]


@pytest.mark.parametrize(
    "said",
    ["+212661000000", "00212 661 00 00 00", "0661000000", "06 61 00 00 00", "06-61.00.00.00", "٠٦٦١٠٠٠٠٠٠"],
)
def test_a_phone_number_is_found_in_every_form(order, said):
    assert finding.understand(said).kind == "phone"
    assert list(finding.found(finding.understand(said))) == [order]


def test_a_part_and_a_tracking_number_lead_to_their_order():
    part = SupplierOrderFactory(to="accepted")
    dispatched(part, number="RHIOL42MA")

    for said in (part.reference, part.reference.lower(), "rhiol42ma"):
        assert list(finding.found(finding.understand(said))) == [part.order], said


def test_a_reference_with_a_typing_error_is_told_from_an_unknown_one():
    assert finding.understand("T-70BBFSXDQ").is_mistyped
    assert not finding.understand("T-70BBFSXQD").is_mistyped
    assert finding.understand("70bbfsxdq").is_mistyped  # read out without its prefix
    assert not finding.understand("salma@example.ma").is_mistyped
    for tried in ("AMINA", "%", "SELECTION", "T", "12"):
        assert not finding.understand(tried).is_mistyped, tried


@pytest.mark.parametrize("said", ["", "   ", "\x00", "%", "'; drop table", "x" * 500, "@", "-", "٪"])
def test_odd_questions_find_nothing_odd(said):
    part = SupplierOrderFactory()

    found = list(finding.found(finding.understand(said)))

    assert found in ([], [part.order])


def test_one_sure_answer_leads_straight_to_the_order(as_, order):
    response = as_("support").get(reverse("backoffice:orders"), {"q": "t-7obbfsxqd"})

    assert response["Location"] == reverse("backoffice:order", args=["T-70BBFSXQD"])


def test_the_page_says_what_it_looked_for(as_, order):
    page = as_("support").get(reverse("backoffice:orders"), {"q": "0661111111"}).content.decode()

    assert "+212661111111" in page
    assert "T-70BBFSXQD" not in page


def test_orders_are_shown_by_where_they_stand(as_, order):
    part = SupplierOrderFactory(to="accepted")
    client = as_("support")

    def shown(stage):
        page = client.get(reverse("backoffice:orders"), {"show": stage})
        return {row["order"].number for row in page.context["rows"]}

    assert shown("awaiting") == {order.number}
    assert shown("confirmed") == shown("to_send") == {part.order.number}
    assert shown("to_accept") == shown("ended") == shown("late") == shown("silent") == set()
    assert shown("") == shown("nonsense") == {order.number, part.order.number}


def test_a_page_number_that_is_none_shows_the_first_page(as_, order):
    for number in ("0", "-1", "999", "x"):
        response = as_("support").get(reverse("backoffice:orders"), {"page": number})
        assert response.status_code == 200, number


def test_late_parts_are_listed_with_what_waits(shop, as_):
    part = SupplierOrderFactory(at=NOW)
    shop.wait(days=3)

    page = as_("support").get(reverse("backoffice:orders"), {"show": "overdue"})

    assert [row["order"] for row in page.context["rows"]] == [part.order]
