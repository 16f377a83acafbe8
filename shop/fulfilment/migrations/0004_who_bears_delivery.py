"""The first rules on who bears a delivery that came to nothing.

Declined, cancelled before anything left, damaged or refused at the door: the shop. Sent back because the
customer changed her mind: she bears the way back, and the way there is not given back. To be confirmed by a
lawyer (law 31-08); operators change it by adding a rule with a later day.
"""

from datetime import date

from django.db import migrations

RULES = [
    ("declined", "shop"),
    ("cancelled", "shop"),
    ("withdrawn", "customer"),
    ("claim", "shop"),
    ("cash_refused", "shop"),
]
SINCE = date(2020, 1, 1)


def add_rules(apps, schema_editor):
    rules = apps.get_model("fulfilment", "DeliveryCostRule").objects.using(schema_editor.connection.alias)
    for case, bearer in RULES:
        rules.get_or_create(case=case, valid_from=SINCE, defaults={"bearer": bearer})


class Migration(migrations.Migration):
    dependencies = [("fulfilment", "0003_guard_the_story")]
    operations = [migrations.RunPython(add_rules, migrations.RunPython.noop)]
