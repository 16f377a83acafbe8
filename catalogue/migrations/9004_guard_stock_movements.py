"""A movement of stock is written once; a wrong one is answered by another."""

from django.db import migrations

from shop.core.appendonly import forbid_changes


class Migration(migrations.Migration):
    dependencies = [("catalogue", "9003_pictures")]

    operations = [*forbid_changes("catalogue_stockmovement")]
