"""What is for sale: listings, the labels they claim, their pictures, and every movement of stock.

Replaces Oscar's ``catalogue`` app. Oscar's ``Product`` is our listing: one good of one cooperative.
"""

from __future__ import annotations

from datetime import date

from django.core.files.storage import default_storage, storages
from django.db import models
from django.db.models import Exists, F, OuterRef, Prefetch, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext
from django_fsm import FSMField, transition
from oscar.apps.catalogue.abstract_models import AbstractProduct, AbstractProductImage
from oscar.apps.catalogue.managers import ProductQuerySet
from oscar.core.loading import get_model

from cooperatives.models import Certification, Cooperative
from shop.core.lives import MovesOnce
from shop.core.models import Province, Region


def private_storage():
    """Where an upload stays as it came; only what we made of it is public."""
    return storages["private"]


class ListingQuerySet(ProductQuerySet):
    def on_sale(self, *, on: date) -> ListingQuerySet:
        """Published listings of active cooperatives whose every label claim is certified on that day.

        What stands on the shelf: a listing with variants once, its variants never by themselves.
        """
        lapsed = LabelClaim.objects.filter(listing=OuterRef("pk")).exclude(
            certification__in=Certification.objects.valid_on(on)
        )
        return self.filter(
            ~Exists(lapsed),
            parent=None,
            state=Product.State.PUBLISHED,
            is_public=True,
            cooperative__state=Cooperative.State.ACTIVE,
        )

    def buyable(self, *, on: date) -> ListingQuerySet:
        """What can be put into a basket that day: listings on sale without variants, and of those with
        variants each published one."""
        on_sale = Product.objects.on_sale(on=on)
        # EXISTS and not IN: of one listing this asks about one, where IN would have all on sale read first.
        return self.filter(
            Q(Exists(on_sale.filter(pk=OuterRef("pk"))), structure=Product.STANDALONE)
            | Q(
                Exists(on_sale.filter(pk=OuterRef("parent"))),
                state=Product.State.PUBLISHED,
                is_public=True,
            )
        )

    def with_stock(self) -> ListingQuerySet:
        """Each with ``price_now`` and ``free_now`` (how many can be sold), so that many cost one query."""
        record = get_model("partner", "StockRecord").objects.filter(product=OuterRef("pk")).order_by("pk")
        free = F("num_in_stock") - Coalesce(F("num_allocated"), 0)
        return self.annotate(
            price_now=Subquery(record.values("price")[:1]),
            free_now=Subquery(record.annotate(free=free).values("free")[:1]),
        )

    def for_cards(self, *, on: date) -> ListingQuerySet:
        """With everything a card shows, in a fixed number of queries."""
        cards = self.with_stock().select_related("cooperative", "origin_region", "product_class")
        return cards.prefetch_related(
            "images",
            Prefetch("children", queryset=variants_shown(), to_attr="variants"),
            Prefetch(
                "label_claims",
                queryset=LabelClaim.objects.valid_on(on).select_related("certification__label"),
                to_attr="valid_claims",
            ),
        )


def variants_shown() -> ListingQuerySet:
    """The published variants of listings with price and stock, in the order they were given."""
    return (
        Product.objects.filter(state=Product.State.PUBLISHED, is_public=True)
        .with_stock()
        .order_by("-priority", "pk")
    )


