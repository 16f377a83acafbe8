"""Brings the index up to date; ``--all`` makes it anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from shop.search import indexing


class Command(BaseCommand):
    help = "Brings the index of listings up to date. It follows by itself; --all makes it anew."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--all", action="store_true", help="every listing, whether it changed or not")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["all"]:
            self.stdout.write(f"{indexing.rebuild()} listings on the shelves")
        else:
            self.stdout.write(f"{indexing.refresh()} listings indexed anew")
