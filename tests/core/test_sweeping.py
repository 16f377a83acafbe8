"""A row that cannot be done does not keep the others waiting."""

import logging

import pytest

from shop.core.errors import CarriedOutMeanwhile, Unavailable
from shop.core.sweeping import each_by_itself


@pytest.mark.parametrize("failure", [ValueError("broken"), Unavailable(), CarriedOutMeanwhile("too late")])
def test_a_row_that_fails_leaves_the_rows_before_and_after_it_in_peace(failure):
    seen = []

    def do(row):
        seen.append(row)
        if row == "second":
            raise failure
        return True

    done = each_by_itself(["first", "second", "third"], do, what="try")

    assert done == 2
    assert seen == ["first", "second", "third"]


def test_only_rows_that_came_to_something_are_counted():
    assert each_by_itself([0, 1, 2, None], lambda row: row, what="try") == 2


def test_an_error_is_logged_with_the_row_it_befell_and_a_silence_without_a_trace(caplog):
    def do(row):
        raise ValueError("broken") if row == "a" else Unavailable

    each_by_itself(["a", "b"], do, what="try")

    error, silence = caplog.records
    assert (error.levelno, error.row, error.what, bool(error.exc_info)) == (logging.ERROR, "a", "try", True)
    assert (silence.levelno, silence.row, bool(silence.exc_info)) == (logging.WARNING, "b", False)


def test_a_process_that_is_ended_is_ended():
    def do(row):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        each_by_itself(["a"], do, what="try")
