"""A mark that all processes share: whoever keeps a finished page asks whether it still holds.

The mark is renewed when something that pages show to everybody has changed. It holds no meaning but "as before" or
"not as before". A cache that cannot be reached costs freshness, never an answer.
"""

from __future__ import annotations

import logging
import uuid
from typing import Any

from django.core.cache import caches
from django.db import transaction
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

#: Under what the mark lies in the cache "pages".
MARK = "mark"
#: What a cache says when it is not there.
UNREACHABLE = (RedisError, OSError)


def pages() -> Any:
    """Where finished pages and the mark are kept. Apart from the rest: a flood of pages pushes no counter out."""
    return caches["pages"]


def renew() -> None:
    """Pages kept until now are not shown any more, once the present transaction is written."""
    transaction.on_commit(_renew, robust=True)


def _renew() -> None:
    try:
        pages().set(MARK, uuid.uuid4().hex, None)
    except UNREACHABLE:
        logger.warning("pages could not be renewed; they end by themselves")
