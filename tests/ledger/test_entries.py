"""Every entry of docs/bookkeeping.md, to the centime, in MAD and in EUR."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shop.ledger import accounts, entries, journal
from shop.ledger.errors import DifferentEntry
from shop.ledger.journal import Move
from shop.ledger.models import JournalEntry, Posting
from tests.ledger.example import (
    A_PART,
    B_PART,
    DAY,
    ORDER,
    confirmed_a,
    confirmed_b,
    eur,
    mad,
    paid_in_eur,
    paid_in_mad,
    postings,
    refunded_a,
    released_a,
    released_b,
    shown,
)

pytestmark = pytest.mark.django_db


# The worked example


def test_a_payment_in_dirhams_stands_on_the_stripe_balance_less_the_fee():
    entry = paid_in_mad()

    assert entry.event == "stripe:txn_charge"
    assert postings(entry) == [
        "stripe_balance:MAD / customer_funds:MAD 1000.00",
        "psp_fee:MAD / stripe_balance:MAD 32.50",
    ]
    assert {each.ext_ref for each in entry.postings.all()} == {"txn_charge"}


def test_a_payment_that_settles_in_euros_passes_through_the_exchange_position():
    entry = paid_in_eur()

    assert postings(entry) == [
        "fx_position:MAD / customer_funds:MAD 1000.00",
        "stripe_balance:EUR / fx_position:EUR 92.50",
        "psp_fee:EUR / stripe_balance:EUR 3.26",
    ]
    assert journal.balance(accounts.stripe_balance("EUR")) == eur("89.24")
    assert journal.balance(accounts.fx_position("MAD")) == mad("1000.00")
    assert journal.balance(accounts.fx_position("EUR")) == eur("-92.50")


def test_a_fee_that_stripe_gives_back_goes_the_other_way():
    entry = entries.record_refund_paid(
        refund="R-1",
        order=ORDER,
        bt="txn_2",
        effective_on=DAY,
        amount=mad("100.00"),
        settled=mad("100.00"),
        fee=mad("-2.50"),
    )

    assert postings(entry) == [
        "refund_payable:MAD / stripe_balance:MAD 100.00",
        "stripe_balance:MAD / psp_fee:MAD 2.50",
    ]


def test_a_confirmed_part_is_split_as_it_was_frozen():
    entry = confirmed_a()

    assert entry.event == f"supplier-order:{A_PART}:confirmed"
    assert (entry.order, entry.supplier_order) == (ORDER, A_PART)
    assert postings(entry) == [
        "customer_funds:MAD / producer_held:A:MAD 600.00",
        "producer_held:A:MAD / commission_held:MAD 60.00",
        "producer_held:A:MAD / solidarity_fund:MAD 6.00",
        "customer_funds:MAD / shipping_income:MAD 30.00",
        "customer_funds:MAD / vat_output:MAD 6.00",
    ]


def test_after_confirmation_the_whole_payment_is_assigned_and_nothing_is_earned_but_delivery():
    paid_in_mad()
    confirmed_a()
    confirmed_b()

    assert shown() == {
        "stripe_balance:MAD": "967.50",
        "psp_fee:MAD": "32.50",
        "producer_held:A:MAD": "534.00",
        "producer_held:B:MAD": "302.60",
        "commission_held:MAD": "94.00",
        "solidarity_fund:MAD": "9.40",
        "shipping_income:MAD": "50.00",
        "vat_output:MAD": "10.00",
    }


def test_release_makes_the_share_due_and_earns_the_commission():
    confirmed_a()

    entry = released_a()

    assert entry.event == f"supplier-order:{A_PART}:released"
    assert postings(entry) == [
        "producer_held:A:MAD / producer_payable:A:MAD 534.00",
        "commission_held:MAD / commission:MAD 50.00",
        "commission_held:MAD / vat_output:MAD 10.00",
    ]
    assert journal.balance(accounts.producer_held("A", "MAD")) == mad("0")
    assert journal.balance(accounts.commission_held("MAD")) == mad("0")


def test_the_example_in_dirhams_ends_to_the_centime():
    for happens in (paid_in_mad, confirmed_a, confirmed_b, released_a, released_b):
        happens()
    entries.record_transfer(
        payout="P-1",
        cooperative="A",
        bt="txn_transfer",
        effective_on=DAY,
        amount=mad("534.00"),
        settled=mad("534.00"),
    )
    entries.record_deposit(deposit="po_1", bt="txn_deposit", effective_on=DAY, amount=mad("433.50"))
    entries.record_deposit_arrived(
        deposit="po_1", line="S1:1", effective_on=DAY, amount=mad("433.50"), received=mad("433.50")
    )
    entries.record_batch_sent(payout="P-2", cooperative="B", effective_on=DAY, amount=mad("302.60"))
    entries.record_payout_debited(
        payout="P-2", cooperative="B", line="S1:2", effective_on=DAY, amount=mad("302.60")
    )

    assert shown() == {
        "bank:main:MAD": "130.90",
        "psp_fee:MAD": "32.50",
        "commission:MAD": "78.33",
        "shipping_income:MAD": "50.00",
        "vat_output:MAD": "25.67",
        "solidarity_fund:MAD": "9.40",
    }
    assert journal.sums_by_currency() == {"MAD": 0}


def test_the_example_settled_in_euros_ends_to_the_centime():
    for happens in (paid_in_eur, confirmed_a, confirmed_b, released_a, released_b):
        happens()
    transfer = entries.record_transfer(
        payout="P-1",
        cooperative="A",
        bt="txn_transfer",
        effective_on=DAY,
        amount=mad("534.00"),
        settled=eur("49.40"),
    )
    entries.record_deposit(deposit="po_1", bt="txn_deposit", effective_on=DAY, amount=eur("39.84"))
    arrival = entries.record_deposit_arrived(
        deposit="po_1", line="S1:1", effective_on=DAY, amount=eur("39.84"), received=mad("430.27")
    )
    entries.record_batch_sent(payout="P-2", cooperative="B", effective_on=DAY, amount=mad("302.60"))
    entries.record_payout_debited(
        payout="P-2", cooperative="B", line="S1:2", effective_on=DAY, amount=mad("302.60")
    )

    assert postings(transfer) == [
        "fx_position:EUR / stripe_balance:EUR 49.40",
        "producer_payable:A:MAD / fx_position:MAD 534.00",
    ]
    assert postings(arrival) == [
        "fx_position:EUR / deposit_transit:EUR 39.84",
        "bank:main:MAD / fx_position:MAD 430.27",
    ]
    assert shown() == {
        "bank:main:MAD": "127.67",
        "psp_fee:EUR": "3.26",
        "fx_position:EUR": "-3.26",
        "fx_position:MAD": "35.73",
        "commission:MAD": "78.33",
        "shipping_income:MAD": "50.00",
        "vat_output:MAD": "25.67",
        "solidarity_fund:MAD": "9.40",
    }
    assert journal.sums_by_currency() == {"EUR": 0, "MAD": 0}


def test_nothing_is_posted_for_nothing():
    entry = entries.record_confirmation(
        supplier_order=B_PART,
        order=ORDER,
        cooperative="B",
        effective_on=DAY,
        goods=mad("340.00"),
        commission=mad("0"),
        solidarity=mad("0"),
        delivery_net=mad("0"),
        delivery_vat=mad("0"),
    )

    assert postings(entry) == ["customer_funds:MAD / producer_held:B:MAD 340.00"]


def test_a_part_that_was_refunded_whole_is_released_without_postings_and_only_once():
    nothing = mad("0")

    first, again = (
        entries.record_release(
            supplier_order=A_PART,
            order=ORDER,
            cooperative="A",
            effective_on=DAY,
            share=nothing,
            commission_net=nothing,
            commission_vat=nothing,
        )
        for _ in range(2)
    )

    assert first == again
    assert postings(first) == []


# Money that came too late


@pytest.mark.parametrize("imported", ["before", "after", "never"])
def test_money_after_expiry_is_owed_again_whenever_stripes_row_is_imported(imported: str):
    if imported == "before":
        paid_in_eur()

    entry = entries.record_late_payment(
        order=ORDER,
        bt="txn_charge",
        effective_on=DAY,
        paid=mad("1000.00"),
        settled=eur("92.50"),
        fee=eur("3.26"),
    )

    if imported == "after":
        paid_in_eur()
    assert entry.event == "late-payment:txn_charge"
    assert shown() == {
        "stripe_balance:EUR": "89.24",
        "psp_fee:EUR": "3.26",
        "fx_position:EUR": "-92.50",
        "fx_position:MAD": "1000.00",
        "refund_payable:MAD": "1000.00",
    }


# Cash


def collect_cash() -> None:
    for part, amount in ((A_PART, "636.00"), (B_PART, "364.00")):
        entries.record_cash_collected(
            supplier_order=part, order=ORDER, carrier="amana", effective_on=DAY, amount=mad(amount)
        )


def remit(received: str, fee_net: str = "25.00", fee_vat: str = "5.00") -> JournalEntry:
    return entries.record_carrier_remittance(
        remittance="REM-1",
        carrier="amana",
        effective_on=DAY,
        collected=mad("1000.00"),
        fee_net=mad(fee_net),
        fee_vat=mad(fee_vat),
        received=mad(received),
        line="S1:3",
    )


def test_cash_is_owed_by_the_carrier_until_it_hands_it_over_less_its_fee():
    collect_cash()
    for happens in (confirmed_a, confirmed_b):
        happens()

    entry = remit("970.00")

    assert postings(entry) == [
        "bank:main:MAD / cod_receivable:amana:MAD 970.00",
        "carrier_fee:MAD / cod_receivable:amana:MAD 25.00",
        "vat_input:MAD / cod_receivable:amana:MAD 5.00",
    ]
    assert shown() == {
        "bank:main:MAD": "970.00",
        "carrier_fee:MAD": "25.00",
        "vat_input:MAD": "5.00",
        "producer_held:A:MAD": "534.00",
        "producer_held:B:MAD": "302.60",
        "commission_held:MAD": "94.00",
        "solidarity_fund:MAD": "9.40",
        "shipping_income:MAD": "50.00",
        "vat_output:MAD": "10.00",
    }


def test_a_short_remittance_leaves_the_rest_open():
    collect_cash()

    remit("920.00")

    assert journal.balance(accounts.cod_receivable("amana", "MAD")) == mad("50.00")


def test_what_a_carrier_pays_too_much_waits_for_an_explanation():
    collect_cash()

    remit("975.00")

    assert journal.balance(accounts.cod_receivable("amana", "MAD")) == mad("0")
    assert journal.balance(accounts.bank("MAD")) == mad("975.00")
    assert journal.balance(accounts.suspense("amana", "MAD")) == mad("-5.00")


def test_a_fee_above_what_was_collected_is_not_a_remittance():
    with pytest.raises(ValueError, match="REM-1"):
        remit("10.00", fee_net="1200.00")

    assert not JournalEntry.objects.exists()


def test_a_parcel_refused_at_the_door_posts_only_its_cost():
    entry = entries.record_carrier_cost(
        supplier_order=A_PART,
        order=ORDER,
        carrier="amana",
        effective_on=DAY,
        net=mad("37.50"),
        vat=mad("7.50"),
    )

    assert postings(entry) == [
        "carrier_cost:MAD / carrier_payable:amana:MAD 37.50",
        "vat_input:MAD / carrier_payable:amana:MAD 7.50",
    ]


def test_a_delivery_that_the_cooperative_bears_leaves_its_part():
    entry = entries.record_delivery_charged(
        supplier_order=A_PART,
        order=ORDER,
        cooperative="A",
        effective_on=DAY,
        stage="payable",
        net=mad("30.00"),
        vat=mad("6.00"),
    )

    assert postings(entry) == [
        "producer_payable:A:MAD / shipping_income:MAD 30.00",
        "producer_payable:A:MAD / vat_output:MAD 6.00",
    ]


# Refunds


def test_a_refund_before_release_takes_the_commission_that_was_not_earned_yet():
    for happens in (paid_in_mad, confirmed_a):
        happens()

    entry = refunded_a("held")

    assert postings(entry) == [
        "producer_held:A:MAD / refund_payable:MAD 100.00",
        "commission_held:MAD / producer_held:A:MAD 8.33",
        "commission_held:MAD / producer_held:A:MAD 1.67",
        "solidarity_fund:MAD / producer_held:A:MAD 1.00",
    ]
    assert journal.balance(accounts.producer_held("A", "MAD")) == mad("445.00")
    assert journal.balance(accounts.commission_held("MAD")) == mad("50.00")
    assert journal.balance(accounts.solidarity_fund("MAD")) == mad("5.00")


def test_what_is_left_after_a_refund_is_released_and_nothing_stays_held():
    confirmed_a()
    refunded_a("held")

    entries.record_release(
        supplier_order=A_PART,
        order=ORDER,
        cooperative="A",
        effective_on=DAY,
        share=mad("445.00"),
        commission_net=mad("41.67"),
        commission_vat=mad("8.33"),
    )

    assert shown(prefix="producer_") == {"producer_payable:A:MAD": "445.00"}
    assert shown(prefix="commission") == {"commission:MAD": "41.67"}


def test_a_refund_after_release_gives_back_commission_and_its_vat():
    for happens in (confirmed_a, released_a):
        happens()

    entry = refunded_a("payable")

    assert postings(entry) == [
        "producer_payable:A:MAD / refund_payable:MAD 100.00",
        "commission:MAD / producer_payable:A:MAD 8.33",
        "vat_output:MAD / producer_payable:A:MAD 1.67",
        "solidarity_fund:MAD / producer_payable:A:MAD 1.00",
    ]
    assert journal.balance(accounts.producer_payable("A", "MAD")) == mad("445.00")
    assert journal.balance(accounts.commission("MAD")) == mad("41.67")
    assert journal.balance(accounts.vat_output("MAD")) == mad("14.33")


def test_after_payout_the_cooperative_owes_and_its_next_payout_nets_it():
    for happens in (confirmed_a, released_a):
        happens()
    entries.record_batch_sent(payout="P-1", cooperative="A", effective_on=DAY, amount=mad("534.00"))

    refunded_a("paid")

    assert shown(owner="A") == {
        "payout_in_flight:A:MAD": "534.00",
        "producer_receivable:A:MAD": "89.00",
    }

    entries.record_netting(payout="P-2", cooperative="A", effective_on=DAY, amount=mad("89.00"))

    assert shown(owner="A") == {
        "payout_in_flight:A:MAD": "534.00",
        "producer_payable:A:MAD": "-89.00",
    }


def test_a_part_that_comes_to_nothing_gives_back_its_delivery_too():
    for happens in (paid_in_mad, confirmed_a, confirmed_b):
        happens()

    entries.record_refund(
        refund="R-2",
        order=ORDER,
        supplier_order=B_PART,
        cooperative="B",
        effective_on=DAY,
        stage="held",
        goods=mad("340.00"),
        commission_net=mad("28.33"),
        commission_vat=mad("5.67"),
        solidarity=mad("3.40"),
        delivery_net=mad("20.00"),
        delivery_vat=mad("4.00"),
    )

    assert shown() == {
        "stripe_balance:MAD": "967.50",
        "psp_fee:MAD": "32.50",
        "refund_payable:MAD": "364.00",
        "producer_held:A:MAD": "534.00",
        "commission_held:MAD": "60.00",
        "solidarity_fund:MAD": "6.00",
        "shipping_income:MAD": "30.00",
        "vat_output:MAD": "6.00",
    }


def test_a_refund_that_the_card_did_not_take_is_owed_again():
    refunded_a("held")

    paid = entries.record_refund_paid(
        refund="R-1",
        order=ORDER,
        bt="txn_refund",
        effective_on=DAY,
        amount=mad("100.00"),
        settled=eur("9.25"),
        fee=eur("0"),
    )

    assert postings(paid) == [
        "fx_position:EUR / stripe_balance:EUR 9.25",
        "refund_payable:MAD / fx_position:MAD 100.00",
    ]
    assert journal.balance(accounts.refund_payable("MAD")) == mad("0")

    failed = entries.record_refund_failed(
        refund="R-1",
        order=ORDER,
        bt="txn_failure",
        effective_on=DAY,
        amount=mad("100.00"),
        settled=eur("9.25"),
    )

    assert postings(failed) == [
        "fx_position:MAD / refund_payable:MAD 100.00",
        "stripe_balance:EUR / fx_position:EUR 9.25",
    ]
    assert journal.balance(accounts.refund_payable("MAD")) == mad("100.00")
    assert journal.balance(accounts.stripe_balance("EUR")) == eur("0")
    assert journal.balance(accounts.fx_position("MAD")) == mad("0")


def test_a_refund_of_cash_is_paid_by_the_bank():
    entry = entries.record_refund_paid_by_bank(
        refund="R-1", order=ORDER, line="S1:4", effective_on=DAY, amount=mad("100.00")
    )

    assert entry.event == "refund:R-1:paid-by-bank"
    assert postings(entry) == ["refund_payable:MAD / bank:main:MAD 100.00"]


# Payouts


@pytest.mark.parametrize(
    ("stage", "account"), [("payable", accounts.producer_payable), ("paid", accounts.producer_receivable)]
)
def test_a_transfer_that_comes_back_is_due_again_or_recovers_a_debt(stage, account):
    entry = entries.record_transfer_reversed(
        payout="P-1",
        cooperative="A",
        bt="txn_reversal",
        effective_on=DAY,
        amount=mad("89.00"),
        settled=eur("8.23"),
        stage=stage,
    )

    assert postings(entry) == [
        f"fx_position:MAD / {account('A', 'MAD').code} 89.00",
        "stripe_balance:EUR / fx_position:EUR 8.23",
    ]


def test_a_payout_that_the_bank_rejects_is_due_again():
    confirmed_a()
    released_a()
    entries.record_batch_sent(payout="P-1", cooperative="A", effective_on=DAY, amount=mad("534.00"))

    assert shown(prefix="p") == {"payout_in_flight:A:MAD": "534.00"}

    entries.record_payout_rejected(payout="P-1", cooperative="A", effective_on=DAY, amount=mad("534.00"))

    assert shown(prefix="p") == {"producer_payable:A:MAD": "534.00"}


def test_a_payout_that_comes_back_after_the_debit_is_due_again():
    confirmed_a()
    released_a()
    entries.record_batch_sent(payout="P-1", cooperative="A", effective_on=DAY, amount=mad("534.00"))
    entries.record_payout_debited(
        payout="P-1", cooperative="A", line="S1:5", effective_on=DAY, amount=mad("534.00")
    )

    assert journal.balance(accounts.bank("MAD")) == mad("-534.00")

    entry = entries.record_payout_returned(
        payout="P-1", cooperative="A", line="S1:6", effective_on=DAY, amount=mad("534.00")
    )

    assert postings(entry) == [
        "bank:main:MAD / payout_in_flight:A:MAD 534.00",
        "payout_in_flight:A:MAD / producer_payable:A:MAD 534.00",
    ]
    assert shown(prefix="p") == {"producer_payable:A:MAD": "534.00"}
    assert journal.balance(accounts.bank("MAD")) == mad("0")


def test_a_twin_line_does_not_pass_for_the_payout_it_resembles():
    def debited(line: str) -> JournalEntry:
        return entries.record_payout_debited(
            payout="P-1", cooperative="A", line=line, effective_on=DAY, amount=mad("534.00")
        )

    debited("S1:5")

    with pytest.raises(DifferentEntry):
        debited("S1:6")

    assert Posting.objects.count() == 1


# Deposits, fees, adjustments


def test_a_deposit_that_the_bank_did_not_take_is_on_the_stripe_balance_again():
    entries.record_deposit(deposit="po_1", bt="txn_1", effective_on=DAY, amount=eur("39.84"))

    assert journal.balance(accounts.deposit_transit("EUR")) == eur("39.84")

    entries.record_deposit_failed(deposit="po_1", bt="txn_2", effective_on=DAY, amount=eur("39.84"))

    assert shown() == {}


def test_what_is_missing_of_a_deposit_stays_in_transit():
    entries.record_deposit(deposit="po_1", bt="txn_1", effective_on=DAY, amount=mad("433.50"))

    entries.record_deposit_arrived(
        deposit="po_1", line="S1:1", effective_on=DAY, amount=mad("433.50"), received=mad("413.50")
    )

    assert journal.balance(accounts.deposit_transit("MAD")) == mad("20.00")


def test_fees_of_stripe_and_of_the_bank_are_costs():
    stripe = entries.record_stripe_fee(bt="txn_9", effective_on=DAY, amount=eur("2.00"), vat=eur("0.40"))
    bank = entries.record_bank_fee(line="S1:9", effective_on=DAY, amount=mad("11.00"))

    assert postings(stripe) == [
        "psp_fee:EUR / stripe_balance:EUR 2.00",
        "vat_input:EUR / stripe_balance:EUR 0.40",
    ]
    assert (bank.event, postings(bank)) == ("bank:S1:9:fee", ["bank_fee:MAD / bank:main:MAD 11.00"])


def test_an_adjustment_carries_what_two_persons_agreed():
    entry = entries.record_adjustment(
        approval="RES-4",
        effective_on=DAY,
        memo="The carrier's shortfall is waived",
        moves=[
            Move(
                debit=accounts.carrier_fee("MAD"),
                credit=accounts.cod_receivable("amana", "MAD"),
                amount=mad("50.00"),
            )
        ],
        actor="finance-2",
    )

    assert (entry.event, entry.approval, entry.actor) == ("adjustment:RES-4", "RES-4", "finance-2")
    assert postings(entry) == ["carrier_fee:MAD / cod_receivable:amana:MAD 50.00"]


def test_an_adjustment_that_nobody_approved_is_refused_by_the_database():
    with pytest.raises(IntegrityError), transaction.atomic():
        entries.record_adjustment(approval="", effective_on=DAY, memo="", moves=[], actor="finance-1")

    assert not JournalEntry.objects.exists()


# Any order, any number of times


def everything_that_can_happen() -> list[Callable[[], JournalEntry]]:
    return [
        paid_in_eur,
        confirmed_a,
        confirmed_b,
        released_a,
        released_b,
        lambda: refunded_a("paid"),
        lambda: entries.record_late_payment(
            order="T-2",
            bt="txn_late",
            effective_on=DAY,
            paid=mad("80.00"),
            settled=eur("7.40"),
            fee=eur("0.50"),
        ),
        lambda: entries.record_card_payment(
            order="T-2",
            bt="txn_late",
            effective_on=DAY,
            paid=mad("80.00"),
            settled=eur("7.40"),
            fee=eur("0.50"),
        ),
        lambda: entries.record_cash_collected(
            supplier_order="T-3-1", order="T-3", carrier="amana", effective_on=DAY, amount=mad("1000.00")
        ),
        lambda: remit("970.00"),
        lambda: entries.record_refund_paid(
            refund="R-1",
            order=ORDER,
            bt="txn_refund",
            effective_on=DAY,
            amount=mad("100.00"),
            settled=eur("9.25"),
            fee=eur("0.10"),
        ),
        lambda: entries.record_refund_failed(
            refund="R-1",
            order=ORDER,
            bt="txn_failure",
            effective_on=DAY,
            amount=mad("100.00"),
            settled=eur("9.25"),
        ),
        lambda: entries.record_transfer(
            payout="P-1",
            cooperative="A",
            bt="txn_transfer",
            effective_on=DAY,
            amount=mad("534.00"),
            settled=eur("49.40"),
        ),
        lambda: entries.record_batch_sent(
            payout="P-2", cooperative="B", effective_on=DAY, amount=mad("302.60")
        ),
        lambda: entries.record_payout_debited(
            payout="P-2", cooperative="B", line="S1:2", effective_on=DAY, amount=mad("302.60")
        ),
        lambda: entries.record_payout_returned(
            payout="P-2", cooperative="B", line="S1:3", effective_on=DAY, amount=mad("302.60")
        ),
        lambda: entries.record_netting(payout="P-3", cooperative="A", effective_on=DAY, amount=mad("89.00")),
        lambda: entries.record_deposit(
            deposit="po_1", bt="txn_deposit", effective_on=DAY, amount=eur("39.84")
        ),
        lambda: entries.record_deposit_arrived(
            deposit="po_1", line="S1:1", effective_on=DAY, amount=eur("39.84"), received=mad("430.27")
        ),
        lambda: entries.record_stripe_fee(bt="txn_fee", effective_on=DAY, amount=eur("2.00")),
        lambda: entries.record_bank_fee(line="S1:9", effective_on=DAY, amount=mad("11.00")),
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_events_in_any_order_and_repeated_leave_the_same_balances(data):
    events = everything_that_can_happen()
    chosen = data.draw(st.sets(st.integers(0, len(events) - 1), min_size=1, max_size=10), label="chosen")
    repeats = data.draw(st.lists(st.sampled_from(sorted(chosen)), max_size=8), label="repeats")
    shuffled = data.draw(st.permutations([*chosen, *repeats]), label="order")

    def balances_after(order: list[int]) -> dict[str, str]:
        with transaction.atomic():
            for each in order:
                events[each]()
            found = shown()
            sums = journal.sums_by_currency()
            transaction.set_rollback(True)
        assert set(sums.values()) <= {0}
        return found

    assert balances_after(shuffled) == balances_after(sorted(chosen))
