"""An order with a voucher, told to the centime: borne by the shop or by a cooperative, by card and in cash."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from shop.fulfilment import deciding, delivering, dispatching, releasing
from shop.fulfilment.models import Carrier, Shipment
from shop.orders.models import Order
from shop.payments import paying, refunding, statements
from shop.payments.models import Refund
from shop.payments.refunding import NothingLeft, NotPaid
from shop.payments.stripe import importing
from shop.reconciliation import fetching, proving
from tests.checkout.buying import basket_of, place
from tests.factories import mad, rib_of, voucher
from tests.journeys.test_by_card import breaches, dispatched_and_delivered, two_cooperatives
from tests.payments.shop import stands

pytestmark = pytest.mark.django_db


def paid_by_card(house: Any, code: str, *goods: Any) -> Order:
    order = place(basket_of(*goods), at=house.at, voucher=code)
    house.shop.card_pays(order)
    paying.confirm(payment=house.shop.payment_of(order), at=house.at)
    importing.import_balance(at=house.at)
    order.refresh_from_db()
    return order


def give_back(house: Any, part: Any, quantity: int, **more: Any) -> Refund:
    given = {"reason": Refund.Reason.WITHDRAWN, "with_delivery": False, "by": house.maker, "at": house.at}
    return refunding.request(supplier_order=part, lines={part.lines.get(): quantity}, **given | more)


def test_borne_by_the_shop_and_paid_by_card(house):
    member_a, member_b, carpets, platter = two_cooperatives()
    voucher(amount=mad(100), code="WELCOME")

    # 940,00 of goods less 100,00, and two parcels at 30,00.
    order = paid_by_card(house, "welcome", (carpets, 2), (platter, 1))
    part_a, part_b = order.supplier_orders.order_by("reference")

    assert order.total == order.payment.amount == mad("900.00")
    assert [
        (each.goods, each.discount_by_shop, each.total, each.commission, each.producer_share)
        for each in (part_a, part_b)
    ] == [
        (mad("600.00"), mad("63.83"), mad("566.17"), mad("60.00"), mad("534.00")),
        (mad("340.00"), mad("36.17"), mad("333.83"), mad("34.00"), mad("302.60")),
    ]
    (session,) = house.shop.things("session")
    assert session["amount_total"] == 90000
    lines = {each["description"]: each["amount_total"] for each in house.shop.things("item")}
    assert sorted(lines.values()) == [3000, 3000, 30383, 53617]
    assert sum("bon déduit" in each for each in lines) == 2

    # What she did not pay the shop did: customers' money closes to nothing.
    assert stands("customer_funds") == mad("0.00")
    assert stands("voucher_cost") == mad("100.00")
    assert (stands("producer_held", "A"), stands("producer_held", "B")) == (mad("534.00"), mad("302.60"))
    assert (stands("commission_held"), stands("solidarity_fund")) == (mad("94.00"), mad("9.40"))
    assert breaches(house.at) == []

    # B declines: she gets what she had paid of it, the shop what its voucher had.
    deciding.decline(supplier_order=part_b, by=member_b, reason="sold_out", at=house.at)
    assert refunding.refund_ended_parts(at=house.at) == 1
    whole = Refund.objects.get()
    assert (whole.amount, whole.goods, whole.discount) == (mad("333.83"), mad("340.00"), mad("36.17"))
    refunding.send(refund=whole, at=house.at)
    assert stands("voucher_cost") == mad("63.83")
    assert stands("producer_held", "B") == mad("0.00")

    # Of A's two carpets one comes back before the release: half of 536,17, the odd centime with the first.
    dispatched_and_delivered(part_a, member_a, house.at, "RH1")
    first = give_back(house, part_a, 1)
    assert (first.stage, first.amount, first.discount) == ("held", mad("268.08"), mad("31.92"))
    refunding.send(refund=first, at=house.at)
    assert stands("producer_held", "A") == mad("267.00")
    assert stands("voucher_cost") == mad("31.91")

    # The other after the payout: A owes its share, the customer never gets what she did not pay.
    house.shop.wait(days=8)
    assert releasing.release_due(at=house.at) == 1
    (payout,) = house.pay_out()
    assert payout.amount == mad("267.00")
    second = give_back(house, part_a, 1)
    assert (second.stage, second.amount, second.discount) == ("paid", mad("268.09"), mad("31.91"))
    assert stands("producer_receivable", "A") == mad("267.00")
    refunding.send(refund=second, at=house.at)
    importing.import_balance(at=house.at)
    assert stands("voucher_cost") == mad("0.00")
    assert stands("refund_payable") == stands("customer_funds") == mad("0.00")
    order.payment.refresh_from_db()
    # All goods, B's delivery with them; A's delivery stays paid.
    assert refunding.left_of_payment(order.payment) == mad("30.00")
    with pytest.raises(NothingLeft):
        refunding.request(
            supplier_order=part_a, reason=Refund.Reason.WITHDRAWN, lines=None, with_delivery=False,
            by=house.maker, at=house.at,
        )  # fmt: skip

    # A's statement tells the two payers of its goods apart, and comes to nothing.
    found = statements.statement(payout=payout)
    assert found.sum_of("goods") == mad("536.17")
    assert found.sum_of("voucher") == mad("63.83")
    assert (found.sum_of("refund"), found.sum_of("refund_voucher")) == (mad("-268.08"), mad("-31.92"))
    assert found.closing == mad("0.00")
    assert statements.statement_pdf(payout, "ar")[:4] == b"%PDF"

    house.read_the_statement()
    assert house.unexplained() == {}
    assert all(each.is_exact for each in proving.proofs())
    assert breaches(house.at) == []


def test_borne_by_its_cooperative_and_paid_by_card(house):
    member_a, _member_b, carpets, platter = two_cooperatives()
    voucher(rate=Decimal("0.10"), cooperative=carpets.cooperative, code="TAPIS10")

    order = paid_by_card(house, "TAPIS10", (carpets, 2), (platter, 1))
    part_a, part_b = order.supplier_orders.order_by("reference")

    # A sells for 540,00, and every fee is of that; B knows nothing of it.
    assert order.total == mad("940.00")
    assert (part_a.price, part_a.discount_by_cooperative, part_a.goods) == (
        mad("600.00"), mad("60.00"), mad("540.00"),
    )  # fmt: skip
    assert (part_a.commission, part_a.commission_net, part_a.commission_vat, part_a.solidarity) == (
        mad("54.00"), mad("45.00"), mad("9.00"), mad("5.40"),
    )  # fmt: skip
    assert (part_a.producer_share, part_b.producer_share) == (mad("480.60"), mad("302.60"))
    assert stands("voucher_cost") == stands("customer_funds") == mad("0.00")
    assert breaches(house.at) == []

    # One carpet back before the release, one after the payout: 270,00 each.
    dispatched_and_delivered(part_a, member_a, house.at, "RH1")
    refund = give_back(house, part_a, 1)
    assert (refund.amount, refund.discount, refund.commission) == (mad("270.00"), mad(0), mad("27.00"))
    house.shop.wait(days=8)
    releasing.release_due(at=house.at)
    payouts = house.pay_out()
    assert [each.amount for each in payouts] == [mad("240.30")]
    late = give_back(house, part_a, 1)
    assert (late.stage, late.amount) == ("paid", mad("270.00"))
    assert stands("producer_receivable", "A") == mad("240.30")
    for each in (refund, late):
        refunding.send(refund=each, at=house.at)
    importing.import_balance(at=house.at)

    assert stands("refund_payable") == mad("0.00")
    assert stands("commission") == mad("0.00")
    house.read_the_statement()
    assert house.unexplained() == {}
    assert breaches(house.at) == []


def sent(part: Any, member: Any, at: Any, number: str) -> Shipment:
    deciding.accept(supplier_order=part, by=member, at=at)
    parcel = dispatching.dispatch(
        supplier_order=part, carrier=part.carrier, tracking_number=number, by=member, at=at
    )
    fetching.announce_parcel(shipment=parcel)
    return parcel


def test_borne_by_the_shop_and_paid_in_cash(house):
    member_a, member_b, carpets, platter = two_cooperatives()
    welcome = voucher(amount=mad(100), code="WELCOME", most_uses=1)
    order = place(
        basket_of((carpets, 2), (platter, 1)), method=Order.Method.CASH, at=house.at, voucher="WELCOME"
    )
    paying.settle_cash(order=order, at=house.at)
    part_a, part_b = order.supplier_orders.order_by("reference")
    assert stands("voucher_cost") == mad("0.00")

    # The carrier collects what she owes: A's is delivered, B's refused at the door.
    parcel_a, parcel_b = sent(part_a, member_a, house.at, "RH1"), sent(part_b, member_b, house.at, "RH2")
    assert (parcel_a.cash_to_collect, parcel_b.cash_to_collect) == (mad("566.17"), mad("333.83"))
    house.tell_bank("/parcels/RH1/delivered")
    delivering.record_delivery(shipment=parcel_a, proof=Shipment.Proof.TRACKING, at=house.at)
    house.tell_bank("/parcels/RH2/refused")
    delivering.record_refusal(shipment=parcel_b, reason="refused", at=house.at)
    delivering.confirm_return(shipment=parcel_b, at=house.at)

    # Only A's part cost the shop anything.
    assert stands("voucher_cost") == mad("63.83")
    assert stands("cod_receivable", part_a.carrier.code) == mad("566.17")
    assert stands("customer_funds") == mad("0.00")
    assert (stands("producer_held", "A"), stands("producer_held", "B")) == (mad("534.00"), mad("0.00"))
    welcome.refresh_from_db()
    assert welcome.used == 1
    assert breaches(house.at) == []

    house.shop.wait(days=1)
    remitted = fetching.fetch_remittance(
        carrier=Carrier.objects.get(code=part_a.carrier.code), by=house.maker, at=house.at
    )
    assert remitted.collected == mad("566.17")
    house.read_the_statement()
    assert stands("cod_receivable", part_a.carrier.code) == mad("0.00")

    # One carpet comes back before the release, the other after the payout, both by bank transfer.
    account = {"holder": "Salma Idrissi", "rib": rib_of(77)}
    with pytest.raises(NotPaid):
        give_back(house, part_b, 1, **account)
    first = give_back(house, part_a, 1, **account)
    assert (first.way, first.amount, first.discount) == ("bank", mad("268.08"), mad("31.92"))
    house.shop.wait(days=8)
    assert releasing.release_due(at=house.at) == 1
    (payout,) = house.pay_out()
    assert payout.amount == mad("267.00")
    second = give_back(house, part_a, 1, **account)
    assert (second.stage, second.amount, second.discount) == ("paid", mad("268.09"), mad("31.91"))
    house.read_the_statement()

    assert stands("voucher_cost") == mad("0.00")
    assert stands("producer_receivable", "A") == mad("267.00")
    assert house.unexplained() == {}
    assert breaches(house.at) == []


def test_borne_by_its_cooperative_and_paid_in_cash(house):
    member_a, _member_b, carpets, platter = two_cooperatives()
    voucher(amount=mad(40), cooperative=platter.cooperative, code="PLATEAU")
    order = place(
        basket_of((carpets, 1), (platter, 1)), method=Order.Method.CASH, at=house.at, voucher="PLATEAU"
    )
    paying.settle_cash(order=order, at=house.at)
    part_a, part_b = order.supplier_orders.order_by("reference")

    # 300,00 less 10 % of commission and 1 % of solidarity; the part of the other is as ever.
    assert (part_b.goods, part_b.producer_share, part_b.total) == (
        mad("300.00"),
        mad("267.00"),
        mad("330.00"),
    )
    assert (part_a.discount, part_a.total) == (mad("0.00"), mad("330.00"))
    parcel = sent(part_b, member_a, house.at, "RH2")
    house.tell_bank("/parcels/RH2/delivered")
    delivering.record_delivery(shipment=parcel, proof=Shipment.Proof.TRACKING, at=house.at)

    assert stands("cod_receivable", part_b.carrier.code) == mad("330.00")
    assert stands("producer_held", "B") == mad("267.00")
    assert stands("voucher_cost") == stands("customer_funds") == mad("0.00")
    account = {"holder": "Salma Idrissi", "rib": rib_of(77)}
    refund = give_back(house, part_b, 1, **account)
    assert (refund.amount, refund.discount) == (mad("300.00"), mad("0.00"))
    assert stands("producer_held", "B") == mad("0.00")
    assert breaches(house.at) == []
