"""The signs of origin and their regions."""

from __future__ import annotations

import pytest
from django.utils import translation

from cooperatives import signs

REGIONS = [f"MA-{number:02d}" for number in range(1, 13)]


def test_every_region_has_the_number_of_signs_of_the_catalogue():
    assert {each: len(signs.signs_of(region=each)) for each in REGIONS} == {
        "MA-01": 5,
        "MA-02": 7,
        "MA-03": 6,
        "MA-04": 1,
        "MA-05": 3,
        "MA-06": 2,
        "MA-07": 4,
        "MA-08": 7,
        "MA-09": 8,
        "MA-10": 4,
        "MA-11": 0,
        "MA-12": 1,
    }


def test_designations_stand_before_indications():
    with translation.override("fr"):
        found = [(each.kind, each.name) for each in signs.signs_of(region="MA-07")]

    assert found[0] == ("AOP", "Huile d'olive Tyout Chiadma")
    assert [kind for kind, _ in found] == ["AOP", "IGP", "IGP", "IGP"]


def test_a_sign_of_several_regions_stands_in_each():
    with translation.override("en"):
        named = {
            region: [each.name for each in signs.signs_of(region=region)]
            for region in ("MA-07", "MA-09", "MA-10")
        }

    assert all("Argan" in names for names in named.values())


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_every_sign_is_named_in_every_language(language):
    with translation.override(language):
        names = {each.name for region in REGIONS for each in signs.signs_of(region=region)}

    assert len(names) == 41
    assert all(any("\u0600" <= each <= "\u06ff" for each in name) == (language == "ar") for name in names)
