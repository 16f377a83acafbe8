"""The Moroccan bank account number (RIB): its key, its two written forms, its IBAN.

24 digits: bank 3, place 3, account 16, key 2. The key is ``97 - (first 22 digits × 100 mod 97)``, so
the whole number is divisible by 97. An IBAN is ``MA``, two check digits of its own, and the RIB.

Source: the IBAN registry of SWIFT (ISO 13616), entry Morocco, whose sample
``MA64 0115 1900 0001 2050 0053 4921`` has both check values right; key rule as printed on the RIB
forms of the Moroccan Treasury (``310 810 1014029004423101 33``).
"""

from __future__ import annotations

import unicodedata

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from shop.core.errors import Refused

LENGTH = 24
_SEPARATORS = frozenset(".-/'")


class RibRefused(Refused):
    """What was given is no Moroccan bank account number. Messages never repeat the number itself."""


class RibIncomplete(RibRefused):
    def __init__(self, digits: int) -> None:
        self.digits = digits
        super().__init__(
            format_lazy(
                _("A RIB has 24 digits, this one has {digits}. Copy it whole from the bank's certificate."),
                digits=digits,
            )
        )


class RibNotDigits(RibRefused):
    def __init__(self) -> None:
        super().__init__(_("A RIB has digits only. Copy its 24 digits from the bank's certificate."))


class RibKeyWrong(RibRefused):
    def __init__(self) -> None:
        super().__init__(
            _(
                "The key of this RIB (its last two digits) does not fit the others: a digit is wrong or two "
                "have changed places. Compare it with the bank's certificate."
            )
        )


class IbanRefused(RibRefused):
    def __init__(self) -> None:
        super().__init__(
            _(
                "This is not a Moroccan IBAN: it has MA, two check digits and the 24 digits of the RIB. "
                "Compare it with the bank's certificate."
            )
        )


def compact(text: str) -> str:
    """The number without its spaces and separators, digits of any script written 0-9. Checks nothing."""
    kept = []
    for character in text:
        if unicodedata.category(character) in ("Zs", "Cf", "Cc", "Pd") or character in _SEPARATORS:
            continue
        digit = unicodedata.decimal(character, None)
        kept.append(character if digit is None else str(digit))
    return "".join(kept)


def key_of(first_digits: str) -> str:
    """The two-digit key that belongs to the first 22 digits of a RIB."""
    if len(first_digits) != LENGTH - 2:
        raise RibIncomplete(len(first_digits))
    if not (first_digits.isascii() and first_digits.isdigit()):
        raise RibNotDigits
    return f"{97 - int(first_digits) * 100 % 97:02d}"


def check(text: str) -> str:
    """The 24 digits of a RIB a person wrote, however they grouped them. Raises a ``RibRefused``."""
    digits = compact(text)
    if not (digits.isascii() and digits.isdigit()):
        raise RibNotDigits
    if len(digits) != LENGTH:
        raise RibIncomplete(len(digits))
    if digits[-2:] != key_of(digits[:-2]):
        raise RibKeyWrong
    return digits


def grouped(text: str) -> str:
    """The RIB as banks print it: ``310 810 1014029004423101 33``."""
    digits = check(text)
    return f"{digits[:3]} {digits[3:6]} {digits[6:22]} {digits[22:]}"


def masked(text: str) -> str:
    """The RIB for screens that need only tell accounts apart: ``310 … 0133``."""
    digits = check(text)
    return f"{digits[:3]} … {digits[-4:]}"


def bank_code(text: str) -> str:
    """The three digits that name the bank; its name comes from a table operators edit."""
    return check(text)[:3]


def to_iban(text: str) -> str:
    """The Moroccan IBAN of a RIB, 28 characters without spaces."""
    digits = check(text)
    return f"MA{98 - int(digits + _as_digits('MA') + '00') % 97:02d}{digits}"


def from_iban(text: str) -> str:
    """The RIB inside a Moroccan IBAN, both check values verified. Raises a ``RibRefused``."""
    iban = compact(text).upper()
    if len(iban) != LENGTH + 4 or not iban.startswith("MA"):
        raise IbanRefused
    digits = check(iban[4:])
    if iban != to_iban(digits):
        raise IbanRefused
    return digits


def _as_digits(letters: str) -> str:
    """Letters as ISO 7064 counts them: A is 10, Z is 35."""
    return "".join(str(int(letter, 36)) for letter in letters)
