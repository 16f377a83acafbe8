"""An order for somebody else: packing is a line of its cooperative, the message goes with it, no price does."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.cache import cache

from shop.backoffice import auditing
from shop.checkout import placing
from shop.design import documents
from shop.desk.customers import Customer
from shop.desk.views.orders import gift_slip_data, packing_slip_data
from shop.fulfilment import deciding
from shop.orders.models import Order
from shop.payments import paying, refunding
from shop.payments.models import Refund
from tests.checkout.buying import basket_of, place
from tests.factories import (
    NOW,
    CooperativeFactory,
    ListingFactory,
    MemberFactory,
    mad,
    stock_of,
    voucher,
)
from tests.payments.conftest import shop  # noqa: F401 - the fixture
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db


def packer(**given):
    return CooperativeFactory(gift_packing=Decimal("25.00"), **given)


def test_packing_is_a_line_of_its_cooperative_and_only_where_it_is_offered_and_asked(shop):  # noqa: F811
    a, b = packer(code="A", vat_regime="standard"), CooperativeFactory(code="B")
    honey = ListingFactory(cooperative=a, price="300.00", stock=5)
    platter = ListingFactory(cooperative=b, price="100.00", stock=5)
    gift = placing.Gift(message="Bonne fête\nSalma", packed_by=frozenset({"A", "B", "ELSE"}))

    order = place(
        basket_of((honey, 2), (platter, 1)), at=shop.at, gift=gift, voucher=voucher(amount=mad(70)).code
    )

    # 600,00 + 100,00 of goods, of which the voucher takes 70,00; 25,00 of packing; two parcels.
    assert order.total == mad("715.00")
    assert (order.is_gift, order.gift_message) == (True, "Bonne fête\nSalma")
    packing = order.lines.get(is_packing=True)
    assert (packing.cooperative, packing.line_price_incl_tax, packing.product) == (a, Decimal("25.00"), None)
    assert (packing.tax_code, packing.vat_rate) == ("R20", Decimal("0.2000"))
    assert stock_of(honey) == (5, 2)

    shop.card_pays(order)
    paying.confirm(payment=shop.payment_of(order), at=shop.at)
    part_a, part_b = order.supplier_orders.order_by("reference")
    assert (part_a.goods, part_a.discount_by_shop, part_a.commission) == (
        mad("625.00"),
        mad("60.00"),
        mad("62.50"),
    )
    assert [each.title_said for each in part_b.lines.all()] == [platter.get_title()]

    # It is declined and given back like everything else.
    deciding.decline(supplier_order=part_a, by=None, reason="sold_out", at=shop.at)
    refunding.refund_ended_parts(at=shop.at)
    assert Refund.objects.get().amount == mad("595.00")
    assert stock_of(honey) == (5, 0)
    holds = {each.name: each.holds for each in auditing.audit(at=shop.at)}
    assert [name for name, held in holds.items() if not held and "balance" not in name] == []


def test_an_order_that_is_no_gift_packs_nothing():
    honey = ListingFactory(cooperative=packer(), price="100.00")

    order = place(basket_of((honey, 1)))

    assert (order.is_gift, order.total) == (False, mad("130.00"))
    assert not order.lines.filter(is_packing=True).exists()


def test_the_slip_says_the_message_and_no_price():
    member = MemberFactory(cooperative=packer(code="A"))
    honey = ListingFactory(cooperative=member.cooperative, title="Miel", price="100.00")
    gift = placing.Gift(message="عيد مبارك", packed_by=frozenset({"A"}))
    order = place(basket_of((honey, 1)), gift=gift)
    from shop.fulfilment import routing

    (part,) = routing.route(order=order, at=NOW)
    receiver = Customer(
        name="Aïcha", town="Casablanca", address_lines=("1, rue X",), phone="+212661000000", is_whole=True
    )

    data = gift_slip_data(part, receiver)

    assert data["message"] == "عيد مبارك"
    assert [row["title"] for row in data["lines"]] == ["Miel"]
    assert "100" not in str(data) and "MAD" not in str(data)
    assert documents.render("gift_slip", data, "ar")[:4] == b"%PDF"
    slip = packing_slip_data(part, receiver)
    assert slip["gift_message"] == "عيد مبارك"
    assert len(slip["lines"]) == 2


@pytest.fixture
def visitor(monkeypatch):
    from shop.core import clock

    cache.clear()
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setattr(paying, "page_for", lambda **_: "https://pay.example/session")
    return Visitor()


def test_a_gift_is_asked_for_at_the_checkout_with_its_packing_in_the_total(visitor):
    visitor.add(ListingFactory(cooperative=packer(code="A"), price="100.00"))
    asked = {"is_gift": "on", "gift_message": "For Aïcha\x07\r\nfrom Salma", "packing": ["A"]}

    visitor.work_out(**asked)
    page = visitor.get("checkout").content.decode()
    placed = visitor.order(**asked)

    assert "Gift packing" in page
    assert "MAD\u00a0155.00" in page
    assert placed["Location"] == "https://pay.example/session"
    order = Order.objects.get()
    assert (order.total, order.gift_message) == (mad("155.00"), "For Aïcha\nfrom Salma")
    # The next order does not begin as a gift.
    visitor.add(ListingFactory(cooperative=packer(code="B"), price="100.00"))
    again = visitor.get("checkout").content.decode()
    assert "from Salma" not in again
    assert "checked" not in again.split('id="id_is_gift"')[0][-80:] + again.split('id="id_is_gift"')[1][:80]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"is_gift": "on", "method": "cash"}, "A gift is paid by card"),
        ({"is_gift": "on", "gift_message": "x" * 301}, "300"),
        ({"is_gift": "on", "packing": ["B"]}, "Select a valid choice"),
    ],
)
def test_what_a_gift_cannot_be_is_said(visitor, asked, said):
    visitor.add(ListingFactory(cooperative=packer(code="A"), price="100.00"))

    refused = visitor.work_out(**asked)

    assert refused.status_code == 422
    assert said in refused.content.decode()


def test_packing_chosen_after_the_total_was_shown_is_confirmed_once_more(visitor):
    visitor.add(ListingFactory(cooperative=packer(code="A"), price="100.00"))
    visitor.work_out()
    shown = visitor.shown()

    changed = visitor.post("place", **visitor.answers(is_gift="on", packing=["A"]) | {"terms": "on"} | shown)

    assert changed.status_code == 409
    assert "The total is not the one you were shown" in changed.content.decode()
    assert not Order.objects.exists()
