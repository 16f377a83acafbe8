"""Sweeps whose rows stand for themselves: one that cannot be done leaves the others in peace."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from shop.core.errors import CarriedOutMeanwhile, Unavailable

logger = logging.getLogger(__name__)

Row = TypeVar("Row")


def each_by_itself(rows: Iterable[Row], do: Callable[[Row], Any], *, what: str) -> int:
    """Do every row, whatever becomes of the others; returns for how many ``do`` answered something true.

    What did not answer is left for the next sweep, and what somebody else did meanwhile is done. Anything
    else is an error: it is logged with the row's reference, and its row is tried again at the next sweep.
    ``do`` keeps its own transaction. ``what`` names the work in the log, e.g. ``"expire order"``.
    """
    done = 0
    for row in rows:
        try:
            if do(row):
                done += 1
        except CarriedOutMeanwhile:
            continue
        except Unavailable:
            logger.warning("left for the next sweep", extra={"what": what, "row": _named(row)})
        except Exception:
            logger.exception("row of a sweep failed", extra={"what": what, "row": _named(row)})
    return done


def _named(row: Any) -> str:
    """How we call a row: its reference or number, else its key."""
    names = (getattr(row, name, None) for name in ("reference", "number", "pk"))
    return str(next((each for each in names if each), row))
