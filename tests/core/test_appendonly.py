"""Which tables are written once, and that the guard they share works on its own."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from shop.core import appendonly

pytestmark = pytest.mark.django_db

WRITTEN_ONCE = [
    "catalogue_stockmovement",
    "fulfilment_orderevent",
    "ledger_account",
    "ledger_journalentry",
    "ledger_posting",
]


def run(sql: str) -> list[tuple]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def triggers() -> set[str]:
    if connection.vendor == "sqlite":
        return {name for (name,) in run("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    return {
        name for (name,) in run("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'")
    }


@pytest.mark.parametrize("table", WRITTEN_ONCE)
def test_the_guard_stands_after_all_migrations(table):
    # A later migration that alters the table on SQLite would have dropped it without a word.
    ends = {
        "sqlite": ("refuses_update", "refuses_delete"),
        "postgresql": ("keeps_rows", "keeps_all"),
    }[connection.vendor]

    assert {f"{table}_{each}" for each in ends} <= triggers()


@pytest.fixture
def notes():
    """A small table with one row, and a function that takes its guard up or down."""
    run("CREATE TABLE notes (id integer PRIMARY KEY, text varchar(20) NOT NULL)")
    run("INSERT INTO notes VALUES (1, 'first')")
    (guard,) = appendonly.forbid_changes("notes")

    def turn(way: str) -> None:
        # Without entering it: SQLite's editor refuses to begin inside the transaction of a test.
        getattr(guard, way)(None, connection.schema_editor(atomic=False))

    return turn


@pytest.mark.parametrize("change", ["UPDATE notes SET text = 'other'", "DELETE FROM notes WHERE id = 1"])
def test_a_guarded_table_takes_new_rows_and_nothing_else(notes, change):
    notes("code")

    run("INSERT INTO notes VALUES (2, 'second')")
    with pytest.raises(IntegrityError, match="notes is append-only"):
        run(change)

    assert run("SELECT id, text FROM notes ORDER BY id") == [(1, "first"), (2, "second")]


@pytest.mark.parametrize("change", ["UPDATE notes SET text = 'other'", "DELETE FROM notes WHERE id = 1"])
def test_without_the_guard_the_same_changes_go_through(notes, change):
    notes("code")
    notes("reverse_code")

    run(change)

    assert run("SELECT id, text FROM notes") != [(1, "first")]


def test_a_statement_that_touches_no_row_is_harmless(notes):
    notes("code")

    run("DELETE FROM notes WHERE id = 77")

    assert run("SELECT count(*) FROM notes") == [(1,)]


def test_guarding_twice_is_guarding_once(notes):
    notes("code")
    notes("code")

    with pytest.raises(IntegrityError, match="append-only"):
        run("DELETE FROM notes")


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only PostgreSQL can TRUNCATE")
def test_a_guarded_table_cannot_be_emptied(notes):
    notes("code")

    with pytest.raises(IntegrityError, match="append-only"):
        run("TRUNCATE notes")

    assert run("SELECT count(*) FROM notes") == [(1,)]
