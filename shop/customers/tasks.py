"""Sweeps over what customers keep with us. The tables are the queue; every sweep may run twice or at once."""

from celery import shared_task

from shop.core import clock
from shop.customers import erasing, favourites, issues, newsletter


@shared_task
def send_issues() -> None:
    """Every minute, and right after an issue was sent: copies that are not in the outbox yet."""
    issues.go_on(at=clock.now())


@shared_task
def look_at_favourites() -> None:
    """Every hour: favourites that are back in stock or cost less."""
    favourites.look(at=clock.now())


@shared_task
def forget_unconfirmed() -> None:
    """Every day: addresses that never confirmed the newsletter."""
    newsletter.forget_unconfirmed(at=clock.now())


@shared_task
def erase_due() -> None:
    """Every hour: erasures whose orders are over by now, and those a killed worker left half done."""
    erasing.erase_due(at=clock.now())
