"""The part of an order that one cooperative fills, and its way to the customer's door."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from catalogue.models import Product
from cooperatives.models import Cooperative
from shop.core.columns import Amount, MinorUnits
from shop.core.lives import MovesOnce
from shop.core.models import Region


class Carrier(models.Model):
    """Who carries parcels under a contract of the shop, and keeps a fee on the cash it collects."""

    code = models.SlugField(max_length=16, unique=True)
    name = models.CharField(_("name"), max_length=80)
    phone = models.CharField(max_length=24, blank=True)
    tracking_url = models.URLField(blank=True, help_text="with {number}")
    collects_cash = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class DeliveryRateQuerySet(models.QuerySet["DeliveryRate"]):
    def in_force(self, *, on: date) -> DeliveryRateQuerySet:
        """What carriers that work for us ask that day."""
        return self.filter(
            Q(valid_until=None) | Q(valid_until__gte=on), valid_from__lte=on, carrier__is_active=True
        )


class DeliveryRate(models.Model):
    """What delivery costs from one region to another, by weight, from a day on. VAT included."""

    carrier = models.ForeignKey(Carrier, on_delete=models.CASCADE, related_name="rates")
    from_region = models.ForeignKey(Region, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    to_region = models.ForeignKey(Region, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    up_to_g = models.PositiveIntegerField(help_text="heaviest parcel this rate covers")
    currency = models.CharField(max_length=3, default="MAD")
    price_minor = MinorUnits()
    price = Amount("price_minor")
    vat_rate = models.DecimalField(max_digits=5, decimal_places=4, default="0.2000")
    days_least = models.PositiveSmallIntegerField(default=2)
    days_most = models.PositiveSmallIntegerField(default=4)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)

    objects = DeliveryRateQuerySet.as_manager()

    class Meta:
        ordering = ["carrier", "up_to_g"]

    def __str__(self) -> str:
        return f"{self.carrier} {self.from_region_id or '*'} → {self.to_region_id or '*'} ≤ {self.up_to_g} g"


class DeliveryQuote(models.Model):
    """What the shop asks for bringing one cooperative's part to the customer. A row for each cooperative.

    Tied to a hash of basket and address: another basket or address needs another quote. Frozen with the
    order; unused ones expire.
    """

    fingerprint = models.CharField(max_length=64, db_index=True)
    cooperative = models.ForeignKey(Cooperative, on_delete=models.PROTECT, related_name="+")
    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, related_name="+")
    order = models.ForeignKey(
        "order.Order", on_delete=models.PROTECT, null=True, blank=True, related_name="delivery_quotes"
    )
    currency = models.CharField(max_length=3, default="MAD")
    gross_minor = MinorUnits()
    net_minor = MinorUnits()
    vat_minor = MinorUnits()
    gross, net, vat = Amount("gross_minor"), Amount("net_minor"), Amount("vat_minor")
    vat_rate = models.DecimalField(max_digits=5, decimal_places=4)
    weight_g = models.PositiveIntegerField()
    arrives_from = models.DateField()
    arrives_until = models.DateField()
    quoted_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_delivery_quote_adds_up", condition=Q(gross_minor=F("net_minor") + F("vat_minor"))
            ),
            models.UniqueConstraint(fields=["order", "cooperative"], name="one_delivery_quote_for_each_part"),
        ]

    def __str__(self) -> str:
        return f"{self.cooperative.code} {self.gross}"


class SupplierOrderQuerySet(models.QuerySet["SupplierOrder"]):
    def of(self, user) -> SupplierOrderQuerySet:
        """Those of the cooperatives this person acts for today: the only door for members."""
        return self.filter(cooperative__in=Cooperative.objects.of(user))

    def overdue_for_acceptance(self, *, at: datetime) -> SupplierOrderQuerySet:
        """Placed, and the cooperative let its deadline pass."""
        return self.filter(state=SupplierOrder.State.PLACED, accept_by__lte=at)

    def unreminded(self, *, at: datetime, before: timedelta) -> SupplierOrderQuerySet:
        """Placed, the deadline is nearer than ``before``, and nobody was reminded."""
        return self.filter(
            state=SupplierOrder.State.PLACED, accept_by__gt=at, accept_by__lte=at + before, reminded_at=None
        )

    def to_dispatch(self) -> SupplierOrderQuerySet:
        """Accepted, to be packed and handed to the carrier."""
        return self.filter(state=SupplierOrder.State.ACCEPTED)

    def on_the_way(self) -> SupplierOrderQuerySet:
        """With the carrier."""
        return self.filter(state=SupplierOrder.State.DISPATCHED)

    def ended_after_payment(self) -> SupplierOrderQuerySet:
        """Declined or cancelled parts of orders paid by card: their money has to go back."""
        return self.filter(
            state__in=[SupplierOrder.State.DECLINED, SupplierOrder.State.CANCELLED],
            order__payment_method="card",
        )

    def held(self) -> SupplierOrderQuerySet:
        """Their goods' price is in our hands (card) or collected (cash), and not yet due."""
        under_way = [SupplierOrder.State.PLACED, SupplierOrder.State.ACCEPTED, SupplierOrder.State.DISPATCHED]
        return self.filter(
            Q(order__payment_method="card", state__in=under_way) | Q(state=SupplierOrder.State.DELIVERED)
        )

    def due_for_release(self, *, at: datetime) -> SupplierOrderQuerySet:
        """Delivered, and the return window has closed."""
        return self.filter(state=SupplierOrder.State.DELIVERED, return_until__lte=at)


