from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, models

from shop.core.errors import CarriedOutMeanwhile
from shop.core.models import OutboxMessage
from shop.fulfilment import deciding, tasks
from shop.fulfilment.models import OrderEvent, SupplierOrder
from tests.factories import (
    NOW,
    ListingFactory,
    MemberFactory,
    SupplierOrderFactory,
    UserFactory,
    placed,
    stock_of,
)

LATER = NOW + timedelta(hours=3)


@pytest.mark.django_db
def test_a_cooperative_accepts_a_part_and_the_customer_is_told():
    part = SupplierOrderFactory()
    member = UserFactory(email="fatima@example.ma")

    deciding.accept(supplier_order=part, by=member, at=LATER)

    part.refresh_from_db()
    assert (part.state, part.accepted_at) == ("accepted", LATER)
    event = part.events.get(kind="supplier_order.accepted")
    assert (event.actor, event.happened_at) == ("fatima@example.ma", LATER)
    mail = OutboxMessage.objects.get(topic="part.accepted")
    assert mail.recipient == "salma@example.ma"
    assert mail.payload["token"]


@pytest.mark.django_db
def test_a_declined_part_lets_its_stock_go_and_says_why_in_the_customers_language():
    listing = ListingFactory(stock=10)
    (part,) = placed((listing, 2), language="en")
    assert stock_of(listing) == (10, 2)

    deciding.decline(supplier_order=part, by=None, reason="sold_out", at=LATER)

    part.refresh_from_db()
    assert (part.state, part.ended_at, part.end_reason) == ("declined", LATER, "sold_out")
    assert stock_of(listing) == (10, 0)
    mail = OutboxMessage.objects.get(topic="part.declined")
    assert mail.payload["reason"] == "the goods are no longer there"
    assert mail.payload["total"] == {"minor": 33000, "currency": "MAD"}
    assert list(SupplierOrder.objects.ended_after_payment()) == [part]


