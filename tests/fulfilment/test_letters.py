"""Every mail about a part or an account, rendered in three languages as it leaves."""

from __future__ import annotations

from functools import partial

import pytest
from django.core import mail
from django.utils.translation import override

from cooperatives import lifting, payout_accounts
from shop.core import outbox
from shop.core.models import OutboxMessage
from shop.fulfilment import deciding, delivering
from tests.factories import (
    NOW,
    CooperativeFactory,
    ListingFactory,
    MemberFactory,
    PayoutAccountFactory,
    UserFactory,
    placed,
    rib_of,
)

pytestmark = pytest.mark.django_db


def _all_that_can_happen(language: str) -> None:
    owner = MemberFactory(user=UserFactory(language=language))
    listing = ListingFactory(cooperative=owner.cooperative, stock=50)
    PayoutAccountFactory(cooperative=owner.cooperative)
    payout_accounts.propose(
        cooperative=owner.cooperative, rail="bank", holder="X", rib=rib_of(9), by=owner.user, at=NOW
    )
    change = payout_accounts.waiting(cooperative=owner.cooperative, at=NOW)
    payout_accounts.give_up(account=change, at=NOW)
    for number, answer in ((10, payout_accounts.approve), (11, partial(payout_accounts.refuse, why="X"))):
        proposed = payout_accounts.propose(
            cooperative=owner.cooperative, rail="bank", holder="X", rib=rib_of(number), by=owner.user, at=NOW
        )
        answer(account=proposed, by=UserFactory(), at=NOW)
    payout_accounts.put_on_hold(cooperative=owner.cooperative, reason="RIB rejeté", at=NOW)
    asked = lifting.propose(cooperative=owner.cooperative, reason="X", by=UserFactory(), at=NOW)
    lifting.approve(lifting=asked, by=UserFactory(), at=NOW)
    declined, cancelled, reminded, card, cash, refused = (
        placed((listing, 2), language=language, method=method)[0]
        for method in ("card", "card", "card", "card", "cash", "cash")
    )
    deciding.decline(supplier_order=declined, by=None, reason="sold_out", at=NOW)
    deciding.cancel(supplier_order=cancelled, at=NOW)
    for part in (card, cash, refused):
        from tests.factories import dispatched

        deciding.accept(supplier_order=part, by=None, at=NOW)
        dispatched(part)
    deciding.remind(at=NOW.replace(day=24, hour=8))
    deciding.decline_overdue(at=NOW.replace(day=24, hour=10))
    for part in (card, cash):
        delivering.record_delivery(shipment=part.shipments.get(), proof="customer", at=NOW)
    delivering.record_refusal(shipment=refused.shipments.get(), reason="nobody_home", at=NOW)
    assert reminded.reference


TOPICS = {
    "supplier_order.placed",
    "supplier_order.reminder",
    "supplier_order.overdue",
    "supplier_order.cancelled",
    "supplier_order.refused",
    "part.accepted",
    "part.declined",
    "part.cancelled",
    "part.dispatched",
    "part.delivered",
    "part.refused",
    "payout_account.proposed",
    "payout_account.given_up",
    "payout_account.on_hold",
    "payout_account.approved",
    "payout_account.refused",
    "payout_account.resumed",
}


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_every_promised_mail_leaves_whole(language, settings):
    _all_that_can_happen(language)
    assert set(OutboxMessage.objects.values_list("topic", flat=True)) == TOPICS
    waiting = OutboxMessage.objects.count()

    delivered = outbox.sweep(at=NOW.replace(day=25))

    assert delivered == waiting == len(mail.outbox)
    for message in mail.outbox:
        html = message.alternatives[0][0]
        assert message.subject.strip()
        assert "{" not in message.subject + message.body
        assert "None" not in message.subject + message.body
        assert "&#" not in message.body and "&amp;" not in message.body
        assert f"{settings.SITE_URL}/" in message.body
        assert f"{settings.SITE_URL}/" in html
        assert f'dir="{"rtl" if language == "ar" else "ltr"}"' in html
        assert "  " not in message.subject


def test_a_guest_gets_a_link_of_her_own_and_a_customer_with_an_account_does_not(settings):
    listing = ListingFactory(stock=10)
    (guest,) = placed((listing, 1))
    (known,) = placed((listing, 1), user=UserFactory())
    for part in (guest, known):
        deciding.accept(supplier_order=part, by=None, at=NOW)

    tokens = [
        OutboxMessage.objects.get(topic="part.accepted", about=part.reference).payload["token"]
        for part in (guest, known)
    ]

    assert tokens[0]
    assert tokens[1] == ""


def test_what_a_french_operator_does_reaches_an_arabic_member_in_her_words():
    cooperative = CooperativeFactory(name_fr="Coopérative Tiznit", name_ar="تعاونية تزنيت")
    MemberFactory(cooperative=cooperative, user=UserFactory(language="ar"))
    listing = ListingFactory(
        cooperative=cooperative,
        title_fr="Miel de thym",
        title_ar="عسل الزعتر",
        unit_fr="500 g",
        unit_ar="500 غ",
    )

    with override("fr"):
        (part,) = placed((listing, 2), language="fr")
        deciding.decline(supplier_order=part, by=None, reason="no_answer", at=NOW)
        payout_accounts.put_on_hold(cooperative=cooperative, reason="returned by the bank", at=NOW)
    outbox.sweep(at=NOW)

    told = {each.topic: each for each in OutboxMessage.objects.filter(state="delivered")}
    placing = told["supplier_order.placed"]
    assert "تعاونية تزنيت" in placing.body
    assert "2 × عسل الزعتر (500 غ)" in placing.body
    assert "300,00 درهم" in placing.body.replace("\N{NO-BREAK SPACE}", " ")
    assert "الثلاثاء 24\N{NO-BREAK SPACE}نونبر 2026" in placing.body
    assert "Coopérative" not in placing.body and "Miel" not in placing.body
    on_hold = told["payout_account.on_hold"]
    assert "تعاونية تزنيت" in on_hold.subject
    assert "أرجعه البنك" in on_hold.body
    hers = told["part.declined"]
    assert "Coopérative Tiznit" in hers.subject
    assert "la coopérative n'a pas répondu" in hers.body.replace("’", "'")
    assert "Miel de thym" in hers.body


def test_what_an_arabic_member_does_reaches_a_french_customer_in_her_words():
    cooperative = CooperativeFactory(name_fr="Coopérative Tiznit", name_ar="تعاونية تزنيت")
    with override("ar"):
        (part,) = placed((ListingFactory(cooperative=cooperative), 1), language="fr")
        deciding.accept(supplier_order=part, by=None, at=NOW)
    outbox.sweep(at=NOW)

    message = OutboxMessage.objects.get(topic="part.accepted")

    assert message.subject == "Coopérative Tiznit prépare votre colis"
    assert "novembre" in message.body
    assert not any("\u0600" <= each <= "\u06ff" for each in message.body)
