"""What the shop inspection looked for in 2016, check by check, on the pages customers see.

Law 31-08 on consumers; the finding of the inspection stands beside each check as the share of shops that
failed it.
"""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from catalogue import publishing
from shop.core import mailing
from shop.core.models import OutboxMessage
from shop.fulfilment import deciding
from shop.orders.models import Order
from shop.payments import refunding
from shop.storefront import receipts
from shop.storefront.views.pages import COOKIES, PAGES
from tests.backoffice.conftest import as_
from tests.factories import (
    NOW,
    CertificationFactory,
    CooperativeFactory,
    LabelFactory,
    ListingFactory,
    UserFactory,
    placed,
)
from tests.storefront.visiting import Visitor

__all__ = ["as_"]

pytestmark = pytest.mark.django_db

LANGUAGES = ("fr", "ar", "en")
#: Whom the tests buy from, as the law wants her told.
IDENTITY = {
    "name": "Coopérative Tiwizi",
    "address": "Douar Aït Ali, Essaouira",
    "phone": "+212600000001",
    "email": "tiwizi@example.ma",
    "register_number": "RC/2014/17",
    "ice": "001561191000066",
}
SHOWN = (
    "Coopérative Tiwizi",
    "Douar Aït Ali, Essaouira",
    "06 00 00 00 01",
    "tiwizi@example.ma",
    "RC/2014/17",
    "001561191000066",
)


def text_of(response):
    """What is read on a page, without its marks."""
    page = response if isinstance(response, str) else response.content.decode()
    page = re.sub(r"</?(bdi|b|a|span|strong|wbr)\b[^>]*>", "", page)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page))).replace("\u00a0", " ")


@pytest.fixture
def honey():
    return ListingFactory(
        title_fr="Miel de thym",
        title_ar="عسل الزعتر",
        title_en="Thyme honey",
        price="150.00",
        cooperative=CooperativeFactory(**IDENTITY),
    )


# 89 %: terms are not in Arabic


def test_an_arabic_reader_is_given_terms_written_in_arabic(now):
    page = Visitor("ar").get("page", "terms")
    text = text_of(page)

    assert 'lang="ar" dir="rtl"' in page.content.decode()
    article = re.search(r"<article.*?</article>", page.content.decode(), re.DOTALL)[0]
    letters = re.findall(r"[^\W\d_]", text_of(article))
    arabic = [each for each in letters if "\u0600" <= each <= "\u06ff"]
    assert len(arabic) > 1500
    assert len(arabic) / len(letters) > 0.95
    assert "النص المعتمد في الطلبات المقدمة بالعربية" in text


def test_an_arabic_reader_is_led_to_the_arabic_terms_from_the_checkout(now, honey):
    visitor = Visitor("ar")
    visitor.add(honey)
    visitor.work_out()

    page = visitor.get("checkout").content.decode()

    assert re.search(r'<label class="tick" for="id_terms">.*?href="/ar/pages/terms/"', page, re.DOTALL)


@pytest.mark.parametrize("slug", sorted(PAGES))
def test_a_text_has_the_same_sections_in_every_language_and_says_from_when_it_holds(now, slug):
    pages = {each: Visitor(each).get("page", slug).content.decode() for each in LANGUAGES}

    sections = {each: re.findall(r'<h2 id="(s\d+)">', page) for each, page in pages.items()}
    assert sections["fr"] == sections["ar"] == sections["en"]
    for page in pages.values():
        assert re.findall(r'<li><a href="#(s\d+)">', page) == sections["fr"]
    assert "Version du 28 novembre 2026" in text_of(pages["fr"])
    assert "نسخة 28 نونبر 2026" in text_of(pages["ar"])
    assert "Version of 28 November 2026" in text_of(pages["en"])


