from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from shop.fulfilment import delivering
from shop.fulfilment.models import SupplierOrder
from tests.factories import (
    NOW,
    CarrierFactory,
    ListingFactory,
    MemberFactory,
    SupplierOrderFactory,
    UserFactory,
    dispatched,
    placed,
    stock_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_now():
    with time_machine.travel(NOW + timedelta(minutes=5), tick=False):
        yield


@pytest.fixture
def owner(client):
    member = MemberFactory(cooperative__code="C01", user=UserFactory(language="en"))
    client.force_login(member.user)
    return member


def _url(door, part):
    return reverse(f"desk:{door}", args=[part.reference])


def _told(response) -> list[str]:
    return [str(each) for each in response.context["messages"]]


def test_a_member_takes_a_part_from_order_to_door(client, owner):
    listing = ListingFactory(cooperative=owner.cooperative, stock=10)
    (part,) = placed((listing, 2))

    accepted = client.post(_url("accept", part), follow=True)
    slip = client.get(_url("packing_slip", part))
    sent = client.post(
        _url("dispatch", part), {"carrier": "rihla", "tracking_number": "rh 77 ma"}, follow=True
    )
    arrived = client.post(_url("deliver", part), {"note": "reçu par la voisine"}, follow=True)

    assert accepted.redirect_chain == [(_url("order", part), 302)]
    assert _told(accepted) == [
        f"You accepted order \u2066{part.reference}\u2069. Print its packing slip and pack the parcel."
    ]
    assert slip["Content-Type"] == "application/pdf"
    assert slip.content.startswith(b"%PDF-")
    assert _told(sent) == ["The parcel is on its way. The customer has been told."]
    assert _told(arrived) == ["Written down. The customer has been told."]
    part = SupplierOrder.objects.get(pk=part.pk)
    shipment = part.shipments.get()
    assert part.state == "delivered"
    assert (shipment.tracking_number, shipment.proof) == ("RH77MA", "member")
    assert stock_of(listing) == (8, 0)
    assert [each.actor for each in part.events.all()] == ["system", *[owner.user.email] * 3]


def test_the_page_tells_what_each_receives(client, owner):
    (part,) = placed((ListingFactory(cooperative=owner.cooperative, price="200.00"), 3))

    page = client.get(_url("order", part)).content.decode()

    for amount in ("600.00", "534.00", "50.00", "10.00", "6.00"):
        assert f"MAD\u00a0{amount}" in page


def test_accepting_twice_says_so_politely_and_changes_nothing(client, owner):
    (part,) = placed((ListingFactory(cooperative=owner.cooperative), 1))
    client.post(_url("accept", part))

    again = client.post(_url("accept", part), follow=True)

    assert _told(again)[-1] == (
        "This is no longer possible: something changed in the meantime. Look at the page again."
    )
    assert part.events.filter(kind="supplier_order.accepted").count() == 1


def test_declining_asks_first_and_tells_what_will_happen(client, owner):
    listing = ListingFactory(cooperative=owner.cooperative, stock=10)
    (part,) = placed((listing, 2))

    asked = client.get(_url("decline", part)).content.decode()
    assert "The customer gets MAD\u00a0330.00 back, goods and delivery." in asked
    assert SupplierOrder.objects.get(pk=part.pk).state == "placed"

    client.post(_url("decline", part), {"reason": "other", "words": "Le four est en panne"})

    part.refresh_from_db()
    assert (part.state, part.end_reason) == ("declined", "Le four est en panne")
    assert stock_of(listing) == (10, 0)


@pytest.mark.parametrize("data", [{}, {"reason": "other"}, {"reason": "because"}])
def test_declining_without_a_reason_is_put_right_on_the_same_page(client, owner, data):
    (part,) = placed((ListingFactory(cooperative=owner.cooperative), 2))

    response = client.post(_url("decline", part), data | {"csrf": "x"})

    assert response.status_code == 422
    assert response.context["form"].errors
    assert SupplierOrder.objects.get(pk=part.pk).state == "placed"


def test_a_used_tracking_number_is_said_at_its_field(client, owner):
    first = SupplierOrderFactory(cooperative=owner.cooperative, to="accepted")
    second = SupplierOrderFactory(cooperative=owner.cooperative, to="accepted")
    dispatched(first, number="RH1")

    response = client.post(_url("dispatch", second), {"carrier": "rihla", "tracking_number": "RH1"})

    assert "tracking_number" in response.context["form"].errors
    assert SupplierOrder.objects.get(pk=second.pk).state == "accepted"


def test_a_parcel_is_found_by_the_number_on_its_label(client, owner):
    part = SupplierOrderFactory(cooperative=owner.cooperative, to="accepted")
    other = SupplierOrderFactory(cooperative=owner.cooperative, to="accepted")
    dispatched(part, number="RH-OIL7")
    dispatched(other, number="RH-0117")

    page = client.get(reverse("desk:orders"), {"q": "rh-oil 7"})

    assert [row["part"] for row in page.context["rows"]] == [part]
    assert page.context["q"] == "RH-OIL7"


def test_a_cash_parcel_offers_only_carriers_that_collect(client, owner):
    part = SupplierOrderFactory(cooperative=owner.cooperative, to="accepted", method="cash")
    CarrierFactory(code="bus", name="Le car", collects_cash=False)

    page = client.get(_url("dispatch", part)).content.decode()

    assert "Rihla" in page
    assert "Le car" not in page
    assert "MAD\u00a0330.00" in page


def test_a_refused_parcel_comes_home(client, owner):
    listing = ListingFactory(cooperative=owner.cooperative, stock=10)
    (part,) = placed((listing, 2), method="cash", to="dispatched")
    delivering.record_refusal(shipment=part.shipments.get(), reason="nobody_home", at=NOW)

    today = client.get(reverse("desk:today")).content.decode()
    response = client.post(_url("take_back", part), {"sellable": "yes"}, follow=True)

    assert "parcel coming back to you" in today
    assert _told(response) == ["Thank you. Your stock is up to date."]
    assert stock_of(listing) == (10, 0)


def test_the_list_counts_by_state_finds_references_and_turns_pages(client, owner):
    listing = ListingFactory(cooperative=owner.cooperative, stock=100)
    parts = [placed((listing, 1))[0] for _ in range(21)]
    SupplierOrderFactory(cooperative=owner.cooperative, to="accepted")

    everything = client.get(reverse("desk:orders"))
    to_pack = client.get(reverse("desk:orders"), {"state": "accepted"})
    found = client.get(reverse("desk:orders"), {"q": parts[3].reference.lower()})
    last = client.get(reverse("desk:orders"), {"state": "placed", "page": 2})

    assert [each["name"] for each in everything.context["chips"]][:3] == [
        "All 22",
        "To answer 21",
        "To pack 1",
    ]
    assert len(to_pack.context["rows"]) == 1
    assert [each["part"] for each in found.context["rows"]] == [parts[3]]
    assert len(last.context["rows"]) == 1
    assert "?state=placed&amp;page=1" in last.content.decode()


def test_the_list_asks_the_database_the_same_few_questions_for_one_and_for_twenty(
    client, owner, django_assert_max_num_queries
):
    listing = ListingFactory(cooperative=owner.cooperative, stock=100)
    for _ in range(20):
        placed((listing, 1))
    client.get(reverse("desk:orders"))

    with django_assert_max_num_queries(18):
        client.get(reverse("desk:orders"))


def test_todays_page_says_what_waits_until_when(client, owner):
    listing = ListingFactory(cooperative=owner.cooperative, title="Amlou", stock=3)
    placed((listing, 1))
    placed((listing, 1))
    SupplierOrderFactory(cooperative=owner.cooperative, to="accepted")

    response = client.get(reverse("desk:today"))

    tasks = response.context["tasks"]
    assert [(each["number"], each["what"]) for each in tasks] == [
        (2, "orders wait for your answer"),
        (1, "parcel to pack and send"),
        (1, "payout account is missing"),
    ]
    assert tasks[0]["deadline"]["text"] == "The first until Tuesday 24\u00a0November at 10:00"
    assert [each["left"] for each in response.context["low"]] == [1]


def test_nothing_waits_and_that_is_said(client, owner):
    from tests.factories import PayoutAccountFactory

    PayoutAccountFactory(cooperative=owner.cooperative)

    page = client.get(reverse("desk:today")).content.decode()

    assert "Nothing waits for you." in page


def test_a_member_of_two_cooperatives_works_for_one_at_a_time_and_switches(client, owner):
    second = MemberFactory(user=owner.user, cooperative__code="C02", role="orders")
    mine, hers = (SupplierOrderFactory(cooperative=each.cooperative) for each in (owner, second))

    before = client.get(reverse("desk:orders")).content.decode()
    client.post(reverse("desk:switch"), {"cooperative": "C02"})
    after = client.get(reverse("desk:orders")).content.decode()

    assert (mine.reference in before, hers.reference in before) == (True, False)
    assert (mine.reference in after, hers.reference in after) == (False, True)
    assert client.get(reverse("desk:money")).status_code == 403
    assert client.get(_url("order", mine)).status_code == 200


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("fr", "ltr"), ("en", "ltr")])
def test_each_reads_the_desk_in_her_own_language_and_direction(client, owner, language, direction):
    owner.user.language = language
    owner.user.save()
    part = SupplierOrderFactory(cooperative=owner.cooperative)

    for url in (reverse("desk:today"), reverse("desk:orders"), _url("order", part), reverse("desk:money")):
        page = client.get(url).content.decode()
        assert f'lang="{language}" dir="{direction}"' in page


