"""The one place where stock changes. Every change is a conditional update and a movement row.

Records are always touched in the order of their ids, so that two baskets with the same goods never wait
for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from oscar.core.loading import get_model

from catalogue.models import StockMovement
from shop.core.errors import Refused

Kind = StockMovement.Kind


class SoldOut(Refused):
    """Somebody was quicker. Names the listing, so that the customer knows which one."""

    def __init__(self, title: str, left: int) -> None:
        self.left = left
        message = (
            _("Only %(left)s of “%(title)s” are left. Nothing has been charged.")
            if left > 0
            else _("“%(title)s” has just sold out. Nothing has been charged.")
        )
        super().__init__(message % {"title": title, "left": left})


class ReservedForOrders(Refused):
    """More was to be written off than nobody has ordered."""

    def __init__(self, reserved: int, left: int) -> None:
        self.reserved, self.left = reserved, left
        super().__init__(
            _("%(reserved)s are set aside for orders; you can write off at most %(left)s.")
            % {"reserved": reserved, "left": left}
        )


class NotInStock(Exception):
    """A bug: goods were to leave that nobody had reserved."""


def _records() -> QuerySet:
    return get_model("partner", "StockRecord").objects


def _write(kind: str, quantities: Mapping[int, int], about: str, at: datetime) -> None:
    StockMovement.objects.bulk_create(
        StockMovement(stockrecord_id=key, kind=kind, quantity=quantity, about=about, moved_at=at)
        for key, quantity in sorted(quantities.items())
        if quantity
    )


@transaction.atomic
def reserve(*, quantities: Mapping[int, int], about: str, at: datetime) -> None:
    """Set goods aside for an order: ``{stock record id: quantity}``. All of them or, with SoldOut, none.

    The update carries its own condition, so of eight people who want the last unit one gets it.
    """
    for key, quantity in sorted(quantities.items()):
        free = F("num_in_stock") - Coalesce(F("num_allocated"), 0)
        taken = (
            _records()
            .annotate(free=free)
            .filter(pk=key, free__gte=quantity)
            .update(num_allocated=Coalesce(F("num_allocated"), 0) + quantity)
        )
        if not taken:
            record = _records().select_related("product").get(pk=key)
            raise SoldOut(record.product.get_title(), max(record.net_stock_level, 0))
    _write(Kind.RESERVED, quantities, about, at)


@transaction.atomic
def free(*, quantities: Mapping[int, int], about: str, at: datetime) -> None:
    """Let a reservation go: the goods can be sold again."""
    for key, quantity in sorted(quantities.items()):
        changed = (
            _records()
            .filter(pk=key, num_allocated__gte=quantity)
            .update(num_allocated=F("num_allocated") - quantity)
        )
        if not changed:
            raise NotInStock(f"stock record {key}: {quantity} were not reserved")
    _write(Kind.FREED, quantities, about, at)


@transaction.atomic
def consume(*, quantities: Mapping[int, int], about: str, at: datetime) -> None:
    """Reserved goods leave for good (dispatch)."""
    for key, quantity in sorted(quantities.items()):
        changed = (
            _records()
            .filter(pk=key, num_allocated__gte=quantity, num_in_stock__gte=quantity)
            .update(num_allocated=F("num_allocated") - quantity, num_in_stock=F("num_in_stock") - quantity)
        )
        if not changed:
            raise NotInStock(f"stock record {key}: {quantity} were not reserved")
    _write(Kind.SOLD, quantities, about, at)


def _add(kind: str, quantities: Mapping[int, int], about: str, at: datetime) -> None:
    for key, quantity in sorted(quantities.items()):
        _records().filter(pk=key).update(num_in_stock=Coalesce(F("num_in_stock"), 0) + quantity)
    _write(kind, quantities, about, at)


@transaction.atomic
def receive(*, quantities: Mapping[int, int], at: datetime, about: str = "") -> None:
    """The cooperative made or brought more."""
    _add(Kind.RECEIVED, quantities, about, at)


@transaction.atomic
def take_back(*, quantities: Mapping[int, int], about: str, at: datetime) -> None:
    """Goods that had left came home and can be sold again."""
    _add(Kind.RETURNED, quantities, about, at)


@transaction.atomic
def write_off(*, quantities: Mapping[int, int], at: datetime, about: str = "") -> None:
    """Spoilt, lost or given away; only what nobody has reserved. Raises ReservedForOrders."""
    for key, quantity in sorted(quantities.items()):
        unreserved = F("num_in_stock") - Coalesce(F("num_allocated"), 0)
        changed = (
            _records()
            .annotate(unreserved=unreserved)
            .filter(pk=key, unreserved__gte=quantity)
            .update(num_in_stock=F("num_in_stock") - quantity)
        )
        if not changed:
            record = _records().get(pk=key)
            raise ReservedForOrders(record.num_allocated or 0, max(record.net_stock_level, 0))
    _write(Kind.WRITTEN_OFF, quantities, about, at)
