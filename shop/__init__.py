"""The shop: puts cooperatives and what they sell before customers. See docs/tour.md."""

# Tasks find their app whichever process imports them first: a web worker, a test, a shell.
from shop.celery import app as celery_app

__all__ = ["celery_app"]
