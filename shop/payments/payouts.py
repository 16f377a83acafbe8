"""What cooperatives are sent: planned by one person, approved by another, carried out by the bank or Stripe.

A supplier order is in one live payout at most. What a cooperative owes (refunds of what it was already
paid) is netted. The file for the bank is made with the plan, so that the approver reads the file itself. What
goes by Stripe is sent by ``transferring``.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import Sum
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from moneyed import Money

from cooperatives import payout_accounts
from cooperatives.models import Cooperative, Member, PayoutAccount
from shop.core import mailing, references
from shop.core.clock import day_of
from shop.core.errors import CarriedOutMeanwhile, Refused
from shop.core.lives import refused_when_stale
from shop.core.money import from_minor, to_minor
from shop.fulfilment import letters
from shop.fulfilment.models import SupplierOrder
from shop.ledger import balances, entries
from shop.ledger.models import JournalEntry, Posting
from shop.orders.models import Order
from shop.payments import batches, refunding
from shop.payments.bank import rib as ribs
from shop.payments.bank.reasons import reason_text
from shop.payments.models import (
    BalanceTransaction,
    BatchDownload,
    Payment,
    Payout,
    PayoutBatch,
    PayoutItem,
    PayoutRun,
    PayoutTransfer,
    Refund,
)

logger = logging.getLogger(__name__)

Rail = PayoutAccount.Rail
State = Payout.State
Made = PayoutTransfer.State
#: Live payouts whose money has not left the books yet.
NOT_YET_WRITTEN = (State.PLANNED, State.APPROVED, State.SENDING)


class NothingToPay(Refused):
    message = _("Nothing is due to a cooperative that can be paid now.")


class SamePerson(Refused):
    message = _("Another person than the one who planned these payouts has to approve them.")


class ReasonMissing(Refused):
    message = _("Say why: whoever audits it reads this.")


class Downloaded(Refused):
    message = _(
        "Its file was downloaded, and the bank may have been given it: giving it up takes two persons."
    )


class SamePersonGivesUp(Refused):
    message = _("Another person than the one who asked for it has to agree.")


class TookTheFile(Refused):
    message = _(
        "You downloaded the file yourself: somebody who did not has to agree that the bank was not given it."
    )


class AskedAlready(Refused):
    message = _("Somebody has already asked for this; another person has to agree first.")


class NothingAsked(Refused):
    message = _("Nobody has asked that this run be given up, or it is settled already.")


class PartsSent(Refused):
    def __init__(self, references: Sequence[str]) -> None:
        self.references = list(references)
        super().__init__(
            format_lazy(
                _("It can no longer be given up as a whole: {names} has been sent, or may have been."),
                names=", ".join(self.references),
            )
        )


class AccountChanged(Refused):
    def __init__(self, cooperatives: Sequence[str]) -> None:
        self.cooperatives = list(cooperatives)
        super().__init__(
            format_lazy(
                _(
                    "The account of {names} has changed or been put on hold since this was planned. "
                    "Cancel these payouts and plan again."
                ),
                names=", ".join(self.cooperatives),
            )
        )


class Why(models.TextChoices):
    """Why something that is due is not in a plan."""

    NO_ACCOUNT = "no_account", _("no account yet, or it may not be used yet")
    ON_HOLD = "on_hold", _("on hold")
    NOT_ACTIVE = "not_active", _("Stripe does not let this account receive money yet")
    OWES_MORE = "owes_more", _("it owes more than is due to it")
    CASH = "cash", _("paid in cash: a Stripe account cannot receive it, a bank account can")
    NOT_IMPORTED = "not_imported", _("the customer's payment is not on the Stripe balance yet")
    BOOKS_SAY_LESS = "books_say_less", _("the books say less is due: look before paying")


@dataclass(frozen=True)
class LeftOut:
    """Something due that is not sent, and why. ``note`` is what was written when it was put on hold."""

    cooperative: Cooperative
    amount: Money
    why: Why
    note: str = ""


@dataclass
class Due:
    """What one cooperative could be sent now."""

    cooperative: Cooperative
    account: PayoutAccount | None
    parts: list[tuple[SupplierOrder, int]] = field(default_factory=list)
    owes: int = 0
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def shares(self) -> int:
        return sum(share for _, share in self.parts)

    @property
    def netted(self) -> int:
        return min(self.owes, self.shares)


# Planning


@transaction.atomic
def plan(*, by: Any, at: datetime) -> PayoutRun:
    """Plan one payout for every cooperative that is owed something and can be paid, and make the bank's file.

    Takes in refunds that wait for a bank transfer. Cooperatives are locked in order: of two persons who plan
    at once the second finds nothing. Raises NothingToPay; what was left out is ``left_out``.
    """
    cooperatives = _lock(_with_something_due())
    day = day_of(at)
    number = PayoutRun.objects.filter(reference__startswith=f"PR-{day:%Y%m%d}-").count() + 1
    suffix = f"{day:%Y%m%d}-{number:02d}"
    due = [each for each in _look_at(cooperatives, at) if each.shares - each.netted > 0]
    refunds = list(
        Refund.objects.select_for_update(of=("self",))
        .filter(way=Refund.Way.BANK, state=Refund.State.REQUESTED, batch=None)
        .select_related("payment__order")
        .order_by("pk")
    )
    if not due and not refunds:
        raise NothingToPay
    try:
        with transaction.atomic():
            run: PayoutRun = PayoutRun.objects.create(reference=f"PR-{suffix}", planned_by=by, planned_at=at)
            payouts = [
                _make(run, each, references.checked(f"PO-{suffix}-{each.cooperative.code}"), at)
                for each in due
            ]
    except IntegrityError as error:
        # The database's own net under the lock: a supplier order is in one live payout.
        raise CarriedOutMeanwhile(_("Somebody else has just planned these payouts.")) from error
    by_bank = [each for each in payouts if each.rail == Rail.BANK]
    if by_bank or refunds:
        batch = batches.make(
            run=run, payouts=by_bank, refunds=refunds, reference=references.checked(f"BA-{suffix}"), at=at
        )
        Payout.objects.filter(pk__in=[each.pk for each in by_bank]).update(batch=batch)
        Refund.objects.filter(pk__in=[each.pk for each in refunds]).update(batch=batch)
    logger.info("payouts planned", extra={"run": run.reference, "payouts": len(payouts)})
    return run


def left_out(*, at: datetime, of: Cooperative | None = None) -> list[LeftOut]:
    """What is due and would not be in a plan made now, with the reason; of one cooperative, or of all."""
    return [each for due in outlook(at=at, of=of) for each in due.left_out]


def outlook(*, at: datetime, of: Cooperative | None = None) -> list[Due]:
    """What a plan made now would send and leave out, cooperative by cooperative, or for one. Nothing is written."""
    found = _with_something_due()
    return _look_at(list(found if of is None else found.filter(pk=of.pk)), at)


def _with_something_due() -> models.QuerySet[Cooperative]:
    found: models.QuerySet[Cooperative] = Cooperative.objects.filter(pk__in=_released().values("cooperative"))
    return found.order_by("pk")


def _released() -> models.QuerySet[SupplierOrder]:
    """Released parts that no live payout speaks for."""
    spoken_for = PayoutItem.objects.filter(is_live=True).values("supplier_order")
    found: models.QuerySet[SupplierOrder] = SupplierOrder.objects.filter(state=SupplierOrder.State.RELEASED)
    return found.exclude(pk__in=spoken_for)


def _lock(cooperatives: models.QuerySet[Cooperative]) -> list[Cooperative]:
    """Lock them in the order of their ids. The keys stay free, so that orders can still be routed."""
    keys = list(cooperatives.values_list("pk", flat=True))
    return list(Cooperative.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk"))


def _look_at(cooperatives: Sequence[Cooperative], at: datetime) -> list[Due]:
    """What each is owed now, by the books, and what of it can be sent."""
    parts: dict[int, list[SupplierOrder]] = defaultdict(list)
    for each in (
        _released().filter(cooperative__in=cooperatives).select_related("order").order_by("released_at", "pk")
    ):
        parts[each.cooperative_id].append(each)
    shares = _shares([each for some in parts.values() for each in some])
    charges = settled_charges([each.order_id for some in parts.values() for each in some])
    in_use = _accounts_in_use(cooperatives, at)
    standing = _standing(cooperatives)
    found = []
    for cooperative in cooperatives:
        due = Due(cooperative, in_use.get(cooperative.pk))
        due.parts = [(each, shares.get(each.reference, 0)) for each in parts[cooperative.pk]]
        due.parts = [(each, share) for each, share in due.parts if share > 0]
        if due.parts:
            _judge(due, charges, standing)
            found.append(due)
    return found


def _accounts_in_use(cooperatives: Sequence[Cooperative], at: datetime) -> dict[int, PayoutAccount]:
    """``payout_accounts.current`` of many cooperatives in one query: ``{cooperative id: account}``."""
    found: dict[int, PayoutAccount] = {}
    for account in PayoutAccount.objects.usable(at=at).filter(cooperative__in=cooperatives):
        found.setdefault(account.cooperative_id, account)
    return found


def _judge(
    due: Due, charges: dict[int, BalanceTransaction], standing: dict[tuple[str, str], tuple[int, int]]
) -> None:
    """Leave out what cannot be sent."""
    account = due.account
    if account is None:
        _leave(due, due.parts, Why.NO_ACCOUNT)
    elif account.rail == Rail.HOLD:
        _leave(due, due.parts, Why.ON_HOLD, account.reason)
    elif account.rail == Rail.STRIPE and not account.transfers_active:
        _leave(due, due.parts, Why.NOT_ACTIVE)
    elif account.rail == Rail.STRIPE:
        cash = [each for each in due.parts if each[0].order.payment_method != Order.Method.CARD]
        _leave(due, cash, Why.CASH)
        unknown = [each for each in due.parts if each[0].order_id not in charges]
        _leave(due, unknown, Why.NOT_IMPORTED)
    if not due.parts:
        return
    owes, payable = standing.get((due.cooperative.code, due.parts[0][0].currency), (0, 0))
    due.owes = owes
    if due.shares > payable:
        _leave(due, due.parts, Why.BOOKS_SAY_LESS)
    elif due.shares <= owes:
        _leave(due, due.parts, Why.OWES_MORE)


def _leave(due: Due, parts: Sequence[tuple[SupplierOrder, int]], why: Why, note: str = "") -> None:
    if not parts:
        return
    amount = from_minor(sum(share for _, share in parts), parts[0][0].currency)
    due.left_out.append(LeftOut(due.cooperative, amount, why, note))
    gone = {each.pk for each, _ in parts}
    due.parts = [each for each in due.parts if each[0].pk not in gone]


def _shares(supplier_orders: Iterable[SupplierOrder]) -> dict[str, int]:
    """What the books say is payable for each part: ``{reference: minor units}``, earlier refunds already off."""
    wanted = [each.reference for each in supplier_orders]
    found: dict[str, int] = defaultdict(int)
    postings = Posting.objects.filter(entry__supplier_order__in=wanted)
    for side, sign in (("credit", 1), ("debit", -1)):
        rows = postings.filter(**{f"{side}__kind": "producer_payable"}).values("entry__supplier_order")
        for row in rows.annotate(minor=Sum("amount_minor")).order_by():
            found[row["entry__supplier_order"]] += sign * row["minor"]
    return found


def _standing(cooperatives: Sequence[Cooperative]) -> dict[tuple[str, str], tuple[int, int]]:
    """``{(cooperative code, currency): (what it owes, what is payable)}`` in minor units.

    By the books, less what live payouts have already spoken for.
    """
    owes: dict[tuple[str, str], int] = defaultdict(int)
    payable: dict[tuple[str, str], int] = defaultdict(int)
    for kind, sums in (("producer_receivable", owes), ("producer_payable", payable)):
        for code, amount in balances.balances(prefix=f"{kind}:").items():
            _kind, owner, currency = code.split(":")
            sums[owner, currency] = to_minor(amount)
    live = Payout.objects.filter(cooperative__in=cooperatives)
    for payout in live.filter(state__in=NOT_YET_WRITTEN).select_related("cooperative"):
        whose = payout.cooperative.code, payout.currency
        owes[whose] -= payout.netted_minor
        payable[whose] -= payout.shares_minor
    # Transfers are written when their balance transaction is imported, whatever the payout's own state.
    under_way = PayoutTransfer.objects.filter(
        item__payout__in=live.filter(state__in=[State.SENDING, State.SENT]),
        state=PayoutTransfer.State.MADE,
    ).select_related("item__payout__cooperative")
    booked = set(
        BalanceTransaction.objects.filter(
            category="transfer", source_id__in=[each.stripe_transfer_id for each in under_way]
        )
        .exclude(posted_at=None)
        .values_list("source_id", flat=True)
    )
    for transfer in under_way:
        payout = transfer.item.payout
        whose = payout.cooperative.code, payout.currency
        is_booked = transfer.stripe_transfer_id in booked
        if payout.state == State.SENDING and is_booked:
            payable[whose] += transfer.amount_minor
        elif payout.state == State.SENT and not is_booked:
            payable[whose] -= transfer.amount_minor
    return {each: (max(owes[each], 0), payable[each]) for each in {*owes, *payable}}


def settled_charges(orders: Iterable[int]) -> dict[int, BalanceTransaction]:
    """The balance transaction of each card order's charge: ``{order id: row}``."""
    charges = dict(
        Payment.objects.filter(order__in=list(orders), state=Payment.State.PAID)
        .exclude(stripe_charge_id="")
        .values_list("stripe_charge_id", "order")
    )
    rows = BalanceTransaction.objects.filter(source_id__in=list(charges), category__in=["charge", "payment"])
    return {charges[each.source_id]: each for each in rows.exclude(posted_at=None)}


