"""While she types: words that finish hers, and the kinds, makers and goods they lead to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Prefetch
from oscar.core.loading import get_model

from catalogue.models import Product
from cooperatives.models import Cooperative
from shop.search import spellings, understanding, words
from shop.search.engines import engine
from shop.search.engines.port import Asked, Query

#: Fewer letters suggest half the shop.
LEAST_LETTERS = 2
LOOKED_AT, WORDS, KINDS, MAKERS, GOODS = 30, 4, 3, 2, 4


@dataclass
class Suggestions:
    """What to offer, best first. ``instead`` is a spelling that finds something where hers does not."""

    words: list[str] = field(default_factory=list)
    categories: list[Any] = field(default_factory=list)
    cooperatives: list[Cooperative] = field(default_factory=list)
    goods: list[Product] = field(default_factory=list)
    instead: str = ""


def suggest(*, text: str, on: date) -> Suggestions:
    """What the last word may become, the words before it being as they are. At most three statements."""
    asked = words.asked(text)
    if not asked or len(asked[-1].text) < LEAST_LETTERS:
        return Suggestions()
    *before, last = asked
    # A stem may have lost the letters that a beginning has: both are looked for.
    begun = Asked(tuple(dict.fromkeys((last.text, *spellings.every_stem(last)))), begins=True)
    ids = _best(Query((*(Asked(spellings.every_stem(each)) for each in before), begun)), on)
    if not ids:
        near = understanding.nearest(last.text)
        said = " ".join([*(each.text for each in before), near]) if near else ""
        return Suggestions(instead=said)
    found = _with_kinds_and_makers(ids, on)
    # A good that is called so comes before one that only comes from there.
    goods = [each for each in found if _is_called(each, last.text)] or found
    return Suggestions(
        words=_endings(goods, [each.text for each in before], last.text),
        categories=_most_usual([kind for each in goods for kind in each.kinds], KINDS),
        cooperatives=_most_usual(
            [
                each.cooperative
                for each in found
                if any(word.text.startswith(last.text) for word in words.words(each.cooperative.name))
            ],
            MAKERS,
        ),
        goods=goods[:GOODS],
    )


def _best(query: Query, on: date) -> list[int]:
    matching = engine().matching(query)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT listing_id FROM (SELECT e.listing_id, {matching.score} AS score, e.in_stock AS there, "
            f"e.tie AS tie FROM search_entry e {matching.join} "
            f"WHERE {matching.where} AND e.sold_from <= %s AND e.sold_until >= %s LIMIT 500) ranked "
            "ORDER BY there DESC, score DESC, tie LIMIT %s",
            [*matching.score_params, *matching.where_params, on, on, LOOKED_AT],
        )
        return [key for (key,) in cursor.fetchall()]


def _with_kinds_and_makers(ids: Sequence[int], on: date) -> list[Product]:
    public = get_model("catalogue", "Category").objects.filter(is_public=True)
    found = (
        Product.objects.on_sale(on=on)
        .filter(pk__in=ids)
        .select_related("cooperative")
        .prefetch_related(Prefetch("categories", queryset=public, to_attr="kinds"))
        .in_bulk()
    )
    return [found[each] for each in ids if each in found]


def _is_called(listing: Product, begun: str) -> bool:
    names = (getattr(listing, f"title_{each}") or "" for each in ("fr", "ar", "en"))
    return any(word.text.startswith(begun) for name in names for word in words.words(name))


def _endings(goods: Sequence[Product], before: Sequence[str], begun: str) -> list[str]:
    """Words of the names of these goods, in the reader's language, that begin so; after those already typed."""
    found: Counter[str] = Counter()
    for each in goods:
        # "d'argan" ends nothing that begins with a: the word behind the apostrophe does.
        pieces = {re.split("['’]", each)[-1].strip('(),;:.«»"') for each in str(each.get_title()).split()}
        found.update(
            piece.lower()
            for piece in pieces
            if [word.text.startswith(begun) for word in words.words(piece)] == [True]
        )
    typed = " ".join(before)
    endings = [each for each, _ in found.most_common() if each != begun]
    return [f"{typed} {each}".strip() for each in endings[:WORDS]]


def _most_usual(found: Sequence[Any], limit: int) -> list[Any]:
    return [each for each, _ in Counter(found).most_common(limit)]
