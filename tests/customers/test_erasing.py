"""Asked once, everything that names her is gone from every table, file and session; the books stay whole."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.core.files.storage import storages
from django.core.management import call_command

from shop.backoffice import auditing
from shop.core.models import OutboxMessage
from shop.customers import erasing, newsletter, owning
from shop.customers.models import Consent, Erasure, Subscription
from shop.fulfilment import deciding
from shop.orders import links
from shop.orders.models import Order
from shop.payments import paying, refunding
from shop.people.models import User
from tests.customers.living import EMAIL, MARKS, SECOND, a_customer, figures, found_in_tables
from tests.customers.people import proved
from tests.factories import (
    NOW,
    ListingFactory,
    MemberFactory,
    OperatorFactory,
    UserFactory,
    order_of,
    placed,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    """Private files of this test's own."""
    stored = settings.STORAGES | {
        "private": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "private"), "base_url": None},
        }
    }
    settings.STORAGES = stored
    return tmp_path / "private"


@pytest.fixture
def mail_folder(settings, tmp_path):
    """Mails lie in a folder, as in the demonstration."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    return tmp_path / "mail"


def in_folder(folder: Path) -> set[str]:
    return {
        mark
        for file in folder.rglob("*")
        if file.is_file()
        for mark in MARKS
        if mark.lower() in file.read_text(errors="replace").lower()
    }


def test_nothing_that_names_her_is_left_in_any_table_file_or_session(shop, mail_folder, private_files):
    user = a_customer(shop)
    other = proved(email="other@example.ma")
    order_of((ListingFactory(), 1), user=other, at=shop.at)
    before, accounts = figures(), User.objects.count()
    # The control: she is everywhere.
    assert len(found_in_tables()) >= 12
    assert {each for marks in found_in_tables().values() for each in marks} == set(MARKS)
    assert "zineb.marque" in in_folder(mail_folder)

    erasure = erasing.ask(user=user, at=shop.at)

    assert erasure.done_at == shop.at
    assert found_in_tables() == {}
    assert in_folder(mail_folder) == set()
    assert in_folder(private_files) == set()
    assert figures() == before
    assert [each for each in auditing.audit(at=shop.at) if not each.holds] == []
    assert User.objects.count() == accounts - 1
    assert owning.orders_of(user=other).count() == 1


def test_her_links_open_nothing_any_more(shop):
    a_customer(shop)
    guest = Order.objects.get(guest_email=SECOND)
    token = links.sign(order=guest)

    erasing.ask(user=User.objects.get(email=EMAIL), at=shop.at)

    with pytest.raises(links.LinkRefused):
        links.read(token=token)


def test_her_consents_end_and_the_journal_names_nobody(shop):
    user = a_customer(shop)

    erasing.ask(user=user, at=shop.at)

    ended = Consent.objects.filter(is_given=False).values_list("purpose", "source")
    assert sorted(ended) == [
        ("back_in_stock", "erasure"),
        ("cheaper", "erasure"),
        ("newsletter", "erasure"),
    ]
    assert not Subscription.objects.exists()


def test_an_open_order_makes_it_wait_and_is_named(shop):
    user = proved()
    (part,) = placed((ListingFactory(), 1), user=user, method="cash", at=shop.at)

    erasure = erasing.ask(user=user, at=shop.at)
    early = erasing.erase_due(at=shop.at)

    assert (erasure.done_at, early) == (None, 0)
    assert erasing.open_orders(user=user) == [part.order.number]
    assert User.objects.filter(pk=user.pk).exists()

    deciding.cancel(supplier_order=part, at=shop.at, actor="customer")
    done = erasing.erase_due(at=shop.at)

    assert done == 1
    assert not User.objects.filter(pk=user.pk).exists()
    assert Order.objects.get(number=part.order.number).user_id is None


@pytest.mark.parametrize("until", ["unpaid", "paid", "on its way", "may go back", "refund waits"])
def test_an_order_is_open_until_nobody_owes_anybody_anything(shop, until):
    user = proved()
    if until == "unpaid":
        order = order_of((ListingFactory(), 1), user=user, at=shop.at)
    else:
        order = shop.paid_order((ListingFactory(), 1), user=user)
        part = order.supplier_orders.get()
        if until == "on its way":
            deciding.accept(supplier_order=part, by=None, at=shop.at)
        elif until == "may go back":
            shop.delivered(part)
        elif until == "refund waits":
            deciding.decline(supplier_order=part, by=None, reason="sold_out", at=shop.at)

    assert erasing.open_orders(user=user) == [order.number]

    if until == "refund waits":
        refunding.refund_ended_parts(at=shop.at)
        assert erasing.open_orders(user=user) == [order.number]


def test_asking_twice_is_asking_once_and_it_can_be_taken_back(shop):
    user = proved()
    placed((ListingFactory(), 1), user=user, method="cash", at=shop.at)

    first, second = erasing.ask(user=user, at=shop.at), erasing.ask(user=user, at=shop.at)
    back, again = erasing.take_back(user=user), erasing.take_back(user=user)

    assert first == second
    assert (back, again) == (True, False)
    assert not Erasure.objects.exists()


@pytest.mark.parametrize("who", [lambda: MemberFactory().user, OperatorFactory])
def test_who_acts_for_a_cooperative_or_the_shop_is_not_erased_by_herself(who):
    user = who()

    with pytest.raises(erasing.WorksHere):
        erasing.ask(user=user, at=NOW)

    assert User.objects.filter(pk=user.pk).exists()
    assert not Erasure.objects.exists()


def test_typing_another_persons_address_erases_nothing_of_hers(shop):
    order = order_of((ListingFactory(), 1), email="victim@example.ma", at=shop.at)
    newsletter.ask(email="victim@example.ma", language="fr", at=shop.at)
    attacker = UserFactory()
    EmailAddress.objects.create(user=attacker, email="victim@example.ma", verified=False)

    erasing.ask(user=attacker, at=shop.at)

    order.refresh_from_db()
    assert order.guest_email == "victim@example.ma"
    assert Subscription.objects.get().email == "victim@example.ma"
    assert OutboxMessage.objects.filter(recipient="victim@example.ma").exists()
    assert not User.objects.filter(pk=attacker.pk).exists()


def test_signing_up_with_another_persons_address_erases_nothing_of_hers(shop):
    order = order_of((ListingFactory(), 1), email="victim@example.ma", at=shop.at)
    newsletter.ask(email="victim@example.ma", language="fr", at=shop.at)
    attacker = UserFactory(email="victim@example.ma")
    EmailAddress.objects.create(user=attacker, email=attacker.email, verified=False, primary=True)
    own = order_of((ListingFactory(), 1), user=attacker, at=shop.at)
    paying.expire(order=own, at=shop.at)
    assert OutboxMessage.objects.filter(recipient="victim@example.ma", about=own.number).exists()

    erasing.ask(user=attacker, at=shop.at)
    again = erasing.reapply(at=shop.at)

    order.refresh_from_db()
    own.refresh_from_db()
    assert order.guest_email == "victim@example.ma"
    assert Subscription.objects.get().email == "victim@example.ma"
    assert OutboxMessage.objects.get(recipient="victim@example.ma").topic == newsletter.CONFIRM
    assert own.user_id is None
    assert not User.objects.filter(pk=attacker.pk).exists()
    assert [number for _reference, number in again] == [0]


def test_an_account_whose_address_was_never_proved_is_known_again_after_a_restore(shop):
    user = UserFactory(email="unproved@example.ma")
    number = user.pk
    erasing.ask(user=user, at=shop.at)
    User.objects.create_user(pk=number, email="unproved@example.ma", password="marque-2026-marque")

    erasing.reapply(at=shop.at)

    assert not User.objects.filter(pk=number).exists()


# Restores


def restored(entry: dict) -> User:
    """The shop as an older backup has it: she is there, and nobody knows of the erasure."""
    user = User.objects.create_user(pk=entry["account"], email=EMAIL, password="marque-2026-marque")
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True, primary=True)
    Order.objects.filter(number__in=entry["orders"]).update(guest_email=SECOND)
    Erasure.objects.all().delete()
    return user


def the_entry(folder: Path) -> dict:
    (file,) = (folder / "erasures").glob("*.json")
    return json.loads(file.read_text())


def test_a_restored_backup_forgets_her_again_by_the_list_in_the_private_files(shop, private_files):
    erasing.ask(user=a_customer(shop), at=shop.at)
    restored(the_entry(private_files))
    assert found_in_tables() != {}

    said = io.StringIO()
    call_command("reapply_erasures", stdout=said)

    assert found_in_tables() == {}
    assert Erasure.objects.get().done_at is not None
    assert "1 erasures, 3 records changed" in said.getvalue()
    again = io.StringIO()
    call_command("reapply_erasures", stdout=again)
    assert "1 erasures, 0 records changed" in again.getvalue()


def test_what_she_did_after_the_erasure_stays_when_it_is_repeated(shop):
    erasing.ask(user=a_customer(shop), at=shop.at)
    shop.wait(days=2)
    back = proved(email=EMAIL)
    order = order_of((ListingFactory(), 1), email=EMAIL, at=shop.at)
    newsletter.subscribe(user=back, language="fr", at=shop.at)

    changed = erasing.reapply(at=shop.at)

    assert [number for _reference, number in changed] == [0]
    order.refresh_from_db()
    assert order.guest_email == EMAIL
    assert Subscription.objects.confirmed().get().email == EMAIL
    assert User.objects.filter(pk=back.pk).exists()


def test_an_account_number_of_another_database_is_left_alone(shop):
    user = proved(email="somebody@example.ma")
    Erasure.objects.create(
        account=user.pk,
        marks=[erasing.mark("else@example.ma")],
        asked_at=NOW,
        done_at=NOW + timedelta(days=9),
    )

    assert erasing.reapply(at=shop.at)[0][1] == 0
    assert User.objects.filter(pk=user.pk).exists()


def test_the_list_holds_nothing_that_can_be_read(shop, private_files):
    erasing.ask(user=a_customer(shop), at=shop.at)

    entry = the_entry(private_files)

    assert set(entry) == {"reference", "account", "marks", "orders", "asked_at", "done_at"}
    assert all(len(each) == 64 for each in entry["marks"])
    assert len(entry["marks"]) == 2 and len(entry["orders"]) == 2
    assert storages["private"].exists(f"erasures/{entry['reference']}.json")
