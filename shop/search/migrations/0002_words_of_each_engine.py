"""Full text in the way of each engine: FTS5 tables beside the index, or a column of lexemes in it."""

from django.db import migrations

from shop.core.appendonly import by_vendor

SQLITE = [
    # The words are normalised before: the tokenizer has only to part them.
    "CREATE VIRTUAL TABLE search_words USING fts5("
    "title, names, text, content='search_entry', content_rowid='listing_id', tokenize='ascii')",
    "CREATE VIRTUAL TABLE search_sounds USING fts5("
    "sound, content='', tokenize='trigram')",
]
POSTGRESQL = [
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "ALTER TABLE search_entry ADD COLUMN words tsvector GENERATED ALWAYS AS ("
    "setweight(to_tsvector('simple'::regconfig, title), 'A') || "
    "setweight(to_tsvector('simple'::regconfig, names), 'B') || "
    "setweight(to_tsvector('simple'::regconfig, text), 'D')) STORED",
    "CREATE INDEX entries_by_words ON search_entry USING gin (words)",
    "CREATE INDEX spellings_by_trigrams ON search_spelling USING gist (sound gist_trgm_ops)",
]


def one_version(apps, schema_editor):
    apps.get_model("search", "Version").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("search", "0001_index")]

    operations = [
        by_vendor(
            sqlite=SQLITE,
            postgresql=POSTGRESQL,
            sqlite_back=["DROP TABLE search_words", "DROP TABLE search_sounds"],
            postgresql_back=[
                "DROP INDEX spellings_by_trigrams",
                "DROP INDEX entries_by_words",
                "ALTER TABLE search_entry DROP COLUMN words",
            ],
        ),
        migrations.RunPython(one_version, migrations.RunPython.noop),
    ]
