"""A use of a voucher: taken by the order that is placed, given back by the one that comes to nothing."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from shop.core.money import to_minor
from shop.orders.models import Order
from shop.vouchers.applying import Reduction, SwitchedOff, UsedUp, UsedUpByHer, hers
from shop.vouchers.models import Redemption, Voucher

logger = logging.getLogger(__name__)


@transaction.atomic
def take(*, reduction: Reduction, order: Order, user: Any, email: str, at: datetime) -> Redemption:
    """Take one use for an order that is being placed.

    The update carries its own condition, so of two orders that want the last use one gets it; and it locks
    the voucher, so a customer's uses are counted one after the other. Raises UsedUp, UsedUpByHer or
    SwitchedOff, and then the order is not placed.
    """
    voucher = reduction.voucher
    room = Voucher.objects.filter(pk=voucher.pk, is_active=True)
    room = room.filter(Q(most_uses=None) | Q(used__lt=F("most_uses")))
    if not room.update(used=F("used") + 1):
        voucher.refresh_from_db(fields=["is_active"])
        raise UsedUp if voucher.is_active else SwitchedOff
    before = set(hers(voucher=voucher, user=user, email=email).values_list("number", flat=True))
    if voucher.most_uses_each is not None and len(before) >= voucher.most_uses_each:
        raise UsedUpByHer
    redemption: Redemption = Redemption.objects.create(
        voucher=voucher,
        order=order,
        code=voucher.code,
        funded_by=voucher.funded_by,
        cooperative=voucher.cooperative,
        currency=voucher.currency,
        amount_minor=to_minor(reduction.amount),
        customer=(user.email if user is not None else email).strip().lower(),
        user=user,
        number=next(each for each in range(1, len(before) + 2) if each not in before),
        taken_at=at,
    )
    logger.info("voucher used", extra={"voucher": voucher.reference, "order": order.number})
    return redemption


@transaction.atomic
def give_back(*, order: Order, at: datetime) -> bool:
    """The order came to nothing: its voucher can be used once more. Whether there was one to give back.

    Again changes nothing: the update carries its condition.
    """
    live = Redemption.objects.live().filter(order=order)
    redemption = live.select_related("voucher").first()
    if redemption is None or not live.update(given_back_at=at):
        return False
    Voucher.objects.filter(pk=redemption.voucher_id).update(used=F("used") - 1)
    logger.info("voucher given back", extra={"voucher": redemption.voucher.reference, "order": order.number})
    return True


def lock(*, order: Order) -> bool:
    """Hold an order's use while its parts end, so that of two that end at once the second sees the first.

    Whether there is one that counts.
    """
    return Redemption.objects.live().select_for_update().filter(order=order).first() is not None
