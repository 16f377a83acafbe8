"""Money on its way back: asked for, sent, arrived or failed.

What is taken from whom is frozen and written to the books when the refund is asked for; the payment leaves
``refund_payable`` only when Stripe's balance transaction or the bank's statement line shows it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.lookups import GreaterThanOrEqual
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cooperatives.models import Cooperative, Member
from shop.core import mailing, references
from shop.core.clock import day_of
from shop.core.crashpoints import crashpoint
from shop.core.errors import Refused
from shop.core.lives import refused_when_stale
from shop.core.money import from_minor, share_minor
from shop.core.sweeping import each_by_itself
from shop.fulfilment import bearing, letters, story
from shop.fulfilment.models import DeliveryCostRule, SupplierOrder, SupplierOrderLine
from shop.ledger import entries
from shop.orders import links
from shop.payments.bank import rib as ribs
from shop.payments.models import LatePayment, Payment, PayoutItem, Refund, RefundLine
from shop.payments.stripe import gateway
from shop.payments.stripe.errors import AnswerUnknown, StripeRefused

logger = logging.getLogger(__name__)

State = Refund.State
Reason = Refund.Reason
Stage = Refund.Stage

#: Stripe forgets a key after a day; an hour before that it is no longer trusted.
KEY_LIFE = timedelta(hours=23)
#: By law the customer has her money back within fifteen days.
DAYS_TO_PAY = 15
#: Written on a refund whose answer is not known, so that the next try looks first.
LOOK_FIRST = "answer unknown"


class NotPaid(Refused):
    message = _("Nothing was paid for this part, so nothing goes back.")


class NothingLeft(Refused):
    message = _("Everything paid for this part has already been given back.")


class TooMany(Refused):
    def __init__(self, line: SupplierOrderLine, left: int) -> None:
        self.line, self.left = line, left
        super().__init__(
            format_lazy(_("Of “{title}” only {left} can still be given back."), title=line.title, left=left)
        )


class LineOfAnotherPart(Refused):
    message = _("These goods are not in this part of the order.")


class MoreThanPaid(Refused):
    message = _("More would go back than was paid for this order.")


class AccountNeeded(Refused):
    message = _("This order was paid in cash. Say to which bank account (RIB) the money goes back.")


class NotFailed(Refused):
    message = _("Only a refund that failed can be sent again.")


class NotOnItsWay(Refused):
    message = _("This refund is no longer on its way with the bank.")


@dataclass(frozen=True)
class _Part:
    """What one line gives back, in minor units."""

    line: SupplierOrderLine
    quantity: int
    goods: int
    discount: int
    commission: int
    commission_vat: int
    solidarity: int


# Asking for one


@transaction.atomic
def request(
    *,
    supplier_order: SupplierOrder,
    reason: str,
    lines: Mapping[SupplierOrderLine, int] | None,
    with_delivery: bool,
    by: Any,
    at: datetime,
    note: str = "",
    holder: str = "",
    rib: str = "",
    once: str = "",
) -> Refund:
    """Give money back for a part of an order: the whole of what is left, or ``{line: quantity}``.

    ``once`` is a one-time key: asking again under it changes nothing and returns the first refund.

    The customer gets back what she paid of the goods; what the shop's voucher had paid returns to the shop.
    ``with_delivery`` gives the delivery's price back too, unless by rule the customer bears it in this
    case. Fees come back in proportion, allocated over what is left of each line. An order paid in cash
    needs ``holder`` and ``rib``. Raises NotPaid, NothingLeft, TooMany, MoreThanPaid, AccountNeeded.
    """
    # The cooperative first, as payouts do: whether its money has left decides who gives it back.
    Cooperative.objects.select_for_update(no_key=True).get(pk=supplier_order.cooperative_id)
    payment = Payment.objects.select_for_update().filter(order=supplier_order.order_id).first()
    supplier_order = (
        SupplierOrder.objects.select_for_update(of=("self",))
        .select_related("order", "cooperative")
        .get(pk=supplier_order.pk)
    )
    before = asked_before(supplier_order=supplier_order, once=once)
    if before is not None:
        return before
    if payment is None or not _has_moved(supplier_order, payment):
        raise NotPaid
    way = Refund.Way.BANK if supplier_order.is_cash else Refund.Way.STRIPE
    if way == Refund.Way.BANK:
        holder = " ".join(holder.split())
        if not holder or not rib:
            raise AccountNeeded
        rib = ribs.check(rib)

    parts = _parts(supplier_order, lines)
    bearer = _bearer(reason, day_of(at)) if with_delivery else DeliveryCostRule.Bearer.CUSTOMER
    gives_delivery = bearer != DeliveryCostRule.Bearer.CUSTOMER and not _delivery_went_back(supplier_order)
    refund: Refund = Refund(
        reference=references.make("R"),
        once=once or None,
        payment=payment,
        supplier_order=supplier_order,
        reason=reason,
        stage=_stage(supplier_order),
        way=way,
        currency=supplier_order.currency,
        goods_minor=sum(each.goods for each in parts),
        discount_minor=sum(each.discount for each in parts),
        delivery_minor=supplier_order.delivery_minor if gives_delivery else 0,
        delivery_vat_minor=supplier_order.delivery_vat_minor if gives_delivery else 0,
        commission_minor=sum(each.commission for each in parts),
        commission_vat_minor=sum(each.commission_vat for each in parts),
        solidarity_minor=sum(each.solidarity for each in parts),
        bank_holder=holder if way == Refund.Way.BANK else "",
        bank_rib=rib if way == Refund.Way.BANK else "",
        note=note[:250],
        requested_by=by,
        requested_at=at,
        due_on=day_of(at) + timedelta(days=DAYS_TO_PAY),
    )
    refund.amount_minor = refund.goods_minor - refund.discount_minor + refund.delivery_minor
    refund.key = _key(refund)
    if refund.amount_minor <= 0:
        raise NothingLeft
    _take_from(payment, refund.amount_minor)
    refund.save(force_insert=True)
    RefundLine.objects.bulk_create(
        RefundLine(
            refund=refund,
            line=each.line,
            quantity=each.quantity,
            currency=refund.currency,
            goods_minor=each.goods,
            discount_minor=each.discount,
            commission_minor=each.commission,
            commission_vat_minor=each.commission_vat,
            solidarity_minor=each.solidarity,
        )
        for each in parts
    )
    crashpoint("refunding.taken")
    _write(refund, supplier_order, at)
    if gives_delivery and bearer == DeliveryCostRule.Bearer.COOPERATIVE:
        _charge_delivery(refund, supplier_order, at)
    _tell_cooperative(refund, supplier_order, bearer if gives_delivery else "", at)
    story.tell(
        order=supplier_order.order,
        kind="refund.requested",
        supplier_order=supplier_order,
        actor=story.actor_of(by),
        at=at,
        refund=refund.reference,
        reason=reason,
        amount=letters.amount(refund.amount),
    )
    logger.info("refund requested", extra={"refund": refund.reference, "reason": reason})
    return refund


def asked_before(*, supplier_order: SupplierOrder, once: str) -> Refund | None:
    """The refund that was asked for under this one-time key, if there is one."""
    if not once:
        return None
    found: Refund | None = supplier_order.refunds.filter(once=once).first()
    return found


@transaction.atomic
def request_late(*, late: LatePayment, at: datetime) -> Refund:
    """Send money back that no order can take. The same again returns the first refund."""
    late = LatePayment.objects.select_for_update().get(pk=late.pk)
    before: Refund | None = late.refund
    if before is not None:
        return before
    refund: Refund = Refund(
        reference=references.make("R"),
        payment=late.payment,
        reason=Reason.LATE,
        stage=Stage.NONE,
        way=Refund.Way.STRIPE,
        currency=late.currency,
        amount_minor=late.amount_minor,
        requested_at=at,
        due_on=day_of(at) + timedelta(days=DAYS_TO_PAY),
    )
    refund.key = _key(refund)
    refund.save(force_insert=True)
    late.refund = refund
    late.save(update_fields=["refund"])
    story.tell(
        order=late.payment.order,
        kind="refund.requested",
        at=at,
        refund=refund.reference,
        reason=late.reason,
        amount=letters.amount(refund.amount),
    )
    return refund


def refund_ended_parts(*, at: datetime) -> int:
    """Ask for the money of every paid part that was declined or cancelled; returns how many.

    The supplier orders are the queue: this finds what no nudge told. A repeat finds nothing.
    """
    ended = (
        SupplierOrder.objects.ended_after_payment()
        .filter(order__payment__state=Payment.State.PAID)
        .exclude(refunds__reason__in=[Reason.DECLINED, Reason.CANCELLED])
        .exclude(_nothing_left())
        .order_by("ended_at", "pk")
    )
    return each_by_itself(
        ended, lambda each: refund_ended_part(supplier_order=each, at=at), what="refund ended part"
    )


def _nothing_left() -> Q:
    """Parts all of whose goods and delivery were given back before they ended."""
    given = Refund.objects.filter(supplier_order=OuterRef("pk"))
    goods = given.order_by().values("supplier_order").annotate(sum=Sum("goods_minor")).values("sum")
    delivery_gone = Q(delivery_minor=0) | Exists(given.filter(delivery_minor__gt=0))
    return GreaterThanOrEqual(Subquery(goods), F("goods_minor")) & delivery_gone


@transaction.atomic
def refund_ended_part(*, supplier_order: SupplierOrder, at: datetime) -> Refund | None:
    """Give back what was paid for one part that came to nothing; None if that has been seen to."""
    cancelled = supplier_order.state == SupplierOrder.State.CANCELLED
    # Whoever comes second waits here, and then sees what the first did.
    Cooperative.objects.select_for_update(no_key=True).get(pk=supplier_order.cooperative_id)
    if supplier_order.refunds.filter(reason__in=[Reason.DECLINED, Reason.CANCELLED]).exists():
        return None
    try:
        refund: Refund = request(
            supplier_order=supplier_order,
            reason=Reason.CANCELLED if cancelled else Reason.DECLINED,
            lines=None,
            with_delivery=True,
            by=None,
            at=at,
        )
    except (NothingLeft, NotPaid):
        return None
    return refund


# Sending it


def send(*, refund: Refund, at: datetime) -> Refund:
    """Ask Stripe to pay a refund, once, whatever happened to earlier tries.

    The intent is committed with its key before Stripe is asked. A refund found ``sending`` is one whose
    answer was lost: within the key's life the same key gives the same refund; after it, or when Stripe kept
    an error under the key, Stripe is searched first and only a negative answer earns a new key. Raises
    Unavailable when Stripe does not answer; then it stays ``sending`` for the next sweep.
    """
    with transaction.atomic():
        refund = _locked(refund.pk)
        if refund.way != Refund.Way.STRIPE or refund.state not in (State.REQUESTED, State.SENDING):
            return refund
        doubtful = refund.state == State.SENDING and (
            refund.failure == LOOK_FIRST or refund.asked_at is None or at - refund.asked_at >= KEY_LIFE
        )
        refund.send()
        refund.asked_at = refund.asked_at or at
        refund.save()
    payment_intent = _payment_intent(refund)
    if doubtful:
        made = gateway.find_refund(payment_intent=payment_intent, key=refund.key)
        if made is not None:
            return follow(seen=made, at=at) or refund
        refund = _with_new_key(refund, at)
    _before_asking(refund)
    try:
        seen = gateway.refund(
            payment_intent=payment_intent,
            amount=refund.amount,
            reference=refund.reference,
            order=refund.payment.order.number,
            key=refund.key,
        )
    except AnswerUnknown:
        Refund.objects.filter(pk=refund.pk, state=State.SENDING).update(failure=LOOK_FIRST)
        raise
    except StripeRefused as refusal:
        return _fail(refund.pk, refusal.reason, at)
    _after_asking(refund)
    return follow(seen=seen, at=at) or refund


def _before_asking(refund: Refund) -> None:
    """A marked point: the intent is committed, Stripe not yet asked."""
    crashpoint("refunding.before_asking")


def _after_asking(refund: Refund) -> None:
    """A marked point: Stripe has done it, we have not written it down."""
    crashpoint("refunding.after_asking")


@transaction.atomic
def follow(*, seen: gateway.SentRefund, at: datetime) -> Refund | None:
    """Take over what Stripe says of a refund now; None if it is not one of ours or of an earlier try."""
    refund = Refund.objects.filter(reference=seen.reference).first()
    if refund is None:
        return None
    refund = _locked(refund.pk)
    if seen.key != refund.key or refund.stripe_refund_id not in ("", seen.id):
        return None
    with refused_when_stale():
        if refund.state == State.REQUESTED:
            refund.send()
        if refund.state == State.SENDING:
            refund.take(stripe_refund_id=seen.id, at=at)
            refund.failure = ""
            _tell_customer(refund, at)
        if seen.status in ("failed", "canceled") and refund.state != State.FAILED:
            refund.fail(why=(seen.failure or seen.status)[:200])
            _tell_failure(refund, at)
        elif seen.status == "succeeded" and refund.state == State.SENT:
            refund.succeed(at=at)
        refund.save()
    return refund


def look(*, stripe_refund_id: str, at: datetime) -> Refund | None:
    """Read a refund at Stripe and take over its state. Raises Unavailable."""
    return follow(seen=gateway.read_refund(refund=stripe_refund_id), at=at)


# After a failure


@transaction.atomic
def retry(*, refund: Refund, by: Any, at: datetime) -> Refund:
    """Try a failed refund once more, under a new key. Raises NotFailed."""
    refund = _locked(refund.pk)
    if refund.state != State.FAILED:
        raise NotFailed
    _again(refund)
    _tell_again(refund, by, at)
    return refund


@transaction.atomic
def pay_by_bank_instead(*, refund: Refund, holder: str, rib: str, by: Any, at: datetime) -> Refund:
    """A card did not take its refund: it goes into the next batch to the bank. Raises NotFailed, RibRefused."""
    refund = _locked(refund.pk)
    if refund.state != State.FAILED:
        raise NotFailed
    holder = " ".join(holder.split())
    if not holder:
        raise AccountNeeded
    refund.way, refund.bank_holder, refund.bank_rib = Refund.Way.BANK, holder, ribs.check(rib)
    _again(refund)
    _tell_again(refund, by, at)
    return refund


# By bank transfer: the refund travels in the next batch of payouts


@transaction.atomic
def record_paid_by_bank(*, refund: Refund, line: str, on: date, at: datetime) -> Refund:
    """The bank's statement shows the refund. Again changes nothing."""
    refund = _locked(refund.pk)
    if refund.state != State.SUCCEEDED:
        with refused_when_stale():
            refund.succeed(at=at)
            refund.save()
    entries.record_refund_paid_by_bank(
        refund=refund.reference,
        order=refund.payment.order.number,
        line=line,
        effective_on=on,
        amount=refund.amount,
        sent_as=refund.bank_reference,
    )
    return refund


