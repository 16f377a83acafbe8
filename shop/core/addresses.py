"""Addresses that differ in one word, for pages with dozens of them: worked out once for each language."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.urls import get_urlconf, reverse
from django.utils.translation import get_language

#: A word that any path takes, and none of ours holds.
_WORD = "0a0word0a0"


def address(name: str, word: str) -> str:
    """``reverse(name, args=[word])`` for an address whose only argument is a slug or a reference."""
    before, after = _around(name, get_language(), get_urlconf() or settings.ROOT_URLCONF)
    return before + quote(word) + after


@lru_cache(maxsize=256)
def _around(name: str, language: str | None, urlconf: Any) -> tuple[str, str]:
    before, _found, after = reverse(name, args=[_WORD]).partition(_WORD)
    return before, after
