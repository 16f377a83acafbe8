"""Real money: what customers pay, what goes back to them, what cooperatives are sent.

Provider objects are mirrored (``BalanceTransaction``, ``Deposit``), so that books and provider can be
compared by SQL alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from cooperatives.models import Cooperative, PayoutAccount
from shop.core.columns import Amount, MinorUnits
from shop.core.lives import MovesOnce
from shop.fulfilment.models import SupplierOrder, SupplierOrderLine


def private_storage() -> Storage:
    """Files with account numbers never lie in the public folder."""
    return storages["private"]


class Payment(MovesOnce, models.Model):
    """A customer's money for one order."""

    class State(models.TextChoices):
        AWAITING = "awaiting", _("awaiting the customer")
        PAID = "paid", _("paid")
        EXPIRED = "expired", _("not paid in time")
        ON_DELIVERY = "on_delivery", _("in cash, at the door")

    order = models.OneToOneField("order.Order", on_delete=models.PROTECT, related_name="payment")
    state = FSMField(choices=State, default=State.AWAITING, protected=True)
    currency = models.CharField(max_length=3, default="MAD")
    amount_minor = MinorUnits()
    refunded_minor = MinorUnits(
        default=0, help_text="asked for, whether or not it has arrived; the guard row"
    )
    amount, refunded = Amount("amount_minor"), Amount("refunded_minor")
    stripe_payment_intent_id = models.CharField(max_length=64, blank=True, db_index=True)
    stripe_charge_id = models.CharField(max_length=64, blank=True, db_index=True)
    created_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="a_payment_is_of_something", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="no_more_goes_back_than_was_paid",
                condition=Q(refunded_minor__gte=0) & Q(refunded_minor__lte=F("amount_minor")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order.number} {self.amount}"

    @transition(field=state, source=State.AWAITING, target=State.PAID)
    def pay(self, *, at: datetime) -> None:
        self.paid_at = at

    @transition(field=state, source=State.AWAITING, target=State.EXPIRED)
    def expire(self) -> None:
        """Its time is over; money that still arrives goes back."""

    @transition(field=state, source=State.AWAITING, target=State.ON_DELIVERY)
    def wait_for_the_door(self) -> None:
        """The carrier collects it, parcel by parcel."""


class PaymentAttempt(models.Model):
    """One visit to the hosted page. Written, with its idempotency key, before the provider is asked."""

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        OPEN = "open", _("page open")
        PAID = "paid", _("paid")
        CLOSED = "closed", _("closed without payment")

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField()
    key = models.CharField(max_length=80, unique=True, help_text="idempotency key at the provider")
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    stripe_session_id = models.CharField(max_length=100, blank=True, db_index=True)
    url = models.URLField(max_length=500, blank=True)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["payment", "number"], name="payment_attempts_are_numbered"),
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(state__in=["asked", "open"]),
                name="one_live_attempt_for_a_payment",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class LatePayment(models.Model):
    """Money that no order can take: it goes back, and an operator sees it.

    Its refund is bounded by its own amount, not by ``Payment.refunded``.
    """

    class Reason(models.TextChoices):
        LATE = "late", _("paid after the order was over")
        TWICE = "twice", _("paid a second time")
        DIFFERS = "differs", _("not the amount of the order")

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="late")
    reason = models.CharField(max_length=8, choices=Reason, default=Reason.LATE)
    stripe_payment_intent_id = models.CharField(max_length=64, unique=True)
    stripe_charge_id = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    amount_minor = MinorUnits()
    amount = Amount("amount_minor")
    noticed_at = models.DateTimeField()
    refund = models.OneToOneField(
        "Refund", on_delete=models.PROTECT, null=True, blank=True, related_name="late_payment"
    )

    def __str__(self) -> str:
        return f"{self.payment} late"