def test_no_page_of_the_desk_shows_a_database_id_or_an_inline_style(client, owner):
    part = SupplierOrderFactory(cooperative=owner.cooperative, to="accepted")
    listing = ListingFactory(cooperative=owner.cooperative)
    pages = [
        reverse("desk:today"),
        reverse("desk:listings"),
        reverse("desk:listing", args=[listing.reference]),
        _url("order", part),
        _url("dispatch", part),
        reverse("desk:people"),
        reverse("desk:payout_account"),
    ]

    for url in pages:
        page = client.get(url).content.decode()
        assert " style=" not in page
        assert "<script" not in page
        assert f'value="{listing.pk}"' not in page or url.endswith("listings/")


def test_a_part_that_came_to_nothing_gives_nothing(client, owner):
    (part,) = placed((ListingFactory(cooperative=owner.cooperative, price="200.00"), 3))
    client.post(_url("decline", part), {"reason": "sold_out"})

    orders = client.get(reverse("desk:orders")).content.decode()
    page = client.get(_url("order", part)).content.decode()

    assert "MAD\u00a00.00" in orders
    assert "MAD\u00a0534.00" not in orders
    assert "You receive nothing for this order." in page
    assert "MAD\u00a0534.00" not in page


def test_the_marker_stands_at_the_last_station_reached(client, owner):
    (part,) = placed((ListingFactory(cooperative=owner.cooperative), 1), to="dispatched")

    stations = client.get(_url("order", part)).context["stations"]

    assert [(each["name"], each["state"]) for each in stations] == [
        ("Ordered", "done"),
        ("Accepted", "done"),
        ("On its way", "now"),
        ("Delivered", "next"),
        ("Money due", "next"),
    ]


