"""One adapter for each database the shop runs on."""

from __future__ import annotations

from django.db import connection

from shop.search.engines.port import Engine
from shop.search.engines.postgresql import PostgresqlEngine
from shop.search.engines.sqlite import SqliteEngine


def engine() -> Engine:
    """The engine of the database at hand."""
    return SqliteEngine() if connection.vendor == "sqlite" else PostgresqlEngine()