class Refund(MovesOnce, models.Model):
    """Money on its way back to a customer. What is taken from whom is frozen when it is asked for."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("requested")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        SUCCEEDED = "succeeded", _("arrived")
        FAILED = "failed", _("failed")

    class Reason(models.TextChoices):
        DECLINED = "declined", _("declined by the cooperative")
        CANCELLED = "cancelled", _("cancelled by the customer")
        WITHDRAWN = "withdrawn", _("sent back")
        CLAIM = "claim", _("damaged or wrong")
        LATE = "late", _("paid after the order was over")

    class Stage(models.TextChoices):
        HELD = "held", _("held")
        PAYABLE = "payable", _("payable")
        PAID = "paid", _("already paid out")
        NONE = "none", _("never routed")

    class Way(models.TextChoices):
        STRIPE = "stripe", _("to the card")
        BANK = "bank", _("by bank transfer")

    reference = models.CharField(max_length=32, unique=True)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    supplier_order = models.ForeignKey(
        SupplierOrder, on_delete=models.PROTECT, null=True, blank=True, related_name="refunds"
    )
    state = FSMField(choices=State, default=State.REQUESTED, protected=True)
    reason = models.CharField(max_length=12, choices=Reason)
    stage = models.CharField(max_length=8, choices=Stage)
    way = models.CharField(max_length=8, choices=Way, default=Way.STRIPE)
    currency = models.CharField(max_length=3, default="MAD")
    amount_minor = MinorUnits()
    goods_minor = MinorUnits(default=0, help_text="what the cooperative had sold for")
    discount_minor = MinorUnits(
        default=0, help_text="of it, what the shop's voucher had paid: back to the shop"
    )
    delivery_minor = MinorUnits(default=0)
    delivery_vat_minor = MinorUnits(default=0)
    commission_minor = MinorUnits(default=0)
    commission_vat_minor = MinorUnits(default=0)
    solidarity_minor = MinorUnits(default=0)
    amount, goods, delivery = Amount("amount_minor"), Amount("goods_minor"), Amount("delivery_minor")
    discount = Amount("discount_minor")
    delivery_vat, commission = Amount("delivery_vat_minor"), Amount("commission_minor")
    commission_vat, solidarity = Amount("commission_vat_minor"), Amount("solidarity_minor")
    once = models.CharField(
        max_length=40,
        null=True,
        blank=True,
        unique=True,
        help_text="the one-time key of the form that asked: pressing twice asks once",
    )
    key = models.CharField(max_length=80, unique=True, help_text="idempotency key at the provider")
    attempt = models.PositiveIntegerField(default=1)
    stripe_refund_id = models.CharField(max_length=64, blank=True, db_index=True)
    bank_holder = models.CharField(max_length=140, blank=True)
    bank_rib = models.CharField(max_length=24, blank=True)
    batch = models.ForeignKey(
        "PayoutBatch",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="refunds",
        help_text="the file that pays it, for a refund by bank transfer",
    )
    note = models.CharField(max_length=250, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    requested_at = models.DateTimeField()
    due_on = models.DateField(help_text="the law's fifteen days")
    asked_at = models.DateTimeField(
        null=True, blank=True, help_text="when the provider was first asked under this key"
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    succeeded_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.CheckConstraint(name="a_refund_is_of_something", condition=Q(amount_minor__gt=0)),
            models.UniqueConstraint(
                fields=["supplier_order"],
                condition=Q(reason__in=["declined", "cancelled"]),
                name="an_ended_part_is_refunded_once",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def bank_reference(self) -> str:
        """What the bank knows this try by: ``R-7K3M9QX2T``, then ``R-7K3M9QX2T-2``.

        A refund that came back goes out again, and its second debit must not be taken for the first.
        """
        return self.bank_references[-1]

    @property
    def bank_references(self) -> list[str]:
        """What the bank knew every try by that there was, the first first."""
        again = [f"{self.reference}-{number}" for number in range(2, self.attempt + 1)]
        return [self.reference, *again]

    @transition(field=state, source=[State.REQUESTED, State.SENDING], target=State.SENDING)
    def send(self) -> None:
        """The intent is written; the provider is asked next."""

    @transition(field=state, source=[State.REQUESTED, State.SENDING], target=State.REQUESTED)
    def wait_again(self) -> None:
        """The batch it was to travel with was given up."""

    @transition(field=state, source=State.SENDING, target=State.SENT)
    def take(self, *, stripe_refund_id: str, at: datetime) -> None:
        self.stripe_refund_id, self.sent_at = stripe_refund_id, at

    @transition(field=state, source=[State.REQUESTED, State.SENDING, State.SENT], target=State.SUCCEEDED)
    def succeed(self, *, at: datetime) -> None:
        self.succeeded_at = at

    @transition(field=state, source=[State.SENDING, State.SENT, State.SUCCEEDED], target=State.FAILED)
    def fail(self, *, why: str) -> None:
        self.failure = why

    @transition(field=state, source=State.SUCCEEDED, target=State.SENT)
    def take_back_arrival(self) -> None:
        """The statement line it was matched with was another's."""
        self.succeeded_at = None

    @transition(field=state, source=State.FAILED, target=State.REQUESTED)
    def try_again(self, *, key: str) -> None:
        self.key, self.attempt = key, self.attempt + 1
        self.asked_at, self.failure, self.stripe_refund_id = None, "", ""