def _make(run: PayoutRun, due: Due, reference: str, at: datetime) -> Payout:
    assert due.account is not None
    payout: Payout = Payout.objects.create(
        reference=reference,
        run=run,
        cooperative=due.cooperative,
        account=due.account,
        rail=due.account.rail,
        currency=due.parts[0][0].currency,
        shares_minor=due.shares,
        netted_minor=due.netted,
        amount_minor=due.shares - due.netted,
        key=f"po:{reference}",
        planned_at=at,
    )
    PayoutItem.objects.bulk_create(
        PayoutItem(payout=payout, supplier_order=supplier_order, currency=payout.currency, share_minor=share)
        for supplier_order, share in due.parts
    )
    return payout


# Approving


@transaction.atomic
def approve(*, run: PayoutRun, by: Any, at: datetime) -> PayoutRun:
    """A second person agrees to what the file says. From now on nothing in it changes.

    Raises SamePerson, AccountChanged, BatchFileAltered, CarriedOutMeanwhile.
    """
    run = PayoutRun.objects.select_for_update().get(pk=run.pk)
    if run.planned_by_id == by.pk:
        raise SamePerson
    payouts = list(locked(run=run))
    _check_accounts(payouts, at)
    batch = PayoutBatch.objects.filter(run=run).first()
    if batch is not None:
        batches.check(batch=batch)
    with refused_when_stale():
        run.approve(by=by, at=at)
        run.save()
        for payout in payouts:
            payout.approve()
            payout.save()
        if batch is not None:
            for refund in batch.refunds.all():
                refund.send()
                refund.save()
    logger.info("payouts approved", extra={"run": run.reference})
    return run


