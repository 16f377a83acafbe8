"""References that count up within a year, such as ``L-2026-000012``: what people call a line or an exception."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection, models


def one_at_a_time(name: str) -> None:
    """Until the transaction ends, whoever else asks for the same name waits.

    SQLite needs no more than the transaction itself: there is one writer.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])


def following(model: type[models.Model], *, prefix: str, year: int, digits: int) -> Iterator[str]:
    """The references after the last one taken. To be used up inside one transaction."""
    one_at_a_time(f"numbering:{prefix}")
    start = f"{prefix}-{year}-"
    manager: Any = model._default_manager
    last = (
        manager.filter(reference__startswith=start)
        .order_by("-pk")
        .values_list("reference", flat=True)
        .first()
    )
    number = int(last.removeprefix(start)) if last else 0
    while True:
        number += 1
        yield f"{start}{number:0{digits}d}"
