"""Where cooperatives' money goes, at the operators' desk: accounts to check, holds to lift."""

from __future__ import annotations

import pytest
from django.urls import reverse

from cooperatives import lifting, payout_accounts
from cooperatives.models import HoldLifting
from shop.core.models import OutboxMessage
from shop.people.models import OperatorRole
from tests.factories import ListingFactory, MemberFactory, PayoutAccountFactory, mad, rib_of

pytestmark = pytest.mark.django_db
HOLD = "papers are missing"


def said(response):
    return [str(each) for each in response.context["messages"]]


def at(name, *args):
    return reverse(f"backoffice:{name}", args=args)


@pytest.fixture
def member(shop):
    return MemberFactory(cooperative__code="C13", user__email="owner@example.ma")


def proposed(member, shop, number=7):
    return payout_accounts.propose(
        cooperative=member.cooperative,
        rail="bank",
        holder="Argan des Collines",
        rib=rib_of(number),
        by=member.user,
        at=shop.at,
    )


@pytest.fixture
def held(member, shop):
    """534,00 due to a cooperative that is on hold."""
    PayoutAccountFactory(cooperative=member.cooperative, rib=rib_of(5))
    listing = ListingFactory(cooperative=member.cooperative, price="300.00")
    shop.released(shop.paid_order((listing, 2)).supplier_orders.get())
    payout_accounts.put_on_hold(cooperative=member.cooperative, reason=HOLD, at=shop.at)
    return member.cooperative


def test_an_account_that_waits_is_listed_and_only_its_checker_sees_the_whole_number(member, as_, shop):
    account = proposed(member, shop)
    whole = f"{rib_of(7)[:3]} {rib_of(7)[3:6]} {rib_of(7)[6:22]} {rib_of(7)[22:]}"

    listed = as_("auditor").get(at("accounts")).content.decode()
    checked = as_("finance_approver").get(at("approve_account", "C13", account.version)).content.decode()
    waits = as_("finance_maker").get(at("today")).context["tasks"]

    assert "owner@example.ma" in listed and member.cooperative.name in listed
    assert rib_of(7) not in listed and whole not in listed
    assert whole in checked and f"bank {rib_of(7)[:3]}" in checked and "owner@example.ma" in checked
    assert [(each["number"], each["what"]) for each in waits] == [(1, "Payout accounts to check")]


def test_nothing_is_due_to_be_paid_before_the_account_is_approved(member, as_, shop):
    listing = ListingFactory(cooperative=member.cooperative, price="300.00")
    shop.released(shop.paid_order((listing, 2)).supplier_orders.get())
    proposed(member, shop)

    before = as_("finance_maker").get(at("plan_run")).context
    as_("finance_approver").post(at("approve_account", "C13", 1))
    after = as_("finance_maker").get(at("plan_run")).context

    assert (before["rows"], [each.why for each in before["left_out"]]) == ([], ["no_account"])
    assert ([each["amount"] for each in after["rows"]], after["left_out"]) == ([mad("534.00")], [])


def test_who_proposed_an_account_cannot_approve_it(member, as_, shop):
    client = as_("finance_approver")
    member.user = client.person
    account = proposed(member, shop)

    page = client.get(at("approve_account", "C13", 1)).content.decode()
    refused = client.post(at("approve_account", "C13", 1), follow=True)

    assert "You proposed this yourself" in page
    assert said(refused) == ["Another person has to approve what you proposed."]
    account.refresh_from_db()
    assert account.approved_by is None


def test_an_account_is_refused_with_a_reason_only(member, as_, shop):
    account = proposed(member, shop)
    client = as_("finance_approver")

    without = client.post(at("refuse_account", "C13", 1), {"reason": ""})
    client.post(at("refuse_account", "C13", 1), {"reason": "the certificate is of 2019"})
    again = client.post(at("approve_account", "C13", 1), follow=True)

    assert without.status_code == 422
    assert "Nobody has to check this account" in said(again)[-1]
    account.refresh_from_db()
    assert (account.refused_by, account.refusal) == (client.person, "the certificate is of 2019")
    assert "the certificate is of 2019" in client.get(at("cooperative_accounts", "C13")).content.decode()


def test_the_checker_is_warned_of_an_account_that_is_another_cooperative_s(member, as_, shop):
    other = PayoutAccountFactory(rib=rib_of(7)).cooperative
    proposed(member, shop)

    page = as_("finance_approver").get(at("approve_account", "C13", 1)).content.decode()

    assert f"the same account is {other.name}" in page


