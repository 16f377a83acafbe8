"""The worked example of docs/bookkeeping.md: one order of 1 000,00 MAD, cooperatives A and B.

A: goods 600,00, delivery 36,00, receives 534,00. B: goods 340,00, delivery 24,00, receives 302,60.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from moneyed import Money

from shop.ledger import entries, journal
from shop.ledger.models import JournalEntry

ORDER = "T-7K3M9QX2T"
A_PART, B_PART = f"{ORDER}-1", f"{ORDER}-2"
DAY = date(2026, 3, 2)


def mad(amount: str) -> Money:
    return Money(amount, "MAD")


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


def paid_in_mad() -> JournalEntry:
    return entries.record_card_payment(
        order=ORDER,
        bt="txn_charge",
        effective_on=DAY,
        paid=mad("1000.00"),
        settled=mad("1000.00"),
        fee=mad("32.50"),
    )


def paid_in_eur() -> JournalEntry:
    return entries.record_card_payment(
        order=ORDER,
        bt="txn_charge",
        effective_on=DAY,
        paid=mad("1000.00"),
        settled=eur("92.50"),
        fee=eur("3.26"),
    )


def confirmed_a() -> JournalEntry:
    return entries.record_confirmation(
        supplier_order=A_PART,
        order=ORDER,
        cooperative="A",
        effective_on=DAY,
        goods=mad("600.00"),
        commission=mad("60.00"),
        solidarity=mad("6.00"),
        delivery_net=mad("30.00"),
        delivery_vat=mad("6.00"),
    )


def confirmed_b() -> JournalEntry:
    return entries.record_confirmation(
        supplier_order=B_PART,
        order=ORDER,
        cooperative="B",
        effective_on=DAY,
        goods=mad("340.00"),
        commission=mad("34.00"),
        solidarity=mad("3.40"),
        delivery_net=mad("20.00"),
        delivery_vat=mad("4.00"),
    )


def released_a() -> JournalEntry:
    return entries.record_release(
        supplier_order=A_PART,
        order=ORDER,
        cooperative="A",
        effective_on=DAY,
        share=mad("534.00"),
        commission_net=mad("50.00"),
        commission_vat=mad("10.00"),
    )


def released_b() -> JournalEntry:
    return entries.record_release(
        supplier_order=B_PART,
        order=ORDER,
        cooperative="B",
        effective_on=DAY,
        share=mad("302.60"),
        commission_net=mad("28.33"),
        commission_vat=mad("5.67"),
    )


def refunded_a(stage: entries.Stage) -> JournalEntry:
    """100,00 of A's goods come back."""
    return entries.record_refund(
        refund="R-1",
        order=ORDER,
        supplier_order=A_PART,
        cooperative="A",
        effective_on=DAY,
        stage=stage,
        goods=mad("100.00"),
        commission_net=mad("8.33"),
        commission_vat=mad("1.67"),
        solidarity=mad("1.00"),
        delivery_net=mad("0"),
        delivery_vat=mad("0"),
    )


def shown(**filters: Any) -> dict[str, str]:
    """Accounts that do not stand at nothing, as ``{"stripe_balance:MAD": "967.50"}``."""
    return {code: str(each.amount) for code, each in journal.balances(**filters).items() if each}


def postings(entry: JournalEntry) -> list[str]:
    """As ``debit / credit amount``, in the order they were written."""
    rows = entry.postings.select_related("debit", "credit").order_by("pk")
    return [f"{each.debit.code} / {each.credit.code} {each.amount.amount}" for each in rows]
