"""Whose basket is whose. A person has one open basket; a guest's is known to her session alone.

Oscar's offers and vouchers are not applied: a basket's price is the sum of its goods' prices, less one voucher
of ours (see ``docs/decisions``). So a page that does not show the basket never loads it.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from oscar.core.loading import get_model

Basket = get_model("basket", "Basket")
Line = get_model("basket", "Line")

_SALT = "tadamon.basket"
#: How many of a person's last baskets a form may still speak of (the one it shows, or one just ordered).
_RECENT = 5


def open_of(*, user: Any) -> Any:
    """Her open basket; an unsaved one while she has none, so that looking writes nothing."""
    return Basket.open.filter(owner=user).first() or Basket(owner=user)


def open_for(*, user: Any) -> Any:
    """Her open basket, made if need be. Of two first requests one makes it and both get it."""
    basket, _new = Basket.open.get_or_create(owner=user)
    return basket


def of_guest(*, key: Any) -> Any:
    """The open basket a session holds the key of; None when it was ordered, merged or removed."""
    return Basket.open.filter(pk=key, owner=None).first() if isinstance(key, int) else None


def token(*, basket: Any) -> str:
    """Names a basket in a form without giving its number away."""
    return salted_hmac(_SALT, str(basket.pk)).hexdigest()[:32]


def named(*, token_: str, user: Any, key: Any) -> Any:
    """The basket that a form speaks of, open or just ordered, if it is this person's; else None."""
    if user is not None:
        recent = Basket.objects.filter(owner=user).order_by("-pk")[:_RECENT]
    else:
        recent = Basket.objects.filter(owner=None, pk=key) if isinstance(key, int) else []
    return next((each for each in recent if constant_time_compare(token(basket=each), token_)), None)


@transaction.atomic
def take_over(*, guest_basket: Any, user: Any) -> int:
    """After signing in, what she had chosen as a guest joins her own basket; returns how many lines came.

    Of the same good the larger quantity stays. Doing it again, or twice at once, changes nothing more.
    """
    claimed = Basket.objects.filter(pk=guest_basket.pk, owner=None, status=Basket.OPEN)
    if not claimed.update(status=Basket.MERGED):
        return 0
    basket = open_for(user=user)
    Basket.objects.select_for_update().get(pk=basket.pk)
    own = {each.line_reference: each for each in basket.lines.all()}
    came = 0
    for line in Line.objects.filter(basket_id=guest_basket.pk):
        mine = own.get(line.line_reference)
        if mine is None:
            Line.objects.filter(pk=line.pk).update(basket=basket)
        elif line.quantity > mine.quantity:
            Line.objects.filter(pk=mine.pk).update(quantity=line.quantity)
        came += 1
    return came