class RefundLine(models.Model):
    """What one line gives back. Allocated over what is left of the line, so that parts never exceed it."""

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="lines")
    line = models.ForeignKey(SupplierOrderLine, on_delete=models.PROTECT, related_name="refund_lines")
    quantity = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, default="MAD")
    goods_minor = MinorUnits()
    discount_minor = MinorUnits(default=0)
    commission_minor = MinorUnits()
    commission_vat_minor = MinorUnits()
    solidarity_minor = MinorUnits()
    goods, discount = Amount("goods_minor"), Amount("discount_minor")

    @property
    def paid(self) -> Any:
        """What the customer gets back for it: never what the shop's voucher had paid."""
        return self.goods - self.discount

    class Meta:
        constraints = [models.UniqueConstraint(fields=["refund", "line"], name="a_refund_names_a_line_once")]

    def __str__(self) -> str:
        return f"{self.refund} {self.line}"


class PayoutRunQuerySet(models.QuerySet["PayoutRun"]):
    def giving_up_waits(self) -> PayoutRunQuerySet:
        """Somebody asked that they be given up, and nobody has answered; nothing of them has left."""
        return self.filter(state=PayoutRun.State.APPROVED, giving_up_by__isnull=False).exclude(
            Q(batch__offered_at__isnull=False)
            | Q(batch__handed_over_at__isnull=False)
            | Q(payouts__state__in=[Payout.State.SENDING, Payout.State.SENT, Payout.State.PAID])
        )