class SupplierOrder(MovesOnce, models.Model):
    """One cooperative's part of an order. Every amount is frozen when it is made.

    ``goods = commission + solidarity + producer share``; delivery is sold by the shop and stands apart.
    """

    class State(models.TextChoices):
        PLACED = "placed", _("waiting for the cooperative")
        ACCEPTED = "accepted", _("accepted")
        DISPATCHED = "dispatched", _("on its way")
        DELIVERED = "delivered", _("delivered")
        RELEASED = "released", _("completed")
        DECLINED = "declined", _("declined")
        CANCELLED = "cancelled", _("cancelled")
        REFUSED = "refused", _("refused at the door")

    reference = models.CharField(max_length=32, unique=True, help_text="the order's, and -1, -2 …")
    order = models.ForeignKey("order.Order", on_delete=models.PROTECT, related_name="supplier_orders")
    cooperative = models.ForeignKey(Cooperative, on_delete=models.PROTECT, related_name="supplier_orders")
    state = FSMField(choices=State, default=State.PLACED, protected=True)
    currency = models.CharField(max_length=3, default="MAD")
    goods_minor = MinorUnits(help_text="what the cooperative sells for: less its own voucher, not the shop's")
    discount_by_shop_minor = MinorUnits(default=0, help_text="of the goods, what a voucher of the shop pays")
    discount_by_cooperative_minor = MinorUnits(default=0, help_text="already off the goods")
    delivery_minor = MinorUnits()
    delivery_net_minor = MinorUnits()
    delivery_vat_minor = MinorUnits()
    commission_minor = MinorUnits(help_text="VAT included")
    commission_net_minor = MinorUnits()
    commission_vat_minor = MinorUnits()
    solidarity_minor = MinorUnits()
    producer_share_minor = MinorUnits()
    goods, delivery = Amount("goods_minor"), Amount("delivery_minor")
    discount_by_shop = Amount("discount_by_shop_minor")
    discount_by_cooperative = Amount("discount_by_cooperative_minor")
    delivery_net, delivery_vat = Amount("delivery_net_minor"), Amount("delivery_vat_minor")
    commission, commission_net = Amount("commission_minor"), Amount("commission_net_minor")
    commission_vat, solidarity = Amount("commission_vat_minor"), Amount("solidarity_minor")
    producer_share = Amount("producer_share_minor")
    commission_rate = models.DecimalField(max_digits=5, decimal_places=4)
    commission_vat_rate = models.DecimalField(max_digits=5, decimal_places=4)
    solidarity_rate = models.DecimalField(max_digits=5, decimal_places=4)
    delivery_vat_rate = models.DecimalField(max_digits=5, decimal_places=4)
    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, related_name="+")
    arrives_from = models.DateField()
    arrives_until = models.DateField()
    placed_at = models.DateTimeField()
    accept_by = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    dispatched_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    return_until = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="declined, cancelled or refused")
    end_reason = models.CharField(max_length=200, blank=True)

    objects = SupplierOrderQuerySet.as_manager()

    class Meta:
        ordering = ["-placed_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "cooperative"], name="one_supplier_order_for_each_cooperative"
            ),
            models.CheckConstraint(
                name="a_supplier_order_adds_up",
                condition=Q(
                    goods_minor=F("commission_minor") + F("solidarity_minor") + F("producer_share_minor")
                )
                & Q(commission_minor=F("commission_net_minor") + F("commission_vat_minor"))
                & Q(delivery_minor=F("delivery_net_minor") + F("delivery_vat_minor")),
            ),
            models.CheckConstraint(
                name="one_of_the_two_bears_a_voucher",
                condition=Q(discount_by_shop_minor=0, discount_by_cooperative_minor__gte=0)
                | Q(
                    discount_by_shop_minor__gt=0,
                    discount_by_shop_minor__lte=F("goods_minor"),
                    discount_by_cooperative_minor=0,
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["cooperative", "state", "-placed_at"], name="supplier_orders_at_the_desk")
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def total(self):
        """What the customer pays for this part: goods less vouchers, and their delivery."""
        return self.goods - self.discount_by_shop + self.delivery

    @property
    def discount(self):
        """What a voucher took off the prices shown, whoever bears it."""
        return self.discount_by_shop + self.discount_by_cooperative

    @property
    def price(self):
        """The goods at the prices shown, before any voucher."""
        return self.goods + self.discount_by_cooperative

    @property
    def is_cash(self) -> bool:
        """Whether the carrier collects the money at the door."""
        return self.order.payment_method == self.order.Method.CASH

    @transition(field=state, source=State.PLACED, target=State.ACCEPTED)
    def accept(self, *, at: datetime) -> None:
        self.accepted_at = at

    @transition(field=state, source=[State.PLACED, State.ACCEPTED], target=State.DECLINED)
    def decline(self, *, at: datetime, reason: str) -> None:
        self.ended_at, self.end_reason = at, reason

    @transition(field=state, source=State.PLACED, target=State.CANCELLED)
    def cancel(self, *, at: datetime, reason: str) -> None:
        self.ended_at, self.end_reason = at, reason

    @transition(field=state, source=State.ACCEPTED, target=State.DISPATCHED)
    def dispatch(self, *, at: datetime) -> None:
        self.dispatched_at = at

    @transition(field=state, source=State.DISPATCHED, target=State.DELIVERED)
    def deliver(self, *, at: datetime, return_until: datetime) -> None:
        self.delivered_at, self.return_until = at, return_until

    @transition(field=state, source=State.DISPATCHED, target=State.REFUSED)
    def refuse(self, *, at: datetime, reason: str) -> None:
        self.ended_at, self.end_reason = at, reason

    @transition(field=state, source=State.DELIVERED, target=State.RELEASED)
    def release(self, *, at: datetime) -> None:
        self.released_at = at


class SupplierOrderLine(models.Model):
    """One listing of a supplier order, with its frozen part of every amount."""

    supplier_order = models.ForeignKey(SupplierOrder, on_delete=models.PROTECT, related_name="lines")
    order_line = models.OneToOneField("order.Line", on_delete=models.PROTECT, related_name="supplier_line")
    title = models.CharField(max_length=255)
    sku = models.CharField(max_length=64)
    unit = models.CharField(max_length=60, blank=True)
    quantity = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, default="MAD")
    goods_minor = MinorUnits()
    discount_by_shop_minor = MinorUnits(default=0)
    discount_by_cooperative_minor = MinorUnits(default=0)
    commission_minor = MinorUnits(help_text="VAT included")
    commission_vat_minor = MinorUnits()
    solidarity_minor = MinorUnits()
    goods_vat_minor = MinorUnits(default=0, help_text="the cooperative's own VAT, inside its goods")
    goods, commission = Amount("goods_minor"), Amount("commission_minor")
    commission_vat, solidarity = Amount("commission_vat_minor"), Amount("solidarity_minor")
    goods_vat = Amount("goods_vat_minor")
    discount_by_shop = Amount("discount_by_shop_minor")
    discount_by_cooperative = Amount("discount_by_cooperative_minor")
    vat_code = models.CharField(max_length=8, blank=True)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=4, default=0)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.title}"

    @property
    def price(self):
        """All of it at the price shown, before any voucher."""
        return self.goods + self.discount_by_cooperative

    @property
    def title_said(self) -> str:
        """What was ordered, in the reader's language; as frozen when the listing is gone."""
        if self.order_line.is_packing:
            return gettext("Gift packing")
        listing = self.order_line.product
        return listing.get_title() if listing else self.title

    @property
    def unit_said(self) -> str:
        """What one of it is, likewise."""
        listing = self.order_line.product
        return (listing.unit if listing else "") or self.unit


