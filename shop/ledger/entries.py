"""The bookkeeping of the shop: one function for each event that moves money, and no other place.

Numbers J1 to J15 and FX are those of docs/bookkeeping.md, where each entry stands with its example. Every
amount given is positive or nothing; nothing is posted for nothing. ``settled`` is what an amount came to on
the Stripe balance: in another currency both pass through ``fx_position``. People and companies are given by
their codes, everything else by its reference. Doing anything again changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from moneyed import Money

from shop.core.money import zero
from shop.ledger import accounts
from shop.ledger.accounts import AccountName
from shop.ledger.journal import Move, post
from shop.ledger.models import JournalEntry

#: Where a cooperative's money stands when goods come back: still held, due, or already paid out.
Stage = Literal["held", "payable", "paid"]
_STAGES = {
    "held": accounts.producer_held,
    "payable": accounts.producer_payable,
    "paid": accounts.producer_receivable,
}
Kind = JournalEntry.Kind


# Customers' payments


def record_card_payment(
    *, order: str, bt: str, effective_on: date, paid: Money, settled: Money, fee: Money
) -> JournalEntry:
    """J1, J2, FX: a card payment stands on the Stripe balance, less Stripe's fee.

    ``fee`` is in the currency of ``settled``. Event ``stripe:<bt>``.
    """
    return post(
        event=f"stripe:{bt}",
        kind=Kind.CARD_PAYMENT,
        effective_on=effective_on,
        memo=f"Order {order} paid by card",
        order=order,
        moves=[*_received(paid, settled, accounts.customer_funds(paid.currency), bt), *_fee(fee, bt)],
    )


def record_late_payment(
    *, order: str, bt: str, effective_on: date, paid: Money, settled: Money, fee: Money
) -> JournalEntry:
    """J1 and back: money that came after the order had expired is owed to the customer again.

    Two entries, so that importing the balance transaction first or later makes no difference:
    ``stripe:<bt>`` as any card payment, and the one returned, event ``late-payment:<bt>``.
    """
    record_card_payment(order=order, bt=bt, effective_on=effective_on, paid=paid, settled=settled, fee=fee)
    return post(
        event=f"late-payment:{bt}",
        kind=Kind.LATE_PAYMENT,
        effective_on=effective_on,
        memo=f"Payment for the expired order {order} is to be given back",
        order=order,
        moves=[
            Move(
                debit=accounts.customer_funds(paid.currency),
                credit=accounts.refund_payable(paid.currency),
                amount=paid,
            )
        ],
    )


def record_cash_collected(
    *, supplier_order: str, order: str, carrier: str, effective_on: date, amount: Money
) -> JournalEntry:
    """J6: the carrier took the customer's cash at the door. Event ``supplier-order:<…>:cash-collected``."""
    return post(
        event=f"supplier-order:{supplier_order}:cash-collected",
        kind=Kind.CASH_COLLECTED,
        effective_on=effective_on,
        memo=f"Cash for {supplier_order} collected by {carrier}",
        order=order,
        supplier_order=supplier_order,
        moves=[
            Move(
                debit=accounts.cod_receivable(carrier, amount.currency),
                credit=accounts.customer_funds(amount.currency),
                amount=amount,
            )
        ],
    )


def record_carrier_remittance(
    *,
    remittance: str,
    carrier: str,
    effective_on: date,
    collected: Money,
    fee_net: Money,
    fee_vat: Money,
    received: Money,
    line: str,
) -> JournalEntry:
    """J6r: the carrier hands cash over, less its fee. ``line`` is the statement line of ``received``.

    ``collected`` is what the parcels of the remittance came to. A short remittance leaves the rest open on
    ``cod_receivable``; what comes on top of it waits in ``suspense`` for an explanation. Event
    ``remittance:<remittance>``.
    """
    currency = received.currency
    receivable = accounts.cod_receivable(carrier, currency)
    bank = accounts.bank(currency)
    accounted = received + fee_net + fee_vat
    excess = max(accounted - collected, zero(currency))
    if excess > received:
        raise ValueError(f"remittance {remittance}: the fee exceeds what was collected")
    return post(
        event=f"remittance:{remittance}",
        kind=Kind.CARRIER_REMITTANCE,
        effective_on=effective_on,
        memo=f"Remittance {remittance} of {carrier}",
        about=remittance,
        moves=[
            Move(debit=bank, credit=receivable, amount=received - excess, ext_ref=line),
            Move(debit=bank, credit=accounts.suspense(carrier, currency), amount=excess, ext_ref=line),
            Move(debit=accounts.carrier_fee(currency), credit=receivable, amount=fee_net),
            Move(debit=accounts.vat_input(currency), credit=receivable, amount=fee_vat),
        ],
    )


