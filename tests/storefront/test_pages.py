"""Texts, languages, and what stands there when something is wrong."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from shop.storefront.views.pages import PAGES
from tests.factories import PASSWORD, ListingFactory, MemberFactory, OperatorFactory, UserFactory
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db

LANGUAGES = ("fr", "ar", "en")


def text_of(response):
    return re.sub(r"\s+", " ", response.content.decode())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("slug", sorted(PAGES))
def test_every_text_is_written_in_every_language(now, slug, language):
    response = Visitor(language).get("page", slug)

    assert response.status_code == 200
    assert len(re.findall(r"<h2", response.content.decode())) >= 4


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", ("7 jours", "15 jours", "30 jours", "mandataire", "31-08")),
        ("ar", ("7 أيام", "15 يوما", "30 يوما", "وسيطا", "31.08")),
        ("en", ("7 days", "15 days", "30 days", "agent", "31-08")),
    ],
)
def test_the_terms_say_what_the_law_on_consumers_wants(now, language, said):
    text = text_of(Visitor(language).get("page", "terms"))

    for each in said:
        assert each in text, each


@pytest.mark.parametrize(
    ("language", "forbidden", "kept"),
    [
        (
            "fr",
            ("exclusivement compétent", "compétence exclusive", "seul compétent"),
            "celui de votre domicile",
        ),
        ("ar", ("الاختصاص الحصري", "وحدها مختصة"), "محكمة موطنك"),
        ("en", ("exclusive jurisdiction", "only the court"), "that of your home"),
    ],
)
def test_the_terms_bind_nobody_to_one_court(now, language, forbidden, kept):
    text = text_of(Visitor(language).get("page", "terms"))

    assert kept in text
    assert not [each for each in forbidden if each in text]


@pytest.mark.parametrize("language", LANGUAGES)
def test_terms_and_withdrawal_are_reached_from_every_page(now, language):
    visitor = Visitor(language)

    for page in ("home", "listings", "basket", "account"):
        text = visitor.get(page).content.decode()
        assert visitor.url("page", "terms") in text
        assert visitor.url("page", "withdrawal") in text
        assert visitor.url("page", "legal") in text


def test_legal_numbers_of_the_demonstration_are_marked(now):
    assert "(fictif)" in text_of(Visitor("fr").get("page", "legal"))
    assert "(متخيل)" in text_of(Visitor("ar").get("page", "legal"))


def test_an_unknown_text_is_not_found(visitor):
    assert visitor.get("page", "nothing").status_code == 404


@pytest.mark.parametrize(
    ("cookie", "accepts", "leads_to"),
    [
        ("ar", "en", "/ar/"),
        ("", "ar-MA,ar;q=0.9,fr;q=0.8", "/ar/"),
        ("", "en-GB,en", "/en/"),
        ("", "de", "/fr/"),
        ("xx", "en", "/en/"),
        ("", "", "/fr/"),
    ],
)
def test_the_bare_address_leads_to_the_language_chosen_or_asked_for(cookie, accepts, leads_to):
    client = Client()
    if cookie:
        client.cookies["tadamon_language"] = cookie

    response = client.get("/", headers={"accept-language": accepts})

    assert (response.status_code, response["Location"]) == (302, leads_to)


def test_switching_the_language_keeps_the_page(visitor):
    listing = ListingFactory()
    here = visitor.url("listing", listing.slug)

    response = visitor.client.get("/en/language/ar/", {"next": f"{here}?q=miel"})

    assert response["Location"] == f"/ar/goods/{listing.slug}/?q=miel"
    assert response.cookies["tadamon_language"].value == "ar"


@pytest.mark.parametrize(
    "next_url", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/nowhere/at/all/", ""]
)
def test_switching_the_language_leads_nowhere_else(visitor, next_url):
    location = visitor.client.get("/en/language/fr/", {"next": next_url})["Location"]

    assert location.startswith("/")
    assert not location.startswith("//")
    assert "evil" not in location


def test_an_unknown_language_is_not_found(visitor):
    assert visitor.get("language", "xx").status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_there_is_said_in_the_readers_language(now, language):
    response = Client().get(f"/{language}/nothing/here/")

    assert response.status_code == 404
    assert f'lang="{language}"' in response.content.decode()


def test_what_breaks_is_said_without_showing_how(visitor, monkeypatch):
    from shop.storefront.views import makers

    def broken(*_args):
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(makers, "region_tiles", broken)
    visitor.client.raise_request_exception = False

    response = visitor.get("regions")

    assert response.status_code == 500
    assert "the secret inside" not in response.content.decode()
    assert "500" in response.content.decode()


def test_a_form_from_elsewhere_is_refused(now):
    listing = ListingFactory()
    client = Client(enforce_csrf_checks=True)

    response = client.post(f"/en/basket/add/{listing.slug}/", {"quantity": 1})

    assert response.status_code == 403


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_demonstration_is_marked_on_every_page(now, language):
    visitor = Visitor(language, user=UserFactory())

    for page in ("home", "listings", "basket", "account", "regions", "labels", "cooperatives"):
        text = visitor.get(page).content.decode()
        assert 'class="strip"' in text, page


def test_a_page_that_is_not_there_also_says_that_this_is_a_demonstration(now, settings):
    settings.DEMO_MODE = True

    page = Client().get("/en/nothing/here/").content.decode()

    assert "Demonstration shop" in page


# What was looked for


@pytest.mark.parametrize(
    ("address", "said", "back"),
    [
        ("/backoffice/orders/T-NOTHING/", "Aucune commande ne porte cette référence", "/backoffice/orders/"),
        ("/backoffice/payouts/one/P-1/", "Aucun versement ni lot ne porte", "/backoffice/payouts/"),
        (
            "/backoffice/reconciliation/lines/L-1/",
            "Aucune ligne de relevé ne porte cette référence",
            "/backoffice/reconciliation/lines/",
        ),
        ("/backoffice/nothing/", "Il n'y a rien à cette adresse", "/backoffice/"),
        ("/desk/orders/T-NOTHING-1/", "Votre coopérative n'a pas de commande", "/desk/orders/"),
        ("/desk/listings/NOTHING/", "Votre coopérative n'a pas de produit", "/desk/listings/"),
        ("/fr/goods/nothing/", "Ce produit n'est pas en vente", "/fr/goods/"),
        ("/fr/orders/T-NOTHING/", "Nous ne trouvons pas cette commande parmi les vôtres", "/fr/me/"),
    ],
)
def test_what_is_not_there_is_named_with_a_way_back_in_its_room(now, address, said, back):
    person = MemberFactory().user
    person.is_superuser = True
    person.save()

    response = Visitor("fr", user=person).client.get(address)

    assert response.status_code == 404
    text = html.unescape(text_of(response))
    assert said in text
    assert re.search(rf'<a class="button(?: plain)?" href="{re.escape(back)}">', text)
    if address.startswith(("/desk/", "/backoffice/")):
        assert "définitivement épuisé" not in text


def test_an_operator_at_the_desk_reads_that_she_is_no_member_and_where_her_room_is(now):
    response = Visitor("fr", user=OperatorFactory()).client.get("/desk/")

    text = html.unescape(text_of(response))
    assert response.status_code == 404
    assert "Vous n'agissez pour aucune coopérative" in text
    assert '<a class="button" href="/backoffice/">' in text


def test_a_customer_at_the_back_office_reads_nothing_of_it(now):
    response = Visitor("fr", user=UserFactory()).client.get("/backoffice/orders/T-NOTHING/")

    assert response.status_code == 404
    assert 'href="/backoffice/' not in text_of(response)
    assert "Aucune commande" not in text_of(response)


# Rooms


def test_her_account_leads_each_to_the_room_she_works_in(now):
    customer = Visitor("fr", user=UserFactory()).get("account").content.decode()
    member = Visitor("fr", user=MemberFactory().user).get("account").content.decode()
    operator = Visitor("ar", user=OperatorFactory()).get("account").content.decode()

    # The foot names the desk to everybody.
    assert (customer.count('"/desk/"'), customer.count('"/backoffice/"')) == (1, 0)
    assert (member.count('"/desk/"'), member.count('"/backoffice/"')) == (2, 0)
    assert (operator.count('"/desk/"'), operator.count('"/backoffice/"')) == (1, 1)
    assert "إلى الإدارة" in operator


# Languages where the address names none


def test_pages_without_a_language_in_their_address_keep_that_of_the_last_page(now):
    visitor = Visitor("ar")
    visitor.get("home")

    for address in ("/account/login/", "/account/signup/", "/account/password/reset/"):
        answer = visitor.client.get(address, headers={"accept-language": "en"})
        assert 'lang="ar"' in answer.content.decode(), address


def test_her_own_language_wins_where_the_address_names_none_and_stays_after_signing_out(now):
    visitor = Visitor("fr", user=UserFactory(language="ar"))
    visitor.get("home")

    mine = visitor.client.get("/account/password/change/", headers={"accept-language": "en"})
    gone = visitor.client.post("/account/logout/", follow=True, headers={"accept-language": "en"})

    assert 'lang="ar"' in mine.content.decode()
    assert gone.redirect_chain[-1][0] == "/ar/"
    assert "سجّلت خروجك." in gone.content.decode() or "خروج" in gone.content.decode()
    assert "You have signed out" not in gone.content.decode()


def test_no_message_of_signing_in_stands_on_a_page_in_another_language(now):
    member = MemberFactory(user=UserFactory(language="ar")).user
    visitor = Visitor("fr")
    visitor.get("home")

    desk = visitor.client.post("/account/login/", {"login": member.email, "password": PASSWORD}, follow=True)

    assert desk.redirect_chain[-1][0] == "/desk/"
    assert 'lang="ar"' in desk.content.decode()
    assert "notices" not in desk.content.decode()


def test_signed_in_the_switch_beside_her_password_is_that_of_her_account(now):
    page = Visitor("fr", user=UserFactory(language="ar")).client.get("/account/password/change/")

    assert '<form class="langs" method="post" action="/language/"' in page.content.decode()