class ShipmentQuerySet(models.QuerySet["Shipment"]):
    def of(self, user) -> ShipmentQuerySet:
        """Parcels of the cooperatives this person acts for today."""
        return self.filter(supplier_order__cooperative__in=Cooperative.objects.of(user))

    def silent_since(self, moment: datetime) -> ShipmentQuerySet:
        """Sent by then, and nobody has said what became of them."""
        return self.filter(
            supplier_order__state=SupplierOrder.State.DISPATCHED,
            dispatched_at__lte=moment,
            delivered_at=None,
            returned_at=None,
        )

    def coming_home(self) -> ShipmentQuerySet:
        """Refused at the door, and not yet back on the cooperative's shelf."""
        return self.filter(returned_at__isnull=False, return_confirmed_at=None)


class Shipment(models.Model):
    """One parcel of a supplier order."""

    class Proof(models.TextChoices):
        TRACKING = "tracking", _("the carrier's tracking")
        MEMBER = "member", _("a member, with proof")
        CUSTOMER = "customer", _("the customer herself")
        AUTOMATIC = "automatic", _("no word to the contrary")

    reference = models.CharField(max_length=36, unique=True)
    supplier_order = models.ForeignKey(SupplierOrder, on_delete=models.PROTECT, related_name="shipments")
    carrier = models.ForeignKey(Carrier, on_delete=models.PROTECT, related_name="+")
    tracking_number = models.CharField(_("tracking number"), max_length=60, blank=True)
    currency = models.CharField(max_length=3, default="MAD")
    cash_to_collect_minor = MinorUnits(default=0)
    cash_to_collect = Amount("cash_to_collect_minor")
    dispatched_at = models.DateTimeField()
    dispatched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    delivered_at = models.DateTimeField(null=True, blank=True)
    proof = models.CharField(max_length=10, choices=Proof, blank=True)
    proof_note = models.CharField(max_length=200, blank=True)
    returned_at = models.DateTimeField(null=True, blank=True)
    return_confirmed_at = models.DateTimeField(null=True, blank=True, help_text="the goods are back in stock")

    objects = ShipmentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["carrier", "tracking_number"],
                condition=~Q(tracking_number=""),
                name="a_tracking_number_is_used_once",
            )
        ]

    def __str__(self) -> str:
        return self.reference


