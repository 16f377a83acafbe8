from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from cooperatives import payout_accounts
from shop.core import rib as ribs
from shop.core.models import OutboxMessage
from tests.factories import NOW, CooperativeFactory, MemberFactory, PayoutAccountFactory, UserFactory, rib_of

pytestmark = pytest.mark.django_db
COOLING = timedelta(hours=48)


def _propose(cooperative, *, number=1, at=NOW, by=None, rail="bank", **kwargs):
    return payout_accounts.propose(
        cooperative=cooperative,
        rail=rail,
        holder="Coopérative Argane",
        rib=rib_of(number) if rail == "bank" else "",
        by=by or UserFactory(),
        at=at,
        **kwargs,
    )


def _approved(cooperative, **kwargs):
    account = _propose(cooperative, **kwargs)
    return payout_accounts.approve(account=account, by=UserFactory(), at=account.created_at)


def test_the_first_account_is_usable_as_soon_as_another_person_approved_it():
    cooperative = CooperativeFactory()
    MemberFactory(cooperative=cooperative)
    account = _propose(cooperative)
    assert (account.version, account.usable_from) == (1, NOW)
    assert payout_accounts.current(cooperative=cooperative, at=NOW + timedelta(days=30)) is None
    assert payout_accounts.waiting(cooperative=cooperative, at=NOW + timedelta(days=30)) == account

    nadia, checked = UserFactory(), NOW + timedelta(hours=3)
    payout_accounts.approve(account=account, by=nadia, at=checked)
    payout_accounts.approve(account=account, by=UserFactory(), at=checked + timedelta(hours=1))

    account.refresh_from_db()
    assert (account.approved_by, account.approved_at, account.usable_from) == (nadia, checked, checked)
    assert payout_accounts.current(cooperative=cooperative, at=checked) == account
    assert payout_accounts.waiting(cooperative=cooperative, at=checked) is None
    assert OutboxMessage.objects.filter(topic="payout_account.approved").count() == 1


def test_a_change_waits_two_days_and_then_takes_the_place_of_the_older():
    cooperative = CooperativeFactory()
    old = _approved(cooperative)
    later = NOW + timedelta(days=30)

    new = _approved(cooperative, number=2, at=later)

    assert new.usable_from == later + COOLING
    just_before = later + COOLING - timedelta(seconds=1)
    assert payout_accounts.current(cooperative=cooperative, at=just_before) == old
    assert payout_accounts.close_superseded(at=just_before) == 0
    assert payout_accounts.current(cooperative=cooperative, at=later + COOLING) == new
    assert payout_accounts.close_superseded(at=later + COOLING) == 1
    assert payout_accounts.close_superseded(at=later + COOLING) == 0
    old.refresh_from_db()
    assert old.closed_at == later + COOLING


def test_a_change_that_nobody_approved_is_not_used_however_long_it_waits():
    cooperative = CooperativeFactory()
    old = _approved(cooperative)
    new = _propose(cooperative, number=2)
    much_later = NOW + timedelta(days=30)

    assert payout_accounts.current(cooperative=cooperative, at=much_later) == old
    assert payout_accounts.close_superseded(at=much_later) == 0

    payout_accounts.approve(account=new, by=UserFactory(), at=much_later)
    new.refresh_from_db()
    assert new.usable_from == much_later
    assert payout_accounts.current(cooperative=cooperative, at=much_later) == new


def test_a_refused_account_is_never_used_and_its_owners_read_why():
    cooperative = CooperativeFactory()
    MemberFactory(cooperative=cooperative)
    account, nadia = _propose(cooperative), UserFactory()
    with pytest.raises(payout_accounts.ReasonMissing):
        payout_accounts.refuse(account=account, why=" ", by=nadia, at=NOW)

    payout_accounts.refuse(account=account, why="the certificate names another", by=nadia, at=NOW)

    account.refresh_from_db()
    assert (account.refused_by, account.closed_at) == (nadia, NOW)
    with pytest.raises(payout_accounts.NotToCheck):
        payout_accounts.approve(account=account, by=UserFactory(), at=NOW)
    assert payout_accounts.current(cooperative=cooperative, at=NOW) is None
    assert payout_accounts.last_refused(cooperative=cooperative) == account
    mail = OutboxMessage.objects.get(topic="payout_account.refused")
    assert mail.payload["reason"] == "the certificate names another"

    _propose(cooperative, number=2)
    assert payout_accounts.last_refused(cooperative=cooperative) is None


def test_an_approved_account_is_not_refused_any_more():
    account = _approved(CooperativeFactory())

    with pytest.raises(payout_accounts.NotToCheck):
        payout_accounts.refuse(account=account, why="too late", by=UserFactory(), at=NOW)

    account.refresh_from_db()
    assert (account.refused_by, account.closed_at) == (None, None)


