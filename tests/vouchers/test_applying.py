"""What a voucher takes off, line by line, and whom it refuses."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shop.core.clock import day_of
from shop.vouchers import applying, issuing
from shop.vouchers.applying import Good
from shop.vouchers.models import Voucher
from tests.factories import NOW, CooperativeFactory, UserFactory, mad, voucher

pytestmark = pytest.mark.django_db
TODAY = day_of(NOW)


def taken(of, *goods, **more):
    found = applying.reduction(voucher=of, goods=list(goods), at=NOW, **more)
    return [str(each.amount) for each in found.taken]


def test_an_amount_is_spread_over_the_goods_by_largest_remainder():
    assert taken(voucher(amount=mad(100)), Good(1, mad(600)), Good(2, mad(340))) == ["63.83", "36.17"]
    assert taken(voucher(amount=mad(10)), *[Good(1, mad(100))] * 3) == ["3.34", "3.33", "3.33"]


def test_a_percentage_is_computed_once_half_up_and_has_a_most():
    assert taken(voucher(rate=Decimal("0.15")), Good(1, mad("0.10")), Good(2, mad("0.20"))) == [
        "0.02",
        "0.03",
    ]
    with_most = voucher(rate=Decimal("0.15"), most=mad(30))
    assert taken(with_most, Good(1, mad(100))) == ["15.00"]
    assert taken(with_most, Good(1, mad(1000))) == ["30.00"]


def test_nothing_comes_for_less_than_a_tenth():
    assert taken(voucher(amount=mad(100)), Good(1, mad(80))) == ["72.00"]
    assert taken(voucher(amount=mad(100)), Good(1, mad("0.05"))) == ["0.04"]


def test_a_voucher_that_would_take_off_less_than_a_centime_is_refused():
    with pytest.raises(applying.NothingToTakeOff):
        taken(voucher(rate=Decimal("0.10")), Good(1, mad("0.04")))
    assert taken(voucher(rate=Decimal("0.10")), Good(1, mad("0.05"))) == ["0.01"]


def test_a_cooperatives_voucher_is_for_its_own_goods_only():
    maker = CooperativeFactory()
    of_maker = voucher(rate=Decimal("0.10"), cooperative=maker)

    assert taken(of_maker, Good(maker.pk, mad(600)), Good(-1, mad(340))) == ["60.00", "0.00"]
    with pytest.raises(applying.NotForTheseGoods, match=maker.name):
        taken(of_maker, Good(-1, mad(340)))


def test_the_least_amount_counts_the_goods_it_is_for():
    maker = CooperativeFactory()
    of_maker = voucher(cooperative=maker, least_goods=mad(200))

    assert taken(of_maker, Good(maker.pk, mad(200)), Good(-1, mad(5))) == ["50.00", "0.00"]
    with pytest.raises(applying.TooLittle, match="20"):
        taken(of_maker, Good(maker.pk, mad(180)), Good(-1, mad(500)))


def test_it_counts_from_its_first_day_to_its_last():
    with pytest.raises(applying.TooEarly):
        taken(voucher(valid_from=TODAY + timedelta(days=1)), Good(1, mad(100)))
    last_day = voucher(valid_until=TODAY)
    assert taken(last_day, Good(1, mad(100))) == ["50.00"]
    with pytest.raises(applying.TooLate):
        applying.reduction(voucher=last_day, goods=[Good(1, mad(100))], at=NOW + timedelta(days=1))


def test_one_that_is_switched_off_or_used_up_is_refused():
    off = issuing.switch_off(voucher=voucher(), by=None, at=NOW)
    with pytest.raises(applying.SwitchedOff):
        taken(off, Good(1, mad(100)))
    used = voucher(most_uses=1)
    Voucher.objects.filter(pk=used.pk).update(used=1)
    used.refresh_from_db()
    with pytest.raises(applying.UsedUp):
        taken(used, Good(1, mad(100)))


def test_a_code_nobody_issued_is_unknown():
    issued = voucher(code="aid 2026")

    assert applying.find(code=" AID-٢٠٢٦") == issued
    for typed in ("AID2027", "", "عيد"):
        with pytest.raises(applying.UnknownCode):
            applying.find(code=typed)


@given(
    prices=st.lists(st.integers(1, 10**6), min_size=1, max_size=8),
    off=st.integers(1, 10**6),
)
@settings(deadline=None)
def test_parts_add_up_and_no_line_costs_less_than_nothing(prices, off):
    record = Voucher(kind="amount", currency="MAD", amount_minor=off, valid_from=TODAY, funded_by="platform")
    goods = [Good(1, mad(Decimal(each) / 100)) for each in prices]
    if sum(prices) * 9 // 10 == 0:
        return

    found = applying.reduction(voucher=record, goods=goods, at=NOW)

    assert found.amount == min(record.amount, mad(Decimal(sum(prices) * 9 // 10) / 100))
    assert all(mad(0) <= each <= good.amount for each, good in zip(found.taken, goods, strict=True))


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"amount": mad(0)}, issuing.NothingTakenOff),
        ({"rate": Decimal("0.91")}, issuing.NothingTakenOff),
        ({"rate": Decimal("0.1"), "amount": mad(5)}, issuing.NothingTakenOff),
        ({"code": "AB"}, issuing.CodeNotSound),
        ({"code": "عيد"}, issuing.CodeNotSound),
        ({"valid_until": TODAY - timedelta(days=1)}, issuing.EndsBeforeItBegins),
    ],
)
def test_what_no_voucher_can_be_is_refused(wrong, refusal):
    with pytest.raises(refusal):
        voucher(**wrong)

    assert not Voucher.objects.exists()


def test_a_code_is_given_out_once():
    voucher(code="AID2026")

    with pytest.raises(issuing.CodeTaken):
        voucher(code="aid 2026")

    assert Voucher.objects.count() == 1


def test_it_may_end_another_day_or_be_switched_off_once():
    one = voucher()

    assert issuing.end_on(voucher=one, day=TODAY, at=NOW).valid_until == TODAY
    with pytest.raises(issuing.EndsBeforeItBegins):
        issuing.end_on(voucher=one, day=TODAY - timedelta(days=1), at=NOW)
    by = UserFactory()
    assert issuing.switch_off(voucher=one, by=by, at=NOW).ended_by == by
    with pytest.raises(issuing.AlreadyOff):
        issuing.switch_off(voucher=one, by=by, at=NOW)
    with pytest.raises(issuing.AlreadyOff):
        issuing.end_on(voucher=one, day=TODAY, at=NOW)
