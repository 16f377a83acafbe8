"""The account's doors: hers alone, without JavaScript, in three languages; favourites and basket survive signing in."""

from __future__ import annotations

import html
import re
import zipfile
from io import BytesIO

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse
from django.utils.translation import override

from catalogue import publishing
from shop.addresses.models import UserAddress
from shop.checkout import baskets
from shop.core.models import OutboxMessage
from shop.customers import favourites as favouring
from shop.customers.models import Erasure, Favourite, Subscription
from shop.orders.models import Order
from shop.people.models import User
from tests.checkout.buying import CASABLANCA, casablanca
from tests.customers.people import proved
from tests.factories import (
    PASSWORD,
    AddressFactory,
    ListingFactory,
    MemberFactory,
    UserFactory,
    order_of,
    placed,
)
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db
PAGES = ["account", "account_details", "addresses", "address_new", "favourites", "notices", "data"]


def text_of(response):
    return html.unescape(response.content.decode())


def signed_in(user, language="fr"):
    """Signed in, and her password given once more."""
    visitor = Visitor(language)
    sign_in(visitor, user)
    visitor.client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return visitor


def sign_in(visitor, user):
    return visitor.client.post("/account/login/", {"login": user.email, "password": PASSWORD})


def typed(**changed):
    casablanca()
    AddressFactory()
    answers = {
        "name": "Amina Naciri",
        "phone": "06 61 00 00 00",
        "region": "MA-06",
        "town": "casablanca",
        "street": "12, rue des Orangers",
        "landmark": "",
    }
    return answers | changed


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_the_account_is_hers_and_in_her_language(now, page, language):
    hers = Visitor(language, user=proved()).get(page)
    guests = Visitor(language).get(page)

    assert hers.status_code == 200
    assert f'lang="{language}"' in text_of(hers)
    assert hers["Cache-Control"].count("no-store") == 1
    if page in ("account", "favourites"):
        assert guests.status_code == 200
    else:
        assert guests["Location"].startswith("/account/login/?next=")


# Orders


def test_orders_are_listed_in_pages_with_their_goods_in_the_readers_words(now):
    user, listing = proved(), ListingFactory(stock=100)
    for _ in range(21):
        order_of((listing, 1), user=user, at=now)
    visitor = Visitor("fr", user=user)

    first, second = text_of(visitor.get("account")), text_of(visitor.get("account", query={"page": "2"}))

    assert (first.count('class="group"'), second.count('class="group"')) == (20, 1)
    assert f"1 × {listing.title}" in first


def test_the_list_costs_the_same_for_one_order_and_for_twenty(now, django_assert_max_num_queries):
    user, listing = proved(), ListingFactory(stock=100)
    for _ in range(20):
        order_of((listing, 1), user=user, at=now)
    visitor = Visitor("fr", user=user)

    with django_assert_max_num_queries(16):
        visitor.get("account")


def test_a_proved_address_brings_the_orders_she_placed_as_a_guest(now):
    order = order_of((ListingFactory(), 1), email="nora@example.ma", at=now)
    user = UserFactory(email="nora@example.ma")
    before = text_of(Visitor("fr", user=user).get("account"))

    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)

    assert order.number not in before
    assert order.number in text_of(Visitor("fr", user=user).get("account"))


def test_buying_again_puts_what_is_still_on_sale_into_the_basket_and_names_the_rest(now):
    user = proved()
    here, few, gone = ListingFactory(stock=10), ListingFactory(stock=3), ListingFactory(stock=9)
    (part, *_rest) = placed((here, 2), (few, 2), (gone, 1), user=user, method="cash", at=now)
    publishing.withdraw(listing=gone)
    visitor = Visitor("fr", user=user)
    assert visitor.url("order_again", part.order.number) in text_of(visitor.get("account"))

    answer = visitor.post("order_again", part.order.number)

    assert answer["Location"] == visitor.url("basket")
    lines = baskets.open_of(user=user).lines.values_list("product", "quantity")
    assert dict(lines) == {here.pk: 2, few.pk: 1}
    said = text_of(visitor.get("basket"))
    assert "3 produits sont dans votre panier." in said
    assert f"Indisponible en ce moment\N{NO-BREAK SPACE}: {gone.title}." in said


def test_nothing_is_offered_again_when_nothing_is_on_sale_any_more(now):
    user, gone = proved(), ListingFactory()
    (part,) = placed((gone, 1), user=user, method="cash", at=now)
    publishing.withdraw(listing=gone)

    page = text_of(Visitor("fr", user=user).get("account"))

    assert part.order.number in page
    assert "/again/" not in page


