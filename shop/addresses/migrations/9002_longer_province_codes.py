"""The census gives the prefectures of arrondissements codes of twelve characters."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("address", "9001_moroccan_places")]

    operations = [
        migrations.AlterField(
            model_name="useraddress",
            name="province_code",
            field=models.CharField(blank=True, max_length=16, verbose_name="province"),
        ),
    ]
