"""A customer's address book: what the checkout offers her again."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from shop.addresses.models import UserAddress
from shop.core.errors import Refused
from shop.orders.models import ShippingAddress
from shop.people.models import User

#: More places than one person has parcels sent to.
MOST = 20
_COLUMNS = (
    "first_name",
    "last_name",
    "line1",
    "line2",
    "line4",
    "postcode",
    "country_id",
    "region_code",
    "province_code",
    "commune_code",
    "landmark",
    "phone_number",
)


class BookFull(Refused):
    message = _("Your book holds up to %(most)s addresses. Remove one to make room.") % {"most": MOST}


def of(*, user: Any) -> list[UserAddress]:
    """Her addresses, the one she uses by default first."""
    found = UserAddress.objects.filter(user=user).select_related("country")
    return list(found.order_by("-is_default_for_shipping", "-date_created", "-pk"))


def named(*, user: Any, mark: str) -> UserAddress | None:
    """The address of hers that pages call by this mark; another person's does not exist for her."""
    return UserAddress.objects.filter(user=user, hash=mark).select_related("country").first()


@transaction.atomic
def keep(
    *, user: Any, place: ShippingAddress, instead_of: UserAddress | None = None, is_default: bool = False
) -> UserAddress:
    """Write an address into her book, as a new one or in place of one that is there.

    One that stands there already (same name and street) is brought up to date, not written twice. The first
    one is the default. Raises BookFull.
    """
    _hold(user.pk)
    kept = instead_of or UserAddress(user=user)
    for column in _COLUMNS:
        setattr(kept, column, getattr(place, column))
    same = UserAddress.objects.filter(user=user, hash=kept.generate_hash()).exclude(pk=kept.pk).first()
    if same is not None:
        is_default = is_default or same.is_default_for_shipping
        same.delete()
    others = UserAddress.objects.filter(user=user).exclude(pk=kept.pk)
    if kept.pk is None and others.count() >= MOST:
        raise BookFull
    kept.is_default_for_shipping = (
        is_default or kept.is_default_for_shipping or not others.filter(is_default_for_shipping=True).exists()
    )
    kept.save()
    return kept


@transaction.atomic
def remove(*, address: UserAddress) -> None:
    """Take an address out of her book; orders that went there keep theirs. The next one becomes the default."""
    user = address.user
    _hold(user.pk)
    was_default = UserAddress.objects.filter(pk=address.pk, is_default_for_shipping=True).exists()
    address.delete()
    following = of(user=user)
    if was_default and following:
        make_default(address=following[0])


@transaction.atomic
def make_default(*, address: UserAddress) -> None:
    """From now on the checkout begins with this address."""
    _hold(address.user_id)
    UserAddress.objects.filter(user=address.user_id).exclude(pk=address.pk).update(
        is_default_for_shipping=False
    )
    UserAddress.objects.filter(pk=address.pk).update(is_default_for_shipping=True)


def _hold(user: int) -> None:
    """Her book changes by one hand at a time: of two presses at once the second sees what the first did."""
    User.objects.select_for_update().get(pk=user)
