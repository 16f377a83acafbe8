from django.db import migrations

from shop.core import references


def give(apps, schema_editor):
    OutboxMessage = apps.get_model("core", "OutboxMessage")
    for key in OutboxMessage.objects.filter(reference=None).values_list("pk", flat=True).iterator():
        OutboxMessage.objects.filter(pk=key).update(reference=references.make("M"))


class Migration(migrations.Migration):
    dependencies = [("core", "0003_outbox_references")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