def _check_accounts(payouts: Iterable[Payout], at: datetime) -> None:
    changed = [
        each.cooperative.name
        for each in payouts
        if (now := payout_accounts.current(cooperative=each.cooperative, at=at)) is None
        or now.pk != each.account_id
    ]
    if changed:
        raise AccountChanged(changed)


@transaction.atomic
def cancel(*, run: PayoutRun, by: Any, at: datetime) -> PayoutRun:
    """Give a plan up before it is approved. What it held is free for the next."""
    run = PayoutRun.objects.select_for_update().get(pk=run.pk)
    with refused_when_stale():
        run.cancel(by=by, at=at)
        run.save()
        for payout in locked(run=run):
            payout.cancel()
            payout.save()
            payout.items.update(is_live=False)
    Refund.objects.filter(batch__run=run).update(batch=None)
    logger.info("payouts cancelled", extra={"run": run.reference})
    return run


@transaction.atomic
def give_up(*, run: PayoutRun, why: str, by: Any, at: datetime) -> PayoutRun:
    """Give an approved run up as a whole, as long as nothing of it has left: all of it is due again.

    No money has moved, so nothing is booked. As long as nobody has downloaded its file one person is enough;
    after that it takes two: ``ask_to_give_up``. Its file is never given out again. Raises ReasonMissing,
    PartsSent, Downloaded, or CarriedOutMeanwhile when a sender was quicker.
    """
    why = _said(why)
    run, batch, payouts = _still_here(run)
    if downloaders(run=run):
        raise Downloaded
    return _give_up(run, batch, payouts, why, by, at)