# 74 %: no word on withdrawal


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", ("7 jours", "frais de retour sont à votre charge", "Je vous notifie par la présente")),
        ("ar", ("7 أيام", "مصاريف الإرجاع عليك", "أتراجع عن عقد بيع")),
        ("en", ("7 days", "You bear the cost of the way back", "I hereby give notice")),
    ],
)
def test_the_right_its_days_its_cost_and_a_form_are_on_a_page_of_their_own(now, language, said):
    text = text_of(Visitor(language).get("page", "withdrawal"))

    assert [each for each in said if each not in text] == []


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", ("7 jours", "retour")),
        ("ar", ("7 أيام", "الإرجاع")),
        ("en", ("withdraw within 7 days", "bear the way back")),
    ],
)
def test_withdrawal_and_its_cost_are_said_before_the_order_beside_the_button(now, honey, language, said):
    visitor = Visitor(language)
    visitor.add(honey)
    visitor.work_out()

    page = visitor.get("checkout").content.decode()

    beside = text_of(re.search(r'<label class="tick" for="id_terms">.*?</label>', page, re.DOTALL)[0])
    assert [each for each in said if each not in beside] == []
    assert visitor.url("page", "withdrawal") in page


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", ("7 jours", "frais de retour", "15 jours", "/fr/pages/terms/")),
        ("ar", ("7 أيام", "15 يوما", "/ar/pages/terms/")),
        ("en", ("within 7 days", "you bear the way back", "within 15 days", "/en/pages/terms/")),
    ],
)
@pytest.mark.parametrize("topic", ["order.placed", "order.confirmed"])
def test_both_mails_of_an_order_repeat_it_in_writing(now, honey, mailoutbox, language, said, topic):
    visitor = Visitor(language)
    visitor.add(honey)
    visitor.order(method="cash")

    mailing.send(OutboxMessage.objects.get(topic=topic))

    (mail,) = mailoutbox
    for body in (mail.body, mail.alternatives[0][0]):
        assert [each for each in said if each not in body.replace("\u00a0", " ")] == []


def test_exceptions_are_marked_on_the_listing_and_before_the_order(visitor):
    cheese = ListingFactory(shelf_life_months=1)
    keeps = ListingFactory(shelf_life_months=24)
    visitor.add(cheese)
    visitor.work_out()

    listing, checkout = text_of(visitor.get("listing", cheese.slug)), text_of(visitor.get("checkout"))

    assert "cannot be sent back" in listing
    assert "Goods that spoil quickly cannot be sent back." in checkout
    assert "cannot be sent back" not in text_of(visitor.get("listing", keeps.slug))


# 35 %: the seller is not identified


def test_each_listing_names_who_sells_with_address_phone_mail_and_registers(visitor, honey):
    text = text_of(visitor.get("listing", honey.slug))

    assert [each for each in SHOWN if each not in text] == []


def test_each_part_of_an_order_and_its_receipt_name_who_sells_too(now, honey):
    user = UserFactory()
    (part,) = placed((honey, 1), user=user)

    page = text_of(Visitor("fr", user=user).get("track", part.order.number))
    seller = receipts.data_of(part.order, language="fr")["parts"][0]["cooperative"]

    assert [each for each in SHOWN if each not in page] == []
    assert {key: seller[key] for key in ("name", "address", "phone", "email", "register", "ice")} == {
        "name": "Coopérative Tiwizi",
        "address": "Douar Aït Ali, Essaouira",
        "phone": "+212600000001",
        "email": "tiwizi@example.ma",
        "register": "RC/2014/17",
        "ice": "001561191000066",
    }


def test_all_who_sell_stand_on_one_page_and_who_left_does_not(visitor, honey):
    gone = CooperativeFactory(name="Coopérative Partie")
    gone.suspend()
    gone.save()

    text = text_of(visitor.get("sellers"))

    assert [each for each in SHOWN if each not in text] == []
    assert "Coopérative Partie" not in text


def test_more_sellers_than_fit_on_a_page_are_on_the_next(visitor):
    for number in range(61):
        CooperativeFactory(code=f"S{number:02d}", name=f"Coopérative S{number:02d}")

    first, second = (text_of(visitor.get("sellers", query={"page": page})) for page in (1, 2))

    assert "Coopérative S59" in first and "Coopérative S60" not in first
    assert "Coopérative S60" in second and "Coopérative S59" not in second


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_shop_itself_says_who_it_is(now, settings, language):
    settings.SHOP_LEGAL = settings.SHOP_LEGAL | {
        "name": "Tadamon SCOP",
        "address": "12, avenue Allal Ben Abdellah, Rabat",
        "phone": "+212537000000",
        "email": "contact@tadamon.example",
        "ice": "001561191000066",
        "register": "Rabat 2026/17",
        "cndp": "D-123/2026",
    }

    text = text_of(Visitor(language).get("page", "legal"))

    for each in (
        "Tadamon SCOP",
        "12, avenue Allal Ben Abdellah, Rabat",
        "05 37 00 00 00",
        "contact@tadamon.example",
        "001561191000066",
        "Rabat 2026/17",
        "D-123/2026",
    ):
        assert each in text, each


