"""A person has one open basket: the database keeps it so, also when two first requests race."""

from django.db import migrations

NAME = "one_open_basket_for_each_owner"


def close_surplus_baskets(apps, schema_editor):
    """The oldest open basket of a person stays; what lies in younger ones is left there, closed."""
    Basket = apps.get_model("basket", "Basket")
    seen = set()
    for basket in Basket.objects.filter(status="Open").exclude(owner=None).order_by("pk"):
        if basket.owner_id in seen:
            basket.status = "Merged"
            basket.save(update_fields=["status"])
        seen.add(basket.owner_id)


class Migration(migrations.Migration):
    initial = True

    dependencies = [("basket", "0012_line_code")]

    operations = [
        migrations.RunPython(close_surplus_baskets, migrations.RunPython.noop),
        migrations.RunSQL(
            sql=f"CREATE UNIQUE INDEX {NAME} ON basket_basket (owner_id) WHERE status = 'Open'",
            reverse_sql=f"DROP INDEX {NAME}",
        ),
    ]
