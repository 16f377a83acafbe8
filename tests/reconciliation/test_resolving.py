"""What is done about exceptions: one person proposes, another approves, and the books follow."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from shop.backoffice import auditing
from shop.core.errors import CarriedOutMeanwhile
from shop.ledger import entries
from shop.ledger.models import JournalEntry
from shop.payments import batches, paying, payouts, refunding
from shop.payments.models import BalanceTransaction, Refund, StripeEvent
from shop.payments.stripe import importing as stripe_importing
from shop.reconciliation import importing, resolving, watching
from shop.reconciliation.actions import Action, actions_for
from shop.reconciliation.errors import (
    AlreadyMatched,
    AmountsDiffer,
    CannotBeUndone,
    Changed,
    LineNotBooked,
    MoneyMoved,
    NotForThis,
    ReasonMissing,
    RowNotBooked,
    SamePerson,
    UnknownAccount,
    UnknownReference,
    WaitsAlready,
)
from shop.reconciliation.models import Discrepancy, Match, Resolution, StatementLine
from shop.reconciliation.noticing import working_days_after
from tests.reconciliation.test_importing import remittance
from tests.reconciliation.world import L, World, bank, eur, exceptions, mad, stands, the


def propose(world: World, discrepancy: Discrepancy, action: str, **details) -> Resolution:
    return resolving.propose(
        discrepancy=discrepancy,
        action=action,
        reason="the bank's advice",
        by=world.maker,
        details=details,
        at=world.at,
    )


def settle(world: World, discrepancy: Discrepancy, action: str, **details) -> Resolution:
    resolution = propose(world, discrepancy, action, **details)
    return resolving.approve(resolution=resolution, by=world.checker, at=world.at)


def fee(world: World) -> Discrepancy:
    world.import_csv(L("-25.00", "FRAIS"))
    world.match()
    return the("bank_fee")


def test_nothing_moves_before_a_second_person_agrees(world: World):
    discrepancy = fee(world)

    resolution = propose(world, discrepancy, Action.BOOK_BANK_FEE)

    discrepancy.refresh_from_db()
    assert (discrepancy.state, resolution.moves_money, resolution.entry) == ("proposed", True, None)
    assert resolution.reference == f"{discrepancy.reference}-1"
    assert bank() == mad(0)
    assert world.match().matched == 0

    resolving.approve(resolution=resolution, by=world.checker, at=world.at)

    resolution.refresh_from_db()
    discrepancy.refresh_from_db()
    assert (bank(), stands("bank_fee")) == (mad("-25.00"), mad("25.00"))
    assert (discrepancy.state, resolution.entry.approval) == ("settled", resolution.reference)
    assert resolution.entry.actor == str(world.checker)
    match = Match.objects.get()
    assert (match.subject, match.line.state) == ("adjustment", "explained")


def test_approving_again_books_nothing_twice(world: World):
    resolution = settle(world, fee(world), Action.BOOK_BANK_FEE)

    resolving.approve(resolution=resolution, by=world.checker, at=world.at)

    assert bank() == mad("-25.00")
    assert Match.objects.count() == 1


def test_the_same_person_cannot_approve_her_own_proposal(world: World):
    resolution = propose(world, fee(world), Action.BOOK_BANK_FEE)

    with pytest.raises(SamePerson):
        resolving.approve(resolution=resolution, by=world.maker, at=world.at)

    resolution.refresh_from_db()
    assert (resolution.approved_by, resolution.entry) == (None, None)
    assert bank() == mad(0)
    assert exceptions() == ["bank_fee"]


def test_the_database_refuses_the_same_person_too(world: World):
    resolution = propose(world, fee(world), Action.BOOK_BANK_FEE)

    with pytest.raises(IntegrityError, match="another_person|CHECK"), transaction.atomic():
        Resolution.objects.filter(pk=resolution.pk).update(approved_by=world.maker)

    with pytest.raises(IntegrityError), transaction.atomic():
        Resolution.objects.filter(pk=resolution.pk).update(
            entry=JournalEntry.objects.create(event="x", kind="bank_fee", effective_on=date(2026, 1, 1))
        )


def test_a_refused_proposal_opens_the_exception_again_and_another_can_follow(world: World):
    discrepancy = fee(world)
    first = propose(world, discrepancy, Action.ADJUST, debit="rounding:MAD", credit="bank:main:MAD")
    with pytest.raises(WaitsAlready):
        propose(world, discrepancy, Action.BOOK_BANK_FEE)

    resolving.refuse(resolution=first, by=world.checker, at=world.at)
    with pytest.raises(CarriedOutMeanwhile):
        resolving.approve(resolution=first, by=world.checker, at=world.at)
    second = settle(world, discrepancy, Action.BOOK_BANK_FEE)

    assert second.reference == f"{discrepancy.reference}-2"
    assert (stands("bank_fee"), stands("rounding")) == (mad("25.00"), mad(0))


def test_a_reason_is_asked_for(world: World):
    with pytest.raises(ReasonMissing):
        resolving.propose(
            discrepancy=fee(world), action=Action.BOOK_BANK_FEE, reason="  ", by=world.maker, at=world.at
        )

    assert not Resolution.objects.exists()


def test_money_that_moved_at_the_bank_cannot_be_noted_away(world: World):
    discrepancy = fee(world)

    with pytest.raises(MoneyMoved):
        propose(world, discrepancy, Action.NOTE_ONLY)
    with pytest.raises(NotForThis):
        propose(world, discrepancy, Action.REFUND_AGAIN)

    assert Action.NOTE_ONLY not in actions_for(discrepancy)
    assert exceptions() == ["bank_fee"]


def test_a_note_settles_what_is_over_and_it_does_not_open_again(world: World):
    StripeEvent.objects.create(event_id="evt_0", kind="x", payload={}, by_webhook=False, received_at=world.at)
    watching.watch(at=world.at)

    resolution = propose(world, the("webhook_gap"), Action.NOTE_ONLY)
    watching.watch(at=world.at)

    assert (resolution.moves_money, resolution.approved_by) == (False, None)
    assert exceptions() == []


def test_a_note_on_what_is_still_so_moves_its_day_on_and_leaves_every_other_way_open(world: World):
    (payout,) = world.sent("600.00")
    world.wait(days=7)
    world.import_silence()
    watching.watch(at=world.at)
    noticed = the("stale_in_flight").due_on
    world.wait(days=7)

    propose(world, the("stale_in_flight"), Action.NOTE_ONLY)
    watching.watch(at=world.at)

    found = the("stale_in_flight")
    assert (found.state, found.due_on) == ("open", working_days_after(world.at.date(), 3))
    assert found.due_on > noticed
    settle(world, found, Action.PUT_BACK)
    payout.refresh_from_db()
    assert (payout.state, exceptions()) == ("rejected", [])


def test_a_row_of_stripe_that_moves_nothing_leaves_quarantine_with_a_note(world: World):
    row = BalanceTransaction.objects.create(
        stripe_id="txn_none",
        category="climate_order_purchase",
        kind="climate",
        source_id="x",
        currency="EUR",
        amount_minor=0,
        fee_minor=0,
        net_minor=0,
        created_at=world.at,
        raw={},
        imported_at=world.at,
        quarantine="nobody knows it",
    )
    watching.watch(at=world.at)

    propose(world, the("unknown_category"), Action.NOTE_ONLY)
    watching.watch(at=world.at)

    row.refresh_from_db()
    assert (row.posted_at, row.quarantine, exceptions()) == (world.at, "", [])
    assert not JournalEntry.objects.filter(event="stripe:txn_none").exists()
    assert [each.name for each in auditing.audit(at=world.at) if not each.holds] == []


def test_sending_a_refund_again_takes_one_person_and_when_it_fails_again_it_is_listed_again(world: World):
    refund = came_back(world)
    assert Resolution.objects.filter(action=Action.REFUND_AGAIN).get().approved_by is None
    assert (refund.state, refund.attempt, exceptions()) == ("requested", 2, [])

    payouts.hand_over(batch=world.approved().batch, at=world.at)
    refund.refresh_from_db()
    refunding.rejected_by_bank(refund=refund, why="AC04", at=world.at)
    watching.watch(at=world.at)

    again = the("refund_failed")
    assert (again.key, again.detail["attempt"]) == (f"refund_failed:{refund.reference}#2", 2)


def test_a_second_failure_is_listed_even_when_nobody_looked_in_between(world: World):
    refund = came_back(world)
    Discrepancy.objects.filter(kind="refund_failed").update(gone_at=None)
    Refund.objects.filter(pk=refund.pk).update(state="failed")

    watching.watch(at=world.at)

    assert the("refund_failed").key == f"refund_failed:{refund.reference}#2"


def test_a_refund_that_the_bank_never_debits_is_noticed_and_goes_again_when_two_persons_say_so(world: World):
    parcel = world.cash_parcel("1000.00")
    paying.settle_cash(order=parcel.supplier_order.order, at=world.at)
    refund = refunding.request(
        supplier_order=parcel.supplier_order,
        reason="claim",
        lines=None,
        with_delivery=True,
        by=world.maker,
        holder="Salma Idrissi",
        rib="011519000001205000534921",
        at=world.at,
    )
    payouts.hand_over(batch=world.approved().batch, at=world.at)
    watching.watch(at=world.at)
    assert exceptions() == []

    world.wait(days=7)
    world.import_silence()
    watching.watch(at=world.at)
    found = the("refund_not_debited")
    assert (found.subject_reference, found.amount) == (refund.reference, mad(1000))
    resolution = propose(world, found, Action.REFUND_NOT_CARRIED_OUT)
    refund.refresh_from_db()
    assert refund.state == "sent"
    with pytest.raises(SamePerson):
        resolving.approve(resolution=resolution, by=world.maker, at=world.at)
    resolving.approve(resolution=resolution, by=world.checker, at=world.at)

    refund.refresh_from_db()
    assert (refund.state, refund.batch, stands("refund_payable")) == ("failed", None, mad(1000))
    propose(world, the("refund_failed"), Action.REFUND_AGAIN)
    run = world.approved()
    assert [each.reference for each in batches.shown(batch=run.batch).transfers] == [f"{refund.reference}-2"]
    assert exceptions() == []


def test_a_refund_debited_while_the_second_person_read_is_not_given_up(world: World):
    refund = came_back(world)
    payouts.hand_over(batch=world.approved().batch, at=world.at)
    world.wait(days=7)
    world.import_silence()
    watching.watch(at=world.at)
    resolution = propose(world, the("refund_not_debited"), Action.REFUND_NOT_CARRIED_OUT)
    world.import_csv(L("-1000.00", e2e=f"{refund.reference}-2", on=world.at.date()))
    world.match()

    with pytest.raises(refunding.NotOnItsWay):
        resolving.approve(resolution=resolution, by=world.checker, at=world.at)

    refund.refresh_from_db()
    assert (refund.state, bank()) == ("succeeded", mad(-1000))


def test_the_banks_twin_is_claimed_and_its_correction_settles_the_claim(world: World):
    (payout,) = world.sent("600.00")
    sent = {"e2e": payout.reference}
    world.import_csv(L("-534.00", ref="1", **sent), L("-534.00", ref="2", **sent))
    world.match()
    settle(world, the("duplicate"), Action.SET_ASIDE_DUPLICATE)
    assert (bank(), stands("suspense", "bank")) == (mad(-1068), mad(534))

    world.import_csv(L("534.00", "ANNULATION", ref="3", on=date(2026, 11, 30), **sent))
    world.match()
    settle(world, the("unmatched_credit"), Action.SET_ASIDE_DUPLICATE)

    assert (bank(), stands("suspense", "bank")) == (mad(-534), mad(0))
    payout.refresh_from_db()
    assert payout.state == "paid"
    assert world.proof("bank:main:MAD").is_exact


def test_a_match_by_hand_books_what_the_reference_names(world: World):
    (payout,) = world.sent("600.00")
    world.import_csv(L("-534.00", "CHEQUE DE BANQUE"))
    world.match()

    with pytest.raises(UnknownReference):
        propose(world, the("unmatched_debit"), Action.MATCH_BY_HAND, reference="PO-0")
    settle(world, the("unmatched_debit"), Action.MATCH_BY_HAND, reference=payout.reference)

    match = Match.objects.get()
    assert (match.subject, match.rule, match.made_by) == ("payout", "by hand", str(world.checker))
    payout.refresh_from_db()
    assert (payout.state, bank()) == ("paid", mad("-534.00"))


def test_what_the_bank_took_beyond_the_payout_is_its_fee(world: World):
    (payout,) = world.sent("600.00")
    world.import_csv(L("-544.00", e2e=payout.reference))
    world.match()

    resolution = settle(world, the("amount_differs"), Action.MATCH_BY_HAND)

    assert resolution.entry.approval == resolution.reference
    assert (bank(), stands("bank_fee")) == (mad(-544), mad(10))
    assert stands("payout_in_flight", payout.cooperative.code) == mad(0)
    assert exceptions() == []
    assert "each payout by bank that was sent or arrived is posted, for its amount" not in [
        each.name for each in auditing.audit(at=world.at) if not each.holds
    ]
    assert all(each.holds for each in [world.proof("bank:main:MAD"), world.proof("payouts_in_flight:MAD")])


def test_a_payout_debited_short_cannot_be_matched_only_booked(world: World):
    (payout,) = world.sent("600.00")
    world.import_csv(L("-530.00", e2e=payout.reference))
    world.match()
    resolution = propose(world, the("amount_differs"), Action.MATCH_BY_HAND)

    with pytest.raises(AmountsDiffer):
        resolving.approve(resolution=resolution, by=world.checker, at=world.at)

    resolution.refresh_from_db()
    assert (resolution.approved_by, bank()) == (None, mad(0))


def test_a_short_remittance_taken_by_hand_leaves_its_rest_as_an_exception(world: World):
    parcel = world.cash_parcel("1000.00")
    remittance(world, parcel)
    world.import_csv(L("900.00", "BORDEREAU REM-2026-0001"))
    world.match()

    settle(world, the("amount_differs"), Action.MATCH_BY_HAND)

    assert (bank(), stands("cod_receivable", "rihla")) == (mad(900), mad(100))
    assert the("cod_short").amount == mad(100)
    proof = world.proof("cod_receivable:rihla:MAD")
    assert (proof.difference, proof.explained, proof.unexplained) == (mad(100), mad(100), mad(0))

    settle(
        world, the("cod_short"), Action.ADJUST, debit="carrier_cost:MAD", credit="cod_receivable:rihla:MAD"
    )

    assert stands("cod_receivable", "rihla") == mad(0)
    assert world.proof("cod_receivable:rihla:MAD").unexplained == mad(0)


def test_a_deposit_of_a_strange_rate_is_taken_by_hand(world: World):
    world.deposit(eur("89.24"))
    world.import_csv(L("700.00", "STRIPE TRC4N9K2M7Q81X"))
    world.match()

    settle(world, the("currency_differs"), Action.MATCH_BY_HAND)

    assert (bank(), stands("deposit_transit", currency="EUR")) == (mad(700), eur(0))


def test_an_adjustment_moves_the_whole_line_between_the_bank_and_another_account(world: World):
    world.import_csv(L("-500.00", "LOYER"))
    world.match()
    line = the("unmatched_debit")

    for pair in (
        {"debit": "bank:main:MAD", "credit": "rounding:MAD"},  # the wrong way round
        {"debit": "rounding:MAD", "credit": "psp_fee:MAD"},  # not the bank
        {"debit": "rounding:MAD", "credit": "bank:main:MAD", "amount_minor": 40000},
    ):
        with pytest.raises(LineNotBooked):
            propose(world, line, Action.ADJUST, **pair)
    with pytest.raises(UnknownAccount):
        propose(world, line, Action.ADJUST, debit="rent:MAD", credit="bank:main:MAD")
    resolution = settle(
        world, line, Action.ADJUST, debit="carrier_cost:MAD", credit="bank:main:MAD", memo="Rent"
    )

    assert (resolution.entry.kind, resolution.entry.memo) == ("adjustment", "Rent")
    assert (bank(), stands("carrier_cost")) == (mad(-500), mad(500))
    assert world.proof("bank:main:MAD").is_exact


def test_a_match_is_undone_by_two_persons_and_stays_undone(world: World):
    (payout,) = world.sent("600.00")
    world.import_csv(L("-534.00", e2e=payout.reference))
    world.match()
    match = Match.objects.get()

    resolution = resolving.propose_undo(match=match, reason="another's", by=world.maker, at=world.at)
    with pytest.raises(SamePerson):
        resolving.approve(resolution=resolution, by=world.maker, at=world.at)
    assert bank() == mad(-534)
    resolving.approve(resolution=resolution, by=world.checker, at=world.at)

    match.refresh_from_db()
    payout.refresh_from_db()
    assert (match.state, match.undone_by, match.line.state) == ("undone", str(world.checker), "new")
    assert match.reversal.approval == resolution.reference
    assert (payout.state, payout.paid_at) == ("sent", None)
    assert bank() == mad(0)
    assert exceptions() == ["unmatched_debit"]
    assert world.match().matched == 0

    settle(world, the("unmatched_debit"), Action.MATCH_BY_HAND, reference=payout.reference)

    payout.refresh_from_db()
    assert (payout.state, bank()) == ("paid", mad(-534))
    assert stands("payout_in_flight", payout.cooperative.code) == mad(0)
    assert all(world.proof(each).is_exact for each in ("bank:main:MAD", "payouts_in_flight:MAD"))


def test_a_fee_booked_undone_and_booked_again_is_in_the_books_once(world: World):
    settle(world, fee(world), Action.BOOK_BANK_FEE)
    undo = resolving.propose_undo(match=Match.objects.get(), reason="rent", by=world.maker, at=world.at)
    resolving.approve(resolution=undo, by=world.checker, at=world.at)
    assert stands("bank_fee") == mad(0)

    settle(world, the("bank_fee"), Action.BOOK_BANK_FEE)

    assert (bank(), stands("bank_fee")) == (mad(-25), mad(25))
    assert world.proof("bank:main:MAD").is_exact


def test_a_doubt_that_is_refused_leaves_the_match_as_it_is(world: World):
    (payout,) = world.sent("600.00")
    world.import_csv(L("-534.00", e2e=payout.reference))
    world.match()
    resolution = resolving.propose_undo(
        match=Match.objects.get(), reason="strange", by=world.maker, at=world.at
    )

    resolving.refuse(resolution=resolution, by=world.checker, at=world.at)

    assert (Match.objects.get().state, bank(), exceptions()) == ("confirmed", mad(-534), [])


def test_the_match_of_a_returned_payout_cannot_be_undone(world: World):
    (payout,) = world.sent("600.00")
    world.import_csv(L("-534.00", e2e=payout.reference), L("534.00", "RETOUR", e2e=payout.reference))
    world.match()
    resolution = resolving.propose_undo(
        match=Match.objects.get(subject="return"), reason="why not", by=world.maker, at=world.at
    )

    with pytest.raises(CannotBeUndone):
        resolving.approve(resolution=resolution, by=world.checker, at=world.at)

    assert bank() == mad(0)
    assert Match.objects.filter(state="confirmed").count() == 2


def test_two_lines_proposed_for_one_payout_are_not_both_approved(world: World):
    (payout,) = world.sent("600.00")
    world.import_csv(L("-534.00", "UN"), L("-534.00", "DEUX"))
    world.match()
    first, second = (
        propose(world, each, Action.MATCH_BY_HAND, reference=payout.reference)
        for each in Discrepancy.objects.order_by("pk")
    )

    resolving.approve(resolution=first, by=world.checker, at=world.at)
    with pytest.raises(AlreadyMatched):
        resolving.approve(resolution=second, by=world.checker, at=world.at)

    assert bank() == mad(-534)
    assert StatementLine.objects.filter(state="new").count() == 1


def test_a_rejected_payout_that_was_debited_all_the_same_is_not_put_back(world: World):
    (payout,) = world.sent("600.00")
    answer = {
        "message_id": payout.batch.reference,
        "transfers": [{"end_to_end_id": payout.reference, "status": "RJCT", "reason": "AC04"}],
    }
    importing.import_batch_status(batch=payout.batch, answer=answer, at=world.at)
    resolution = propose(world, the("payout_rejected"), Action.PUT_BACK)
    payouts.arrive(payout=payout, line="L-2026-000009", on=date(2026, 11, 24), at=world.at)

    with pytest.raises(CarriedOutMeanwhile):
        resolving.approve(resolution=resolution, by=world.checker, at=world.at)

    payout.refresh_from_db()
    assert (payout.state, bank()) == ("paid", mad(-534))


def test_a_line_settled_meanwhile_is_not_settled_again(world: World):
    discrepancy = fee(world)
    resolution = propose(world, discrepancy, Action.BOOK_BANK_FEE)
    line = StatementLine.objects.get()
    line.ignore()
    line.save()

    with pytest.raises(Changed):
        resolving.approve(resolution=resolution, by=world.checker, at=world.at)

    assert bank() == mad(0)


def test_refunds_that_came_back_are_owed_again(world: World):
    parcel = world.cash_parcel("1000.00")
    paying.settle_cash(order=parcel.supplier_order.order, at=world.at)
    refund = refunding.request(
        supplier_order=parcel.supplier_order,
        reason="claim",
        lines=None,
        with_delivery=True,
        by=world.maker,
        holder="Salma Idrissi",
        rib="011519000001205000534921",
        at=world.at,
    )
    payouts.hand_over(batch=world.approved().batch, at=world.at)
    world.import_csv(L("-1000.00", e2e=refund.reference), L("1000.00", "RETOUR", e2e=refund.reference))
    world.match()
    assert exceptions() == ["unmatched_credit"]

    settle(world, the("unmatched_credit"), Action.ACCEPT_RETURN)

    refund.refresh_from_db()
    assert refund.state == "failed"
    assert (bank(), stands("refund_payable")) == (mad(0), mad(1000))
    watching.watch(at=world.at)
    propose(world, the("refund_failed"), Action.REFUND_AGAIN)
    refund.refresh_from_db()
    assert refund.state == "requested"
    watching.watch(at=world.at)
    assert exceptions() == []


def came_back(world: World):
    """A refund by bank that was debited, sent back, and is to be sent again."""
    parcel = world.cash_parcel("1000.00")
    paying.settle_cash(order=parcel.supplier_order.order, at=world.at)
    refund = refunding.request(
        supplier_order=parcel.supplier_order,
        reason="claim",
        lines=None,
        with_delivery=True,
        by=world.maker,
        holder="Salma Idrissi",
        rib="011519000001205000534921",
        at=world.at,
    )
    payouts.hand_over(batch=world.approved().batch, at=world.at)
    world.import_csv(L("-1000.00", e2e=refund.reference), L("1000.00", "RETOUR", e2e=refund.reference))
    world.match()
    settle(world, the("unmatched_credit"), Action.ACCEPT_RETURN)
    watching.watch(at=world.at)
    propose(world, the("refund_failed"), Action.REFUND_AGAIN)
    refund.refresh_from_db()
    return refund


def test_a_refund_that_came_back_is_suggested_as_a_return_and_paid_a_second_time(world: World):
    refund = came_back(world)
    assert Discrepancy.objects.get(kind="unmatched_credit").suggestion == Action.ACCEPT_RETURN
    world.wait(hours=2)

    run = world.approved()
    payouts.hand_over(batch=run.batch, at=world.at)
    again = f"{refund.reference}-2"
    assert [each.reference for each in batches.shown(batch=run.batch).transfers] == [again]
    world.import_csv(L("-1000.00", f"VIREMENT {again}", e2e=again))
    world.match()

    refund.refresh_from_db()
    assert refund.state == "succeeded"
    assert (bank(), stands("refund_payable")) == (mad(-1000), mad(0))
    assert [each.subject_reference for each in Match.objects.filter(subject="refund").order_by("pk")] == [
        refund.reference,
        again,
    ]
    assert JournalEntry.objects.filter(event=f"refund:{again}:paid-by-bank", about=refund.reference).exists()
    watching.watch(at=world.at)
    assert exceptions() == []
    assert [each.name for each in auditing.audit(at=world.at) if not each.holds] == []


def test_a_debit_of_the_first_try_is_not_taken_for_the_second(world: World):
    refund = came_back(world)
    world.wait(hours=2)
    payouts.hand_over(batch=world.approved().batch, at=world.at)

    world.import_csv(L("-1000.00", e2e=refund.reference, text="VIREMENT ENCORE"))
    world.match()

    refund.refresh_from_db()
    assert refund.state == "sent"
    assert exceptions() == ["duplicate"]
    assert stands("refund_payable") == mad(1000)


def test_money_back_of_another_amount_is_no_return_of_the_refund(world: World):
    refund = came_back(world)
    world.wait(hours=2)
    payouts.hand_over(batch=world.approved().batch, at=world.at)
    again = f"{refund.reference}-2"

    world.import_csv(L("-1000.00", e2e=again), L("990.00", "RETOUR", e2e=again))
    world.match()

    assert the("unmatched_credit").suggestion == Action.ADJUST


def test_a_dispute_is_an_exception_until_two_persons_book_it_and_is_booked_once(world: World):
    entries.record_card_payment(
        order="T-1", bt="txn_1", effective_on=world.at.date(), paid=eur(100), settled=eur(100), fee=eur(0)
    )
    for stripe_id, category, amount, fee in (
        ("txn_1", "charge", 10000, 0),
        ("txn_2", "dispute", -9250, 1500),
    ):
        BalanceTransaction.objects.create(
            stripe_id=stripe_id,
            category=category,
            kind="adjustment",
            source_id="du_1",
            currency="EUR",
            amount_minor=amount,
            fee_minor=fee,
            net_minor=amount - fee,
            created_at=world.at,
            raw={},
            imported_at=world.at,
            posted_at=world.at if category == "charge" else None,
        )
    assert stripe_importing.book_waiting(at=world.at) == 0

    watching.watch(at=world.at)
    assert exceptions() == ["dispute"]
    dispute = the("dispute")
    assert (dispute.subject_reference, dispute.amount, dispute.account) == (
        "txn_2",
        eur("-107.50"),
        "stripe_balance:EUR",
    )
    assert actions_for(dispute) == (Action.ADJUST,)
    assert world.proof("stripe_balance:EUR").holds

    for debit, credit in (
        ("stripe_balance:EUR", "dispute_receivable:EUR"),
        ("dispute_receivable:EUR", "psp_fee:EUR"),
    ):
        with pytest.raises(RowNotBooked):
            propose(world, dispute, Action.ADJUST, debit=debit, credit=credit)
    settle(world, dispute, Action.ADJUST, debit="dispute_receivable:EUR", credit="stripe_balance:EUR")

    watching.watch(at=world.at)
    assert exceptions() == ["negative_balance"]
    assert stands("dispute_receivable", currency="EUR") == eur("107.50")
    assert world.proof("stripe_balance:EUR").is_exact
    assert not world.proof("stripe_balance:EUR").items
    assert stripe_importing.book_waiting(at=world.at) == 0
    said = "each balance transaction said to be posted is posted, and no other"
    assert next(each for each in auditing.audit(at=world.at) if each.name == said).holds


def test_agreeing_and_what_follows_from_it_stand_or_fall_together(world: World, monkeypatch):
    resolution = propose(world, fee(world), Action.BOOK_BANK_FEE)
    monkeypatch.setattr(watching, "watch", refuses)

    with pytest.raises(NotForThis):
        resolving.approve(resolution=resolution, by=world.checker, at=world.at)

    resolution.refresh_from_db()
    assert (resolution.approved_by, resolution.entry, bank()) == (None, None, mad(0))


def test_trying_a_line_and_what_follows_from_it_stand_or_fall_together(world: World, monkeypatch):
    (payout,) = world.sent("600.00")
    world.import_csv(L("-534.00", e2e=payout.reference))
    monkeypatch.setattr(watching, "watch", refuses)

    with pytest.raises(NotForThis):
        watching.try_line(line=StatementLine.objects.get(), at=world.at)

    assert (StatementLine.objects.get().state, bank()) == ("new", mad(0))


def refuses(*, at):
    raise NotForThis