# 30 %: one court only


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_binds_anybody_to_one_court(now, language):
    one_court = re.compile(
        r"exclusi\w+ (compét|juri)|compétence exclusive|seul\w* compétent|tribunaux? de (Rabat|Casablanca)"
        r"|(الحصري|وحدها مختصة|دون غيرها)|exclusive jurisdiction|courts? of (Rabat|Casablanca)",
        re.IGNORECASE,
    )

    for slug in PAGES:
        assert not one_court.search(text_of(Visitor(language).get("page", slug))), slug


@pytest.mark.parametrize(
    "clause",
    [
        "le tribunal de Rabat est seul compétent",
        "compétence exclusive des tribunaux",
        "ينعقد الاختصاص الحصري للمحكمة",
        "the courts of Rabat",
    ],
)
def test_a_clause_that_did_would_be_found(now, monkeypatch, clause):
    monkeypatch.setattr(f"{__name__}.text_of", lambda _response: clause)

    with pytest.raises(AssertionError):
        for language in LANGUAGES:
            test_no_text_binds_anybody_to_one_court(now, language)


# 21 %: a claim without its proof


def test_no_label_is_shown_without_a_certificate_valid_today(visitor):
    over = CertificationFactory(
        label=LabelFactory(code="aop", short_name="Protected Lapsed", name="Protected Lapsed"),
        valid_until=(NOW - timedelta(days=1)).date(),
    )
    ListingFactory(cooperative=over.cooperative, title="Plain oil")

    for page in (visitor.get("home"), visitor.get("cooperative", over.cooperative.slug)):
        assert "Protected Lapsed" not in text_of(page)
    assert "Nobody holds it today." in text_of(visitor.get("label", "aop"))


# 19 %, 16 %: no summary, terms, delay or cost before the button


def test_summary_delay_cost_of_each_shipment_and_terms_stand_before_the_button(visitor, honey):
    other = ListingFactory(title="Black soap", price="30.00")
    visitor.add(honey)
    visitor.add(other)
    visitor.work_out()

    page = visitor.get("checkout").content.decode()

    before = text_of(page[: page.index('<button class="button wide" type="submit">')])
    assert before.count("Delivery MAD 30, between Tuesday 24 and Thursday 26 November") == 2
    for each in ("1 × Thyme honey", "1 × Black soap", "MAD 240.00", "I have read the terms of sale"):
        assert each in before, each


def test_without_the_terms_nothing_is_ordered(visitor, honey):
    visitor.add(honey)

    response = visitor.order(terms="")

    assert response.status_code == 422
    assert not Order.objects.exists()


# 13 %: terms out of reach


@pytest.mark.parametrize("language", LANGUAGES)
def test_terms_withdrawal_and_legal_notice_are_one_step_from_every_page(now, honey, language):
    visitor = Visitor(language)
    visitor.add(honey)
    pages = [
        visitor.get(each)
        for each in (
            "home",
            "calendar",
            "listings",
            "regions",
            "labels",
            "cooperatives",
            "sellers",
            "basket",
            "checkout",
            "account",
        )
    ]
    pages += [
        visitor.get("listing", honey.slug),
        visitor.get("cooperative", honey.cooperative.slug),
        visitor.client.get(f"/{language}/nothing/here/"),
        *(visitor.get("page", slug) for slug in PAGES),
    ]

    for page in pages:
        for slug in ("terms", "withdrawal", "delivery", "payment", "privacy", "legal", "how-we-work"):
            assert f'href="{visitor.url("page", slug)}"' in page.content.decode(), (page.request, slug)
        assert f'href="{visitor.url("sellers")}"' in page.content.decode()


# 12 %: refunded late when a good is not there


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", "15 jours après votre paiement"),
        ("ar", "15 يوما بعد الأداء"),
        ("en", "15 days after your payment"),
    ],
)
def test_the_days_of_a_refund_are_in_the_terms(now, language, said):
    assert said in text_of(Visitor(language).get("page", "terms"))


