"""Voucher codes: how a new one is made, and how what a person typed is read."""

from __future__ import annotations

import secrets
import unicodedata

from shop.core.references import ALPHABET

#: 12 characters of 32 are 60 bits: nobody guesses one, at any rate of tries.
_LENGTH = 12
#: A code that is told to many may be short; shorter ones would be met by chance.
SHORTEST, LONGEST = 4, 24


def make() -> str:
    """A new code that cannot be guessed, without look-alike letters."""
    return "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH))


def normalise(text: str) -> str:
    """A code as it is kept: capitals and Western digits, without spaces, dashes or dots.

    Empty when there is anything else in it: then it is no code of ours.
    """
    kept = []
    for each in unicodedata.normalize("NFKC", text).upper():
        if each.isspace() or each in "-–—.·\u200e\u200f":
            continue
        digit = unicodedata.decimal(each, None)
        kept.append(str(digit) if digit is not None else each)
    code = "".join(kept)
    return code if code.isascii() and code.isalnum() and len(code) <= LONGEST else ""


def grouped(code: str) -> str:
    """A made code in groups of four, to be read out; a chosen one as it is."""
    if len(code) != _LENGTH or any(each not in ALPHABET for each in code):
        return code
    return "-".join(code[start : start + 4] for start in range(0, _LENGTH, 4))
