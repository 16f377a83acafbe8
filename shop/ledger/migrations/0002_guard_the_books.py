"""The database keeps the rules of the books: nothing changes, and no posting crosses currencies."""

from django.db import migrations

from shop.core.appendonly import by_vendor, forbid_changes

SIDES = ("debit", "credit")

# PostgreSQL: the pair (account, currency) is the foreign key, so an account of another currency is unknown.
FOREIGN_KEYS = [
    f"ALTER TABLE ledger_posting ADD CONSTRAINT {side}_is_of_its_currency "
    f"FOREIGN KEY ({side}_id, currency) REFERENCES ledger_account (id, currency)"
    for side in SIDES
]
NO_FOREIGN_KEYS = [f"ALTER TABLE ledger_posting DROP CONSTRAINT {side}_is_of_its_currency" for side in SIDES]

# SQLite cannot give a table a foreign key afterwards: a trigger says the same.
TRIGGERS = [
    f"""
    CREATE TRIGGER {side}_is_of_its_currency BEFORE INSERT ON ledger_posting
    WHEN NOT EXISTS (SELECT 1 FROM ledger_account WHERE id = NEW.{side}_id AND currency = NEW.currency)
    BEGIN SELECT RAISE(ABORT, 'the {side} account of a posting is of its currency'); END
    """
    for side in SIDES
]
NO_TRIGGERS = [f"DROP TRIGGER {side}_is_of_its_currency" for side in SIDES]


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [
        by_vendor(
            postgresql=FOREIGN_KEYS,
            sqlite=TRIGGERS,
            postgresql_back=NO_FOREIGN_KEYS,
            sqlite_back=NO_TRIGGERS,
        ),
        *forbid_changes("ledger_account"),
        *forbid_changes("ledger_journalentry"),
        *forbid_changes("ledger_posting"),
    ]
