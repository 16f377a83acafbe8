"""Whoever is paid less because goods came back reads which goods, of which order, why and how much."""

import csv
import io

import pytest

from shop.core.models import OutboxMessage
from shop.desk import money
from shop.payments import onboarding, payouts, refunding, statements, transferring
from shop.payments.models import Payout
from shop.payments.owing import owing
from shop.payments.stripe import gateway
from tests.factories import (
    CooperativeFactory,
    ListingFactory,
    MemberFactory,
    OperatorFactory,
    PayoutAccountFactory,
    mad,
)
from tests.payments.shop import stands

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["bank", "stripe"])
def cooperative(request, shop):
    """A cooperative paid by the bank, and one paid by Stripe."""
    found = CooperativeFactory(code="A")
    MemberFactory(cooperative=found, user__email="owner@example.ma", user__language="en")
    MemberFactory(cooperative=found, role="finance", user__email="money@example.ma", user__language="ar")
    MemberFactory(cooperative=found, role="orders", user__email="orders@example.ma")
    if request.param == "bank":
        PayoutAccountFactory(cooperative=found)
        return found
    account = gateway.create_account(cooperative="A", email="a@example.ma", country="MA", key="acct:A:1")
    shop.press("capability", account=account, status="active")
    PayoutAccountFactory(cooperative=found, rail="stripe", rib="", stripe_account_id=account)
    onboarding.refresh(stripe_account_id=account, at=shop.at)
    return found


def sold(shop, cooperative, title, price, count=2):
    listing = ListingFactory(cooperative=cooperative, title=title, price=price)
    return shop.released(shop.paid_order((listing, count)).supplier_orders.get())


def paid_out(shop) -> Payout:
    run = payouts.plan(by=OperatorFactory(), at=shop.at)
    payouts.approve(run=run, by=OperatorFactory(), at=shop.at)
    payout = run.payouts.get()
    if payout.batch is not None:
        payouts.hand_over(batch=payout.batch, at=shop.at)
    else:
        transferring.send(payout=payout, at=shop.at)
        shop.import_balance()
    payout.refresh_from_db()
    return payout


def give_back(shop, part, reason="claim"):
    line = part.lines.get()
    return refunding.request(
        supplier_order=part, reason=reason, lines={line: 1}, with_delivery=False, by=None, at=shop.at
    )


def netted(payout):
    return [each for each in statements.statement(payout=payout).rows if each.what == "netting"]


def test_a_refund_after_the_payout_is_told_shown_as_owed_and_named_on_the_statement_that_nets_it(
    shop, cooperative
):
    oil = sold(shop, cooperative, "Argan oil", "80.00")
    soap = sold(shop, cooperative, "Black soap", "55.00")
    paid_out(shop)

    first, second = give_back(shop, oil), give_back(shop, soap, "withdrawn")

    told = OutboxMessage.objects.filter(topic="refund.taken_off", about=first.reference)
    assert sorted(told.values_list("recipient", flat=True)) == ["money@example.ma", "owner@example.ma"]
    said = told.get(recipient="owner@example.ma").payload
    assert said["share"] == {"minor": 7120, "currency": "MAD"}
    assert (said["reference"], said["stage"]) == (oil.reference, "paid")
    assert [(each["quantity"], each["title"]) for each in said["lines"]] == [(1, "Argan oil")]
    assert stands("producer_receivable", "A") == mad("120.15")
    (back,) = money.given_back(part=oil)
    assert (back.share, back.left, back.taken_by) == (mad("71.20"), mad("71.20"), ())
    stand = money.gives([oil])[oil.reference]
    assert (stand.goods, stand.refunded, stand.kept) == (mad("160.00"), mad("80.00"), mad("8.80"))
    assert stand.receives == mad("71.20")

    sold(shop, cooperative, "Honey", "600.00", 1)
    payout = paid_out(shop)

    assert (payout.shares, payout.netted, payout.amount) == (mad("534.00"), mad("120.15"), mad("413.85"))
    rows = netted(payout)
    assert [(each.reference, each.refund, each.amount) for each in rows] == [
        (oil.reference, first, mad("-71.20")),
        (soap.reference, second, mad("-48.95")),
    ]
    assert statements.statement(payout=payout).closing == mad(0)
    (back,) = money.given_back(part=oil)
    assert (back.left, back.taken_by) == (mad(0), (payout.reference,))

    paper = statements.data(payout=payout, language="en")["rows"]
    day = f"{first.requested_at:%d/%m/%Y}"
    assert f"Set off against what you owed: refund of {day}, 1 × Argan oil (damaged or wrong)" in [
        each["what"] for each in paper
    ]
    assert statements.statement_pdf(payout, "ar")[:4] == b"%PDF"
    table = list(csv.DictReader(io.StringIO(statements.statement_csv(payout, "en").decode("utf-8-sig"))))
    lines = [each for each in table if each["Refund"]]
    assert [
        (each["Order"], each["Refund"], each["Goods"], each["Why"], each["Amount"]) for each in lines
    ] == [
        (oil.reference, first.reference, "1 × Argan oil", "damaged or wrong", "-71.20"),
        (soap.reference, second.reference, "1 × Black soap", "sent back", "-48.95"),
    ]


def test_a_refund_before_the_payout_says_that_it_comes_off_what_is_due(shop, cooperative):
    oil = sold(shop, cooperative, "Argan oil", "80.00")

    refund = give_back(shop, oil)
    payout = paid_out(shop)

    (told,) = OutboxMessage.objects.filter(topic="refund.taken_off", recipient="owner@example.ma")
    assert (told.payload["stage"], told.payload["share"]["minor"]) == ("payable", 7120)
    assert payout.amount == mad("71.20")
    (row,) = (each for each in statements.statement(payout=payout).rows if each.what == "refund")
    assert (row.refund, row.amount) == (refund, mad("-80.00"))
    assert money.given_back(part=oil)[0].left == mad(0)


def test_a_set_off_that_is_undone_leaves_its_refund_owed_again(shop):
    found = CooperativeFactory(code="A")
    PayoutAccountFactory(cooperative=found)
    oil = sold(shop, found, "Argan oil", "80.00")
    paid_out(shop)
    refund = give_back(shop, oil)
    sold(shop, found, "Honey", "600.00", 1)
    payout = paid_out(shop)

    payouts.reject(payout=payout, why="AC04", at=shop.at)

    (debt,) = owing(cooperative="A").debts
    assert (debt.about, debt.left) == (refund.reference, mad("71.20"))
    assert owing(cooperative="A").taken_off == {}
    assert statements.statement(payout=payout).closing == mad("534.00")


def test_goods_that_never_left_are_not_told_a_second_time(shop):
    found = CooperativeFactory(code="A")
    MemberFactory(cooperative=found)
    part = shop.paid_order((ListingFactory(cooperative=found), 1)).supplier_orders.get()

    refunding.request(
        supplier_order=part, reason="declined", lines=None, with_delivery=True, by=None, at=shop.at
    )

    assert not OutboxMessage.objects.filter(topic="refund.taken_off").exists()
