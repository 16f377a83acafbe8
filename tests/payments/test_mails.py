"""Every mail of this room can be read in each language, and says the amounts."""

import pytest

from shop.core import mailing
from shop.core.models import OutboxMessage
from shop.payments import paying, payouts, refunding
from tests.factories import (
    CooperativeFactory,
    ListingFactory,
    MemberFactory,
    OperatorFactory,
    PayoutAccountFactory,
    order_of,
)

pytestmark = pytest.mark.django_db
TOPICS = {
    "order.confirmed",
    "order.expired",
    "payment.late",
    "refund.sent",
    "refund.taken_off",
    "payout.sent",
    "payout.rejected",
}


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_every_mail_is_whole_in_every_language(shop, language, mailoutbox):
    cooperative = CooperativeFactory(code="A")
    MemberFactory(cooperative=cooperative)
    PayoutAccountFactory(cooperative=cooperative)
    listing = ListingFactory(cooperative=cooperative, price="600.00", stock=50)
    ended = order_of((listing, 1), language=language)
    paying.page_for(payment=shop.payment_of(ended), urls=_urls(), at=shop.at)
    shop.late_payment()
    part = shop.paid_order((listing, 1), language=language).supplier_orders.get()
    shop.released(part)
    paying.expire_due(at=shop.at)
    run = payouts.plan(by=OperatorFactory(), at=shop.at)
    payouts.approve(run=run, by=OperatorFactory(), at=shop.at)
    payouts.hand_over(batch=run.batch, at=shop.at)
    payouts.reject(payout=run.payouts.get(), why="AC04", at=shop.at)
    refund = refunding.request(
        supplier_order=part, reason="claim", lines=None, with_delivery=False, by=None, at=shop.at
    )
    refunding.send(refund=refund, at=shop.at)

    promised = OutboxMessage.objects.filter(topic__in=TOPICS)
    assert set(promised.values_list("topic", flat=True)) == TOPICS
    for message in promised:
        message.language = language
        mailing.send(message)

    for mail in mailoutbox:
        assert mail.subject
        assert "None" not in mail.body
        assert "{" not in mail.subject + mail.body
        assert mail.alternatives[0][0].strip().endswith("</html>")
    bodies = " ".join(each.body for each in mailoutbox)
    assert "600,00" in bodies.replace("600.00", "600,00")
    assert "534,00" in bodies.replace("534.00", "534,00")


def _urls():
    from tests.payments.shop import URLS

    return URLS
