"""One issue reaches everybody who confirmed once, in her language, however often it is pressed."""

from __future__ import annotations

import threading

import pytest
from django.core import mail
from django.db import connections

from shop.core import outbox
from shop.core.models import OutboxMessage
from shop.customers import issues, newsletter
from shop.customers.models import Consent, Issue, IssueCopy, Subscription
from tests.factories import NOW, OperatorFactory

pytestmark = pytest.mark.django_db
WORDS = {
    "subject_fr": "Le safran est là",
    "subject_ar": "حل موسم الزعفران",
    "subject_en": "Saffron is in",
    "text_fr": "La récolte de Taliouine.\n\nhttps://tadamon.example/fr/",
    "text_ar": "محصول تالوين.",
    "text_en": "The harvest of Taliouine. <b>Look</b>",
}


def subscriber(name, language="fr", *, confirmed=True):
    return Subscription.objects.create(
        email=f"{name}@example.ma",
        language=language,
        text_version="2026-11",
        asked_at=NOW,
        confirmed_at=NOW if confirmed else None,
    )


def draft():
    return issues.write(words=WORDS, by=OperatorFactory(), at=NOW)


def test_each_gets_it_once_in_her_language_with_a_link_that_ends_it():
    for name, language in (("a", "fr"), ("b", "ar"), ("c", "en")):
        subscriber(name, language)
    subscriber("d", confirmed=False)
    issue = draft()

    number = issues.send(issue=issue, by=OperatorFactory(), at=NOW)
    issues.go_on(at=NOW)
    issues.go_on(at=NOW)
    outbox.sweep(at=NOW)

    assert number == 3
    assert [(each.to[0], each.subject) for each in mail.outbox] == [
        ("a@example.ma", "Le safran est là"),
        ("b@example.ma", "حل موسم الزعفران"),
        ("c@example.ma", "Saffron is in"),
    ]
    for each in mail.outbox:
        link = each.extra_headers["List-Unsubscribe"].strip("<>")
        assert link in each.body and link in each.alternatives[0][0]
    assert "&lt;b&gt;Look&lt;/b&gt;" in mail.outbox[2].alternatives[0][0]
    issue.refresh_from_db()
    assert issue.state == Issue.State.SENT
    assert issues.progress(of=[issue])[issue.pk] == {
        "to": 3,
        "waiting": 0,
        "left": 3,
        "failed": 0,
        "ended": 0,
    }


def test_pressing_send_again_sends_nothing_more():
    subscriber("a")
    issue = draft()
    issues.send(issue=issue, by=OperatorFactory(), at=NOW)

    with pytest.raises(issues.SentAlready):
        issues.send(issue=issue, by=OperatorFactory(), at=NOW)

    issues.go_on(at=NOW)
    assert (IssueCopy.objects.count(), OutboxMessage.objects.count()) == (1, 1)


def test_what_was_sent_is_neither_changed_nor_removed():
    subscriber("a")
    issue = draft()
    issues.send(issue=issue, by=OperatorFactory(), at=NOW)

    with pytest.raises(issues.SentAlready):
        issues.change(issue=issue, words=WORDS | {"subject_fr": "Autre"}, by=OperatorFactory(), at=NOW)
    with pytest.raises(issues.SentAlready):
        issues.throw_away(issue=issue)

    assert Issue.objects.get().subject_fr == "Le safran est là"


def test_with_nobody_to_write_to_it_stays_a_draft():
    issue = draft()

    with pytest.raises(issues.NobodyToWriteTo):
        issues.send(issue=issue, by=OperatorFactory(), at=NOW)

    assert Issue.objects.get().state == Issue.State.DRAFT


def test_who_unsubscribes_before_it_reaches_her_does_not_get_it():
    hers, in_outbox = subscriber("a"), subscriber("b")
    subscriber("c")
    issue = draft()
    issues.send(issue=issue, by=OperatorFactory(), at=NOW)
    newsletter.end(person=hers.person, source=Consent.Source.LINK, at=NOW)
    issues.go_on(at=NOW)
    newsletter.end(person=in_outbox.person, source=Consent.Source.LINK, at=NOW)

    outbox.sweep(at=NOW)

    assert [each.to for each in mail.outbox] == [["c@example.ma"]]
    issue.refresh_from_db()
    assert issues.progress(of=[issue])[issue.pk] == {
        "to": 3,
        "waiting": 0,
        "left": 1,
        "failed": 0,
        "ended": 2,
    }


def test_a_long_list_goes_in_portions(monkeypatch):
    monkeypatch.setattr(issues, "AT_ONCE", 2)
    for number in range(5):
        subscriber(f"a{number}")
    issue = draft()
    issues.send(issue=issue, by=OperatorFactory(), at=NOW)

    steps = [issues.go_on(at=NOW) for _ in range(4)]

    assert steps == [2, 2, 1, 0]
    assert OutboxMessage.objects.count() == 5


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_two_who_press_send_at_once_one_sends_it():
    for name in ("a", "b"):
        subscriber(name)
    issue, by = draft(), OperatorFactory()
    start, found = threading.Barrier(2), []

    def press():
        start.wait()
        try:
            found.append(issues.send(issue=issue, by=by, at=NOW))
        except issues.SentAlready:
            found.append(0)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(found) == [0, 2]
    assert IssueCopy.objects.count() == 2


def test_how_far_many_issues_have_come_costs_two_queries(django_assert_num_queries):
    subscriber("a")
    sent, kept = draft(), draft()
    issues.send(issue=sent, by=OperatorFactory(), at=NOW)
    sent.refresh_from_db()

    with django_assert_num_queries(2):
        far = issues.progress(of=[sent, kept])

    assert far[sent.pk] == {"to": 1, "waiting": 1, "left": 0, "failed": 0, "ended": 0}
    assert far[kept.pk] == {"to": 0, "waiting": 0, "left": 0, "failed": 0, "ended": 0}
