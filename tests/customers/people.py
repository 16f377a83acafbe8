"""Customers as these tests need them."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress

from shop.people.models import User
from tests.factories import UserFactory


def proved(**given: Any) -> User:
    """A customer whose address is known to be hers."""
    user = UserFactory(**given)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user
