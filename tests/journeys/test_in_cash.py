"""An order paid at the door: nothing moves before a parcel is delivered, and then only for that parcel."""

from __future__ import annotations

import pytest

from cooperatives.models import PayoutAccount
from shop.fulfilment import deciding, delivering, dispatching, releasing
from shop.fulfilment.models import Carrier, Shipment
from shop.ledger import balances
from shop.orders.models import Order
from shop.payments import paying
from shop.payments.stripe import importing
from shop.reconciliation import fetching, proving
from tests.checkout.buying import basket_of, place
from tests.factories import (
    CooperativeFactory,
    ListingFactory,
    MemberFactory,
    PayoutAccountFactory,
    mad,
    stock_of,
)
from tests.journeys.test_by_card import breaches, dispatched_and_delivered, eur, two_cooperatives
from tests.payments.shop import stands

pytestmark = pytest.mark.django_db


def test_two_parcels_in_cash_one_delivered_and_one_refused_at_the_door(house):
    member_a, member_b, carpets, platter = two_cooperatives()
    order = place(basket_of((carpets, 2), (platter, 1)), method=Order.Method.CASH, at=house.at)
    paying.settle_cash(order=order, at=house.at)
    order.refresh_from_db()

    # It is confirmed at once, and nothing is booked.
    assert order.stage == "confirmed"
    assert order.payment.state == "on_delivery"
    assert balances.balances() == {}
    part_a, part_b = order.supplier_orders.order_by("reference")
    assert part_a.producer_share == mad("534.00")

    # Both parts leave with the carrier, who is told what to collect.
    parcels = []
    for number, (part, member) in enumerate(((part_a, member_a), (part_b, member_b)), start=1):
        deciding.accept(supplier_order=part, by=member, at=house.at)
        parcel = dispatching.dispatch(
            supplier_order=part, carrier=part.carrier, tracking_number=f"RH{number}", by=member, at=house.at
        )
        fetching.announce_parcel(shipment=parcel)
        parcels.append(parcel)
    assert [each.cash_to_collect for each in parcels] == [mad("630.00"), mad("370.00")]
    assert balances.balances() == {}

    # A's is delivered: its goods and its delivery are booked, nothing of B's.
    house.tell_bank("/parcels/RH1/delivered")
    delivering.record_delivery(shipment=parcels[0], proof=Shipment.Proof.TRACKING, at=house.at)
    carrier = part_a.carrier.code
    assert stands("cod_receivable", carrier) == mad("630.00")
    assert stands("customer_funds") == mad("0.00")
    assert stands("producer_held", "A") == mad("534.00")
    assert stands("producer_held", "B") == mad("0.00")
    assert stands("shipping_income") == mad("25.00")

    # B's is refused at the door: the goods come home, no sale is booked.
    house.tell_bank("/parcels/RH2/refused")
    delivering.record_refusal(shipment=parcels[1], reason="refused", at=house.at)
    delivering.confirm_return(shipment=parcels[1], at=house.at)
    part_b.refresh_from_db()
    assert part_b.state == "refused"
    assert stock_of(platter) == (1, 0)
    assert stands("producer_held", "B") == mad("0.00")
    assert stands("cod_receivable", carrier) == mad("630.00")

    # The carrier hands over 630,00 less 15,75 and 3,15 of VAT; the bank's statement shows 611,10.
    house.shop.wait(days=1)
    remittance = fetching.fetch_remittance(
        carrier=Carrier.objects.get(code=carrier), by=house.maker, at=house.at
    )
    assert (remittance.collected, remittance.net) == (mad("630.00"), mad("611.10"))
    found = house.read_the_statement()
    assert (found.matched, found.doubtful) == (1, 0)
    assert stands("cod_receivable", carrier) == mad("0.00")
    assert (stands("carrier_fee"), stands("vat_input")) == (mad("15.75"), mad("3.15"))
    assert stands("bank") == mad("611.10")

    # The window closes, A is paid by bank, and every account agrees.
    house.shop.wait(days=8)
    assert releasing.release_due(at=house.at) == 1
    (payout,) = house.pay_out()
    assert payout.amount == mad("534.00")
    house.read_the_statement()
    assert stands("bank") == mad("77.10")
    assert house.unexplained() == {}
    assert all(each.is_exact for each in proving.proofs())
    assert breaches(house.at) == []


def test_a_cooperative_on_stripe_receives_euros_for_its_dirhams(house):
    member = MemberFactory(cooperative=CooperativeFactory(code="A"))
    account = house.shop.press("account", account="acct_journeyA")
    PayoutAccountFactory(
        cooperative=member.cooperative,
        rail=PayoutAccount.Rail.STRIPE,
        rib="",
        stripe_account_id=account["id"],
        transfers_active=True,
    )
    carpets = ListingFactory(cooperative=member.cooperative, price="300.00", stock=5)
    order = house.shop.paid_order((carpets, 2))
    (part,) = order.supplier_orders.all()
    dispatched_and_delivered(part, member.user, house.at, "RH1")
    house.shop.wait(days=8)
    releasing.release_due(at=house.at)

    (payout,) = house.pay_out()
    importing.import_balance(at=house.at)

    assert payout.amount == mad("534.00")
    (transfer,) = house.shop.things("transfer")
    assert (transfer["amount"], transfer["currency"], transfer["destination"]) == (
        4940,
        "eur",
        "acct_journeyA",
    )
    assert stands("producer_payable", "A") == mad("0.00")
    payout.refresh_from_db()
    assert payout.state == "paid"
    assert stands("stripe_balance", currency="EUR") == house.shop.at_stripe("EUR")
    assert stands("fx_position", currency="EUR") == eur("-8,88")  # 58,28 charged less 49,40 transferred
    assert house.unexplained() == {}
    assert breaches(house.at) == []
