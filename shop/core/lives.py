"""States that move once: what every record with a life shares."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext_lazy as _
from django_fsm import ConcurrentTransition, TransitionNotAllowed

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