# Supplier orders


def record_confirmation(
    *,
    supplier_order: str,
    order: str,
    cooperative: str,
    effective_on: date,
    goods: Money,
    commission: Money,
    solidarity: Money,
    delivery_net: Money,
    delivery_vat: Money,
    voucher: Money | None = None,
) -> JournalEntry:
    """J3, J3v, J3c, J3s, J4: one cooperative's part of a confirmed order is split as it was frozen.

    ``commission`` is with its VAT: it leaves the cooperative's part now and is earned at release.
    ``voucher`` is what the shop pays of ``goods`` in the customer's place. Event
    ``supplier-order:<…>:confirmed``.
    """
    currency = goods.currency
    voucher = voucher or zero(currency)
    funds = accounts.customer_funds(currency)
    held = accounts.producer_held(cooperative, currency)
    return post(
        event=f"supplier-order:{supplier_order}:confirmed",
        kind=Kind.CONFIRMATION,
        effective_on=effective_on,
        memo=f"Supplier order {supplier_order} confirmed",
        order=order,
        supplier_order=supplier_order,
        moves=[
            Move(debit=funds, credit=held, amount=goods - voucher),
            Move(debit=accounts.voucher_cost(currency), credit=held, amount=voucher),
            Move(debit=held, credit=accounts.commission_held(currency), amount=commission),
            Move(debit=held, credit=accounts.solidarity_fund(currency), amount=solidarity),
            Move(debit=funds, credit=accounts.shipping_income(currency), amount=delivery_net),
            Move(debit=funds, credit=accounts.vat_output(currency), amount=delivery_vat),
        ],
    )


def record_release(
    *,
    supplier_order: str,
    order: str,
    cooperative: str,
    effective_on: date,
    share: Money,
    commission_net: Money,
    commission_vat: Money,
) -> JournalEntry:
    """J5, J5c: the customer keeps the goods. The share is due to the cooperative, our commission is earned.

    All three are what is left after refunds. Event ``supplier-order:<…>:released``.
    """
    currency = share.currency
    commission_held = accounts.commission_held(currency)
    return post(
        event=f"supplier-order:{supplier_order}:released",
        kind=Kind.RELEASE,
        effective_on=effective_on,
        memo=f"Supplier order {supplier_order} released",
        order=order,
        supplier_order=supplier_order,
        moves=[
            Move(
                debit=accounts.producer_held(cooperative, currency),
                credit=accounts.producer_payable(cooperative, currency),
                amount=share,
            ),
            Move(debit=commission_held, credit=accounts.commission(currency), amount=commission_net),
            Move(debit=commission_held, credit=accounts.vat_output(currency), amount=commission_vat),
        ],
    )


def record_carrier_cost(
    *,
    supplier_order: str,
    order: str,
    carrier: str,
    effective_on: date,
    net: Money,
    vat: Money,
    invoice: str = "",
) -> JournalEntry:
    """J4c: what the carrier charges us for a parcel, also for one refused at the door.

    A part carried twice is invoiced twice, so the invoice (``carrier/reference``) is in the event:
    ``supplier-order:<…>:carriage:<invoice>``.
    """
    owed = accounts.carrier_payable(carrier, net.currency)
    return post(
        event=f"supplier-order:{supplier_order}:carriage" + (f":{invoice}" if invoice else ""),
        kind=Kind.CARRIER_COST,
        effective_on=effective_on,
        memo=f"Carriage of {supplier_order} by {carrier}",
        order=order,
        supplier_order=supplier_order,
        moves=[
            Move(debit=accounts.carrier_cost(net.currency), credit=owed, amount=net, ext_ref=invoice),
            Move(debit=accounts.vat_input(net.currency), credit=owed, amount=vat, ext_ref=invoice),
        ],
    )