class PayoutRun(MovesOnce, models.Model):
    """Payouts planned together by one operator and approved by another."""

    class State(models.TextChoices):
        PLANNED = "planned", _("waiting for approval")
        APPROVED = "approved", _("approved")
        CANCELLED = "cancelled", _("cancelled")

    reference = models.CharField(max_length=32, unique=True)
    state = FSMField(choices=State, default=State.PLANNED, protected=True)
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    giving_up_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="who asked that it be given up after its file was downloaded",
    )
    planned_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True, blank=True)
    giving_up_at = models.DateTimeField(null=True, blank=True)
    giving_up_why = models.CharField(max_length=250, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_why = models.CharField(
        max_length=250, blank=True, help_text="of a run that was approved before"
    )

    objects = PayoutRunQuerySet.as_manager()

    class Meta:
        ordering = ["-planned_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="a_payout_run_is_approved_by_another_person",
                condition=Q(approved_by=None) | ~Q(approved_by=F("planned_by")),
            ),
            models.CheckConstraint(
                name="an_approved_payout_run_names_who_approved",
                condition=~Q(state="approved") | Q(approved_by__isnull=False),
            ),
            models.CheckConstraint(
                name="an_approved_payout_run_is_given_up_by_somebody_who_says_why",
                condition=~Q(state="cancelled")
                | Q(approved_by=None)
                | (Q(cancelled_by__isnull=False, cancelled_at__isnull=False) & ~Q(cancelled_why="")),
            ),
            models.CheckConstraint(
                name="a_downloaded_payout_run_is_given_up_by_two_persons",
                condition=Q(giving_up_by=None)
                | (
                    Q(giving_up_at__isnull=False)
                    & ~Q(giving_up_why="")
                    & (Q(cancelled_by=None) | ~Q(cancelled_by=F("giving_up_by")))
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @transition(field=state, source=State.PLANNED, target=State.APPROVED)
    def approve(self, *, by: Any, at: datetime) -> None:
        self.approved_by, self.approved_at = by, at

    @transition(field=state, source=State.PLANNED, target=State.CANCELLED)
    def cancel(self, *, by: Any, at: datetime) -> None:
        """Nothing was sent; its items are free for the next run."""
        self.cancelled_by, self.cancelled_at = by, at

    @transition(field=state, source=State.APPROVED, target=State.APPROVED)
    def ask_to_give_up(self, *, by: Any, at: datetime, why: str) -> None:
        """Its file was downloaded: another person has to agree."""
        self.giving_up_by, self.giving_up_at, self.giving_up_why = by, at, why

    @transition(field=state, source=State.APPROVED, target=State.CANCELLED)
    def give_up(self, *, by: Any, at: datetime, why: str) -> None:
        """Two persons had agreed, but nothing has left: its items are free for the next run."""
        self.cancelled_by, self.cancelled_at, self.cancelled_why = by, at, why


class Payout(MovesOnce, models.Model):
    """One sum we send to one cooperative. It snapshots the account it goes to."""

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        APPROVED = "approved", _("approved")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        PAID = "paid", _("arrived")
        REJECTED = "rejected", _("rejected")
        CANCELLED = "cancelled", _("cancelled")

    #: The states in which its items are spoken for.
    LIVE = (State.PLANNED, State.APPROVED, State.SENDING, State.SENT, State.PAID)

    reference = models.CharField(max_length=32, unique=True)
    run = models.ForeignKey(PayoutRun, on_delete=models.PROTECT, related_name="payouts")
    cooperative = models.ForeignKey(Cooperative, on_delete=models.PROTECT, related_name="payouts")
    account = models.ForeignKey(PayoutAccount, on_delete=models.PROTECT, related_name="payouts")
    rail = models.CharField(max_length=8, choices=PayoutAccount.Rail)
    batch = models.ForeignKey(
        "PayoutBatch", on_delete=models.PROTECT, null=True, blank=True, related_name="payouts"
    )
    state = FSMField(choices=State, default=State.PLANNED, protected=True)
    currency = models.CharField(max_length=3, default="MAD")
    shares_minor = MinorUnits(help_text="the shares of its items")
    netted_minor = MinorUnits(default=0, help_text="what the cooperative owed and this payout settles")
    amount_minor = MinorUnits(help_text="what is sent: shares less netted")
    shares, netted, amount = Amount("shares_minor"), Amount("netted_minor"), Amount("amount_minor")
    key = models.CharField(max_length=80, unique=True, help_text="idempotency key at the provider")
    attempt = models.PositiveIntegerField(default=1)
    stripe_transfer_id = models.CharField(max_length=64, blank=True, db_index=True)
    settled_currency = models.CharField(max_length=3, blank=True)
    settled_minor = MinorUnits(null=True, blank=True)
    planned_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-planned_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="a_payout_adds_up",
                condition=Q(shares_minor=F("netted_minor") + F("amount_minor"))
                & Q(netted_minor__gte=0)
                & Q(amount_minor__gte=0),
            ),
            models.UniqueConstraint(
                fields=["run", "cooperative"], name="one_payout_for_a_cooperative_in_a_run"
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @transition(field=state, source=State.PLANNED, target=State.APPROVED)
    def approve(self) -> None:
        """Another person agreed."""

    @transition(field=state, source=[State.APPROVED, State.SENDING], target=State.SENDING)
    def start_sending(self) -> None:
        """The intent is written; the provider is asked next."""

    @transition(field=state, source=[State.APPROVED, State.SENDING], target=State.SENT)
    def sent(self, *, at: datetime) -> None:
        self.sent_at = at

    @transition(field=state, source=State.SENT, target=State.PAID)
    def arrive(self, *, at: datetime) -> None:
        self.paid_at = at

    @transition(field=state, source=State.PAID, target=State.SENT)
    def take_back_arrival(self) -> None:
        """The statement line it was matched with was another's."""
        self.paid_at = None

    @transition(
        field=state, source=[State.APPROVED, State.SENDING, State.SENT, State.PAID], target=State.REJECTED
    )
    def reject(self, *, why: str) -> None:
        self.failure = why

    @transition(field=state, source=State.PLANNED, target=State.CANCELLED)
    def cancel(self) -> None:
        """Its run was cancelled."""

    @transition(field=state, source=State.APPROVED, target=State.CANCELLED)
    def give_up(self) -> None:
        """Its run was given up before any of it was sent."""


class PayoutItem(models.Model):
    """One released supplier order inside a payout, less what was refunded of it before."""

    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="items")
    supplier_order = models.ForeignKey(SupplierOrder, on_delete=models.PROTECT, related_name="payout_items")
    is_live = models.BooleanField(default=True, help_text="false once its payout was rejected or cancelled")
    currency = models.CharField(max_length=3, default="MAD")
    share_minor = MinorUnits()
    share = Amount("share_minor")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["supplier_order"],
                condition=Q(is_live=True),
                name="a_supplier_order_is_in_one_live_payout",
            )
        ]

    def __str__(self) -> str:
        return f"{self.payout} {self.supplier_order}"


