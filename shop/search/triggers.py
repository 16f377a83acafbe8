"""What makes a listing wait for the index: triggers of the database itself, so that nothing can be forgotten.

Whatever changes what a search says of a listing writes its id into ``search_waiting``: an activity, a
member's form, an import, a line of SQL. Stock writes only when a good sells out, comes back or changes its
price, so a reservation costs nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connections

_FREE = "(COALESCE({row}.num_in_stock, 0) > COALESCE({row}.num_allocated, 0))"
_OF_RECORD = "SELECT COALESCE(p.parent_id, p.id) FROM catalogue_product p WHERE p.id = {row}.product_id"
_NAMES = "name, name_fr, name_ar, name_en"


@dataclass(frozen=True)
class Trigger:
    """After ``event`` on ``table``, what ``select`` yields waits."""

    table: str
    event: str
    select: str
    when: str = ""

    @property
    def name(self) -> str:
        return f"search_after_{self.table}_{self.event.split()[0].lower()}"


def _each_way(table: str, select: str, *, update: str = "UPDATE", when: str = "") -> list[Trigger]:
    """Insert, update and delete; ``select`` with ``{row}`` for the new or the old one."""
    both = f"{select.format(row='NEW')} UNION {select.format(row='OLD')}"
    return [
        Trigger(table, "INSERT", select.format(row="NEW")),
        Trigger(table, update, both, when),
        Trigger(table, "DELETE", select.format(row="OLD")),
    ]


TRIGGERS = [
    *_each_way("catalogue_product", "SELECT COALESCE({row}.parent_id, {row}.id)"),
    *_each_way(
        "partner_stockrecord",
        _OF_RECORD,
        when=f"COALESCE(NEW.price, -1) <> COALESCE(OLD.price, -1) OR NEW.product_id <> OLD.product_id "
        f"OR {_FREE.format(row='NEW')} <> {_FREE.format(row='OLD')}",
    ),
    *_each_way("catalogue_labelclaim", "SELECT {row}.listing_id"),
    *_each_way("catalogue_productcategory", "SELECT {row}.product_id"),
    Trigger(
        "catalogue_category",
        f"UPDATE OF {_NAMES}, path, slug, is_public",
        "SELECT s.product_id FROM catalogue_productcategory s JOIN catalogue_category c ON c.id = s.category_id "
        "WHERE substr(c.path, 1, length(NEW.path)) = NEW.path",
    ),
    Trigger(
        "cooperatives_certification",
        "UPDATE",
        "SELECT listing_id FROM catalogue_labelclaim WHERE certification_id = NEW.id",
    ),
    Trigger(
        "cooperatives_cooperative",
        f"UPDATE OF {_NAMES}, place, place_fr, place_ar, place_en, state, slug, region_id, province_id, women_only",
        "SELECT id FROM catalogue_product WHERE cooperative_id = NEW.id AND parent_id IS NULL",
    ),
    Trigger(
        "cooperatives_label",
        "UPDATE",
        "SELECT l.listing_id FROM catalogue_labelclaim l "
        "JOIN cooperatives_certification c ON c.id = l.certification_id WHERE c.label_id = NEW.id",
    ),
    Trigger(
        "core_region",
        "UPDATE",
        "SELECT id FROM catalogue_product WHERE origin_region_id = NEW.code AND parent_id IS NULL",
    ),
]

#: SQLite's full-text tables keep no text of their own; these keep them in step with the index.
_SQLITE_WORDS = "title, names, text"
_SQLITE_OWN = {
    "search_entry_in": "AFTER INSERT ON search_entry BEGIN "
    f"INSERT INTO search_words(rowid, {_SQLITE_WORDS}) VALUES (NEW.listing_id, NEW.title, NEW.names, NEW.text); END",
    "search_entry_out": "AFTER DELETE ON search_entry BEGIN "
    f"INSERT INTO search_words(search_words, rowid, {_SQLITE_WORDS}) "
    "VALUES ('delete', OLD.listing_id, OLD.title, OLD.names, OLD.text); END",
    "search_entry_new": "AFTER UPDATE ON search_entry "
    "WHEN NEW.title <> OLD.title OR NEW.names <> OLD.names OR NEW.text <> OLD.text BEGIN "
    f"INSERT INTO search_words(search_words, rowid, {_SQLITE_WORDS}) "
    "VALUES ('delete', OLD.listing_id, OLD.title, OLD.names, OLD.text); "
    f"INSERT INTO search_words(rowid, {_SQLITE_WORDS}) VALUES (NEW.listing_id, NEW.title, NEW.names, NEW.text); END",
    "search_spelling_in": "AFTER INSERT ON search_spelling BEGIN "
    "INSERT INTO search_sounds(rowid, sound) VALUES (NEW.id, '__' || NEW.sound || '_'); END",
    "search_spelling_out": "AFTER DELETE ON search_spelling BEGIN "
    "INSERT INTO search_sounds(search_sounds, rowid, sound) VALUES ('delete', OLD.id, '__' || OLD.sound || '_'); END",
}
_ALL = "INSERT INTO search_waiting (listing_id) SELECT id FROM catalogue_product WHERE parent_id IS NULL"


def before_migrations(*, using: str, plan: Any = (), **_: Any) -> None:
    """Take the triggers away while tables change."""
    if plan:
        run(connections[using], taken_away(connections[using].vendor))


def after_migrations(*, using: str, plan: Any = (), **_: Any) -> None:
    """Put them back. Migrations may have changed listings meanwhile, so all of them wait."""
    connection = connections[using]
    if plan and "search_waiting" in connection.introspection.table_names():
        run(connection, [*taken_away(connection.vendor), *put(connection.vendor), _ALL])


def run(connection: Any, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for each in statements:
            cursor.execute(each)


def put(vendor: str) -> list[str]:
    """The statements that make every trigger."""
    if vendor == "sqlite":
        return [
            *(
                f"CREATE TRIGGER {each.name} AFTER {each.event} ON {each.table} FOR EACH ROW "
                f"{f'WHEN {each.when} ' if each.when else ''}BEGIN "
                f"INSERT INTO search_waiting (listing_id) {each.select}; END"
                for each in TRIGGERS
            ),
            *(f"CREATE TRIGGER {name} {body}" for name, body in _SQLITE_OWN.items()),
        ]
    made = []
    for each in TRIGGERS:
        result = "OLD" if each.event == "DELETE" else "NEW"
        made += [
            f"CREATE OR REPLACE FUNCTION {each.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"INSERT INTO search_waiting (listing_id) {each.select}; RETURN {result}; END $$",
            f"CREATE TRIGGER {each.name} AFTER {each.event} ON {each.table} FOR EACH ROW "
            f"{f'WHEN ({each.when}) ' if each.when else ''}EXECUTE FUNCTION {each.name}()",
        ]
    return made


def taken_away(vendor: str) -> list[str]:
    """The statements that remove every trigger, whether it is there or not."""
    if vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {each}" for each in (*(t.name for t in TRIGGERS), *_SQLITE_OWN)]
    return [f"DROP TRIGGER IF EXISTS {each.name} ON {each.table}" for each in TRIGGERS]
