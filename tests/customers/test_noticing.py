"""Each yes and each no is kept with its time, language and words; nobody unproved is written to."""

from __future__ import annotations

import hashlib

import pytest
from django.db import IntegrityError, transaction

from shop.customers import consents, noticing
from shop.customers.models import Consent, Preferences, Purpose
from tests.customers.people import proved
from tests.factories import NOW, UserFactory

pytestmark = pytest.mark.django_db


def journal():
    return list(Consent.objects.values_list("purpose", "is_given", "source", "language", "text_version"))


def test_a_choice_is_written_into_the_journal_with_its_language_and_words():
    user = proved()

    noticing.choose(user=user, wanted={Purpose.CHEAPER: True}, language="ar", at=NOW)
    noticing.choose(user=user, wanted={Purpose.CHEAPER: True}, language="ar", at=NOW)
    noticing.choose(user=user, wanted={Purpose.CHEAPER: False}, language="fr", at=NOW)

    assert journal() == [
        ("cheaper", True, "account", "ar", "2026-11"),
        ("cheaper", False, "account", "fr", "2026-11"),
    ]
    assert set(Consent.objects.values_list("happened_at", flat=True)) == {NOW}


def test_an_address_that_is_not_proved_gets_nothing():
    user = UserFactory()

    with pytest.raises(noticing.EmailNotProved):
        noticing.choose(user=user, wanted={Purpose.BACK_IN_STOCK: True}, language="fr", at=NOW)

    assert (Preferences.objects.count(), journal()) == (0, [])


def test_the_link_in_a_mail_ends_one_kind_and_leaves_the_other():
    user = proved()
    both = {Purpose.BACK_IN_STOCK: True, Purpose.CHEAPER: True}
    kept = noticing.choose(user=user, wanted=both, language="fr", at=NOW)

    first = noticing.end(person=kept.person, purpose=Purpose.CHEAPER, language="fr", at=NOW)
    again = noticing.end(person=kept.person, purpose=Purpose.CHEAPER, language="fr", at=NOW)

    kept.refresh_from_db()
    assert (first, again) == (True, False)
    assert (kept.back_in_stock, kept.cheaper) == (True, False)
    assert journal()[-1] == ("cheaper", False, "link", "fr", "2026-11")


def test_the_journal_refuses_to_be_changed_or_emptied():
    noticing.choose(user=proved(), wanted={Purpose.CHEAPER: True}, language="fr", at=NOW)

    for change in (lambda: Consent.objects.update(is_given=False), lambda: Consent.objects.all().delete()):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()

    assert journal() == [("cheaper", True, "account", "fr", "2026-11")]


def test_words_do_not_change_without_a_new_version():
    # Whoever changes a sentence beside a box gives it a new version and writes its digest here.
    digests = {
        f"{purpose}@{version}": hashlib.sha256(words.encode()).hexdigest()[:12]
        for purpose, (version, words) in consents.WORDS.items()
    }

    assert digests == {
        "newsletter@2026-11": "d7a549c74f33",
        "back_in_stock@2026-11": "3a3b1ea1e2db",
        "cheaper@2026-11": "6f02ed5c7280",
    }
    assert set(consents.WORDS) == set(Purpose)