def record_delivery_charged(
    *,
    supplier_order: str,
    order: str,
    cooperative: str,
    effective_on: date,
    stage: Stage,
    net: Money,
    vat: Money,
) -> JournalEntry:
    """J4p: by rule the cooperative bears a delivery that came to nothing (DeliveryCostRule).

    Event ``supplier-order:<…>:delivery-charged``.
    """
    producer = _STAGES[stage](cooperative, net.currency)
    return post(
        event=f"supplier-order:{supplier_order}:delivery-charged",
        kind=Kind.DELIVERY_CHARGED,
        effective_on=effective_on,
        memo=f"Delivery of {supplier_order} charged to {cooperative}",
        order=order,
        supplier_order=supplier_order,
        moves=[
            Move(debit=producer, credit=accounts.shipping_income(net.currency), amount=net),
            Move(debit=producer, credit=accounts.vat_output(net.currency), amount=vat),
        ],
    )


# Refunds


def record_refund(
    *,
    refund: str,
    order: str,
    supplier_order: str,
    cooperative: str,
    effective_on: date,
    stage: Stage,
    goods: Money,
    commission_net: Money,
    commission_vat: Money,
    solidarity: Money,
    delivery_net: Money,
    delivery_vat: Money,
    voucher: Money | None = None,
) -> JournalEntry:
    """J8, J8v, J9: goods come back. The cooperative gives their price, we our commission, the fund its part.

    ``voucher`` is the part of ``goods`` that the shop had paid: it returns to the shop, the rest to the customer.

    ``stage`` says where the cooperative's money stands: ``held`` before release, ``payable`` between release
    and payout, ``paid`` after it; then the cooperative owes us. Before release the commission was not earned
    yet and comes out of ``commission_held``. Event ``refund:<refund>``.
    """
    currency = goods.currency
    voucher = voucher or zero(currency)
    producer = _STAGES[stage](cooperative, currency)
    owed = accounts.refund_payable(currency)
    if stage == "held":
        earned = untaxed = accounts.commission_held(currency)
    else:
        earned, untaxed = accounts.commission(currency), accounts.vat_output(currency)
    return post(
        event=f"refund:{refund}",
        kind=Kind.REFUND,
        effective_on=effective_on,
        memo=f"Refund {refund} of {supplier_order}",
        order=order,
        supplier_order=supplier_order,
        about=refund,
        moves=[
            Move(debit=producer, credit=owed, amount=goods - voucher),
            Move(debit=producer, credit=accounts.voucher_cost(currency), amount=voucher),
            Move(debit=earned, credit=producer, amount=commission_net),
            Move(debit=untaxed, credit=producer, amount=commission_vat),
            Move(debit=accounts.solidarity_fund(currency), credit=producer, amount=solidarity),
            Move(debit=accounts.shipping_income(currency), credit=owed, amount=delivery_net),
            Move(debit=accounts.vat_output(currency), credit=owed, amount=delivery_vat),
        ],
    )


def record_refund_paid(
    *, refund: str, order: str, bt: str, effective_on: date, amount: Money, settled: Money, fee: Money
) -> JournalEntry:
    """J8 (FX): the refund left the Stripe balance. ``amount`` is what the customer gets.

    Event ``stripe:<bt>``.
    """
    return post(
        event=f"stripe:{bt}",
        kind=Kind.REFUND_PAID,
        effective_on=effective_on,
        memo=f"Refund {refund} paid by card",
        order=order,
        about=refund,
        moves=[*_spent(amount, settled, accounts.refund_payable(amount.currency), bt), *_fee(fee, bt)],
    )


def record_refund_failed(
    *, refund: str, order: str, bt: str, effective_on: date, amount: Money, settled: Money
) -> JournalEntry:
    """J8 back (FX): the card did not take the refund; the money is with us again and still owed.

    Event ``stripe:<bt>``, of the failure's own balance transaction.
    """
    return post(
        event=f"stripe:{bt}",
        kind=Kind.REFUND_FAILED,
        effective_on=effective_on,
        memo=f"Refund {refund} failed",
        order=order,
        about=refund,
        moves=_received(amount, settled, accounts.refund_payable(amount.currency), bt),
    )


