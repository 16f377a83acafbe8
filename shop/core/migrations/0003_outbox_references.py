"""Each message gets a reference, so that addresses need not carry its id. Room first, then the data's turn."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0002_longer_province_codes")]
    operations = [
        migrations.AddField(
            model_name="outboxmessage",
            name="reference",
            field=models.CharField(editable=False, max_length=16, null=True),
        )
    ]
