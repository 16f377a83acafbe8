"""The census gives the prefectures of arrondissements codes of twelve characters, such as 06.141.01.00."""

from typing import Any

from django.db import migrations, models


class AlterWhereLengthCounts(migrations.AlterField):
    """SQLite keeps no lengths, and altering a key there would build every table that points at it anew."""

    def database_forwards(self, app_label: str, editor: Any, before: Any, after: Any) -> None:
        if editor.connection.vendor != "sqlite":
            super().database_forwards(app_label, editor, before, after)

    def database_backwards(self, app_label: str, editor: Any, before: Any, after: Any) -> None:
        if editor.connection.vendor != "sqlite":
            super().database_backwards(app_label, editor, before, after)


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        AlterWhereLengthCounts(
            model_name="province",
            name="code",
            field=models.CharField(max_length=16, primary_key=True, serialize=False),
        ),
    ]
