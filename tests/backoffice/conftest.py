"""Operators of each role with a browser each, and a shop whose outside does not answer unless a test says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from shop.people.models import OperatorRole
from tests.factories import MemberFactory, OperatorFactory, UserFactory
from tests.payments.conftest import shop  # noqa: F401 - the fixture

#: A port nobody listens on.
NOWHERE = "http://127.0.0.1:9"

As = Callable[[str], Client]


@pytest.fixture(autouse=True)
def _nobody_outside(settings: Any, tmp_path: Any) -> None:
    settings.BANK_SANDBOX_URL = NOWHERE
    settings.STRIPE_API_BASE = ""


@pytest.fixture
def as_(db: None) -> As:
    """``as_("support")``: a browser in which that operator, ``customer`` or ``member`` is signed in, always
    the same one; ``as_("anonymous")`` nobody. ``as_("support").person`` is who."""
    known: dict[str, Client] = {}

    def browser(who: str) -> Client:
        if who not in known:
            known[who] = client = Client()
            if who != "anonymous":
                client.person = _person(who)  # type: ignore[attr-defined]
                client.force_login(client.person)  # type: ignore[attr-defined]
        return known[who]

    return browser


def _person(who: str) -> Any:
    if who == "customer":
        return UserFactory(email="customer@example.ma", language="en")
    if who == "member":
        return MemberFactory(user__email="member@example.ma", user__language="en").user
    assert who in OperatorRole.Role.values, who
    return OperatorFactory(email=f"{who}@example.ma", roles=[who], language="en")
