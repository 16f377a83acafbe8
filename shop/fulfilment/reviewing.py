"""Customers say what they think of goods that have reached them; an operator reads it before others do."""

from __future__ import annotations

import html
import logging
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import nh3
from django.db import transaction
from django.db.models import Avg, Count, F, QuerySet, Window
from django.utils.translation import gettext_lazy as _

from catalogue.models import Product
from shop.core import references
from shop.core.clock import day_of
from shop.core.errors import Refused
from shop.core.lives import refused_when_stale
from shop.core.prepared import Prepared
from shop.fulfilment.models import Review, SupplierOrder
from shop.orders.models import Line, Order

logger = logging.getLogger(__name__)

#: Fewer letters say nothing to the next customer; more are not read.
SHORTEST, LONGEST = 10, 1500
STARS = range(1, 6)
#: What one customer may write in a day and a night, over all her orders.
MOST_IN_A_DAY = 10
_ARRIVED = (SupplierOrder.State.DELIVERED, SupplierOrder.State.RELEASED)


class NotDeliveredYet(Refused):
    message = _("You can review a good once its parcel has arrived.")


class ReviewedAlready(Refused):
    message = _("You have reviewed this good already. One order line gives one review.")


class ListingGone(Refused):
    message = _("This good is no longer in the shop, so it takes no reviews.")


class StarsRefused(Refused):
    message = _("Give one to five stars.")


class WordsRefused(Refused):
    def __init__(self) -> None:
        super().__init__(
            _("Say it in %(shortest)s to %(longest)s letters.") % {"shortest": SHORTEST, "longest": LONGEST}
        )


class EnoughForToday(Refused):
    message = _("You have written many reviews today. Come back tomorrow for the others.")


class ReasonNeeded(Refused):
    message = _("Say why it is not shown: the customer reads it.")


def may_review(*, part: SupplierOrder) -> bool:
    """Whether what is in this part has reached its customer."""
    return part.state in _ARRIVED


def plain_words(text: str) -> str:
    """What was written, as plain text: no mark-up, nothing invisible, blank lines kept but not piled up."""
    bare = html.unescape(nh3.clean(text, tags=set()))
    lines = ("".join(each for each in line if each.isprintable()).strip() for line in bare.splitlines())
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip()


@transaction.atomic
def write(*, order_line: Line, stars: int, words: str, language: str, at: datetime) -> Review:
    """Keep what a customer says of one line of her order, until an operator has read it.

    The same words once more (a button pressed twice) are the same review. Raises NotDeliveredYet, ListingGone,
    StarsRefused, WordsRefused, ReviewedAlready or EnoughForToday, and then nothing is kept.
    """
    order = (
        Order.objects.select_for_update(of=("self",))
        .select_related("shipping_address")
        .get(pk=order_line.order_id)
    )
    part = SupplierOrder.objects.filter(lines__order_line=order_line).first()
    if part is None or not may_review(part=part):
        raise NotDeliveredYet
    if order_line.product is None:
        raise ListingGone
    if stars not in STARS:
        raise StarsRefused
    said = plain_words(words)
    if not SHORTEST <= len(said) <= LONGEST:
        raise WordsRefused
    before = Review.objects.filter(order_line=order_line).first()
    if before is not None:
        if (before.stars, before.words) == (stars, said):
            return before
        raise ReviewedAlready
    if _written_today(order, at) >= MOST_IN_A_DAY:
        raise EnoughForToday
    review = Review.objects.create(
        reference=references.make("A"),
        order_line=order_line,
        listing=order_line.product.on_shelf,
        stars=stars,
        words=said,
        language=language,
        signed=_signed(order),
        bought_on=day_of(order.date_placed),
        written_at=at,
    )
    logger.info("review written", extra={"review": review.reference, "listing": review.listing.reference})
    return review


@transaction.atomic
def approve(*, review: Review, by: Any, at: datetime) -> None:
    """From now on everybody reads it. One that is shown already is left as it is."""
    if review.state == Review.State.APPROVED:
        return
    with refused_when_stale():
        review.approve(by=by, at=at)
        review.save()
    logger.info("review approved", extra={"review": review.reference})


@transaction.atomic
def decline(*, review: Review, by: Any, reason: str, at: datetime) -> None:
    """It is not shown, or no longer; its writer reads why. Raises ReasonNeeded."""
    if not reason.strip():
        raise ReasonNeeded
    with refused_when_stale():
        review.decline(by=by, at=at, reason=reason.strip())
        review.save()
    logger.info("review declined", extra={"review": review.reference})


def newest(*, listing: Product, limit: int) -> list[Review]:
    """The newest that are shown, each with ``number`` and ``mean`` of all that are; one query."""
    return _newest(limit).records(listing=listing.pk)


@cache
def _newest(limit: int) -> Prepared:
    def ask(*, language: str, listing: int) -> QuerySet[Review]:
        return Review.objects.shown(listing=listing).annotate(
            number=Window(Count("pk"), partition_by=F("listing")),
            mean=Window(Avg("stars"), partition_by=F("listing")),
        )[:limit]

    return Prepared(ask)


def _written_today(order: Order, at: datetime) -> int:
    """How many this customer, or the guest of this address, wrote in the last day and night."""
    hers = {"user_id": order.user_id} if order.user_id else {"user": None, "guest_email": order.guest_email}
    return Review.objects.filter(
        order_line__order__in=Order.objects.filter(**hers), written_at__gt=at - timedelta(days=1)
    ).count()


def _signed(order: Order) -> str:
    """First name and initial: enough to be a person, too little to be found."""
    address = order.shipping_address
    first = (address.first_name if address else "").strip().split(" ")[0]
    last = (address.last_name if address else "").strip()
    if not first:
        return str(_("A customer"))
    return f"{first} {last[0]}." if last else first
