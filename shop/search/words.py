"""What a person typed and what a listing says, made comparable: the same function for both.

Without regard to case, accents, Arabic spelling habits, digits, plural or ending. Nobody says in which
language a search is typed, so every word is stemmed in each language of its script, and two words are the
same when they share one stem.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import snowballstemmer

#: Western digits for the two sets of Arabic ones.
DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
#: What is read of a search: nobody who looks for a good needs more.
MOST_LETTERS, MOST_WORDS = 80, 8

#: Letters that people write for one another. Moroccan gaf is written three ways, and as kaf.
_LETTERS = str.maketrans(
    {
        "œ": "oe",
        "æ": "ae",
        "ø": "o",
        "ß": "ss",
        "ʼ": "'",
        "’": "'",
        "‘": "'",
        "`": "'",
        "´": "'",
        "أ": "ا",
        "إ": "ا",
        "آ": "ا",
        "ٱ": "ا",
        "ة": "ه",
        "ى": "ي",
        "ئ": "ي",
        "ی": "ي",
        "ؤ": "و",
        "ک": "ك",
        "گ": "ك",
        "ڭ": "ك",
        "ݣ": "ك",
        "ڤ": "ف",
        "پ": "ب",
        "چ": "ج",
        "ء": "",
        "ـ": "",
    }
)
#: A number, or a run of letters of one script with its accents or vowel signs and apostrophes: ``500g`` is two.
_PIECES = re.compile(
    r"[0-9]+|[\u0610-\u061a\u0620-\u0669\u066e-\u06ff\u0750-\u077f]+|(?:[^\W\d_\u0600-\u077f]|['\u0300-\u036f])+"
)
_KEPT = re.compile(r"[0-9]+|[a-z]+(?:'[a-z]+)*|[\u0620-\u064a\u066e-\u06d3]+")
#: French leaves a vowel out before another: l'huile, d'argan, aujourd'hui stays whole.
_ELISION = re.compile(r"^(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu)'")
#: The Arabic article with what is written on to it: العسل, بالعسل, والعسل, للعسل.
_ARTICLE = re.compile(r"^(?:[وف]?[بك]?ال|و?لل)(?=.{2})")
_LATIN = re.compile(r"^[a-z]")

#: Words that say nothing about a good: French, English, the Arabic article and prepositions (also as people write
#: them in Latin letters), what every maker's name starts with, and what all goods are.
_SILENT_WORDS = """
a à au aux avec ce ces cette chez dans de des du en est et la le les leur mes mon nos notre ou où par pas pour
qui sa ses son sous sur un une vos votre
an and any are at by for from her his i in is it my of on or our some that the their this to with your
al el l d من في على عن الى مع او ثم هذا هذه التي الذي كل ال و ل ب
cooperative cooperatives تعاونيه تعاونيات
produit produits product products منتوج منتوجات منتج منتجات
"""
_SILENT = frozenset(_SILENT_WORDS.split())

_FRENCH, _ENGLISH, _ARABIC = (snowballstemmer.stemmer(each) for each in ("french", "english", "arabic"))

#: Arabic letters by sound, in Latin: for the nearest spelling, where ت and ط are the same slip.
_SOUNDS = str.maketrans("ابتثجحخدذرزسشصضطظعغفقكلمنهوي", "abttjhkddrzscsdtdagfkklmnhwy")


@dataclass(frozen=True)
class Word:
    """One word: as typed but folded, and every stem under which it may be found."""

    text: str
    stems: tuple[str, ...]


def fold(text: str) -> str:
    """Lower case, Western digits, one form of every letter, no accents or vowel signs."""
    text = unicodedata.normalize(
        "NFKD", unicodedata.normalize("NFKC", text.translate(DIGITS)).casefold().translate(_LETTERS)
    )
    return "".join(each for each in text if not unicodedata.combining(each)).translate(_LETTERS)


def words(text: str) -> list[Word]:
    """The words of a text that say something, in their order, each as often as it stands there."""
    # Not folded as a whole: French stems are found by the accents.
    return [word for piece in _PIECES.findall(_whole(text)) if (word := _word(piece))]


def normalised(text: str) -> str:
    """Every stem of every word, parted by spaces: what an index keeps."""
    return " ".join(stem for word in words(text) for stem in word.stems)


def asked(text: str) -> list[Word]:
    """The words of a search: the first eight of its first eighty letters, each once."""
    return list(dict.fromkeys(words(text[:MOST_LETTERS])))[:MOST_WORDS]


def sound(word: str) -> str:
    """A folded word in Latin letters only, by sound; for comparing spellings on any database."""
    return re.sub(r"[^a-z0-9]", "", word.translate(_SOUNDS))


def plain(text: str) -> str:
    """Folded, with single spaces; for comparing names of places."""
    return " ".join(re.sub(r"[-_.,]", " ", fold(text)).split())


def _whole(text: str) -> str:
    """Composed, in lower case, with Western digits and one kind of apostrophe."""
    return (
        unicodedata.normalize("NFKC", text.translate(DIGITS))
        .casefold()
        .translate({ord(e): "'" for e in "ʼ’‘`´"})
    )


@lru_cache(maxsize=50_000)
def _word(piece: str) -> Word | None:
    folded = "".join(_KEPT.findall(fold(piece)))
    if not folded or folded in _SILENT:
        return None
    if not _LATIN.match(folded):
        if not folded.isdigit():
            return _arabic(folded)
        number = folded.lstrip("0") or "0"
        return Word(number, (number,))
    short = _ELISION.sub("", folded)
    if short in _SILENT or len(short) < 2 and short != folded:
        return None
    accented = _ELISION.sub("", piece) if short != folded else piece
    joined = folded.replace("'", "")
    bare = short.replace("'", "")
    stems = [
        fold(_FRENCH.stemWord(accented.replace("'", ""))),
        _FRENCH.stemWord(bare),
        _ENGLISH.stemWord(bare),
    ]
    if joined != bare:
        stems.append(_FRENCH.stemWord(joined))  # "dargan", as it is typed on phones
    return Word(bare, tuple(dict.fromkeys("".join(re.findall(r"[a-z]", each)) or bare for each in stems)))


def _arabic(folded: str) -> Word | None:
    """The article goes first: behind it Snowball takes the last letters of a noun for an ending."""
    bare = _ARTICLE.sub("", folded)
    if bare in _SILENT:
        return None
    return Word(bare, tuple(dict.fromkeys((bare, _ARABIC.stemWord(bare)))))
