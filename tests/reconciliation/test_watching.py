"""What should have happened by now and has not: noticed once, and forgotten when it has."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop.ledger import entries
from shop.payments.models import BalanceTransaction, LatePayment, Payment, Refund, StripeEvent
from shop.reconciliation import proving, resolving, watching
from shop.reconciliation.actions import Action
from shop.reconciliation.models import Discrepancy
from shop.reconciliation.noticing import working_days_after
from tests.factories import ListingFactory, order_of
from tests.reconciliation.test_importing import remittance
from tests.reconciliation.world import L, World, eur, exceptions, mad, the


def watch(world: World) -> list[str]:
    watching.watch(at=world.at)
    return exceptions()


def test_a_payout_the_bank_does_not_debit_is_noticed_once_and_forgotten_when_it_is(world: World):
    (payout,) = world.sent("600.00")
    assert watch(world) == []

    world.wait(days=7)
    world.import_silence()

    assert watch(world) == ["stale_in_flight"]
    assert watch(world) == ["stale_in_flight"]
    assert the("stale_in_flight").subject_reference == payout.reference
    assert the("stale_in_flight").account == f"payout_in_flight:{payout.cooperative.code}:MAD"
    world.import_csv(L("-534.00", e2e=payout.reference, on=world.at.date()))
    world.match()
    assert watch(world) == []
    assert Discrepancy.objects.get().detail["cured"] is True


def test_a_deposit_is_late_once_a_statement_shows_that_it_has_not_arrived(world: World):
    world.deposit(mad("89.24"))
    assert watch(world) == []

    world.wait(days=7)
    assert watch(world) == []  # nobody has read a statement yet: it may well be there
    world.import_silence()
    assert watch(world) == ["deposit_late"]

    world.import_csv(L("89.24", "STRIPE TRC4N9K2M7Q81X", on=world.at.date()))
    watching.catch_up(at=world.at)
    assert exceptions() == []


def test_a_statement_of_the_last_day_of_grace_tells_nothing_before_that_day_is_over(world: World):
    deposit = world.deposit(mad("89.24"))
    world.wait(days=7)
    last_day = working_days_after(deposit.arrives_on, watching.DAYS_FOR_DEPOSIT)
    world.at = datetime.combine(last_day, time(12, 0), tzinfo=UTC)

    world.import_csv(period=(deposit.arrives_on, last_day))
    world.wait(days=1)
    assert watch(world) == []

    world.import_csv(period=(last_day, last_day))
    assert watch(world) == ["deposit_late"]


def test_a_clock_moved_on_opens_nothing_that_the_next_statement_settles(world: World):
    (payout,) = world.sent("600.00")
    world.deposit(mad("89.24"))
    sent_on = world.at.date()

    world.wait(days=8)
    assert watch(world) == []

    world.import_csv(
        L("-534.00", e2e=payout.reference, on=sent_on + timedelta(days=2)),
        L("89.24", "STRIPE TRC4N9K2M7Q81X", on=sent_on + timedelta(days=3)),
        period=(sent_on, world.at.date() - timedelta(days=1)),
    )
    watching.catch_up(at=world.at)
    assert exceptions() == []
    assert not Discrepancy.objects.exists()


def test_a_bank_nobody_asks_for_weeks_is_one_exception_for_all_that_waits(world: World):
    (payout,) = world.sent("600.00")
    deposit = world.deposit(mad("89.24"))

    world.wait(days=16)

    assert watch(world) == ["statement_late"]
    late = the("statement_late")
    assert (late.amount, late.account) == (mad("623.24"), "bank:main:MAD")
    assert late.detail["candidates"] == sorted([payout.reference, deposit.stripe_id])
    world.import_silence()
    assert watch(world) == ["deposit_late", "stale_in_flight"]


def test_a_missing_statement_may_show_what_seems_to_be_missing(world: World):
    world.import_csv(L("10.00", "A", on=world.at.date()))
    world.deposit(mad("89.24"))
    world.wait(days=8)
    yesterday = world.at.date() - timedelta(days=1)

    world.import_csv(L("1.00", "B", on=yesterday), opening=mad("99.24"))

    assert watch(world) == ["statement_gap"]


def test_a_deposit_that_failed_is_noticed(world: World):
    deposit = world.deposit(mad("89.24"))
    deposit.status, deposit.failure = "failed", "account_closed"
    deposit.save()

    assert watch(world) == ["deposit_failed"]
    assert the("deposit_failed").detail["reason"] == "account_closed"


def test_a_carrier_that_sends_nothing_is_one_exception_for_all_its_parcels(world: World):
    parcel = world.cash_parcel("1000.00")
    world.cash_parcel("500.00")
    world.wait(days=11)
    assert watch(world) == []  # the remittance may be on its way

    world.wait(days=8)

    assert watch(world) == ["cod_overdue"]
    assert (the("cod_overdue").subject_reference, the("cod_overdue").amount) == (
        f"rihla/{parcel.reference}",
        mad(1500),
    )


def test_a_parcel_that_a_later_remittance_leaves_out_is_missing(world: World):
    parcel = world.cash_parcel("1000.00")
    world.wait(days=11)
    other = world.cash_parcel("500.00")

    remittance(world, other, on="04/12/2026", cash="500,00")

    assert watch(world) == ["cod_overdue"]
    assert (the("cod_overdue").subject_reference, the("cod_overdue").amount) == (parcel.reference, mad(1000))
    remittance(world, parcel, ref="REM-2026-0002", on="05/12/2026")
    assert watch(world) == []


def test_a_remittance_whose_money_does_not_come_is_noticed(world: World):
    parcel = world.cash_parcel("1000.00")
    remittance(world, parcel)
    world.wait(days=8)
    assert watch(world) == []  # whether it paid, the bank will say

    world.import_silence()

    assert watch(world) == ["cod_overdue"]
    assert the("cod_overdue").subject_reference == "rihla/REM-2026-0001"
    world.import_csv(L("1000.00", "BORDEREAU REM-2026-0001", on=world.at.date()))
    watching.catch_up(at=world.at)
    assert exceptions() == []


def test_events_no_webhook_told_are_one_exception_a_day(world: World):
    for number in range(3):
        StripeEvent.objects.create(
            event_id=f"evt_{number}",
            kind="x",
            payload={},
            by_webhook=number == 2,
            received_at=world.at,
        )

    assert watch(world) == ["webhook_gap"]
    assert the("webhook_gap").detail["events"] == ["evt_0", "evt_1"]


@pytest.fixture
def payment(world: World) -> Payment:
    order = order_of((ListingFactory(), 1), at=world.at)
    return Payment.objects.create(order=order, amount_minor=18000, created_at=world.at)


def refund_of(payment: Payment, world: World, state: str) -> Refund:
    return Refund.objects.create(
        reference="R-1",
        payment=payment,
        state=state,
        reason="late",
        stage="none",
        amount_minor=18000,
        key="re:R-1:1",
        requested_at=world.at,
        due_on=world.at.date() + timedelta(days=15),
    )


def test_money_that_no_order_can_take_is_listed_until_it_is_back(world: World, payment: Payment):
    late = LatePayment.objects.create(
        payment=payment,
        stripe_payment_intent_id="pi_1",
        stripe_charge_id="ch_1",
        currency="MAD",
        amount_minor=18000,
        noticed_at=world.at,
    )
    assert watch(world) == ["payment_without_order"]
    assert the("payment_without_order").detail["order"] == payment.order.number

    late.refund = refund_of(payment, world, "sent")
    late.save()
    assert watch(world) == ["payment_without_order"]
    Refund.objects.update(state="succeeded")
    assert watch(world) == []


def test_a_failed_refund_is_listed_and_when_it_fails_again_listed_again(world: World, payment: Payment):
    refund_of(payment, world, "failed")
    assert watch(world) == ["refund_failed"]
    Refund.objects.update(state="succeeded")
    assert watch(world) == []

    Refund.objects.update(state="failed")

    assert watch(world) == ["refund_failed"]
    assert sorted(Discrepancy.objects.values_list("key", flat=True)) == [
        "refund_failed:R-1",
        "refund_failed:R-1#2",
    ]


def test_a_row_of_stripe_in_quarantine_and_a_balance_below_zero_are_noticed(world: World):
    row = BalanceTransaction.objects.create(
        stripe_id="txn_odd",
        category="climate_order_purchase",
        kind="climate",
        source_id="x",
        currency="EUR",
        amount_minor=-500,
        fee_minor=0,
        net_minor=-500,
        created_at=world.at,
        raw={},
        imported_at=world.at,
        quarantine="nobody knows it",
    )
    assert watch(world) == ["unknown_category"]
    assert world.proof("stripe_balance:EUR").unexplained == eur(0)
    assert world.proof("stripe_balance:EUR").difference == eur(5)

    entries.record_stripe_fee(bt="txn_odd", effective_on=world.at.date(), amount=eur(5))
    row.posted_at = world.at
    row.save()

    assert watch(world) == ["negative_balance"]
    assert the("negative_balance").amount == eur(-5)
    assert world.proof("stripe_balance:EUR").is_exact


def test_what_waits_for_a_second_person_does_not_close_by_itself(world: World):
    (payout,) = world.sent("600.00")
    world.wait(days=7)
    world.import_silence()
    watch(world)
    resolving.propose(
        discrepancy=the("stale_in_flight"),
        action=Action.PUT_BACK,
        reason="the bank says so on the phone",
        by=world.maker,
        at=world.at,
    )
    world.import_csv(L("-534.00", e2e=payout.reference, on=world.at.date()))
    world.match()

    assert watch(world) == ["stale_in_flight"]
    assert the("stale_in_flight").state == "proposed"


def test_a_silent_carrier_that_keeps_more_cash_is_due_again(world: World):
    world.cash_parcel("1000.00")
    world.wait(days=19)
    assert watch(world) == ["cod_overdue"]
    resolving.propose(
        discrepancy=the("cod_overdue"), action=Action.NOTE_ONLY, reason="asked", by=world.maker, at=world.at
    )
    world.cash_parcel("12000.00")
    world.wait(days=19)

    assert watch(world) == ["cod_overdue"]

    found = the("cod_overdue")
    assert (found.amount, len(found.detail["parcels"])) == (mad(13000), 2)


def test_what_two_persons_settled_opens_again_when_more_money_is_missing(world: World):
    parcel = world.cash_parcel("1000.00")
    world.wait(days=19)
    watch(world)
    resolution = resolving.propose(
        discrepancy=the("cod_overdue"),
        action=Action.ADJUST,
        reason="the carrier is insolvent",
        details={"debit": "carrier_cost:MAD", "credit": "cod_receivable:rihla:MAD"},
        by=world.maker,
        at=world.at,
    )
    resolving.approve(resolution=resolution, by=world.checker, at=world.at)
    assert watch(world) == []

    world.cash_parcel("12000.00")
    world.wait(days=19)

    assert watch(world) == ["cod_overdue"]
    assert the("cod_overdue").key == f"cod_overdue:rihla/{parcel.reference}#2"


def test_a_balance_below_zero_is_due_again_after_a_note_and_opens_anew_after_it_recovered(world: World):
    owed = {"effective_on": world.at.date(), "amount": eur(5)}
    entries.record_stripe_fee(bt="txn_1", **owed)
    assert watch(world) == ["negative_balance"]
    resolving.propose(
        discrepancy=the("negative_balance"),
        action=Action.NOTE_ONLY,
        reason="topped up tomorrow",
        by=world.maker,
        at=world.at,
    )
    noted = the("negative_balance").due_on
    world.wait(days=200)
    assert watch(world) == ["negative_balance"]
    assert the("negative_balance").due_on == noted < world.at.date()

    world.deposit(eur(20))
    entries.record_card_payment(
        order="T-1",
        bt="txn_2",
        effective_on=world.at.date(),
        paid=eur(8),
        settled=eur(8),
        fee=eur(0),
    )
    assert watch(world) == []
    entries.record_stripe_fee(bt="txn_3", effective_on=world.at.date(), amount=eur(4))

    assert watch(world) == ["negative_balance"]
    assert the("negative_balance").key == "negative_balance:stripe_balance:EUR#2"


def queries(do) -> int:
    with CaptureQueriesContext(connection) as asked:
        do()
    return len(asked)


def test_watching_many_asks_the_database_as_often_as_watching_few(world: World):
    world.sent("600.00")
    world.cash_parcel("1000.00")
    world.deposit(mad("89.24"))
    world.wait(days=19)
    world.import_silence()
    assert watch(world) == ["cod_overdue", "deposit_late", "stale_in_flight"]
    few = queries(lambda: watching.watch(at=world.at))

    world.sent("600.00", "700.00", "800.00")
    for number in range(3):
        world.deposit(mad("50.00"), stripe_id=f"po_{number}", trace_id=f"TRC{number}")
        world.cash_parcel("500.00")
        world.wait(days=5)
        world.import_silence()
    world.wait(days=19)
    world.import_silence()
    assert len(watch(world)) == 9

    assert queries(lambda: watching.watch(at=world.at)) == few


def test_the_proof_of_a_carrier_asks_as_often_for_many_parcels_as_for_one(world: World):
    def handed_over(number: int) -> None:
        parcel = world.cash_parcel("1000.00")
        remittance(world, parcel, ref=f"REM-2026-000{number}")
        world.import_csv(L("1000.00", f"BORDEREAU REM-2026-000{number}", on=world.at.date()))
        world.match()

    def asked() -> tuple[int, int]:
        account = "cod_receivable:rihla:MAD"
        return queries(lambda: proving.prove(account=account)), queries(
            lambda: proving.drill(account=account)
        )

    handed_over(1)
    one = asked()
    for number in (2, 3, 4):
        handed_over(number)

    assert asked() == one
    assert len(proving.drill(account="cod_receivable:rihla:MAD")) == 4 + 4  # parcels and remittances
    assert world.proof("cod_receivable:rihla:MAD").statement == mad(0)
