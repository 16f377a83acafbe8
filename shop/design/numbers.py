"""Amounts, days and references as people read them, in French, Arabic and English.

The one place that formats. Digits are Western everywhere, as in Morocco. The templates reach it
through ``{% load design %}``; mails, documents and messages call it directly.

The sentences about days ("between … and …") live here and not in the message catalogues, because
what changes from language to language is their order and grammar, not their words.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import overload
from zoneinfo import ZoneInfo

import phonenumbers
from babel.numbers import format_decimal
from django.utils import timezone, translation
from moneyed import Money

NBSP = "\u00a0"
#: Left-to-right mark. It keeps a minus sign before its number inside Arabic text.
LRM = "\u200e"
MINUS = "\u2212"
#: Business days are those of this place (DECISIONS 27).
PLACE = ZoneInfo("Africa/Casablanca")
#: Its country code for phones.
MOROCCO = 212

LANGUAGES = ("fr", "ar", "en")

_CURRENCIES_AR = {"MAD": "درهم", "EUR": "أورو", "USD": "دولار", "GBP": "جنيه"}

_MONTHS = {
    "fr": [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    # The names used in Morocco; Egypt and the Levant have others.
    "ar": [
        "يناير",
        "فبراير",
        "مارس",
        "أبريل",
        "ماي",
        "يونيو",
        "يوليوز",
        "غشت",
        "شتنبر",
        "أكتوبر",
        "نونبر",
        "دجنبر",
    ],
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
}
_WEEKDAYS = {
    "fr": ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
    "ar": ["الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد"],
    "en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
}


def language_of(language: str | None = None) -> str:
    """The shop's language for a Django language code: ``fr``, ``ar`` or ``en``; French for any other."""
    code = (language or translation.get_language() or "fr").split("-")[0].lower()
    return code if code in LANGUAGES else "fr"


def number_text(value: Decimal | int | str, language: str | None = None, *, decimals: int | None = 0) -> str:
    """A plain number with grouped thousands: ``1 842,30`` in French and Arabic, ``1,842.30`` in English.

    Groups are parted by U+00A0. ``decimals`` is how many places are always shown; ``None`` shows up to
    three, only as many as the number has. A negative number carries U+2212, never a hyphen.
    """
    language = language_of(language)
    value = Decimal(value)
    places = "#,##0.###" if decimals is None else "#,##0" + ("." + "0" * decimals if decimals else "")
    text = _grouped(abs(value), places, "en" if language == "en" else "fr")
    # Babel parts French groups by U+202F, which several Arabic and system fonts lack.
    text = text.replace("\u202f", NBSP)
    shows_a_value = any(digit in "123456789" for digit in text)
    return f"{MINUS}{text}" if value < 0 and shows_a_value else text


@lru_cache(maxsize=4096)
def _grouped(value: Decimal, places: str, locale: str) -> str:
    """Babel reads the pattern anew each time; a list shows the same few amounts again and again."""
    return str(format_decimal(value, format=places, locale=locale))


def money_text(amount: Money, language: str | None = None, *, style: str = "full") -> str:
    """An amount as one unbreakable piece of text, for mails, documents, messages and ``money``.

    ``style`` is ``full`` (``150,00 MAD``), ``short`` (``150 MAD``, yet ``66,75 MAD``: cards and
    buttons) or ``bare`` (``150,00``: tables in one known currency). French writes ``1 842,30 MAD``,
    Arabic ``1 842,30 درهم``, English ``MAD 1,842.30``; every space is U+00A0. A negative amount in
    Arabic starts with U+200E, so that the sign stays before its digits.
    """
    language = language_of(language)
    whole = amount.amount == amount.amount.to_integral_value()
    text = number_text(amount.amount, language, decimals=0 if style == "short" and whole else 2)
    if language == "ar" and text.startswith(MINUS):
        text = LRM + text
    if style == "bare":
        return text
    code = amount.currency.code
    if language == "en":
        return f"{MINUS}{code}{NBSP}{text[1:]}" if text.startswith(MINUS) else f"{code}{NBSP}{text}"
    return f"{text}{NBSP}{_CURRENCIES_AR.get(code, code) if language == 'ar' else code}"


def percent_text(share: Decimal, language: str | None = None) -> str:
    """A share of one as a percentage with at most one decimal: ``0.89`` is ``89 %``, ``89%`` in English and Arabic."""
    language = language_of(language)
    percentage = (Decimal(share) * 100).quantize(Decimal("0.1"))
    text = number_text(percentage, language, decimals=None)
    return f"{text}{NBSP}%" if language == "fr" else f"{text}%"


def phone_text(number: str) -> str:
    """A phone number as people dial it here: ``06 61 23 45 67``; a foreign one keeps its country."""
    try:
        parsed = phonenumbers.parse(number, "MA")
    except phonenumbers.NumberParseException:
        return number
    national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    if parsed.country_code != MOROCCO:
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    digits = "".join(each for each in national if each.isdigit())
    return NBSP.join(digits[at : at + 2] for at in range(0, len(digits), 2))