class Product(MovesOnce, AbstractProduct):
    """A listing: one good of one cooperative.

    One that comes in sizes or colours has a row of its own (Oscar's *parent*, with words, pictures and label
    claims) and one for each variant (Oscar's *child*, with price, stock, weight and what tells it apart).
    """

    class VariesBy(models.TextChoices):
        CONTENTS = "contents", _("Contents")
        SIZE = "size", _("Size")
        COLOUR = "colour", _("Colour")
        MODEL = "model", _("Model")

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        WITHDRAWN = "withdrawn", _("withdrawn")

    reference = models.CharField(
        max_length=24, unique=True, help_text="what people and files call it, e.g. DEMO-001"
    )
    cooperative = models.ForeignKey(Cooperative, on_delete=models.PROTECT, related_name="listings")
    family = models.CharField(
        max_length=40, blank=True, help_text="which drawing stands for it when it has no picture"
    )
    unit = models.CharField(_("unit"), max_length=60, blank=True)
    origin_region = models.ForeignKey(
        Region, on_delete=models.PROTECT, null=True, blank=True, related_name="listings"
    )
    origin_province = models.ForeignKey(
        Province, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    vat_class = models.CharField(max_length=8, default="R20")
    gross_weight_g = models.PositiveIntegerField(default=0)
    shelf_life_months = models.PositiveSmallIntegerField(default=0, help_text="0: does not perish")
    allergens = models.CharField(_("allergens"), max_length=200, blank=True)
    ingredients = models.CharField(_("ingredients"), max_length=400, blank=True)
    care = models.CharField(
        _("keeping and care"), max_length=400, blank=True, help_text="how to keep, use or wash it"
    )
    harvested_on = models.DateField(
        null=True, blank=True, help_text="harvest or making of what is sold now; its month is shown"
    )
    lot = models.CharField(_("lot"), max_length=40, blank=True)
    varies_by = models.CharField(
        max_length=10,
        choices=VariesBy,
        blank=True,
        help_text="of a listing with variants: what they differ in",
    )
    variant = models.CharField(
        _("variant"), max_length=60, blank=True, help_text="of a variant: what tells it apart, e.g. 250 ml"
    )
    state = FSMField(choices=State, default=State.DRAFT, protected=True)
    published_at = models.DateTimeField(null=True, blank=True)
    is_demo = models.BooleanField(default=False)

    objects = ListingQuerySet.as_manager()

    class Meta(AbstractProduct.Meta):
        abstract = False
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="a_listing_has_its_own_slug"),
            models.CheckConstraint(
                name="a_variant_has_a_listing_and_only_a_variant",
                condition=Q(structure="child", parent__isnull=False)
                | (~Q(structure="child") & Q(parent=None)),
            ),
            models.UniqueConstraint(
                fields=["parent", "variant"],
                condition=Q(parent__isnull=False),
                name="variants_of_a_listing_differ",
            ),
        ]
        indexes = [models.Index(fields=["state", "-date_created", "id"], name="listings_newest_first")]

    @transition(field=state, source=[State.DRAFT, State.WITHDRAWN], target=State.PUBLISHED)
    def publish(self, *, at) -> None:
        self.published_at = at

    @transition(field=state, source=State.PUBLISHED, target=State.WITHDRAWN)
    def withdraw(self) -> None:
        """It leaves the shelf; orders under way go on."""

    @property
    def has_variants(self) -> bool:
        """Whether one of several is to be chosen before it can be bought."""
        return self.structure == self.PARENT

    @property
    def on_shelf(self) -> Product:
        """The listing that stands on the shelf: itself, or the one it is a variant of."""
        return self.parent if self.parent_id else self

    def get_title(self) -> str:
        """What it is called wherever it is sold: a variant by its listing's name and what tells it apart."""
        if not self.parent_id:
            return self.title
        return self.parent.title + pgettext("between two facts", ", ") + self.variant

    def get_absolute_url(self) -> str:
        url = reverse("storefront:listing", args=[self.on_shelf.slug])
        return f"{url}?variant={self.reference}" if self.parent_id else url


class LabelClaimQuerySet(models.QuerySet["LabelClaim"]):
    def valid_on(self, day: date) -> LabelClaimQuerySet:
        """Claims whose certification is verified and in date."""
        return self.filter(certification__in=Certification.objects.valid_on(day))


class LabelClaim(models.Model):
    """A listing carries a label, resting on one certification of its own cooperative."""

    listing = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="label_claims")
    certification = models.ForeignKey(Certification, on_delete=models.PROTECT, related_name="claims")
    claimed_at = models.DateTimeField(auto_now_add=True)

    objects = LabelClaimQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["listing", "certification"], name="a_claim_is_made_once")
        ]

    def __str__(self) -> str:
        return f"{self.listing} · {self.certification}"


