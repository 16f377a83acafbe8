from __future__ import annotations

import threading

import pytest
from django.db import connection
from django.utils import translation

from catalogue import stock
from tests.factories import NOW, ListingFactory, stock_of


def _record(listing) -> int:
    return listing.stockrecords.get().pk


@pytest.mark.django_db
def test_reserved_goods_are_still_on_hand_but_no_longer_free():
    listing = ListingFactory(stock=10)

    stock.reserve(quantities={_record(listing): 4}, about="T-1", at=NOW)

    assert stock_of(listing) == (10, 4)


@pytest.mark.django_db
def test_all_are_reserved_or_none_and_the_missing_one_is_named():
    much, little = ListingFactory(stock=10), ListingFactory(stock=1, title="Tapis")

    with pytest.raises(stock.SoldOut, match="Tapis"):
        stock.reserve(quantities={_record(much): 4, _record(little): 2}, about="T-1", at=NOW)

    assert stock_of(much) == (10, 0)
    assert stock_of(little) == (1, 0)


@pytest.mark.django_db
def test_what_was_never_reserved_neither_leaves_nor_is_freed():
    listing = ListingFactory(stock=10)

    for act in (stock.consume, stock.free):
        with pytest.raises(stock.NotInStock):
            act(quantities={_record(listing): 1}, about="T-1", at=NOW)

    assert stock_of(listing) == (10, 0)


@pytest.mark.django_db
def test_every_change_is_a_movement_and_they_add_up():
    listing = ListingFactory(stock=10)
    record = _record(listing)

    stock.reserve(quantities={record: 5}, about="T-1", at=NOW)
    stock.free(quantities={record: 1}, about="T-1", at=NOW)
    stock.consume(quantities={record: 4}, about="T-1-1", at=NOW)
    stock.take_back(quantities={record: 2}, about="T-1-1", at=NOW)
    stock.write_off(quantities={record: 3}, at=NOW)

    assert stock_of(listing) == (5, 0)
    sums: dict[str, int] = {}
    for kind, quantity in listing.stockrecords.get().movements.values_list("kind", "quantity"):
        sums[kind] = sums.get(kind, 0) + quantity
    assert sums == {"received": 10, "reserved": 5, "freed": 1, "sold": 4, "returned": 2, "written_off": 3}
    assert sums["received"] + sums["returned"] - sums["sold"] - sums["written_off"] == 5


@pytest.mark.django_db
def test_what_is_reserved_cannot_be_written_off():
    listing = ListingFactory(stock=3)
    stock.reserve(quantities={_record(listing): 2}, about="T-1", at=NOW)

    with translation.override("en"), pytest.raises(stock.ReservedForOrders) as refusal:
        stock.write_off(quantities={_record(listing): 2}, at=NOW)

    assert str(refusal.value) == "2 are set aside for orders; you can write off at most 1."

    assert stock_of(listing) == (3, 2)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_eight_who_want_the_last_one_gets_it():
    listing = ListingFactory(stock=1)
    record = _record(listing)
    told: list[str] = []
    ready = threading.Barrier(8)

    def customer(number: int) -> None:
        try:
            ready.wait(10)
            stock.reserve(quantities={record: 1}, about=f"T-{number}", at=NOW)
            told.append("reserved")
        except stock.SoldOut:
            told.append("sold out")
        finally:
            connection.close()

    threads = [threading.Thread(target=customer, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)

    assert sorted(told) == ["reserved"] + ["sold out"] * 7
    assert stock_of(listing) == (1, 1)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_without_the_condition_more_than_one_would_get_it():
    """The control: looking first and taking afterwards sells the last one twice."""
    from django.db.models import F

    listing = ListingFactory(stock=1)
    record = _record(listing)
    both_have_looked = threading.Barrier(2)
    told: list[str] = []

    def customer() -> None:
        try:
            free = stock._records().get(pk=record).net_stock_level
            both_have_looked.wait(10)
            if free:
                stock._records().filter(pk=record).update(num_allocated=(F("num_allocated") + 1))
                told.append("reserved")
        finally:
            connection.close()

    stock._records().filter(pk=record).update(num_allocated=0)
    threads = [threading.Thread(target=customer) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)

    assert told == ["reserved", "reserved"]
    assert stock_of(listing) == (1, 2)
