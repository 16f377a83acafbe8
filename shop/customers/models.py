"""What a customer keeps with us besides her orders: favourites, the mails she asked for, what she agreed to."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from catalogue.models import Product
from shop.core import references
from shop.core.columns import Amount, MinorUnits
from shop.design.numbers import language_of


def new_person() -> str:
    """What the journal of consents calls a person: random, so that nothing is left of her once it is let go."""
    return secrets.token_hex(12)


def new_issue_reference() -> str:
    return references.make("N")


def new_erasure_reference() -> str:
    return references.make("E")


class Purpose(models.TextChoices):
    """What a customer may agree to. Each is agreed to by itself and ended by itself."""

    NEWSLETTER = "newsletter", _("newsletter")
    BACK_IN_STOCK = "back_in_stock", _("a favourite is back in stock")
    CHEAPER = "cheaper", _("a favourite costs less")


class Preferences(models.Model):
    """Which mails, beyond those an order needs, the holder of an account asked for. No row: none."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences"
    )
    person = models.CharField(max_length=32, unique=True, default=new_person, editable=False)
    back_in_stock = models.BooleanField(default=False)
    cheaper = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.user}"


class Consent(models.Model):
    """One yes or no, never changed: when, where, in which language, and to which words.

    It names a person by a random mark that stands on her preferences or subscription; once those are removed
    nobody can tell whose it was.
    """

    class Source(models.TextChoices):
        FORM = "form", _("the newsletter form, confirmed by mail")
        ACCOUNT = "account", _("her account")
        LINK = "link", _("the link in a mail")
        ERASURE = "erasure", _("the erasure of her data")

    person = models.CharField(max_length=32, db_index=True)
    purpose = models.CharField(max_length=16, choices=Purpose)
    is_given = models.BooleanField()
    source = models.CharField(max_length=8, choices=Source)
    language = models.CharField(max_length=8)
    text_version = models.CharField(max_length=16)
    happened_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.purpose}: {'yes' if self.is_given else 'no'}"


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def confirmed(self) -> SubscriptionQuerySet:
        """Those who answered the mail that asked whether it was they."""
        return self.exclude(confirmed_at=None)


class Subscription(models.Model):
    """An address that asked for the newsletter. Written to once it has confirmed; ended, it is removed."""

    email = models.EmailField(unique=True)
    person = models.CharField(max_length=32, unique=True, default=new_person, editable=False)
    language = models.CharField(max_length=8, choices=settings.LANGUAGES)
    text_version = models.CharField(max_length=16, help_text="the words she read when she asked")
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.person


class Issue(models.Model):
    """One letter to all who subscribed, in three languages. Sent once, then never changed."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        SENDING = "sending", _("on its way")
        SENT = "sent", _("sent")

    reference = models.CharField(max_length=16, unique=True, default=new_issue_reference, editable=False)
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    subject_fr = models.CharField(_("Subject in French"), max_length=120)
    subject_ar = models.CharField(_("Subject in Arabic"), max_length=120)
    subject_en = models.CharField(_("Subject in English"), max_length=120)
    text_fr = models.TextField(_("Text in French"), max_length=8000)
    text_ar = models.TextField(_("Text in Arabic"), max_length=8000)
    text_en = models.TextField(_("Text in English"), max_length=8000)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    written_at = models.DateTimeField()
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    sent_at = models.DateTimeField(null=True, blank=True)
    recipients = models.PositiveIntegerField(default=0, help_text="how many it was sent to")

    class Meta:
        ordering = ["-written_at", "-pk"]

    def __str__(self) -> str:
        return self.reference

    @property
    def subject(self) -> str:
        """The subject in the reader's language."""
        return self.subject_in(get_language() or "fr")

    def subject_in(self, language: str) -> str:
        return str(getattr(self, f"subject_{language_of(language)}"))

    def text_in(self, language: str) -> str:
        return str(getattr(self, f"text_{language_of(language)}"))


class IssueCopy(models.Model):
    """One recipient of an issue; the row is the queue. Who unsubscribes meanwhile takes her row along."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="copies")
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="copies")
    promised_at = models.DateTimeField(null=True, blank=True, help_text="when it went into the outbox")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issue", "subscription"], name="an_issue_reaches_each_once")
        ]
        indexes = [
            models.Index(fields=["issue", "id"], name="copies_that_wait", condition=Q(promised_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.issue} → {self.subscription}"


class Favourite(models.Model):
    """A listing somebody wants to find again, with what she last knew of it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="favourites")
    listing = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="favourites")
    currency = models.CharField(max_length=3, default="MAD")
    seen_minor = MinorUnits(help_text="the price she last heard of")
    seen = Amount("seen_minor")
    was_sold_out = models.BooleanField(default=False, help_text="as she last heard of it")
    told = models.PositiveIntegerField(default=0, help_text="how many mails it has caused")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["-added_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "listing"], name="a_listing_is_a_favourite_once")
        ]

    def __str__(self) -> str:
        return f"{self.listing}"


class Erasure(models.Model):
    """Somebody asked that what we hold of her be removed. The row itself holds nothing that names her.

    It waits until her orders are over. When it is done it is also written into the private files, from where
    a restore of an older backup repeats it.
    """

    reference = models.CharField(max_length=16, unique=True, default=new_erasure_reference, editable=False)
    account = models.PositiveIntegerField(help_text="the account's number; never used again")
    marks = models.JSONField(default=list, help_text="keyed hashes of her e-mail addresses")
    orders = models.JSONField(default=list, help_text="numbers of her orders, which stay")
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    listed_at = models.DateTimeField(null=True, blank=True, help_text="when the private files knew of it")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"], name="one_erasure_waits_for_each_account", condition=Q(done_at=None)
            )
        ]

    def __str__(self) -> str:
        return self.reference
