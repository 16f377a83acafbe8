"""After a restore: repeat the erasures that were carried out since the backup was made."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from shop.core import clock
from shop.customers import erasing


class Command(BaseCommand):
    help = "Repeat every erasure known to the tables or the private files. Run it after each restore."

    def handle(self, *args: Any, **options: Any) -> None:
        found = erasing.reapply(at=clock.now())
        for reference, changed in found:
            self.stdout.write(f"{reference}: {changed} records changed")
        self.stdout.write(f"{len(found)} erasures, {sum(each for _name, each in found)} records changed")
