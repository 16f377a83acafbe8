"""PostgreSQL: a column of lexemes in four weights; pg_trgm for near spellings.

``ts_rank`` does not know which words are rare, so each word is ranked by itself and weighed by how many
goods are called by it.
"""

from __future__ import annotations

from typing import Any

from django.db import connection

from shop.search.engines.port import NAMES, SCALE, TEXT, TITLE, Asked, Matching, Query

#: In the order D, C, B, A that ``ts_rank`` wants.
_WEIGHTS = f"'{{{TEXT / TITLE},{TEXT / TITLE},{NAMES / TITLE},1.0}}'::real[]"
#: So many goods are counted to know how common a word is; beyond that it is common.
_COUNTED = 1000
_RARITY = (
    f"ln(2 + {_COUNTED}.0 / (1 + (SELECT count(*) FROM ("
    f"SELECT 1 FROM search_entry WHERE words @@ to_tsquery('simple', %s) LIMIT {_COUNTED}) counted)))"
)


class PostgresqlEngine:
    def matching(self, query: Query) -> Matching:
        parts, params = [], []
        for each in query.words:
            one = _one(each)
            # ts_rank divides by the number of stems asked for; 1: a long text says a word less than a short one.
            parts.append(f"{len(each.stems)} * ts_rank({_WEIGHTS}, e.words, to_tsquery('simple', %s), 1)")
            params.append(one)
            if len(query.words) > 1:
                parts[-1] += f" * {_RARITY}"
                params.append(one)
        between = " | " if query.any_of else " & "
        return Matching(
            join="",
            where="e.words @@ to_tsquery('simple', %s)",
            where_params=(between.join(f"({_one(each)})" for each in query.words),),
            score=f"CAST({SCALE} * ({' + '.join(parts)}) AS bigint)",
            score_params=tuple(params),
        )

    def near(self, sound: str, *, limit: int) -> list[tuple[str, str, int]]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT word, sound, goods FROM search_spelling WHERE goods > 0 ORDER BY sound <-> %s LIMIT %s",
                [sound, limit],
            )
            found: list[Any] = cursor.fetchall()
        return found


def _one(asked: Asked) -> str:
    """Stems are letters and digits only, so there is nothing in them that the parser could take amiss."""
    return " | ".join(each + (":*" if asked.begins else "") for each in asked.stems)
