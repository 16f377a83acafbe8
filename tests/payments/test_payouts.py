"""What cooperatives are sent by bank: planned by one, approved by another, once."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from cooperatives import lifting, payout_accounts
from shop.core import references
from shop.core.errors import CarriedOutMeanwhile
from shop.core.models import OutboxMessage
from shop.ledger import balances
from shop.ledger.models import JournalEntry
from shop.payments import batches, paying, payouts, refunding, statements
from shop.payments.bank import pain001
from shop.payments.bank.errors import BatchFileAltered
from shop.payments.models import BatchDownload, Payout, PayoutBatch, PayoutItem, PayoutRun
from tests.factories import (
    CooperativeFactory,
    ListingFactory,
    MemberFactory,
    OperatorFactory,
    PayoutAccountFactory,
    mad,
    order_of,
    rib_of,
)
from tests.payments.shop import stands

pytestmark = pytest.mark.django_db
State = Payout.State


@pytest.fixture
def maker():
    return OperatorFactory(roles=["finance_maker"])


@pytest.fixture
def approver():
    return OperatorFactory(roles=["finance_approver"])


def selling(code, **account):
    cooperative = CooperativeFactory(code=code)
    MemberFactory(cooperative=cooperative)
    if account.get("rail") != "none":
        PayoutAccountFactory(cooperative=cooperative, **account)
    return cooperative


def sold(shop, cooperative, *, price="600.00", release=True):
    """A part of ``price`` that is due to the cooperative."""
    order = shop.paid_order((ListingFactory(cooperative=cooperative, price=price), 1))
    part = order.supplier_orders.get()
    return shop.released(part) if release else part


def claim(part, at):
    return refunding.request(
        supplier_order=part, reason="claim", lines=None, with_delivery=False, by=None, at=at
    )


@pytest.fixture
def due(shop):
    """Two cooperatives: A is owed 534,00, B 302,60."""
    a, b = selling("A", rib=rib_of(101)), selling("B", rib=rib_of(102))
    return sold(shop, a), sold(shop, b, price="340.00")


def test_a_plan_has_one_payout_for_each_cooperative_and_the_banks_file(shop, due, maker):
    run = payouts.plan(by=maker, at=shop.at)

    assert [(each.cooperative.code, each.amount) for each in run.payouts.order_by("pk")] == [
        ("A", mad("534.00")),
        ("B", mad("302.60")),
    ]
    assert run.reference == f"PR-{shop.at:%Y%m%d}-01"
    shown = batches.shown(batch=run.batch)
    assert (shown.count, shown.total) == (2, mad("836.60"))
    assert [(each.reference, each.rib, each.amount) for each in shown.transfers] == [
        (references.checked(f"PO-{shop.at:%Y%m%d}-01-A"), rib_of(101), mad("534.00")),
        (references.checked(f"PO-{shop.at:%Y%m%d}-01-B"), rib_of(102), mad("302.60")),
    ]
    assert (run.batch.total, run.batch.count) == (mad("836.60"), 2)
    assert run.batch.execute_on > shop.at.date()
    assert run.batch.execute_on.weekday() < 5
    assert stands("producer_payable", "A") == mad("534.00")


def test_a_part_is_planned_once(shop, due, maker):
    payouts.plan(by=maker, at=shop.at)

    with pytest.raises(payouts.NothingToPay):
        payouts.plan(by=maker, at=shop.at)

    assert PayoutRun.objects.count() == 1


def test_the_maker_cannot_approve(shop, due, maker):
    run = payouts.plan(by=maker, at=shop.at)

    with pytest.raises(payouts.SamePerson):
        payouts.approve(run=run, by=maker, at=shop.at)

    run.refresh_from_db()
    assert run.state == PayoutRun.State.PLANNED
    assert set(run.payouts.values_list("state", flat=True)) == {State.PLANNED}


def test_the_database_too_refuses_one_person_for_both(shop, due, maker):
    run = payouts.plan(by=maker, at=shop.at)

    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutRun.objects.filter(pk=run.pk).update(state="approved", approved_by=maker)


def test_from_plan_to_bank_statement(shop, due, maker, approver):
    run = payouts.plan(by=maker, at=shop.at)
    with pytest.raises(batches.NotApproved):
        batches.download(batch=run.batch, by=maker, at=shop.at)
    with pytest.raises(batches.NotApproved):
        payouts.hand_over(batch=run.batch, at=shop.at)

    payouts.approve(run=run, by=approver, at=shop.at)
    file = batches.download(batch=run.batch, by=maker, at=shop.at)
    payouts.hand_over(batch=run.batch, at=shop.at, acknowledgement={"status": "ACCP"})
    payouts.hand_over(batch=run.batch, at=shop.at)

    assert pain001.read(file).total == mad("836.60")
    assert batches.download(batch=run.batch, by=approver, at=shop.at) == file
    assert batches.download(batch=run.batch, by=approver, format="csv", at=shop.at)
    assert BatchDownload.objects.count() == 3
    assert stands("producer_payable", "A") == mad(0)
    assert stands("payout_in_flight", "A") == mad("534.00")
    assert PayoutBatch.objects.get().acknowledgement == {"status": "ACCP"}
    assert OutboxMessage.objects.filter(topic="payout.sent").count() == 2

    first = run.payouts.get(cooperative__code="A")
    payouts.arrive(payout=first, line="L-1", on=date(2026, 12, 1), at=shop.at)
    payouts.arrive(payout=first, line="L-1", on=date(2026, 12, 1), at=shop.at)

    first.refresh_from_db()
    assert first.state == State.PAID
    assert stands("payout_in_flight", "A") == mad(0)
    assert balances.balances(prefix="bank:") == {"bank:main:MAD": mad("-534.00")}


def test_a_cancelled_plan_frees_everything(shop, due, maker, approver):
    run = payouts.plan(by=maker, at=shop.at)

    payouts.cancel(run=run, by=maker, at=shop.at)
    again = payouts.plan(by=maker, at=shop.at)

    assert [each.amount for each in again.payouts.order_by("pk")] == [mad("534.00"), mad("302.60")]
    assert again.reference.endswith("-02")
    with pytest.raises(CarriedOutMeanwhile):
        payouts.approve(run=run, by=approver, at=shop.at)


def test_an_approved_run_cannot_be_cancelled(shop, due, maker, approver):
    run = payouts.plan(by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)

    with pytest.raises(CarriedOutMeanwhile):
        payouts.cancel(run=run, by=maker, at=shop.at)


def test_an_approved_run_of_which_nothing_has_left_is_given_up_and_all_of_it_is_due_again(
    shop, due, maker, approver
):
    run = payouts.plan(by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)
    entries = JournalEntry.objects.count()

    payouts.give_up(run=run, why="the bank is closed", by=maker, at=shop.at)

    run.refresh_from_db()
    assert (run.state, run.cancelled_by, run.cancelled_at) == ("cancelled", maker, shop.at)
    assert run.cancelled_why == "the bank is closed"
    assert {each.state for each in run.payouts.all()} == {State.CANCELLED}
    assert JournalEntry.objects.count() == entries
    assert not OutboxMessage.objects.filter(topic__startswith="payout.").exists()
    for refused in (
        lambda: batches.download(batch=run.batch, by=maker, at=shop.at),
        lambda: payouts.offer(batch=run.batch, at=shop.at),
        lambda: payouts.hand_over(batch=run.batch, at=shop.at),
    ):
        with pytest.raises(batches.GivenUp):
            refused()
    again = payouts.plan(by=maker, at=shop.at)
    assert [each.amount for each in again.payouts.order_by("pk")] == [mad("534.00"), mad("302.60")]
    payouts.approve(run=again, by=approver, at=shop.at)
    payouts.hand_over(batch=again.batch, at=shop.at)
    assert stands("payout_in_flight", "A") == mad("534.00")


def test_giving_up_asks_for_a_reason_and_for_a_run_that_was_approved(shop, due, maker, approver):
    run = payouts.plan(by=maker, at=shop.at)
    with pytest.raises(CarriedOutMeanwhile):
        payouts.give_up(run=run, why="a mistake", by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)
    with pytest.raises(payouts.ReasonMissing):
        payouts.give_up(run=run, why="  ", by=maker, at=shop.at)

    run.refresh_from_db()
    assert (run.state, run.cancelled_by) == ("approved", None)
    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutRun.objects.filter(pk=run.pk).update(state="cancelled")


def test_a_run_whose_file_the_bank_has_is_not_given_up_and_the_sentence_says_which(
    shop, due, maker, approver
):
    run = payouts.plan(by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)
    payouts.hand_over(batch=run.batch, at=shop.at)

    with pytest.raises(payouts.PartsSent) as refusal:
        payouts.give_up(run=run, why="a mistake", by=maker, at=shop.at)

    sent = [run.batch.reference, *run.payouts.order_by("pk").values_list("reference", flat=True)]
    assert refusal.value.references == payouts.gone(run=run) == sent
    assert run.batch.reference in str(refusal.value)
    run.refresh_from_db()
    assert run.state == "approved"


def test_a_file_the_bank_may_have_without_having_answered_is_not_given_up(shop, due, maker, approver):
    run = payouts.plan(by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)
    payouts.offer(batch=run.batch, at=shop.at)

    with pytest.raises(payouts.PartsSent) as refusal:
        payouts.give_up(run=run, why="a mistake", by=maker, at=shop.at)
    assert refusal.value.references == [run.batch.reference]

    payouts.not_taken(batch=run.batch)
    payouts.give_up(run=run, why="the bank refused the file", by=maker, at=shop.at)


def test_a_later_refusal_does_not_say_that_the_bank_never_had_the_file(shop, due, maker, approver):
    """The first answer was lost, so the bank may have it; the second offer is not the first."""
    run = payouts.plan(by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)

    assert payouts.offer(batch=run.batch, at=shop.at) is True
    assert payouts.offer(batch=run.batch, at=shop.at) is False

    run.batch.refresh_from_db()
    assert run.batch.offered_at == shop.at


def test_a_run_whose_file_was_downloaded_is_given_up_by_two_who_are_not_its_downloader(
    shop, due, maker, approver
):
    run = payouts.plan(by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)
    batches.download(batch=run.batch, by=approver, at=shop.at)
    third = OperatorFactory(roles=["finance_maker"])

    with pytest.raises(payouts.Downloaded):
        payouts.give_up(run=run, why="a mistake", by=maker, at=shop.at)
    with pytest.raises(payouts.NothingAsked):
        payouts.agree_to_give_up(run=run, by=maker, at=shop.at)
    with pytest.raises(payouts.ReasonMissing):
        payouts.ask_to_give_up(run=run, why=" ", by=maker, at=shop.at)
    payouts.ask_to_give_up(run=run, why="a mistake", by=maker, at=shop.at)
    assert list(PayoutRun.objects.giving_up_waits()) == [run]
    with pytest.raises(payouts.AskedAlready):
        payouts.ask_to_give_up(run=run, why="again", by=third, at=shop.at)
    with pytest.raises(payouts.SamePersonGivesUp):
        payouts.agree_to_give_up(run=run, by=maker, at=shop.at)
    with pytest.raises(payouts.TookTheFile):
        payouts.agree_to_give_up(run=run, by=approver, at=shop.at)
    run.refresh_from_db()
    assert (run.state, {each.state for each in run.payouts.all()}) == ("approved", {State.APPROVED})

    payouts.agree_to_give_up(run=run, by=third, at=shop.at)

    run.refresh_from_db()
    assert (run.state, run.giving_up_by, run.cancelled_by) == ("cancelled", maker, third)
    assert run.cancelled_why == "a mistake"
    assert {each.state for each in run.payouts.all()} == {State.CANCELLED}
    assert not PayoutRun.objects.giving_up_waits().exists()


def test_a_giving_up_that_was_asked_for_falls_away_when_the_bank_has_the_file(shop, due, maker, approver):
    run = payouts.plan(by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)
    batches.download(batch=run.batch, by=approver, at=shop.at)
    payouts.ask_to_give_up(run=run, why="a mistake", by=maker, at=shop.at)
    payouts.hand_over(batch=run.batch, at=shop.at)

    with pytest.raises(payouts.PartsSent):
        payouts.agree_to_give_up(run=run, by=OperatorFactory(), at=shop.at)

    assert not PayoutRun.objects.giving_up_waits().exists()


def test_the_database_too_asks_for_two_persons_once_the_file_was_downloaded(shop, due, maker, approver):
    run = payouts.plan(by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)
    batches.download(batch=run.batch, by=approver, at=shop.at)
    payouts.ask_to_give_up(run=run, why="a mistake", by=maker, at=shop.at)

    with pytest.raises(IntegrityError), transaction.atomic():
        PayoutRun.objects.filter(pk=run.pk).update(
            state="cancelled", cancelled_by=maker, cancelled_at=shop.at, cancelled_why="mine"
        )


def test_a_sender_that_is_quicker_than_what_was_read_refuses_the_giving_up_whole(
    shop, due, maker, approver, monkeypatch
):
    """Without locks, as on a database that has none: the state each record started from is the guard."""
    run = payouts.plan(by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)
    real = payouts.locked

    def read_before_the_sender(**which):
        found = list(real(**which))
        Payout.objects.filter(pk=found[-1].pk).update(state=State.SENDING)
        return found

    monkeypatch.setattr(payouts, "locked", read_before_the_sender)

    with pytest.raises(CarriedOutMeanwhile):
        payouts.give_up(run=run, why="a mistake", by=maker, at=shop.at)

    run.refresh_from_db()
    assert run.state == "approved"
    assert [each.state for each in run.payouts.order_by("pk")] == [State.APPROVED, State.APPROVED]
    assert PayoutItem.objects.filter(is_live=True).count() == 2


def test_a_refund_that_was_to_travel_with_a_run_given_up_travels_with_the_next(shop, due, maker, approver):
    part = order_of((ListingFactory(price="300.00"), 1), method="cash")
    paying.settle_cash(order=part, at=shop.at)
    part = part.supplier_orders.get()
    shop.released(part)
    refund = refunding.request(
        supplier_order=part,
        reason="claim",
        lines=None,
        with_delivery=False,
        holder="Salma Idrissi",
        rib=rib_of(77),
        by=None,
        at=shop.at,
    )
    run = payouts.plan(by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)

    payouts.give_up(run=run, why="a mistake", by=maker, at=shop.at)

    refund.refresh_from_db()
    assert (refund.state, refund.batch) == ("requested", None)
    again = payouts.plan(by=maker, at=shop.at)
    refund.refresh_from_db()
    assert refund.batch == again.batch
    assert refund.reference in [each.reference for each in batches.shown(batch=again.batch).transfers]


def test_a_rejected_payout_is_due_again_and_its_account_is_held(shop, due, maker, approver):
    run = payouts.plan(by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)
    payouts.hand_over(batch=run.batch, at=shop.at)
    payout = run.payouts.get(cooperative__code="A")

    payouts.reject(payout=payout, why="AC04 closed account", at=shop.at)
    payouts.reject(payout=payout, why="AC04 closed account", at=shop.at)

    payout.refresh_from_db()
    assert (payout.state, payout.failure) == (State.REJECTED, "AC04 closed account")
    assert stands("producer_payable", "A") == mad("534.00")
    assert stands("payout_in_flight", "A") == mad(0)
    held = payout_accounts.current(cooperative=payout.cooperative, at=shop.at)
    assert (held.rail, held.reason) == ("hold", "AC04 closed account")
    assert OutboxMessage.objects.filter(topic="payout.rejected").count() == 1
    (out,) = payouts.left_out(at=shop.at)
    assert (out.cooperative.code, out.amount, out.why, out.note) == (
        "A",
        mad("534.00"),
        payouts.Why.ON_HOLD,
        "AC04 closed account",
    )

    account = payout_accounts.propose(
        cooperative=payout.cooperative, rail="bank", holder="A", rib=rib_of(103), by=None, at=shop.at
    )
    payout_accounts.approve(account=account, by=approver, at=shop.at)
    later = shop.at + timedelta(hours=49)
    asked = lifting.propose(cooperative=payout.cooperative, reason="a new account", by=maker, at=later)
    lifting.approve(lifting=asked, by=approver, at=later)
    again = payouts.plan(by=maker, at=later)
    assert [each.rib for each in batches.shown(batch=again.batch).transfers] == [rib_of(103)]


def test_a_payout_that_came_back_after_the_debit_is_due_again(shop, due, maker, approver):
    run = payouts.plan(by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)
    payouts.hand_over(batch=run.batch, at=shop.at)
    payout = run.payouts.get(cooperative__code="A")
    payouts.arrive(payout=payout, line="L-1", on=shop.at.date(), at=shop.at)

    with pytest.raises(CarriedOutMeanwhile):
        payouts.reject(payout=payout, why="too late", at=shop.at)
    payouts.returned(payout=payout, line="L-2", why="account closed", on=shop.at.date(), at=shop.at)
    payouts.returned(payout=payout, line="L-2", why="account closed", on=shop.at.date(), at=shop.at)

    assert stands("producer_payable", "A") == mad("534.00")
    assert stands("payout_in_flight", "A") == mad(0)
    assert balances.balances(prefix="bank:") == {"bank:main:MAD": mad(0)}


def test_what_the_cooperative_owes_is_netted_at_its_next_payout(shop, maker, approver):
    cooperative = selling("A")
    part = sold(shop, cooperative)
    payouts.approve(run=payouts.plan(by=maker, at=shop.at), by=approver, at=shop.at)
    payouts.hand_over(batch=PayoutBatch.objects.get(), at=shop.at)
    line = part.lines.get()
    refunding.request(
        supplier_order=part, reason="claim", lines=None, with_delivery=False, by=None, at=shop.at
    )
    assert line.quantity == 1
    assert stands("producer_receivable", "A") == mad("534.00")
    sold(shop, cooperative, price="700.00")

    run = payouts.plan(by=maker, at=shop.at)

    payout = run.payouts.get()
    assert (payout.shares, payout.netted, payout.amount) == (mad("623.00"), mad("534.00"), mad("89.00"))
    payouts.approve(run=run, by=approver, at=shop.at)
    payouts.hand_over(batch=run.batch, at=shop.at)
    assert stands("producer_receivable", "A") == mad(0)
    assert stands("producer_payable", "A") == mad(0)
    assert stands("payout_in_flight", "A") == mad("623.00")
    payout.refresh_from_db()
    found = statements.statement(payout=payout)
    assert found.closing == mad(0)
    assert found.sum_of("netting") == mad("-534.00")


def test_a_rejected_payout_makes_the_netted_debt_owed_again(shop, maker, approver):
    cooperative = selling("A")
    part = sold(shop, cooperative)
    payouts.approve(run=payouts.plan(by=maker, at=shop.at), by=approver, at=shop.at)
    payouts.hand_over(batch=PayoutBatch.objects.get(), at=shop.at)
    claim(part, shop.at)
    sold(shop, cooperative, price="700.00")
    run = payouts.plan(by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)
    payouts.hand_over(batch=run.batch, at=shop.at)

    payouts.reject(payout=run.payouts.get(), why="AC04", at=shop.at)

    assert stands("producer_receivable", "A") == mad("534.00")
    assert stands("producer_payable", "A") == mad("623.00")
    assert statements.statement(payout=run.payouts.get()).closing == mad("623.00")


def test_a_cooperative_that_owes_more_than_it_is_due_waits(shop, maker, approver):
    cooperative = selling("A")
    part = sold(shop, cooperative)
    payouts.approve(run=payouts.plan(by=maker, at=shop.at), by=approver, at=shop.at)
    payouts.hand_over(batch=PayoutBatch.objects.get(), at=shop.at)
    claim(part, shop.at)
    sold(shop, cooperative, price="600.00")

    with pytest.raises(payouts.NothingToPay):
        payouts.plan(by=maker, at=shop.at)

    (out,) = payouts.left_out(at=shop.at)
    assert (out.amount, out.why) == (mad("534.00"), payouts.Why.OWES_MORE)


def test_a_debt_already_spoken_for_is_not_netted_twice(shop, maker, approver):
    cooperative = selling("A")
    part = sold(shop, cooperative, price="100.00")
    payouts.approve(run=payouts.plan(by=maker, at=shop.at), by=approver, at=shop.at)
    payouts.hand_over(batch=PayoutBatch.objects.get(), at=shop.at)
    claim(part, shop.at)
    sold(shop, cooperative, price="600.00")
    first = payouts.plan(by=maker, at=shop.at).payouts.get()
    sold(shop, cooperative, price="600.00")

    second = payouts.plan(by=maker, at=shop.at).payouts.get()

    assert (first.netted, first.amount) == (mad("89.00"), mad("445.00"))
    assert (second.netted, second.amount) == (mad(0), mad("534.00"))


def test_refunds_before_the_payout_are_taken_off(shop, maker):
    cooperative = selling("A")
    order = shop.paid_order((ListingFactory(cooperative=cooperative, price="100.00"), 6))
    part = order.supplier_orders.get()
    line = part.lines.get()
    refunding.request(
        supplier_order=part, reason="claim", lines={line: 1}, with_delivery=False, by=None, at=shop.at
    )
    shop.released(part)
    refunding.request(
        supplier_order=part, reason="claim", lines={line: 1}, with_delivery=False, by=None, at=shop.at
    )

    run = payouts.plan(by=maker, at=shop.at)

    assert run.payouts.get().amount == stands("producer_payable", "A") == mad("356.00")


@pytest.mark.parametrize(
    ("account", "why"),
    [({"rail": "none"}, "no_account"), ({"rail": "hold", "rib": "", "reason": "papers"}, "on_hold")],
)
def test_who_cannot_be_paid_is_listed_with_the_reason(shop, maker, account, why):
    sold(shop, selling("A", **account))
    sold(shop, selling("B"), price="340.00")

    run = payouts.plan(by=maker, at=shop.at)

    assert [each.cooperative.code for each in run.payouts.all()] == ["B"]
    (out,) = payouts.left_out(at=shop.at)
    assert (out.cooperative.code, out.amount, out.why) == ("A", mad("534.00"), why)


def test_a_plan_never_exceeds_what_the_books_say_is_due(shop, maker):
    from shop.ledger import accounts, entries
    from shop.ledger.journal import Move

    sold(shop, selling("A"))
    entries.record_adjustment(
        approval="AP-1",
        effective_on=shop.at.date(),
        memo="taken off by two persons",
        moves=[
            Move(
                debit=accounts.producer_payable("A", "MAD"),
                credit=accounts.producer_held("A", "MAD"),
                amount=mad("0.01"),
            )
        ],
        actor="x",
    )

    with pytest.raises(payouts.NothingToPay):
        payouts.plan(by=maker, at=shop.at)

    (out,) = payouts.left_out(at=shop.at)
    assert out.why == payouts.Why.BOOKS_SAY_LESS


def test_parts_that_are_not_released_are_not_due(shop, maker):
    sold(shop, selling("A"), release=False)

    with pytest.raises(payouts.NothingToPay):
        payouts.plan(by=maker, at=shop.at)

    assert payouts.left_out(at=shop.at) == []


def test_an_account_changed_after_the_plan_stops_the_approval(shop, due, maker, approver):
    run = payouts.plan(by=maker, at=shop.at)
    payout_accounts.put_on_hold(cooperative=due[0].cooperative, reason="a call", at=shop.at)

    with pytest.raises(payouts.AccountChanged) as refusal:
        payouts.approve(run=run, by=approver, at=shop.at)

    assert refusal.value.cooperatives == [due[0].cooperative.name]
    assert "Coopérative A" in str(refusal.value)
    run.refresh_from_db()
    assert run.state == PayoutRun.State.PLANNED


def test_an_account_put_on_hold_after_the_approval_stops_the_handing_over(shop, due, maker, approver):
    run = payouts.plan(by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)
    payout_accounts.put_on_hold(cooperative=due[0].cooperative, reason="a call", at=shop.at)

    with pytest.raises(payouts.AccountChanged) as refusal:
        payouts.hand_over(batch=run.batch, at=shop.at)

    assert refusal.value.cooperatives == [due[0].cooperative.name]
    run.batch.refresh_from_db()
    assert run.batch.handed_over_at is None
    assert {each.state for each in run.payouts.all()} == {Payout.State.APPROVED}
    assert stands("payout_in_flight", "A") == mad(0)


def test_what_the_bank_has_acknowledged_is_written_down_whatever_came_since(shop, due, maker, approver):
    run = payouts.plan(by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)
    payout_accounts.put_on_hold(cooperative=due[0].cooperative, reason="a call", at=shop.at)

    payouts.hand_over(batch=run.batch, at=shop.at, acknowledgement={"status": "ACCP"})

    assert {each.state for each in run.payouts.all()} == {Payout.State.SENT}
    assert stands("payout_in_flight", "A") == mad("534.00")


def test_an_altered_file_is_never_approved_nor_given_out(shop, due, maker, approver):
    run = payouts.plan(by=maker, at=shop.at)
    batch = run.batch
    with batch.pain001.open("rb") as file:
        content = file.read()
    Path(batch.pain001.path).write_bytes(content.replace(b"534.00", b"634.00").replace(b"836.60", b"936.60"))

    with pytest.raises(BatchFileAltered):
        batches.shown(batch=batch)
    with pytest.raises(BatchFileAltered):
        payouts.approve(run=run, by=approver, at=shop.at)

    run.refresh_from_db()
    assert run.state == PayoutRun.State.PLANNED


def test_a_payout_changed_in_the_tables_after_the_file_was_made_is_not_approved(shop, due, maker, approver):
    run = payouts.plan(by=maker, at=shop.at)
    Payout.objects.filter(cooperative__code="A").update(shares_minor=60000, amount_minor=60000)

    with pytest.raises(BatchFileAltered):
        payouts.approve(run=run, by=approver, at=shop.at)


def test_a_second_planner_with_a_stale_view_is_refused_by_the_database(shop, due, maker, monkeypatch):
    """What the lock prevents, made to happen: both look before either writes."""
    cooperatives = [each.cooperative for each in due]
    seen = payouts._look_at(cooperatives, shop.at)
    payouts.plan(by=maker, at=shop.at)
    monkeypatch.setattr(payouts, "_look_at", lambda *_: seen)

    with pytest.raises(CarriedOutMeanwhile):
        payouts.plan(by=maker, at=shop.at)

    assert PayoutItem.objects.filter(is_live=True).count() == 2
    assert PayoutRun.objects.count() == 1


def test_without_the_databases_rule_the_stale_planner_pays_twice(shop, due, maker, monkeypatch):
    """The control of the test above."""
    rule = next(
        each for each in PayoutItem._meta.constraints if each.name == "a_supplier_order_is_in_one_live_payout"
    )
    cooperatives = [each.cooperative for each in due]
    seen = payouts._look_at(cooperatives, shop.at)
    payouts.plan(by=maker, at=shop.at)
    monkeypatch.setattr(payouts, "_look_at", lambda *_: seen)
    with connection.cursor() as cursor:
        cursor.execute(f'DROP INDEX "{rule.name}"')

    payouts.plan(by=maker, at=shop.at)

    assert PayoutItem.objects.filter(is_live=True).count() == 4


# Statements


def test_a_statement_leads_from_what_customers_paid_to_what_the_bank_was_given(shop, maker, approver):
    cooperative = selling("A", rib=rib_of(101))
    order = shop.paid_order((ListingFactory(cooperative=cooperative, price="100.00"), 6))
    part = order.supplier_orders.get()
    refund = refunding.request(
        supplier_order=part,
        reason="claim",
        lines={part.lines.get(): 1},
        with_delivery=False,
        by=None,
        at=shop.at,
    )
    shop.released(part)
    run = payouts.plan(by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)
    payouts.hand_over(batch=run.batch, at=shop.at)
    payout = run.payouts.get()

    found = statements.statement(payout=payout)

    assert [(each.what, each.reference, each.amount) for each in found.rows] == [
        ("goods", part.reference, mad("600.00")),
        ("commission", part.reference, mad("-50.00")),
        ("commission_vat", part.reference, mad("-10.00")),
        ("solidarity", part.reference, mad("-6.00")),
        ("refund", refund.reference, mad("-100.00")),
        ("refund_commission", refund.reference, mad("8.33")),
        ("refund_commission_vat", refund.reference, mad("1.67")),
        ("refund_solidarity", refund.reference, mad("1.00")),
        ("payout", payout.reference, mad("-445.00")),
    ]
    assert found.closing == mad(0)


def test_before_it_is_sent_a_statement_closes_with_what_is_due(shop, due, maker):
    run = payouts.plan(by=maker, at=shop.at)

    assert [statements.statement(payout=each).closing for each in run.payouts.order_by("pk")] == [
        mad("534.00"),
        mad("302.60"),
    ]


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_a_statement_is_set_as_a_paper_in_each_language(shop, due, maker, approver, language):
    run = payouts.plan(by=maker, at=shop.at)
    payouts.approve(run=run, by=approver, at=shop.at)
    payouts.hand_over(batch=run.batch, at=shop.at)

    paper = statements.statement_pdf(run.payouts.order_by("pk")[0], language)

    assert paper.startswith(b"%PDF")


def test_a_part_of_another_cooperative_in_the_same_order_is_not_on_the_statement(shop, maker):
    a, b = selling("A"), selling("B")
    order = shop.paid_order(
        (ListingFactory(cooperative=a, price="600.00"), 1), (ListingFactory(cooperative=b, price="340.00"), 1)
    )
    for part in order.supplier_orders.order_by("pk"):
        shop.released(part)

    run = payouts.plan(by=maker, at=shop.at)

    found = statements.statement(payout=run.payouts.get(cooperative=a))
    assert {each.reference for each in found.rows} == {f"{order.number}-1"}
    assert found.closing == mad("534.00")
