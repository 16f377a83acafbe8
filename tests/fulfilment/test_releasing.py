from __future__ import annotations

from datetime import timedelta

import pytest

from shop.core.errors import CarriedOutMeanwhile
from shop.fulfilment import delivering, releasing
from shop.fulfilment.models import SupplierOrder
from shop.ledger.balances import balances
from tests.factories import NOW, CooperativeFactory, ListingFactory, mad, placed

pytestmark = pytest.mark.django_db
CLOSED = NOW + timedelta(days=7)


def _delivered(**kwargs) -> SupplierOrder:
    listing = ListingFactory(cooperative=CooperativeFactory(code="C01"), price="200.00")
    (part,) = placed((listing, 3), to="dispatched", **kwargs)
    delivering.record_delivery(shipment=part.shipments.get(), proof="tracking", at=NOW)
    return SupplierOrder.objects.get(pk=part.pk)


def test_after_the_window_the_share_is_due_and_the_commission_earned():
    part = _delivered()

    releasing.release(supplier_order=part, at=CLOSED)

    part.refresh_from_db()
    assert (part.state, part.released_at) == ("released", CLOSED)
    assert balances(order=part.order.number) == {
        "customer_funds:MAD": mad("-630.00"),
        "producer_held:C01:MAD": mad("0.00"),
        "producer_payable:C01:MAD": mad("534.00"),
        "commission_held:MAD": mad("0.00"),
        "commission:MAD": mad("50.00"),
        "solidarity_fund:MAD": mad("6.00"),
        "shipping_income:MAD": mad("25.00"),
        "vat_output:MAD": mad("15.00"),
    }


def test_nothing_is_released_while_it_can_still_come_back():
    part = _delivered()

    with pytest.raises(releasing.ReturnWindowOpen):
        releasing.release(supplier_order=part, at=CLOSED - timedelta(seconds=1))

    assert SupplierOrder.objects.get(pk=part.pk).state == "delivered"
    assert balances(order=part.order.number)["producer_held:C01:MAD"] == mad("534.00")


def test_the_sweep_releases_each_part_once():
    part = _delivered()

    assert releasing.release_due(at=CLOSED - timedelta(minutes=1)) == 0
    assert releasing.release_due(at=CLOSED) == 1
    assert releasing.release_due(at=CLOSED) == 0

    with pytest.raises(CarriedOutMeanwhile):
        releasing.release(supplier_order=part, at=CLOSED)
    assert balances(order=part.order.number)["producer_payable:C01:MAD"] == mad("534.00")


def test_cash_is_released_like_card_money():
    part = _delivered(method="cash")

    releasing.release_due(at=CLOSED)

    assert balances(order=part.order.number)["producer_payable:C01:MAD"] == mad("534.00")
