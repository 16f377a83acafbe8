"""Small templates that stand on a page dozens of times: rendered once for each shape, then only filled in.

Rendering a card takes Django a millisecond, and a list has two dozen. What is conditional in a template depends on
which of its values are there, not on what they say; so the template is rendered once with marks in their places, and
every card of the same shape is the same pieces with other words between them. A template poured this way may print
its values and ask whether they are there. It must not filter or compare them; what it compares is ``Fixed``.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from typing import Any

from django.conf import settings
from django.template.loader import get_template
from django.urls import get_urlconf
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

#: Letters and digits only: no filter or escape changes them; and nobody can guess them.
_MARK = f"zq{secrets.token_hex(8)}x"
_MARKS = re.compile(rf"{_MARK}(\d+)z")
#: A word that is somewhere in the shape.
_WORD = object()


class Fixed(str):
    """A word that the template compares or filters: another word is another shape."""

    __slots__ = ()


def pour(template: str, values: Mapping[str, Any]) -> SafeString:
    """The template with these values, as rendering it gives. Words are escaped unless they are safe."""
    words: list[str] = []
    shape = _shape(values, words)
    pieces = _mould(template, shape, get_language(), get_urlconf() or settings.ROOT_URLCONF)
    return mark_safe("".join([words[each] if isinstance(each, int) else each for each in pieces]))  # noqa: S308 - words are escaped


def _shape(value: Any, words: list[str]) -> Any:
    """What of a value decides how the template goes; its words are put aside."""
    kind = type(value)
    if kind is str:
        if not value:
            return ""
        words.append(escape(value))
        return _WORD
    if kind is dict:
        return ("{", *[(key, _shape(each, words)) for key, each in value.items()])
    if kind is list or kind is tuple:
        return ("[", *[_shape(each, words) for each in value])
    if value is None or value is True or kind is Fixed:
        return value
    if not value:
        return ""
    words.append(conditional_escape(value))
    return _WORD


@lru_cache(maxsize=1024)
def _cast(template: str, shape: Any, language: str | None, urlconf: Any) -> tuple[str | int, ...]:
    numbers = iter(range(10_000))
    text = get_template(template).render(_with_marks(shape, numbers))
    pieces: list[str | int] = list(_MARKS.split(text))
    pieces[1::2] = [int(each) for each in pieces[1::2]]
    return tuple(pieces)


def _mould(template: str, shape: Any, language: str | None, urlconf: Any) -> tuple[str | int, ...]:
    """While templates are being worked on, each is read anew."""
    cast = _cast.__wrapped__ if settings.DEBUG else _cast
    return cast(template, shape, language, urlconf)


def forget() -> None:
    """Every template is rendered anew the next time."""
    _cast.cache_clear()


def _with_marks(shape: Any, numbers: Any) -> Any:
    if shape is _WORD:
        return mark_safe(f"{_MARK}{next(numbers)}z")  # noqa: S308 - a mark of our own
    if isinstance(shape, tuple):
        kind, *rest = shape
        if kind == "{":
            return {key: _with_marks(each, numbers) for key, each in rest}
        return [_with_marks(each, numbers) for each in rest]
    return shape
