"""Loads the demonstration shop once; ``--accounts`` prints who can log in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from shop.core import clock


class Command(BaseCommand):
    help = "Loads the demonstration shop (invented cooperatives and goods). Loading again changes nothing."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--accounts", action="store_true", help="only print the demo accounts and what to try"
        )

    def handle(self, *args: Any, accounts: bool = False, **options: Any) -> None:
        if not settings.DEMO_MODE:
            raise CommandError("The demonstration is only loaded in demo mode.")
        from fixtures.demo.accounts import ACCOUNTS, PASSWORD, TO_TRY
        from fixtures.demo.loading import load

        if not accounts:
            load(at=clock.now(), out=self.stdout)
            return
        self.stdout.write(f"Accounts (password of each: {PASSWORD})")
        for each in ACCOUNTS:
            self.stdout.write(f"  {each.email:<28} {each.what}")
        self.stdout.write("What to try")
        for number, line in enumerate(TO_TRY, start=1):
            self.stdout.write(f"  {number}. {line}")
