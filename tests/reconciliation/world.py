"""A shop with released parts, payouts at the bank, deposits and cash on their way; and statements to import."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from moneyed import Money

from cooperatives.models import Cooperative
from shop.core.clock import day_of
from shop.core.money import from_minor, to_minor
from shop.fulfilment import delivering, releasing
from shop.fulfilment.models import Shipment, SupplierOrder
from shop.ledger import accounts, balances, entries
from shop.payments import payouts
from shop.payments.models import BalanceTransaction, Deposit, Payout, PayoutRun
from shop.reconciliation import importing, matching, proving
from shop.reconciliation.models import Discrepancy, StatementFile, StatementLine
from shop.reconciliation.readers.statement_csv import ColumnMapping
from tests.factories import (
    NOW,
    CooperativeFactory,
    ListingFactory,
    OperatorFactory,
    PayoutAccountFactory,
    placed,
)

MAPPING = ColumnMapping(
    booked_on="Date",
    text="Libellé",
    debit="Débit",
    credit="Crédit",
    bank_reference="Référence",
    end_to_end_id="Référence client",
    counterparty_rib="RIB contrepartie",
)


def mad(amount: str | int) -> Money:
    return Money(Decimal(str(amount)), "MAD")


def eur(amount: str | int) -> Money:
    return Money(Decimal(str(amount)), "EUR")


def stands(account: str, *who: str, currency: str = "MAD") -> Money:
    """What stands on an account of the books."""
    return balances.balance(getattr(accounts, account)(*who, currency))


def bank() -> Money:
    return stands("bank")


@dataclass
class L:
    """One line of a bank's export; a debit is negative."""

    amount: str
    text: str = ""
    e2e: str = ""
    ref: str = ""
    on: date = date(2026, 11, 24)
    rib: str = ""


def csv_of(lines: Iterable[L], *, period: tuple[date, date] | None = None) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    if period:
        writer.writerow(["Période", *(f"{each:%d/%m/%Y}" for each in period)])
    writer.writerow(
        ["Date", "Référence", "Référence client", "Libellé", "RIB contrepartie", "Débit", "Crédit"]
    )
    for each in lines:
        amount = Decimal(each.amount)
        shown = f"{abs(amount):,.2f}".replace(",", " ").replace(".", ",")
        sides = [shown, ""] if amount < 0 else ["", shown]
        writer.writerow([f"{each.on:%d/%m/%Y}", each.ref, each.e2e, each.text, each.rib, *sides])
    return text.getvalue().encode("utf-8-sig")


