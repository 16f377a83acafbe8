"""SQLite: an FTS5 table beside the index, ranked by bm25; trigrams of FTS5 for near spellings."""

from __future__ import annotations

from typing import Any

from django.db import connection

from shop.search.engines.port import NAMES, SCALE, TEXT, TITLE, Asked, Matching, Query

#: bm25 of a word that most goods share is some millionths.
_SCALE = SCALE * 1_000_000


class SqliteEngine:
    def matching(self, query: Query) -> Matching:
        """bm25 is negative, and the better the lower."""
        return Matching(
            join="JOIN search_words ON search_words.rowid = e.listing_id",
            where="search_words MATCH %s",
            where_params=(_expression(query),),
            score=f"CAST(-{_SCALE} * bm25(search_words, {TITLE}, {NAMES}, {TEXT}) AS INTEGER)",
        )

    def near(self, sound: str, *, limit: int) -> list[tuple[str, str, int]]:
        padded = f"__{sound}_"
        trigrams = {padded[at : at + 3] for at in range(len(padded) - 2)}
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT s.word, s.sound, s.goods FROM search_sounds "
                "JOIN search_spelling s ON s.id = search_sounds.rowid "
                "WHERE search_sounds MATCH %s AND s.goods > 0 ORDER BY search_sounds.rank LIMIT %s",
                [" OR ".join(_quoted(each) for each in sorted(trigrams)), limit],
            )
            found: list[Any] = cursor.fetchall()
        return found


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _expression(query: Query) -> str:
    return (" OR " if query.any_of else " AND ").join(f"({_one(each)})" for each in query.words)


def _one(asked: Asked) -> str:
    return " OR ".join(_quoted(each) + (" *" if asked.begins else "") for each in asked.stems)
