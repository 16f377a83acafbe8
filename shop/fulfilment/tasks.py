"""Sweeps over supplier orders and parcels. The tables are the queue; every sweep may run twice or at once."""

from celery import shared_task

from shop.core import clock
from shop.fulfilment import deciding, delivering, quoting, releasing


@shared_task
def decline_overdue() -> None:
    """Every five minutes: silence past the deadline declines."""
    deciding.decline_overdue(at=clock.now())


@shared_task
def remind() -> None:
    """Every five minutes: the second half of the time to accept has begun."""
    deciding.remind(at=clock.now())


@shared_task
def deliver_silent() -> None:
    """Every hour: paid parcels of which nobody has heard for days have arrived."""
    delivering.deliver_silent(at=clock.now())


@shared_task
def release_due() -> None:
    """Every hour: return windows that have closed."""
    releasing.release_due(at=clock.now())


@shared_task
def forget_expired_quotes() -> None:
    """Every day: delivery quotes nobody used."""
    quoting.forget_expired(at=clock.now())
