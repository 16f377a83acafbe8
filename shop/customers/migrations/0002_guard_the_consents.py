"""What somebody agreed to stays in the journal."""

from django.db import migrations

from shop.core.appendonly import forbid_changes


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_what_customers_keep")]

    operations = [*forbid_changes("customers_consent")]
