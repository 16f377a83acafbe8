"""The country every order goes to; addresses refer to it."""

from django.db import migrations


def add_morocco(apps, schema_editor):
    Country = apps.get_model("address", "Country")
    Country.objects.get_or_create(
        iso_3166_1_a2="MA",
        defaults={
            "iso_3166_1_a3": "MAR",
            "iso_3166_1_numeric": "504",
            "printable_name": "Maroc",
            "name": "Royaume du Maroc",
            "is_shipping_country": True,
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("checkout", "0001_one_open_basket_for_each_owner"),
        ("address", "9001_moroccan_places"),
    ]

    operations = [migrations.RunPython(add_morocco, migrations.RunPython.noop)]
