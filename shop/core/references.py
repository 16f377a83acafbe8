"""References that people read out on the phone: random, without look-alike letters, with a check character.

Crockford's base 32, https://www.crockford.com/base32.html
"""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})


def _doubled(value: int) -> int:
    """Times x in the field of 32 elements, modulo x⁵ + x² + 1."""
    value <<= 1
    return value ^ 0b100101 if value & 32 else value


def _sum(letters: str) -> int:
    # Each position has a weight of its own, so one wrong character or two that changed places are always
    # noticed. A remainder by 31 would not notice the second: 32 leaves 1, so all weights would be one.
    value = 0
    for letter in letters:
        value = _doubled(value) ^ ALPHABET.index(letter)
    return value


def _check(body: str) -> str:
    return ALPHABET[_doubled(_sum(body))]


def make(prefix: str, length: int = 8) -> str:
    """A new reference such as ``T-7K3M9QX2T``: prefix, random characters, one check character."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(length))
    return f"{prefix}-{body}{_check(body)}"


def checked(reference: str) -> str:
    """A reference that is dated and numbered, with a check character after it: ``PO-20261128-01-C13-4``.

    For what a clerk at a bank may type: of two such references one wrong character never makes another. The
    look-alikes count as one letter, dashes not at all; up to 30 letters and digits.
    """
    return f"{reference}-{_check(_letters(reference))}"


def is_checked(reference: str) -> bool:
    """Whether the check character of a dated and numbered reference fits."""
    letters = _letters(reference)
    return len(letters) > 1 and _sum(letters) == 0


def _letters(reference: str) -> str:
    kept = "".join(each for each in reference.upper() if each.isascii() and each.isalnum())
    return kept.translate(_READ_AS).replace("U", "V")


def normalise(text: str) -> str:
    """What a person typed, as we write it: capitals, no spaces, O as 0, I and L as 1 (after the prefix)."""
    compact = "".join(text.upper().split())
    head, dash, tail = compact.partition("-")
    return head + dash + tail.translate(_READ_AS) if dash else compact


def is_sound(reference: str, length: int = 8) -> bool:
    """Whether the check character fits, so that a mistyped reference is told from an unknown one."""
    _head, dash, tail = reference.partition("-")
    body = tail.split("-")[0]
    if not dash or len(body) != length + 1 or any(letter not in ALPHABET for letter in body):
        return False
    return _sum(body) == 0
