"""How well a search answers, by judgements that were written before any engine was asked.

nDCG@10 over the goods a visitor is shown, in their order, and how many searches find nothing.
"""

from __future__ import annotations

import csv
import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from tests.benchmarks.relevance.goods import Good

QUERIES = Path(__file__).resolve().parent / "judged_queries.csv"
LOOKED_AT = 10
#: What a good is worth that is exactly what was asked, a good answer, or a fair one.
EXACT, GOOD, FAIR = 3, 2, 1


@dataclass(frozen=True)
class Judged:
    """A search, and by their tags the goods that answer it: ``honey thyme|honey rosemary`` is either, ``-x`` not x."""

    language: str
    text: str
    about: str
    exact: str
    good: str
    fair: str

    def worth(self, good: Good) -> int:
        for worth, wanted in ((EXACT, self.exact), (GOOD, self.good), (FAIR, self.fair)):
            if any(_has(good, each.split()) for each in wanted.split("|") if each.strip()):
                return worth
        return 0


@dataclass(frozen=True)
class Answer:
    judged: Judged
    ndcg: float
    found: int


def _has(good: Good, wanted: Sequence[str]) -> bool:
    return all((each[1:] not in good.tags) if each[0] == "-" else (each in good.tags) for each in wanted)


def queries() -> list[Judged]:
    with QUERIES.open(encoding="utf-8") as file:
        return [
            Judged(
                row["language"],
                row["query"],
                row["about"],
                row["exact"],
                row["good"] or "",
                row["fair"] or "",
            )
            for row in csv.DictReader(file)
        ]


def ndcg(worths: Sequence[int], best: Sequence[int]) -> float:
    """Of the first ten: what is shown, against the best that could be."""

    def gain(each: Sequence[int]) -> float:
        return sum((2**worth - 1) / math.log2(place + 2) for place, worth in enumerate(each[:LOOKED_AT]))

    return gain(worths) / gain(sorted(best, reverse=True))


def judge(judged: Judged, goods: dict[str, Good], client: Any) -> Answer:
    """Ask as a visitor asks, and judge what her page shows."""
    page = client.get(f"/{judged.language}/goods/", {"q": judged.text})
    shown = re.findall(r'class="name"><a href="/\w\w/goods/([^/"]*)/', page.content.decode())
    worths = [judged.worth(goods[each]) for each in shown]
    best = [judged.worth(each) for each in goods.values()]
    return Answer(judged, ndcg(worths, best), page.context["goods"])


def table(answers: Sequence[Answer], engine: str) -> str:
    """By language, as docs/benchmarks.md has it; then the worst."""
    by_language: dict[str, list[Answer]] = defaultdict(list)
    for each in answers:
        by_language[each.judged.language].append(each)
    lines = [f"| {engine} | searches | nDCG@10 | find nothing |", "|---|---|---|---|"]
    for name, some in [*by_language.items(), ("all", list(answers))]:
        lines.append(f"| {name} | {len(some)} | {mean(some):.3f} | {zero_rate(some):.1%} |")
    worst = sorted(answers, key=lambda each: each.ndcg)[:15]
    lines += ["", *(f"  {each.ndcg:.2f}  {each.judged.text}  ({each.found} found)" for each in worst)]
    return "\n".join(lines)


def mean(answers: Sequence[Answer]) -> float:
    return fmean(each.ndcg for each in answers)


def zero_rate(answers: Sequence[Answer]) -> float:
    return sum(not each.found for each in answers) / len(answers)
