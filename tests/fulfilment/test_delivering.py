from __future__ import annotations

from datetime import timedelta

import pytest

from shop.core.errors import CarriedOutMeanwhile
from shop.core.models import OutboxMessage
from shop.fulfilment import delivering
from shop.fulfilment.delivering import TrackingRow
from shop.fulfilment.models import Shipment, SupplierOrder
from shop.ledger.balances import balances
from shop.ledger.models import JournalEntry
from tests.factories import (
    NOW,
    CooperativeFactory,
    ListingFactory,
    SupplierOrderFactory,
    dispatched,
    mad,
    placed,
    stock_of,
)

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=2)


def _on_its_way(**kwargs) -> Shipment:
    return SupplierOrderFactory(to="dispatched", **kwargs).shipments.get()


def test_a_delivered_parcel_opens_the_time_to_send_it_back():
    shipment = _on_its_way()

    delivering.record_delivery(shipment=shipment, proof="tracking", at=LATER)

    part = SupplierOrder.objects.get(pk=shipment.supplier_order_id)
    assert (part.state, part.delivered_at) == ("delivered", LATER)
    assert part.return_until == LATER + timedelta(days=7)
    mail = OutboxMessage.objects.get(topic="part.delivered")
    assert mail.payload["was_assumed"] is False


def test_a_card_parcel_moves_nothing_more_when_it_arrives():
    shipment = _on_its_way()
    before = JournalEntry.objects.count()

    delivering.record_delivery(shipment=shipment, proof="customer", at=LATER)

    assert JournalEntry.objects.count() == before


def test_cash_enters_the_books_for_the_delivered_parcel_only():
    first, second = CooperativeFactory(code="C01"), CooperativeFactory(code="C02")
    one, two = placed(
        (ListingFactory(cooperative=first, price="200.00"), 3),
        (ListingFactory(cooperative=second, price="170.00"), 2),
        method="cash",
        to="dispatched",
    )

    delivering.record_delivery(shipment=one.shipments.get(), proof="tracking", at=LATER)

    assert balances(order=one.order.number) == {
        "cod_receivable:rihla:MAD": mad("630.00"),
        "customer_funds:MAD": mad("0.00"),
        "producer_held:C01:MAD": mad("534.00"),
        "commission_held:MAD": mad("60.00"),
        "solidarity_fund:MAD": mad("6.00"),
        "shipping_income:MAD": mad("25.00"),
        "vat_output:MAD": mad("5.00"),
    }
    assert SupplierOrder.objects.get(pk=two.pk).state == "dispatched"


def test_a_parcel_is_delivered_once():
    shipment = _on_its_way(method="cash")
    delivering.record_delivery(shipment=shipment, proof="tracking", at=LATER)
    entries = JournalEntry.objects.count()

    with pytest.raises(CarriedOutMeanwhile):
        delivering.record_delivery(shipment=shipment, proof="customer", at=LATER + timedelta(days=1))

    shipment.refresh_from_db()
    assert (shipment.proof, shipment.delivered_at) == ("tracking", LATER)
    assert JournalEntry.objects.count() == entries


def test_a_members_word_needs_a_note():
    shipment = _on_its_way()

    with pytest.raises(delivering.ProofNoteMissing):
        delivering.record_delivery(shipment=shipment, proof="member", at=LATER)

    assert SupplierOrder.objects.get(pk=shipment.supplier_order_id).state == "dispatched"


def test_a_parcel_refused_at_the_door_owes_nobody_and_its_goods_come_home():
    listing = ListingFactory(stock=10)
    (part,) = placed((listing, 3), method="cash", to="dispatched")
    shipment = part.shipments.get()

    delivering.record_refusal(shipment=shipment, reason="nobody_home", at=LATER)

    part = SupplierOrder.objects.get(pk=part.pk)
    assert (part.state, part.end_reason) == ("refused", "nobody_home")
    assert balances(order=part.order.number) == {}
    assert stock_of(listing) == (7, 0)
    assert list(Shipment.objects.coming_home()) == [shipment]

    delivering.confirm_return(shipment=shipment, at=LATER + timedelta(days=3))

    assert stock_of(listing) == (10, 0)
    assert not Shipment.objects.coming_home().exists()


