"""Listings a customer wants to find again, and the mail that tells her when one is back or costs less."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from moneyed import MAD, Money
from oscar.core.loading import get_model

from catalogue.models import Product
from shop.core import mailing
from shop.core.clock import day_of
from shop.core.crashpoints import crashpoint
from shop.core.errors import Refused
from shop.core.money import to_minor
from shop.core.sweeping import each_by_itself
from shop.customers.models import Favourite, Preferences, Purpose

StockRecord = get_model("partner", "StockRecord")

#: Where a visitor's session keeps hers until she signs in: references, the last one marked last.
SESSION_KEY = "favourites"
#: How long a visitor's are kept, in seconds: as long as her basket.
LIFETIME = 30 * 24 * 3600
#: More than anybody looks through again.
MOST = 200
#: How many are looked at together.
AT_ONCE = 500
BACK, CHEAPER = "favourite.back", "favourite.cheaper"
_TOPICS = {Purpose.BACK_IN_STOCK: BACK, Purpose.CHEAPER: CHEAPER}


class TooMany(Refused):
    message = _("Your list holds up to %(most)s favourites. Take one out to make room.") % {"most": MOST}


@dataclass(frozen=True)
class Standing:
    """What a listing costs and whether there is any of it; of one with variants the lowest price counts."""

    price: Money | None
    left: int


def standings(*, listings: Iterable[int]) -> dict[int, Standing]:
    """``{listing's key: standing}``, in one query."""
    wanted = set(listings)
    records = StockRecord.objects.filter(
        Q(product__in=wanted) | Q(product__parent__in=wanted), price__isnull=False
    ).select_related("product")
    found: dict[int, list[Any]] = {}
    for each in records:
        key = each.product_id if each.product_id in wanted else each.product.parent_id
        found.setdefault(key, []).append(each)
    return {
        key: Standing(
            price=Money(min(each.price for each in theirs), MAD),
            left=sum(max(each.net_stock_level, 0) for each in theirs),
        )
        for key, theirs in found.items()
    }


def keep(*, user: Any, listing: Product, at: datetime) -> Favourite:
    """Mark a listing. Marking it again changes nothing. Raises TooMany."""
    found = Favourite.objects.filter(user=user, listing=listing).first()
    if found is not None:
        return found
    if Favourite.objects.filter(user=user).count() >= MOST:
        raise TooMany
    standing = standings(listings=[listing.pk]).get(listing.pk, Standing(None, 0))
    kept, _new = Favourite.objects.get_or_create(
        user=user,
        listing=listing,
        defaults={
            "seen_minor": to_minor(standing.price) if standing.price else 0,
            "was_sold_out": not standing.left,
            "added_at": at,
        },
    )
    return kept


def drop(*, user: Any, listing: Product) -> None:
    """Take a listing out of the list; one that is not in it changes nothing."""
    Favourite.objects.filter(user=user, listing=listing).delete()


def take_over(*, user: Any, references: list[str], at: datetime) -> int:
    """What she marked before signing in joins her list; returns how many are there now."""
    for listing in Product.objects.filter(reference__in=references[-MOST:], parent=None):
        try:
            keep(user=user, listing=listing, at=at)
        except TooMany:
            break
    return Favourite.objects.filter(user=user).count()


# What has changed since


def look(*, at: datetime) -> int:
    """Tell those who asked for it what has become of their favourites; returns how many mails were promised.

    One mail for each listing and change: what she was told is what she knows from then on.
    """
    asked = Preferences.objects.filter(Q(back_in_stock=True) | Q(cheaper=True))
    rows = (
        Favourite.objects.filter(
            user__in=asked.values("user"),
            listing__in=Product.objects.on_sale(on=day_of(at)),
            user__emailaddress__verified=True,
            user__emailaddress__email__iexact=F("user__email"),
        )
        .select_related("user__preferences", "listing__cooperative")
        .distinct()
        .order_by("pk")
    )
    told, after = 0, 0
    while found := list(rows.filter(pk__gt=after)[:AT_ONCE]):
        told, after = told + _look_at_some(found, at), found[-1].pk
    return told


def _look_at_some(found: list[Favourite], at: datetime) -> int:
    standing = standings(listings={each.listing_id for each in found})
    return each_by_itself(
        [each for each in found if _differs(each, standing.get(each.listing_id))],
        lambda favourite: _look_at(favourite, standing.get(favourite.listing_id), at),
        what="look at favourite",
    )


def _differs(favourite: Favourite, now: Standing | None) -> bool:
    """Whether there is anything to tell or to remember; most favourites stand as they stood."""
    if now is None or now.price is None:
        return False
    return favourite.was_sold_out != (not now.left) or now.price < favourite.seen


@transaction.atomic
def _look_at(favourite: Favourite, now: Standing | None, at: datetime) -> bool:
    if now is None or now.price is None:
        return False
    favourite = (
        Favourite.objects.select_for_update(of=("self",))
        .select_related("user__preferences", "listing__cooperative")
        .get(pk=favourite.pk)
    )
    wants = favourite.user.preferences
    is_back = bool(favourite.was_sold_out and now.left)
    is_cheaper = bool(now.left and now.price < favourite.seen)
    purpose = (
        Purpose.BACK_IN_STOCK
        if is_back and wants.back_in_stock
        else Purpose.CHEAPER
        if is_cheaper and wants.cheaper
        else None
    )
    changed = favourite.was_sold_out != (not now.left)
    favourite.was_sold_out = not now.left
    if purpose is not None:
        _promise(favourite, purpose, now, wants.person, at)
        crashpoint("favourites.promised_one")
        favourite.told += 1
        favourite.seen = now.price
    if changed or purpose is not None:
        favourite.save()
    return purpose is not None


def _promise(favourite: Favourite, purpose: Purpose, now: Standing, person: str, at: datetime) -> None:
    listing, price = favourite.listing, now.price
    assert price is not None
    was = favourite.seen

    def said() -> dict[str, Any]:
        return {
            "title": str(listing.get_title()),
            "cooperative": listing.cooperative.name,
            "slug": listing.slug,
            "price": {"minor": to_minor(price), "currency": "MAD"},
            "was": {"minor": to_minor(was), "currency": "MAD"} if price < was else None,
            "person": person,
            "purpose": purpose.value,
        }

    mailing.promise(
        topic=_TOPICS[purpose],
        to=favourite.user.email,
        language=favourite.user.language,
        key=f"{_TOPICS[purpose]}:{favourite.pk}:{favourite.told}",
        about=listing.reference,
        at=at,
        context=said,
    )
