"""An order of 1 000,00 by card, from two cooperatives, told to the centime as a bookkeeper would."""

from __future__ import annotations

import pytest
from django.core import mail

from catalogue.models import StockMovement
from shop.backoffice import auditing
from shop.checkout.placing import Customer
from shop.core import outbox
from shop.core.errors import Refused
from shop.core.money import EUR, from_minor
from shop.fulfilment import deciding, delivering, dispatching, releasing
from shop.fulfilment.models import Shipment
from shop.ledger import balances
from shop.payments import paying, payouts, refunding, statements
from shop.payments.models import Refund
from shop.payments.payouts import SamePerson
from shop.payments.stripe import importing
from shop.reconciliation import proving
from shop.reconciliation.models import StatementLine
from tests.checkout.buying import basket_of, place
from tests.factories import (
    CarrierFactory,
    CooperativeFactory,
    ListingFactory,
    MemberFactory,
    PayoutAccountFactory,
    mad,
    stock_of,
)
from tests.payments.shop import stands

pytestmark = pytest.mark.django_db


def eur(text: str):
    return from_minor(int(text.replace(",", "")), EUR)


def two_cooperatives(rail_of_b: str = "bank"):
    """A on the bank rail, B on the one asked for; goods of 600,00 and 340,00."""
    a, b = CooperativeFactory(code="A"), CooperativeFactory(code="B")
    PayoutAccountFactory(cooperative=a)
    if rail_of_b == "bank":
        PayoutAccountFactory(cooperative=b)
    return (
        MemberFactory(cooperative=a, user__email="a@example.ma").user,
        MemberFactory(cooperative=b, user__email="b@example.ma").user,
        ListingFactory(cooperative=a, price="300.00", stock=5),
        ListingFactory(cooperative=b, price="340.00", stock=1),
    )


def dispatched_and_delivered(supplier_order, member, at, tracking):
    deciding.accept(supplier_order=supplier_order, by=member, at=at)
    shipment = dispatching.dispatch(
        supplier_order=supplier_order,
        carrier=supplier_order.carrier,
        tracking_number=tracking,
        by=member,
        at=at,
    )
    delivering.record_delivery(shipment=shipment, proof=Shipment.Proof.TRACKING, at=at)
    supplier_order.refresh_from_db()
    return supplier_order


def breaches(at):
    """What the audit finds once every promised mail has left."""
    outbox.sweep(at=at)
    return [f"{each.invariant} {each.name}: {each.rows}" for each in auditing.audit(at=at) if not each.holds]


