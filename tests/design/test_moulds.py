"""A poured template says what rendering it says."""

from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from shop.design import moulds
from shop.design.moulds import Fixed

CARD = {
    "url": "/fr/goods/honey/",
    "name": "Miel <b>& thym</b>",
    "maker": "Tafraout",
    "place": "",
    "picture": {"src": "/honey.jpg", "srcset": "", "webp": "", "width": 300, "height": 200, "alt": ""},
    "price": mark_safe("<bdi>80 MAD</bdi>"),
    "from_price": False,
    "unit": "500 g",
    "seals": [{"shape": Fixed("origin"), "name": "IGP"}, {"shape": Fixed("declared"), "name": "Bio"}],
    "share": "",
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"place": "Tiznit"},
        {"out": "Épuisé"},
        {"share": "71,20", "from_price": True},
        {"seals": []},
        {
            "picture": CARD["picture"]
            | {"webp": "/a.webp 300w", "srcset": "/a.jpg 300w", "placeholder": "data:x"}
        },
    ],
)
@pytest.mark.parametrize("eager", [False, True, Fixed("too")])
def test_a_card_of_any_shape_is_poured_as_it_is_rendered(changes, eager):
    values = {"card": CARD | changes, "eager": eager, "level": Fixed("h2")}

    assert moulds.pour("design/_card.html", values) == render_to_string("design/_card.html", values)


def test_two_cards_of_one_shape_keep_their_own_words_escaped():
    values = {"card": CARD, "eager": False, "level": Fixed("h3")}
    other = values | {"card": CARD | {"name": "<script>", "price": mark_safe("<bdi>9 MAD</bdi>")}}

    first, second = moulds.pour("design/_card.html", values), moulds.pour("design/_card.html", other)

    assert "Miel &lt;b&gt;&amp; thym&lt;/b&gt;" in first
    assert "&lt;script&gt;" in second and "<script>" not in second
    assert "<bdi>9 MAD</bdi>" in second and "80 MAD" not in second