def test_the_same_account_at_two_cooperatives_is_noticed():
    first, second = CooperativeFactory(), CooperativeFactory()
    _approved(first)
    account = _propose(second)

    assert payout_accounts.others_with(account=account) == [first]
    assert payout_accounts.others_with(account=_propose(second, number=2)) == []


def test_a_second_change_gives_the_first_up():
    cooperative = CooperativeFactory()
    _approved(cooperative)
    first = _propose(cooperative, number=2, at=NOW + timedelta(hours=1))
    second = _propose(cooperative, number=3, at=NOW + timedelta(hours=2))

    first.refresh_from_db()
    assert first.closed_at == NOW + timedelta(hours=2)
    assert payout_accounts.waiting(cooperative=cooperative, at=NOW + timedelta(hours=2)) == second


def test_all_owners_are_told_each_in_her_language_and_without_the_whole_number():
    cooperative = CooperativeFactory()
    PayoutAccountFactory(cooperative=cooperative)
    for language in ("ar", "fr"):
        MemberFactory(cooperative=cooperative, user=UserFactory(language=language))
    MemberFactory(cooperative=cooperative, role="finance")

    _propose(cooperative, number=42)

    mails = OutboxMessage.objects.filter(topic="payout_account.proposed").order_by("pk")
    assert [each.language for each in mails] == ["ar", "fr"]
    assert mails[0].payload["account"] == ribs.masked(rib_of(42))
    assert rib_of(42) not in str(mails[0].payload)


def test_a_wrong_key_is_refused_and_nothing_is_written():
    cooperative = CooperativeFactory()
    wrong = f"{int(rib_of(1)) + 1:024d}"

    with pytest.raises(ribs.RibKeyWrong):
        payout_accounts.propose(
            cooperative=cooperative, rail="bank", holder="X", rib=wrong, by=UserFactory(), at=NOW
        )

    assert not cooperative.payout_accounts.exists()


@pytest.mark.parametrize(
    ("kwargs", "error"),
    [
        ({"rail": "bank", "holder": "  ", "rib": rib_of(1)}, payout_accounts.HolderMissing),
        ({"rail": "stripe", "holder": "X"}, payout_accounts.NoStripeAccount),
    ],
)
def test_what_is_missing_is_said(kwargs, error):
    cooperative = CooperativeFactory()

    with pytest.raises(error):
        payout_accounts.propose(cooperative=cooperative, by=UserFactory(), at=NOW, **kwargs)

    assert not cooperative.payout_accounts.exists()


def test_the_same_account_again_is_no_change():
    cooperative = CooperativeFactory()
    _approved(cooperative)

    with pytest.raises(payout_accounts.SameAccount):
        _propose(cooperative)

    assert cooperative.payout_accounts.count() == 1


def test_a_hold_stops_payouts_at_once_and_no_new_account_ends_it():
    cooperative = CooperativeFactory()
    account = _approved(cooperative)

    hold = payout_accounts.put_on_hold(cooperative=cooperative, reason="RIB rejected by the bank", at=NOW)
    again = payout_accounts.put_on_hold(cooperative=cooperative, reason="another", at=NOW)

    account.refresh_from_db()
    assert again == hold
    assert (hold.rail, hold.reason, account.closed_at) == ("hold", "RIB rejected by the bank", NOW)
    assert payout_accounts.current(cooperative=cooperative, at=NOW) == hold

    new = _approved(cooperative, number=2)

    for moment in (NOW, NOW + COOLING, NOW + timedelta(days=90)):
        assert payout_accounts.current(cooperative=cooperative, at=moment) == hold
    assert payout_accounts.after(hold=hold, at=NOW + COOLING) == new


def test_nobody_approves_or_refuses_what_she_proposed():
    fatima, nadia = UserFactory(), UserFactory()
    account = _propose(CooperativeFactory(), by=fatima)

    with pytest.raises(payout_accounts.OwnProposal):
        payout_accounts.approve(account=account, by=fatima, at=NOW)
    with pytest.raises(payout_accounts.OwnProposal):
        payout_accounts.refuse(account=account, why="mine", by=fatima, at=NOW)
    account.refresh_from_db()
    assert (account.approved_by, account.refused_by, account.closed_at) == (None, None, None)

    payout_accounts.approve(account=account, by=nadia, at=NOW)
    account.refresh_from_db()
    assert account.approved_by == nadia


def test_a_change_that_is_in_use_cannot_be_given_up():
    account = _approved(CooperativeFactory())

    with pytest.raises(payout_accounts.AccountClosed):
        payout_accounts.give_up(account=account, at=NOW)

    account.refresh_from_db()
    assert account.closed_at is None


def test_a_change_of_accounts_does_not_keep_orders_from_being_routed():
    """A foreign key asks for the key only, so the lock on a cooperative must leave the key free."""
    with transaction.atomic(), CaptureQueriesContext(connection) as asked:
        payout_accounts.lock(CooperativeFactory())

    if connection.vendor == "postgresql":
        assert asked.captured_queries[-1]["sql"].endswith("FOR NO KEY UPDATE")
