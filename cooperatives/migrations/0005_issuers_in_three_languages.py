"""Who vouches for a label is told in the reader's language; what was written so far is the French."""

from django.db import migrations, models
from django.db.models import F


def keep_what_was_written(apps, schema_editor):
    apps.get_model("cooperatives", "Label").objects.filter(issuer_fr=None).update(issuer_fr=F("issuer"))


class Migration(migrations.Migration):
    dependencies = [("cooperatives", "0004_keep_changes_of_banks_behind_accounts")]

    operations = [
        *(
            migrations.AddField(
                model_name="label",
                name=f"issuer_{language}",
                field=models.CharField(max_length=160, null=True, verbose_name="who vouches"),
            )
            for language in ("ar", "en", "fr")
        ),
        migrations.RunPython(keep_what_was_written, migrations.RunPython.noop),
    ]