@transaction.atomic
def rejected_by_bank(*, refund: Refund, why: str, at: datetime) -> Refund:
    """The bank did not carry the refund out: it is still owed, and an operator sees it."""
    refund = _locked(refund.pk)
    with refused_when_stale():
        refund.fail(why=why[:200])
        refund.batch = None
        refund.save()
    _tell_failure(refund, at)
    return refund


@transaction.atomic
def never_debited(*, refund: Refund, attempt: int, why: str, at: datetime) -> Refund:
    """A try that the bank took and never debited is given up, as two persons agreed: still owed, may go again.

    Raises NotOnItsWay when the bank has shown or rejected it meanwhile, or it is another try.
    """
    refund = _locked(refund.pk)
    if (refund.way, refund.state, refund.attempt) != (Refund.Way.BANK, State.SENT, attempt):
        raise NotOnItsWay
    return rejected_by_bank(refund=refund, why=why, at=at)


def sent_as(*, reference: str) -> QuerySet[Refund]:
    """The refund the bank knows, or knew, by a reference of one of its tries (``Refund.bank_reference``)."""
    whole, _dash, attempt = reference.rpartition("-")
    names = Q(reference=reference)
    if attempt.isascii() and attempt.isdecimal():
        names |= Q(reference=whole, attempt__gte=int(attempt))
    found: QuerySet[Refund] = Refund.objects.filter(names)
    return found


