"""Whose an exception is."""

from __future__ import annotations

import logging
from typing import Any

from django.utils.translation import gettext_lazy as _

from shop.core.errors import Refused
from shop.reconciliation.models import Discrepancy

logger = logging.getLogger(__name__)


class AlreadySettled(Refused):
    message = _("This exception is settled; nobody needs to look at it any more.")


def take(*, discrepancy: Discrepancy, by: Any) -> None:
    """From now on this person looks after the exception. Raises AlreadySettled."""
    unsettled = Discrepancy.objects.unsettled().filter(pk=discrepancy.pk)
    if not unsettled.update(owner=by):
        raise AlreadySettled
    logger.info("exception taken", extra={"discrepancy": discrepancy.reference})
