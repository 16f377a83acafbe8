"""From Stripe's balance transactions to the books: the only entries on the Stripe account.

One balance transaction, one entry, named after it; in whatever order they come, and however often. What
cannot be booked says why and waits in quarantine, which blocks the close.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.utils.translation import gettext_noop as _

from shop.core.clock import day_of
from shop.ledger import entries
from shop.payments.models import BalanceTransaction, LatePayment, Payment, PayoutTransfer, Refund
from shop.payments.stripe import gateway


class Quarantined(Exception):
    """This row cannot be booked as it is; the text says why, for an operator.

    It is kept as it stands here and shown in the language of whoever looks.
    """

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


def post(*, row: BalanceTransaction) -> None:
    """Write the entry of one balance transaction. Again changes nothing. Raises Quarantined."""
    book = _BOOKS.get(row.category)
    if book is None:
        raise Quarantined(_("Nobody has said how this kind of row is booked."))
    book(row, gateway.source_of(row.raw.get("source") or {}), day_of(row.created_at))


def book_late(*, late: LatePayment) -> None:
    """Money an order cannot take is owed to the customer again, if its balance transaction is here already.

    If it is not, its import does the same: the order of the two makes no difference.
    """
    for row in BalanceTransaction.objects.filter(
        source_id=late.stripe_charge_id, category__in=["charge", "payment"]
    ).exclude(posted_at=None):
        post(row=row)


def _charge(row: BalanceTransaction, source: gateway.Source, on: date) -> None:
    order = source.metadata.get("order", "")
    if not Payment.objects.filter(order__number=order).exists() or source.amount is None:
        raise Quarantined(_("A card payment that belongs to no order."))
    late = LatePayment.objects.filter(stripe_charge_id=row.source_id).exclude(refund=None).exists()
    record = entries.record_late_payment if late else entries.record_card_payment
    record(
        order=order, bt=row.stripe_id, effective_on=on, paid=source.amount, settled=row.amount, fee=row.fee
    )


def _refund_of(source: gateway.Source) -> Refund:
    asked = Refund.objects.filter(reference=source.metadata.get("refund", ""))
    refund: Refund | None = asked.select_related("payment__order").first()
    if refund is None or source.amount is None:
        raise Quarantined(_("A refund that nobody asked for here."))
    return refund


def _refund(row: BalanceTransaction, source: gateway.Source, on: date) -> None:
    refund = _refund_of(source)
    assert source.amount is not None
    entries.record_refund_paid(
        refund=refund.reference,
        order=refund.payment.order.number,
        bt=row.stripe_id,
        effective_on=on,
        amount=source.amount,
        settled=-row.amount,
        fee=row.fee,
    )


def _refund_failure(row: BalanceTransaction, source: gateway.Source, on: date) -> None:
    refund = _refund_of(source)
    assert source.amount is not None
    entries.record_refund_failed(
        refund=refund.reference,
        order=refund.payment.order.number,
        bt=row.stripe_id,
        effective_on=on,
        amount=source.amount,
        settled=row.amount,
    )


def transfer_of(row: BalanceTransaction) -> PayoutTransfer | None:
    """Which of our transfers a balance transaction is about."""
    source = gateway.source_of(row.raw.get("source") or {})
    transfers = PayoutTransfer.objects.select_related("item__payout__cooperative")
    if row.category == "transfer_reversal":
        return transfers.filter(stripe_transfer_id=source.transfer_id).exclude(stripe_transfer_id="").first()
    return transfers.filter(key=source.metadata.get("key", "")).first()


def _transfer(row: BalanceTransaction, source: gateway.Source, on: date) -> None:
    transfer = transfer_of(row)
    if transfer is None:
        raise Quarantined(_("A transfer that belongs to no payout."))
    if -row.amount != transfer.settled:
        raise Quarantined(_("A transfer of another amount than was asked for."))
    payout = transfer.item.payout
    entries.record_transfer(
        payout=payout.reference,
        cooperative=payout.cooperative.code,
        bt=row.stripe_id,
        effective_on=on,
        amount=transfer.amount,
        settled=transfer.settled,
    )


def _transfer_reversal(row: BalanceTransaction, source: gateway.Source, on: date) -> None:
    transfer = transfer_of(row)
    if transfer is None:
        raise Quarantined(_("A transfer taken back that belongs to no payout."))
    if row.amount != transfer.settled:
        raise Quarantined(_("A part of a transfer was taken back: two persons say what for."))
    payout = transfer.item.payout
    entries.record_transfer_reversed(
        payout=payout.reference,
        cooperative=payout.cooperative.code,
        bt=row.stripe_id,
        effective_on=on,
        amount=transfer.amount,
        settled=transfer.settled,
    )


def _deposit(row: BalanceTransaction, source: gateway.Source, on: date) -> None:
    entries.record_deposit(deposit=row.source_id, bt=row.stripe_id, effective_on=on, amount=-row.amount)


def _deposit_back(row: BalanceTransaction, source: gateway.Source, on: date) -> None:
    entries.record_deposit_failed(deposit=row.source_id, bt=row.stripe_id, effective_on=on, amount=row.amount)


def _fee(row: BalanceTransaction, source: gateway.Source, on: date) -> None:
    if row.net_minor > 0:
        raise Quarantined(_("Stripe gave a fee back: two persons say what for."))
    entries.record_stripe_fee(bt=row.stripe_id, effective_on=on, amount=-row.net)


_BOOKS: dict[str, Callable[[BalanceTransaction, gateway.Source, date], None]] = {
    "charge": _charge,
    "payment": _charge,
    "refund": _refund,
    "payment_refund": _refund,
    "refund_failure": _refund_failure,
    "transfer": _transfer,
    "transfer_reversal": _transfer_reversal,
    "payout": _deposit,
    "payout_reversal": _deposit_back,
    "payout_failure": _deposit_back,
    "payout_cancel": _deposit_back,
    "fee": _fee,
    "stripe_fee": _fee,
    "network_cost": _fee,
}