def test_nobody_buys_another_persons_order_again(now):
    (part,) = placed((ListingFactory(), 1), user=proved(), method="cash", at=now)
    other = proved()

    assert Visitor("fr", user=other).post("order_again", part.order.number).status_code == 404
    assert not baskets.open_of(user=other).pk


# Details, language, looks


def test_name_and_phone_are_kept_and_a_wrong_phone_is_told_in_its_place(now):
    user = proved()
    visitor = Visitor("fr", user=user)

    wrong = visitor.post("account_details", first_name="Nora", last_name="", phone="06 61")
    assert wrong.status_code == 422
    assert "Un numéro marocain a dix chiffres" in text_of(wrong)
    right = visitor.post("account_details", first_name="Nora", last_name="Alaoui", phone="٠٦٦١٠٠٠٠٠٠")

    user.refresh_from_db()
    assert right.status_code == 302
    assert (user.first_name, user.last_name, str(user.phone)) == ("Nora", "Alaoui", "+212661000000")
    visitor.post("account_details", first_name="Nora", last_name="Alaoui", phone="")
    user.refresh_from_db()
    assert str(user.phone or "") == ""


def test_a_person_keeps_her_language_and_how_pages_look(now):
    user = UserFactory(language="fr")
    visitor = Visitor("en", user=user)

    response = visitor.post("account_looks", language="ar", theme="dark")
    wrong = [
        visitor.post("account_looks", language="klingon"),
        visitor.post("account_looks", language="ar", theme="pink"),
    ]

    user.refresh_from_db()
    assert (user.language, user.theme) == ("ar", "dark")
    assert response["Location"] == "/ar/me/details/"
    assert response.cookies["tadamon_language"].value == "ar"
    assert response.cookies["tadamon_theme"].value == "dark"
    assert [each.status_code for each in wrong] == [400, 400]
    system = visitor.post("account_looks", language="ar", theme="")
    assert system.cookies["tadamon_theme"]["max-age"] == 0


def test_another_browser_looks_as_her_account_says_once_she_signs_in(now):
    user = UserFactory(theme="light")

    answer = sign_in(Visitor("fr"), user)

    assert answer.cookies["tadamon_theme"].value == "light"


def test_the_switch_in_the_foot_is_kept_in_her_account_too(now):
    user = UserFactory()
    visitor = Visitor("fr", user=user)

    visitor.client.post(reverse("theme"), {"theme": "dark"})
    user.refresh_from_db()
    assert user.theme == "dark"
    visitor.client.post(reverse("theme"), {"theme": "system"})

    user.refresh_from_db()
    assert user.theme == ""


# Addresses


def test_an_address_is_added_changed_made_the_default_and_removed(now):
    user = proved()
    visitor = Visitor("fr", user=user)

    added = visitor.post("address_new", **typed())
    first = UserAddress.objects.get()
    assert added["Location"] == visitor.url("addresses")
    assert (first.line4, first.commune_code, str(first.phone_number)) == (
        "Casablanca",
        CASABLANCA,
        "+212661000000",
    )
    visitor.post("address_new", **typed(street="3, rue du Port"))
    second = UserAddress.objects.get(line1="3, rue du Port")
    visitor.post("address", second.hash, **typed(street="4, rue du Port"))
    second.refresh_from_db()
    assert (second.line1, second.is_default_for_shipping) == ("4, rue du Port", False)
    visitor.post("address_default", second.hash)
    visitor.post("address_remove", first.hash)

    only = UserAddress.objects.get()
    assert (only.line1, only.is_default_for_shipping) == ("4, rue du Port", True)


def test_what_is_wrong_with_an_address_is_told_and_what_was_typed_stays(now):
    visitor = Visitor("fr", user=proved())

    answer = visitor.post("address_new", **typed(town="casablinca", phone="06"))

    page = text_of(answer)
    assert answer.status_code == 422
    assert "Est-ce l'une de celles-ci" in page or 'name="commune"' in page
    assert 'value="12, rue des Orangers"' in page
    assert not UserAddress.objects.exists()


@pytest.mark.parametrize("door", ["address", "address_remove", "address_default"])
def test_another_persons_address_is_not_there(now, door):
    owner = proved()
    Visitor("fr", user=owner).post("address_new", **typed())
    hers = UserAddress.objects.get()
    other = Visitor("fr", user=proved())

    assert other.post(door, hers.hash, **typed(street="x")).status_code == 404
    assert UserAddress.objects.get().line1 == "12, rue des Orangers"


