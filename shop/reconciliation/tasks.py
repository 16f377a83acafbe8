"""Sweeps of reconciliation. Every one may run twice, at once, or late: the tables are the queue."""

from contextlib import suppress

from celery import shared_task

from shop.core import clock
from shop.core.crashpoints import crashpoint
from shop.core.errors import Refused, Unavailable
from shop.fulfilment.models import Carrier
from shop.reconciliation import fetching, watching


@shared_task
def match_new_lines() -> None:
    """Every five minutes: lines imported, those whose other side has come since, and what they settle."""
    watching.catch_up(at=clock.now())


@shared_task
def watch() -> None:
    """Every hour: what should have happened by now and has not."""
    watching.watch(at=clock.now())


@shared_task
def talk_to_the_sandbox() -> None:
    """Every minute, in the demonstration only: what the world would tell bank, carrier and shop by itself."""
    if not fetching.is_connected():
        return
    try:
        fetching.announce_waiting()
        crashpoint("sandbox.announced")
        for carrier in Carrier.objects.filter(is_active=True):
            with suppress(Refused):  # the next minute tries again; the other carriers do not wait for it
                fetching.fetch_tracking(carrier=carrier, at=clock.now())
    except (Refused, Unavailable):
        return  # the next minute tries again