# What it is made of


def _has_moved(supplier_order: SupplierOrder, payment: Payment) -> bool:
    """Whether the money of this part has come: by card at once, in cash when the parcel arrived."""
    if supplier_order.is_cash:
        arrived = (SupplierOrder.State.DELIVERED, SupplierOrder.State.RELEASED)
        return supplier_order.state in arrived
    return bool(payment.state == Payment.State.PAID)


def _stage(supplier_order: SupplierOrder) -> str:
    if supplier_order.state != SupplierOrder.State.RELEASED:
        return Stage.HELD
    spoken_for = PayoutItem.objects.filter(supplier_order=supplier_order, is_live=True).exists()
    return Stage.PAID if spoken_for else Stage.PAYABLE


def _bearer(reason: str, on: date) -> str:
    case = DeliveryCostRule.Case(reason) if reason in DeliveryCostRule.Case.values else None
    if case is None:
        return DeliveryCostRule.Bearer.SHOP
    return bearing.bearer_of(case=case, on=on)


def _delivery_went_back(supplier_order: SupplierOrder) -> bool:
    return supplier_order.refunds.filter(delivery_minor__gt=0).exists()


def _parts(supplier_order: SupplierOrder, wanted: Mapping[SupplierOrderLine, int] | None) -> list[_Part]:
    """What each line gives back, out of what earlier refunds left of it."""
    lines = list(supplier_order.lines.order_by("pk"))
    asked = {each.pk: quantity for each, quantity in (wanted or {}).items() if quantity}
    if not asked.keys() <= {each.pk for each in lines}:
        raise LineOfAnotherPart
    if any(quantity < 0 for quantity in asked.values()):
        raise ValueError("a quantity below nothing cannot be given back")
    gone: dict[int, Mapping[str, Any]] = {
        row["line"]: row
        for row in RefundLine.objects.filter(line__in=lines)
        .values("line")
        .annotate(
            quantities=Sum("quantity"),
            goods_gone=Sum("goods_minor"),
            discount_gone=Sum("discount_minor"),
            commission_gone=Sum("commission_minor"),
            vat_gone=Sum("commission_vat_minor"),
            solidarity_gone=Sum("solidarity_minor"),
        )
    }
    parts = []
    for line in lines:
        before: Mapping[str, Any] = gone.get(line.pk, {})
        left = line.quantity - before.get("quantities", 0)
        quantity = left if wanted is None else asked.get(line.pk, 0)
        if quantity > left:
            raise TooMany(line, left)
        if not quantity:
            continue
        weights = [quantity, left - quantity]
        commission = line.commission_minor - before.get("commission_gone", 0)
        vat = line.commission_vat_minor - before.get("vat_gone", 0)
        commission_back = share_minor(commission, weights)[0]
        # VAT follows the commission it is inside of: neither it nor the net can exceed what is left of it.
        vat_back = share_minor(vat, [commission_back, commission - commission_back])[0]
        parts.append(
            _Part(
                line=line,
                quantity=quantity,
                goods=share_minor(line.goods_minor - before.get("goods_gone", 0), weights)[0],
                # Shared by the same weights it is never more than the goods it is inside of.
                discount=share_minor(line.discount_by_shop_minor - before.get("discount_gone", 0), weights)[
                    0
                ],
                commission=commission_back,
                commission_vat=vat_back,
                solidarity=share_minor(line.solidarity_minor - before.get("solidarity_gone", 0), weights)[0],
            )
        )
    return parts