def test_a_return_is_confirmed_once():
    listing = ListingFactory(stock=10)
    (part,) = placed((listing, 3), method="cash", to="dispatched")
    shipment = part.shipments.get()
    delivering.record_refusal(shipment=shipment, reason="not_wanted", at=LATER)
    delivering.confirm_return(shipment=shipment, at=LATER)

    with pytest.raises(delivering.NotComingHome):
        delivering.confirm_return(shipment=shipment, at=LATER)

    assert stock_of(listing) == (10, 0)


def test_goods_that_came_home_spoilt_are_written_off():
    listing = ListingFactory(stock=10)
    (part,) = placed((listing, 3), method="cash", to="dispatched")
    shipment = part.shipments.get()
    delivering.record_refusal(shipment=shipment, reason="not_wanted", at=LATER)

    delivering.confirm_return(shipment=shipment, at=LATER, sellable=False)

    assert stock_of(listing) == (7, 0)
    kinds = listing.stockrecords.get().movements.order_by("pk").values_list("kind", "quantity")
    assert list(kinds)[-2:] == [("returned", 3), ("written_off", 3)]


def test_a_parcel_paid_by_card_is_not_refused_at_the_door():
    shipment = _on_its_way()

    with pytest.raises(delivering.AlreadyPaid):
        delivering.record_refusal(shipment=shipment, reason="not_wanted", at=LATER)

    assert SupplierOrder.objects.get(pk=shipment.supplier_order_id).state == "dispatched"


def test_a_carriers_file_is_taken_once_and_what_it_gets_wrong_is_shown():
    paid, cash = _on_its_way(), _on_its_way(method="cash")
    rows = [
        TrackingRow("rihla", paid.tracking_number.lower(), "delivered", LATER),
        TrackingRow("rihla", cash.tracking_number, "refused", LATER, "absente"),
        TrackingRow("rihla", "RH000", "delivered", LATER),
    ]

    first = delivering.import_tracking(rows=rows, at=LATER + timedelta(hours=1))
    again = delivering.import_tracking(rows=rows, at=LATER + timedelta(hours=2))
    against = delivering.import_tracking(
        rows=[TrackingRow("rihla", paid.tracking_number, "refused", LATER)], at=LATER + timedelta(hours=3)
    )

    assert (first.delivered, first.refused) == ([paid.tracking_number], [cash.tracking_number])
    assert first.unknown == ["RH000"]
    assert again.known == [paid.tracking_number, cash.tracking_number]
    assert against.disputed == [paid.tracking_number]
    paid.refresh_from_db()
    assert paid.delivered_at == LATER


def test_silence_delivers_a_paid_parcel_after_ten_days_and_never_one_with_cash():
    paid, cash = _on_its_way(), _on_its_way(method="cash")

    assert delivering.deliver_silent(at=NOW + timedelta(days=10) - timedelta(seconds=1)) == 0
    assert delivering.deliver_silent(at=NOW + timedelta(days=10)) == 1
    assert delivering.deliver_silent(at=NOW + timedelta(days=10)) == 0

    paid.refresh_from_db()
    cash.refresh_from_db()
    assert (paid.proof, cash.delivered_at) == ("automatic", None)
    assert list(Shipment.objects.silent_since(NOW)) == [cash]


def test_one_parcel_that_fails_does_not_keep_the_others_from_being_delivered(monkeypatch):
    bad, good = _on_its_way(), _on_its_way()
    real = delivering.record_delivery

    def fails_once(*, shipment, **given):
        if shipment == bad:
            raise ZeroDivisionError
        return real(shipment=shipment, **given)

    monkeypatch.setattr(delivering, "record_delivery", fails_once)

    assert delivering.deliver_silent(at=NOW + timedelta(days=10)) == 1

    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.delivered_at, good.proof) == (None, "automatic")


def test_a_parcel_without_number_is_never_found_by_an_empty_one():
    part = SupplierOrderFactory(to="accepted")
    dispatched(part, number="")

    result = delivering.import_tracking(rows=[TrackingRow("rihla", "", "delivered", LATER)], at=LATER)

    assert result.unknown == [""]
    assert SupplierOrder.objects.get(pk=part.pk).state == "dispatched"