@transaction.atomic
def ask_to_give_up(*, run: PayoutRun, why: str, by: Any, at: datetime) -> PayoutRun:
    """Ask that a run be given up whose file was downloaded. Nothing changes until another person agrees.

    Raises ReasonMissing, PartsSent, AskedAlready or CarriedOutMeanwhile.
    """
    why = _said(why)
    run, _batch, _payouts = _still_here(run)
    if run.giving_up_by_id is not None:
        raise AskedAlready
    with refused_when_stale():
        run.ask_to_give_up(by=by, at=at, why=why)
        run.save()
    logger.info("giving up of payouts asked for", extra={"run": run.reference})
    return run


@transaction.atomic
def agree_to_give_up(*, run: PayoutRun, by: Any, at: datetime) -> PayoutRun:
    """A second person, who never had the file, agrees that the bank was not given it: all of it is due again.

    Raises NothingAsked, SamePersonGivesUp, TookTheFile, PartsSent or CarriedOutMeanwhile.
    """
    run, batch, payouts = _still_here(run)
    if run.giving_up_by_id is None or run.state != PayoutRun.State.APPROVED:
        raise NothingAsked
    if run.giving_up_by_id == by.pk:
        raise SamePersonGivesUp
    if by.pk in downloaders(run=run):
        raise TookTheFile
    return _give_up(run, batch, payouts, run.giving_up_why, by, at)