def _take_from(payment: Payment, amount_minor: int) -> None:
    """The guard row: the update carries its own condition, so that two refunds never exceed the payment."""
    room = Payment.objects.filter(pk=payment.pk, refunded_minor__lte=F("amount_minor") - amount_minor)
    if not room.update(refunded_minor=F("refunded_minor") + amount_minor):
        raise MoreThanPaid


def _write(refund: Refund, supplier_order: SupplierOrder, at: datetime) -> None:
    entries.record_refund(
        refund=refund.reference,
        order=supplier_order.order.number,
        supplier_order=supplier_order.reference,
        cooperative=supplier_order.cooperative.code,
        effective_on=day_of(at),
        stage=refund.stage,  # type: ignore[arg-type]
        goods=refund.goods,
        commission_net=refund.commission - refund.commission_vat,
        commission_vat=refund.commission_vat,
        solidarity=refund.solidarity,
        delivery_net=refund.delivery - refund.delivery_vat,
        delivery_vat=refund.delivery_vat,
        voucher=refund.discount,
    )


def _charge_delivery(refund: Refund, supplier_order: SupplierOrder, at: datetime) -> None:
    """By rule the cooperative bears the delivery. It owes it, and the next payout nets it: what is held for
    a part that came to nothing would not cover it."""
    entries.record_delivery_charged(
        supplier_order=supplier_order.reference,
        order=supplier_order.order.number,
        cooperative=supplier_order.cooperative.code,
        effective_on=day_of(at),
        stage="paid",
        net=refund.delivery - refund.delivery_vat,
        vat=refund.delivery_vat,
    )