def test_two_cooperatives_are_paid_by_bank_and_every_account_agrees(house):
    CarrierFactory()
    member_a, member_b, carpets, platter = two_cooperatives()
    at = house.at

    # She orders: 600,00 + 340,00 + two parcels at 30,00. Stock is set aside, nothing is booked.
    order = place(
        basket_of((carpets, 2), (platter, 1)),
        at=at,
        customer=Customer(user=None, email="salma@example.ma", phone="+212661000000", language="fr"),
    )
    assert order.total == mad("1000.00")
    assert order.stage == "awaiting_payment"
    assert stock_of(carpets) == (5, 2) and stock_of(platter) == (1, 1)
    assert balances.balances() == {}

    # She pays on Stripe's page; the shop looks, confirms once and splits.
    house.shop.card_pays(order)
    for _ in range(3):
        paying.confirm(payment=house.shop.payment_of(order), at=at)
    order.refresh_from_db()
    part_a, part_b = order.supplier_orders.order_by("reference")
    assert [each.reference for each in (part_a, part_b)] == [f"{order.number}-1", f"{order.number}-2"]
    assert (part_a.goods, part_a.commission, part_a.commission_net, part_a.commission_vat) == (
        mad("600.00"),
        mad("60.00"),
        mad("50.00"),
        mad("10.00"),
    )
    assert (part_b.commission, part_b.commission_net, part_b.commission_vat) == (
        mad("34.00"),
        mad("28.33"),
        mad("5.67"),
    )
    assert (part_a.solidarity, part_b.solidarity) == (mad("6.00"), mad("3.40"))
    assert (part_a.producer_share, part_b.producer_share) == (mad("534.00"), mad("302.60"))

    # J3, J3c, J3s, J4 are booked with the confirmation; J1, J2 when Stripe's balance is read.
    assert stands("customer_funds") == mad("-1000.00")
    assert stands("producer_held", "A") == mad("534.00")
    assert stands("producer_held", "B") == mad("302.60")
    assert stands("commission_held") == mad("94.00")
    assert stands("solidarity_fund") == mad("9.40")
    assert stands("shipping_income") == mad("50.00")
    assert stands("vat_output") == mad("10.00")
    importing.import_balance(at=at)
    assert stands("customer_funds") == mad("0.00")
    assert stands("stripe_balance", currency="EUR") == eur("89,52")  # 92,50 less 2,98
    assert stands("psp_fee", currency="EUR") == eur("2,98")
    assert stands("fx_position") == mad("1000.00")
    assert stands("fx_position", currency="EUR") == eur("-92,50")

    # Both cooperatives hear of it, each of its own part only.
    outbox.sweep(at=at)
    to_members = {
        message.to[0]: message.body
        for message in mail.outbox
        if message.to[0] in ("a@example.ma", "b@example.ma")
    }
    assert (
        part_a.reference in to_members["a@example.ma"] and part_b.reference not in to_members["a@example.ma"]
    )
    assert (
        part_b.reference in to_members["b@example.ma"] and part_a.reference not in to_members["b@example.ma"]
    )

    # They accept, send and deliver; when the return window closes the money is due and our part earned.
    dispatched_and_delivered(part_a, member_a, at, "RH1")
    dispatched_and_delivered(part_b, member_b, at, "RH2")
    assert stock_of(carpets) == (3, 0) and stock_of(platter) == (0, 0)
    house.shop.wait(days=6)
    assert releasing.release_due(at=house.at) == 0
    house.shop.wait(days=2)
    assert releasing.release_due(at=house.at) == 2
    assert releasing.release_due(at=house.at) == 0
    assert stands("producer_held", "A") == stands("producer_held", "B") == mad("0.00")
    assert stands("producer_payable", "A") == mad("534.00")
    assert stands("producer_payable", "B") == mad("302.60")
    assert stands("commission_held") == mad("0.00")
    assert stands("commission") == mad("78.33")
    assert stands("vat_output") == mad("25.67")

    # One operator plans the payout run; she cannot approve it herself.
    run = payouts.plan(by=house.maker, at=house.at)
    with pytest.raises(SamePerson):
        payouts.approve(run=run, by=house.maker, at=house.at)
    payouts.cancel(run=run, by=house.maker, at=house.at)
    to_a, to_b = house.pay_out()
    assert (to_a.amount, to_b.amount) == (mad("534.00"), mad("302.60"))
    assert stands("payout_in_flight", "A") == mad("534.00")
    assert stands("producer_payable", "A") == stands("producer_payable", "B") == mad("0.00")

    # Stripe pays in, the bank pays out; the statement matches to the centime.
    house.stripe_deposits()
    found = house.read_the_statement()
    assert (found.matched, found.doubtful) == (3, 0)
    assert stands("payout_in_flight", "A") == stands("payout_in_flight", "B") == mad("0.00")
    assert stands("stripe_balance", currency="EUR") == eur("0,00")
    assert stands("deposit_transit", currency="EUR") == eur("0,00")
    # 89,52 EUR at 10,7958 are 966,44; less 836,60
    assert stands("bank") == mad("129.84")
    assert house.unexplained() == {}
    assert all(each.is_exact for each in proving.proofs())
    to_a.refresh_from_db()
    assert to_a.state == "paid"
    sums = {
        str(each["label"]): each["amount"] for each in statements.data(payout=to_a, language="en")["sums"]
    }
    assert "MAD\u00a0534.00" in sums.values()
    assert statements.statement_pdf(to_a, "ar")[:4] == b"%PDF"

    assert set(balances.sums_by_currency().values()) == {0}
    assert breaches(house.at) == []


def test_a_bank_that_debits_the_batch_as_one_line_pays_both_to_the_centime(house):
    CarrierFactory()
    member_a, member_b, carpets, platter = two_cooperatives()
    order = house.shop.paid_order((carpets, 2), (platter, 1))
    for part, member in zip(order.supplier_orders.order_by("reference"), (member_a, member_b), strict=True):
        dispatched_and_delivered(part, member, house.at, f"RH-{part.reference}")
    house.shop.wait(days=8)
    releasing.release_due(at=house.at)
    house.tell_bank("/_sandbox/faults", kind="one_line")

    # A first plan is agreed on and given up again before the bank has it: both are due once more.
    run = payouts.plan(by=house.maker, at=house.at)
    payouts.approve(run=run, by=house.checker, at=house.at)
    payouts.give_up(run=run, why="the treasurer asked to wait", by=house.maker, at=house.at)
    to_a, to_b = house.pay_out()
    assert (to_a.amount, to_b.amount) == (mad("534.00"), mad("302.60"))

    # The statement has 836,60 on one line, which is both payouts.
    found = house.read_the_statement()
    assert (found.matched, found.doubtful) == (1, 0)
    line = StatementLine.objects.get()
    assert (line.amount, line.end_to_end_id) == (mad("-836.60"), "")
    assert [(each.subject_reference, each.batch) for each in line.matches.order_by("pk")] == [
        (to_a.reference, to_a.batch.reference),
        (to_b.reference, to_b.batch.reference),
    ]
    for payout in (to_a, to_b):
        payout.refresh_from_db()
        assert payout.state == "paid"
    assert stands("payout_in_flight", "A") == stands("payout_in_flight", "B") == mad("0.00")
    assert stands("bank") == mad("-836.60")
    assert house.unexplained() == {}
    assert breaches(house.at) == []


