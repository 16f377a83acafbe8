"""Asked for by a form, confirmed by a mail, ended by one click; nobody learns who subscribes."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail, signing
from django.test import Client

from shop.core import mailing, outbox
from shop.core.models import OutboxMessage
from shop.customers import ending, newsletter
from shop.customers.models import Consent, Purpose, Subscription
from tests.customers.people import proved
from tests.factories import NOW, UserFactory
from tests.storefront.visiting import Visitor

pytestmark = pytest.mark.django_db
HERS = "nora@example.ma"


def subscribed(email=HERS, language="fr"):
    newsletter.ask(email=email, language=language, at=NOW)
    found = Subscription.objects.get(email=email.lower())
    return newsletter.confirm(token=ending.confirm_token(person=found.person), at=NOW)


def journal():
    return list(Consent.objects.values_list("purpose", "is_given", "source", "language", "text_version"))


def test_nothing_is_subscribed_before_the_mail_is_answered():
    newsletter.ask(email="Nora@Example.ma", language="ar", at=NOW)

    waiting = Subscription.objects.get()
    assert (waiting.email, waiting.language, waiting.confirmed_at) == (HERS, "ar", None)
    assert not Subscription.objects.confirmed().exists()
    assert journal() == []
    outbox.sweep(at=NOW)
    (sent,) = mail.outbox
    assert sent.to == [HERS]
    (link,) = re.findall(r"/ar/newsletter/confirm/\S+", sent.body)

    visitor = Visitor("ar")
    looked = visitor.client.get(link)
    assert looked.status_code == 200
    assert not Subscription.objects.confirmed().exists()
    pressed = visitor.client.post(link)

    assert pressed.status_code == 200
    assert Subscription.objects.confirmed().get().email == HERS
    assert journal() == [("newsletter", True, "form", "ar", "2026-11")]
    visitor.client.post(link)
    assert len(journal()) == 1


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_the_page_answers_the_same_whether_or_not_the_address_subscribes(now, language):
    subscribed("has@example.ma")
    OutboxMessage.objects.all().delete()
    pages = []

    for email in ("has@example.ma", "has-not@example.ma"):
        visitor = Visitor(language)
        answer = visitor.post("newsletter", email=email)
        page = visitor.client.get(answer["Location"]).content.decode()
        pages.append((answer.status_code, answer["Location"], re.sub(r"nonce=\S+|value=\S+", "", page)))

    assert pages[0] == pages[1]
    assert [each.recipient for each in OutboxMessage.objects.all()] == ["has-not@example.ma"]


def test_an_address_is_asked_once_in_ten_minutes():
    for minutes in (0, 1, 9, 11):
        newsletter.ask(email=HERS, language="fr", at=NOW + timedelta(minutes=minutes))

    assert OutboxMessage.objects.filter(recipient=HERS).count() == 2


def test_one_visitor_asks_five_times_a_minute_at_most(now):
    visitor = Visitor()

    answers = [visitor.post("newsletter", email=f"a{number}@example.ma").status_code for number in range(7)]

    assert answers == [302] * 5 + [429] * 2
    assert Subscription.objects.count() == 5


@pytest.mark.parametrize(
    "typed", ["", "nora", "nora@", "a@b@c", "x" * 300 + "@example.ma", "a\nb@example.ma"]
)
def test_what_is_no_address_is_told_in_its_place(now, typed):
    answer = Visitor("fr").post("newsletter", email=typed)

    assert answer.status_code == 422
    assert 'id="id_email_error"' in answer.content.decode()
    assert not Subscription.objects.exists()


def test_the_field_in_the_foot_works_without_a_cookie_and_from_every_page(now):
    client = Client(enforce_csrf_checks=True)
    page = client.get("/fr/").content.decode()
    action = re.search(r'<form class="stack-s" method="post" action="([^"]+)"', page)[1]

    answer = client.post(action, {"email": HERS})

    assert (answer.status_code, answer["Location"]) == (302, "/fr/newsletter/")
    assert Subscription.objects.get().email == HERS


def test_a_forged_old_or_spent_link_confirms_nothing(now, monkeypatch):
    newsletter.ask(email=HERS, language="fr", at=NOW)
    person = Subscription.objects.get().person
    good = ending.confirm_token(person=person)
    foreign = signing.dumps(person, salt="elsewhere")
    # In the middle: some bits of a signature's last letter mean nothing.
    forged = good[:-9] + ("A" if good[-9] != "A" else "B") + good[-8:]
    statuses = [Visitor("fr").post("newsletter_confirm", each).status_code for each in ("x", forged, foreign)]
    monkeypatch.setattr("django.core.signing.time.time", lambda: 4_000_000_000)

    with pytest.raises(ending.LinkRefused):
        newsletter.confirm(token=good, at=NOW)

    assert statuses == [404] * 3
    assert not Subscription.objects.confirmed().exists()


def test_an_account_with_a_proved_address_subscribes_at_once_another_by_mail():
    hers, unproved = proved(), UserFactory()

    newsletter.subscribe(user=hers, language="fr", at=NOW)
    newsletter.subscribe(user=unproved, language="fr", at=NOW)

    assert [each.email for each in Subscription.objects.confirmed()] == [hers.email]
    assert journal() == [("newsletter", True, "account", "fr", "2026-11")]
    assert newsletter.of(user=unproved) is None
    assert [each.recipient for each in OutboxMessage.objects.all()] == [unproved.email]


def test_one_post_from_a_mail_program_ends_it_and_forgets_the_address(now):
    found = subscribed()
    token = ending.end_token(person=found.person, purpose=Purpose.NEWSLETTER)
    client = Client(enforce_csrf_checks=True)
    address = Visitor("fr").url("unsubscribe", token)

    looked = client.get(address)
    assert looked.status_code == 200 and Subscription.objects.exists()
    first = client.post(address, {"List-Unsubscribe": "One-Click"})
    again = client.post(address, {"List-Unsubscribe": "One-Click"})

    assert (first.status_code, again.status_code) == (200, 200)
    assert not Subscription.objects.exists()
    assert not OutboxMessage.objects.exclude(state="delivered").filter(recipient=HERS).exists()
    assert journal()[-1] == ("newsletter", False, "link", "fr", "2026-11")
    assert len(journal()) == 2


def test_a_forged_unsubscribe_link_ends_nothing(now):
    found = subscribed()
    forged = signing.dumps([found.person, "newsletter"], salt="elsewhere")

    answers = [Visitor("ar").post("unsubscribe", each).status_code for each in ("x", forged)]

    assert answers == [404, 404]
    assert Subscription.objects.confirmed().count() == 1


def test_a_failed_question_is_sent_again_with_a_link_that_works():
    newsletter.ask(email=HERS, language="fr", at=NOW)
    message = OutboxMessage.objects.get()
    mailing.send(message)
    message.state = "delivered"
    message.save()

    again = mailing.send_again(message=message, at=NOW)
    mailing.send(again)

    assert "/newsletter/confirm/•••/" in message.body
    link = re.findall(r"/fr/newsletter/confirm/(\S+)/", mail.outbox[1].body)
    assert newsletter.confirm(token=link[0], at=NOW).confirmed_at == NOW


def test_addresses_that_never_answered_are_forgotten_after_a_week():
    newsletter.ask(email="old@example.ma", language="fr", at=NOW)
    newsletter.ask(email="new@example.ma", language="fr", at=NOW + timedelta(days=3))
    subscribed("kept@example.ma")

    forgotten = newsletter.forget_unconfirmed(at=NOW + timedelta(days=8))

    assert forgotten == 1
    assert set(Subscription.objects.values_list("email", flat=True)) == {"new@example.ma", "kept@example.ma"}
    assert not OutboxMessage.objects.filter(recipient="old@example.ma").exists()
