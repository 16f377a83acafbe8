"""The example of docs/bookkeeping.md with a voucher of 100,00 that the shop bears, in dirhams and in euros."""

from __future__ import annotations

import pytest

from shop.ledger import accounts, entries, journal
from shop.ledger.errors import DifferentEntry
from tests.ledger.example import A_PART, B_PART, DAY, ORDER, eur, mad, postings, shown

pytestmark = pytest.mark.django_db


def confirmed(part: str, cooperative: str, goods: str, voucher: str, *rest: str):
    commission, solidarity, net, vat = rest
    return entries.record_confirmation(
        supplier_order=part,
        order=ORDER,
        cooperative=cooperative,
        effective_on=DAY,
        goods=mad(goods),
        commission=mad(commission),
        solidarity=mad(solidarity),
        delivery_net=mad(net),
        delivery_vat=mad(vat),
        voucher=mad(voucher),
    )


def both_confirmed():
    a = confirmed(A_PART, "A", "600.00", "63.83", "60.00", "6.00", "30.00", "6.00")
    confirmed(B_PART, "B", "340.00", "36.17", "34.00", "3.40", "20.00", "4.00")
    return a


def returned(stage: str):
    """100,00 of A's goods come back, of which the shop's voucher had paid 10,64."""
    return entries.record_refund(
        refund="R-1",
        order=ORDER,
        supplier_order=A_PART,
        cooperative="A",
        effective_on=DAY,
        stage=stage,  # type: ignore[arg-type]
        goods=mad("100.00"),
        commission_net=mad("8.33"),
        commission_vat=mad("1.67"),
        solidarity=mad("1.00"),
        delivery_net=mad("0"),
        delivery_vat=mad("0"),
        voucher=mad("10.64"),
    )


def test_the_shop_pays_in_the_customers_place_and_the_share_is_as_ever():
    entry = both_confirmed()

    assert postings(entry) == [
        "customer_funds:MAD / producer_held:A:MAD 536.17",
        "voucher_cost:MAD / producer_held:A:MAD 63.83",
        "producer_held:A:MAD / commission_held:MAD 60.00",
        "producer_held:A:MAD / solidarity_fund:MAD 6.00",
        "customer_funds:MAD / shipping_income:MAD 30.00",
        "customer_funds:MAD / vat_output:MAD 6.00",
    ]
    assert shown()["producer_held:A:MAD"] == "534.00"
    assert shown()["producer_held:B:MAD"] == "302.60"
    assert shown()["voucher_cost:MAD"] == "100.00"


def test_customers_money_closes_to_nothing_settled_in_dirhams_or_in_euros():
    both_confirmed()
    entries.record_card_payment(
        order=ORDER,
        bt="txn_1",
        effective_on=DAY,
        paid=mad("900.00"),
        settled=eur("83.25"),
        fee=eur("2.94"),
    )

    assert journal.balance(accounts.customer_funds("MAD")) == mad("0")
    assert shown()["stripe_balance:EUR"] == "80.31"
    # The voucher was never euros: only what she paid passes through the exchange position.
    assert shown()["fx_position:MAD"] == "900.00"
    assert "voucher_cost:EUR" not in shown()


@pytest.mark.parametrize(
    ("stage", "producer"),
    [("held", "producer_held"), ("payable", "producer_payable"), ("paid", "producer_receivable")],
)
def test_what_comes_back_goes_to_each_who_had_paid_it(stage, producer):
    both_confirmed()

    entry = returned(stage)

    assert postings(entry)[:2] == [
        f"{producer}:A:MAD / refund_payable:MAD 89.36",
        f"{producer}:A:MAD / voucher_cost:MAD 10.64",
    ]
    assert shown()["voucher_cost:MAD"] == "89.36"
    assert shown()["refund_payable:MAD"] == "89.36"


def test_telling_it_again_changes_nothing_and_another_voucher_is_another_entry():
    first = both_confirmed()

    assert both_confirmed() == first
    with pytest.raises(DifferentEntry):
        confirmed(A_PART, "A", "600.00", "63.84", "60.00", "6.00", "30.00", "6.00")
    assert shown()["voucher_cost:MAD"] == "100.00"
