"""Loads regions, provinces and communes, which addresses need before the first order."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from fixtures.morocco.loading import load_places
from shop.core.models import Commune


class Command(BaseCommand):
    help = "Loads the places of Morocco (HCP, census of 2024). Loading again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        load_places()
        self.stdout.write(f"{Commune.objects.count()} communes")
