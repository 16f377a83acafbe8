"""A cooperative sees whom it sends to from its acceptance until some days after delivery, and no one else's eyes."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from pypdf import PdfReader

from shop.design.numbers import NBSP
from shop.fulfilment import deciding, delivering, releasing
from shop.fulfilment.models import SupplierOrder
from tests.factories import NOW, ListingFactory, MemberFactory, UserFactory, dispatched, placed

pytestmark = pytest.mark.django_db
PERSONAL = ("Salma Idrissi", "12, rue des Orangers", "près de la poste", f"06{NBSP}61")


@pytest.fixture(autouse=True)
def at_now():
    with time_machine.travel(NOW + timedelta(minutes=5), tick=False) as clock:
        yield clock


@pytest.fixture
def owner(client):
    member = MemberFactory(cooperative__code="C01", user=UserFactory(language="en"))
    client.force_login(member.user)
    return member


@pytest.fixture
def part_in(owner):
    """A part brought to a state."""

    def bring(state: str) -> SupplierOrder:
        method = "cash" if state == "refused" else "card"
        (part,) = placed((ListingFactory(cooperative=owner.cooperative), 1), method=method)
        if state == "declined":
            deciding.decline(supplier_order=part, by=None, reason="sold_out", at=NOW)
        elif state == "cancelled":
            deciding.cancel(supplier_order=part, at=NOW)
        elif state != "placed":
            deciding.accept(supplier_order=part, by=None, at=NOW)
            if state != "accepted":
                parcel = dispatched(part)
                if state == "refused":
                    delivering.record_refusal(shipment=parcel, reason="nobody_home", at=NOW)
                elif state in ("delivered", "released"):
                    delivering.record_delivery(shipment=parcel, proof="tracking", at=NOW)
        part = SupplierOrder.objects.get(pk=part.pk)
        if state == "released":
            releasing.release(supplier_order=part, at=NOW + timedelta(days=8))
        return part

    return bring


def _url(door: str, part: SupplierOrder) -> str:
    return reverse(f"desk:{door}", args=[part.reference])


@pytest.mark.parametrize("state", ["accepted", "dispatched", "delivered", "released"])
def test_while_the_parcel_needs_it_name_address_and_phone_are_shown(client, part_in, state):
    part = part_in(state)

    page = client.get(_url("order", part)).content.decode()
    slip = client.get(_url("packing_slip", part))

    assert all(each in page for each in PERSONAL)
    assert "Salma Idrissi" in PdfReader(io.BytesIO(slip.content)).pages[0].extract_text()


@pytest.mark.parametrize("state", ["placed", "declined", "cancelled", "refused"])
def test_before_acceptance_and_of_what_came_to_nothing_only_the_town_is_shown(client, part_in, state):
    part = part_in(state)

    page = client.get(_url("order", part)).content.decode()
    slip = client.get(_url("packing_slip", part))

    assert "Casablanca" in page
    assert not any(each in page for each in PERSONAL)
    assert slip["Location"] == _url("order", part)
    assert "from the moment you accept" in client.get(slip["Location"]).content.decode()


@pytest.mark.parametrize("state", ["delivered", "released"])
def test_two_weeks_after_the_delivery_they_are_hidden_again(client, part_in, at_now, state):
    part = part_in(state)

    at_now.move_to(NOW + timedelta(days=14) - timedelta(seconds=1))
    before = client.get(_url("order", part)).content.decode()
    at_now.move_to(NOW + timedelta(days=14))
    after = client.get(_url("order", part)).content.decode()

    assert "Salma Idrissi" in before
    assert "Casablanca" in after
    assert not any(each in after for each in PERSONAL)
    assert client.get(_url("packing_slip", part)).status_code == 302


@pytest.mark.parametrize("wanted", ["Salma", "Idrissi", "Orangers", "0661000000", "salma@example.ma"])
def test_the_desk_cannot_be_searched_by_person(client, part_in, wanted):
    part = part_in("accepted")

    page = client.get(reverse("desk:orders"), {"q": wanted})
    by_reference = client.get(reverse("desk:orders"), {"q": part.reference})

    assert page.context["rows"] == []
    assert [row["part"] for row in by_reference.context["rows"]] == [part]
    assert not any(each in by_reference.content.decode() for each in PERSONAL)
