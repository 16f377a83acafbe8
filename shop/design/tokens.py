"""What tokens.css says, read from the file itself, for the living page: colours in both schemes, their contrast."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SHEET = Path(__file__).parent / "static" / "design" / "tokens.css"
#: Text on its ground needs 4.5, controls and graphics 3 (WCAG 2.2, 1.4.3 and 1.4.11).
TEXT, GRAPHIC = 4.5, 3.0
PAIRS = (
    ("ink", "ground", TEXT),
    ("ink", "surface", TEXT),
    ("ink", "sunken", TEXT),
    ("ink-2", "ground", TEXT),
    ("ink-2", "surface", TEXT),
    ("ink-2", "sunken", TEXT),
    ("action", "ground", TEXT),
    ("action", "surface", TEXT),
    ("action", "sunken", TEXT),
    ("action", "action-ground", TEXT),
    ("on-action", "action", TEXT),
    ("on-action", "action-strong", TEXT),
    ("proof", "ground", TEXT),
    ("proof", "proof-ground", TEXT),
    ("warn", "warn-ground", TEXT),
    ("error", "ground", TEXT),
    ("error", "error-ground", TEXT),
    ("on-mark", "mark", TEXT),
    ("line-strong", "ground", GRAPHIC),
    ("line-strong", "surface", GRAPHIC),
    ("focus", "ground", GRAPHIC),
    ("part-coop", "ground", GRAPHIC),
    ("part-shop", "ground", GRAPHIC),
)


@dataclass(frozen=True)
class Pair:
    """One colour on another, as the living page shows it."""

    name: str
    ground_name: str
    colour: str
    ground: str
    ratio: float
    least: float

    @property
    def holds(self) -> bool:
        return self.ratio >= self.least


def colours(scheme: str) -> dict[str, str]:
    """Every token that is a colour, by name, ``light`` or ``dark``; the dark has its own and keeps the rest."""
    css = SHEET.read_text(encoding="utf-8")
    found = _named(css.split(":root {")[1].split("\n}")[0])
    if scheme == "dark":
        found |= _named(css.split(':root[data-theme="dark"] {')[1].split("\n}")[0])
    return found


def pairs(scheme: str) -> list[Pair]:
    """The pairs that text and controls are made of, with their measured contrast."""
    token = colours(scheme)
    return [
        Pair(name, ground, token[name], token[ground], round(contrast(token[name], token[ground]), 1), least)
        for name, ground, least in PAIRS
    ]


def contrast(one: str, other: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _named(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})\b", block))