@pytest.mark.django_db
def test_a_part_can_be_declined_after_it_was_accepted_until_it_leaves():
    listing = ListingFactory(stock=10)
    (part,) = placed((listing, 2), to="accepted")

    deciding.decline(supplier_order=part, by=None, reason="damaged", at=LATER)

    part.refresh_from_db()
    assert part.state == "declined"
    assert stock_of(listing) == (10, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("move", ["accept", "decline", "cancel"])
def test_a_part_that_has_left_is_neither_accepted_declined_nor_cancelled(move):
    listing = ListingFactory(stock=10)
    (part,) = placed((listing, 2), to="dispatched")
    told = OutboxMessage.objects.count()
    extra = {
        "accept": {"by": None},
        "decline": {"by": None, "reason": "damaged"},
        "cancel": {"actor": "customer"},
    }[move]

    with pytest.raises(CarriedOutMeanwhile):
        getattr(deciding, move)(supplier_order=part, at=LATER, **extra)

    part = SupplierOrder.objects.get(pk=part.pk)
    assert (part.state, part.ended_at) == ("dispatched", None)
    assert stock_of(listing) == (8, 0)
    assert OutboxMessage.objects.count() == told


@pytest.mark.django_db
def test_declining_needs_a_reason():
    part = SupplierOrderFactory()

    with pytest.raises(deciding.ReasonMissing):
        deciding.decline(supplier_order=part, by=None, reason="  ", at=LATER)

    assert SupplierOrder.objects.get(pk=part.pk).state == "placed"


@pytest.mark.django_db
def test_a_customer_cancels_a_part_nobody_has_accepted_and_the_members_are_told():
    listing = ListingFactory(stock=10)
    MemberFactory(cooperative=listing.cooperative)
    (part,) = placed((listing, 2))

    deciding.cancel(supplier_order=part, at=LATER)

    part.refresh_from_db()
    assert (part.state, part.end_reason) == ("cancelled", "changed_mind")
    assert stock_of(listing) == (10, 0)
    assert OutboxMessage.objects.filter(topic="supplier_order.cancelled").count() == 1
    assert OutboxMessage.objects.filter(topic="part.cancelled").count() == 1


@pytest.mark.django_db
def test_an_accepted_part_cannot_be_cancelled_by_the_customer():
    part = SupplierOrderFactory(to="accepted")

    with pytest.raises(CarriedOutMeanwhile):
        deciding.cancel(supplier_order=part, at=LATER)

    assert SupplierOrder.objects.get(pk=part.pk).state == "accepted"


@pytest.mark.django_db
def test_silence_past_the_deadline_declines_once():
    listing = ListingFactory(stock=10)
    (late,) = placed((listing, 2))
    (accepted,) = placed((ListingFactory(), 1), to="accepted")
    deadline = NOW + timedelta(hours=48)

    assert deciding.decline_overdue(at=deadline - timedelta(seconds=1)) == 0
    assert deciding.decline_overdue(at=deadline) == 1
    assert deciding.decline_overdue(at=deadline) == 0

    late.refresh_from_db()
    accepted.refresh_from_db()
    assert (late.state, late.end_reason, accepted.state) == ("declined", "no_answer", "accepted")
    assert stock_of(listing) == (10, 0)
    assert late.events.get(kind="supplier_order.declined").actor == "system"


@pytest.mark.django_db
def test_members_are_reminded_once_in_the_second_half_of_their_time():
    member = MemberFactory()
    part = SupplierOrderFactory(cooperative=member.cooperative)

    assert deciding.remind(at=NOW + timedelta(hours=23)) == 0
    assert deciding.remind(at=NOW + timedelta(hours=24)) == 1
    assert deciding.remind(at=NOW + timedelta(hours=30)) == 0

    assert OutboxMessage.objects.filter(topic="supplier_order.reminder").count() == 1
    part.refresh_from_db()
    assert part.reminded_at == NOW + timedelta(hours=24)


@pytest.mark.django_db
def test_an_accepted_part_is_not_reminded_of():
    SupplierOrderFactory(to="accepted", cooperative=MemberFactory().cooperative)

    assert deciding.remind(at=NOW + timedelta(hours=30)) == 0


@pytest.mark.django_db
def test_the_sweeps_follow_the_clock_of_the_demonstration(settings):
    from django.utils import timezone

    from shop.core import clock

    part = SupplierOrderFactory(at=timezone.now())
    tasks.decline_overdue()
    assert SupplierOrder.objects.get(pk=part.pk).state == "placed"

    clock.move_forward(by=timedelta(hours=49))
    tasks.decline_overdue()

    assert SupplierOrder.objects.get(pk=part.pk).state == "declined"


def _accept_at_once(part: SupplierOrder) -> list[str]:
    """Two members press the same button: both read the part, then both act. What each was told."""
    told: list[str] = []
    both_have_read = threading.Barrier(2)

    def member(name: str) -> None:
        try:
            mine = SupplierOrder.objects.select_related("order", "cooperative").get(pk=part.pk)
            both_have_read.wait(10)
            deciding.accept(supplier_order=mine, by=name, at=LATER)
            told.append("accepted")
        except CarriedOutMeanwhile:
            told.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=member, args=(name,)) for name in ("amina", "fatima")]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    return sorted(told)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_two_members_who_accept_at_once_one_wins_and_the_other_is_told():
    part = SupplierOrderFactory()

    told = _accept_at_once(part)

    assert told == ["accepted", "refused"]
    assert OrderEvent.objects.filter(kind="supplier_order.accepted").count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_without_the_guard_both_would_accept(monkeypatch):
    monkeypatch.setattr(SupplierOrder, "_do_update", models.Model._do_update)
    part = SupplierOrderFactory()

    told = _accept_at_once(part)

    assert told == ["accepted", "accepted"]
    assert OrderEvent.objects.filter(kind="supplier_order.accepted").count() == 2
