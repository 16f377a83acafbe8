"""A listing goes on the shelf, leaves it, and claims the labels its cooperative is certified for."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from catalogue.models import LabelClaim, Product
from cooperatives.models import Certification
from shop.core import freshness
from shop.core.clock import day_of
from shop.core.errors import Refused
from shop.core.lives import refused_when_stale

logger = logging.getLogger(__name__)


class ListingIncomplete(Refused):
    def __init__(self, listing: Product, missing: str) -> None:
        self.listing, self.missing = listing, missing
        super().__init__(
            _("“%(title)s” cannot be shown yet: %(missing)s is missing.")
            % {"title": listing.get_title(), "missing": missing}
        )


class ClaimNotCertified(Refused):
    def __init__(self, claim: LabelClaim) -> None:
        self.claim = claim
        super().__init__(
            _("“%(title)s” claims %(label)s, which is not certified today.")
            % {"title": claim.listing.get_title(), "label": claim.certification.label.name}
        )


class NotItsOwnCertification(Refused):
    message = _("A listing can only claim what its own cooperative is certified for.")


@transaction.atomic
def publish(*, listing: Product, at: datetime) -> Product:
    """Put the listing on the shelf, and with it those of its variants that are drafts still.

    A published one is left as it is; so is a variant that was withdrawn by itself. Raises ListingIncomplete,
    or ClaimNotCertified when it claims a label that is not certified that day.
    """
    if listing.state == Product.State.PUBLISHED:
        return listing
    if listing.has_variants:
        for each in listing.children.filter(state=Product.State.DRAFT).order_by("pk"):
            publish(listing=each, at=at)
    for missing, is_there in _needed(listing):
        if not is_there:
            raise ListingIncomplete(listing, str(missing))
    certified = Certification.objects.valid_on(day_of(at))
    lapsed = listing.label_claims.exclude(certification__in=certified).select_related("certification__label")
    for claim_ in lapsed:
        raise ClaimNotCertified(claim_)
    with refused_when_stale():
        listing.publish(at=at)
        listing.save()
    freshness.renew()
    logger.info("listing published", extra={"listing": listing.reference})
    return listing


def _needed(listing: Product) -> list[tuple[Any, bool]]:
    """What a listing must have before it is shown, and whether it does. With variants each has its own price."""
    if listing.has_variants:
        shown = listing.children.filter(state=Product.State.PUBLISHED)
        return [(_("its name"), bool(listing.get_title())), (_("a variant to choose"), shown.exists())]
    record = listing.stockrecords.first()
    return [
        (_("its name"), bool(listing.get_title())),
        (_("its price"), bool(record is not None and record.price)),
        (_("its weight with packing"), bool(listing.gross_weight_g)),
    ]


@transaction.atomic
def withdraw(*, listing: Product) -> Product:
    """Take the listing off the shelf, or one of its variants; orders under way go on.

    Its variants cannot be bought without it and come back with it. One that is not there is left as it is.
    """
    if listing.state != Product.State.PUBLISHED:
        return listing
    with refused_when_stale():
        listing.withdraw()
        listing.save()
    freshness.renew()
    logger.info("listing withdrawn", extra={"listing": listing.reference})
    return listing


@transaction.atomic
def claim(*, listing: Product, certification: Certification, at: datetime) -> LabelClaim:
    """The listing carries the label from now on, as long as it is certified. Claiming again changes nothing.

    Raises NotItsOwnCertification or ClaimNotCertified.
    """
    if certification.cooperative_id != listing.cooperative_id:
        raise NotItsOwnCertification
    if not Certification.objects.valid_on(day_of(at)).filter(pk=certification.pk).exists():
        raise ClaimNotCertified(LabelClaim(listing=listing, certification=certification))
    return LabelClaim.objects.get_or_create(listing=listing, certification=certification)[0]


def give_up(*, listing: Product, certification: Certification) -> None:
    """The listing no longer carries the label."""
    LabelClaim.objects.filter(listing=listing, certification=certification).delete()
