"""What a bank order may contain as text: names and messages cleaned to what banks accept.

ISO 20022 carries UTF-8; the character set banks agree to handle is the Latin one of the EPC
(``a-z A-Z 0-9 / - ? : ( ) . , ' +`` and space). Letters of other scripts are kept by default, because
a cooperative's Arabic name is its name; a bank that takes Latin only gets a transliteration.

Source: EPC217-08, "SEPA requirements for an extended character set", best practices.
"""

from __future__ import annotations

import string
import unicodedata

LATIN = frozenset(string.ascii_letters + string.digits + "/-?:().,'+ ")

_PUNCTUATION = {
    "&": "+",
    "_": "-",
    "‐": "-",
    "‑": "-",
    "–": "-",
    "—": "-",
    "’": "'",
    "‘": "'",
    "ʼ": "'",
    "`": "'",
    "،": ",",
    "؛": ",",
    ";": ",",
    "؟": "?",
    "!": ".",
    "@": "(at)",
    "[": "(",
    "]": ")",
}


def _table(pairs: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in pairs.split())


# As Moroccan registers write Arabic in Latin letters: for a bank clerk's eye, not for a scholar's.
_ARABIC = _table(
    "ا=a أ=a إ=i آ=a ٱ=a ى=a ة=a ب=b ت=t ث=t ج=j ح=h خ=kh د=d ذ=d ر=r ز=z س=s ش=ch ص=s ض=d ط=t "
    "ظ=d ع=a غ=gh ف=f ق=q ك=k ل=l م=m ن=n ه=h و=ou ي=i ء= ؤ=ou ئ=i گ=g ڭ=g پ=p ڤ=v ک=k ی=i ـ="
)

_TIFINAGH = _table(
    "ⴰ=a ⴱ=b ⴳ=g ⴷ=d ⴹ=d ⴻ=e ⴼ=f ⴽ=k ⵀ=h ⵃ=h ⵄ=a ⵅ=kh ⵇ=q ⵉ=i ⵊ=j ⵍ=l ⵎ=m ⵏ=n ⵓ=ou ⵔ=r ⵕ=r "
    "ⵖ=gh ⵙ=s ⵚ=s ⵛ=ch ⵜ=t ⵟ=t ⵡ=w ⵢ=y ⵣ=z ⵥ=z ⵯ=w"
)

_LATIN_LETTERS = {
    "œ": "oe",
    "Œ": "OE",
    "æ": "ae",
    "Æ": "AE",
    "ß": "ss",
    "ø": "o",
    "Ø": "O",
    "ł": "l",
    "đ": "d",
}


def permitted(text: str, *, limit: int, latin_only: bool = False) -> str:
    """The text as a bank order may carry it, at most ``limit`` characters; cleaning it again changes nothing.

    Empty when nothing of it may stand; whether that matters is the caller's to say.
    """
    while (cleaned := _cleaned(text, limit=limit, latin_only=latin_only)) != text:
        text = cleaned
    return text


def _cleaned(text: str, *, limit: int, latin_only: bool) -> str:
    kept = (_kept(character, latin_only) for character in unicodedata.normalize("NFKC", text))
    return " ".join("".join(kept).split())[:limit].strip()


def _kept(character: str, latin_only: bool) -> str:
    if character in LATIN:
        return character
    if character in _PUNCTUATION:
        return _PUNCTUATION[character]
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Cf":
        return ""
    if category[0] not in "LM":
        return " "
    return _latin(character) if latin_only else character


def _latin(character: str) -> str:
    for table in (_ARABIC, _TIFINAGH, _LATIN_LETTERS):
        if character in table:
            return table[character]
    if unicodedata.category(character)[0] == "M":
        return ""
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base in LATIN else " "