def test_a_line_sent_back_after_the_payout_is_owed_and_netted_from_the_next(house):
    CarrierFactory()
    member_a, _member_b, carpets, _platter = two_cooperatives()
    order = house.shop.paid_order((carpets, 2))
    (part,) = order.supplier_orders.all()
    dispatched_and_delivered(part, member_a, house.at, "RH1")
    house.shop.wait(days=8)
    releasing.release_due(at=house.at)
    (first,) = house.pay_out()
    assert first.amount == mad("534.00")

    # One of the two carpets comes back: 300,00 to her, 30,00 of commission and 3,00 of the fund's part return.
    refund = refunding.request(
        supplier_order=part,
        reason=Refund.Reason.WITHDRAWN,
        lines={part.lines.get(): 1},
        with_delivery=False,
        by=house.maker,
        at=house.at,
    )
    assert (refund.stage, refund.amount) == ("paid", mad("300.00"))
    assert stands("producer_receivable", "A") == mad("267.00")
    assert stands("refund_payable") == mad("300.00")
    refunding.send(refund=refund, at=house.at)
    importing.import_balance(at=house.at)
    refund.refresh_from_db()
    assert refund.state == "succeeded"
    assert stands("refund_payable") == mad("0.00")
    with pytest.raises(Refused):
        refunding.request(
            supplier_order=part,
            reason=Refund.Reason.WITHDRAWN,
            lines={part.lines.get(): 2},
            with_delivery=False,
            by=house.maker,
            at=house.at,
        )

    # Its next sale nets the debt: 534,00 are due, 267,00 are sent.
    again = house.shop.paid_order((carpets, 2))
    (next_part,) = again.supplier_orders.all()
    dispatched_and_delivered(next_part, member_a, house.at, "RH2")
    house.shop.wait(days=8)
    releasing.release_due(at=house.at)
    (second,) = house.pay_out()

    assert (second.shares, second.netted, second.amount) == (mad("534.00"), mad("267.00"), mad("267.00"))
    assert stands("producer_receivable", "A") == mad("0.00")
    assert stands("producer_payable", "A") == mad("0.00")
    assert stands("commission") == mad("75.00")  # 50,00 + 50,00 − 25,00
    house.read_the_statement()
    assert house.unexplained() == {}
    assert breaches(house.at) == []


def test_what_a_cooperative_declines_goes_back_whole_and_the_rest_goes_on(house):
    CarrierFactory()
    member_a, member_b, carpets, platter = two_cooperatives()
    order = house.shop.paid_order((carpets, 2), (platter, 1))
    part_a, part_b = order.supplier_orders.order_by("reference")

    deciding.decline(supplier_order=part_b, by=member_b, reason="out_of_stock", at=house.at)
    assert refunding.refund_ended_parts(at=house.at) == 1
    assert refunding.refund_ended_parts(at=house.at) == 0
    (refund,) = Refund.objects.all()
    refunding.send(refund=refund, at=house.at)
    importing.import_balance(at=house.at)

    refund.refresh_from_db()
    part_b.refresh_from_db()
    assert (refund.state, refund.amount) == ("succeeded", part_b.goods + part_b.delivery)
    assert part_b.state == "declined"
    assert stock_of(platter) == (1, 0)
    assert stands("producer_held", "B") == mad("0.00")
    assert stands("producer_held", "A") == mad("534.00")
    assert stands("commission_held") == mad("60.00")
    assert stands("refund_payable") == mad("0.00")
    assert stock_of(carpets) == (5, 2)
    dispatched_and_delivered(part_a, member_a, house.at, "RH1")
    assert StockMovement.objects.filter(kind="sold").count() == 1
    assert house.unexplained() == {}
    assert breaches(house.at) == []
