from __future__ import annotations

import pytest

from shop.core.errors import CarriedOutMeanwhile
from shop.core.models import OutboxMessage
from shop.fulfilment import dispatching
from shop.fulfilment.models import Shipment, SupplierOrder
from tests.factories import NOW, CarrierFactory, ListingFactory, SupplierOrderFactory, mad, placed, stock_of

pytestmark = pytest.mark.django_db


def _dispatch(part, carrier=None, number="rh 1234 5678 ma"):
    return dispatching.dispatch(
        supplier_order=part, carrier=carrier or part.carrier, tracking_number=number, by=None, at=NOW
    )


def test_a_parcel_leaves_with_its_goods_and_the_customer_is_told_its_number():
    CarrierFactory(tracking_url="https://rihla.example/suivi/{number}")
    listing = ListingFactory(stock=10)
    (part,) = placed((listing, 3), to="accepted")

    shipment = _dispatch(part)

    part.refresh_from_db()
    assert part.state == "dispatched"
    assert stock_of(listing) == (7, 0)
    assert (shipment.reference, shipment.tracking_number) == (f"{part.reference}-P1", "RH12345678MA")
    assert shipment.cash_to_collect == mad(0)
    mail = OutboxMessage.objects.get(topic="part.dispatched")
    assert mail.payload["tracking_url"] == "https://rihla.example/suivi/RH12345678MA"


def test_a_tracking_number_changes_nothing_else_in_the_carrier_s_address():
    carrier = CarrierFactory(tracking_url="https://rihla.example/suivi/{number}?lang=fr")
    shipment = Shipment(carrier=carrier, tracking_number="A/B?X=1&Y#Z")

    assert dispatching.tracking_url(shipment) == ("https://rihla.example/suivi/A%2FB%3FX%3D1%26Y%23Z?lang=fr")


def test_a_cash_parcel_says_what_the_carrier_collects():
    part = SupplierOrderFactory(method="cash", to="accepted")

    shipment = _dispatch(part)

    assert shipment.cash_to_collect == mad("330.00")


def test_a_carrier_that_takes_no_cash_gets_no_cash_parcel():
    part = SupplierOrderFactory(method="cash", to="accepted")
    bus = CarrierFactory(code="bus", name="Le car", collects_cash=False)

    with pytest.raises(dispatching.CarrierTakesNoCash):
        _dispatch(part, carrier=bus)

    assert SupplierOrder.objects.get(pk=part.pk).state == "accepted"
    assert not Shipment.objects.exists()


def test_a_tracking_number_belongs_to_one_parcel():
    first, second = SupplierOrderFactory(to="accepted"), SupplierOrderFactory(to="accepted")
    _dispatch(first)

    with pytest.raises(dispatching.TrackingNumberUsed):
        _dispatch(second)

    assert SupplierOrder.objects.get(pk=second.pk).state == "accepted"


def test_two_parcels_given_to_a_driver_need_no_number():
    for part in (SupplierOrderFactory(to="accepted"), SupplierOrderFactory(to="accepted")):
        _dispatch(part, number="")

    assert Shipment.objects.filter(tracking_number="").count() == 2


@pytest.mark.parametrize("state", ["placed", "dispatched"])
def test_only_an_accepted_part_leaves(state):
    listing = ListingFactory(stock=10)
    (part,) = placed((listing, 3), to=state)
    before = stock_of(listing), Shipment.objects.count()

    with pytest.raises(CarriedOutMeanwhile):
        _dispatch(part, number="RH999")

    assert (stock_of(listing), Shipment.objects.count()) == before
    assert SupplierOrder.objects.get(pk=part.pk).state == state
