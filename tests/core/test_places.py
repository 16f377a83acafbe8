"""The places of the census."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db.models import Sum

from shop.core.models import Commune, Province, Region

pytestmark = pytest.mark.django_db


def test_the_places_of_the_census_are_loaded_once_and_add_up(capsys):
    call_command("load_places")
    call_command("load_places")

    assert (Region.objects.count(), Province.objects.count(), Commune.objects.count()) == (12, 83, 1503)
    # HCP, legal population of 2024; the prefectures inside Casablanca would count it twice.
    assert Region.objects.aggregate(all=Sum("population"))["all"] == 36_828_330
    outside = Province.objects.exclude(kind="prefecture_of_arrondissements")
    assert outside.aggregate(all=Sum("population"))["all"] == 36_828_330
    assert Province.objects.get(name_fr__startswith="Chtouka").region_id == "MA-09"
