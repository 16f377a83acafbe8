"""The index follows the shelves: every few seconds."""

from celery import shared_task

from shop.search import indexing


@shared_task
def refresh_index() -> None:
    """Whatever waits, whoever left it: a change, a whole import, a killed worker."""
    indexing.refresh()
