"""Payouts by Stripe: one transfer for each item, out of the charge that paid for it.

Tied to its charge (``source_transaction``) a transfer is accepted before the money is free, and no deposit
sweeps it away first. It is made in the currency the charge settled in, at the rate at which it did; the
cooperative is owed, and told, dirhams.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from cooperatives import payout_accounts
from shop.core.crashpoints import crashpoint
from shop.core.lives import refused_when_stale
from shop.core.money import from_minor, half_up, to_minor
from shop.payments import payouts, refunding
from shop.payments.models import BalanceTransaction, Payout, PayoutItem, PayoutTransfer
from shop.payments.payouts import Rail, State
from shop.payments.stripe import gateway
from shop.payments.stripe.errors import AnswerUnknown, StripeRefused

logger = logging.getLogger(__name__)

Made = PayoutTransfer.State
LOOK_FIRST = refunding.LOOK_FIRST


def send(*, payout: Payout, at: datetime) -> Payout:
    """Send an approved payout by Stripe: one transfer for each item, tied to the charge that paid for it.

    Every transfer is committed with its key before Stripe is asked, one after the other, so that a killed
    worker leaves at most one in doubt; that one is asked for under the same key, or looked up first when
    the key is too old. A refusal sends nothing more: what was not sent is due again and the account is put
    on hold with Stripe's reason. Raises Unavailable; then the next sweep goes on.
    """
    payout = _start_sending(payout, at)
    if payout.state != State.SENDING:
        return payout
    for transfer in PayoutTransfer.objects.filter(item__payout=payout, state=Made.ASKED).order_by("pk"):
        try:
            _send_one(transfer, payout, at)
        except StripeRefused as refusal:
            return _refused(payout, transfer, refusal, at)
    crashpoint("transferring.all_made")
    return conclude(payout=payout, at=at)


@transaction.atomic
def _start_sending(payout: Payout, at: datetime) -> Payout:
    payout = payouts.locked(pk=payout.pk).get()
    if payout.rail != Rail.STRIPE or payout.state not in (State.APPROVED, State.SENDING):
        return payout
    if payout.state == State.APPROVED:
        now = payout_accounts.current(cooperative=payout.cooperative, at=at)
        if now is None or now.pk != payout.account_id:
            # Changed or put on hold since it was approved: nothing has been asked yet.
            payouts.back(payout, "its account is no longer the one that was approved", at, hold=False)
            return payout
        items = list(payout.items.select_related("supplier_order").order_by("pk"))
        charges = payouts.settled_charges([each.supplier_order.order_id for each in items])
        for number, (item, netted) in enumerate(zip(items, _netted(payout, items), strict=True), start=1):
            amount = item.share_minor - netted
            if amount:
                charge = charges[item.supplier_order.order_id]
                PayoutTransfer.objects.create(
                    item=item,
                    key=f"tr:{payout.reference}:{number}:1",
                    currency=item.currency,
                    amount_minor=amount,
                    stripe_charge_id=charge.source_id,
                    settled_currency=charge.currency,
                    settled_minor=_settled(amount, charge),
                    asked_at=at,
                )
    with refused_when_stale():
        payout.start_sending()
        payout.save()
    return payout


def _netted(payout: Payout, items: Sequence[PayoutItem]) -> list[int]:
    """What of each item is netted: the oldest first, until all is."""
    left, parts = payout.netted_minor, []
    for item in items:
        parts.append(min(left, item.share_minor))
        left -= parts[-1]
    return parts


def _settled(minor: int, charge: BalanceTransaction) -> int:
    """An amount in the currency the charge settled in, at the rate at which it did."""
    rate = charge.exchange_rate if charge.exchange_rate is not None else Decimal(1)
    return max(1, to_minor(half_up(from_minor(minor, charge.currency).amount * rate, charge.currency)))


def _before_asking(transfer: PayoutTransfer) -> None:
    """A marked point: the intent is committed, Stripe not yet asked."""
    crashpoint("transferring.before_asking")


def _after_asking(transfer: PayoutTransfer) -> None:
    """A marked point: Stripe has moved the money, we have not written it down."""
    crashpoint("transferring.after_asking")


def _send_one(transfer: PayoutTransfer, payout: Payout, at: datetime) -> None:
    order = transfer.item.supplier_order.order
    group = gateway.group_of(order.number)
    if transfer.failure == LOOK_FIRST or at - transfer.asked_at >= refunding.KEY_LIFE:
        made = gateway.find_transfer(transfer_group=group, key=transfer.key)
        if made is not None:
            transfer_made(transfer=transfer, stripe_transfer_id=made.id, at=at)
            return
        transfer.attempt += 1
        transfer.key = f"{transfer.key.rpartition(':')[0]}:{transfer.attempt}"
        transfer.asked_at, transfer.failure = at, ""
        transfer.save(update_fields=["attempt", "key", "asked_at", "failure"])
    _before_asking(transfer)
    try:
        made = gateway.transfer(
            amount=transfer.settled,
            destination=payout.account.stripe_account_id,
            source_transaction=transfer.stripe_charge_id,
            transfer_group=group,
            metadata={"payout": payout.reference, "supplier_order": transfer.item.supplier_order.reference},
            key=transfer.key,
        )
    except AnswerUnknown:
        PayoutTransfer.objects.filter(pk=transfer.pk).update(failure=LOOK_FIRST)
        raise
    _after_asking(transfer)
    transfer_made(transfer=transfer, stripe_transfer_id=made.id, at=at)


def transfer_made(*, transfer: PayoutTransfer, stripe_transfer_id: str, at: datetime) -> None:
    """Stripe has made a transfer: written down by whoever learns it first."""
    PayoutTransfer.objects.filter(pk=transfer.pk, state=Made.ASKED).update(
        state=Made.MADE, stripe_transfer_id=stripe_transfer_id, failure=""
    )


@transaction.atomic
def conclude(*, payout: Payout, at: datetime) -> Payout:
    """A payout whose transfers have all been made is sent. Again changes nothing."""
    payout = payouts.locked(pk=payout.pk).get()
    transfers = list(PayoutTransfer.objects.filter(item__payout=payout).order_by("pk"))
    if payout.state != State.SENDING or any(each.state == Made.ASKED for each in transfers):
        return payout
    made = [each for each in transfers if each.state == Made.MADE]
    payout.stripe_transfer_id = made[0].stripe_transfer_id if made else ""
    payout.settled_currency = made[0].settled_currency if made else ""
    payout.settled_minor = sum(each.settled_minor for each in made)
    payouts.sent(payout, at)
    return payout


@transaction.atomic
def _refused(payout: Payout, transfer: PayoutTransfer, refusal: StripeRefused, at: datetime) -> Payout:
    """Stripe takes no more. Transfers are asked for one after the other, so none after this one was made."""
    payout = payouts.locked(pk=payout.pk).get()
    why = str(refusal.reason)[:200]
    unsent = PayoutTransfer.objects.filter(item__payout=payout, state=Made.ASKED)
    freed = list(unsent.values_list("item", flat=True))
    unsent.update(state=Made.REFUSED, failure=why)
    made = PayoutTransfer.objects.filter(item__payout=payout, state=Made.MADE)
    if not made.exists():
        payouts.back(payout, why, at)
        return payout
    # Part of it is with the cooperative: the payout is that part, the rest is due again.
    payout.items.filter(pk__in=freed).update(is_live=False)
    kept = payout.items.filter(is_live=True)
    payout.shares_minor = kept.aggregate(sum=Sum("share_minor"))["sum"]
    payout.amount_minor = made.aggregate(sum=Sum("amount_minor"))["sum"]
    payout.netted_minor = payout.shares_minor - payout.amount_minor
    payout.failure = why
    payout.save(update_fields=["shares_minor", "amount_minor", "netted_minor", "failure"])
    payout_accounts.put_on_hold(cooperative=payout.cooperative, reason=why, at=at)
    return conclude(payout=payout, at=at)


@transaction.atomic
def transfer_reversed(*, transfer: PayoutTransfer, at: datetime) -> None:
    """A whole transfer was taken back: its part is due again, and what of it was netted is owed again.

    The payout is what is left of it; when nothing is, it did not happen.
    """
    payout = payouts.locked(pk=transfer.item.payout_id).get()
    if (
        not PayoutTransfer.objects.filter(pk=transfer.pk)
        .exclude(state=Made.REVERSED)
        .update(state=Made.REVERSED)
    ):
        return
    if payout.state not in (State.SENDING, State.SENT, State.PAID):
        return
    others = PayoutTransfer.objects.filter(item__payout=payout, state__in=[Made.ASKED, Made.MADE])
    if not others.exists():
        payouts.back(payout, "taken back at Stripe", at)
        return
    item = payout.items.select_related("supplier_order").get(pk=transfer.item_id)
    item.is_live = False
    item.save(update_fields=["is_live"])
    netted = item.share_minor - transfer.amount_minor
    payout.shares_minor -= item.share_minor
    payout.netted_minor -= netted
    payout.amount_minor -= transfer.amount_minor
    if payout.settled_minor is not None:
        payout.settled_minor -= transfer.settled_minor
    payout.save(update_fields=["shares_minor", "netted_minor", "amount_minor", "settled_minor"])
    payouts.undo_netting(payout, from_minor(netted, item.currency), at, part=item.supplier_order.reference)


def arrive_transferred(*, at: datetime) -> int:
    """Payouts by Stripe whose every transfer is on the imported balance have arrived; returns how many."""
    arrived = 0
    for key in Payout.objects.filter(rail=Rail.STRIPE, state=State.SENT).values_list("pk", flat=True):
        arrived += _arrive_transferred(key, at)
    return arrived


@transaction.atomic
def _arrive_transferred(pk: int, at: datetime) -> bool:
    payout = payouts.locked(pk=pk).get()
    ids = PayoutTransfer.objects.filter(item__payout=payout, state=Made.MADE).values_list(
        "stripe_transfer_id", flat=True
    )
    booked = BalanceTransaction.objects.filter(source_id__in=ids, category="transfer").exclude(posted_at=None)
    if payout.state != State.SENT or not ids or booked.count() < len(ids):
        return False
    with refused_when_stale():
        payout.arrive(at=at)
        payout.save()
    return True
