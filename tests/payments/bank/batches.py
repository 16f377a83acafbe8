"""Batches to write: the worked example, and any batch hypothesis can think of."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import strategies as st
from moneyed import Money

from shop.payments.bank import rib
from shop.payments.bank.pain001 import AccountForm, Batch, ChargeBearer, CreditTransfer, Debtor

TADAMON = Debtor(name="Tadamon", rib="310 810 1014029004423101 33")
A = CreditTransfer(
    reference="P-20260105-01",
    name="Coopérative Démo Jbel Nahla",
    rib="999780000000000000000105",
    amount=Money("534.00", "MAD"),
    text="Décompte P-20260105-01",
)
B = CreditTransfer(
    reference="P-20260105-02",
    name="تعاونية منديل الريف (تجريبية)",
    rib="999780000000000000000202",
    amount=Money("302.60", "MAD"),
)


def example(**changes) -> Batch:
    values = {
        "reference": "B-20260105-1",
        "created_at": datetime(2026, 1, 5, 10, 0, tzinfo=UTC),
        "execute_on": date(2026, 1, 6),
        "debtor": TADAMON,
        "transfers": (A, B),
    }
    return Batch(**(values | changes))


ribs = st.integers(min_value=0, max_value=10**22 - 1).map(
    lambda number: f"{number:022d}" + rib.key_of(f"{number:022d}")
)
amounts = st.integers(min_value=1, max_value=99_999_999_999).map(
    lambda centimes: Money(Decimal(centimes).scaleb(-2), "MAD")
)
names = st.text(min_size=1, max_size=90).map(lambda text: f"C{text}")
transfers = st.builds(
    CreditTransfer,
    reference=st.integers(0, 10**12).map("P-{}".format),
    name=names,
    rib=ribs,
    amount=amounts,
    text=st.text(max_size=160),
)
batches = st.builds(
    Batch,
    reference=st.integers(0, 10**12).map("B-{}".format),
    created_at=st.datetimes(
        min_value=datetime(2020, 1, 1), max_value=datetime(2099, 1, 1), timezones=st.just(UTC)
    ),
    execute_on=st.dates(min_value=date(2020, 1, 1), max_value=date(2099, 1, 1)),
    debtor=st.builds(Debtor, name=names, rib=ribs, bic=st.sampled_from(["", "BCMAMAMC", "BCMAMAMCXXX"])),
    transfers=st.lists(transfers, min_size=1, max_size=6, unique_by=lambda each: each.reference).map(tuple),
    account_form=st.sampled_from(AccountForm),
    charge_bearer=st.sampled_from(ChargeBearer),
)
