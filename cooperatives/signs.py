"""The signs of origin of Morocco and the regions they belong to: ``signs.csv``.

Source: the Ministry of Agriculture's catalogue of 2018; the regions are assigned by us from the areas' names.
Signs that were only announced are left out. A sign is a right of a place; who may use it is a certification.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.translation import get_language

TABLE = Path(__file__).resolve().parent / "signs.csv"


@dataclass(frozen=True)
class Sign:
    """One protected name: ``kind`` is IGP or AOP, ``regions`` are codes."""

    kind: str
    regions: tuple[str, ...]
    names: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """Its name in the reader's language."""
        known = dict(self.names)
        return known.get((get_language() or "fr")[:2], known["fr"])


def signs_of(*, region: str) -> list[Sign]:
    """The signs whose area lies in that region, wholly or in part; designations (AOP) first."""
    return sorted((each for each in _read() if region in each.regions), key=lambda each: each.kind)


@cache
def _read() -> tuple[Sign, ...]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Sign(
                kind=row["kind"],
                regions=tuple(row["regions"].split()),
                names=tuple((each, row[f"name_{each}"]) for each in ("fr", "ar", "en")),
            )
            for row in csv.DictReader(file)
        )
