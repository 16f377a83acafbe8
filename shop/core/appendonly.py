"""Tables that are written once: the database itself refuses to change or remove a row.

For use in migrations. SQLite rebuilds a table when a later migration alters it and drops its triggers on
the way, so a migration that alters a guarded table ends with ``forbid_changes`` again.
"""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.special import RunPython

#: One function serves every guarded table on PostgreSQL. Class 23 makes Django raise IntegrityError.
_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: what is written stays', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$
"""


def _postgresql(table: str) -> list[str]:
    return [
        _POSTGRESQL_FUNCTION,
        *_postgresql_back(table),
        f"CREATE TRIGGER {table}_keeps_rows BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        f"CREATE TRIGGER {table}_keeps_all BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ]


def _postgresql_back(table: str) -> list[str]:
    return [
        f"DROP TRIGGER IF EXISTS {table}_keeps_rows ON {table}",
        f"DROP TRIGGER IF EXISTS {table}_keeps_all ON {table}",
    ]


def _sqlite(table: str) -> list[str]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: what is written stays'); END"
    return [
        *_sqlite_back(table),
        f"CREATE TRIGGER {table}_refuses_update BEFORE UPDATE ON {table} {refuse}",
        # Also stops INSERT OR REPLACE, as long as the connection says PRAGMA recursive_triggers=ON.
        f"CREATE TRIGGER {table}_refuses_delete BEFORE DELETE ON {table} {refuse}",
    ]


def _sqlite_back(table: str) -> list[str]:
    return [
        f"DROP TRIGGER IF EXISTS {table}_refuses_update",
        f"DROP TRIGGER IF EXISTS {table}_refuses_delete",
    ]


def by_vendor(
    *, postgresql: list[str], sqlite: list[str], postgresql_back: list[str], sqlite_back: list[str]
) -> Operation:
    """A migration step in the SQL of whichever engine it runs on, with its way back."""
    forward = {"postgresql": postgresql, "sqlite": sqlite}
    back = {"postgresql": postgresql_back, "sqlite": sqlite_back}

    def run(statements: dict[str, list[str]], editor: Any) -> None:
        for statement in statements[editor.connection.vendor]:
            # No parameters: the percent sign of RAISE must reach PostgreSQL as it is.
            editor.execute(statement, params=None)

    return RunPython(
        lambda apps, editor: run(forward, editor),
        lambda apps, editor: run(back, editor),
        elidable=False,
    )


def forbid_changes(table: str) -> list[Operation]:
    """Migration operations after which ``table`` takes new rows and refuses everything else.

    UPDATE and DELETE on both engines, TRUNCATE on PostgreSQL, INSERT OR REPLACE on SQLite: each raises
    IntegrityError. Migrating backwards lifts the guard.
    """
    return [
        by_vendor(
            postgresql=_postgresql(table),
            sqlite=_sqlite(table),
            postgresql_back=_postgresql_back(table),
            sqlite_back=_sqlite_back(table),
        )
    ]
