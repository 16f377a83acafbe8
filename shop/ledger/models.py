"""The books: accounts, journal entries and their postings. Written once, never changed.

The database keeps the rules (migration ``0002_guard_the_books``); the code only makes the errors kinder.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from shop.core.columns import Amount, MinorUnits
from shop.ledger.chart import CHART, Nature, Side


class Account(models.Model):
    """A place where money of one currency is, or is owed. Made on first use.

    ``code`` is ``kind:currency`` or ``kind:owner:currency``, such as ``producer_held:TIZ:MAD``.
    """

    code = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=32, db_index=True, help_text="a line of the chart of accounts")
    owner = models.CharField(
        max_length=64, blank=True, db_index=True, help_text="code of a cooperative, carrier or bank account"
    )
    currency = models.CharField(max_length=3)
    normal_side = models.CharField(max_length=6, choices=Side)

    class Meta:
        ordering = ["code"]
        constraints = [
            # The target of the postings' foreign keys: an account together with its currency.
            models.UniqueConstraint(fields=["id", "currency"], name="an_account_has_one_currency"),
            models.CheckConstraint(
                name="an_account_grows_on_one_side", condition=Q(normal_side__in=["debit", "credit"])
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def nature(self) -> Nature:
        """Whether a balance is ours, owed, earned or spent."""
        return CHART[self.kind].nature

    @property
    def title(self) -> Any:
        """The account's kind in the reader's language."""
        return CHART[self.kind].title


class JournalEntryQuerySet(models.QuerySet["JournalEntry"]):
    def whole(self) -> JournalEntryQuerySet:
        """With postings and their accounts, oldest first: ready to be shown."""
        return self.prefetch_related("postings__debit", "postings__credit").order_by("pk")


class JournalEntry(models.Model):
    """One thing that happened to money. ``event`` names it in the outside world and is used once."""

    class Kind(models.TextChoices):
        CARD_PAYMENT = "card_payment", _("Card payment")
        LATE_PAYMENT = "late_payment", _("Payment after the order had expired")
        CONFIRMATION = "confirmation", _("Order confirmed")
        RELEASE = "release", _("Due to the cooperative")
        CASH_COLLECTED = "cash_collected", _("Cash collected at the door")
        CARRIER_REMITTANCE = "carrier_remittance", _("Cash handed over by the carrier")
        CARRIER_COST = "carrier_cost", _("Carriage")
        DELIVERY_CHARGED = "delivery_charged", _("Delivery charged to the cooperative")
        REFUND = "refund", _("Refund owed")
        REFUND_PAID = "refund_paid", _("Refund paid")
        REFUND_FAILED = "refund_failed", _("Refund failed")
        TRANSFER = "transfer", _("Payout by Stripe")
        TRANSFER_REVERSED = "transfer_reversed", _("Payout by Stripe taken back")
        PAYOUT_SENT = "payout_sent", _("Payout sent to the bank")
        PAYOUT_DEBITED = "payout_debited", _("Payout debited by the bank")
        PAYOUT_REJECTED = "payout_rejected", _("Payout rejected by the bank")
        PAYOUT_RETURNED = "payout_returned", _("Payout returned by the bank")
        NETTING = "netting", _("Debt set off against a payout")
        DEPOSIT = "deposit", _("Deposit sent by Stripe")
        DEPOSIT_ARRIVED = "deposit_arrived", _("Deposit arrived at the bank")
        DEPOSIT_FAILED = "deposit_failed", _("Deposit failed")
        STRIPE_FEE = "stripe_fee", _("Stripe fee")
        BANK_FEE = "bank_fee", _("Bank fee")
        ADJUSTMENT = "adjustment", _("Adjustment by two persons")
        REVERSAL = "reversal", _("Reversal")

    id = models.BigAutoField(primary_key=True)
    event = models.CharField(max_length=160, unique=True)
    kind = models.CharField(max_length=32, db_index=True)
    effective_on = models.DateField(db_index=True, help_text="business day it counts for")
    recorded_at = models.DateTimeField(
        default=timezone.now, editable=False, help_text="system time, whatever the shop's clock says"
    )
    actor = models.CharField(max_length=80, blank=True)
    memo = models.CharField(max_length=200, blank=True)
    order = models.CharField(max_length=32, blank=True, db_index=True)
    supplier_order = models.CharField(max_length=32, blank=True, db_index=True)
    about = models.CharField(
        max_length=64, blank=True, db_index=True, help_text="reference of a payout, refund, deposit …"
    )
    approval = models.CharField(max_length=64, blank=True, help_text="reference of what two persons agreed")
    reverses = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversed_by"
    )

    objects = JournalEntryQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "journal entries"
        constraints = [
            models.CheckConstraint(name="an_entry_names_its_event", condition=~Q(event="")),
            models.CheckConstraint(
                name="an_adjustment_is_approved", condition=~Q(kind="adjustment") | ~Q(approval="")
            ),
        ]

    def __str__(self) -> str:
        return self.event

    @property
    def title(self) -> str:
        """What happened, in the reader's language."""
        known = self.kind in JournalEntry.Kind.values
        return str(JournalEntry.Kind(self.kind).label) if known else self.kind


class Posting(models.Model):
    """An amount that leaves the credited account and enters the debited one. Both are of its currency."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="postings")
    debit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="debits")
    credit = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="credits")
    currency = models.CharField(max_length=3)
    amount_minor = MinorUnits()
    amount = Amount("amount_minor")
    ext_ref = models.CharField(
        max_length=120, blank=True, db_index=True, help_text="balance transaction or statement line"
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(name="a_posting_moves_something", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(name="a_posting_has_two_accounts", condition=~Q(debit=F("credit"))),
        ]

    def __str__(self) -> str:
        return f"{self.debit.code} / {self.credit.code} {self.amount}"


class BalanceSnapshot(models.Model):
    """An account's sums as they stood when a day was closed: a cache that saves reading old postings.

    Counts the postings up to ``through_posting`` that are effective by ``closed_on``; a posting written
    later for an earlier day is found apart. May be thrown away and taken again at any time.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="snapshots")
    closed_on = models.DateField(db_index=True)
    through_posting = models.BigIntegerField()
    debits_minor = MinorUnits()
    credits_minor = MinorUnits()

    class Meta:
        ordering = ["closed_on", "account_id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "closed_on"], name="one_snapshot_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.account.code} {self.closed_on:%Y-%m-%d}"
