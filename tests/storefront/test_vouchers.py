"""A voucher's code in the basket, from typing it to the receipt."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.core.cache import cache

from shop.core import outbox
from shop.core.models import OutboxMessage
from shop.orders.models import Order
from shop.payments import paying
from shop.storefront import receipts
from shop.vouchers import issuing
from shop.vouchers.models import Voucher
from tests.factories import NOW, CooperativeFactory, ListingFactory, UserFactory, mad, voucher
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db

PAGE = "https://pay.example/session"


@pytest.fixture(autouse=True)
def no_tries_before(monkeypatch):
    cache.clear()
    monkeypatch.setattr(paying, "page_for", lambda **_: PAGE)


@pytest.fixture
def honey():
    return ListingFactory(title="Thyme honey", price="150.00", stock=9)


def text_of(response) -> str:
    plain = re.sub(r"</?d[td]>", " ", response.content.decode())
    plain = re.sub(r"<[^>]+>", "", plain).replace("\u00a0", " ")
    return re.sub(r"\s+", " ", plain)


def test_a_code_is_typed_shown_ordered_and_stands_on_the_receipt(visitor, honey):
    voucher(amount=mad(50), code="AID2026")
    visitor.add(honey, 2)

    used = visitor.post("use_voucher", code=" aid ٢٠٢٦ ")
    basket = text_of(visitor.get("basket"))
    visitor.work_out(method="cash")
    checkout = text_of(visitor.get("checkout"))
    placed = visitor.order(method="cash")

    assert (used.status_code, used["Location"]) == (302, visitor.url("basket"))
    assert "Voucher AID2026, offered by the shop" in basket
    assert "\u2212MAD 50.00" in basket and "MAD 250.00" in basket
    assert "Voucher AID2026, offered by the shop" in checkout and "MAD 280.00" in checkout
    order = Order.objects.get()
    assert placed["Location"] == visitor.url("track", order.number) + "?thanks=1"
    assert order.total == mad("280.00")
    tracked = text_of(visitor.get("track", order.number))
    assert "Voucher AID2026, offered by the shop" in tracked
    assert "Goods MAD 300, voucher MAD 50 off, delivery MAD 30" in tracked
    data = receipts.data_of(order, language="en")
    assert [row["label"] for row in data["totals"]] == [
        "Goods",
        "Voucher AID2026, offered by the shop",
        "Delivery",
        "Total, tax included",
    ]
    assert data["parts"][0]["discount"].replace("\u00a0", " ") == "\u2212MAD 50.00"
    assert any("MAD\u00a050.00" in each for each in data["notes"])
    assert receipts.receipt_of(order, language="ar")[:4] == b"%PDF"
    # The next basket begins without it.
    visitor.add(honey)
    assert "AID2026" not in text_of(visitor.get("basket"))


def test_each_parcel_paid_in_cash_is_shown_less_its_share_of_the_voucher(visitor, honey):
    rug = ListingFactory(title="Rug", price="50.00", stock=3, cooperative=CooperativeFactory(code="RUG"))
    voucher(amount=mad(20), code="AID2026")
    visitor.add(honey)
    visitor.add(rug)
    visitor.post("use_voucher", code="AID2026")

    visitor.work_out(method="cash")
    checkout = text_of(visitor.get("checkout"))
    visitor.order(method="cash")
    tracked = text_of(visitor.get("track", Order.objects.get().number))

    # 20 is shared as 150 to 50; each parcel costs 30 to bring.
    assert "voucher \u2212MAD 15" in checkout and "MAD 165" in checkout
    assert "voucher \u2212MAD 5" in checkout and "MAD 75" in checkout
    assert "You pay MAD 165 in cash for this parcel." in tracked
    assert "You pay MAD 75 in cash for this parcel." in tracked
    assert "2 parcels wait for their cooperatives." in tracked


def test_a_cooperatives_voucher_names_it_and_shares_the_lesser_price(visitor, honey):
    voucher(rate=Decimal("0.10"), cooperative=honey.cooperative, code="MIEL10")
    visitor.add(honey, 2)
    visitor.post("use_voucher", code="miel10")

    basket = text_of(visitor.get("basket"))

    assert f"Voucher MIEL10, offered by {honey.cooperative.name}" in basket
    assert "Price paid, without delivery MAD 270.00" in basket
    assert "Commission of the shop MAD 22.50" in basket


def test_the_mail_says_what_the_voucher_took_off(visitor, honey):
    voucher(amount=mad(50), code="AID2026")
    visitor.add(honey)
    visitor.post("use_voucher", code="AID2026")
    visitor.order(method="cash")

    outbox.sweep(at=NOW)

    body = OutboxMessage.objects.get(topic="order.placed").body.replace("\u00a0", " ")
    assert "Goods: MAD 150.00\nVoucher, offered by the shop: \u2212MAD 50.00\nDelivery: MAD 30.00" in body
    assert "MAD 130.00" in body


@pytest.mark.parametrize(
    ("issued", "said"),
    [
        ({"code": "OTHER"}, "We do not know this code"),
        ({"valid_from": NOW.date().replace(month=12)}, "This voucher counts from"),
        ({"least_goods": mad(200)}, "counts from MAD 200 of goods; MAD 50 are missing"),
    ],
)
def test_a_code_that_does_not_count_says_why_and_keeps_what_was_typed(visitor, honey, issued, said):
    voucher(**{"code": "AID2026"} | issued)
    visitor.add(honey)

    refused = visitor.post("use_voucher", code="aid2026")

    assert refused.status_code == 422
    assert said in text_of(refused)
    assert 'value="aid2026"' in refused.content.decode()
    assert 'aria-describedby="id_code_error"' in refused.content.decode()
    assert "MAD 150.00" in text_of(refused)


def test_it_can_be_taken_away(visitor, honey):
    voucher(code="AID2026")
    visitor.add(honey)
    visitor.post("use_voucher", code="AID2026")

    visitor.post("use_voucher", remove="1")

    assert "AID2026" not in text_of(visitor.get("basket"))


def test_one_switched_off_while_she_ordered_is_said_and_the_new_total_shown(visitor, honey):
    one = voucher(code="AID2026")
    visitor.add(honey)
    visitor.post("use_voucher", code="AID2026")
    visitor.work_out()
    shown = visitor.shown()
    issuing.switch_off(voucher=one, by=None, at=NOW)

    refused = visitor.post("place", **visitor.answers() | {"terms": "on"} | shown)

    assert refused.status_code == 409
    assert "This voucher is no longer given." in text_of(refused)
    assert "MAD 180.00" in text_of(refused)
    assert not Order.objects.exists()
    # Pressing again orders what is shown now.
    assert visitor.order().status_code == 302
    assert Order.objects.get().total == mad("180.00")


def test_a_code_in_the_form_that_the_total_does_not_know_is_not_ordered(visitor, honey):
    voucher(code="AID2026")
    visitor.add(honey)

    tampered = visitor.order(voucher="AID2026")

    assert tampered.status_code == 409
    assert not Order.objects.exists()


def test_a_customer_reads_in_the_basket_that_she_has_used_it(now, honey):
    visitor = Visitor(user=UserFactory())
    voucher(code="UNEFOIS", most_uses_each=1)
    visitor.add(honey)
    visitor.post("use_voucher", code="UNEFOIS")
    visitor.order(method="cash")
    visitor.add(honey)

    again = visitor.post("use_voucher", code="UNEFOIS")

    assert again.status_code == 422
    assert "You have already used this voucher" in text_of(again)
    assert Voucher.objects.get().used == 1


def test_after_ten_wrong_codes_no_more_are_looked_at(visitor, honey):
    voucher(code="AID2026")
    visitor.add(honey)
    answers = [visitor.post("use_voucher", code=f"WRONG{number}").status_code for number in range(10)]

    right = visitor.post("use_voucher", code="AID2026")

    assert answers == [422] * 10
    assert right.status_code == 429
    assert "Too many codes were tried" in text_of(right)


def test_right_codes_are_not_counted(visitor, honey):
    voucher(code="AID2026")
    visitor.add(honey)

    answers = [visitor.post("use_voucher", code="AID2026").status_code for _ in range(15)]

    assert answers == [302] * 15
