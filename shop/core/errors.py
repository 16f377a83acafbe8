"""The two kinds of failure that are not bugs."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """The rules say no. Tell the person; never retry. A subclass for each rule builds its own sentence."""

    #: What the person reads, in her language.
    message: Any = ""

    def __init__(self, message: Any = None) -> None:
        if message is not None:
            self.message = message
        super().__init__(str(self.message))

    def __str__(self) -> str:
        return str(self.message)


class Unavailable(Exception):
    """Something outside did not answer. Try again later."""


class CarriedOutMeanwhile(Refused):
    """Somebody else changed the record first; what the person saw is no longer so."""
