"""The customer's order. Replaces Oscar's ``order`` app for a handful of columns.

Amounts are frozen when the order is placed. Whether it is paid, waiting or over is computed from what
happened to it (``Order.stage``), never stored as a status of its own.
"""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from moneyed import Money, get_currency
from oscar.apps.address.abstract_models import AbstractShippingAddress
from oscar.apps.order.abstract_models import AbstractLine, AbstractOrder
from phonenumber_field.modelfields import PhoneNumberField

from shop.addresses.models import MoroccanPlace


class OrderQuerySet(models.QuerySet["Order"]):
    def awaiting_payment(self) -> OrderQuerySet:
        """Placed, not yet confirmed, not yet expired."""
        return self.filter(confirmed_at=None, ended_at=None)

    def past_reservation(self, *, at: datetime) -> OrderQuerySet:
        """Waiting for a payment whose time is over."""
        return self.awaiting_payment().filter(reserved_until__lte=at)


class Order(AbstractOrder):
    """What one customer bought at once, from one cooperative or from many."""

    class Method(models.TextChoices):
        CARD = "card", _("by card")
        CASH = "cash", _("in cash on delivery")

    class Stage(models.TextChoices):
        AWAITING_PAYMENT = "awaiting_payment", _("awaiting payment")
        CONFIRMED = "confirmed", _("confirmed")
        ENDED = "ended", _("not paid in time")

    payment_method = models.CharField(_("payment"), max_length=8, choices=Method, default=Method.CARD)
    language = models.CharField(max_length=8, default="fr")
    guest_phone = PhoneNumberField(blank=True)
    reserved_until = models.DateTimeField(
        null=True, blank=True, help_text="when an unpaid order lets its stock go"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(
        null=True, blank=True, help_text="when it expired unpaid or the payment was given up"
    )
    is_gift = models.BooleanField(default=False, help_text="no price goes with its parcels")
    gift_message = models.CharField(
        max_length=300, blank=True, help_text="printed for who receives it, in each parcel"
    )
    link_version = models.PositiveIntegerField(default=1, help_text="raising it revokes every signed link")
    demo = models.BooleanField(default=False)

    objects = OrderQuerySet.as_manager()

    class Meta(AbstractOrder.Meta):
        abstract = False
        constraints = [
            models.CheckConstraint(
                name="an_order_is_confirmed_or_ended_not_both",
                condition=Q(confirmed_at=None) | Q(ended_at=None),
            ),
            models.UniqueConstraint(
                fields=["basket"], name="a_basket_becomes_one_order", condition=Q(basket__isnull=False)
            ),
        ]

    @property
    def stage(self) -> str:
        """Where the order as a whole stands; its parcels have lives of their own."""
        if self.confirmed_at:
            return self.Stage.CONFIRMED
        return self.Stage.ENDED if self.ended_at else self.Stage.AWAITING_PAYMENT

    @property
    def total(self) -> Money:
        """What the customer pays, delivery and tax included."""
        return Money(self.total_incl_tax, get_currency(self.currency))

    @property
    def contact_email(self) -> str:
        """Where mail about this order goes."""
        return self.guest_email or (self.user.email if self.user_id else "")

    @property
    def contact_phone(self) -> str:
        """The phone the carrier calls."""
        address = self.shipping_address
        return str(self.guest_phone or (address.phone_number if address else ""))


class Line(AbstractLine):
    """One listing of an order, with the frozen tax of its goods."""

    cooperative = models.ForeignKey(
        "cooperatives.Cooperative", null=True, on_delete=models.PROTECT, related_name="order_lines"
    )
    vat_rate = models.DecimalField(max_digits=5, decimal_places=4, default=0)
    unit = models.CharField(max_length=60, blank=True, help_text="as shown, e.g. 500 g")
    is_packing = models.BooleanField(
        default=False, help_text="gift packing of the cooperative's parcel, sold with its goods"
    )

    @property
    def shown_title(self) -> str:
        """What was bought, for a reader of today's language: as frozen in the language it was bought in or
        once the listing is gone, else by the listing's title. Needs ``order`` and ``product``."""
        if self.is_packing:
            return gettext("Gift packing")
        return str(self.product.get_title()) if self._reads_otherwise else self.title

    @property
    def shown_unit(self) -> str:
        """Likewise its unit."""
        return (self.product.unit if self._reads_otherwise else "") or self.unit

    @property
    def _reads_otherwise(self) -> bool:
        return self.product_id is not None and get_language() != self.order.language


class ShippingAddress(MoroccanPlace, AbstractShippingAddress):
    """Where the parcels of an order go, frozen with it."""

    phone_number = PhoneNumberField(_("phone"), blank=True)

    class Meta(AbstractShippingAddress.Meta):
        abstract = False


from oscar.apps.order.models import *  # noqa: E402, F403