def test_the_checkout_begins_with_the_default_and_offers_the_others(now):
    user = proved()
    visitor = Visitor("fr", user=user)
    visitor.post("address_new", **typed())
    visitor.post("address_new", **typed(street="3, rue du Port", phone="06 62 00 00 00"))
    other = UserAddress.objects.get(line1="3, rue du Port")
    visitor.add(ListingFactory())

    first = text_of(visitor.get("checkout"))
    second = text_of(visitor.get("checkout", query={"to": other.hash}))
    strange = text_of(visitor.get("checkout", query={"to": "1"}))

    assert 'value="12, rue des Orangers"' in first and f"?to={other.hash}" in first
    assert 'value="3, rue du Port"' in second and "06 62 00 00 00" in second
    assert 'value="3, rue du Port"' not in strange


def test_the_address_of_an_order_is_kept_only_if_she_ticks_the_box(now):
    user = proved()
    visitor = Visitor("fr", user=user)
    for tick, number in (({}, 0), ({"keep_address": "on"}, 1)):
        visitor.add(ListingFactory())
        visitor.work_out(method="cash")
        visitor.post("place", **visitor.answers(method="cash"), terms="on", **visitor.shown(), **tick)
        assert UserAddress.objects.count() == number

    assert Order.objects.count() == 2
    visitor.add(ListingFactory())
    visitor.work_out(method="cash")
    assert "keep_address" not in text_of(visitor.get("checkout"))


# Favourites


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_a_visitor_marks_a_good_finds_it_again_and_takes_it_out(now, language):
    visitor, listing = Visitor(language), ListingFactory()

    answer = visitor.post("favourite", listing.slug, on="1")
    page = text_of(visitor.get("favourites"))
    marked = text_of(visitor.get("listing", listing.slug))
    out = visitor.post("favourite", listing.slug, off="1", next=visitor.url("favourites"))

    assert answer["Location"] == visitor.url("listing", listing.slug)
    assert listing.title in page
    assert 'name="off"' in marked
    assert out["Location"] == visitor.url("favourites")
    assert "/goods/l-" not in text_of(visitor.get("favourites"))
    assert not Favourite.objects.exists()


def test_htmx_gets_the_button_alone_in_its_new_state(now):
    visitor, listing = Visitor("fr", user=proved()), ListingFactory()

    answer = visitor.client.post(
        visitor.url("favourite", listing.slug), {"on": "1"}, headers={"hx-request": "true"}
    )

    assert answer.status_code == 200
    assert text_of(answer).strip().startswith("<form")
    assert 'name="off"' in text_of(answer)
    assert Favourite.objects.get().listing_id == listing.pk


def test_basket_favourites_and_language_survive_signing_in(now):
    user, listing, other = proved(language="fr"), ListingFactory(), ListingFactory()
    visitor = Visitor("ar")
    visitor.get("home")
    visitor.post("favourite", listing.slug, on="1")
    visitor.post("favourite", other.slug, on="1")
    visitor.add(listing, 2)

    answer = sign_in(visitor, user)

    assert answer.status_code == 302
    assert set(Favourite.objects.filter(user=user).values_list("listing", flat=True)) == {
        listing.pk,
        other.pk,
    }
    assert favouring.SESSION_KEY not in visitor.client.session
    assert visitor.get("basket").status_code == 200
    assert list(baskets.open_of(user=user).lines.values_list("product", "quantity")) == [(listing.pk, 2)]
    assert visitor.client.cookies["tadamon_language"].value == "ar"
    assert 'lang="ar"' in text_of(visitor.get("account"))


def test_what_left_the_shelf_is_named_and_can_be_taken_out(now):
    user, listing = proved(), ListingFactory()
    visitor = Visitor("fr", user=user)
    visitor.post("favourite", listing.slug, on="1")
    publishing.withdraw(listing=listing)

    page = text_of(visitor.get("favourites"))
    visitor.post("favourite", listing.slug, off="1")

    assert "Plus en vente" in page and listing.title in page
    assert not Favourite.objects.exists()


def test_a_draft_or_unknown_good_is_no_favourite_and_no_mark_leads_elsewhere(now):
    draft, listing = ListingFactory(state="draft"), ListingFactory()
    visitor = Visitor("fr")

    assert visitor.post("favourite", draft.slug).status_code == 404
    assert visitor.post("favourite", "nothing").status_code == 404
    answer = visitor.post("favourite", listing.slug, next="https://evil.example/")
    assert answer["Location"] == visitor.url("listing", listing.slug)


def test_the_list_and_the_listing_cost_few_queries(now, django_assert_max_num_queries):
    user = proved()
    visitor = Visitor("fr", user=user)
    for _ in range(12):
        visitor.post("favourite", ListingFactory().slug, on="1")

    with django_assert_max_num_queries(14):
        visitor.get("favourites")


