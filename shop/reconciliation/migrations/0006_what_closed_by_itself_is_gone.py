from django.db import migrations
from django.db.models import F


def say_since_when(apps, schema_editor):
    """What closed by itself before was no longer so at that moment."""
    Discrepancy = apps.get_model("reconciliation", "Discrepancy")
    Discrepancy.objects.filter(state="settled", detail__cured=True).update(gone_at=F("settled_at"))


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0005_seen_again_and_refunds_not_debited")]
    operations = [migrations.RunPython(say_since_when, migrations.RunPython.noop)]
