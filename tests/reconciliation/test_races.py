"""Two workers, one line; two persons, one resolution; one export imported by two: once each.

Each race has its control: with the guard off it goes wrong, so that the race is known to be one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from shop.core.errors import CarriedOutMeanwhile
from shop.ledger.models import JournalEntry
from shop.reconciliation import matching, resolving
from shop.reconciliation.errors import AlreadyImported
from shop.reconciliation.models import Discrepancy, Match, Resolution, StatementFile, StatementLine
from tests.reconciliation.world import L, World, bank, mad, the

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(transactional_db) -> World:
    return World()


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Run the jobs together; what each returned or raised."""
    barrier = threading.Barrier(len(jobs))
    results: list[Any] = [None] * len(jobs)

    def run(place: int, job: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=10)
            results[place] = job()
        except BaseException as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(jobs)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=60)
    return results


def test_two_workers_match_one_line_once(world: World):
    (payout,) = world.sent("600.00")
    world.import_csv(L("-534.00", e2e=payout.reference))
    line = StatementLine.objects.get()

    results = at_once(*[lambda: matching.match_line(line=line, at=world.at)] * 4)

    match = Match.objects.get()
    assert results == [match] * 4
    assert bank() == mad("-534.00")
    assert JournalEntry.objects.filter(kind="payout_debited").count() == 1


def test_the_control_without_looking_again_workers_fall_over_one_another(world: World, monkeypatch):
    (payout,) = world.sent("600.00")
    world.import_csv(L("-534.00", e2e=payout.reference))
    line = StatementLine.objects.get()
    stale = [StatementLine.objects.get(pk=line.pk) for _ in range(2)]
    monkeypatch.setattr(matching, "_fresh", lambda line: line)

    results = at_once(*(lambda each=each: matching.match_line(line=each, at=world.at) for each in stale))

    # The constraints below still keep the books right, but the second worker took a matched line for new.
    assert Match.objects.count() == 1
    assert bank() == mad("-534.00")
    fell = [each for each in results if isinstance(each, Exception)]
    assert fell or Discrepancy.objects.filter(kind="duplicate", line=line).exists()


def test_two_lines_of_one_payout_are_one_match_and_one_duplicate(world: World):
    (payout,) = world.sent("600.00")
    sent = {"e2e": payout.reference}
    world.import_csv(L("-534.00", ref="1", **sent), L("-534.00", ref="2", **sent))
    lines = list(StatementLine.objects.all())

    results = at_once(*(lambda each=each: matching.match_line(line=each, at=world.at) for each in lines))

    assert sorted(type(each).__name__ for each in results) == ["Match", "NoneType"]
    assert Match.objects.count() == 1
    assert Discrepancy.objects.get().kind == "duplicate"
    assert bank() == mad("-534.00")


def test_one_file_imported_by_two_persons_is_taken_once(world: World):
    results = at_once(*[lambda: world.import_csv(L("10.00", "A"), opening=mad(0))] * 3)

    assert StatementFile.objects.count() == StatementLine.objects.count() == 1
    refused = [each for each in results if isinstance(each, AlreadyImported)]
    assert len(refused) == 2


def test_one_resolution_approved_twice_at_once_is_booked_once(world: World):
    world.import_csv(L("-25.00", "FRAIS"))
    world.match()
    resolution = resolving.propose(
        discrepancy=the("bank_fee"), action="book_bank_fee", reason="advice", by=world.maker, at=world.at
    )

    at_once(*[lambda: resolving.approve(resolution=resolution, by=world.checker, at=world.at)] * 3)

    assert bank() == mad("-25.00")
    assert Match.objects.count() == Resolution.objects.count() == 1


def test_approved_and_refused_at_once_only_one_happens(world: World):
    world.import_csv(L("-25.00", "FRAIS"))
    world.match()
    resolution = resolving.propose(
        discrepancy=the("bank_fee"), action="book_bank_fee", reason="advice", by=world.maker, at=world.at
    )

    results = at_once(
        lambda: resolving.approve(resolution=resolution, by=world.checker, at=world.at),
        lambda: resolving.refuse(resolution=resolution, by=world.maker, at=world.at),
    )

    resolution.refresh_from_db()
    assert (resolution.approved_at is None) != (resolution.refused_at is None)
    assert bank() == (mad("-25.00") if resolution.approved_at else mad(0))
    assert len([each for each in results if isinstance(each, CarriedOutMeanwhile)]) == 1