@overload
def local(moment: datetime) -> datetime: ...
@overload
def local(moment: date) -> date: ...
def local(moment: date | datetime) -> date | datetime:
    """A moment as the clocks of Casablanca show it; a plain day stays as it is."""
    if isinstance(moment, datetime) and timezone.is_aware(moment):
        return moment.astimezone(PLACE)
    return moment


def day_text(day: date | datetime, language: str | None = None, *, style: str = "long") -> str:
    """A day: ``22 novembre 2026``, ``22 نونبر 2026``.

    ``style``: ``long``; ``weekday`` puts the day of the week before it; ``near`` is the weekday
    without the year, for days that are close; ``month`` is month and year; ``short`` is
    ``22/11/2026`` for tables.
    """
    language = language_of(language)
    day = local(day)
    if style == "short":
        return f"{day:%d/%m/%Y}"
    month = _MONTHS[language][day.month - 1]
    if style == "month":
        return f"{month}{NBSP}{day.year}"
    text = f"{_day_of_month(day, language)}{NBSP}{month}"
    if style in ("weekday", "near"):
        text = f"{_WEEKDAYS[language][day.weekday()]} {text}"
    return text if style == "near" else f"{text} {day.year}"


def hour_text(moment: datetime, language: str | None = None) -> str:
    """The time of day, 24 hours: ``9 h 05`` in French, ``9:05`` in Arabic, ``09:05`` in English."""
    language = language_of(language)
    moment = local(moment)
    if language == "fr":
        return f"{moment.hour}{NBSP}h{NBSP}{moment.minute:02d}"
    return f"{moment:%H:%M}" if language == "en" else f"{moment.hour}:{moment.minute:02d}"


def moment_text(moment: datetime, language: str | None = None, *, style: str = "long") -> str:
    """A day with its time, in Casablanca: ``22 novembre 2026 à 9 h 05``. Styles as in ``day_text``."""
    language = language_of(language)
    joined = {"fr": " à ", "ar": " على الساعة ", "en": " at "}[language]
    if style == "short":
        joined = " "
    return f"{day_text(moment, language, style=style)}{joined}{hour_text(moment, language)}"


def date_range_text(start: date, end: date, language: str | None = None, *, style: str = "between") -> str:
    """Two days in words.

    ``between`` is for a promise: ``entre le mercredi 25 et le vendredi 27 novembre``. ``span`` is for
    a period: ``du 1er au 30 novembre 2026``. Month and year are said once where they are the same;
    the year of a promise is said only when it changes on the way. One day twice is that day.
    """
    language = language_of(language)
    start, end = local(start), local(end)
    if start == end:
        return day_text(start, language, style="near" if style == "between" else "long")
    same_year = start.year == end.year
    same_month = same_year and start.month == end.month
    if style == "span":
        first = _piece(start, language, month=not same_month, year=not same_year)
        last = _piece(end, language, month=True, year=True)
        return {
            "fr": f"du {first} au {last}",
            "ar": f"من {first} إلى {last}",
            "en": f"{first} to {last}",
        }[language]
    first = _piece(start, language, weekday=True, month=not same_month, year=not same_year)
    last = _piece(end, language, weekday=True, month=True, year=not same_year)
    return {
        "fr": f"entre le {first} et le {last}",
        "ar": f"بين {first} و{last}",
        "en": f"between {first} and {last}",
    }[language]


def month_text(month: int, language: str | None = None) -> str:
    """The name of a month, 1 to 12: ``novembre``, ``نونبر``, ``November``."""
    return _MONTHS[language_of(language)][month - 1]


def month_range_text(first: int, last: int, language: str | None = None) -> str:
    """Two months in words: ``d'octobre à novembre``, ``من أكتوبر إلى نونبر``, ``October to November``."""
    language = language_of(language)
    begins, ends = month_text(first, language), month_text(last, language)
    if language == "fr":
        of = "d'" if begins[0] in "ao" else "de "
        return f"{of}{begins} à {ends}"
    return f"من {begins} إلى {ends}" if language == "ar" else f"{begins} to {ends}"


def _day_of_month(day: date, language: str) -> str:
    return "1er" if language == "fr" and day.day == 1 else str(day.day)


def _piece(day: date, language: str, *, weekday: bool = False, month: bool, year: bool) -> str:
    text = _day_of_month(day, language)
    if month:
        text = f"{text}{NBSP}{_MONTHS[language][day.month - 1]}"
    if weekday:
        text = f"{_WEEKDAYS[language][day.weekday()]} {text}"
    return f"{text} {day.year}" if year else text


def isolated(reference: str) -> str:
    """A reference or account inside a sentence of any direction: it stays left to right and in one piece."""
    return f"\u2066{reference}\u2069"
