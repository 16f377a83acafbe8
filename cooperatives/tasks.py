"""Sweeps over payout accounts."""

from celery import shared_task

from cooperatives import payout_accounts
from shop.core import clock


@shared_task
def close_superseded_accounts() -> None:
    """Every hour: a changed account whose time has come takes the place of the older one."""
    payout_accounts.close_superseded(at=clock.now())