def test_a_hold_is_lifted_by_two_persons_and_what_was_held_can_be_paid(held, as_, shop):
    maker, approver = as_("finance_maker"), as_("finance_approver")
    left_out = maker.get(at("plan_run"))
    assert at("cooperative_accounts", "C13") in left_out.content.decode()

    asked = maker.post(at("lift_hold", "C13"), {"reason": "the papers came on Monday"}, follow=True)
    found = HoldLifting.objects.get()
    assert "Another person reads it" in said(asked)[0]
    waits = {each["what"]: each["number"] for each in approver.get(at("today")).context["tasks"]}
    assert waits["Holds somebody wants to lift"] == 1
    page = approver.get(at("approve_lifting", found.reference)).content.decode()
    assert HOLD in page and "the papers came on Monday" in page and "finance_maker@example.ma" in page

    approver.post(at("approve_lifting", found.reference))

    found.refresh_from_db()
    assert (found.proposed_by, found.approved_by) == (maker.person, approver.person)
    (row,) = maker.get(at("plan_run")).context["rows"]
    assert (row["amount"], row["account"]) == (mad("534.00"), f"{rib_of(5)[:3]} … {rib_of(5)[-4:]}")
    history = as_("auditor").get(at("cooperative_accounts", "C13")).content.decode()
    assert "the papers came on Monday" in history and HOLD in history


def test_nobody_lifts_a_hold_alone(held, as_):
    client = as_("finance_maker")
    OperatorRole.objects.create(
        user=client.person, role="finance_approver", granted_at=client.person.date_joined
    )
    client.post(at("lift_hold", "C13"), {"reason": "I know them"})
    found = HoldLifting.objects.get()

    page = client.get(at("cooperative_accounts", "C13")).content.decode()
    refused = client.post(at("approve_lifting", found.reference), follow=True)

    assert "You asked for this yourself" in page
    assert said(refused) == [str(lifting.SamePerson.message)]
    found.refresh_from_db()
    assert found.approved_by is None


def test_where_nothing_is_on_hold_there_is_no_door_to_lift_it(member, as_):
    PayoutAccountFactory(cooperative=member.cooperative)

    response = as_("finance_maker").post(at("lift_hold", "C13"), {"reason": "X"})

    assert response.status_code == 404
    assert not HoldLifting.objects.exists()


def test_a_lifting_is_not_agreed_to_and_the_hold_stands(held, as_, shop):
    as_("finance_maker").post(at("lift_hold", "C13"), {"reason": "X"})
    found = HoldLifting.objects.get()

    as_("finance_approver").post(at("refuse_lifting", found.reference))
    late = as_("finance_approver").post(at("approve_lifting", found.reference), follow=True)

    assert said(late)[-1] == str(lifting.Answered.message)
    assert payout_accounts.current(cooperative=held, at=shop.at).rail == "hold"


def test_one_person_puts_a_cooperative_on_hold_with_a_reason_and_its_owners_are_told(member, as_, shop):
    PayoutAccountFactory(cooperative=member.cooperative, rib=rib_of(5))
    client = as_("finance_maker")
    assert at("put_on_hold", "C13") in client.get(at("cooperative_accounts", "C13")).content.decode()
    assert as_("finance_approver").get(at("put_on_hold", "C13")).status_code == 403

    without = client.post(at("put_on_hold", "C13"), {"reason": ""})
    done = client.post(at("put_on_hold", "C13"), {"reason": "somebody called"}, follow=True)
    again = client.get(at("put_on_hold", "C13"))

    assert (without.status_code, again.status_code) == (422, 404)
    assert said(done) == ["On hold. The owners are told why."]
    hold = payout_accounts.current(cooperative=member.cooperative, at=shop.at)
    assert (hold.rail, hold.reason, hold.proposed_by) == ("hold", "somebody called", client.person)
    mail = OutboxMessage.objects.get(topic="payout_account.on_hold")
    assert (mail.recipient, mail.payload["reason"]) == ("owner@example.ma", "somebody called")


def test_an_account_approved_during_a_hold_waits_for_its_lifting_and_every_page_says_so(
    held, member, as_, shop
):
    account = proposed(member, shop)
    client = as_("finance_approver")

    asked = client.get(at("approve_account", "C13", account.version)).content.decode()
    done = client.post(at("approve_account", "C13", account.version), follow=True)
    shop.wait(hours=49)

    assert "before two persons lift the hold" in asked
    assert said(done) == ["Approved. It is used once two persons have lifted the hold."]
    page = client.get(at("cooperative_accounts", "C13")).content.decode()
    assert payout_accounts.current(cooperative=held, at=shop.at).rail == "hold"
    assert "approved, waits for" in page
    assert OutboxMessage.objects.get(topic="payout_account.approved").payload["is_held"] is True


def test_a_banks_code_on_a_hold_is_told_in_words_with_the_code_beside_it(member, as_, shop):
    PayoutAccountFactory(cooperative=member.cooperative, rib=rib_of(5))
    payout_accounts.put_on_hold(cooperative=member.cooperative, reason="AC06", at=shop.at)
    account = proposed(member, shop)
    small = '<bdi>The account is blocked.</bdi> <span class="small" dir="ltr">AC06</span>'

    listed = as_("finance_maker").get(at("accounts")).content.decode()
    own = as_("finance_maker").get(at("cooperative_accounts", "C13")).content.decode()
    checked = as_("finance_approver").get(at("approve_account", "C13", account.version)).content.decode()
    lifted = as_("finance_maker").get(at("lift_hold", "C13")).content.decode()

    assert small in listed and small in own
    for page in (own, checked, lifted):
        assert "The account is blocked (AC06)." in page
