from django.db import migrations, models

import shop.core.models


class Migration(migrations.Migration):
    dependencies = [("core", "0004_give_messages_references")]
    operations = [
        migrations.AlterField(
            model_name="outboxmessage",
            name="reference",
            field=models.CharField(
                default=shop.core.models.new_message_reference, editable=False, max_length=16, unique=True
            ),
        )
    ]
