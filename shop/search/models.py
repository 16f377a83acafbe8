"""The index: what is on the shelves, in a shape that is quick to ask. Made from the listings, never edited.

Nothing here is the truth about a price or a certificate. What is shown is asked again of
``Product.objects.on_sale``; the index says where to look.
"""

from __future__ import annotations

from django.db import models

from catalogue.models import Product


class Entry(models.Model):
    """One listing on the shelf. ``listing`` may be gone for a moment: the index follows some seconds later."""

    listing = models.OneToOneField(
        Product, on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+"
    )
    tie = models.BigIntegerField(
        help_text="settles equal places in a list; made from the reference, tells nothing"
    )
    created_us = models.BigIntegerField(help_text="microseconds since 1970")
    price_minor = models.BigIntegerField(help_text="in minor units; of variants the least")
    region = models.CharField(max_length=5, blank=True, help_text="where it comes from, ISO 3166-2")
    cooperative = models.CharField(max_length=80, help_text="slug")
    sent_from = models.CharField(max_length=5, help_text="the region of its cooperative")
    weight_g = models.PositiveIntegerField(help_text="with packing; of variants the least")
    in_stock = models.BooleanField()
    women_led = models.BooleanField()
    sold_from = models.DateField(help_text="the day the last of its certifications begins")
    sold_until = models.DateField(help_text="the day the first of its certifications ends")
    title = models.TextField(help_text="stems of its names")
    names = models.TextField(help_text="stems of its cooperative, categories, labels and places")
    text = models.TextField(help_text="stems of what is said of it")
    spellings = models.TextField(help_text="the words of title and names as they are spelled, folded")

    class Meta:
        indexes = [
            models.Index(fields=["created_us", "tie"], name="entries_newest"),
            models.Index(fields=["price_minor", "tie"], name="entries_cheapest"),
            models.Index(fields=["region", "created_us", "tie"], name="entries_of_region_newest"),
            models.Index(fields=["region", "price_minor", "tie"], name="entries_of_region_cheapest"),
            models.Index(fields=["cooperative", "created_us", "tie"], name="entries_of_maker_newest"),
        ]

    def __str__(self) -> str:
        return self.title


class Tag(models.Model):
    """A listing stands in a category or carries a label: ``c:honey``, with all above it, or ``l:igp``."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, db_constraint=False, related_name="tags")
    code = models.CharField(max_length=260)
    created_us = models.BigIntegerField()
    price_minor = models.BigIntegerField()
    tie = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "code"], name="an_entry_has_a_tag_once")]
        indexes = [
            models.Index(fields=["code", "created_us", "tie"], name="tagged_newest"),
            models.Index(fields=["code", "price_minor", "tie"], name="tagged_cheapest"),
        ]

    def __str__(self) -> str:
        return self.code


class Spelling(models.Model):
    """A word that listings are called by, and how many; for whoever types it otherwise."""

    word = models.CharField(max_length=80, unique=True)
    sound = models.CharField(max_length=120, help_text="in Latin letters, by sound")
    goods = models.IntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["sound"], name="spellings_by_sound")]

    def __str__(self) -> str:
        return self.word


class Waiting(models.Model):
    """A listing to be indexed anew. Written by triggers, in the transaction that changed something.

    A row for every change, never one that is kept: whoever changes a listing waits for nobody, and no
    change is taken for one that was indexed before it was committed.
    """

    listing_id = models.IntegerField()

    def __str__(self) -> str:
        return str(self.listing_id)


class Version(models.Model):
    """Grows with every change of the index. One row; holding it is being the one who writes."""

    number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)