class World:
    """``at`` is the moment it is, for the shop and for the sandbox bank."""

    def __init__(self) -> None:
        self.at: datetime = NOW
        self.maker = OperatorFactory(roles=["finance_maker"])
        self.checker = OperatorFactory(roles=["finance_approver"])
        self.files = 0

    def wait(self, **span: float) -> datetime:
        self.at += timedelta(**span)
        return self.at

    # what there is to pay

    def released(self, goods: str, cooperative: Cooperative | None = None) -> SupplierOrder:
        """A part of so much goods whose return window has closed: its price is due."""
        cooperative = cooperative or CooperativeFactory()
        if not cooperative.payout_accounts.exists():
            PayoutAccountFactory(cooperative=cooperative)
        listing = ListingFactory(cooperative=cooperative, price=goods, at=self.at - timedelta(days=100))
        (part,) = placed((listing, 1), at=self.at, to="dispatched")
        (parcel,) = part.shipments.all()
        delivering.record_delivery(shipment=parcel, proof=Shipment.Proof.CUSTOMER, at=self.at)
        part.refresh_from_db()
        after = part.return_until + timedelta(minutes=1)
        releasing.release(supplier_order=part, at=after)
        self.at = max(self.at, after)
        return part

    def approved(self) -> PayoutRun:
        """Everything due, in one run that two persons agreed on."""
        run = payouts.plan(by=self.maker, at=self.at)
        return payouts.approve(run=run, by=self.checker, at=self.at)

    def sent(self, *goods: str) -> list[Payout]:
        """Payouts for parts of so much goods each, in one batch the bank was given."""
        for each in goods:
            self.released(each)
        run = self.approved()
        payouts.hand_over(batch=run.batch, at=self.at)
        return list(run.payouts.order_by("pk"))

    def cash_parcel(self, total: str = "1000.00") -> Shipment:
        """A parcel whose cash (goods and 30,00 for its delivery) the carrier has taken at the door."""
        listing = ListingFactory(price=str(Decimal(total) - 30), at=self.at - timedelta(days=100))
        (part,) = placed((listing, 1), at=self.at, to="dispatched", method="cash")
        (parcel,) = part.shipments.all()
        delivering.record_delivery(shipment=parcel, proof=Shipment.Proof.TRACKING, at=self.at)
        parcel.refresh_from_db()
        return parcel

    def deposit(
        self, amount: Money, *, stripe_id: str = "po_1TadamonDeposit", trace_id: str = "TRC4N9K2M7Q81X"
    ) -> Deposit:
        """A card payment that settled as so much, and all of it on its way to our bank."""
        currency = amount.currency.code
        for kind, sign in (("charge", 1), ("payout", -1)):
            bt = f"txn_{kind}_{stripe_id}"
            BalanceTransaction.objects.create(
                stripe_id=bt,
                category=kind,
                kind=kind,
                source_id=stripe_id,
                currency=currency,
                amount_minor=sign * to_minor(amount),
                fee_minor=0,
                net_minor=sign * to_minor(amount),
                created_at=self.at,
                raw={},
                imported_at=self.at,
                posted_at=self.at,
            )
        entries.record_card_payment(
            order="T-DEPOSIT",
            bt=f"txn_charge_{stripe_id}",
            effective_on=day_of(self.at),
            paid=amount,
            settled=amount,
            fee=from_minor(0, currency),
        )
        entries.record_deposit(
            deposit=stripe_id, bt=f"txn_payout_{stripe_id}", effective_on=day_of(self.at), amount=amount
        )
        return Deposit.objects.create(
            stripe_id=stripe_id,
            trace_id=trace_id,
            status="paid",
            currency=currency,
            amount_minor=to_minor(amount),
            is_reconciled=True,
            created_at=self.at,
            arrives_on=day_of(self.at) + timedelta(days=2),
        )

    # statements

    def import_csv(
        self,
        *lines: L,
        opening: Money | None = None,
        period: tuple[date, date] | None = None,
        **given: Any,
    ) -> StatementFile:
        """Import an export of these lines; it opens where the last one closed."""
        if opening is None:
            last = StatementFile.objects.filter(kind="csv").order_by("-pk").first()
            opening = last.closing if last else mad(0)
        moved = sum((mad(each.amount) for each in lines), mad(0))
        self.files += 1
        return importing.import_statement(
            content=csv_of(lines, period=period),
            name=f"releve-{self.files}.csv",
            kind="csv",
            mapping=MAPPING,
            account=settings.SHOP_LEGAL["rib"],
            opening=opening,
            closing=opening + moved,
            by=self.maker,
            at=self.at,
            **given,
        )

    def import_silence(self) -> StatementFile:
        """Import a statement of the ten days before today on which nothing moved."""
        today = day_of(self.at)
        return self.import_csv(period=(today - timedelta(days=10), today - timedelta(days=1)))

    def match(self) -> matching.Run:
        return matching.match_new(at=self.at)

    def line(self, text_or_reference: str) -> StatementLine:
        return StatementLine.objects.get(text=text_or_reference)

    def proof(self, account: str) -> proving.Proof:
        return proving.prove(account=account)


def exceptions() -> list[str]:
    """The kinds of what is open, in order of their names."""
    return sorted(Discrepancy.objects.all().unsettled().values_list("kind", flat=True))


def the(kind: str) -> Discrepancy:
    """The one open exception of a kind."""
    return Discrepancy.objects.all().unsettled().get(kind=kind)
