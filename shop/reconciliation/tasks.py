"""Sweeps of reconciliation. Every one may run twice, at once, or late: the tables are the queue."""

from celery import shared_task

from shop.core import clock
from shop.reconciliation import matching, watching


@shared_task
def match_new_lines() -> None:
    """Every five minutes: lines imported, and those whose other side has come since."""
    matching.match_new(at=clock.now())


@shared_task
def watch() -> None:
    """Every hour: what should have happened by now and has not."""
    watching.watch(at=clock.now())