class PayoutTransfer(models.Model):
    """One item of a payout on its way by Stripe, tied to the charge that paid for it.

    Written, with its idempotency key, before Stripe is asked.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        MADE = "made", _("made")
        REFUSED = "refused", _("refused")
        REVERSED = "reversed", _("taken back")

    item = models.OneToOneField(PayoutItem, on_delete=models.PROTECT, related_name="transfer")
    key = models.CharField(max_length=120, unique=True, help_text="idempotency key at the provider")
    attempt = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    currency = models.CharField(max_length=3, default="MAD")
    amount_minor = MinorUnits(help_text="the item's share less what of it was netted")
    amount = Amount("amount_minor")
    stripe_charge_id = models.CharField(max_length=64)
    settled_currency = models.CharField(max_length=3)
    settled_minor = MinorUnits(help_text="at the rate at which the charge settled")
    settled = Amount("settled_minor", "settled_currency")
    stripe_transfer_id = models.CharField(max_length=64, blank=True, db_index=True)
    asked_at = models.DateTimeField(help_text="when the provider was first asked under this key")
    failure = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="a_transfer_is_of_something", condition=Q(amount_minor__gt=0) & Q(settled_minor__gt=0)
            )
        ]

    def __str__(self) -> str:
        return self.key


class PayoutBatch(models.Model):
    """The file a bank takes: made once, its bytes and hash kept. What the approver reads comes from it."""

    reference = models.CharField(max_length=32, unique=True)
    run = models.OneToOneField(PayoutRun, on_delete=models.PROTECT, related_name="batch")
    pain001 = models.FileField(storage=private_storage, upload_to="batches/%Y/")
    csv = models.FileField(storage=private_storage, upload_to="batches/%Y/")
    sha256 = models.CharField(max_length=64)
    currency = models.CharField(max_length=3, default="MAD")
    total_minor = MinorUnits()
    total = Amount("total_minor")
    count = models.PositiveIntegerField()
    execute_on = models.DateField()
    made_at = models.DateTimeField()
    offered_at = models.DateTimeField(
        null=True, blank=True, help_text="from then on the bank may have it, whether it answered or not"
    )
    handed_over_at = models.DateTimeField(null=True, blank=True, help_text="the bank acknowledged it")
    acknowledgement = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.reference


class BatchDownload(models.Model):
    """Who took the file, and when."""

    batch = models.ForeignKey(PayoutBatch, on_delete=models.PROTECT, related_name="downloads")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    format = models.CharField(max_length=8)
    downloaded_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.batch} {self.user}"


class StripeEvent(models.Model):
    """A webhook as it came: checked, kept, answered; handled later, once."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        HANDLED = "handled", _("handled")
        IGNORED = "ignored", _("not ours to handle")
        FAILED = "failed", _("failed")

    event_id = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=80)
    api_version = models.CharField(max_length=40, blank=True)
    payload = models.JSONField()
    state = models.CharField(max_length=8, choices=State, default=State.WAITING, db_index=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)
    by_webhook = models.BooleanField(default=True, help_text="false: the sweeper found what no webhook told")
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"


class BalanceTransaction(models.Model):
    """Stripe's own row about its balance, mirrored: the only source of entries on the Stripe account."""

    stripe_id = models.CharField(max_length=64, unique=True)
    category = models.CharField(max_length=48, help_text="reporting_category")
    kind = models.CharField(max_length=48, help_text="type")
    source_id = models.CharField(max_length=64, db_index=True)
    currency = models.CharField(max_length=3)
    amount_minor = MinorUnits()
    fee_minor = MinorUnits()
    net_minor = MinorUnits()
    amount, fee, net = Amount("amount_minor"), Amount("fee_minor"), Amount("net_minor")
    exchange_rate = models.DecimalField(max_digits=18, decimal_places=10, null=True, blank=True)
    created_at = models.DateTimeField()
    available_on = models.DateField(null=True, blank=True)
    deposit = models.ForeignKey(
        "Deposit", on_delete=models.PROTECT, null=True, blank=True, related_name="contents"
    )
    raw = models.JSONField()
    imported_at = models.DateTimeField()
    posted_at = models.DateTimeField(
        null=True, blank=True, help_text="null: in quarantine, and the close is blocked"
    )
    quarantine = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                name="a_balance_transaction_adds_up",
                condition=Q(net_minor=F("amount_minor") - F("fee_minor")),
            )
        ]

    def __str__(self) -> str:
        return self.stripe_id


class Deposit(models.Model):
    """Stripe paying our balance into our bank (Stripe itself calls that a payout)."""

    stripe_id = models.CharField(max_length=64, unique=True)
    trace_id = models.CharField(max_length=80, blank=True, db_index=True)
    status = models.CharField(max_length=16)
    currency = models.CharField(max_length=3)
    amount_minor = MinorUnits()
    amount = Amount("amount_minor")
    is_reconciled = models.BooleanField(default=False, help_text="Stripe finished listing its contents")
    created_at = models.DateTimeField()
    arrives_on = models.DateField(null=True, blank=True)
    failure = models.CharField(max_length=120, blank=True)
    raw = models.JSONField(default=dict)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.stripe_id


class ImportWatermark(models.Model):
    """How far an import from a provider has come."""

    name = models.CharField(max_length=40, unique=True)
    reached_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.reached_at}"
