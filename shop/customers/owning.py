"""What is whose: the addresses a person has proved to be hers, and the orders that follow from them."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from django.db.models import Q

from shop.orders.models import Order


def verified_emails(*, user: Any) -> list[str]:
    """The addresses she has proved to be hers, in small letters."""
    found = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    return sorted({each.lower() for each in found})


def orders_of(*, user: Any) -> Any:
    """Her orders, and those placed as a guest under an e-mail she has since proved to be hers."""
    verified = EmailAddress.objects.filter(user=user, verified=True).values("email")
    return Order.objects.filter(Q(user=user) | Q(user=None, guest_email__in=verified))
