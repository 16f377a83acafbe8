"""Who works here reads her own language, and changes it from any page, without script."""

from __future__ import annotations

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db


def chooses(client, language, after="/backoffice/orders/?q=x"):
    return client.post(reverse("own_language"), {"language": language, "next": after})


def test_the_switch_stands_on_every_page_of_the_room_and_is_kept_with_the_person(as_):
    nadia = as_("support")
    page = nadia.get(reverse("backoffice:orders")).content.decode()
    assert f'action="{reverse("own_language")}"' in page
    assert 'lang="en"' in page.split("<head>")[0]

    response = chooses(nadia, "ar")

    assert response["Location"] == "/backoffice/orders/?q=x"
    nadia.person.refresh_from_db()
    assert nadia.person.language == "ar"
    assert '<html lang="ar" dir="rtl"' in nadia.get(reverse("backoffice:orders")).content.decode()


def test_the_desk_has_the_same_switch(as_):
    member = as_("member")
    assert reverse("own_language") in member.get(reverse("desk:today")).content.decode()

    chooses(member, "fr", after=reverse("desk:today"))

    member.person.refresh_from_db()
    assert member.person.language == "fr"


@pytest.mark.parametrize("language", ["", "de", "fr; --"])
def test_a_language_we_do_not_speak_changes_nothing(as_, language):
    nadia = as_("support")

    assert chooses(nadia, language).status_code == 400

    nadia.person.refresh_from_db()
    assert nadia.person.language == "en"


def test_the_way_back_stays_in_this_house(as_):
    assert chooses(as_("support"), "fr", after="https://elsewhere.example/")["Location"] == reverse("home")


def test_nobody_in_particular_and_a_mere_visit_change_nothing(as_):
    assert chooses(as_("anonymous"), "fr")["Location"].startswith(reverse("account_login"))
    assert as_("support").get(reverse("own_language"))["Location"] == "/"