class ProductImage(AbstractProductImage):
    """A picture of a listing. Only what our own pipeline made of an upload is ever shown."""

    class State(models.TextChoices):
        WAITING = "waiting", _("being prepared")
        READY = "ready", _("ready")
        REFUSED = "refused", _("refused")

    original = models.ImageField(
        _("Original"), storage=private_storage, upload_to="uploads/%Y/%m/", max_length=255
    )
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    stem = models.CharField(max_length=120, blank=True, help_text="pictures/<stem>-600.webp and so on")
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    placeholder = models.CharField(max_length=900, blank=True, help_text="a tiny data: image")
    is_drawing = models.BooleanField(default=False)
    widths = models.CharField(max_length=40, blank=True, help_text="of its renditions, e.g. 300,600,1200")

    class Meta(AbstractProductImage.Meta):
        abstract = False

    def file_name(self, width: int | str, kind: str) -> str:
        """Where one rendition lies in the public storage; ``kind`` is ``webp`` or ``jpg``."""
        return f"pictures/{self.stem}-{width}.{kind}"

    @property
    def drawing_name(self) -> str:
        """Where the drawing itself lies, of a picture that is one. Only the house draws; nobody uploads these."""
        return f"pictures/{self.stem}.svg"

    @property
    def drawing(self) -> str:
        """The drawing in lines: a tenth of its points, sharp in every size, see-through where the page shows."""
        return default_storage.url(self.drawing_name) if self.is_drawing and self.stem else ""

    def _set(self, kind: str) -> str:
        return ", ".join(
            f"{default_storage.url(self.file_name(each, kind))} {each}w"
            for each in self.widths.split(",")
            if each
        )

    @property
    def webp(self) -> str:
        """The WebP renditions as a ``srcset``."""
        return self._set("webp")

    @property
    def srcset(self) -> str:
        """The JPEG renditions as a ``srcset``."""
        return self._set("jpg")

    @property
    def src(self) -> str:
        """The largest JPEG, for share cards and browsers without ``srcset``."""
        return default_storage.url(self.file_name(self.widths.split(",")[-1], "jpg")) if self.widths else ""


class StockMovement(models.Model):
    """One change of what a cooperative has in stock. Written once, never changed.

    On hand = received + returned − sold − written off; reserved goods are still on hand.
    """

    class Kind(models.TextChoices):
        RECEIVED = "received", _("received")
        RESERVED = "reserved", _("reserved")
        FREED = "freed", _("reservation freed")
        SOLD = "sold", _("sold")
        RETURNED = "returned", _("returned")
        WRITTEN_OFF = "written_off", _("written off")

    stockrecord = models.ForeignKey("partner.StockRecord", on_delete=models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=12, choices=Kind)
    quantity = models.PositiveIntegerField()
    about = models.CharField(
        max_length=64, blank=True, db_index=True, help_text="order or supplier order reference"
    )
    moved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="a_movement_moves_something", condition=Q(quantity__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity}"


class VatRateQuerySet(models.QuerySet["VatRate"]):
    def on(self, day: date) -> VatRateQuerySet:
        """Rates in force on that day."""
        return self.filter(Q(valid_until=None) | Q(valid_until__gte=day), valid_from__lte=day)


class VatRate(models.Model):
    """The VAT of a class of goods for a regime, from a day on. Data an accountant confirms, not code."""

    code = models.CharField(max_length=8, help_text="X91, N, R10 or R20")
    regime = models.CharField(max_length=16, blank=True, help_text="empty: every regime")
    rate = models.DecimalField(max_digits=5, decimal_places=4)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    legal_basis = models.CharField(max_length=200, blank=True)
    confirmed_by = models.CharField(max_length=120, blank=True)

    objects = VatRateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["code", "regime", "valid_from"], name="one_vat_rate_starts_on_a_day"
            ),
            models.CheckConstraint(
                name="a_vat_rate_ends_after_it_starts",
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.rate}"


from oscar.apps.catalogue.models import *  # noqa: E402, F403