def record_refund_paid_by_bank(
    *, refund: str, order: str, line: str, effective_on: date, amount: Money, sent_as: str = ""
) -> JournalEntry:
    """J8: a refund of cash, paid by bank transfer. Event ``refund:<refund>:paid-by-bank``.

    One that came back and went out again left the bank twice: ``sent_as`` is what the bank knows this try
    by, and stands in the event in the refund's place.
    """
    return post(
        event=f"refund:{sent_as or refund}:paid-by-bank",
        kind=Kind.REFUND_PAID,
        effective_on=effective_on,
        memo=f"Refund {refund} paid by bank transfer",
        order=order,
        about=refund,
        moves=[
            Move(
                debit=accounts.refund_payable(amount.currency),
                credit=accounts.bank(amount.currency),
                amount=amount,
                ext_ref=line,
            )
        ],
    )


# Payouts by Stripe


def record_transfer(
    *, payout: str, cooperative: str, bt: str, effective_on: date, amount: Money, settled: Money
) -> JournalEntry:
    """J11 (FX): a payout left the Stripe balance for the cooperative's account. Event ``stripe:<bt>``."""
    due = accounts.producer_payable(cooperative, amount.currency)
    return post(
        event=f"stripe:{bt}",
        kind=Kind.TRANSFER,
        effective_on=effective_on,
        memo=f"Payout {payout} to {cooperative} by Stripe",
        about=payout,
        moves=_spent(amount, settled, due, bt),
    )


def record_transfer_reversed(
    *,
    payout: str,
    cooperative: str,
    bt: str,
    effective_on: date,
    amount: Money,
    settled: Money,
    stage: Literal["payable", "paid"] = "payable",
) -> JournalEntry:
    """J11 back, J9 (FX): a payout or part of it came back to the Stripe balance.

    ``payable``: it failed and is due again. ``paid``: it recovers what the cooperative owes. Event
    ``stripe:<bt>``, of the reversal's own balance transaction.
    """
    return post(
        event=f"stripe:{bt}",
        kind=Kind.TRANSFER_REVERSED,
        effective_on=effective_on,
        memo=f"Payout {payout} to {cooperative} taken back",
        about=payout,
        moves=_received(amount, settled, _STAGES[stage](cooperative, amount.currency), bt),
    )


# Payouts by the bank


def record_batch_sent(*, payout: str, cooperative: str, effective_on: date, amount: Money) -> JournalEntry:
    """J12a: the batch with this payout went to the bank. Event ``payout:<payout>:sent``."""
    return post(
        event=f"payout:{payout}:sent",
        kind=Kind.PAYOUT_SENT,
        effective_on=effective_on,
        memo=f"Payout {payout} to {cooperative} sent to the bank",
        about=payout,
        moves=[
            Move(
                debit=accounts.producer_payable(cooperative, amount.currency),
                credit=accounts.payout_in_flight(cooperative, amount.currency),
                amount=amount,
            )
        ],
    )


def record_payout_debited(
    *, payout: str, cooperative: str, line: str, effective_on: date, amount: Money
) -> JournalEntry:
    """J12b: the bank carried the payout out. One line may stand for a whole batch.

    Event ``payout:<payout>:debited``: a second line for the same payout is another thing and must be
    explained (DifferentEntry).
    """
    return post(
        event=f"payout:{payout}:debited",
        kind=Kind.PAYOUT_DEBITED,
        effective_on=effective_on,
        memo=f"Payout {payout} to {cooperative} debited",
        about=payout,
        moves=[
            Move(
                debit=accounts.payout_in_flight(cooperative, amount.currency),
                credit=accounts.bank(amount.currency),
                amount=amount,
                ext_ref=line,
            )
        ],
    )


def record_payout_rejected(
    *, payout: str, cooperative: str, effective_on: date, amount: Money
) -> JournalEntry:
    """J12c: the bank refused the payout before any debit; it is due again. ``payout:<payout>:rejected``."""
    return post(
        event=f"payout:{payout}:rejected",
        kind=Kind.PAYOUT_REJECTED,
        effective_on=effective_on,
        memo=f"Payout {payout} to {cooperative} rejected",
        about=payout,
        moves=[_due_again(cooperative, amount)],
    )


def record_payout_returned(
    *, payout: str, cooperative: str, line: str, effective_on: date, amount: Money
) -> JournalEntry:
    """J12d and J12c: a payout came back after the debit; it is due again. ``payout:<payout>:returned``."""
    return post(
        event=f"payout:{payout}:returned",
        kind=Kind.PAYOUT_RETURNED,
        effective_on=effective_on,
        memo=f"Payout {payout} to {cooperative} returned",
        about=payout,
        moves=[
            Move(
                debit=accounts.bank(amount.currency),
                credit=accounts.payout_in_flight(cooperative, amount.currency),
                amount=amount,
                ext_ref=line,
            ),
            _due_again(cooperative, amount),
        ],
    )


