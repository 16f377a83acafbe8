"""A cooperative issues and ends its own vouchers, and says what packing a gift costs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from shop.core import clock
from shop.vouchers.models import Voucher
from tests.factories import NOW, CooperativeFactory, MemberFactory, OperatorFactory, mad, voucher

pytestmark = pytest.mark.django_db

TYPED = {
    "code": "miel 10",
    "kind": "percent",
    "value": "١٢,٥",
    "most": "40,00",
    "least": "",
    "valid_from": "2026-11-22",
    "valid_until": "",
    "most_uses": "100",
    "most_uses_each": "1",
    "text_fr": "Merci",
    "text_ar": "شكرا",
    "text_en": "Thank you",
}


@pytest.fixture
def member(client, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    found = MemberFactory(role="listings")
    client.force_login(found.user)
    return found


def test_a_member_issues_a_voucher_that_her_cooperative_bears(client, member):
    response = client.post(reverse("desk:issue_voucher"), TYPED)

    assert response["Location"] == reverse("desk:vouchers")
    issued = Voucher.objects.get()
    assert (issued.code, issued.rate, issued.most) == ("MIEL10", Decimal("0.1250"), mad(40))
    assert (issued.funded_by, issued.cooperative, issued.issued_by) == (
        "cooperative",
        member.cooperative,
        member.user,
    )
    assert (issued.most_uses, issued.most_uses_each) == (100, 1)
    page = client.get(reverse("desk:vouchers")).content.decode()
    assert "MIEL10" in page and "0 sur 100" in page


@pytest.mark.parametrize(
    "wrong", [{"value": "0"}, {"value": "95"}, {"code": "É"}, {"valid_until": "2026-11-01"}, {"text_ar": ""}]
)
def test_what_no_voucher_can_be_is_said_and_nothing_is_issued(client, member, wrong):
    response = client.post(reverse("desk:issue_voucher"), TYPED | wrong)

    assert response.status_code == 422
    assert not Voucher.objects.exists()


def test_she_ends_it_on_a_day_or_at_once(client, member):
    mine = voucher(cooperative=member.cooperative)

    client.post(reverse("desk:end_voucher", args=[mine.reference]), {"when": "on", "day": "2026-12-01"})
    mine.refresh_from_db()
    assert (str(mine.valid_until), mine.is_active) == ("2026-12-01", True)
    missing = client.post(reverse("desk:end_voucher", args=[mine.reference]), {"when": "on", "day": ""})
    assert missing.status_code == 422
    client.post(reverse("desk:end_voucher", args=[mine.reference]), {"when": "now"})

    mine.refresh_from_db()
    assert (mine.is_active, mine.ended_by) == (False, member.user)


def test_the_list_has_only_what_is_ones_own(client, member):
    voucher(code="SHOPS")
    voucher(code="OTHERS", cooperative=CooperativeFactory())
    voucher(code="MINE", cooperative=member.cooperative)

    page = client.get(reverse("desk:vouchers")).content.decode()

    assert "MINE" in page
    assert "SHOPS" not in page and "OTHERS" not in page


def test_gift_packing_has_a_price_or_is_not_offered(client, member):
    client.post(reverse("desk:gift_packing"), {"price": "25,50"})
    member.cooperative.refresh_from_db()
    assert member.cooperative.gift_packing == Decimal("25.50")

    assert client.post(reverse("desk:gift_packing"), {"price": "501"}).status_code == 422
    member.cooperative.refresh_from_db()
    assert member.cooperative.gift_packing == Decimal("25.50")

    client.post(reverse("desk:gift_packing"), {"price": ""})
    member.cooperative.refresh_from_db()
    assert member.cooperative.gift_packing is None


def test_finance_issues_the_shops_vouchers_and_reads_those_of_all(client, monkeypatch, settings):
    settings.DEMO_MODE = True
    monkeypatch.setattr(clock, "now", lambda: NOW)
    voucher(code="THEIRS", cooperative=CooperativeFactory())
    nadia = OperatorFactory(roles=["finance_maker"])
    client.force_login(nadia)

    response = client.post(
        reverse("backoffice:issue_voucher"), TYPED | {"kind": "amount", "value": "50", "most": "", "code": ""}
    )

    assert response["Location"] == reverse("backoffice:vouchers")
    issued = Voucher.objects.get(funded_by="platform")
    assert (issued.amount, issued.issued_by, len(issued.code)) == (mad(50), nadia, 12)
    page = client.get(reverse("backoffice:vouchers")).content.decode()
    assert "THEIRS" in page
    ended = client.post(reverse("backoffice:end_voucher", args=[issued.reference]), {"when": "now"})
    assert ended.status_code == 302
    again = client.get(reverse("backoffice:end_voucher", args=[issued.reference]))
    assert again.status_code == 409
