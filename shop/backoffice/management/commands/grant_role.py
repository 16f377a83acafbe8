"""Gives an account an operator's role: the first ones, before there is anybody to give them on a page."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from shop.people.models import OperatorRole, User


class Command(BaseCommand):
    help = "Gives an account whose e-mail is proved an operator role. Giving it again changes nothing."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("email")
        parser.add_argument("role", choices=OperatorRole.Role.values)

    def handle(self, *args: Any, email: str, role: str, **options: Any) -> None:
        user = User.objects.filter(email__iexact=email, is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody has signed up as {email}.")
        if (
            not user.is_superuser
            and not user.emailaddress_set.filter(email__iexact=email, verified=True).exists()
        ):
            raise CommandError(f"{email} has not confirmed the address yet.")
        OperatorRole.objects.get_or_create(user=user, role=role, defaults={"granted_at": timezone.now()})
        self.stdout.write(f"{user.email}: {', '.join(user.operator_roles.values_list('role', flat=True))}")