def test_a_tracking_number_is_refused_when_too_long_and_corrected_until_the_parcel_arrives(client, owner):
    part = SupplierOrderFactory(cooperative=owner.cooperative, to="accepted")

    refused = client.post(_url("dispatch", part), {"carrier": "rihla", "tracking_number": "a" * 300})
    client.post(_url("dispatch", part), {"carrier": "rihla", "tracking_number": "RH1"})
    corrected = client.post(
        _url("correct_parcel", part), {"carrier": "rihla", "tracking_number": "rh 2"}, follow=True
    )

    assert refused.status_code == 422
    assert refused.context["form"].errors["tracking_number"] == [
        "A tracking number has at most 40 characters. Compare it with the carrier's label."
    ]
    shipment = part.shipments.get()
    assert shipment.tracking_number == "RH2"
    assert _told(corrected)[-1] == "Corrected. The customer's page shows it."
    event = part.events.get(kind="supplier_order.parcel_corrected")
    assert (event.detail["tracking_number_before"], event.detail["tracking_number"]) == ("RH1", "RH2")
    assert event.actor == str(owner.user)

    delivering.record_delivery(shipment=shipment, proof="tracking", at=NOW + timedelta(minutes=5))
    asked = client.get(_url("correct_parcel", part))
    late = client.post(
        _url("correct_parcel", part), {"carrier": "rihla", "tracking_number": "RH3"}, follow=True
    )

    shipment.refresh_from_db()
    assert (asked.status_code, shipment.tracking_number) == (409, "RH2")
    assert "can no longer be changed" in _told(late)[0]


def test_a_cash_parcel_does_not_leave_without_its_number(client, owner):
    part = SupplierOrderFactory(cooperative=owner.cooperative, to="accepted", method="cash")

    response = client.post(_url("dispatch", part), {"carrier": "rihla", "tracking_number": ""})

    assert response.status_code == 422
    assert not part.shipments.exists()


@pytest.mark.parametrize("door", ["decline", "dispatch", "take_back", "deliver", "correct_parcel"])
def test_a_page_for_what_is_no_longer_possible_says_so(client, owner, door):
    part = SupplierOrderFactory(cooperative=owner.cooperative, to="dispatched")
    delivering.record_delivery(shipment=part.shipments.get(), proof="tracking", at=NOW)

    response = client.get(_url(door, part))

    assert response.status_code == 409
    assert "Where this order stands now: Delivered." in response.content.decode()


@pytest.mark.parametrize(
    ("door", "state", "given"),
    [("decline", "placed", {"reason": "other", "words": ""}), ("deliver", "dispatched", {"note": ""})],
)
def test_an_incomplete_answer_is_asked_again_as_unprocessable(client, owner, door, state, given):
    part = SupplierOrderFactory(cooperative=owner.cooperative, to=state)

    response = client.post(_url(door, part), given)

    assert response.status_code == 422
    assert SupplierOrder.objects.get(pk=part.pk).state == state
