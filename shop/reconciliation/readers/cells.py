"""Cells of foreign tables as people and banks write them: text, amounts, days.

These raise ``ValueError``; the reader that knows row and column tells the person.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal

from moneyed import Currency, Money

DECIMAL_MARKS = (",", ".")
_MINUS = dict.fromkeys(map(ord, "−‐‑–—﹣－"), "-")
_CURRENCY_WORD = r"(?:MAD|DHS?|EUR|€|د\.?\s?م\.?|درهم|دراهم)"
_AROUND = re.compile(rf"^{_CURRENCY_WORD}\s*|\s*{_CURRENCY_WORD}$", re.IGNORECASE)
_GROUPING = {",": " '.", ".": " ',"}
_LONGEST = 40


def plain(text: str) -> str:
    """The text with ordinary spaces, digits 0-9 whatever the script, and no invisible marks."""
    kept = []
    for character in text:
        category = unicodedata.category(character)
        if category in ("Cf", "Cc") and character not in "\t\n\r":
            continue
        digit = unicodedata.decimal(character, None)
        if digit is not None:
            kept.append(str(digit))
        else:
            kept.append(" " if category == "Zs" or character in "\t\n\r" else character)
    return " ".join("".join(kept).split())


def amount(text: str, *, decimal_mark: str, currency: Currency) -> Money:
    """The amount in a cell: ``1 234,56``, ``1.234,56-``, ``(12,00)``, ``١٬٢٣٤٫٥٦``, ``-5,00 DH``.

    Raises ValueError for anything else, also for groups that are not of three and for more decimals than
    the currency has (``534,000``): both are signs of the wrong decimal mark.
    """
    cleaned = plain(text).translate(_MINUS).replace("٫", decimal_mark).replace("٬", " ").replace("’", "'")
    if len(cleaned) > _LONGEST:
        raise ValueError(text)
    cleaned = _AROUND.sub("", cleaned)
    negative = False
    if cleaned.startswith("(") and cleaned.endswith(")"):
        negative, cleaned = True, cleaned[1:-1]
    elif cleaned[:1] in "+-" and cleaned:
        negative, cleaned = cleaned[0] == "-", cleaned[1:]
    elif cleaned.endswith(("+", "-")):
        negative, cleaned = cleaned[-1] == "-", cleaned[:-1]
    cleaned = _AROUND.sub("", cleaned.strip())

    group = re.escape(_GROUPING[decimal_mark])
    number = re.fullmatch(
        rf"(?P<whole>\d+|\d{{1,3}}(?:(?P<mark>[{group}])\d{{3}})(?:(?P=mark)\d{{3}})*)"
        rf"(?:{re.escape(decimal_mark)}(?P<fraction>\d+))?",
        cleaned,
        re.ASCII,
    )
    if number is None:
        raise ValueError(text)
    fraction = number["fraction"] or "0"
    if len(fraction) >= len(str(currency.sub_unit)) and fraction != "0":
        raise ValueError(text)
    whole = re.sub(r"\D", "", number["whole"])
    return Money(Decimal(f"{'-' if negative else ''}{whole}.{fraction}"), currency)


def day(text: str, *, date_format: str) -> date:
    """The day in a cell, written in strptime's ``date_format``, in any script's digits."""
    found = datetime.strptime(plain(text), date_format).date()
    if not 1990 <= found.year <= 2100:
        raise ValueError(text)
    return found
