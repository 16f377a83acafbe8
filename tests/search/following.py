"""The index follows the shelves by a task; tests do not wait for it."""

from __future__ import annotations

from django.db import connection

from shop.search import indexing


def up_to_date() -> None:
    """What the task does every few seconds; whoever counts queries does not count these."""
    counted, connection.force_debug_cursor = connection.force_debug_cursor, False
    try:
        indexing.refresh()
    finally:
        connection.force_debug_cursor = counted
