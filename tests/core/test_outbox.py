"""A promise is written with its cause, delivered afterwards, and never quietly lost."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from shop.core import outbox, tasks
from shop.core.models import OutboxMessage

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
State = OutboxMessage.State


@pytest.fixture
def carrier_pigeon(monkeypatch):
    """A deliverer that notes what it took, and fails as often as it is told."""

    class Pigeon:
        def __init__(self) -> None:
            self.taken: list[str] = []
            self.failures = 0

        def __call__(self, message: OutboxMessage) -> None:
            if self.failures:
                self.failures -= 1
                raise ConnectionError("lost in a storm")
            self.taken.append(message.key)
            message.subject = "as delivered"

    pigeon = Pigeon()
    monkeypatch.setattr(outbox, "_deliverers", {"pigeon": pigeon})
    return pigeon


def promise(key: str = "order:T-1:confirmed", at: datetime = AT) -> OutboxMessage:
    return outbox.put(
        kind="pigeon", key=key, topic="order.confirmed", recipient="amal@example.ma", at=at, about="T-1"
    )


def test_a_promise_waits_until_it_is_delivered_once(carrier_pigeon):
    message = promise()

    assert message.state == State.WAITING
    assert carrier_pigeon.taken == []

    assert outbox.deliver(message_id=message.pk, at=AT) is True
    assert outbox.deliver(message_id=message.pk, at=AT) is False

    message.refresh_from_db()
    assert (message.state, message.delivered_at, message.attempts) == (State.DELIVERED, AT, 1)
    assert message.subject == "as delivered"
    assert carrier_pigeon.taken == ["order:T-1:confirmed"]


def test_the_same_key_promises_nothing_new(carrier_pigeon):
    first = promise()

    again = promise(at=AT + timedelta(hours=1))

    assert again == first
    assert again.created_at == AT
    assert OutboxMessage.objects.count() == 1


def test_what_caused_it_and_the_promise_stand_or_fall_together(carrier_pigeon):
    with transaction.atomic():
        promise()
        transaction.set_rollback(True)

    assert not OutboxMessage.objects.exists()
    assert outbox.sweep(at=AT) == 0


def test_the_nudge_comes_after_the_commit_and_only_for_a_new_promise(
    carrier_pigeon, monkeypatch, django_capture_on_commit_callbacks
):
    nudged: list[int] = []
    monkeypatch.setattr(tasks.deliver, "delay", lambda pk: nudged.append(pk))

    with django_capture_on_commit_callbacks(execute=True):
        message = promise()
        promise()
        before_commit = list(nudged)

    assert before_commit == []
    assert nudged == [message.pk]


def test_a_lost_nudge_is_made_good_by_the_sweep(carrier_pigeon):
    promise("one")
    promise("two")
    promise("not yet", at=AT + timedelta(minutes=1))

    assert outbox.sweep(at=AT) == 2
    assert outbox.sweep(at=AT) == 0

    assert carrier_pigeon.taken == ["one", "two"]
    assert outbox.sweep(at=AT + timedelta(minutes=1)) == 1


def test_a_failed_delivery_is_written_down_and_tried_again_later(carrier_pigeon):
    message = promise()
    carrier_pigeon.failures = 1

    assert outbox.deliver(message_id=message.pk, at=AT) is False

    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.WAITING, 1)
    assert message.last_error == "ConnectionError: lost in a storm"
    assert message.due_at == AT + timedelta(minutes=1)
    assert outbox.sweep(at=AT + timedelta(seconds=59)) == 0
    assert outbox.sweep(at=AT + timedelta(seconds=60)) == 1

    message.refresh_from_db()
    assert (message.state, message.last_error) == (State.DELIVERED, "")


def test_after_the_last_attempt_an_operator_sees_it_and_the_sweep_leaves_it(carrier_pigeon):
    message = promise()
    carrier_pigeon.failures = 99
    at = AT
    waits = []

    for _ in range(7):
        outbox.sweep(at=at)
        message.refresh_from_db()
        waits.append(message.due_at - at)
        at = message.due_at

    assert waits[:6] == outbox.RETRY_AFTER
    assert (message.state, message.attempts) == (State.FAILED, 7)
    assert outbox.sweep(at=at + timedelta(days=30)) == 0


def test_one_that_cannot_be_delivered_does_not_hold_up_the_others(carrier_pigeon):
    outbox.put(kind="smoke signal", key="nobody", topic="x", recipient="x", at=AT)
    promise("after it")

    assert outbox.sweep(at=AT) == 1

    assert carrier_pigeon.taken == ["after it"]
    assert OutboxMessage.objects.get(key="nobody").last_error == "KeyError: 'smoke signal'"


def test_what_a_failed_delivery_wrote_is_undone(carrier_pigeon, monkeypatch):
    def half_way(message: OutboxMessage) -> None:
        promise("written on the way")
        raise ConnectionError

    monkeypatch.setattr(outbox, "_deliverers", {"pigeon": half_way})
    message = promise()

    outbox.deliver(message_id=message.pk, at=AT)

    assert list(OutboxMessage.objects.values_list("key", "attempts")) == [(message.key, 1)]


def test_an_operator_sends_again_under_a_new_key_and_the_first_stays(carrier_pigeon):
    message = promise()
    outbox.sweep(at=AT)

    again = outbox.send_again(message=message, at=AT)
    outbox.sweep(at=AT)
    once_more = outbox.send_again(message=message, at=AT)

    assert again.key == "order:T-1:confirmed:again:1"
    assert once_more.key == "order:T-1:confirmed:again:2"
    assert (again.recipient, again.topic, again.about) == ("amal@example.ma", "order.confirmed", "T-1")
    assert carrier_pigeon.taken == ["order:T-1:confirmed", "order:T-1:confirmed:again:1"]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_four_workers_that_find_one_message_deliver_it_once(carrier_pigeon):
    message = promise()
    start = threading.Barrier(4, timeout=60)

    def worker() -> None:
        try:
            start.wait()
            outbox.deliver(message_id=message.pk, at=AT)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=60)

    assert carrier_pigeon.taken == [message.key]
    message.refresh_from_db()
    assert (message.state, message.attempts) == (State.DELIVERED, 1)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_without_lock_and_state_the_four_would_deliver_it_four_times(carrier_pigeon):
    message = promise()
    looked = threading.Barrier(4, timeout=60)

    def worker() -> None:
        try:
            found = OutboxMessage.objects.get(pk=message.pk)
            looked.wait()
            outbox._deliverers[found.kind](found)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=60)

    assert carrier_pigeon.taken == [message.key] * 4