def downloaders(*, run: PayoutRun) -> set[int]:
    """Who has had the file of a run, as ids: each of them could have given it to the bank."""
    return set(BatchDownload.objects.filter(batch__run=run).values_list("user", flat=True))


def _said(why: str) -> str:
    why = " ".join(why.split())[:250]
    if not why:
        raise ReasonMissing
    return why


def _still_here(run: PayoutRun) -> tuple[PayoutRun, PayoutBatch | None, list[Payout]]:
    """A run with its batch and payouts, locked, of which nothing has left. Raises PartsSent."""
    run = PayoutRun.objects.select_for_update().get(pk=run.pk)
    batch = PayoutBatch.objects.select_for_update().filter(run=run).first()
    payouts = list(locked(run=run))
    if gone := _gone(batch, payouts):
        raise PartsSent(gone)
    return run, batch, payouts


def _give_up(
    run: PayoutRun, batch: PayoutBatch | None, payouts: Sequence[Payout], why: str, by: Any, at: datetime
) -> PayoutRun:
    with refused_when_stale():
        run.give_up(by=by, at=at, why=why)
        run.save()
        for payout in payouts:
            if payout.state != State.REJECTED:  # Stripe would not even begin: due again already
                payout.give_up()
                payout.save()
                payout.items.update(is_live=False)
        for refund in batch.refunds.all() if batch is not None else ():
            refund.wait_again()
            refund.batch = None
            refund.save()
    logger.warning("approved payouts given up", extra={"run": run.reference})
    return run


def gone(*, run: PayoutRun) -> list[str]:
    """References of what of a run has left, or may have: its batch, its payouts by Stripe."""
    return _gone(PayoutBatch.objects.filter(run=run).first(), run.payouts.order_by("reference"))


