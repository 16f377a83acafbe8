"""What every test stands on: its own database, no network, no time wasted."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import django.test
import pytest
from django.core.cache import cache
from django.utils import translation

from tests import databases
from tests.browsers import (  # noqa: F401 - fixtures
    bank_sandbox,
    browser,
    demo_template,
    desktop,
    live_shop,
    open_page,
    phone,
    stripe_sandbox,
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: what starts last keeps one core busy while the other has nothing left."""
    items.sort(key=lambda each: (each.get_closest_marker("replay") is None, -_patience(each)))


def _patience(test: pytest.Item) -> float:
    """How many seconds a browser test may take: the only hint at how long it will."""
    timeout = test.get_closest_marker("timeout")
    return float(timeout.args[0]) if timeout and test.get_closest_marker("browser") else 0


@pytest.fixture(scope="session")
def database_clones(django_test_environment: None, django_db_blocker: Any) -> Iterator[databases.Clones]:
    """This worker's own database, a copy of the migrated template."""
    clones = databases.clones()
    with django_db_blocker.unblock():
        clones.prepare()
        yield clones
        clones.remove()


@pytest.fixture(scope="session")
def django_db_setup(database_clones: databases.Clones) -> Iterator[None]:
    """Takes the place of pytest-django's: no ``migrate`` and no flush in any test.

    After a test with real transactions the database is copied anew, because the books cannot be emptied.
    """

    def renew(self: django.test.TransactionTestCase) -> None:
        database_clones.renew()

    original = django.test.TransactionTestCase._fixture_teardown
    django.test.TransactionTestCase._fixture_teardown = renew
    yield
    django.test.TransactionTestCase._fixture_teardown = original


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """No test inherits another's cache (rate limits live there) or language."""
    yield
    cache.clear()
    translation.deactivate()


def _is_loopback(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = address[0]
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """A test that would reach beyond this machine fails at once and says where it wanted to go."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded(original: Any) -> Any:
        def connect_to(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address):
                raise AssertionError(f"a test wanted to connect to {address!r}")
            return original(self, address)

        return connect_to

    socket.socket.connect = guarded(connect)
    socket.socket.connect_ex = guarded(connect_ex)
    yield
    socket.socket.connect = connect
    socket.socket.connect_ex = connect_ex
