"""The calendar of harvests: whole, and about goods there are."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from django.utils import translation

from catalogue import seasons
from catalogue.models import Product
from tests.factories import ListingFactory

DEMO = Path(__file__).resolve().parents[2] / "fixtures" / "demo" / "products.csv"


def codes(on):
    return [each.code for each in seasons.in_season(on=on)]


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2026, 11, 28), {"olive-oil", "strawberry-tree-honey", "saffron", "dates"}),
        (date(2026, 1, 31), {"olive-oil"}),
        (date(2026, 2, 1), set()),
        (date(2026, 5, 15), {"cumin", "lentils", "capers", "roses", "goat-cheese"}),
        (
            date(2026, 8, 1),
            {"almonds", "euphorbia-honey", "figs", "prickly-pear", "argan", "salt"},
        ),
    ],
)
def test_each_month_has_its_harvests(on, expected):
    assert set(codes(on)) == expected


def test_what_began_last_stands_first():
    assert codes(date(2026, 11, 1)) == ["olive-oil", "strawberry-tree-honey", "saffron", "dates"]


def test_a_season_may_go_over_the_turn_of_the_year():
    olives = next(each for each in seasons.every_season() if each.code == "olive-oil")

    assert olives.months == (11, 12, 1)
    assert olives.months_over(on=date(2027, 1, 15)) == 2


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_every_harvest_is_told_in_every_language(language):
    with translation.override(language):
        told = [(each.name, each.said) for each in seasons.every_season()]

    assert all(name and said.endswith(".") for name, said in told)
    assert all(any("\u0600" <= each <= "\u06ff" for each in name) == (language == "ar") for name, _ in told)


def test_every_harvest_is_about_goods_of_the_demonstration_and_found_by_its_words():
    with DEMO.open(encoding="utf-8", newline="") as file:
        goods = [(row["family"], row["name_fr"].lower()) for row in csv.DictReader(file)]

    for each in seasons.every_season():
        names = [name for family, name in goods if family == each.family and each.title_word in name]
        assert names, each.code
        assert any(all(word.lower() in name for word in each.search.split()) for name in names), each.code


@pytest.mark.django_db
def test_a_harvest_finds_its_listings_by_family_and_word():
    thyme = ListingFactory(family="miel", title_fr="Miel de Thym")
    ListingFactory(family="miel", title_fr="Miel d'oranger")
    ListingFactory(family="savon", title_fr="Savon au thym")
    by_code = {each.code: each for each in seasons.every_season()}

    found = Product.objects.filter(seasons.listings_of([by_code["thyme-honey"]]))

    assert list(found) == [thyme]
    assert by_code["thyme-honey"].means(family="miel", title="Miel de Thym")
    assert not by_code["thyme-honey"].means(family="miel", title="Miel d'oranger")
    assert not by_code["thyme-honey"].means(family="savon", title="Savon au thym")
    assert not Product.objects.filter(seasons.listings_of([])).exists()
