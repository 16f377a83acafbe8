"""Facts that know nothing of the shop: the demo clock, the outbox, the places of Morocco."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from shop.core import references


class ClockOffset(models.Model):
    """How far the demo's clock is ahead of system time, in seconds. One row."""

    seconds = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.seconds} s"


class OutboxQuerySet(models.QuerySet["OutboxMessage"]):
    def waiting(self, *, at: datetime) -> OutboxQuerySet:
        """What is not yet delivered and due by then, oldest first."""
        return self.filter(state=OutboxMessage.State.WAITING, due_at__lte=at).order_by("due_at", "pk")


def new_message_reference() -> str:
    """What people and addresses call a message, such as ``M-7K3M9QX2T``."""
    return references.make("M")


class OutboxMessage(models.Model):
    """Something to be told to somebody outside, written in the transaction that caused it.

    The row is the promise; a task is only the nudge. It is delivered at least once, and ``key`` lets a
    receiver know a repeat.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("failed")

    reference = models.CharField(max_length=16, unique=True, default=new_message_reference, editable=False)
    kind = models.CharField(max_length=32, help_text="which deliverer takes it, e.g. mail")
    key = models.CharField(max_length=160, unique=True)
    topic = models.CharField(max_length=80)
    recipient = models.CharField(max_length=254)
    language = models.CharField(max_length=8, default="fr")
    about = models.CharField(
        max_length=64, blank=True, db_index=True, help_text="the order's or payout's reference"
    )
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State, default=State.WAITING, db_index=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    subject = models.CharField(max_length=250, blank=True, help_text="as delivered")
    body = models.TextField(blank=True, help_text="as delivered, plain text")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(db_index=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.topic} → {self.about}"


class _Place(models.Model):
    """A name in the languages the census gives."""

    name_fr = models.CharField(max_length=120)
    name_ar = models.CharField(max_length=120)

    class Meta:
        abstract = True

    @property
    def name(self) -> str:
        """The name in the reader's language; French where the census has no other."""
        language = (get_language() or "fr")[:2]
        return getattr(self, f"name_{language}", "") or self.name_fr

    def __str__(self) -> str:
        return self.name


class Region(_Place):
    """One of the twelve regions. Source: HCP, census RGPH 2024 (CC BY 4.0); English names are ours."""

    code = models.CharField(max_length=5, primary_key=True, help_text="ISO 3166-2, e.g. MA-01")
    hcp_code = models.CharField(max_length=2, unique=True)
    name_en = models.CharField(max_length=120)
    population = models.PositiveIntegerField()

    class Meta:
        ordering = ["code"]


class Province(_Place):
    """A province or prefecture. HCP codes are text with dots and leading zeros."""

    code = models.CharField(max_length=16, primary_key=True)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="provinces")
    kind = models.CharField(max_length=32, help_text="prefecture, province or prefecture_of_arrondissements")
    population = models.PositiveIntegerField()

    class Meta:
        ordering = ["code"]


class Commune(_Place):
    """An urban or rural commune: the town or village of an address."""

    code = models.CharField(max_length=16, primary_key=True)
    province = models.ForeignKey(Province, on_delete=models.PROTECT, related_name="communes")
    is_urban = models.BooleanField()
    population = models.PositiveIntegerField()

    class Meta:
        ordering = ["name_fr"]
