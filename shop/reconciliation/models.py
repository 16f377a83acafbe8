"""The books against the statements: files as they came, their lines, what matched, and what did not."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.files.storage import Storage, storages
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition
from moneyed import Money

from shop.core.columns import Amount, MinorUnits
from shop.core.lives import MovesOnce
from shop.fulfilment.models import Carrier, Shipment
from shop.ledger.models import JournalEntry


def private_storage() -> Storage:
    """Bank files are evidence with account numbers: never in the public folder."""
    return storages["private"]


class ColumnMap(models.Model):
    """Which column of a bank's export means what: worked out once, remembered."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    columns = models.JSONField(help_text="the fields of readers.statement_csv.ColumnMapping")
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class StatementFile(models.Model):
    """A file as it came. The same bytes are taken once."""

    class Kind(models.TextChoices):
        CSV = "csv", _("bank statement, CSV")
        CAMT053 = "camt053", _("bank statement, camt.053")
        REMITTANCE = "remittance", _("carrier's remittance")
        INVOICE = "invoice", _("carrier's invoice")
        STATUS = "status", _("bank's report on a batch")

    kind = models.CharField(max_length=12, choices=Kind)
    sha256 = models.CharField(max_length=64, unique=True)
    file = models.FileField(storage=private_storage, upload_to="statements/%Y/")
    name = models.CharField(max_length=160)
    account = models.CharField(
        max_length=40, blank=True, help_text="our account's RIB, or the carrier's code"
    )
    currency = models.CharField(max_length=3, default="MAD")
    opening_minor = MinorUnits(null=True, blank=True)
    closing_minor = MinorUnits(null=True, blank=True)
    opening, closing = Amount("opening_minor"), Amount("closing_minor")
    from_on = models.DateField(null=True, blank=True)
    to_on = models.DateField(null=True, blank=True)
    sequence = models.PositiveIntegerField(null=True, blank=True)
    columns = models.JSONField(default=dict, help_text="the mapping it was read with")
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    imported_at = models.DateTimeField()

    class Meta:
        ordering = ["-imported_at", "-pk"]

    def __str__(self) -> str:
        return self.name


class StatementLine(MovesOnce, models.Model):
    """One movement on our bank account, as the bank wrote it. Only its state ever changes."""

    class State(models.TextChoices):
        NEW = "new", _("new")
        MATCHED = "matched", _("matched")
        EXPLAINED = "explained", _("explained")
        IGNORED = "ignored", _("set aside")

    file = models.ForeignKey(StatementFile, on_delete=models.PROTECT, related_name="lines")
    reference = models.CharField(
        max_length=40, unique=True, help_text="what people and journal events call it"
    )
    account = models.CharField(max_length=40)
    identity = models.CharField(max_length=64, help_text="readers.statement.Line.identity")
    number = models.PositiveIntegerField(help_text="its place in the file")
    booked_on = models.DateField()
    value_on = models.DateField()
    currency = models.CharField(max_length=3)
    amount_minor = MinorUnits(help_text="positive: money came in")
    amount = Amount("amount_minor")
    text = models.TextField()
    bank_reference = models.CharField(max_length=80, blank=True)
    end_to_end_id = models.CharField(max_length=80, blank=True, db_index=True)
    counterparty_name = models.CharField(max_length=160, blank=True)
    counterparty_rib = models.CharField(max_length=40, blank=True)
    is_reversal = models.BooleanField(default=False)
    raw = models.TextField(blank=True)
    state = FSMField(choices=State, default=State.NEW, protected=True)

    class Meta:
        ordering = ["booked_on", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["account", "identity"], name="a_statement_line_is_taken_once"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.amount}"

    @transition(field=state, source=State.NEW, target=State.MATCHED)
    def match(self) -> None:
        """It is the other side of something in our books."""

    @transition(field=state, source=State.NEW, target=State.EXPLAINED)
    def explain(self) -> None:
        """People settled what it is."""

    @transition(field=state, source=State.NEW, target=State.IGNORED)
    def ignore(self) -> None:
        """People set it aside, with a reason and a second person."""

    @transition(field=state, source=[State.MATCHED, State.EXPLAINED], target=State.NEW)
    def reopen(self) -> None:
        """Its match was undone."""


