"""One event, one entry: posted again, at the same time, or inside somebody's transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.utils import translation

from shop.ledger import accounts, journal
from shop.ledger.errors import AlreadyReversed, DifferentEntry
from shop.ledger.journal import Move
from shop.ledger.models import Account, JournalEntry, Posting
from tests.ledger.example import (
    A_PART,
    B_PART,
    DAY,
    ORDER,
    confirmed_a,
    confirmed_b,
    eur,
    mad,
    paid_in_mad,
    postings,
    released_a,
    shown,
)

pytestmark = pytest.mark.django_db

STRIPE, FUNDS = accounts.stripe_balance("MAD"), accounts.customer_funds("MAD")


def post(event: str = "stripe:txn_1", amount: str = "10.00", **also: str) -> JournalEntry:
    return journal.post(
        event=event,
        kind="card_payment",
        effective_on=DAY,
        memo="",
        moves=[Move(debit=STRIPE, credit=FUNDS, amount=mad(amount))],
        **also,
    )


# A move


def test_a_move_between_currencies_cannot_even_be_thought():
    with pytest.raises(ValueError, match="currencies differ"):
        Move(debit=STRIPE, credit=accounts.customer_funds("EUR"), amount=mad("1.00"))
    with pytest.raises(ValueError, match="currencies differ"):
        Move(debit=STRIPE, credit=FUNDS, amount=eur("1.00"))


def test_a_move_has_two_accounts_and_no_sign():
    with pytest.raises(ValueError, match="both sides"):
        Move(debit=STRIPE, credit=STRIPE, amount=mad("1.00"))
    with pytest.raises(ValueError, match="swap"):
        Move(debit=STRIPE, credit=FUNDS, amount=mad("-1.00"))


def test_a_fraction_of_a_centime_is_not_money():
    with pytest.raises(ValueError, match="minor units"):
        Move(debit=STRIPE, credit=FUNDS, amount=mad("1.005"))


# Posting


def test_an_entry_is_written_with_whose_it_is():
    entry = post(order=ORDER, supplier_order=A_PART, about="P-1", actor="system")

    entry.refresh_from_db()
    assert (entry.order, entry.supplier_order, entry.about, entry.actor) == (ORDER, A_PART, "P-1", "system")
    assert entry.effective_on == DAY
    with translation.override("en"):
        assert entry.title == "Card payment"
    assert postings(entry) == ["stripe_balance:MAD / customer_funds:MAD 10.00"]


def test_accounts_are_made_on_first_use_and_only_then():
    assert journal.balance(STRIPE) == mad("0")
    assert not Account.objects.exists()

    post("stripe:txn_1")
    post("stripe:txn_2")

    found = Account.objects.values_list("code", "kind", "owner", "currency", "normal_side")
    assert list(found) == [
        ("customer_funds:MAD", "customer_funds", "", "MAD", "credit"),
        ("stripe_balance:MAD", "stripe_balance", "", "MAD", "debit"),
    ]


def test_the_same_event_again_returns_the_first_entry_and_writes_nothing():
    first = post()

    again = journal.post(
        event="stripe:txn_1",
        kind="card_payment",
        effective_on=date(2026, 4, 1),
        memo="told again, a month later",
        moves=[Move(debit=STRIPE, credit=FUNDS, amount=mad("10.00"))],
    )

    assert again == first
    assert again.effective_on == DAY
    assert Posting.objects.count() == 1


def test_the_order_of_moves_makes_no_other_entry():
    moves = [
        Move(debit=STRIPE, credit=FUNDS, amount=mad("10.00")),
        Move(debit=accounts.psp_fee("MAD"), credit=STRIPE, amount=mad("1.00")),
        Move(debit=accounts.vat_input("MAD"), credit=STRIPE, amount=mad("0")),
    ]
    first = journal.post(event="e", kind="card_payment", effective_on=DAY, memo="", moves=moves)

    again = journal.post(event="e", kind="card_payment", effective_on=DAY, memo="", moves=moves[::-1])

    assert again == first
    assert Posting.objects.count() == 2


def test_the_same_event_with_other_moves_is_a_bug_and_changes_nothing():
    post(amount="10.00")

    with pytest.raises(DifferentEntry) as bug:
        post(amount="10.01")

    assert bug.value.event == "stripe:txn_1"
    assert shown() == {"customer_funds:MAD": "10.00", "stripe_balance:MAD": "10.00"}


def test_a_post_of_what_is_already_written_costs_two_queries(django_assert_num_queries):
    post()

    with django_assert_num_queries(2):
        post()


def faster_writer(monkeypatch, event: str) -> None:
    """Between our look and our writing somebody else writes the same event."""
    look = journal._written_under
    looks: list[str] = []

    def blind_at_first(wanted: str) -> JournalEntry | None:
        looks.append(wanted)
        return None if looks == [event] else look(wanted)

    monkeypatch.setattr(journal, "_written_under", blind_at_first)


def test_a_callers_transaction_survives_a_faster_writer(monkeypatch):
    first = post()

    with transaction.atomic():
        before = post("stripe:txn_2")
        faster_writer(monkeypatch, "stripe:txn_1")
        again = post("stripe:txn_1")
        after = post("stripe:txn_3")

    assert again == first
    assert list(JournalEntry.objects.order_by("pk")) == [first, before, after]


def test_without_the_savepoint_a_faster_writer_would_spoil_the_callers_transaction(monkeypatch):
    post()
    monkeypatch.setattr(journal, "transaction", SimpleNamespace(atomic=nullcontext))

    with pytest.raises(TransactionManagementError), transaction.atomic():
        faster_writer(monkeypatch, "stripe:txn_1")
        post("stripe:txn_1")


def test_what_a_caller_rolls_back_was_never_posted():
    with transaction.atomic():
        post()
        transaction.set_rollback(True)

    assert not JournalEntry.objects.exists()
    assert not Account.objects.exists()
    post()
    assert shown() == {"customer_funds:MAD": "10.00", "stripe_balance:MAD": "10.00"}


# Eight at once


def eight_at_once(work: Callable[[int], object]) -> list[object]:
    """The answers or errors of eight threads, each on its own connection."""
    answers: list[object] = [None] * 8

    def run(number: int) -> None:
        try:
            answers[number] = work(number)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            answers[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(each,)) for each in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=60)
    return answers


@pytest.fixture
def all_look_before_any_writes(monkeypatch):
    """Each of the eight has seen that nothing is written before the first one writes."""
    look, line = journal._written_under, threading.Barrier(8, timeout=60)
    seen = threading.local()

    def wait(event: str) -> JournalEntry | None:
        found = look(event)
        if not getattr(seen, "looked", False):
            seen.looked = True
            line.wait()
        return found

    monkeypatch.setattr(journal, "_written_under", wait)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_eight_threads_post_one_event_and_one_entry_is_written(all_look_before_any_writes):
    answers = eight_at_once(lambda number: post("stripe:txn_1").pk)

    entry = JournalEntry.objects.get()
    assert answers == [entry.pk] * 8
    assert Posting.objects.count() == 1
    assert Account.objects.count() == 2


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_without_the_one_name_of_the_event_the_eight_would_write_eight(all_look_before_any_writes):
    answers = eight_at_once(lambda number: post(f"stripe:txn_{number}").pk)

    assert sorted(answers) == sorted(JournalEntry.objects.values_list("pk", flat=True))
    assert Posting.objects.count() == 8
    # The accounts were new to all eight; each was made once.
    assert Account.objects.count() == 2
    assert journal.balance(STRIPE) == mad("80.00")


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_eight_threads_with_different_amounts_write_one_and_the_others_are_told(all_look_before_any_writes):
    answers = eight_at_once(lambda number: post("stripe:txn_1", amount=f"{number + 1}.00").pk)

    entry = JournalEntry.objects.get()
    assert [each for each in answers if each == entry.pk] == [entry.pk]
    assert sum(isinstance(each, DifferentEntry) for each in answers) == 7
    assert Posting.objects.count() == 1


# Reversal


def test_an_entry_is_taken_back_by_its_mirror_image():
    entry = confirmed_a()

    back = journal.reverse(
        entry=entry, event="x:back", effective_on=date(2026, 3, 3), memo="mistaken", actor="finance-1"
    )

    assert postings(back)[0] == "producer_held:A:MAD / customer_funds:MAD 600.00"
    assert (back.reverses, back.order, back.supplier_order) == (entry, ORDER, A_PART)
    assert shown() == {}
    assert shown(on=DAY)["producer_held:A:MAD"] == "534.00"


def test_the_same_reversal_again_returns_the_first():
    entry = confirmed_a()

    first, again = (
        journal.reverse(entry=entry, event="x:back", effective_on=DAY, memo="", actor="finance-1")
        for _ in range(2)
    )

    assert first == again
    assert JournalEntry.objects.count() == 2


def test_an_entry_is_taken_back_once():
    entry = confirmed_a()
    journal.reverse(entry=entry, event="x:back", effective_on=DAY, memo="", actor="finance-1")

    with pytest.raises(AlreadyReversed) as refusal:
        journal.reverse(entry=entry, event="x:back-2", effective_on=DAY, memo="", actor="finance-2")

    assert entry.event in str(refusal.value)
    assert JournalEntry.objects.count() == 2
    assert shown() == {}


# The story


def test_the_entries_of_an_order_include_those_of_its_parts(django_assert_num_queries):
    paid, part_a, part_b = paid_in_mad(), confirmed_a(), confirmed_b()
    due = released_a()
    post("stripe:another", order="T-OTHER")

    assert list(journal.entries_of(order=ORDER)) == [paid, part_a, part_b, due]
    assert list(journal.entries_of(supplier_order=A_PART)) == [part_a, due]
    assert list(journal.entries_of(supplier_order=B_PART)) == [part_b]
    with django_assert_num_queries(4):
        lines = [str(line) for entry in journal.entries_of(order=ORDER) for line in entry.postings.all()]
    assert len(lines) == 2 + 5 + 5 + 3


def test_entries_are_also_found_by_what_they_are_about():
    entry = post(about="P-1")
    post("stripe:another", about="P-2")

    assert list(journal.entries_of(about="P-1")) == [entry]
    with pytest.raises(ValueError, match="whose"):
        journal.entries_of()