def _tell_cooperative(refund: Refund, supplier_order: SupplierOrder, bearer: str, at: datetime) -> None:
    """Those who see the cooperative's money hear what a refund costs it, and where that comes off.

    Nothing comes off its other money for goods that it never sent: that it has been told when they ended.
    """
    delivery = refund.delivery_minor if bearer == DeliveryCostRule.Bearer.COOPERATIVE else 0
    share = 0 if refund.reason in (Reason.DECLINED, Reason.CANCELLED) else share_of(refund)
    if share + delivery <= 0:
        return
    members = Member.objects.current().filter(
        cooperative=supplier_order.cooperative_id, role__in=[Member.Role.OWNER, Member.Role.FINANCE]
    )
    for member in members.select_related("user").order_by("pk"):
        mailing.promise(
            topic="refund.taken_off",
            to=member.user.email,
            language=member.user.language,
            key=f"refund.taken_off:{refund.reference}:{member.user.email}"[:160],
            at=at,
            about=refund.reference,
            context=lambda: {
                "refund": refund.reference,
                "reference": supplier_order.reference,
                "cooperative": supplier_order.cooperative.name,
                "lines": [
                    {"title": each.line.title_said, "unit": each.line.unit_said, "quantity": each.quantity}
                    for each in lines_of(refund)
                ],
                "reason": str(refund.get_reason_display()),
                "to_customer": letters.amount(refund.amount),
                "share": letters.amount(from_minor(share, refund.currency)) if share else None,
                "delivery": letters.amount(from_minor(delivery, refund.currency)) if delivery else None,
                "stage": refund.stage,
            },
        )


