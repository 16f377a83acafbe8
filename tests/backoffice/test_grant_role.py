"""The first operators, before there is a page to make them on."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command

from shop.people.models import OperatorRole
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_a_role_is_given_once_to_a_proved_address(capsys):
    user = UserFactory(email="nadia@example.ma")
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True})

    call_command("grant_role", "Nadia@example.ma", "finance_maker")
    call_command("grant_role", "nadia@example.ma", "finance_maker")

    assert [each.role for each in OperatorRole.objects.filter(user=user)] == ["finance_maker"]
    assert user.has_perm("backoffice.prepare_money") and not user.has_perm("backoffice.approve_money")


def test_an_unproved_address_and_a_stranger_get_nothing():
    user = UserFactory(email="nadia@example.ma")
    EmailAddress.objects.filter(user=user).update(verified=False)

    for email in ("nadia@example.ma", "nobody@example.ma"):
        with pytest.raises(CommandError):
            call_command("grant_role", email, "support")

    assert not OperatorRole.objects.exists()