def record_netting(*, payout: str, cooperative: str, effective_on: date, amount: Money) -> JournalEntry:
    """J9: what the cooperative owes is set off against what is due to it. ``payout:<payout>:netted``."""
    return post(
        event=f"payout:{payout}:netted",
        kind=Kind.NETTING,
        effective_on=effective_on,
        memo=f"Debt of {cooperative} set off against payout {payout}",
        about=payout,
        moves=[
            Move(
                debit=accounts.producer_payable(cooperative, amount.currency),
                credit=accounts.producer_receivable(cooperative, amount.currency),
                amount=amount,
            )
        ],
    )


def record_netting_undone(
    *, payout: str, part: str, cooperative: str, effective_on: date, amount: Money
) -> JournalEntry:
    """J9 back: what was set off is owed again, for one part of a payout that did not get through.

    ``part`` is the reference of its supplier order, or empty for all that was still set off. Event
    ``payout:<payout>:netting-undone``, and ``:<part>`` after it for one part.
    """
    return post(
        event=f"payout:{payout}:netting-undone" + (f":{part}" if part else ""),
        kind=Kind.NETTING,
        effective_on=effective_on,
        memo=f"Debt of {cooperative} no longer set off against payout {payout}",
        about=payout,
        moves=[
            Move(
                debit=accounts.producer_receivable(cooperative, amount.currency),
                credit=accounts.producer_payable(cooperative, amount.currency),
                amount=amount,
            )
        ],
    )


# Deposits


def record_deposit(*, deposit: str, bt: str, effective_on: date, amount: Money) -> JournalEntry:
    """J13: Stripe sent a part of our balance to our bank. Event ``stripe:<bt>``."""
    return post(
        event=f"stripe:{bt}",
        kind=Kind.DEPOSIT,
        effective_on=effective_on,
        memo=f"Deposit {deposit} left Stripe",
        about=deposit,
        moves=[
            Move(
                debit=accounts.deposit_transit(amount.currency),
                credit=accounts.stripe_balance(amount.currency),
                amount=amount,
                ext_ref=bt,
            )
        ],
    )


def record_deposit_arrived(
    *, deposit: str, line: str, effective_on: date, amount: Money, received: Money
) -> JournalEntry:
    """J13 (FX): the deposit is on the bank statement. ``amount`` left Stripe, ``received`` arrived.

    In another currency the bank's own rate shows. In the same currency what is missing stays open in
    ``deposit_transit``. Event ``deposit:<deposit>:arrived``.
    """
    same = amount.currency == received.currency
    return post(
        event=f"deposit:{deposit}:arrived",
        kind=Kind.DEPOSIT_ARRIVED,
        effective_on=effective_on,
        memo=f"Deposit {deposit} arrived",
        about=deposit,
        moves=_exchange(
            debit=accounts.bank(received.currency),
            entered=received,
            credit=accounts.deposit_transit(amount.currency),
            left=received if same else amount,
            ext_ref=line,
        ),
    )


def record_deposit_failed(*, deposit: str, bt: str, effective_on: date, amount: Money) -> JournalEntry:
    """J13 back: the bank did not take the deposit; it is on the Stripe balance again. ``stripe:<bt>``."""
    return post(
        event=f"stripe:{bt}",
        kind=Kind.DEPOSIT_FAILED,
        effective_on=effective_on,
        memo=f"Deposit {deposit} failed",
        about=deposit,
        moves=[
            Move(
                debit=accounts.stripe_balance(amount.currency),
                credit=accounts.deposit_transit(amount.currency),
                amount=amount,
                ext_ref=bt,
            )
        ],
    )


# Fees and corrections


def record_stripe_fee(
    *, bt: str, effective_on: date, amount: Money, vat: Money | None = None
) -> JournalEntry:
    """A fee that Stripe took apart from a payment; ``vat`` comes on top of it. Event ``stripe:<bt>``."""
    balance = accounts.stripe_balance(amount.currency)
    moves = _fee(amount, bt)
    if vat is not None:
        moves.append(Move(debit=accounts.vat_input(vat.currency), credit=balance, amount=vat, ext_ref=bt))
    return post(
        event=f"stripe:{bt}",
        kind=Kind.STRIPE_FEE,
        effective_on=effective_on,
        memo="Stripe fee",
        moves=moves,
    )