def lines_of(refund: Refund) -> QuerySet[RefundLine]:
    """What a refund gives back, line by line, as it was bought."""
    lines: QuerySet[RefundLine] = refund.lines.select_related("line__order_line__product__parent").order_by(
        "pk"
    )
    return lines


def goods_said(refund: Refund) -> str:
    """The goods of a refund in one piece of text, in the reader's language."""
    return gettext(", ").join(f"{each.quantity} × {each.line.title_said}" for each in lines_of(refund))


def share_of(refund: Refund) -> int:
    """What the cooperative gave of a refund, in minor units."""
    return refund.goods_minor - refund.commission_minor - refund.solidarity_minor


def left_of_payment(payment: Payment) -> Any:
    """What could still be given back of a payment."""
    return from_minor(payment.amount_minor - payment.refunded_minor, payment.currency)


def _key(refund: Refund) -> str:
    return f"re:{refund.reference}:{refund.attempt}"


def _locked(pk: int) -> Refund:
    found = Refund.objects.select_for_update(of=("self",)).select_related("payment__order", "supplier_order")
    refund: Refund = found.get(pk=pk)
    return refund


def _payment_intent(refund: Refund) -> str:
    if refund.reason == Reason.LATE:
        return LatePayment.objects.get(refund=refund).stripe_payment_intent_id
    return refund.payment.stripe_payment_intent_id


