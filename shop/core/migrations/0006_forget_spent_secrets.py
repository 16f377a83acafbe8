from django.db import migrations

SECRETS, HIDDEN = ("token", "link"), "•••"


def forget(apps, schema_editor):
    """Mails that left keep neither a guest's token nor an account's link, in what they said or in their text."""
    OutboxMessage = apps.get_model("core", "OutboxMessage")
    for message in OutboxMessage.objects.filter(kind="mail", state="delivered").iterator():
        secrets = {name: str(message.payload[name]) for name in SECRETS if message.payload.get(name)}
        if not secrets:
            continue
        for secret in secrets.values():
            message.body = message.body.replace(secret, HIDDEN)
        message.payload = message.payload | dict.fromkeys(secrets, HIDDEN)
        message.save(update_fields=["body", "payload"])


class Migration(migrations.Migration):
    dependencies = [("core", "0005_messages_have_references")]
    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
