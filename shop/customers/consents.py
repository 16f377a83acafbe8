"""The journal of what customers agreed to, and the very words they agreed to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from shop.customers.models import Consent, Purpose

#: The words beside each box. Whoever changes one gives it a new version, so that the journal stays true.
WORDS: dict[Purpose, tuple[str, str]] = {
    Purpose.NEWSLETTER: (
        "2026-11",
        _("A letter about new goods and harvests, about once a month. One click ends it."),
    ),
    Purpose.BACK_IN_STOCK: ("2026-11", _("Write to me when a favourite that was sold out is back.")),
    Purpose.CHEAPER: ("2026-11", _("Write to me when a favourite costs less.")),
}


def version_of(purpose: Purpose) -> str:
    """The version of the words that are shown today."""
    return WORDS[purpose][0]


def words_of(purpose: Purpose) -> str:
    """The words of today in the reader's language."""
    return gettext(WORDS[purpose][1])


def record(
    *,
    person: str,
    purpose: Purpose,
    is_given: bool,
    source: Consent.Source,
    language: str,
    at: datetime,
    text_version: str = "",
) -> Consent:
    """Write down one yes or no."""
    return Consent.objects.create(
        person=person,
        purpose=purpose,
        is_given=is_given,
        source=source,
        language=language,
        text_version=text_version or version_of(purpose),
        happened_at=at,
    )


def of(*, persons: list[str]) -> Any:
    """What these marks stand for agreed to, oldest first."""
    return Consent.objects.filter(person__in=persons).order_by("happened_at", "pk")
