"""Nudges and sweeps of the outbox."""

from celery import shared_task

from shop.core import clock, outbox


@shared_task
def deliver(message_id: int) -> None:
    """Right after the commit that promised it."""
    outbox.deliver(message_id=message_id, at=clock.now())


@shared_task
def sweep_outbox() -> None:
    """Every minute: what a killed worker or a lost nudge left behind."""
    outbox.sweep(at=clock.now())
