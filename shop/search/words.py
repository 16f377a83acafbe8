"""What a person typed, made comparable: without regard to case, accents, Arabic spelling habits or digits."""

from __future__ import annotations

import re
import unicodedata

#: Western digits for the two sets of Arabic ones.
DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
MOST_LETTERS, MOST_WORDS = 80, 6

#: Letters that people write for one another.
_SAME = {
    "a": "aàáâãäå",
    "c": "cç",
    "e": "eèéêë",
    "i": "iìíîï",
    "n": "nñ",
    "o": "oòóôõöø",
    "u": "uùúûü",
    "y": "yýÿ",
    "'": "'’ʼ`",
    "ا": "اأإآٱ",
    "ه": "هة",
    "ي": "يىئ",
    "و": "وؤ",
    "ك": "كگڭ",
}
_CLASS = {letter: letters for letters in _SAME.values() for letter in letters}
#: Vowel signs and the stretching stroke, which most people leave out.
_OPTIONAL = "[\u064b-\u0652\u0640]*"


def plain(text: str) -> str:
    """Lower case, single spaces, Western digits, no accents; for comparing names."""
    text = unicodedata.normalize("NFKD", text.translate(DIGITS)).casefold()
    text = "".join(letter for letter in text if not unicodedata.combining(letter) and letter != "\u0640")
    for first, letters in _SAME.items():
        text = re.sub(f"[{letters}]", first, text)
    return " ".join(re.sub(r"[-_.,]", " ", text).split())


def words_of(text: str) -> list[str]:
    """The words of a search, at most six of them."""
    text = unicodedata.normalize("NFC", text.translate(DIGITS))[:MOST_LETTERS].casefold()
    return [word for word in re.split(r"[\s,;.\u060c]+", text) if word.strip("-'’")][:MOST_WORDS]


def pattern(word: str) -> str:
    """A case-insensitive regular expression for one word, good for both databases."""
    pieces = []
    for letter in word:
        if letter in _CLASS:
            pieces.append(f"[{_CLASS[letter]}]")
        elif letter.isalnum():
            pieces.append(letter)
        elif unicodedata.combining(letter):
            continue
        else:
            pieces.append(re.escape(letter))
        if "\u0620" <= letter <= "\u064a":
            pieces.append(_OPTIONAL)
    return "".join(pieces)
