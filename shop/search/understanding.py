"""What a customer meant: her words as they are, their beginnings, or the nearest spelling that finds something."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from django.db import connection

from shop.search import spellings, words
from shop.search.engines import engine
from shop.search.engines.port import Asked, Query
from shop.search.models import Spelling
from shop.search.words import Word

#: Spellings that are looked at for one word, and words that may begin like it.
NEAR, BEGINNING = 40, 12
#: A beginning of fewer letters says nothing.
LEAST_BEGINNING = 3


@dataclass(frozen=True)
class Understood:
    """The words of a search and how they are asked for. ``corrected`` is how it was read where that is not as typed."""

    text: str
    words: tuple[Word, ...]
    query: Query | None
    corrected: str = ""


def read(text: str) -> Understood:
    """The words as they are. ``query`` is None where nothing typed says anything: dots, a drawing, "the"."""
    found = tuple(words.asked(text))
    return Understood(
        text, found, Query(tuple(Asked(spellings.every_stem(each)) for each in found)) if found else None
    )


def any_of(understood: Understood) -> Query | None:
    """What even one of her words finds."""
    return replace(understood.query, any_of=True) if understood.query is not None else None


def otherwise(understood: Understood) -> Understood | None:
    """What else she may have meant, for a search that found nothing: a word begun, or spelled otherwise.

    Words by which some good is called stay as they are. None when there is nothing else. Three statements at
    most for the words together, and two for each that nobody knows.
    """
    known = _known(understood.words)
    if (parted := _parted_otherwise(understood, known)) is not None:
        return parted
    asked: list[Asked] = []
    said: list[str] = []
    is_other = False
    for word in understood.words:
        if word.text in known or word.text.isdigit():
            asked.append(Asked(spellings.every_stem(word)))
            said.append(word.text)
        elif begun := _beginning_so(word.text):
            asked.append(Asked(tuple(dict.fromkeys(stem for each in begun for stem in _stems(each)))))
            said.append(word.text)
            is_other = True
        elif near := nearest(word.text):
            asked.append(Asked(_stems(near)))
            said.append(near)
            is_other = True
        else:
            asked.append(Asked(spellings.every_stem(word)))
            said.append(word.text)
    if not is_other:
        return None
    corrected = " ".join(said)
    is_corrected = said != [each.text for each in understood.words]
    return Understood(
        understood.text, understood.words, Query(tuple(asked)), corrected if is_corrected else ""
    )


def _parted_otherwise(understood: Understood, known: set[str]) -> Understood | None:
    """Words that are one, or one that is two: "cous cous", "rosewater". One statement."""
    typed = [each.text for each in words.words(understood.text[: words.MOST_LETTERS])]
    unknown = [each for each in typed if each not in known]
    if not unknown:
        return None
    joined = {one + other: (one, other) for one, other in pairwise(typed) if {one, other} & set(unknown)}
    split = {
        (each[:at], each[at:]): each
        for each in unknown
        for at in range(LEAST_BEGINNING, len(each) - LEAST_BEGINNING + 1)
    }
    candidates = {*joined, *(half for halves in split for half in halves)}
    there = Spelling.objects.filter(goods__gt=0, word__in=candidates).order_by("-goods", "word")
    usual = list(there.values_list("word", flat=True)[:50])
    for whole, (one, other) in joined.items():
        if whole in usual:
            return _as_if_typed(understood, f"{one} {other}", whole)
    for halves, each in split.items():
        if all(half in usual for half in halves):
            return _as_if_typed(understood, each, " ".join(halves))
    return None


def _as_if_typed(understood: Understood, instead_of: str, this: str) -> Understood:
    typed = " ".join(each.text for each in words.words(understood.text[: words.MOST_LETTERS]))
    return replace(read(typed.replace(instead_of, this, 1)), corrected=typed.replace(instead_of, this, 1))


def nearest(word: str) -> str | None:
    """The known spelling of its own script fewest slips away: none in a short word, one in a middling, two in a
    long one. Between scripts a sound is too little: «هاتف», a phone, is no "hat"; ``spellings`` has those pairs."""
    allowed = 0 if len(word) < 3 else 1 if len(word) < 6 else 2
    if not allowed:
        return None
    sound = words.sound(word)
    best: tuple[int, int, str] | None = None
    for other, its_sound, goods in engine().near(sound, limit=NEAR):
        if other.isascii() != word.isascii():
            continue
        # By letters or, for letters that sound alike, by ear.
        slips = min(distance(word, other), distance(sound, its_sound) + (sound[:1] != its_sound[:1]))
        if slips <= allowed and (best is None or (slips, -goods, other) < best):
            best = (slips, -goods, other)
    return best[2] if best is not None else None


def distance(one: str, other: str) -> int:
    """How many slips lie between two words: a letter too many, too few, wrong, or two changed over."""
    if abs(len(one) - len(other)) > 2:
        return 3
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        last, before, row = before, row, [i]
        for j, b in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _stems(spelled: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(stem for each in words.words(spelled) for stem in each.stems)) or (spelled,)


def _known(asked: tuple[Word, ...]) -> set[str]:
    """Those of the words that find something by themselves. One statement."""
    statements, params = [], []
    for each in asked:
        matching = engine().matching(Query((Asked(spellings.every_stem(each)),)))
        statements.append(
            f"SELECT %s WHERE EXISTS (SELECT 1 FROM search_entry e {matching.join} WHERE {matching.where} LIMIT 1)"
        )
        params += [each.text, *matching.where_params]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(statements), params)
        return {text for (text,) in cursor.fetchall()}


def _beginning_so(word: str) -> list[str]:
    """Known words that begin with this one, the most usual first."""
    if len(word) < LEAST_BEGINNING:
        return []
    found = Spelling.objects.filter(goods__gt=0, word__startswith=word)
    return list(found.order_by("-goods", "word").values_list("word", flat=True)[:BEGINNING])
