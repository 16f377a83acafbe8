"""The judged searches: floors that hold in every run, and the table that `make bench` prints."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from fixtures.demo import loading
from shop.search import indexing
from tests.benchmarks.relevance import goods, judging
from tests.factories import NOW

pytestmark = pytest.mark.django_db

#: nDCG@10 at least, and searches without result at most.
FLOORS = {"postgresql": 0.90, "sqlite": 0.85}
MOST_WITHOUT_RESULT = 0.03


@pytest.fixture
def shelves(monkeypatch):
    """The demonstration, without its pictures, among a thousand like goods; {slug: good}."""
    monkeypatch.setattr(loading.plates, "rasterise", lambda drawing, width: b"")
    monkeypatch.setattr(loading.picturing, "prepare", lambda picture: None)
    loading.load(at=NOW)
    made = goods.load()
    indexing.refresh()
    return {each.slug: each for each in made}


def test_every_judged_search_has_an_answer_and_none_stands_twice(shelves):
    judged = judging.queries()

    assert len(judged) >= 120
    assert {each.language for each in judged} == {"fr", "ar", "en"}
    assert len({(each.language, each.text) for each in judged}) == len(judged)
    assert [each.text for each in judged if not any(each.worth(good) == 3 for good in shelves.values())] == []
    assert len(shelves) == 60 + 1008


def test_searches_find_what_they_mean(shelves, monkeypatch, capsys):
    monkeypatch.setattr("shop.core.clock.now", lambda: NOW)
    client = Client()

    answers = [judging.judge(each, shelves, client) for each in judging.queries()]

    with capsys.disabled():
        print("\n" + judging.table(answers, settings.DATABASES["default"]["ENGINE"].rpartition(".")[2]))
    assert judging.mean(answers) >= FLOORS[connection.vendor]
    assert judging.zero_rate(answers) <= MOST_WITHOUT_RESULT


@pytest.mark.parametrize(
    ("worths", "best", "expected"),
    [
        ([3, 2], [3, 2], 1.0),
        ([2, 3], [3, 2], 0.834),
        ([0, 3], [3], 0.631),
        ([], [3], 0.0),
        ([3] * 12, [3] * 40, 1.0),
    ],
)
def test_a_better_order_is_worth_more(worths, best, expected):
    assert judging.ndcg(worths, best) == pytest.approx(expected, abs=0.001)
