"""Columns for amounts: whole minor units in the table, ``Money`` in code."""

from __future__ import annotations

from typing import Any, overload

from django.db import models
from moneyed import Money

from shop.core.money import from_minor, to_minor


class MinorUnits(models.BigIntegerField):
    """A column of whole minor units; its currency stands in the same row."""


class Amount:
    """``Money`` over a ``<name>_minor`` column and the row's ``currency``.

    >>> goods_minor = MinorUnits()
    >>> goods = Amount("goods_minor")
    """

    def __init__(self, column: str, currency: str = "currency") -> None:
        self.column = column
        self.currency = currency

    @overload
    def __get__(self, record: None, owner: type) -> Amount: ...
    @overload
    def __get__(self, record: Any, owner: type) -> Money: ...
    def __get__(self, record: Any, owner: type) -> Any:
        if record is None:
            return self
        return from_minor(getattr(record, self.column), getattr(record, self.currency))

    def __set__(self, record: Any, value: Money) -> None:
        if value.currency.code != getattr(record, self.currency):
            raise ValueError(f"{value} does not fit a record in {getattr(record, self.currency)}")
        setattr(record, self.column, to_minor(value))
