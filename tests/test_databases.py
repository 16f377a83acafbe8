"""The ground the other tests stand on: each test finds the database as the migrations left it."""

from __future__ import annotations

import threading

import pytest
from django.contrib.sites.models import Site
from django.db import close_old_connections, connection, connections, transaction

COMMITTING = pytest.mark.django_db(transaction=True)


@COMMITTING
@pytest.mark.parametrize("turn", ["first", "second"])
def test_what_a_test_commits_is_gone_in_the_next(turn):
    assert not Site.objects.filter(domain="left.behind").exists()

    Site.objects.create(domain="left.behind", name="left behind")

    assert Site.objects.filter(domain="left.behind").count() == 1


@COMMITTING
@pytest.mark.parametrize("turn", ["first", "second"])
def test_what_migrations_wrote_is_there_although_a_test_removed_it(turn):
    assert Site.objects.count() == 1

    Site.objects.all().delete()

    assert Site.objects.count() == 0


@pytest.mark.django_db
def test_a_test_without_commits_follows_one_with_commits_unharmed():
    assert list(Site.objects.values_list("pk", flat=True)) == [1]


@COMMITTING
def test_threads_see_one_database_with_real_commits():
    def write(number: int) -> None:
        try:
            with transaction.atomic():
                Site.objects.create(domain=f"{number}.example", name=str(number))
        finally:
            close_old_connections()
            connections.close_all()

    threads = [threading.Thread(target=write, args=[each]) for each in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=30)

    assert Site.objects.filter(domain__endswith=".example").exclude(pk=1).count() == 8


@pytest.mark.django_db
def test_sqlite_waits_for_its_turn_and_keeps_its_triggers():
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's own settings")

    with connection.cursor() as cursor:
        values = {
            name: cursor.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "foreign_keys", "recursive_triggers")
        }

    assert values == {"journal_mode": "wal", "foreign_keys": 1, "recursive_triggers": 1}


@COMMITTING
def test_a_connection_left_open_by_a_thread_does_not_stop_the_renewal(database_clones):
    opened, leave = threading.Event(), threading.Event()

    def hold() -> None:
        list(Site.objects.all())
        opened.set()
        leave.wait(30)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    opened.wait(30)
    Site.objects.create(domain="left.behind", name="left behind")

    database_clones.renew()

    assert not Site.objects.filter(domain="left.behind").exists()
    leave.set()
    thread.join(timeout=30)


@pytest.mark.django_db
def test_nothing_reaches_beyond_this_machine():
    import socket

    with pytest.raises(AssertionError, match="wanted to connect"), socket.socket() as outside:
        outside.connect(("192.0.2.1", 80))
