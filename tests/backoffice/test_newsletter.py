"""An issue is written, looked at in three languages and sent once, by who may."""

from __future__ import annotations

import html

import pytest
from django.urls import reverse
from django.utils import timezone

from shop.customers import issues
from shop.customers.models import Issue, IssueCopy, Subscription
from tests.customers.test_issues import WORDS
from tests.factories import NOW, OperatorFactory

pytestmark = pytest.mark.django_db


def text_of(response):
    return html.unescape(response.content.decode())


@pytest.fixture
def subscribers():
    for name, language in (("a", "fr"), ("b", "ar")):
        Subscription.objects.create(
            email=f"{name}@example.ma",
            language=language,
            text_version="2026-11",
            asked_at=NOW,
            confirmed_at=NOW,
        )


def door(name, *args):
    return reverse(f"backoffice:{name}", args=args)


def test_a_draft_is_written_changed_and_thrown_away_and_nobody_gets_it(as_, subscribers):
    client = as_("catalogue")

    made = client.post(door("new_issue"), WORDS)
    issue = Issue.objects.get()
    changed = client.post(door("issue", issue.reference), WORDS | {"subject_en": "Saffron, soon"})
    issue.refresh_from_db()

    assert made["Location"] == changed["Location"] == door("issue", issue.reference)
    assert (issue.state, issue.subject_en, issue.written_by) == ("draft", "Saffron, soon", client.person)
    assert not IssueCopy.objects.exists()
    client.post(door("throw_away_issue", issue.reference))
    assert not Issue.objects.exists()


def test_an_issue_without_its_arabic_is_not_kept(as_):
    answer = as_("catalogue").post(door("new_issue"), WORDS | {"text_ar": ""})

    assert answer.status_code == 422
    assert 'id="id_text_ar_error"' in text_of(answer)
    assert not Issue.objects.exists()


@pytest.mark.parametrize(("language", "said"), [("fr", "La récolte"), ("ar", "محصول"), ("en", "<b>Look</b>")])
def test_it_is_looked_at_as_it_is_read_and_its_words_are_no_markup(as_, language, said):
    issue = issues.write(words=WORDS, by=OperatorFactory(), at=NOW)

    page = as_("catalogue").get(door("preview_issue", issue.reference, language))

    assert page.status_code == 200
    assert said in text_of(page)
    assert "<b>Look" not in page.content.decode()
    assert as_("catalogue").get(door("preview_issue", issue.reference, "de")).status_code == 404


def test_it_says_to_how_many_it_goes_and_is_sent_once(as_, subscribers):
    client = as_("catalogue")
    issue = issues.write(words=WORDS, by=OperatorFactory(), at=NOW)
    asked = text_of(client.get(door("send_issue", issue.reference)))

    client.post(door("send_issue", issue.reference))
    again = client.post(door("send_issue", issue.reference), follow=True)

    assert "It goes to 2 people." in asked
    assert IssueCopy.objects.count() == 2
    assert "This issue has been sent." in text_of(again)
    issue.refresh_from_db()
    assert (issue.state, issue.recipients, issue.sent_by) == ("sending", 2, client.person)


def test_its_page_shows_how_far_it_has_come(as_, subscribers):
    issue = issues.write(words=WORDS, by=OperatorFactory(), at=NOW)
    issues.send(issue=issue, by=OperatorFactory(), at=NOW)
    issues.go_on(at=timezone.now())

    page = text_of(as_("catalogue").get(door("issue", issue.reference)))
    changed = as_("catalogue").post(door("issue", issue.reference), WORDS | {"subject_fr": "X"}, follow=True)

    assert "How far it has come" in page
    assert "<textarea" not in page
    assert "What was sent is not changed." in text_of(changed)
    assert Issue.objects.get().subject_fr == "Le safran est là"


def test_with_nobody_to_write_to_the_button_is_not_there(as_):
    issue = issues.write(words=WORDS, by=OperatorFactory(), at=NOW)

    page = as_("catalogue").get(door("send_issue", issue.reference))

    assert page.status_code == 409
    assert "there is nobody to send it to" in text_of(page)