def _gone(batch: PayoutBatch | None, payouts: Iterable[Payout]) -> list[str]:
    found = []
    if batch is not None and (batch.offered_at or batch.handed_over_at):
        found.append(batch.reference)
    left = (State.SENDING, State.SENT, State.PAID)
    transfers = PayoutTransfer.objects.filter(item__payout__in=[each.pk for each in payouts])
    asked = {each.item.payout_id for each in transfers.exclude(state=Made.REFUSED).select_related("item")}
    return found + [
        each.reference
        for each in payouts
        if each.state in left or each.sent_at is not None or each.pk in asked
    ]


# By bank


def check_accounts(*, batch: PayoutBatch, at: datetime) -> None:
    """Every payout still to be handed over goes to the account its cooperative uses now.

    Raises AccountChanged. To be asked before the bank is given the file.
    """
    _check_accounts(
        Payout.objects.filter(batch=batch, state=State.APPROVED).select_related("cooperative").order_by("pk"),
        at,
    )


@transaction.atomic
def offer(*, batch: PayoutBatch, at: datetime) -> bool:
    """The file is about to be given to a bank that may take it without our hearing of it: written down first.

    From now on its run cannot be given up. Returns whether it was offered for the first time; if not, the
    bank may have it from an earlier time, whatever it answers now. Raises NotApproved or GivenUp.
    """
    batch = _approved(batch)
    if batch.offered_at is not None:
        return False
    batch.offered_at = at
    batch.save(update_fields=["offered_at"])
    return True


def not_taken(*, batch: PayoutBatch) -> None:
    """The bank said that it did not take the file, which it was offered for the first time: nothing has left."""
    PayoutBatch.objects.filter(pk=batch.pk, handed_over_at=None).update(offered_at=None)


def _approved(batch: PayoutBatch) -> PayoutBatch:
    """The batch, locked, of a run that is approved. The run is read after the lock was had: see ``give_up``."""
    batch = PayoutBatch.objects.select_for_update().get(pk=batch.pk)
    batches.require_approved(run=PayoutRun.objects.get(pk=batch.run_id))
    return batch


@transaction.atomic
def hand_over(
    *, batch: PayoutBatch, at: datetime, acknowledgement: dict[str, Any] | None = None
) -> PayoutBatch:
    """The bank has the file: from now on the money is on its way (J12a). Again changes nothing.

    An account changed or put on hold since the approval stops it, unless the bank acknowledged the file
    already: then what has happened is written down. Raises NotApproved, GivenUp, AccountChanged.
    """
    batch = _approved(batch)
    if batch.handed_over_at is not None:
        return batch
    batches.check(batch=batch)
    if acknowledgement is None:
        check_accounts(batch=batch, at=at)
    batch.handed_over_at, batch.acknowledgement = at, acknowledgement or {}
    batch.save(update_fields=["handed_over_at", "acknowledgement"])
    for payout in locked(batch=batch, state=State.APPROVED):
        entries.record_batch_sent(
            payout=payout.reference,
            cooperative=payout.cooperative.code,
            effective_on=day_of(at),
            amount=payout.amount,
        )
        sent(payout, at)
    for refund in batch.refunds.filter(state=Refund.State.SENDING).select_related("payment__order"):
        with refused_when_stale():
            refund.take(stripe_refund_id="", at=at)
            refund.save()
        refunding.tell_sent(refund=refund, at=at)
    return batch


@transaction.atomic
def arrive(*, payout: Payout, line: str, on: date, at: datetime) -> Payout:
    """The bank's statement shows that a payout left our account (J12b). Again changes nothing."""
    payout = locked(pk=payout.pk).get()
    entries.record_payout_debited(
        payout=payout.reference,
        cooperative=payout.cooperative.code,
        line=line,
        effective_on=on,
        amount=payout.amount,
    )
    if payout.state == State.SENT:
        with refused_when_stale():
            payout.arrive(at=at)
            payout.save()
    return payout


