"""The shop's clock. Doors and tasks read it and hand the moment down as ``at`` or ``on``.

In demo mode operators can move it forward (a stored offset). Signatures, sessions and tokens never use
it: they run on system time.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from shop.core import freshness
from shop.core.models import ClockOffset


def business_zone() -> ZoneInfo:
    """The zone whose midnight ends a business day."""
    return ZoneInfo(settings.BUSINESS_TIME_ZONE)


def offset() -> timedelta:
    """How far the demo's clock is ahead of system time; always nothing outside demo mode."""
    if not settings.DEMO_CLOCK:
        return timedelta()
    row = ClockOffset.objects.first()
    return timedelta(seconds=row.seconds) if row else timedelta()


def now() -> datetime:
    """The present moment of the shop, in UTC."""
    return timezone.now() + offset()


def day_of(at: datetime) -> date:
    """The business day a moment falls on, in Casablanca."""
    return at.astimezone(business_zone()).date()


def today() -> date:
    """The present business day."""
    return day_of(now())


def move_forward(*, by: timedelta) -> timedelta:
    """Move the demo's clock; returns the whole offset. It never goes back: what happened has happened."""
    if not settings.DEMO_CLOCK:
        raise RuntimeError("the clock of a real shop cannot be moved")
    if by < timedelta():
        raise ValueError("the clock only moves forward")
    ClockOffset.objects.get_or_create(pk=1)
    # Added in the database, so that two operators who press at once both count.
    ClockOffset.objects.filter(pk=1).update(seconds=F("seconds") + int(by.total_seconds()))
    freshness.renew()  # prices, seasons and certificates may be others on that day
    return offset()
