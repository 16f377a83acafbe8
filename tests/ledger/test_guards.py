"""What the database refuses, whoever asks, on either engine."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import F
from django.db.models.deletion import ProtectedError

from shop.ledger.models import Account, JournalEntry, Posting
from tests.ledger.example import DAY, confirmed_a, paid_in_eur, shown

pytestmark = pytest.mark.django_db

sqlite_only = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite's own trap")
postgresql_only = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL's own words")

BOOKS = {"ledger_account": Account, "ledger_journalentry": JournalEntry, "ledger_posting": Posting}


def run(sql: str, values: list[object] | None = None) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def content(table: str) -> list[dict]:
    return list(BOOKS[table].objects.order_by("pk").values())


@pytest.fixture
def written():
    return confirmed_a()


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("ledger_account", "code = 'producer_payable:A:MAD'"),
        ("ledger_account", "currency = 'EUR'"),
        ("ledger_account", "normal_side = 'debit'"),
        ("ledger_journalentry", "effective_on = '2020-01-01'"),
        ("ledger_journalentry", "memo = 'nothing happened'"),
        ("ledger_posting", "amount_minor = amount_minor + 1"),
        ("ledger_posting", "amount_minor = amount_minor"),
    ],
)
def test_nothing_written_is_changed(written, table, change):
    before = content(table)

    with pytest.raises(IntegrityError, match="append-only"):
        run(f"UPDATE {table} SET {change}")

    assert content(table) == before


@pytest.mark.parametrize("table", BOOKS)
def test_nothing_written_is_removed(written, table):
    before = content(table)

    with pytest.raises(IntegrityError):
        run(f"DELETE FROM {table}")

    assert content(table) == before


def test_the_code_of_the_shop_gets_no_further_than_raw_sql(written):
    posting = written.postings.first()
    posting.amount_minor += 1

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        posting.save()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Posting.objects.update(amount_minor=F("amount_minor") * 2)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        written.postings.all().delete()
    with pytest.raises(ProtectedError):
        written.delete()

    assert shown()["producer_held:A:MAD"] == "534.00"


@postgresql_only
@pytest.mark.parametrize("table", BOOKS)
def test_the_books_cannot_be_emptied(written, table):
    before = content(table)
    connection.check_constraints()

    with pytest.raises(IntegrityError, match="append-only"):
        run(f"TRUNCATE {table} CASCADE")

    assert content(table) == before


@postgresql_only
def test_an_upsert_does_not_overwrite_an_entry(written):
    with pytest.raises(IntegrityError, match="append-only"):
        run(
            "INSERT INTO ledger_journalentry (event, kind, effective_on, recorded_at, actor, memo, "
            '"order", supplier_order, about, approval) '
            "SELECT event, 'refund', effective_on, recorded_at, actor, memo, "
            '"order", supplier_order, about, approval FROM ledger_journalentry '
            "ON CONFLICT (event) DO UPDATE SET kind = excluded.kind"
        )

    written.refresh_from_db()
    assert written.kind == "confirmation"


def overwrite(posting: Posting) -> None:
    run(
        "INSERT OR REPLACE INTO ledger_posting (id, entry_id, debit_id, credit_id, currency, amount_minor, ext_ref) "
        "SELECT id, entry_id, debit_id, credit_id, currency, 1, '' FROM ledger_posting WHERE id = %s",
        [posting.pk],
    )


@sqlite_only
def test_insert_or_replace_does_not_overwrite_a_posting(written):
    posting = written.postings.order_by("pk").first()

    with pytest.raises(IntegrityError, match="append-only"):
        overwrite(posting)

    posting.refresh_from_db()
    assert posting.amount_minor == 60000


@sqlite_only
def test_insert_or_replace_does_not_overwrite_an_entry_by_its_event(written):
    with pytest.raises(IntegrityError, match="append-only"):
        run(
            "INSERT OR REPLACE INTO ledger_journalentry (event, kind, effective_on, recorded_at, actor, memo, "
            '"order", supplier_order, about, approval) '
            "SELECT event, 'refund', effective_on, recorded_at, '', '', '', '', '', '' FROM ledger_journalentry"
        )

    assert JournalEntry.objects.get().kind == "confirmation"


@sqlite_only
def test_without_recursive_triggers_insert_or_replace_would_slip_past_the_guard(written):
    posting = written.postings.order_by("pk").first()

    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA recursive_triggers").fetchone() == (1,)
        cursor.execute("PRAGMA recursive_triggers=OFF")
        try:
            overwrite(posting)
        finally:
            cursor.execute("PRAGMA recursive_triggers=ON")

    posting.refresh_from_db()
    assert posting.amount_minor == 1


# What a posting may be


def insert(**values: object) -> None:
    """A posting as no activity of ours would write it."""
    with transaction.atomic():
        Posting.objects.create(**values)


@pytest.fixture
def exchanged():
    """Accounts in two currencies."""
    entry = paid_in_eur()
    return entry, {each.code: each for each in Account.objects.all()}


@pytest.mark.parametrize(
    ("debit", "credit", "currency"),
    [
        ("stripe_balance:EUR", "customer_funds:MAD", "MAD"),
        ("stripe_balance:EUR", "customer_funds:MAD", "EUR"),
        ("fx_position:MAD", "customer_funds:MAD", "EUR"),
        ("fx_position:MAD", "customer_funds:MAD", "XXX"),
    ],
)
def test_no_posting_crosses_currencies(exchanged, debit, credit, currency):
    entry, books = exchanged
    before = Posting.objects.count()

    with pytest.raises(IntegrityError):
        insert(entry=entry, debit=books[debit], credit=books[credit], currency=currency, amount_minor=100)

    assert Posting.objects.count() == before


def test_a_posting_of_one_currency_is_taken(exchanged):
    entry, books = exchanged

    insert(
        entry=entry,
        debit=books["fx_position:MAD"],
        credit=books["customer_funds:MAD"],
        currency="MAD",
        amount_minor=100,
    )

    assert shown()["customer_funds:MAD"] == "1001.00"


@pytest.mark.parametrize("amount", [0, -100])
def test_no_posting_is_of_nothing_or_less(exchanged, amount):
    entry, books = exchanged

    with pytest.raises(IntegrityError, match="a_posting_moves_something"):
        insert(
            entry=entry,
            debit=books["fx_position:MAD"],
            credit=books["customer_funds:MAD"],
            currency="MAD",
            amount_minor=amount,
        )


def test_no_posting_stands_on_one_account(exchanged):
    entry, books = exchanged
    funds = books["customer_funds:MAD"]

    with pytest.raises(IntegrityError, match="a_posting_has_two_accounts"):
        insert(entry=entry, debit=funds, credit=funds, currency="MAD", amount_minor=100)


def test_an_event_is_written_once_and_has_a_name(written):
    with pytest.raises(IntegrityError), transaction.atomic():
        JournalEntry.objects.create(event=written.event, kind="release", effective_on=DAY)
    with pytest.raises(IntegrityError, match="an_entry_names_its_event"), transaction.atomic():
        JournalEntry.objects.create(event="", kind="release", effective_on=DAY)

    assert JournalEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_guards_can_be_lifted_by_migrating_back_and_return_with_it():
    confirmed_a()
    MigrationExecutor(connection).migrate([("ledger", "0001_initial")])

    run("UPDATE ledger_posting SET amount_minor = 1")

    assert set(Posting.objects.values_list("amount_minor", flat=True)) == {1}

    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    with pytest.raises(IntegrityError, match="append-only"):
        run("UPDATE ledger_posting SET amount_minor = 2")
    assert set(Posting.objects.values_list("amount_minor", flat=True)) == {1}
