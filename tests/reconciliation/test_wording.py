"""Every rule and every reason the room writes down has words for the person who reads it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import pytest
from django.utils import translation
from django.utils.translation import override

from shop.reconciliation import actions, judging, spotting, wording
from shop.reconciliation.actions import Action
from shop.reconciliation.models import Discrepancy, Match


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """The sentences below are the ones the code names."""
    with translation.override("en"):
        yield


def test_every_rule_of_the_matcher_has_words():
    suffixes = re.findall(r'f"\{seen\}(, [^"]+)"', inspect.getsource(judging))
    ways = ["EndToEndId", "reference in the text"]

    assert len(suffixes) >= 5
    assert all(f'"{each}"' in inspect.getsource(spotting) for each in ways)
    for way in ways:
        for suffix in suffixes:
            rule = way + suffix
            assert len(rule) <= 60
            assert rule in wording._RULES


def test_every_reason_of_the_matcher_has_words():
    source = inspect.getsource(judging)
    reasons = set(re.findall(r'reference, "(\w+)"\)', source)) | set(re.findall(r'"reason": "(\w+)"', source))

    assert len(reasons) >= 8
    assert reasons <= set(wording._REASONS)


def test_a_note_by_two_persons_is_told_by_its_action():
    with override("en"):
        assert wording.rule_text(Match(rule="two persons: book_bank_fee")) == "Book it as a fee of the bank"
        assert wording.reason_text(Discrepancy(detail={"reason": "AC04"})) == "The account is closed. (AC04)"
        assert wording.reason_text(Discrepancy(detail={"reason": "closed, says the clerk"})) == (
            "closed, says the clerk"
        )
        assert wording.reason_text(Discrepancy(detail={})) == ""


@pytest.mark.parametrize("kind", Discrepancy.Kind.values)
def test_every_kind_can_be_settled_somehow(kind: str):
    found = actions.actions_for(Discrepancy(kind=kind, suggestion=Action.ADJUST))

    assert found
    assert wording.advice(Discrepancy(kind=kind))
    assert all(isinstance(each, Action) for each in found)