def record_bank_fee(
    *, line: str, effective_on: date, amount: Money, actor: str = "", approval: str = ""
) -> JournalEntry:
    """J12b: the bank charged something. Event ``bank:<line>:fee``."""
    return post(
        event=f"bank:{line}:fee",
        kind=Kind.BANK_FEE,
        effective_on=effective_on,
        memo="Bank fee",
        actor=actor,
        approval=approval,
        moves=[
            Move(
                debit=accounts.bank_fee(amount.currency),
                credit=accounts.bank(amount.currency),
                amount=amount,
                ext_ref=line,
            )
        ],
    )


def record_adjustment(
    *,
    approval: str,
    effective_on: date,
    memo: str,
    moves: Sequence[Move],
    actor: str,
    order: str = "",
    supplier_order: str = "",
    part: str = "",
) -> JournalEntry:
    """J15: what two persons agreed, one proposing and another approving. ``approval`` is its reference.

    The two persons are checked where they agree; the database refuses an adjustment without approval.
    Event ``adjustment:<approval>``; where one approval takes several entries, each has its ``part`` after it.
    """
    return post(
        event=f"adjustment:{approval}:{part}" if part else f"adjustment:{approval}",
        kind=Kind.ADJUSTMENT,
        effective_on=effective_on,
        memo=memo,
        moves=moves,
        order=order,
        supplier_order=supplier_order,
        actor=actor,
        approval=approval,
    )


def record_stripe_row_agreed(
    *, bt: str, approval: str, effective_on: date, memo: str, moves: Sequence[Move], actor: str
) -> JournalEntry:
    """J15 for a row of Stripe's balance that the books have no rule for: what two persons say it is.

    It is named after the row like any other, so that nothing books the same row again. Event ``stripe:<bt>``.
    """
    return post(
        event=f"stripe:{bt}",
        kind=Kind.ADJUSTMENT,
        effective_on=effective_on,
        memo=memo,
        moves=moves,
        about=bt,
        actor=actor,
        approval=approval,
    )


def _exchange(
    *, debit: AccountName, entered: Money, credit: AccountName, left: Money, ext_ref: str
) -> list[Move]:
    """``left`` leaves ``credit`` and enters ``debit`` as ``entered``: directly, or through ``fx_position``."""
    if entered.currency == left.currency:
        if entered != left:
            raise ValueError(f"{left} cannot enter as {entered} in the same currency")
        return [Move(debit=debit, credit=credit, amount=left, ext_ref=ext_ref)]
    return [
        Move(debit=accounts.fx_position(left.currency), credit=credit, amount=left, ext_ref=ext_ref),
        Move(debit=debit, credit=accounts.fx_position(entered.currency), amount=entered, ext_ref=ext_ref),
    ]


def _received(amount: Money, settled: Money, source: AccountName, bt: str) -> list[Move]:
    """``amount`` from ``source`` arrives on the Stripe balance as ``settled``."""
    balance = accounts.stripe_balance(settled.currency)
    return _exchange(debit=balance, entered=settled, credit=source, left=amount, ext_ref=bt)


def _spent(amount: Money, settled: Money, purpose: AccountName, bt: str) -> list[Move]:
    """``settled`` leaves the Stripe balance and answers for ``amount`` at ``purpose``."""
    balance = accounts.stripe_balance(settled.currency)
    return _exchange(debit=purpose, entered=amount, credit=balance, left=settled, ext_ref=bt)


def _fee(fee: Money, bt: str) -> list[Move]:
    """Stripe's part of a balance transaction; below nothing, Stripe gave a fee back."""
    cost, balance = accounts.psp_fee(fee.currency), accounts.stripe_balance(fee.currency)
    if fee.amount < 0:
        return [Move(debit=balance, credit=cost, amount=-fee, ext_ref=bt)]
    return [Move(debit=cost, credit=balance, amount=fee, ext_ref=bt)]


def _due_again(cooperative: str, amount: Money) -> Move:
    """A payout that did not get through: what was on its way is due to the cooperative again."""
    return Move(
        debit=accounts.payout_in_flight(cooperative, amount.currency),
        credit=accounts.producer_payable(cooperative, amount.currency),
        amount=amount,
    )
