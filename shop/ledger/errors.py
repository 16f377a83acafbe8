"""What the books refuse, and the one thing that is a bug."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from shop.core.errors import Refused


class DifferentEntry(Exception):
    """The same event was posted again with other moves. A bug in whoever posts: never shown, never retried."""

    def __init__(self, event: str, first: object, second: object) -> None:
        self.event = event
        super().__init__(f"{event} is in the books as {first} and was posted again as {second}")


class AlreadyReversed(Refused):
    """An entry is taken back once."""

    def __init__(self, event: str) -> None:
        self.event = event
        super().__init__(_("The entry %(event)s has already been reversed.") % {"event": event})
