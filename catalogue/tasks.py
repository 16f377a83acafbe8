"""Pictures are prepared away from the request that brought them."""

from celery import shared_task

from catalogue import picturing


@shared_task
def prepare_pictures() -> None:
    """Right after an upload, and every few minutes for whatever a killed worker left."""
    picturing.prepare_waiting()