class Remittance(models.Model):
    """Cash that a carrier collected at doors and says it hands over, less its fee."""

    reference = models.CharField(max_length=60)
    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, related_name="remittances")
    file = models.OneToOneField(StatementFile, on_delete=models.PROTECT, related_name="remittance")
    remitted_on = models.DateField()
    currency = models.CharField(max_length=3, default="MAD")
    collected_minor, fee_minor, vat_minor, net_minor = MinorUnits(), MinorUnits(), MinorUnits(), MinorUnits()
    collected, fee = Amount("collected_minor"), Amount("fee_minor")
    vat, net = Amount("vat_minor"), Amount("net_minor")
    arrived_at = models.DateTimeField(null=True, blank=True, help_text="matched with the bank's credit")

    class Meta:
        ordering = ["-remitted_on", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["carrier", "reference"], name="a_remittance_is_taken_once"),
            models.CheckConstraint(
                name="a_remittance_adds_up",
                condition=Q(collected_minor=F("fee_minor") + F("vat_minor") + F("net_minor")),
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def fee_with_vat(self) -> Money:
        """What the carrier keeps."""
        return self.fee + self.vat


class RemittanceLine(models.Model):
    """One parcel of a remittance; without a shipment of ours it is an exception."""

    remittance = models.ForeignKey(Remittance, on_delete=models.PROTECT, related_name="lines")
    number = models.PositiveIntegerField()
    tracking = models.CharField(max_length=60)
    parcel_reference = models.CharField(max_length=60)
    shipment = models.ForeignKey(
        Shipment, on_delete=models.PROTECT, null=True, blank=True, related_name="remittance_lines"
    )
    currency = models.CharField(max_length=3, default="MAD")
    collected_minor, fee_minor, vat_minor, net_minor = MinorUnits(), MinorUnits(), MinorUnits(), MinorUnits()
    collected, net = Amount("collected_minor"), Amount("net_minor")
    raw = models.TextField(blank=True)

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.parcel_reference} {self.collected}"