class DeliveryCostRule(models.Model):
    """Who bears the delivery price when a part comes to nothing, from a day on. A dated rule, not code."""

    class Case(models.TextChoices):
        DECLINED = "declined", _("declined by the cooperative")
        CANCELLED = "cancelled", _("cancelled by the customer before acceptance")
        WITHDRAWN = "withdrawn", _("sent back by the customer")
        CLAIM = "claim", _("damaged or wrong")
        CASH_REFUSED = "cash_refused", _("refused at the door")

    class Bearer(models.TextChoices):
        SHOP = "shop", _("the shop")
        CUSTOMER = "customer", _("the customer")
        COOPERATIVE = "cooperative", _("the cooperative")

    case = models.CharField(max_length=16, choices=Case)
    bearer = models.CharField(max_length=12, choices=Bearer)
    valid_from = models.DateField()

    class Meta:
        ordering = ["case", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["case", "valid_from"], name="one_bearer_for_each_case_and_day")
        ]

    def __str__(self) -> str:
        return f"{self.case}: {self.bearer}"


class OrderEvent(models.Model):
    """One thing that happened to an order or a part of it, in words an operator reads. Append-only."""

    order = models.ForeignKey("order.Order", on_delete=models.PROTECT, related_name="events")
    supplier_order = models.ForeignKey(
        SupplierOrder, on_delete=models.PROTECT, null=True, blank=True, related_name="events"
    )
    kind = models.CharField(max_length=40, help_text="e.g. order.confirmed, supplier_order.accepted")
    actor = models.CharField(
        max_length=80, blank=True, help_text="customer, member, operator's account, or system"
    )
    detail = models.JSONField(default=dict)
    happened_at = models.DateTimeField()

    class Meta:
        ordering = ["happened_at", "pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.happened_at:%Y-%m-%d %H:%M}"


class ReviewQuerySet(models.QuerySet["Review"]):
    def waiting(self) -> ReviewQuerySet:
        """Written, and nobody has read them yet; the oldest first."""
        return self.filter(state=Review.State.WAITING).order_by("written_at", "pk")

    def shown(self, *, listing: Product | int) -> ReviewQuerySet:
        """What everybody reads about a listing, the newest first."""
        return self.filter(listing=listing, state=Review.State.APPROVED).order_by("-written_at", "-pk")


class Review(MovesOnce, models.Model):
    """What a customer says of a good that has reached her: one for each line of an order.

    Shown once an operator has read it. ``signed`` is how she is named to others, frozen when she wrote.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("to be read")
        APPROVED = "approved", _("shown")
        DECLINED = "declined", _("not shown")

    reference = models.CharField(max_length=16, unique=True)
    order_line = models.OneToOneField("order.Line", on_delete=models.PROTECT, related_name="review")
    listing = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="customer_reviews")
    stars = models.PositiveSmallIntegerField()
    words = models.TextField(max_length=1500)
    language = models.CharField(max_length=8)
    signed = models.CharField(max_length=80, help_text="first name and initial, e.g. Salma I.")
    bought_on = models.DateField()
    written_at = models.DateTimeField()
    state = FSMField(choices=State, default=State.WAITING, protected=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=300, blank=True, help_text="why it is not shown; she reads it")

    objects = ReviewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_review_gives_one_to_five_stars", condition=Q(stars__gte=1, stars__lte=5)
            ),
            models.CheckConstraint(
                name="a_review_is_decided_by_somebody",
                condition=Q(state="waiting", decided_by=None)
                | (~Q(state="waiting") & Q(decided_by__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["listing", "state", "-written_at"], name="reviews_of_a_listing")]

    def __str__(self) -> str:
        return f"{self.reference} {self.stars}/5"

    @transition(field=state, source=[State.WAITING, State.DECLINED], target=State.APPROVED)
    def approve(self, *, by: Any, at: datetime) -> None:
        self.decided_by, self.decided_at, self.reason = by, at, ""

    @transition(field=state, source=[State.WAITING, State.APPROVED], target=State.DECLINED)
    def decline(self, *, by: Any, at: datetime, reason: str) -> None:
        self.decided_by, self.decided_at, self.reason = by, at, reason
