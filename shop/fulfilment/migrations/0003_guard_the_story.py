"""What happened to an order stays in its story."""

from django.db import migrations

from shop.core.appendonly import forbid_changes


class Migration(migrations.Migration):
    dependencies = [("fulfilment", "0002_orders_and_people")]

    operations = [*forbid_changes("fulfilment_orderevent")]
