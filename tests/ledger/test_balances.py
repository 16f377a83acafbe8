"""What stands on the accounts: sides, days, whose, and the cache that must never be noticed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shop.ledger import accounts, balances, journal
from shop.ledger.accounts import AccountName
from shop.ledger.chart import CHART, Nature
from shop.ledger.journal import Move
from shop.ledger.models import Account, BalanceSnapshot
from tests.ledger.example import (
    A_PART,
    DAY,
    ORDER,
    confirmed_a,
    confirmed_b,
    mad,
    paid_in_eur,
    paid_in_mad,
    released_a,
    shown,
)

pytestmark = pytest.mark.django_db

BANK, FEES, FUNDS = accounts.bank("MAD"), accounts.bank_fee("MAD"), accounts.customer_funds("MAD")
NEXT_DAY = DAY + timedelta(days=1)


def pay_in(event: str, amount: str, on: date) -> None:
    journal.post(
        event=event,
        kind="card_payment",
        effective_on=on,
        memo="",
        moves=[Move(debit=BANK, credit=FUNDS, amount=mad(amount))],
    )


@pytest.mark.parametrize("kind", CHART)
def test_what_we_have_or_spent_grows_by_debits_and_what_we_owe_or_earned_by_credits(kind: str):
    account = AccountName(kind, "X" if CHART[kind].has_owner else "", "MAD")
    other = accounts.suspense("the other side", "MAD")
    owed = CHART[kind].nature in (Nature.LIABILITY, Nature.INCOME)
    sides = (other, account) if owed else (account, other)

    journal.post(
        event="e",
        kind="adjustment",
        effective_on=DAY,
        memo="",
        approval="RES-1",
        moves=[Move(debit=sides[0], credit=sides[1], amount=mad("7.00"))],
    )

    assert journal.balance(account) == mad("7.00")
    assert journal.balance(Account.objects.get(code=account.code)) == mad("7.00")
    assert Account.objects.get(code=account.code).normal_side == ("credit" if owed else "debit")


def test_a_balance_can_be_asked_for_any_day():
    pay_in("one", "10.00", DAY)
    pay_in("two", "5.00", NEXT_DAY)

    assert journal.balance(BANK, on=DAY - timedelta(days=1)) == mad("0")
    assert journal.balance(BANK, on=DAY) == mad("10.00")
    assert journal.balance(BANK, on=NEXT_DAY) == mad("15.00")
    assert journal.balance(BANK) == mad("15.00")


def test_balances_by_kind_by_cooperative_and_by_order():
    for happens in (paid_in_mad, confirmed_a, confirmed_b, released_a):
        happens()
    pay_in("another order's", "3.00", DAY)

    assert shown(prefix="producer_held:") == {"producer_held:B:MAD": "302.60"}
    assert shown(owner="A") == {"producer_payable:A:MAD": "534.00"}
    assert shown(supplier_order=A_PART) == {
        "commission:MAD": "50.00",
        "customer_funds:MAD": "-636.00",
        "producer_payable:A:MAD": "534.00",
        "shipping_income:MAD": "30.00",
        "solidarity_fund:MAD": "6.00",
        "vat_output:MAD": "16.00",
    }
    assert "bank:main:MAD" not in shown(order=ORDER)
    assert journal.balances(order=ORDER)["customer_funds:MAD"] == mad("0.00")


def test_an_underscore_in_a_prefix_is_only_an_underscore():
    pay_in("one", "10.00", DAY)

    assert shown(prefix="bank_") == {}
    assert shown(prefix="bank") == {"bank:main:MAD": "10.00"}


def test_many_balances_cost_as_many_queries_as_one(django_assert_num_queries):
    for happens in (paid_in_mad, confirmed_a, confirmed_b, released_a):
        happens()

    with django_assert_num_queries(2):
        assert len(journal.balances()) == 11
    with django_assert_num_queries(1):
        journal.balances(order=ORDER)


def test_the_sum_of_each_currency_is_nothing():
    for happens in (paid_in_eur, confirmed_a, confirmed_b, released_a):
        happens()

    assert journal.sums_by_currency() == {"EUR": 0, "MAD": 0}


def test_an_account_of_the_chart_that_should_have_an_owner_has_one():
    with pytest.raises(ValueError, match="producer_held"):
        accounts.producer_held("", "MAD")
    with pytest.raises(ValueError, match="blur"):
        accounts.producer_held("A:EUR", "MAD")


# Snapshots


def test_a_snapshot_replaces_reading_what_it_holds():
    pay_in("one", "10.00", DAY)

    assert balances.take_snapshot(on=DAY) == 2

    found = BalanceSnapshot.objects.values_list("account__code", "debits_minor", "credits_minor")
    assert set(found) == {("bank:main:MAD", 1000, 0), ("customer_funds:MAD", 0, 1000)}


def test_the_balance_of_a_day_that_was_snapped_really_comes_from_the_snapshot():
    pay_in("one", "10.00", DAY)
    balances.take_snapshot(on=DAY)

    BalanceSnapshot.objects.filter(account__code=BANK.code).update(debits_minor=4242)

    assert journal.balance(BANK, on=DAY) == mad("42.42")
    assert journal.balance(BANK, on=DAY - timedelta(days=1)) == mad("0")


def test_an_entry_written_late_for_a_day_before_the_snapshot_is_counted():
    pay_in("one", "10.00", DAY)
    balances.take_snapshot(on=DAY)

    pay_in("told late", "5.00", DAY - timedelta(days=3))

    assert journal.balance(BANK, on=DAY - timedelta(days=3)) == mad("5.00")
    assert journal.balance(BANK, on=DAY) == mad("15.00")
    assert journal.balance(BANK) == mad("15.00")


def test_a_snapshot_taken_again_replaces_the_first():
    pay_in("one", "10.00", DAY)
    balances.take_snapshot(on=DAY)
    pay_in("told late", "5.00", DAY)

    balances.take_snapshot(on=DAY)

    assert BalanceSnapshot.objects.get(account__code=BANK.code).debits_minor == 1500
    assert journal.balance(BANK) == mad("15.00")


DAYS = [DAY + timedelta(days=each) for each in range(5)]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["enter", "enter", "leave", "snapshot"]), st.sampled_from(DAYS)),
        min_size=1,
        max_size=14,
    )
)
def test_no_answer_depends_on_snapshots(steps):
    with transaction.atomic():
        for number, (what, day) in enumerate(steps):
            if what == "snapshot":
                balances.take_snapshot(on=day)
                continue
            debit, credit = (BANK, FUNDS) if what == "enter" else (FEES, BANK)
            journal.post(
                event=f"e{number}",
                kind="card_payment",
                effective_on=day,
                memo="",
                moves=[Move(debit=debit, credit=credit, amount=mad(f"{number + 1}.00"))],
            )

        with_snapshots = [shown(on=each) for each in [*DAYS, None]]
        BalanceSnapshot.objects.all().delete()
        without = [shown(on=each) for each in [*DAYS, None]]
        transaction.set_rollback(True)

    assert with_snapshots == without
