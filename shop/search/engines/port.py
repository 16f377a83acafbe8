"""What the room asks of a database (or, one day, of a search server): which entries match, and near spellings.

An engine gives pieces of one SQL statement; ``finding`` puts them together with filters and places in a
list, so that a page is one statement on every engine. docs/search.md says how a server would join in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

#: How much a word in the name of a good says against one in the names around it, and in its description.
TITLE, NAMES, TEXT = 10.0, 4.0, 1.0
#: A score is a whole number, so that a place in a list is the same whenever it is asked for.
SCALE = 1_000_000


@dataclass(frozen=True)
class Asked:
    """One word: any of the stems will do; ``begins`` takes words that begin so too."""

    stems: tuple[str, ...]
    begins: bool = False


@dataclass(frozen=True)
class Query:
    """All of the words, or, where that finds nothing, any of them."""

    words: tuple[Asked, ...]
    any_of: bool = False


@dataclass(frozen=True)
class Matching:
    """Pieces of a statement on ``search_entry e``. ``score`` is an expression, higher is better."""

    join: str
    where: str
    where_params: tuple[Any, ...]
    score: str
    score_params: tuple[Any, ...] = ()


class Engine(Protocol):
    def matching(self, query: Query) -> Matching:
        """The entries whose words match, and how well."""

    def near(self, sound: str, *, limit: int) -> list[tuple[str, str, int]]:
        """(word, its sound, how many goods) of the known spellings most like this one, maybe none."""
