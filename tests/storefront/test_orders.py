"""After the order: paying, coming back, following, cancelling, the receipt. Nobody else may look."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from pypdf import PdfReader

from catalogue.models import Product
from shop.core import mailing
from shop.core.models import OutboxMessage
from shop.fulfilment import deciding, delivering
from shop.fulfilment.models import Shipment, SupplierOrder
from shop.orders import links
from shop.orders.models import Order
from shop.payments import paying, refunding, tasks
from shop.payments.models import Payment, PaymentAttempt
from shop.storefront import following, receipts
from tests.factories import (
    NOW,
    CooperativeFactory,
    ListingFactory,
    UserFactory,
    dispatched,
    mad,
    placed,
    stock_of,
)
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db

State = SupplierOrder.State


def text_of(response):
    text = re.sub(r"\s+", " ", response.content.decode()).replace("\u00a0", " ")
    return text.replace("> <", "><")


def opened_by(order: Order, language: str = "en") -> Visitor:
    """A guest who came by her signed link."""
    visitor = Visitor(language)
    response = visitor.get("track_guest", links.sign(order=order))
    assert response["Location"] == visitor.url("track", order.number)
    return visitor


@pytest.fixture
def honey():
    return ListingFactory(
        title="Thyme honey",
        price="150.00",
        stock=5,
        cooperative=CooperativeFactory(name="Jbel Nahla", place="Chefchaouen", is_demo=True),
    )


# Paying and coming back


def test_a_card_order_is_confirmed_when_the_bank_says_so_and_not_when_the_address_does(shop, honey):
    visitor = Visitor()
    visitor.add(honey, 2)
    page = visitor.order()["Location"]
    order = Order.objects.get()

    forged = visitor.client.get(visitor.url("payment_return", order.number) + "?session=cs_test_paid&paid=1")
    order.refresh_from_db()
    stage_before = order.stage
    shop.press_pay(order)
    back = visitor.get("payment_return", order.number)

    assert page.startswith("http")
    assert forged.status_code == 200
    assert "Your payment is being confirmed" in text_of(forged)
    assert f'content="4;url={visitor.url("payment_return", order.number)}?look=1"' in forged.content.decode()
    assert stage_before == Order.Stage.AWAITING_PAYMENT
    assert back["Location"] == visitor.url("track", order.number) + "?thanks=1"
    order.refresh_from_db()
    assert order.stage == Order.Stage.CONFIRMED
    assert "Thank you, your order is placed" in text_of(visitor.client.get(back["Location"]))


def test_pressing_four_times_opens_one_page_and_charges_once(shop, honey):
    visitor = Visitor()
    visitor.add(honey, 2)
    visitor.work_out()
    form = visitor.answers() | {"terms": "on"} | visitor.shown()

    pages = {visitor.post("place", **form)["Location"] for _press in range(4)}
    order = Order.objects.get()
    shop.press_pay(order)
    after = visitor.post("place", **form)["Location"]

    assert len(pages) == 1
    assert len(shop.things("session")) == 1
    assert len(shop.things("charge")) == 1
    assert order.payment.attempts.count() == 1
    assert after == visitor.url("track", order.number)


def test_the_return_page_stops_looking_by_itself_after_a_while(shop, honey):
    visitor = Visitor()
    visitor.add(honey)
    visitor.order()
    order = Order.objects.get()

    page = visitor.get("payment_return", order.number, query={"look": "12"})

    assert "http-equiv" not in page.content.decode()
    assert "You need not wait" in text_of(page)


def test_an_order_not_paid_in_time_says_so_and_cannot_be_paid(shop, honey):
    visitor = Visitor()
    visitor.add(honey)
    visitor.order()
    order = Order.objects.get()
    waiting = text_of(visitor.get("track", order.number))
    shop.wait(minutes=31)
    paying.expire_due(at=shop.at)

    page = text_of(visitor.get("track", order.number))
    pressed = visitor.post("pay", order.number)

    assert "Your goods are kept until 10:30." in waiting
    assert "This order was not paid in time" in page
    assert "Pay MAD" not in page
    assert pressed["Location"] == visitor.url("track", order.number)
    assert stock_of(honey) == (5, 0)


# Who may look


def test_another_persons_order_does_not_exist(now, honey):
    (part,) = placed((honey, 1))
    order = part.order

    for visitor in (Visitor(), Visitor(user=UserFactory())):
        for page in ("track", "receipt", "payment_return"):
            assert visitor.get(page, order.number).status_code == 404
        assert visitor.post("pay", order.number).status_code == 404
        assert visitor.post("cancel_part", part.reference).status_code == 404
    part.refresh_from_db()
    assert part.state == State.PLACED


@pytest.mark.parametrize("number", ["T-00000000", "1", "T-7K3M9QX2P-1", "x" * 200])
def test_a_foreign_or_malformed_number_is_not_found(now, number):
    visitor = Visitor(user=UserFactory())

    for page in ("track", "receipt", "payment_return", "cancel_part", "received"):
        assert visitor.get(page, number).status_code == 404


@pytest.mark.parametrize("token", ["forged", "eyJh:1:2", "x" * 500])
def test_a_forged_link_opens_nothing_and_says_what_to_do(visitor, token):
    response = visitor.get("track_guest", token)

    assert response.status_code == 404
    assert "This link is no longer valid." in text_of(response)
    assert "Send me the link" in text_of(response)


def test_a_revoked_link_closes_also_the_sessions_it_opened(now, honey):
    (part,) = placed((honey, 1))
    visitor = opened_by(part.order)
    token = links.sign(order=part.order)

    links.revoke(order=part.order)

    assert visitor.get("track", part.order.number).status_code == 404
    assert Visitor().get("track_guest", token).status_code == 404


def test_a_guest_order_belongs_to_whoever_proves_its_mail(now, honey):
    (part,) = placed((honey, 1), email="amina@example.ma")
    user = UserFactory(email="amina@example.ma")
    visitor = Visitor(user=user)
    unproved = visitor.get("track", part.order.number).status_code

    EmailAddress.objects.create(user=user, email="amina@example.ma", verified=True, primary=True)

    assert unproved == 404
    assert visitor.get("track", part.order.number).status_code == 200
    assert part.order.number in text_of(visitor.get("account"))


# Following


def test_every_part_stands_with_its_state_and_what_can_be_done(now, honey):
    rug = ListingFactory(title="Rug", price="850.00", cooperative=CooperativeFactory(name="Laine"))
    first, second = placed((honey, 2), (rug, 1))
    deciding.accept(supplier_order=second, by=None, at=NOW)
    visitor = opened_by(first.order)

    page = text_of(visitor.get("track", first.order.number))

    assert "2 parcels: 1 is being prepared, 1 waits for its cooperative." in page
    assert visitor.url("cancel_part", first.reference) in page
    assert visitor.url("cancel_part", second.reference) not in page
    assert "Chefchaouen" in page
    assert "Casablanca" in page
    assert "RC/2014/17</bdi> (fictional)" in page


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_the_page_reads_in_each_language_at_each_state(now, honey, language):
    (part,) = placed((honey, 2), to="dispatched")
    visitor = opened_by(part.order, language)
    on_its_way = visitor.get("track", part.order.number)
    delivering.record_delivery(shipment=part.shipments.get(), proof=Shipment.Proof.TRACKING, at=NOW)

    arrived = visitor.get("track", part.order.number)

    assert (on_its_way.status_code, arrived.status_code) == (200, 200)
    assert on_its_way.content != arrived.content


def test_a_declined_part_says_why(now, honey):
    (part,) = placed((honey, 2))
    deciding.decline(supplier_order=part, by=None, reason="sold_out", at=NOW)

    page = text_of(opened_by(part.order).get("track", part.order.number))

    assert "The cooperative could not fill your order" in page
    assert "Declined by the cooperative" in page
    assert "the goods are no longer there" in page


@pytest.mark.parametrize(
    "language, heading, badge, said",
    [
        ("en", "You cancelled this order", "Cancelled by you", "2 parcels were cancelled at your wish"),
        (
            "fr",
            "Vous avez annulé cette commande",
            "Annulé par vous",
            "2 colis ont été annulés à votre demande",
        ),
        ("ar", "ألغيت هذا الطلب", "ألغيته بنفسك", "اثنان أُلغيا بطلب منك"),
    ],
)
def test_her_own_cancellation_is_said_to_be_hers(now, honey, language, heading, badge, said):
    rug = ListingFactory(title="Rug", cooperative=CooperativeFactory(name="Laine"))
    parts = placed((honey, 2), (rug, 1))
    for part in parts:
        deciding.cancel(supplier_order=part, at=NOW)

    page = text_of(opened_by(part.order, language).get("track", part.order.number))

    assert heading in page
    assert page.count(badge) >= len(parts)
    assert said in page
    assert "sans suite" not in page


def test_what_support_cancelled_for_her_is_not_said_to_be_her_doing(now, honey):
    (part,) = placed((honey, 2))
    deciding.cancel(supplier_order=part, at=NOW, actor="support@example.ma")

    page = text_of(opened_by(part.order).get("track", part.order.number))

    assert "This order was cancelled for you" in page
    assert "You cancelled" not in page


def test_the_total_says_what_went_back_and_what_remains_paid_and_so_does_the_receipt(shop, honey):
    soap = ListingFactory(title="Soap", price="100.00", cooperative=CooperativeFactory(name="Tagmat"))
    order = shop.paid_order((honey, 2), (soap, 1))
    first, second = order.supplier_orders.order_by("reference")
    visitor = opened_by(order)
    before = text_of(visitor.get("track", order.number))
    deciding.cancel(supplier_order=first, at=shop.at)
    refund = refunding.refund_ended_part(supplier_order=first, at=shop.at)

    asked = text_of(visitor.get("track", order.number))
    refunding.send(refund=refund, at=shop.at)
    shop.import_balance()
    arrived = text_of(visitor.get("track", order.number))

    assert "Total, tax included</dt><dd>" in before and "Refund" not in before
    assert _totals_in(asked) == [
        ("Goods", "MAD 400"),
        ("Delivery", "MAD 60"),
        ("Total ordered", "MAD 460"),
        ("Refund on its way", "−MAD 330"),
        ("Remains paid, tax included", "MAD 130"),
    ]
    assert _totals_in(arrived)[3:] == [
        ("Refunded", "−MAD 330"),
        ("Remains paid, tax included", "MAD 130"),
    ]
    paper = receipts.data_of(order, language="en")
    assert [(each["label"], each["amount"].replace("\u00a0", " ")) for each in paper["totals"]][2:] == [
        ("Total ordered", "MAD 460.00"),
        ("Refunded", "−MAD 330.00"),
        ("Remains paid, tax included", "MAD 130.00"),
    ]
    assert [each["amount"].replace("\u00a0", " ") for each in paper["breakdown"]] == [
        "MAD 89.00",
        "MAD 8.33",
        "MAD 1.67",
        "MAD 1.00",
    ]
    assert paper["parts"][0]["reference"] == f"{first.reference} — cancelled by you"
    assert second.reference in arrived


def test_of_a_cash_order_a_part_that_came_to_nothing_is_taken_off_the_total(now, honey):
    soap = ListingFactory(title="Soap", price="100.00", cooperative=CooperativeFactory(name="Tagmat"))
    first, _second = placed((honey, 2), (soap, 1), method="cash")
    deciding.decline(supplier_order=first, by=None, reason="sold_out", at=NOW)

    page = text_of(opened_by(first.order).get("track", first.order.number))

    assert _totals_in(page)[2:] == [
        ("Total ordered", "MAD 460"),
        ("Not delivered, nothing to pay", "−MAD 330"),
        ("For what you keep, tax included", "MAD 130"),
    ]


def _totals_in(page: str) -> list[tuple[str, str]]:
    """The rows of the sum on a page, as read."""
    table = page.partition('<dl class="totals">')[2].partition("</dl>")[0]
    rows = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", table)
    return [(name, re.sub(r"<[^>]+>|[\u2066-\u2069\u200e\u200f]", "", amount)) for name, amount in rows]


def test_a_part_is_cancelled_after_being_asked_once(now, honey):
    (part,) = placed((honey, 2))
    visitor = opened_by(part.order)

    asked = visitor.get("cancel_part", part.reference)
    part.refresh_from_db()
    before = part.state
    done = visitor.post("cancel_part", part.reference)

    assert "Cancel the part of Jbel Nahla?" in text_of(asked)
    assert "MAD 330.00" in text_of(asked)
    assert before == State.PLACED
    assert done["Location"] == visitor.url("track", part.order.number)
    part.refresh_from_db()
    assert part.state == State.CANCELLED
    assert stock_of(honey) == (5, 0)


def test_what_was_paid_for_a_cancelled_part_is_on_its_way_back_at_once(
    now, honey, monkeypatch, django_capture_on_commit_callbacks
):
    (part,) = placed((honey, 2))
    nudged = []
    monkeypatch.setattr(tasks.refund_ended_parts, "delay", lambda: nudged.append("refund_ended_parts"))
    visitor = opened_by(part.order)

    with django_capture_on_commit_callbacks(execute=True):
        visitor.post("cancel_part", part.reference)
        before_the_commit = list(nudged)
        visitor.post("cancel_part", part.reference)  # again, and refused

    assert (before_the_commit, nudged) == ([], ["refund_ended_parts"])


def test_an_accepted_part_can_no_longer_be_cancelled(now, honey):
    (part,) = placed((honey, 2), to="accepted")
    visitor = opened_by(part.order)

    asked = visitor.get("cancel_part", part.reference)
    visitor.post("cancel_part", part.reference)

    assert asked.status_code == 302
    assert "no longer" in text_of(visitor.get("track", part.order.number))
    part.refresh_from_db()
    assert part.state == State.ACCEPTED


def test_the_customer_says_herself_that_a_parcel_has_come(now, honey):
    (part,) = placed((honey, 2), to="dispatched")
    parcel = part.shipments.get()
    visitor = opened_by(part.order)

    asked = visitor.get("received", parcel.reference)
    visitor.post("received", parcel.reference)
    again = visitor.post("received", parcel.reference)

    assert "Has the parcel of Jbel Nahla arrived?" in text_of(asked)
    parcel.refresh_from_db()
    part.refresh_from_db()
    assert (parcel.proof, part.state) == (Shipment.Proof.CUSTOMER, State.DELIVERED)
    assert again.status_code == 302


def test_saying_that_a_parcel_paid_at_the_door_has_come_says_that_it_is_paid(now, honey):
    (part,) = placed((honey, 2), to="accepted", method="cash")
    parcel = dispatched(part)
    visitor = opened_by(part.order)
    on_its_way = text_of(visitor.get("track", part.order.number))

    asked = text_of(visitor.get("received", parcel.reference))
    visitor.post("received", parcel.reference)

    assert "Have MAD 330 ready in cash." in on_its_way
    assert "you also say that you have paid the carrier <bdi>MAD 330.00</bdi>" in asked
    part.refresh_from_db()
    assert part.state == State.DELIVERED


# The receipt


def words_of(response):
    pages = PdfReader(io.BytesIO(response.content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split()).replace("\u00a0", " ")


def test_the_receipt_names_every_seller_and_adds_up(now, honey):
    (part,) = placed((honey, 2))
    visitor = opened_by(part.order)

    response = visitor.get("receipt", part.order.number)

    assert response["Content-Type"] == "application/pdf"
    words = words_of(response)
    for said in (part.order.number, "Jbel Nahla", "Thyme honey", "MAD 300.00", "MAD 330.00", "Salma Idrissi"):
        assert said in words, said


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_the_receipt_speaks_the_language_of_the_page(now, honey, language):
    (part,) = placed((honey, 2))

    response = opened_by(part.order, language).get("receipt", part.order.number)

    assert response.status_code == 200
    assert part.order.number in words_of(response)


def test_there_is_no_receipt_for_an_order_that_is_not_confirmed(shop, honey):
    visitor = Visitor()
    visitor.add(honey)
    visitor.order()

    assert visitor.get("receipt", Order.objects.get().number).status_code == 404


# The link, the account


def test_the_link_is_sent_again_and_the_answer_never_tells_whether_there_is_such_an_order(now, honey):
    (part,) = placed((honey, 1), email="salma@example.ma")
    OutboxMessage.objects.all().delete()
    visitor = Visitor()

    right = visitor.post("link_again", number=part.order.number.lower(), email="Salma@example.ma")
    promised = list(OutboxMessage.objects.values_list("topic", "recipient"))
    wrong = visitor.post("link_again", number=part.order.number, email="else@example.ma")
    again = visitor.post("link_again", number=part.order.number, email="salma@example.ma")

    assert promised == [("order.link", "salma@example.ma")]
    assert OutboxMessage.objects.count() == 1
    assert {each["Location"] for each in (right, wrong, again)} == {visitor.url("account")}
    assert "If there is such an order" in text_of(visitor.get("account"))


def test_the_link_to_an_account_s_order_leads_through_the_sign_in(now, honey, mailoutbox):
    (part,) = placed((honey, 1), email="salma@example.ma", user=UserFactory(email="salma@example.ma"))
    OutboxMessage.objects.all().delete()
    visitor = Visitor("fr")

    visitor.post("link_again", number=part.order.number, email="salma@example.ma")
    mailing.send(OutboxMessage.objects.get())

    (mail,) = mailoutbox
    page = visitor.url("track", part.order.number)
    assert "180" not in mail.body
    assert f"?next={page}" in mail.body
    assert f"?next={page}" in mail.alternatives[0][0]
    assert "/follow/" not in mail.body


def test_a_mistyped_number_is_told_at_once(visitor):
    response = visitor.post("link_again", number="T-7K3M9QX2A", email="salma@example.ma")

    assert response.status_code == 422
    assert "This number has a typing error." in text_of(response)
    assert not OutboxMessage.objects.exists()


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_mails_about_an_order_render_in_each_language(now, honey, language, mailoutbox):
    visitor = Visitor(language)
    visitor.add(honey, 2)
    visitor.order(method="cash")
    order = Order.objects.get()
    visitor.post("link_again", number=order.number, email="salma@example.ma")

    for message in OutboxMessage.objects.filter(topic__in=["order.placed", "order.link"]):
        mailing.send(message)

    first, second = mailoutbox
    assert order.number in first.subject
    assert order.number in second.subject
    assert f"/{language}/follow/" in first.body
    assert f"/{language}/follow/" in second.body
    assert f"/{language}/pages/terms/" in first.body
    assert first.alternatives
    link = re.search(r"http://[^\s]+/follow/[^\s]+", second.body)[0]
    assert Visitor(language).client.get(link.split("8000", 1)[-1]).status_code == 302


def test_an_account_lists_its_orders_newest_first(now, honey):
    user = UserFactory()
    (older,) = placed((honey, 1), user=user, at=NOW - timedelta(days=3))
    (newer,) = placed((honey, 1), user=user)

    page = text_of(Visitor(user=user).get("account"))

    assert page.index(newer.order.number) < page.index(older.order.number)
    assert "MAD 180.00" in page
    assert mad("180.00") == newer.order.total


def test_a_payment_never_starts_for_a_cash_order(now, honey):
    (part,) = placed((honey, 1), method="cash")
    visitor = opened_by(part.order)

    response = visitor.post("pay", part.order.number)

    assert response["Location"].startswith(visitor.url("track", part.order.number))
    assert not Payment.objects.exists()


# On the hosted page


@pytest.mark.parametrize(
    ("language", "name"), [("fr", "Livraison, Jbel Nahla"), ("ar", "التوصيل من Jbel Nahla")]
)
def test_the_hosted_page_names_the_delivery_in_the_customers_language(shop, honey, language, name):
    visitor = Visitor(language)
    visitor.add(honey)

    visitor.order()

    assert name in [each["description"] for each in shop.things("item")]


# Whoever reads, in her language


def bilingual(**given):
    listing = ListingFactory(stock=9, **given)
    Product.objects.filter(pk=listing.pk).update(
        title_fr="Savon",
        title_ar="صابون",
        title_en="Soap",
        unit_fr="un pain",
        unit_ar="قطعة",
        unit_en="a bar",
    )
    listing.refresh_from_db()
    return listing


def test_goods_stand_in_the_readers_language_wherever_the_order_is_read(now):
    (part,) = placed((bilingual(), 1), method="cash", language="fr")
    number = part.order.number

    def read(language):
        visitor = opened_by(part.order, language)
        pdf = PdfReader(io.BytesIO(visitor.get("receipt", number).content))
        papers = "".join(page.extract_text() for page in pdf.pages)
        return (
            text_of(visitor.get("track", number)),
            text_of(visitor.get("cancel_part", part.reference)),
            papers,
        )

    for page in read("fr"):
        assert "Savon" in page
    page, asked, _papers = read("ar")
    assert "صابون" in page and "صابون" in asked
    assert "Savon" not in page
    assert all("Soap" in each for each in read("en"))
    assert part.order.lines.get().title == "Savon"


def test_in_the_language_she_bought_in_the_words_stay_those_she_bought(now):
    listing = bilingual()
    (part,) = placed((listing, 1), method="cash", language="fr")
    Product.objects.filter(pk=listing.pk).update(title_fr="Autre chose")

    assert "Savon" in text_of(opened_by(part.order, "fr").get("track", part.order.number))


def test_an_unpaid_order_too_is_read_in_the_readers_language_and_paid_in_it(shop):
    guest = Visitor("fr")
    guest.add(bilingual())
    guest.order()
    number = Order.objects.get().number
    guest.language = "ar"

    assert "صابون" in text_of(guest.get("track", number))

    # The page begun in French stays the one page; once it is closed the next one speaks as she does.
    guest.post("pay", number)
    assert [each["description"] for each in shop.things("item")][0] == "Savon"
    assert PaymentAttempt.objects.count() == 1
    PaymentAttempt.objects.update(state=PaymentAttempt.State.CLOSED)
    guest.post("pay", number)
    assert "صابون" in [each["description"] for each in shop.things("item")]
    assert PaymentAttempt.objects.count() == 2


@pytest.mark.parametrize("goods", [1, 4])
def test_titles_cost_no_query_for_each_good(now, goods, django_assert_max_num_queries):
    maker = CooperativeFactory()
    (part,) = placed(*((bilingual(cooperative=maker), 1) for _ in range(goods)), method="cash", language="fr")
    visitor = opened_by(part.order, "ar")

    with django_assert_max_num_queries(16):
        visitor.get("track", part.order.number)


# Back from the payment page without having paid


@pytest.mark.parametrize("page", ["basket", "account"])
def test_an_order_that_waits_for_its_payment_stands_on_the_empty_basket_and_the_account(shop, honey, page):
    visitor = Visitor("fr")
    visitor.add(honey)
    visitor.order()
    number = Order.objects.get().number

    shown = visitor.get(page).content.decode()

    assert "attend son paiement jusqu'à" in shown.replace("&#x27;", "'")
    assert visitor.url("pay", number) in shown
    assert visitor.url("take_back", number) in shown
    assert number not in Visitor("fr").get(page).content.decode()


def test_an_unpaid_order_is_taken_back_and_its_goods_can_be_sold_again(shop, honey):
    visitor = Visitor("fr")
    visitor.add(honey)
    visitor.order()
    number = Order.objects.get().number

    answer = visitor.post("take_back", number)
    twice = visitor.post("take_back", number)

    order = Order.objects.get()
    assert answer["Location"] == twice["Location"] == visitor.url("track", number)
    assert order.ended_at is not None and order.confirmed_at is None
    assert stock_of(honey) == (5, 0)
    assert not PaymentAttempt.objects.filter(state__in=["asked", "open"]).exists()
    assert "Vous avez annulé cette commande" in text_of(visitor.get("track", number))
    assert number not in visitor.get("basket").content.decode()
    mail = OutboxMessage.objects.get(topic="order.expired")
    mailing.send(mail)
    assert mail.subject == f"Votre commande {number} est annulée"


def test_nobody_takes_another_persons_order_back(shop, honey):
    visitor = Visitor("fr")
    visitor.add(honey)
    visitor.order()

    assert Visitor("fr").post("take_back", Order.objects.get().number).status_code == 404
    assert Order.objects.get().ended_at is None


def test_parcels_stand_in_the_same_order_before_and_after_the_payment(shop):
    visitor = Visitor("fr")
    second, first = (ListingFactory(cooperative=CooperativeFactory(code=code)) for code in ("C82", "C81"))
    visitor.add(second)
    visitor.add(first)
    visitor.order()
    order = Order.objects.get()

    waiting = [each["name"] for each in following.waiting(order)]

    assert waiting == [first.cooperative.name, second.cooperative.name]


def test_the_receipt_of_three_parcels_keeps_its_sums_together(now):
    parts = placed(*((ListingFactory(), 1) for _ in range(3)), method="cash", language="fr")

    pages = PdfReader(io.BytesIO(receipts.receipt_of(parts[0].order, language="fr"))).pages

    assert len(pages) == 1
