"""Background work. The outbox and the tables are the queue; Celery only makes it quick.

A nudge follows the commit that caused it; a sweep repeats, on a schedule, whatever a nudge could have lost.
"""

import os

from celery import Celery
from celery.exceptions import WorkerShutdown
from celery.signals import worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

app = Celery("tadamon")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

MINUTE, HOUR, DAY = 60, 3600, 86400

#: Every sweep of the house and how often it runs, in seconds.
SWEEPS: dict[str, int] = {
    "shop.core.tasks.sweep_outbox": MINUTE,
    "shop.payments.tasks.sweep_payments": MINUTE,
    "shop.payments.tasks.sweep_events": 5 * MINUTE,
    "shop.payments.tasks.import_balance": 5 * MINUTE,
    "shop.payments.tasks.refund_ended_parts": 5 * MINUTE,
    "shop.payments.tasks.send_refunds": 5 * MINUTE,
    "shop.payments.tasks.send_approved_payouts": 5 * MINUTE,
    "shop.payments.tasks.tell_of_waiting_cash": HOUR,
    "shop.fulfilment.tasks.decline_overdue": 5 * MINUTE,
    "shop.fulfilment.tasks.remind": 5 * MINUTE,
    "shop.fulfilment.tasks.deliver_silent": HOUR,
    "shop.fulfilment.tasks.release_due": HOUR,
    "shop.fulfilment.tasks.forget_expired_quotes": DAY,
    "shop.customers.tasks.send_issues": MINUTE,
    "shop.customers.tasks.look_at_favourites": HOUR,
    "shop.customers.tasks.erase_due": HOUR,
    "shop.customers.tasks.forget_unconfirmed": DAY,
    "shop.reconciliation.tasks.talk_to_the_sandbox": MINUTE,
    "shop.reconciliation.tasks.match_new_lines": 5 * MINUTE,
    "shop.reconciliation.tasks.watch": HOUR,
    "cooperatives.tasks.close_superseded_accounts": HOUR,
    "catalogue.tasks.prepare_pictures": 5 * MINUTE,
    "shop.search.tasks.refresh_index": 5,
}

app.conf.beat_schedule = {
    name: {"task": name, "schedule": float(every), "options": {"expires": every}}
    for name, every in SWEEPS.items()
}


@worker_shutting_down.connect
def end_at_once_when_idle(**_: object) -> None:
    """A worker with nothing in hand need not wait for its next look at the queue; one at work ends its task first."""
    from celery.worker import state  # heavy, and only the worker gets here

    if not state.reserved_requests and not state.active_requests:
        raise WorkerShutdown(0)
