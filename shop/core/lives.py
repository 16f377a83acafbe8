"""States that move once: what every record with a life shares."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext_lazy as _
from django_fsm import (
    ConcurrentTransition,
    ConcurrentTransitionMixin,
    FSMModelMixin,
    TransitionNotAllowed,
)

from shop.core.errors import CarriedOutMeanwhile


@contextmanager
def refused_when_stale() -> Iterator[None]:
    """Turn a move that is no longer possible, or that somebody else made first, into a refusal."""
    try:
        yield
    except (ConcurrentTransition, TransitionNotAllowed) as error:
        raise CarriedOutMeanwhile(
            _("This is no longer possible: something changed in the meantime. Look at the page again.")
        ) from error


class MovesOnce(ConcurrentTransitionMixin):
    """A record whose protected state moves by transitions only; of two racing moves the second is refused.

    Refreshing differs from django-fsm's, which lifts the field's protection for the whole process while one
    thread reads, and for good when the row is gone: another that refreshes at that moment fails.
    """

    _set_aside: frozenset[str] = frozenset()

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        # A state that is not there yet may be set: so is ours, on this one record.
        before = {
            each.attname: self.__dict__.pop(each.attname)
            for each in self.state_fields
            if each.attname in self.__dict__
        }
        self._set_aside = frozenset(before)
        try:
            super(FSMModelMixin, self).refresh_from_db(*args, **kwargs)
        finally:
            for name, state in before.items():
                self.__dict__.setdefault(name, state)
            self.__dict__.pop("_set_aside", None)  # another thread, on the same record, may have been quicker
        self._update_initial_state()

    def get_deferred_fields(self) -> set[str]:
        deferred: set[str] = super().get_deferred_fields()
        return deferred - self._set_aside
