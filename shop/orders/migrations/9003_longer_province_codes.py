"""The census gives the prefectures of arrondissements codes of twelve characters."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("order", "9002_orders_end_one_way")]

    operations = [
        migrations.AlterField(
            model_name="shippingaddress",
            name="province_code",
            field=models.CharField(blank=True, max_length=16, verbose_name="province"),
        ),
    ]
