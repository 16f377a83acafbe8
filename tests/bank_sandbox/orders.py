"""The worked example as a batch file, written by the shop's own writer."""

from __future__ import annotations

from datetime import UTC, date, datetime

from moneyed import Money

from fixtures.bank_sandbox import TADAMON_RIB
from shop.payments.bank import pain001
from shop.payments.bank.pain001 import Batch, CreditTransfer, Debtor


def batch_file(reference: str = "B-20260105-1", *, debtor: str = TADAMON_RIB, **changes) -> bytes:
    transfers = (
        CreditTransfer(
            reference=f"{reference}/A",
            name="Coopérative Démo Jbel Nahla",
            rib="999780000000000000000105",
            amount=Money("534.00", "MAD"),
        ),
        CreditTransfer(
            reference=f"{reference}/B",
            name="تعاونية منديل الريف (تجريبية)",
            rib="999780000000000000000202",
            amount=Money("302.60", "MAD"),
        ),
    )
    batch = Batch(
        reference=reference,
        created_at=datetime(2026, 1, 5, 10, 0, tzinfo=UTC),
        execute_on=date(2026, 1, 5),
        debtor=Debtor(name="Tadamon", rib=debtor),
        transfers=transfers,
        **changes,
    )
    return pain001.write(batch=batch)
