"""What an account tells by mail goes by way of the outbox, in the person's language, its links for her alone."""

from __future__ import annotations

import re
from pathlib import Path

import allauth
import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.urls import reverse

from shop.core import outbox
from shop.core.models import OutboxMessage
from shop.people import mails
from tests.factories import NOW, UserFactory

pytestmark = pytest.mark.django_db
#: Ways in that are switched off, and mails nobody sends.
NOT_USED = {"login_code", "password_reset_code"}


def the_mail(name: str) -> OutboxMessage:
    return OutboxMessage.objects.get(topic=f"account.message:{name}")


def test_every_mail_that_allauth_can_send_has_words_of_ours():
    templates = Path(allauth.__file__).parent / "templates"
    names = {
        each.name.removesuffix("_subject.txt")
        for folder in ("account", "mfa")
        for each in (templates / folder / "email").glob("*_subject.txt")
    }

    assert names - NOT_USED == set(mails.ASKED) | set(mails.CHANGED)


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
@pytest.mark.parametrize("name", [*mails.ASKED, *mails.CHANGED])
def test_each_is_whole_in_each_language(name, language):
    link = "https://shop.example/k/1" if name in mails.ASKED else ""
    mails.promise(name=name, to="a@example.ma", language=language, at=NOW, link=link, from_ip="192.0.2.1")

    outbox.sweep(at=NOW)

    (sent,) = mail.outbox
    assert sent.subject and "None" not in sent.body and "{" not in sent.body
    assert (link or "192.0.2.1") in sent.body
    assert (link or "192.0.2.1") in sent.alternatives[0][0]


def test_a_new_password_is_asked_for_by_way_of_the_outbox_in_her_language_not_the_pages(client):
    hers = UserFactory(email="fatima@example.ma", language="ar")
    EmailAddress.objects.create(user=hers, email=hers.email, verified=True, primary=True)

    client.post(reverse("account_reset_password"), {"email": hers.email}, headers={"accept-language": "fr"})

    promised = the_mail("password_reset_key")
    assert (promised.language, promised.recipient, promised.state) == ("ar", hers.email, "waiting")
    assert mail.outbox == []
    outbox.sweep(at=promised.due_at)
    (sent,) = mail.outbox
    assert sent.subject == "اختيار كلمة مرور جديدة"
    (link,) = re.findall(r"https?://\S+/password/reset/key/\S+", sent.body)
    assert client.get(link, follow=True).status_code == 200


def test_one_that_failed_is_seen_and_sent_again_with_a_link_that_still_works(client, monkeypatch):
    hers = UserFactory(language="fr")
    client.post(reverse("account_reset_password"), {"email": hers.email})
    promised = the_mail("password_reset_key")
    OutboxMessage.objects.filter(pk=promised.pk).update(state="failed", last_error="SMTPServerDisconnected")

    again = outbox.send_again(message=promised, at=promised.due_at)
    outbox.sweep(at=promised.due_at)

    again.refresh_from_db()
    assert again.state == "delivered"
    assert promised.payload["link"] in mail.outbox[0].body


def test_the_link_is_kept_from_the_row_that_operators_read(client):
    hers = UserFactory(language="fr")
    client.post(reverse("account_reset_password"), {"email": hers.email})
    promised = the_mail("password_reset_key")
    link = promised.payload["link"]
    outbox.sweep(at=promised.due_at)

    promised.refresh_from_db()
    assert link in mail.outbox[0].body
    assert link not in promised.body
    assert "password/reset/key" not in promised.body
    assert "•••" in promised.body


def test_who_signs_up_in_arabic_confirms_her_address_in_arabic(client):
    client.post(
        reverse("account_signup"),
        {"email": "nora@example.ma", "password1": "tafoukt-2026-agadir", "password2": "tafoukt-2026-agadir"},
        headers={"accept-language": "ar"},
    )

    assert the_mail("email_confirmation_signup").language == "ar"


def test_a_changed_password_is_told(client):
    hers = UserFactory(language="fr")
    hers.set_password("tafoukt-2026-agadir")
    hers.save()
    EmailAddress.objects.create(user=hers, email=hers.email, verified=True, primary=True)
    client.force_login(hers)

    client.post(
        reverse("account_change_password"),
        {
            "oldpassword": "tafoukt-2026-agadir",
            "password1": "amlou-2026-essaouira",
            "password2": "amlou-2026-essaouira",
        },
    )

    promised = the_mail("password_changed")
    assert promised.payload["link"] == ""
    assert promised.payload["from_ip"] == "127.0.0.1"
