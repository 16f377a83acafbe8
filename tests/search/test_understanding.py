"""What a customer meant where she typed it otherwise."""

from __future__ import annotations

import pytest

from shop.search import indexing, understanding
from tests.factories import CooperativeFactory, ListingFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def shelves():
    maker = CooperativeFactory(name_fr="Coopérative Tiwizi", place_fr="Taliouine", place="Taliouine")
    for french, arabic, english in (
        ("Safran en filaments", "زعفران خيوط", "Saffron threads"),
        ("Couscous d'orge", "كسكس الشعير", "Barley couscous"),
        ("Eau de rose", "ماء الورد", "Rose water"),
        ("Lavande séchée", "خزامى مجففة", "Dried lavender"),
    ):
        ListingFactory(title_fr=french, title_ar=arabic, title_en=english, title=french, cooperative=maker)
    indexing.refresh()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("safrna", "safran"),
        ("saffrn", "saffron"),
        ("lavendar", "lavender"),
        ("couscos", "couscous"),
        ("زعفرن", "زعفران"),
        ("taliouin", "taliouine"),
        ("سفران", None),
        ("zzzzzz", None),
        ("eau", "eau"),
        ("ea", None),
        ("", None),
    ],
)
def test_the_nearest_spelling_is_few_slips_away(shelves, typed, expected):
    assert understanding.nearest(typed) == expected


@pytest.mark.parametrize(
    ("typed", "corrected"),
    [
        ("safrna talouine", "safran taliouine"),
        ("cous cous", "couscous"),
        ("rosewater", "rose water"),
        ("safran zzzzzz", None),
        ("safran", None),
        ("saf", ""),
        ("10 safrna", "10 safran"),
    ],
)
def test_a_search_that_found_nothing_is_read_otherwise(shelves, typed, corrected):
    other = understanding.otherwise(understanding.read(typed))

    assert (other and other.corrected) == corrected


@pytest.mark.parametrize(
    ("one", "other", "slips"),
    [
        ("miel", "miel", 0),
        ("meil", "miel", 1),
        ("mil", "miel", 1),
        ("honney", "honey", 1),
        ("abc", "abcdef", 3),
        ("", "ab", 2),
        ("kitten", "sitting", 3),
    ],
)
def test_slips_are_counted(one, other, slips):
    assert understanding.distance(one, other) == slips
    assert understanding.distance(other, one) == slips


def test_what_says_nothing_asks_nothing():
    assert understanding.read("🐪 ... the").query is None
    assert understanding.any_of(understanding.read("؟")) is None