def test_what_a_cooperative_cannot_supply_is_refunded_within_15_days_and_reported_once_overdue(
    shop, as_, mailoutbox
):
    part = shop.paid_order((ListingFactory(price="150.00"), 1), language="en").supplier_orders.get()
    deciding.decline(supplier_order=part, reason="sold at the fair", by=None, at=shop.at)
    refunding.refund_ended_parts(at=shop.at)
    refund = part.refunds.get()
    declined = OutboxMessage.objects.get(topic="part.declined")
    mailing.send(declined)
    operator = as_("support")

    in_time = operator.get("/backoffice/orders/?show=refunds_past_due").content.decode()
    shop.wait(days=16)
    late = operator.get("/backoffice/orders/?show=refunds_past_due").content.decode()

    assert "within 15 days" in mailoutbox[0].body
    assert refund.due_on == (NOW + timedelta(days=15)).date()
    assert part.order.number not in in_time
    assert part.order.number in late


# 6 %, 3 %: how long an offer holds; dirhams with tax


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", ("jour où le produit est mis en vente", "toutes taxes comprises")),
        ("ar", ("من يوم عرض المنتوج للبيع", "شاملة لجميع الضرائب")),
        ("en", ("from the day the good is put on sale", "all taxes included")),
    ],
)
def test_the_terms_say_how_long_an_offer_holds_and_that_tax_is_inside(now, language, said):
    text = text_of(Visitor(language).get("page", "terms"))

    assert [each for each in said if each not in text] == []


def test_an_offer_is_over_on_the_day_it_is_taken_away(visitor, honey):
    publishing.withdraw(listing=honey)

    assert visitor.get("listing", honey.slug).status_code in (404, 410)
    assert visitor.add(honey).status_code == 409
    assert "Your basket is empty" in text_of(visitor.get("basket"))


def test_every_price_on_a_listing_is_in_dirhams_with_tax(now, honey):
    texts = {each: text_of(Visitor(each).get("listing", honey.slug)) for each in LANGUAGES}

    assert "150,00 MAD" in texts["fr"] and "Prix TTC" in texts["fr"]
    assert "150,00 درهم" in texts["ar"]
    assert "MAD 150.00" in texts["en"] and "Price with tax" in texts["en"]
    for each in texts.values():
        assert not re.search(r"€|\$|EUR|USD", each)


# Law 09-08


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_on_personal_data_names_every_cookie_and_no_other(now, honey, language):
    visitor = Visitor(language)
    text = text_of(visitor.get("page", "privacy"))
    visitor.get("home")
    visitor.client.get(f"/{language}/language/{language}/")
    visitor.add(honey)
    visitor.get("basket")
    visitor.get("checkout")
    visitor.client.post("/account/login/", {"login": "nobody@example.ma", "password": "x"})

    named = {name for name, _what, _how_long in COOKIES}
    assert set(visitor.client.cookies) - named == set()
    assert {"sessionid", "csrftoken", "tadamon_language", "tadamon_basket"} <= set(visitor.client.cookies)
    assert [each for each in named if each not in text] == []


@pytest.mark.parametrize(
    ("language", "without", "rights"),
    [
        ("fr", "n'a pas encore de numéro", ("accès", "rectification", "opposition", "CNDP")),
        ("ar", "ليس للتصريح", ("الولوج", "التصحيح", "التعرض", "اللجنة الوطنية")),
        ("en", "has no number yet", ("right to see, correct and object", "CNDP")),
    ],
)
def test_rights_and_the_number_at_the_cndp_are_told(now, settings, language, without, rights):
    settings.SHOP_LEGAL = settings.SHOP_LEGAL | {"cndp": ""}
    before = text_of(Visitor(language).get("page", "privacy"))
    settings.SHOP_LEGAL = settings.SHOP_LEGAL | {"cndp": "D-123/2026"}

    after = text_of(Visitor(language).get("page", "privacy"))

    assert without in before
    assert without not in after and "D-123/2026" in after
    assert "D-123/2026" in text_of(Visitor(language).get("home"))
    assert [each for each in rights if each not in after] == []
