"""Fills a shop with invented goods for measuring: ``manage.py seed --size L --seed 1``."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from shop.core import clock, freshness
from shop.orders.models import Order


class Command(BaseCommand):
    help = (
        "Fills the shop with 300 cooperatives, 800 categories and 1,000 (S), 10,000 (M) or 100,000 (L) invented "
        "listings. The same seed makes the same shop; a larger size adds to a smaller one; again adds nothing."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--size", choices=("S", "M", "L"), default="S")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--yes-i-mean-it", action="store_true", help="also into production, or beside orders"
        )

    def handle(
        self, *args: Any, size: str = "S", seed: int = 1, yes_i_mean_it: bool = False, **options: Any
    ) -> None:
        if not 0 <= seed <= 999_999:
            raise CommandError("A seed is a whole number from 0 to 999999.")
        if not yes_i_mean_it:
            _refuse_a_real_shop()
        # Imported late: production is not obliged to carry the fixtures.
        from fixtures.seeding import filling

        started = time.monotonic()
        added = filling.fill(goods=filling.SIZES[size], seed=seed, at=clock.now(), out=self.stdout)
        if not added:
            self.stdout.write(
                f"All {filling.SIZES[size]} listings of seed {seed} are there; nothing was added."
            )
            return
        call_command("index", "--all", stdout=self.stdout)
        filling.settle()
        freshness.renew()
        self.stdout.write(f"{added} listings added in {time.monotonic() - started:.0f} s")


def _refuse_a_real_shop() -> None:
    """Raise CommandError where invented goods would stand beside real ones."""
    if settings.PRODUCTION:
        raise CommandError("This is a production shop. Invented goods go in only with --yes-i-mean-it.")
    if Order.objects.exists():
        raise CommandError("There are orders here. Invented goods go in only with --yes-i-mean-it.")
