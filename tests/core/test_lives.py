"""A state moves by its transitions only, also while somebody else is reading."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest
from django.db import connection, connections

from shop.core.lives import MovesOnce, refused_when_stale
from shop.fulfilment.models import SupplierOrder
from tests.checkout.test_races import at_once
from tests.factories import NOW, SupplierOrderFactory

pytestmark = pytest.mark.django_db


def test_a_refreshed_record_has_the_state_of_its_row_and_moves_on_from_it():
    part = SupplierOrderFactory()
    old = SupplierOrder.objects.get(pk=part.pk)
    part.accept(at=NOW)
    part.save()

    old.refresh_from_db()

    assert (old.state, old.accepted_at) == ("accepted", NOW)
    with refused_when_stale():
        old.decline(at=NOW, reason="sold_out")
        old.save()


def test_other_fields_refreshed_alone_bring_the_state_along():
    part = SupplierOrderFactory()
    SupplierOrder.objects.filter(pk=part.pk).update(state="accepted", reminded_at=NOW)

    part.refresh_from_db(fields=["reminded_at"])

    assert (part.state, part.reminded_at) == ("accepted", NOW)
    assert part.get_deferred_fields() == set()


def test_a_row_that_is_gone_leaves_the_record_as_it_was():
    part = SupplierOrderFactory()
    stray = SupplierOrder(pk=part.pk + 1000, state="placed")

    with pytest.raises(SupplierOrder.DoesNotExist):
        stray.refresh_from_db()

    assert stray.state == "placed"
    with pytest.raises(AttributeError):
        part.state = "released"


def assigned_while_another_is_read() -> list[str]:
    """The state of one record after somebody tried to assign it in the middle of another's refresh."""
    part, other = SupplierOrderFactory(), SupplierOrderFactory()
    seen = []

    def meanwhile(execute, *args):
        with suppress(AttributeError):
            other.state = "released"
        seen.append(other.state)
        return execute(*args)

    with connection.execute_wrapper(meanwhile):
        part.refresh_from_db()
    return seen


def test_while_one_record_is_read_the_state_of_no_other_can_be_assigned():
    assert assigned_while_another_is_read() == ["placed"]


def test_with_the_library_s_own_way_to_refresh_it_could(monkeypatch):
    """The control."""
    monkeypatch.delattr(MovesOnce, "refresh_from_db")

    assert assigned_while_another_is_read() == ["released"]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_many_read_the_same_record_at_once():
    key = SupplierOrderFactory().pk
    failed = []

    def read_often():
        part = SupplierOrder.objects.get(pk=key)
        for _ in range(60):
            try:
                part.refresh_from_db()
            except AttributeError as error:
                failed.append((threading.get_ident(), error))
        connections.close_all()

    at_once([read_often] * 6)

    assert failed == []
