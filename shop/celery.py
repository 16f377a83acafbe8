"""Background work. The outbox and the tables are the queue; Celery only makes it quick."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

app = Celery("tadamon")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Each sweep repeats what a lost nudge would have done; see docs/decisions for the intervals.
app.conf.beat_schedule = {}