class Match(MovesOnce, models.Model):
    """A statement line and what it is the other side of. Undoing keeps the row.

    A line has one match; one that is a whole ``batch`` has one for each payout and refund in it, made and
    undone together.
    """

    class State(models.TextChoices):
        CONFIRMED = "confirmed", _("confirmed")
        UNDONE = "undone", _("undone")

    class Subject(models.TextChoices):
        PAYOUT = "payout", _("payout to a cooperative")
        BATCH = "batch", _("batch debited as one line")
        RETURN = "return", _("payout sent back by the bank")
        DEPOSIT = "deposit", _("Stripe deposit")
        REMITTANCE = "remittance", _("carrier's remittance")
        REFUND = "refund", _("refund to a customer")
        ADJUSTMENT = "adjustment", _("settled by people")

    line = models.ForeignKey(StatementLine, on_delete=models.PROTECT, related_name="matches")
    subject = models.CharField(max_length=12, choices=Subject)
    subject_reference = models.CharField(max_length=64, db_index=True)
    batch = models.CharField(
        max_length=32, blank=True, help_text="the reference of the batch the line is the whole of"
    )
    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="matches")
    rule = models.CharField(max_length=60, help_text="the pass that found it, in words")
    made_by = models.CharField(max_length=120, help_text="the matcher, or a person")
    made_at = models.DateTimeField()
    state = FSMField(choices=State, default=State.CONFIRMED, protected=True)
    undone_by = models.CharField(max_length=120, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    reversal = models.ForeignKey(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["made_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["line"],
                condition=Q(state="confirmed", batch=""),
                name="a_line_has_one_confirmed_match",
            ),
            models.UniqueConstraint(
                fields=["line", "subject", "subject_reference"],
                condition=Q(state="confirmed") & ~Q(batch=""),
                name="a_line_of_a_batch_matches_each_of_it_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line} = {self.subject} {self.subject_reference}"

    @transition(field=state, source=State.CONFIRMED, target=State.UNDONE)
    def undo(self, *, by: str, at: datetime, reversal: JournalEntry) -> None:
        self.undone_by, self.undone_at, self.reversal = by, at, reversal


class DiscrepancyQuerySet(models.QuerySet["Discrepancy"]):
    def unsettled(self) -> DiscrepancyQuerySet:
        """What somebody still has to look at or approve."""
        return self.exclude(state=Discrepancy.State.SETTLED)


class Discrepancy(MovesOnce, models.Model):
    """An exception: what does not match, since when, how much, whose it is, and what to do."""

    class Kind(models.TextChoices):
        MISSING_AT_PROVIDER = "missing_at_provider", _("in our books only")
        AMOUNT_DIFFERS = "amount_differs", _("another amount")
        CURRENCY_DIFFERS = "currency_differs", _("another currency")
        DUPLICATE = "duplicate", _("the same line twice")
        UNKNOWN_CATEGORY = "unknown_category", _("a kind of movement we do not know")
        DISPUTE = "dispute", _("a customer disputes a card payment")
        UNMATCHED_CREDIT = "unmatched_credit", _("money in, unexplained")
        UNMATCHED_DEBIT = "unmatched_debit", _("money out, unexplained")
        BANK_FEE = "bank_fee", _("a fee of the bank")
        DEPOSIT_LATE = "deposit_late", _("a deposit that has not arrived")
        DEPOSIT_FAILED = "deposit_failed", _("a deposit that failed")
        COD_SHORT = "cod_short", _("the carrier handed over too little")
        COD_UNKNOWN = "cod_unknown", _("the carrier names a parcel that is not ours")
        COD_OVERDUE = "cod_overdue", _("the carrier has not handed over")
        PAYOUT_REJECTED = "payout_rejected", _("the bank rejected a payout")
        PAYOUT_RETURNED = "payout_returned", _("the bank sent a payout back")
        REFUND_FAILED = "refund_failed", _("a refund failed")
        REFUND_NOT_DEBITED = "refund_not_debited", _("a refund that the bank never debited")
        PAYMENT_WITHOUT_ORDER = "payment_without_order", _("paid after the order was over")
        NEGATIVE_BALANCE = "negative_balance", _("the balance at Stripe is below zero")
        STALE_IN_FLIGHT = "stale_in_flight", _("a payout that the bank never debited")
        WEBHOOK_GAP = "webhook_gap", _("Stripe did not tell us; we found it")
        STATEMENT_GAP = "statement_gap", _("statements do not follow on")
        STATEMENT_LATE = "statement_late", _("no statement for too long")
        DOUBTED_MATCH = "doubted_match", _("a match that somebody doubts")
        ADJUSTMENT = "adjustment", _("an adjustment of the books")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        PROPOSED = "proposed", _("waiting for a second person")
        SETTLED = "settled", _("settled")

    reference = models.CharField(max_length=32, unique=True)
    key = models.CharField(
        max_length=160, unique=True, help_text="kind and subject: the same exception opens once"
    )
    kind = models.CharField(max_length=24, choices=Kind)
    state = FSMField(choices=State, default=State.OPEN, protected=True)
    line = models.ForeignKey(
        StatementLine, on_delete=models.PROTECT, null=True, blank=True, related_name="discrepancies"
    )
    subject_reference = models.CharField(max_length=80, blank=True, db_index=True)
    account = models.CharField(max_length=64, blank=True, help_text="the ledger account it concerns")
    currency = models.CharField(max_length=3)
    amount_minor = MinorUnits()
    amount = Amount("amount_minor")
    suggestion = models.CharField(max_length=24, help_text="a resolving.Action")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    detail = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    due_on = models.DateField()
    settled_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True, help_text="when what it is about was no longer so")

    objects = DiscrepancyQuerySet.as_manager()

    class Meta:
        ordering = ["opened_at", "pk"]

    def __str__(self) -> str:
        return f"{self.reference} {self.kind}"

    @transition(field=state, source=State.OPEN, target=State.PROPOSED)
    def propose(self) -> None:
        """Somebody proposed what to do about it."""

    @transition(field=state, source=State.PROPOSED, target=State.OPEN)
    def send_back(self) -> None:
        """The second person did not agree."""

    @transition(field=state, source=[State.OPEN, State.PROPOSED], target=State.SETTLED)
    def settle(self, *, at: datetime) -> None:
        self.settled_at = at


class Resolution(models.Model):
    """What was proposed about an exception, by whom, and who agreed. One that moves money takes two persons."""

    discrepancy = models.ForeignKey(Discrepancy, on_delete=models.PROTECT, related_name="resolutions")
    reference = models.CharField(max_length=40, unique=True)
    action = models.CharField(max_length=24)
    moves_money = models.BooleanField()
    reason = models.CharField(max_length=250)
    evidence = models.FileField(storage=private_storage, upload_to="resolutions/%Y/", blank=True)
    details = models.JSONField(default=dict)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True, blank=True)
    refused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    refused_at = models.DateTimeField(null=True, blank=True)
    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["proposed_at", "pk"]
        constraints = [
            models.CheckConstraint(
                name="a_resolution_is_approved_by_another_person",
                condition=Q(approved_by=None) | ~Q(approved_by=F("proposed_by")),
            ),
            models.CheckConstraint(
                name="no_entry_without_a_second_person",
                condition=Q(entry=None) | Q(approved_by__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["discrepancy"],
                condition=Q(moves_money=True, approved_at=None, refused_at=None),
                name="one_resolution_waits_for_approval",
            ),
        ]

    def __str__(self) -> str:
        return self.reference
