"""Who may do what at the desk: every door, asked by everybody."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.db import transaction
from django.urls import get_resolver, reverse

from cooperatives.models import Cooperative
from shop.desk.urls import urlpatterns
from shop.fulfilment.models import SupplierOrder
from tests.factories import (
    NOW,
    ListingFactory,
    MemberFactory,
    PayoutAccountFactory,
    SupplierOrderFactory,
    UserFactory,
    stock_of,
    voucher,
)

pytestmark = pytest.mark.django_db


@dataclass
class Shop:
    """Two cooperatives, and a part of the first in the state a door needs."""

    cooperative: Cooperative
    part: SupplierOrder
    listing: object
    payout: object
    voucher: object


#: (door, method, what it names, data, state of the part, read-only, orders, listings, finance, owner)
DOORS = [
    ("today", "get", None, {}, "placed", 200, 200, 200, 200, 200),
    ("orders", "get", None, {}, "placed", 200, 200, 200, 200, 200),
    ("order", "get", "part", {}, "placed", 200, 200, 200, 200, 200),
    ("accept", "post", "part", {}, "placed", 403, 302, 403, 403, 302),
    ("decline", "get", "part", {}, "placed", 403, 200, 403, 403, 200),
    ("decline", "post", "part", {"reason": "sold_out"}, "placed", 403, 302, 403, 403, 302),
    ("dispatch", "get", "part", {}, "accepted", 403, 200, 403, 403, 200),
    (
        "dispatch",
        "post",
        "part",
        {"carrier": "rihla", "tracking_number": "RH1"},
        "accepted",
        403,
        302,
        403,
        403,
        302,
    ),
    ("deliver", "get", "part", {}, "dispatched", 403, 200, 403, 403, 200),
    ("deliver", "post", "part", {"note": "reçu par Salma"}, "dispatched", 403, 302, 403, 403, 302),
    ("take_back", "get", "part", {}, "dispatched", 403, 409, 403, 403, 409),
    ("correct_parcel", "get", "part", {}, "dispatched", 403, 200, 403, 403, 200),
    (
        "correct_parcel",
        "post",
        "part",
        {"carrier": "rihla", "tracking_number": "RH2"},
        "dispatched",
        403,
        302,
        403,
        403,
        302,
    ),
    ("take_back", "post", "part", {"sellable": "yes"}, "dispatched", 403, 302, 403, 403, 302),
    ("packing_slip", "get", "part", {}, "accepted", 403, 200, 403, 403, 200),
    ("gift_slip", "get", "part", {}, "accepted", 403, 404, 403, 403, 404),
    ("listings", "get", None, {}, "placed", 200, 200, 200, 200, 200),
    ("listing", "get", "listing", {}, "placed", 200, 200, 200, 200, 200),
    ("price", "post", "listing", {"price": "90,50"}, "placed", 403, 403, 302, 403, 302),
    ("stock", "post", "listing", {"quantity": "12", "seen": "8"}, "placed", 403, 403, 302, 403, 302),
    ("publish", "post", "listing", {}, "placed", 403, 403, 302, 403, 302),
    ("withdraw", "post", "listing", {}, "placed", 403, 403, 302, 403, 302),
    ("vouchers", "get", None, {}, "placed", 403, 403, 200, 403, 200),
    ("issue_voucher", "get", None, {}, "placed", 403, 403, 200, 403, 200),
    ("issue_voucher", "post", None, {}, "placed", 403, 403, 422, 403, 422),
    ("gift_packing", "post", None, {"price": "25,00"}, "placed", 403, 403, 302, 403, 302),
    ("gift_packing", "post", None, {"price": "-1"}, "placed", 403, 403, 422, 403, 422),
    ("end_voucher", "get", "voucher", {}, "placed", 403, 403, 200, 403, 200),
    ("end_voucher", "post", "voucher", {"when": "now"}, "placed", 403, 403, 302, 403, 302),
    ("money", "get", None, {}, "placed", 403, 403, 403, 200, 200),
    ("payout_account", "get", None, {}, "placed", 403, 403, 403, 200, 200),
    ("payout_account", "post", None, {"holder": "X", "rib": "1"}, "placed", 403, 403, 403, 403, 422),
    ("stop_account", "post", None, {}, "placed", 403, 403, 403, 403, 302),
    ("statement", "get", "payout", {}, "placed", 403, 403, 403, 200, 200),
    ("statement_table", "get", "payout", {}, "placed", 403, 403, 403, 200, 200),
    ("people", "get", None, {}, "placed", 200, 200, 200, 200, 200),
    ("add_member", "post", None, {"email": "a@b.ma", "role": "orders"}, "placed", 403, 403, 403, 403, 422),
    ("end_member", "get", None, {}, "placed", 403, 403, 403, 403, 302),
    ("end_member", "post", None, {"email": "nobody@example.ma"}, "placed", 403, 403, 403, 403, 404),
    ("switch", "post", None, {"cooperative": "C01"}, "placed", 302, 302, 302, 302, 302),
]
ROLES = ["read_only", "orders", "listings", "finance", "owner"]
IDS = [f"{door[0]}-{door[1]}" for door in DOORS]


def _shop(state: str) -> Shop:
    owner = MemberFactory(cooperative__code="C01", user__email="owner@example.ma")
    listing = ListingFactory(cooperative=owner.cooperative)
    part = SupplierOrderFactory(cooperative=owner.cooperative, to=state)
    account = PayoutAccountFactory(cooperative=owner.cooperative)
    return Shop(owner.cooperative, part, listing, _payout(account), voucher(cooperative=owner.cooperative))


def _payout(account):
    from shop.payments.models import Payout, PayoutRun

    run = PayoutRun.objects.create(reference="PR-1", planned_by=UserFactory(), planned_at=NOW)
    return Payout.objects.create(
        reference="PO-1",
        run=run,
        cooperative=account.cooperative,
        account=account,
        rail="bank",
        shares_minor=0,
        amount_minor=0,
        key="payout:PO-1",
        state=Payout.State.SENT,
        planned_at=NOW,
    )


def _url(door: str, named: str | None, shop: Shop) -> str:
    return reverse(f"desk:{door}", args=[getattr(shop, named).reference] if named else [])


def _state(shop: Shop) -> tuple:
    part = SupplierOrder.objects.get(pk=shop.part.pk)
    shop.listing.refresh_from_db()
    record = shop.listing.stockrecords.get()
    return (
        part.state,
        part.events.count(),
        part.shipments.count(),
        shop.listing.state,
        record.price,
        stock_of(shop.listing),
        shop.cooperative.members.filter(left_at=None).count(),
        shop.cooperative.payout_accounts.count(),
        shop.cooperative.vouchers.filter(is_active=True).count(),
    )


def test_every_door_of_the_desk_is_in_this_table():
    assert {each.name for each in urlpatterns} == {door[0] for door in DOORS}
    assert get_resolver("shop.desk.urls")


@pytest.mark.parametrize("door", DOORS, ids=IDS)
def test_anybody_not_signed_in_is_led_to_the_sign_in(client, door):
    name, method, named, data, state, *_ = door
    shop = _shop(state)
    url, before = _url(name, named, shop), _state(shop)

    response = getattr(client, method)(url, data)

    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login"))
    assert _state(shop) == before


@pytest.mark.parametrize("door", DOORS, ids=IDS)
def test_each_role_may_do_exactly_what_is_hers(client, door):
    name, method, named, data, state, *expected = door
    shop = _shop(state)
    url = _url(name, named, shop)
    answers = []

    for role in ROLES:
        member = MemberFactory(cooperative=shop.cooperative, role=role)
        before, point = _state(shop), transaction.savepoint()
        client.force_login(member.user)
        response = getattr(client, method)(url, data)
        answers.append(response.status_code)
        if response.status_code == 403:
            assert _state(shop) == before
        transaction.savepoint_rollback(point)

    assert answers == expected


@pytest.mark.parametrize("door", [each for each in DOORS if each[2]], ids=lambda each: f"{each[0]}-{each[1]}")
def test_what_belongs_to_another_cooperative_is_answered_as_if_it_did_not_exist(client, door):
    name, method, named, data, state, *_ = door
    shop = _shop(state)
    other = MemberFactory()
    client.force_login(other.user)
    before = _state(shop)

    foreign = getattr(client, method)(_url(name, named, shop), data)
    absent = getattr(client, method)(reverse(f"desk:{name}", args=["T-00000000A-9"]), data)

    assert foreign.status_code == absent.status_code == 404
    strip = str.maketrans({"\n": None})
    told = [
        each.content.decode()
        .replace(getattr(shop, named).reference, "")
        .replace("T-00000000A-9", "")
        .translate(strip)
        for each in (foreign, absent)
    ]
    assert told[0] == told[1]
    assert _state(shop) == before


@pytest.mark.parametrize(
    "door", [each for each in DOORS if not each[2]], ids=lambda each: f"{each[0]}-{each[1]}"
)
def test_a_customer_finds_no_desk(client, door):
    name, method, named, data, state, *_ = door
    shop = _shop(state)
    client.force_login(UserFactory())
    before = _state(shop)

    response = getattr(client, method)(_url(name, named, shop), data)

    assert response.status_code == 404
    assert _state(shop) == before


def test_lists_show_only_what_is_ones_own(client):
    shop = _shop("placed")
    other = MemberFactory()
    mine = SupplierOrderFactory(cooperative=other.cooperative)
    client.force_login(other.user)

    pages = [
        client.get(reverse(f"desk:{name}")).content.decode()
        for name in ("today", "orders", "listings", "money")
    ]
    found = client.get(reverse("desk:orders"), {"q": shop.part.reference}).content.decode()

    assert mine.reference in pages[1]
    for page in pages:
        assert shop.part.reference not in page
        assert shop.listing.reference not in page
        assert shop.cooperative.name not in page
    assert f"/desk/orders/{shop.part.reference}/" not in found


def test_a_member_who_left_sees_nothing_any_more(client):
    shop = _shop("placed")
    member = MemberFactory(cooperative=shop.cooperative)
    client.force_login(member.user)
    assert client.get(_url("order", "part", shop)).status_code == 200

    member.left_at = NOW
    member.save()

    assert client.get(_url("order", "part", shop)).status_code == 404
    assert client.get(reverse("desk:today")).status_code == 404


def test_one_part_of_an_order_shows_nothing_of_the_other_parts(client):
    from tests.factories import placed

    mine, hers = MemberFactory(), MemberFactory()
    secret = ListingFactory(cooperative=hers.cooperative, title="Tapis secret", price="777.00")
    parts = placed((ListingFactory(cooperative=mine.cooperative), 1), (secret, 1))
    own = next(each for each in parts if each.cooperative == mine.cooperative)
    client.force_login(mine.user)

    page = client.get(reverse("desk:order", args=[own.reference])).content.decode()

    assert "Tapis secret" not in page
    assert "777" not in page
    assert "salma@example.ma" not in page
    assert "957" not in page


def test_a_reader_does_not_see_where_the_customer_lives(client):
    shop = _shop("placed")
    reader = MemberFactory(cooperative=shop.cooperative, role="read_only")
    client.force_login(reader.user)

    page = client.get(_url("order", "part", shop)).content.decode()

    assert "rue des Orangers" not in page
    assert "661" not in page


def test_switching_to_a_cooperative_one_has_no_part_in_is_as_if_it_did_not_exist(client):
    shop = _shop("placed")
    client.force_login(MemberFactory().user)

    response = client.post(reverse("desk:switch"), {"cooperative": shop.cooperative.code})

    assert response.status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        each[0]
        for each in DOORS
        if each[1] == "post" and each[0] not in {other[0] for other in DOORS if other[1] == "get"}
    ],
)
def test_what_changes_something_is_only_posted(client, name):
    shop = _shop("placed")
    client.force_login(shop.cooperative.members.get(role="owner").user)
    named = next(each[2] for each in DOORS if each[0] == name)

    door = _url(name, named, shop)
    asked = client.get(door)

    # Asked for as a page it does nothing, and leads to the page it belongs to.
    assert asked.status_code == 302
    assert door.startswith(asked["Location"])
    assert asked["Location"] != door


def test_a_post_without_its_token_is_refused():
    from django.test import Client

    shop = _shop("placed")
    client = Client(enforce_csrf_checks=True)
    client.force_login(shop.cooperative.members.get(role="owner").user)

    response = client.post(_url("accept", "part", shop))

    assert response.status_code == 403
    assert SupplierOrder.objects.get(pk=shop.part.pk).state == "placed"


def test_tabs_are_those_of_the_role_and_a_closed_page_says_who_can_open_it(client):
    owner = MemberFactory(cooperative__code="C17", user__email="owner@example.ma")
    hassan = MemberFactory(cooperative=owner.cooperative, role="orders", user__language="en")
    client.force_login(hassan.user)

    today = client.get(reverse("desk:today")).content.decode()
    money = client.get(reverse("desk:money"))
    page = money.content.decode()

    assert f'href="{reverse("desk:money")}"' not in today
    assert f'href="{reverse("desk:orders")}"' in today
    assert money.status_code == 403
    assert "Your role is “orders”. This page needs the role “finance”, or an owner." in page
    assert "owner@example.ma" in page and "Sign in" not in page
