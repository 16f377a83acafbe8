"""How the order files are read: when each step happens, and which orders a short replay takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.benchmarks import order_files
from tests.replay import invented


@pytest.fixture
def files(tmp_path):
    return order_files.read(invented.write(tmp_path))


def dates_of(files, name):
    return next(each for each in files.orders if each.id == name).dates


def moment(text):
    return datetime.fromisoformat(f"2018-{text}").replace(tzinfo=UTC)


def test_steps_happen_when_the_file_says(files):
    dates = dates_of(files, "two-sellers")

    assert (dates.placed, dates.paid, dates.answered, dates.left, dates.arrived) == (
        moment("03-01 10:00"),
        moment("03-01 10:10"),
        moment("03-01 10:10"),
        moment("03-03 09:00"),
        moment("03-06 12:00"),
    )


def test_a_missing_date_is_the_promised_day(files):
    dates = dates_of(files, "no-dates")

    assert dates.left == dates.arrived == moment("03-22 00:00")


def test_reversed_dates_wait_for_their_turn(files):
    dates = dates_of(files, "reversed")

    # Approved after three days: she paid within her half hour, the cooperative answered within two days.
    assert dates.paid == moment("03-04 08:29")
    assert dates.answered == dates.paid + timedelta(hours=47)
    assert dates.left == dates.arrived == dates.answered


def test_no_step_comes_before_the_one_it_follows(files):
    for each in files.orders:
        dates = each.dates
        assert dates.placed <= dates.paid < dates.placed + timedelta(minutes=30)
        assert dates.paid <= dates.answered < dates.paid + timedelta(hours=48)
        assert dates.answered <= dates.left <= dates.arrived


def test_orders_come_in_the_order_in_which_they_were_placed_and_only_with_items(files):
    placed = [each.dates.placed for each in files.orders]

    assert placed == sorted(placed)
    assert "empty" not in {each.id for each in files.orders}


def test_a_product_without_weight_weighs_something(files):
    assert files.weight_of_product == {"oil": 500, "dates": 1000, "soap": 1}


def test_every_state_has_a_region_and_every_region_has_states():
    assert len(order_files.REGION_OF) == 27
    assert set(order_files.REGION_OF.values()) == {f"MA-{number:02d}" for number in range(1, 13)}


def test_a_short_replay_takes_every_order_with_several_sellers_and_the_same_others_each_time(files):
    chosen = order_files.some(files.orders, count=6, seed=7)

    assert len(chosen) == 6
    assert {"two-sellers", "reversed", "given-up"} <= {each.id for each in chosen}
    assert chosen == order_files.some(files.orders, count=6, seed=7)
    assert chosen == sorted(chosen, key=lambda each: each.dates.placed)


def test_files_that_are_not_there_are_named(tmp_path):
    invented.write(tmp_path)
    (tmp_path / "sellers.csv.gz").unlink()

    assert order_files.missing(tmp_path) == ["sellers"]