# Notices


def test_each_box_is_a_choice_of_its_own_and_the_page_shows_what_holds(now):
    user = proved()
    visitor = Visitor("fr", user=user)

    visitor.post("notices", cheaper="on", newsletter="on")
    page = visitor.get("notices").content.decode()
    on = set(re.findall(r'name="(\w+)" checked', page))

    assert on == {"cheaper", "newsletter"}
    assert Subscription.objects.confirmed().get().email == user.email
    visitor.post("notices")
    assert not re.findall(r'name="(\w+)" checked', visitor.get("notices").content.decode())
    assert not Subscription.objects.exists()


def test_without_a_proved_address_a_notice_is_refused_with_the_way_on(now):
    visitor = Visitor("fr", user=UserFactory())

    answer = visitor.post("notices", cheaper="on")

    assert answer.status_code == 409
    assert "Confirmez d'abord votre adresse e-mail" in text_of(answer)
    assert reverse("account_email") in text_of(answer)


# Data


def test_erasing_asks_for_the_password_first(now):
    user = UserFactory()
    somebodys = Visitor("fr", user=user)  # a session left open: no password given lately

    asked = somebodys.get("erase")
    pressed = Visitor("fr", user=user).post("erase")

    for answer in (asked, pressed):
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert User.objects.filter(pk=user.pk).exists()
    given = somebodys.client.post(asked["Location"], {"password": PASSWORD})
    assert given["Location"] == somebodys.url("erase")
    assert somebodys.get("erase").status_code == 200


def test_the_file_is_hers_and_comes_once_her_password_is_given(now):
    user = proved(last_name="Unique-Alaoui")
    visitor = Visitor("fr", user=user)

    asked = visitor.post("export")
    wrong = visitor.client.post(asked["Location"], {"password": "something else"})
    answer = visitor.client.post(asked["Location"], {"password": PASSWORD})

    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert wrong["Content-Type"].startswith("text/html")
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"].startswith('attachment; filename="tadamon-2026-')
    files = zipfile.ZipFile(BytesIO(answer.content))
    assert "Unique-Alaoui" in files.read("data.json").decode()


def test_the_file_is_made_six_times_an_hour_at_most(now):
    visitor = signed_in(proved())

    assert [visitor.post("export").status_code for _ in range(7)] == [200] * 6 + [429]


def test_erasing_signs_her_out_and_names_a_reference(now, settings, tmp_path):
    settings.PRIVATE_MEDIA_ROOT = str(tmp_path)
    user = proved()
    visitor = signed_in(user)
    assert "Tout effacer maintenant" in text_of(visitor.get("erase"))

    answer = visitor.post("erase")

    assert answer.status_code == 200
    assert Erasure.objects.get().reference in text_of(answer)
    assert not User.objects.filter(pk=user.pk).exists()
    assert "_auth_user_id" not in visitor.client.session
    assert visitor.get("data")["Location"].startswith("/account/login/")
    assert not OutboxMessage.objects.filter(recipient=user.email).exists()


def test_an_open_order_is_named_and_the_erasure_can_be_taken_back(now):
    user = proved()
    (part,) = placed((ListingFactory(), 1), user=user, method="cash", at=now)
    visitor = signed_in(user)

    before = text_of(visitor.get("erase"))
    answer = visitor.post("erase")
    page = text_of(visitor.get("data"))
    visitor.post("keep_account")

    assert part.order.number in before
    assert answer["Location"] == visitor.url("data")
    assert part.order.number in page and visitor.url("keep_account") in page
    assert not Erasure.objects.exists()
    assert User.objects.filter(pk=user.pk).exists()


def test_a_member_reads_why_she_cannot_erase_herself(now):
    user = MemberFactory().user
    visitor = signed_in(user)

    asked, pressed = visitor.get("erase"), visitor.post("erase")

    for answer in (asked, pressed):
        assert answer.status_code == 409
        assert "agit ou a agi pour une coopérative" in text_of(answer)
    assert User.objects.filter(pk=user.pk).exists()


def test_no_door_of_the_account_knows_database_ids(now):
    user = proved()
    visitor = Visitor("en", user=user)
    visitor.post("address_new", **typed())
    visitor.post("favourite", ListingFactory().slug, on="1")
    order_of((ListingFactory(), 1), user=user, at=now)

    with override("en"):
        links = {
            link
            for page in PAGES
            for link in re.findall(r'(?:href|action)="(/en/[^"]*)"', visitor.get(page).content.decode())
        }

    marks = {str(UserAddress.objects.get().hash)}
    assert {piece for link in links for piece in link.split("/") if piece.isdigit()} <= marks