@transaction.atomic
def _with_new_key(refund: Refund, at: datetime) -> Refund:
    """Stripe knows nothing under the old key, and the old key is not safe any more."""
    refund = _locked(refund.pk)
    refund.attempt += 1
    refund.key, refund.asked_at, refund.failure = _key(refund), at, ""
    refund.save()
    return refund


def _again(refund: Refund) -> None:
    with refused_when_stale():
        refund.try_again(key="")
        refund.key = _key(refund)
        refund.save()


@transaction.atomic
def _fail(pk: int, why: str, at: datetime) -> Refund:
    refund = _locked(pk)
    if refund.state == State.FAILED:
        return refund
    with refused_when_stale():
        refund.fail(why=str(why)[:200])
        refund.save()
    _tell_failure(refund, at)
    return refund


def _tell_failure(refund: Refund, at: datetime) -> None:
    story.tell(
        order=refund.payment.order,
        kind="refund.failed",
        supplier_order=refund.supplier_order,
        at=at,
        refund=refund.reference,
    )
    logger.warning("refund failed", extra={"refund": refund.reference})


def _tell_again(refund: Refund, by: Any, at: datetime) -> None:
    story.tell(
        order=refund.payment.order,
        kind="refund.tried_again",
        supplier_order=refund.supplier_order,
        actor=story.actor_of(by),
        at=at,
        refund=refund.reference,
        way=refund.way,
    )


def tell_sent(*, refund: Refund, at: datetime) -> None:
    """The customer hears that her money is under way."""
    _tell_customer(refund, at)


def _tell_customer(refund: Refund, at: datetime) -> None:
    order = refund.payment.order
    story.tell(
        order=order,
        kind="refund.sent",
        supplier_order=refund.supplier_order,
        at=at,
        refund=refund.reference,
        amount=letters.amount(refund.amount),
    )
    mailing.promise(
        topic="refund.sent",
        to=order.contact_email,
        language=order.language,
        key=f"refund.sent:{refund.reference}:{refund.attempt}",
        at=at,
        about=order.number,
        context=lambda: {
            "order": order.number,
            "reference": refund.supplier_order.reference if refund.supplier_order else order.number,
            "amount": letters.amount(refund.amount),
            "way": refund.way,
            "is_late": refund.reason == Reason.LATE,
            "token": "" if order.user_id else links.sign(order=order),
        },
    )
    logger.info("refund sent", extra={"refund": refund.reference})
