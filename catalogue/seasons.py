"""When goods are picked, gathered or pressed in Morocco: ``seasons.csv``, a row for each kind and its months."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from django.db.models import Q
from django.utils.translation import get_language

TABLE = Path(__file__).resolve().parent / "seasons.csv"


@dataclass(frozen=True)
class Season:
    """One kind of good and the months of its harvest; ``until_month`` may lie in the next year.

    ``family`` and ``title_word`` (a word of the French title) say which listings it means, ``search`` what a
    visitor would type to find them.
    """

    code: str
    family: str
    title_word: str
    search: str
    from_month: int
    until_month: int
    names: tuple[tuple[str, str], ...]
    sayings: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """What is harvested, in the reader's language."""
        return _in_her_language(self.names)

    @property
    def said(self) -> str:
        """One true sentence about the harvest, likewise."""
        return _in_her_language(self.sayings)

    @property
    def months(self) -> tuple[int, ...]:
        """Its months in their order, such as 11, 12, 1."""
        length = (self.until_month - self.from_month) % 12 + 1
        return tuple((self.from_month - 1 + step) % 12 + 1 for step in range(length))

    def means(self, *, family: str, title: str) -> bool:
        """Whether it is about a listing of that family and French title: ``listings_of`` for one at hand."""
        return family == self.family and self.title_word in (title or "").lower()

    def months_over(self, *, on: date) -> int:
        """How many of its months are over on a day within it: what has just begun comes first."""
        return (on.month - self.from_month) % 12


def every_season() -> tuple[Season, ...]:
    """The whole calendar, in the order in which harvests begin from January on."""
    return _read()


def in_season(*, on: date) -> list[Season]:
    """What is harvested in the month of that day; what began last stands first."""
    found = [each for each in every_season() if on.month in each.months]
    return sorted(found, key=lambda each: each.months_over(on=on))


def listings_of(seasons: Iterable[Season]) -> Q:
    """The listings that these seasons are about."""
    wanted = Q(pk__in=[])
    for each in seasons:
        named = Q(title_fr__icontains=each.title_word) if each.title_word else Q()
        wanted |= Q(family=each.family) & named
    return wanted


@cache
def _read() -> tuple[Season, ...]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = [
            Season(
                code=row["code"],
                family=row["family"],
                title_word=row["title_word"],
                search=row["search"],
                from_month=int(row["from_month"]),
                until_month=int(row["until_month"]),
                names=tuple((each, row[f"name_{each}"]) for each in ("fr", "ar", "en")),
                sayings=tuple((each, row[f"said_{each}"]) for each in ("fr", "ar", "en")),
            )
            for row in csv.DictReader(file)
        ]
    return tuple(sorted(rows, key=lambda each: each.from_month))


def _in_her_language(texts: tuple[tuple[str, str], ...]) -> str:
    known = dict(texts)
    return known.get((get_language() or "fr")[:2], known["fr"])
