from django.db import migrations
from django.db.models import F

LASTING = [
    "stale_in_flight",
    "deposit_late",
    "statement_late",
    "cod_overdue",
    "refund_failed",
    "payment_without_order",
    "negative_balance",
]


def say_since_when(apps, schema_editor):
    """What closed by itself was no longer so at that moment; what a note closed opens again if it is still so."""
    Discrepancy = apps.get_model("reconciliation", "Discrepancy")
    Resolution = apps.get_model("reconciliation", "Resolution")
    settled = Discrepancy.objects.filter(state="settled")
    settled.filter(detail__cured=True).update(gone_at=F("settled_at"))
    noted = Resolution.objects.filter(action="note_only").values("discrepancy")
    settled.filter(kind__in=LASTING, pk__in=noted).update(gone_at=F("settled_at"))


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0005_seen_again_and_refunds_not_debited")]
    operations = [migrations.RunPython(say_since_when, migrations.RunPython.noop)]
