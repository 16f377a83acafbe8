import secrets

from django.db import migrations

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _reference():
    """``M-``, eight random characters and a check character, as references were made when this was written."""

    def doubled(value):
        value <<= 1
        return value ^ 0b100101 if value & 32 else value

    body = "".join(secrets.choice(ALPHABET) for _ in range(8))
    value = 0
    for letter in body:
        value = doubled(value) ^ ALPHABET.index(letter)
    return f"M-{body}{ALPHABET[doubled(value)]}"


def give(apps, schema_editor):
    OutboxMessage = apps.get_model("core", "OutboxMessage")
    for key in OutboxMessage.objects.filter(reference=None).values_list("pk", flat=True).iterator():
        OutboxMessage.objects.filter(pk=key).update(reference=_reference())


class Migration(migrations.Migration):
    dependencies = [("core", "0003_outbox_references")]
    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
