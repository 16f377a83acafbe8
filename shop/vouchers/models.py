"""Vouchers: a code that takes something off the price of goods, and who bears that. See docs/decisions/0008."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from cooperatives.models import Cooperative
from shop.core import references
from shop.core.columns import Amount, MinorUnits
from shop.orders.models import Order

#: No voucher takes more off than this part of the goods: what nothing was paid for could be neither collected
#: at the door nor given back.
MOST_RATE = "0.9000"


def new_reference() -> str:
    """What addresses call a voucher, such as ``B-7K3M9QX2T``: its code is nobody's business in a log."""
    return references.make("B")


class VoucherQuerySet(models.QuerySet["Voucher"]):
    def of(self, user: Any) -> VoucherQuerySet:
        """Those that the cooperatives this person acts for give themselves: the only door for members."""
        return self.filter(
            funded_by=Voucher.FundedBy.COOPERATIVE, cooperative__in=Cooperative.objects.of(user)
        )


class Voucher(models.Model):
    """What a code takes off the goods, from when until when, how often, and at whose cost."""

    class Kind(models.TextChoices):
        AMOUNT = "amount", _("an amount")
        PERCENT = "percent", _("a percentage")

    class FundedBy(models.TextChoices):
        PLATFORM = "platform", _("the shop")
        COOPERATIVE = "cooperative", _("the cooperative")

    reference = models.CharField(max_length=16, unique=True, default=new_reference, editable=False)
    code = models.CharField(max_length=24, unique=True, help_text="capitals and digits only, as compared")
    kind = models.CharField(max_length=8, choices=Kind)
    currency = models.CharField(max_length=3, default="MAD")
    amount_minor = MinorUnits(null=True, blank=True)
    rate = models.DecimalField(max_digits=5, decimal_places=4, null=True, blank=True)
    most_minor = MinorUnits(null=True, blank=True, help_text="the most a percentage comes to")
    least_goods_minor = MinorUnits(default=0, help_text="from so much of the goods it is for")
    amount, most, least_goods = Amount("amount_minor"), Amount("most_minor"), Amount("least_goods_minor")
    funded_by = models.CharField(max_length=12, choices=FundedBy)
    cooperative = models.ForeignKey(
        Cooperative, on_delete=models.PROTECT, null=True, blank=True, related_name="vouchers"
    )
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True, help_text="the last day")
    most_uses = models.PositiveIntegerField(null=True, blank=True)
    most_uses_each = models.PositiveIntegerField(null=True, blank=True, help_text="for each customer")
    used = models.PositiveIntegerField(default=0, help_text="the guard: uses taken and not given back")
    is_active = models.BooleanField(default=True)
    text_fr = models.CharField(max_length=120)
    text_ar = models.CharField(max_length=120)
    text_en = models.CharField(max_length=120)
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True, help_text="when it was switched off")
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = VoucherQuerySet.as_manager()

    class Meta:
        ordering = ["-issued_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="a_voucher_takes_an_amount_or_a_percentage",
                condition=Q(kind="amount", amount_minor__gt=0, rate=None, most_minor=None)
                | (
                    Q(kind="percent", amount_minor=None, rate__gt=0, rate__lte=MOST_RATE)
                    & (Q(most_minor=None) | Q(most_minor__gt=0))
                ),
            ),
            models.CheckConstraint(
                name="a_voucher_says_who_bears_it",
                condition=Q(funded_by="platform", cooperative=None)
                | Q(funded_by="cooperative", cooperative__isnull=False),
            ),
            models.CheckConstraint(
                name="a_voucher_is_used_no_oftener_than_it_may",
                condition=Q(most_uses=None) | Q(used__lte=F("most_uses")),
            ),
            models.CheckConstraint(
                name="a_voucher_ends_after_it_begins",
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def text(self) -> str:
        """What it is for, in the reader's language."""
        return str(getattr(self, f"text_{(get_language() or 'fr')[:2]}", self.text_fr))

    def is_valid_on(self, day: date) -> bool:
        """Whether a customer can use it that day, as far as days and its switch go."""
        return (
            self.is_active
            and self.valid_from <= day
            and (self.valid_until is None or day <= self.valid_until)
        )


class RedemptionQuerySet(models.QuerySet["Redemption"]):
    def live(self) -> RedemptionQuerySet:
        """Those that count: their order neither expired unpaid nor came to nothing."""
        return self.filter(given_back_at=None)


class Redemption(models.Model):
    """One order's use of a voucher, frozen with it: what it took off and who bears that."""

    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="redemptions")
    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="redemption")
    code = models.CharField(max_length=24)
    funded_by = models.CharField(max_length=12, choices=Voucher.FundedBy)
    cooperative = models.ForeignKey(
        Cooperative, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    currency = models.CharField(max_length=3, default="MAD")
    amount_minor = MinorUnits()
    amount = Amount("amount_minor")
    customer = models.CharField(max_length=254, help_text="her e-mail, in small letters")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    number = models.PositiveIntegerField(help_text="which use of hers: 1, 2 …")
    taken_at = models.DateTimeField()
    given_back_at = models.DateTimeField(null=True, blank=True)

    objects = RedemptionQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["voucher", "customer", "number"],
                condition=Q(given_back_at=None),
                name="a_customer_takes_each_use_once",
            ),
            models.CheckConstraint(name="a_redemption_takes_something_off", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="a_redemption_says_who_bears_it",
                condition=Q(funded_by="platform", cooperative=None)
                | Q(funded_by="cooperative", cooperative__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.voucher} {self.order_id}"

    @property
    def is_by_shop(self) -> bool:
        """Whether the shop bears it; else its cooperative does."""
        return self.funded_by == Voucher.FundedBy.PLATFORM
