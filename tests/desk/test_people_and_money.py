from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from cooperatives import payout_accounts
from shop.core import mailing
from shop.core.models import OutboxMessage
from shop.desk import money
from shop.fulfilment import delivering, releasing
from shop.payments import paying, refunding, waiting_cash
from shop.payments.models import Payment, Payout, PayoutRun
from tests.factories import (
    NOW,
    ListingFactory,
    MemberFactory,
    PayoutAccountFactory,
    UserFactory,
    mad,
    placed,
    rib_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def owner(client):
    member = MemberFactory(cooperative__code="C01", user=UserFactory(language="en", email="owner@example.ma"))
    client.force_login(member.user)
    return member


def test_the_sums_follow_the_books(client, owner):
    listing = ListingFactory(cooperative=owner.cooperative, price="200.00", stock=50)
    (released,) = placed((listing, 3), to="dispatched", at=NOW - timedelta(days=20))
    placed((listing, 1))
    delivering.record_delivery(
        shipment=released.shipments.get(), proof="tracking", at=NOW - timedelta(days=10)
    )
    releasing.release_due(at=NOW)

    sums = money.sums_of(cooperative=owner.cooperative, at=NOW)
    page = client.get(reverse("desk:money")).content.decode()

    assert (sums.held, sums.payable, sums.next_payout) == (mad("178.00"), mad("534.00"), mad("534.00"))
    assert (sums.paid, sums.on_its_way, sums.owed_to_us) == (mad(0), mad(0), mad(0))
    assert "MAD\u00a0534.00" in page
    assert "MAD\u00a0178.00" in page


def test_the_first_account_waits_for_our_check_and_is_never_shown_whole(client, owner):
    rib = rib_of(77)

    response = client.post(
        reverse("desk:payout_account"), {"holder": "Coopérative", "rib": f"{rib[:3]} {rib[3:]}"}, follow=True
    )

    page = response.content.decode()
    assert "Your money goes there once that is done." in page
    assert "It is used as soon as we have checked it." in page
    assert rib not in page
    account = owner.cooperative.payout_accounts.get()
    assert account.rib == rib
    assert "payout account is missing" not in client.get(reverse("desk:today")).content.decode()

    payout_accounts.approve(account=account, by=UserFactory(), at=NOW)

    page = client.get(reverse("desk:payout_account")).content.decode()
    assert f"{rib[:3]} … {rib[-4:]}" in page and "as soon as" not in page


def test_a_refused_account_says_why_until_another_is_entered(client, owner):
    client.post(reverse("desk:payout_account"), {"holder": "Coopérative", "rib": rib_of(77)})
    account = owner.cooperative.payout_accounts.get()
    payout_accounts.refuse(account=account, why="the holder is a person", by=UserFactory(), at=NOW)

    page = client.get(reverse("desk:payout_account")).content.decode()
    client.post(reverse("desk:payout_account"), {"holder": "Coopérative", "rib": rib_of(78)})
    after = client.get(reverse("desk:payout_account")).content.decode()

    assert "the holder is a person" in page
    assert "the holder is a person" not in after


def test_a_changed_account_waits_two_days_every_owner_is_told_and_can_stop_it(client, owner):
    first = PayoutAccountFactory(cooperative=owner.cooperative)
    MemberFactory(cooperative=owner.cooperative, user__email="second@example.ma")

    client.post(reverse("desk:payout_account"), {"holder": "Autre", "rib": rib_of(88)})

    page = client.get(reverse("desk:payout_account")).content.decode()
    assert "at the earliest, once we have checked it." in page
    change = owner.cooperative.payout_accounts.get(version=2)
    assert change.usable_from == NOW + timedelta(hours=48)
    told = OutboxMessage.objects.filter(topic="payout_account.proposed").values_list("recipient", flat=True)
    assert sorted(told) == ["owner@example.ma", "second@example.ma"]

    client.post(reverse("desk:stop_account"))

    change.refresh_from_db()
    first.refresh_from_db()
    assert (change.closed_at, first.closed_at) == (NOW, None)


@pytest.mark.parametrize(("state", "answer"), [("planned", 404), ("cancelled", 404), ("sent", 200)])
def test_a_statement_exists_for_what_the_list_shows(client, owner, state, answer):
    account = PayoutAccountFactory(cooperative=owner.cooperative)
    run = PayoutRun.objects.create(reference="PR-1", planned_by=UserFactory(), planned_at=NOW)
    Payout.objects.create(
        reference="PO-1",
        run=run,
        cooperative=account.cooperative,
        account=account,
        rail="bank",
        shares_minor=0,
        amount_minor=0,
        key="payout:PO-1",
        state=state,
        planned_at=NOW,
    )

    listed = len(client.get(reverse("desk:money")).context["payouts"])

    assert client.get(reverse("desk:statement", args=["PO-1"])).status_code == answer
    assert listed == (1 if answer == 200 else 0)


def test_a_wrong_key_is_said_at_its_field(client, owner):
    rib = rib_of(77)
    wrong = rib[:-1] + ("0" if rib[-1] != "0" else "1")

    response = client.post(reverse("desk:payout_account"), {"holder": "Coopérative", "rib": wrong})

    assert "rib" in response.context["form"].errors
    assert not owner.cooperative.payout_accounts.exists()


def test_an_owner_adds_and_ends_a_member(client, owner):
    amina = UserFactory(email="amina@example.ma")
    amina.emailaddress_set.create(email=amina.email, verified=True, primary=True)

    client.post(reverse("desk:add_member"), {"email": "Amina@example.ma", "role": "orders"})
    member = owner.cooperative.members.get(user=amina)
    assert (member.role, member.left_at) == ("orders", None)

    asked = client.post(reverse("desk:end_member"), {"email": "amina@example.ma"})
    member.refresh_from_db()
    assert (asked.status_code, member.left_at) == (200, None)

    client.post(reverse("desk:end_member"), {"email": "amina@example.ma", "sure": "yes"})
    member.refresh_from_db()
    assert member.left_at == NOW


def test_nobody_s_e_mail_stands_in_an_address(client, owner):
    page = client.get(reverse("desk:people")).content.decode()

    assert "email=" not in page
    assert client.get(reverse("desk:end_member")).url == reverse("desk:people")


@pytest.mark.parametrize("proved", [None, "other@example.ma"], ids=["nothing", "another address"])
def test_an_unproved_e_mail_is_answered_as_if_there_were_no_account(client, owner, proved):
    amina = UserFactory(email="amina@example.ma")
    amina.emailaddress_set.create(email=amina.email, verified=False, primary=True)
    if proved:
        amina.emailaddress_set.create(email=proved, verified=True)

    unproved = client.post(reverse("desk:add_member"), {"email": "amina@example.ma", "role": "owner"})
    unknown = client.post(reverse("desk:add_member"), {"email": "nobody@example.ma", "role": "owner"})

    said = unproved.context["form"].errors["email"]
    assert "confirm her e-mail first" in said[0]
    assert said == unknown.context["form"].errors["email"]
    assert (unproved.status_code, unknown.status_code) == (422, 422)
    assert owner.cooperative.members.get() == owner


@pytest.mark.parametrize("email", ["nobody@example.ma", "owner@example.ma"])
def test_who_has_no_account_or_a_role_already_is_not_added(client, owner, email):
    response = client.post(reverse("desk:add_member"), {"email": email, "role": "orders"})

    assert response.status_code == 422
    assert "email" in response.context["form"].errors
    assert owner.cooperative.members.count() == 1


def test_the_last_owner_stays(client, owner):
    response = client.post(
        reverse("desk:end_member"), {"email": "owner@example.ma", "sure": "yes"}, follow=True
    )

    owner.refresh_from_db()
    assert owner.left_at is None
    assert "at least one owner" in response.content.decode()


def test_a_refund_stands_on_the_order_and_in_its_row_with_what_remains(client, owner):
    listing = ListingFactory(cooperative=owner.cooperative, title="Argan oil", price="80.00", stock=50)
    (part,) = placed((listing, 2), to="dispatched", at=NOW - timedelta(days=20))
    delivering.record_delivery(shipment=part.shipments.get(), proof="tracking", at=NOW - timedelta(days=10))
    releasing.release_due(at=NOW)
    part.refresh_from_db()
    paying.start(order=part.order, at=NOW)
    Payment.objects.filter(order=part.order).update(state="paid")
    refunding.request(
        supplier_order=part,
        reason="claim",
        lines={part.lines.get(): 1},
        with_delivery=False,
        by=None,
        at=NOW,
    )

    order = client.get(reverse("desk:order", args=[part.reference]))
    page = order.content.decode()
    (row,) = client.get(reverse("desk:money")).context["rows"]

    assert order.context["parts"]["coop"] == mad("71.20")
    assert order.context["parts"]["sum"] == mad("80.00")
    assert "Given back to the customer" in page and "1 × Argan oil" in page and "Damaged or wrong" in page
    assert "MAD\u00a071.20" in page and "MAD\u00a0142.40" not in page
    assert (row["gives"].goods, row["gives"].refunded) == (mad("160.00"), mad("80.00"))
    assert (row["gives"].kept, row["gives"].receives) == (mad("8.80"), mad("71.20"))


def due(owner, price="75.00", **order):
    """A part whose money is due: its share is 89 % of the price."""
    listing = ListingFactory(cooperative=owner.cooperative, price=price, stock=50)
    (part,) = placed((listing, 1), to="dispatched", at=NOW - timedelta(days=20), **order)
    delivering.record_delivery(shipment=part.shipments.get(), proof="tracking", at=NOW - timedelta(days=10))
    releasing.release_due(at=NOW)
    return part


def test_on_hold_no_payout_is_announced_and_the_banks_code_is_a_sentence(client, owner):
    PayoutAccountFactory(cooperative=owner.cooperative)
    due(owner)
    payout_accounts.put_on_hold(cooperative=owner.cooperative, reason="AC06", at=NOW)

    pages = [client.get(reverse(f"desk:{name}")).content.decode() for name in ("today", "money")]
    account = client.get(reverse("desk:payout_account")).content.decode()

    for page in pages:
        assert "Next payout" not in page
        assert "Due to you, but on hold" in page and "MAD\u00a066.75" in page
        assert "The account is blocked. (AC06)" in page
    assert "The account is blocked. (AC06)" in account

    owner.user.language = "ar"
    owner.user.save()
    arabic = client.get(reverse("desk:payout_account"), headers={"Accept-Language": "ar"}).content.decode()
    assert "The account is blocked" not in arabic


def test_cash_that_stripe_cannot_carry_is_said_on_every_page_and_mailed_once(client, owner):
    MemberFactory(cooperative=owner.cooperative, role="orders", user__email="orders@example.ma")
    PayoutAccountFactory(
        cooperative=owner.cooperative,
        rail="stripe",
        rib="",
        stripe_account_id="acct_1",
        transfers_active=True,
    )
    due(owner, price="90.00", method="cash")

    waiting_cash.tell(at=NOW)
    waiting_cash.tell(at=NOW + timedelta(hours=1))

    mail = OutboxMessage.objects.get(topic="payout.cash_waits")
    assert (mail.recipient, mail.payload["amount"]) == (
        "owner@example.ma",
        {"minor": 8010, "currency": "MAD"},
    )
    sums = money.sums_of(cooperative=owner.cooperative, at=NOW)
    assert (sums.payable, sums.cash_waits, sums.next_payout) == (mad("80.10"), mad("80.10"), mad(0))
    for name in ("today", "money", "payout_account"):
        page = client.get(reverse(f"desk:{name}")).content.decode()
        assert "MAD\u00a080.10" in page and "cash cannot travel by Stripe" in page
        assert reverse("desk:payout_account") in page
    mailing.send(mail)
    assert "80.10" in mail.body and reverse("desk:payout_account") in mail.body
