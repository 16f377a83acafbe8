"""The shop's clock, and the day on which something happened in Casablanca."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from shop.core import clock
from shop.core.models import ClockOffset

MOMENT = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def test_the_day_ends_at_midnight_in_casablanca():
    assert clock.day_of(datetime(2026, 6, 30, 22, 59, tzinfo=UTC)) == date(2026, 6, 30)
    assert clock.day_of(datetime(2026, 6, 30, 23, 0, tzinfo=UTC)) == date(2026, 7, 1)


def test_in_ramadan_midnight_is_an_hour_later_in_utc():
    assert clock.day_of(datetime(2026, 3, 2, 23, 30, tzinfo=UTC)) == date(2026, 3, 2)
    assert clock.day_of(datetime(2026, 3, 3, 0, 0, tzinfo=UTC)) == date(2026, 3, 3)


@pytest.mark.django_db
def test_operators_move_the_demos_clock_and_every_reader_sees_it(settings):
    settings.DEMO_CLOCK = True
    with time_machine.travel(MOMENT, tick=False):
        assert clock.now() == MOMENT

        assert clock.move_forward(by=timedelta(days=8)) == timedelta(days=8)
        assert clock.move_forward(by=timedelta(hours=12)) == timedelta(days=8, hours=12)

        assert clock.now() == MOMENT + timedelta(days=8, hours=12)
        assert clock.today() == date(2026, 11, 11)
    assert ClockOffset.objects.count() == 1


@pytest.mark.django_db
def test_what_has_happened_has_happened(settings):
    settings.DEMO_CLOCK = True
    clock.move_forward(by=timedelta(days=1))

    with pytest.raises(ValueError, match="forward"):
        clock.move_forward(by=-timedelta(seconds=1))

    assert clock.offset() == timedelta(days=1)


@pytest.mark.django_db
def test_a_real_shops_clock_cannot_be_moved_and_ignores_what_a_demo_left_behind(settings):
    settings.DEMO_CLOCK = True
    clock.move_forward(by=timedelta(days=1))
    settings.DEMO_CLOCK = False

    with pytest.raises(RuntimeError, match="real shop"):
        clock.move_forward(by=timedelta(days=1))

    with time_machine.travel(MOMENT, tick=False):
        assert clock.now() == MOMENT