@transaction.atomic
def reject(*, payout: Payout, why: str, at: datetime) -> Payout:
    """The bank did not take a payout: it is due again (J12c), and its account is held until somebody looks.

    Again changes nothing. Raises CarriedOutMeanwhile once the money has left: that is ``returned``.
    """
    payout = locked(pk=payout.pk).get()
    if payout.state == State.REJECTED:
        return payout
    if payout.rail == Rail.STRIPE and payout.state != State.APPROVED:
        raise CarriedOutMeanwhile(_("Stripe already has this payout: what became of it is read from Stripe."))
    if payout.state == State.PAID:
        raise CarriedOutMeanwhile(
            _("The bank has carried this payout out. If it came back, record its return.")
        )
    if payout.state == State.SENT:
        entries.record_payout_rejected(
            payout=payout.reference,
            cooperative=payout.cooperative.code,
            effective_on=day_of(at),
            amount=payout.amount,
        )
    back(payout, why, at)
    return payout


@transaction.atomic
def returned(*, payout: Payout, line: str, why: str, on: date, at: datetime) -> Payout:
    """A payout came back after it had left (J12d, J12c): it is due again. Again changes nothing."""
    payout = locked(pk=payout.pk).get()
    if payout.state == State.REJECTED:
        return payout
    entries.record_payout_returned(
        payout=payout.reference,
        cooperative=payout.cooperative.code,
        line=line,
        effective_on=on,
        amount=payout.amount,
    )
    back(payout, why, at)
    return payout


# What is shared


def locked(**which: Any) -> models.QuerySet[Payout]:
    """Payouts as they are now, for as long as the transaction lasts."""
    found: models.QuerySet[Payout] = Payout.objects.select_for_update(of=("self",)).filter(**which)
    return found.select_related("cooperative", "account").order_by("pk")


def sent(payout: Payout, at: datetime) -> None:
    """It is on its way: what was netted is settled, and the cooperative hears of it."""
    with refused_when_stale():
        payout.sent(at=at)
        payout.save()
    if payout.netted_minor:
        entries.record_netting(
            payout=payout.reference,
            cooperative=payout.cooperative.code,
            effective_on=day_of(at),
            amount=payout.netted,
        )
    _tell(payout, "payout.sent", at)
    logger.info("payout sent", extra={"payout": payout.reference, "rail": payout.rail})


def back(payout: Payout, why: str, at: datetime, *, hold: bool = True) -> None:
    """It did not get through: everything in it is due again, what was still netted is owed again."""
    with refused_when_stale():
        payout.reject(why=why[:200])
        payout.save()
    payout.items.update(is_live=False)
    undo_netting(payout, payout.netted, at)
    if hold:
        payout_accounts.put_on_hold(cooperative=payout.cooperative, reason=why, at=at)
    _tell(payout, "payout.rejected", at, why=why)
    logger.warning("payout rejected", extra={"payout": payout.reference, "rail": payout.rail})


def undo_netting(payout: Payout, amount: Money, at: datetime, *, part: str = "") -> None:
    """What was set off against a payout, or against one ``part`` of it, is owed again, if that was ever written."""
    if not amount or not JournalEntry.objects.filter(event=f"payout:{payout.reference}:netted").exists():
        return
    entries.record_netting_undone(
        payout=payout.reference,
        part=part,
        cooperative=payout.cooperative.code,
        effective_on=day_of(at),
        amount=amount,
    )


def _tell(payout: Payout, topic: str, at: datetime, why: str = "") -> None:
    """Those who see the cooperative's money hear of it, each in her own language."""
    account = payout.account
    members = Member.objects.current().filter(
        cooperative=payout.cooperative, role__in=[Member.Role.OWNER, Member.Role.FINANCE]
    )
    for member in members.select_related("user").order_by("pk"):
        mailing.promise(
            topic=topic,
            to=member.user.email,
            language=member.user.language,
            key=f"{topic}:{payout.reference}:{member.user.email}"[:160],
            at=at,
            about=payout.reference,
            context=lambda: {
                "reference": payout.reference,
                "cooperative": payout.cooperative.name,
                "amount": letters.amount(payout.amount),
                "netted": letters.amount(payout.netted) if payout.netted_minor else None,
                "parts": payout.items.count(),
                "rail": payout.rail,
                "account": ribs.masked(account.rib)
                if payout.rail == Rail.BANK
                else account.stripe_account_id,
                "why": reason_text(gettext(why)) if why else "",
            },
        )
