"""A hold on payouts: one person asks that it be lifted, another agrees."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from cooperatives import lifting, payout_accounts
from cooperatives.models import HoldLifting
from shop.core.models import OutboxMessage
from tests.factories import (
    NOW,
    CooperativeFactory,
    MemberFactory,
    OperatorFactory,
    PayoutAccountFactory,
    UserFactory,
    rib_of,
)

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=3)


@pytest.fixture
def maker():
    return OperatorFactory(roles=["finance_maker"])


@pytest.fixture
def approver():
    return OperatorFactory(roles=["finance_approver"])


@pytest.fixture
def held():
    """A cooperative whose account was in use when it was put on hold."""
    account = PayoutAccountFactory(cooperative__code="C13", rib=rib_of(7))
    MemberFactory(cooperative=account.cooperative)
    payout_accounts.put_on_hold(cooperative=account.cooperative, reason="AC04 closed account", at=NOW)
    return account.cooperative


def ask(cooperative, by, at=LATER):
    return lifting.propose(cooperative=cooperative, reason="the bank was wrong", by=by, at=at)


def current(cooperative, at=LATER):
    return payout_accounts.current(cooperative=cooperative, at=at)


def test_asking_changes_nothing_and_agreeing_brings_the_former_account_back(held, maker, approver):
    asked = ask(held, maker)
    assert (asked.reference, current(held).rail) == ("HL-C13-1", "hold")

    lifting.approve(lifting=asked, by=approver, at=LATER)
    lifting.approve(lifting=asked, by=approver, at=LATER + timedelta(hours=1))

    now = current(held)
    assert (now.version, now.rail, now.rib, now.holder) == (3, "bank", rib_of(7), held.name)
    assert (now.proposed_by, now.approved_by, now.approved_at) == (maker, approver, LATER)
    asked.refresh_from_db()
    assert (asked.proposed_by, asked.proposed_at, asked.reason) == (maker, LATER, "the bank was wrong")
    assert (asked.approved_by, asked.approved_at, asked.resumed) == (approver, LATER, now)
    first, hold = held.payout_accounts.filter(version__lt=3).order_by("version")
    assert (first.closed_at, hold.closed_at) == (NOW, LATER)
    mail = OutboxMessage.objects.get(topic="payout_account.resumed")
    assert (mail.payload["is_on_hold"], mail.payload["holder"]) == (False, held.name)


def test_the_same_person_cannot_agree(held, maker):
    asked = ask(held, maker)

    with pytest.raises(lifting.SamePerson):
        lifting.approve(lifting=asked, by=maker, at=LATER)

    asked.refresh_from_db()
    assert (asked.approved_by, current(held).rail) == (None, "hold")


def test_the_database_refuses_the_same_person_too(held, maker):
    asked = ask(held, maker)

    with pytest.raises(IntegrityError), transaction.atomic():
        HoldLifting.objects.filter(pk=asked.pk).update(approved_by=maker, approved_at=LATER)


def test_what_is_not_on_hold_has_nothing_to_lift(maker):
    cooperative = PayoutAccountFactory().cooperative

    with pytest.raises(lifting.NotOnHold):
        ask(cooperative, maker)

    assert not HoldLifting.objects.exists()


def test_a_reason_is_asked_for_and_one_lifting_waits_at_a_time(held, maker, approver):
    with pytest.raises(lifting.ReasonMissing):
        lifting.propose(cooperative=held, reason="  ", by=maker, at=LATER)
    ask(held, maker)

    with pytest.raises(lifting.WaitsAlready):
        ask(held, approver)

    assert HoldLifting.objects.count() == 1


def test_a_refused_lifting_leaves_the_hold_and_another_may_be_asked_for(held, maker, approver):
    asked = ask(held, maker)
    lifting.refuse(lifting=asked, by=approver, at=LATER)

    with pytest.raises(lifting.Answered):
        lifting.approve(lifting=asked, by=approver, at=LATER)
    again = ask(held, maker)

    assert (again.reference, current(held).rail) == ("HL-C13-2", "hold")


def test_a_new_account_is_used_once_the_hold_is_lifted_and_not_before(held, maker, approver):
    new = payout_accounts.propose(
        cooperative=held, rail="bank", holder="A", rib=rib_of(8), by=UserFactory(), at=LATER
    )
    payout_accounts.approve(account=new, by=approver, at=LATER)
    much_later = LATER + timedelta(days=30)
    payout_accounts.close_superseded(at=much_later)
    assert current(held, much_later).rail == "hold"
    assert OutboxMessage.objects.get(topic="payout_account.approved").payload["is_held"] is True

    asked = lifting.approve(lifting=ask(held, maker, much_later), by=approver, at=much_later)

    assert current(held, much_later) == asked.resumed == new
    assert held.payout_accounts.count() == 3


def test_one_operator_does_not_end_a_hold_with_the_very_account_it_holds_back(held, approver):
    with pytest.raises(payout_accounts.SameAccount):
        payout_accounts.propose(
            cooperative=held, rail="bank", holder="A", rib=rib_of(7), by=UserFactory(), at=LATER
        )

    assert current(held, LATER + timedelta(days=30)).rail == "hold"
    assert held.payout_accounts.count() == 2


def test_a_new_account_that_waits_still_takes_over_after_the_lifting(held, maker, approver):
    new = payout_accounts.propose(
        cooperative=held, rail="bank", holder="A", rib=rib_of(8), by=UserFactory(), at=LATER
    )
    payout_accounts.approve(account=new, by=approver, at=LATER)
    lifting.approve(lifting=ask(held, maker), by=approver, at=LATER)

    assert current(held).rib == rib_of(7)
    assert current(held, LATER + timedelta(hours=48)) == new


def test_without_an_account_before_the_cooperative_still_has_to_enter_one(maker, approver):
    cooperative = MemberFactory(cooperative=CooperativeFactory(code="C02")).cooperative
    payout_accounts.put_on_hold(cooperative=cooperative, reason="papers are missing", at=NOW)

    asked = lifting.approve(lifting=ask(cooperative, maker), by=approver, at=LATER)

    assert (asked.resumed, current(cooperative)) == (None, None)
    assert OutboxMessage.objects.get(topic="payout_account.resumed").payload["is_on_hold"] is True


def test_an_account_nobody_had_approved_does_not_come_back_with_a_lifting(maker, approver):
    cooperative = CooperativeFactory(code="C02")
    payout_accounts.propose(
        cooperative=cooperative, rail="bank", holder="A", rib=rib_of(8), by=UserFactory(), at=NOW
    )
    payout_accounts.put_on_hold(cooperative=cooperative, reason="papers are missing", at=NOW)

    lifting.approve(lifting=ask(cooperative, maker), by=approver, at=LATER)

    assert current(cooperative) is None
