"""Mails found, read by those who may, and sent again."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.core import mail
from django.urls import reverse

from shop import design
from shop.backoffice import looks, waiting
from shop.core import mailing, outbox, references
from shop.core.models import OutboxMessage
from shop.orders import links
from shop.people import mails
from tests.factories import NOW, SupplierOrderFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed():
    SupplierOrderFactory(to="accepted")
    message = OutboxMessage.objects.get(topic="part.accepted")
    OutboxMessage.objects.filter(pk=message.pk).update(
        state="failed", attempts=7, last_error="SMTPRecipientsRefused: 550 no such user"
    )
    message.refresh_from_db()
    return message


def test_failed_mails_are_counted_and_listed_with_their_error(as_, failed):
    page = as_("support").get(reverse("backoffice:outbox"), {"show": "failed"})

    assert [row["message"] for row in page.context["rows"]] == [failed]
    assert "550 no such user" in page.content.decode()
    today = as_("support").get(reverse("backoffice:today"))
    assert [(each["number"], each["what"]) for each in today.context["tasks"]] == [(1, "Mails that failed")]


def test_sending_again_asks_first_then_promises_once_more_and_the_counter_goes_to_zero(as_, failed):
    door = reverse("backoffice:send_again", args=[failed.reference])

    asked = as_("support").get(door)
    assert failed.recipient in asked.content.decode()
    assert OutboxMessage.objects.filter(key__startswith=failed.key).count() == 1
    response = as_("support").post(door)

    again = OutboxMessage.objects.get(key=f"{failed.key}:again:1")
    assert (again.state, again.recipient) == ("waiting", failed.recipient)
    assert response.status_code == 302
    assert waiting.failed_messages().count() == 0
    outbox.sweep(at=again.due_at)
    assert [each.to for each in mail.outbox if each.extra_headers["X-Tadamon-Key"] == again.key] == [
        [failed.recipient]
    ]


def test_a_mail_sent_again_that_fails_again_is_counted_again(failed):
    again = mailing.send_again(message=failed, at=NOW)
    OutboxMessage.objects.filter(pk=again.pk).update(state="failed")

    assert list(waiting.failed_messages()) == [again]


def test_the_text_of_a_mail_is_for_support_only_and_even_there_without_the_customers_own_link(as_):
    part = SupplierOrderFactory(to="accepted")
    message = OutboxMessage.objects.get(topic="part.accepted")
    token = message.payload["token"]
    outbox.sweep(at=message.due_at)
    message.refresh_from_db()
    (sent,) = (each for each in mail.outbox if each.extra_headers["X-Tadamon-Key"] == message.key)
    assert token in sent.body
    door = reverse("backoffice:message", args=[message.reference])

    supports = as_("support").get(door).content.decode()
    assert part.reference in supports
    assert "•••" in supports
    assert token not in supports and token not in message.body
    others = as_("auditor").get(door).content.decode()
    assert "•••" not in others
    assert message.recipient not in others


def test_a_text_kept_before_links_were_hidden_is_shown_without_them(as_, failed):
    token = failed.payload["token"]
    OutboxMessage.objects.filter(pk=failed.pk).update(body=f"https://shop.example/o/{token}/")
    door = reverse("backoffice:message", args=[failed.reference])

    assert token not in as_("support").get(door).content.decode()


def test_a_mail_that_left_keeps_no_link_and_a_guest_is_sent_a_new_one(as_):
    part = SupplierOrderFactory(to="accepted")
    message = OutboxMessage.objects.get(topic="part.accepted")
    token = message.payload["token"]
    outbox.sweep(at=message.due_at)
    message.refresh_from_db()
    assert message.payload["token"] == "•••"
    assert token not in str(list(OutboxMessage.objects.filter(pk=message.pk).values()))
    links.revoke(order=part.order)

    as_("support").post(reverse("backoffice:send_again", args=[message.reference]))

    again = OutboxMessage.objects.get(key=f"{message.key}:again:1")
    new = again.payload["token"]
    assert links.read(token=new) == part.order
    outbox.sweep(at=again.due_at)
    (sent,) = (each for each in mail.outbox if each.extra_headers["X-Tadamon-Key"] == again.key)
    assert new in sent.body


def test_a_mail_that_failed_is_sent_again_with_its_link_which_then_stands_in_one_place(as_):
    link = "https://shop.example/fr/accounts/password/reset/key/1-abc/"
    mails.promise(name="password_reset_key", to="amal@example.ma", language="fr", at=NOW, link=link)
    message = OutboxMessage.objects.get(recipient="amal@example.ma")
    OutboxMessage.objects.filter(pk=message.pk).update(state="failed", attempts=7)

    as_("support").post(reverse("backoffice:send_again", args=[message.reference]))

    again = OutboxMessage.objects.get(key=f"{message.key}:again:1")
    message.refresh_from_db()
    assert (message.payload["link"], again.payload["link"]) == ("•••", link)
    outbox.sweep(at=again.due_at)
    again.refresh_from_db()
    assert (again.state, again.payload["link"]) == ("delivered", "•••")
    assert [link in each.body for each in mail.outbox] == [True]

    for spent in (message, again):
        door = reverse("backoffice:send_again", args=[spent.reference])
        refused = as_("support").post(door, follow=True)
        assert "held a link that opens an account" in refused.content.decode()
    assert OutboxMessage.objects.filter(recipient="amal@example.ma").count() == 2


def test_a_mail_has_a_reference_that_can_be_read_out_and_no_address_holds_an_id(as_, failed):
    page = as_("support").get(reverse("backoffice:message", args=[failed.reference])).content.decode()
    found = as_("support").get(reverse("backoffice:outbox"), {"q": failed.reference.lower()})
    by_id = as_("support").get(f"/backoffice/outbox/{failed.pk}/")

    assert failed.reference.startswith("M-") and references.is_sound(failed.reference)
    assert failed.reference in page
    assert [row["message"] for row in found.context["rows"]] == [failed]
    assert by_id.status_code == 404


def test_mails_are_found_by_what_they_are_about(as_, failed):
    SupplierOrderFactory()

    page = as_("support").get(reverse("backoffice:outbox"), {"q": failed.about.lower()})

    assert {row["message"].about for row in page.context["rows"]} == {failed.about}


def test_who_may_not_see_addresses_cannot_search_by_them(as_, failed):
    mine = as_("support").get(reverse("backoffice:outbox"), {"q": failed.recipient})
    theirs = as_("auditor").get(reverse("backoffice:outbox"), {"q": failed.recipient})

    assert len(mine.context["rows"]) > 0
    assert theirs.context["rows"] == []


def test_mails_that_left_before_forget_their_links_too(failed):
    token = failed.payload["token"]
    OutboxMessage.objects.filter(pk=failed.pk).update(state="delivered", body=f"Follow it: /o/{token}/")

    import_module("shop.core.migrations.0006_forget_spent_secrets").forget(apps, None)

    failed.refresh_from_db()
    assert (failed.payload["token"], failed.body) == ("•••", "Follow it: /o/•••/")


def test_a_mail_that_has_not_left_is_named_in_words(as_):
    message = mailing.promise(
        topic="order.confirmed", to="salma@example.ma", language="fr", key="unsent", at=NOW
    )

    listed = as_("support").get(reverse("backoffice:outbox")).content.decode()
    shown = as_("support").get(reverse("backoffice:message", args=[message.reference])).content.decode()

    for page in (listed, shown):
        assert "Order confirmed" in page and "order.confirmed" not in page


def test_every_mail_there_is_has_a_name():
    folder = Path(design.__file__).parent / "templates" / "mail"
    mails = {each.stem for each in folder.glob("*.txt") if not each.stem.startswith("_")} - {"base"}

    assert {each.replace(".", "_") for each in looks._MAILS} == mails
