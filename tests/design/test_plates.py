"""The drawn pictures of goods."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree

import pytest
from PIL import Image

from fixtures.demo.plates import make
from shop.design import plates


def small(svg: str) -> bytes:
    with Image.open(io.BytesIO(plates.rasterise(svg, 40))) as image:
        return image.convert("RGB").tobytes()


@pytest.mark.parametrize("family", plates.families())
def test_every_drawing_resolves_to_plain_svg_in_every_form(family):
    for form in range(1, 6):
        for motif in range(1, 6):
            svg = plates.render_svg(family, plates.Variation(ground="mint", form=form, motif=motif))

            assert "var(" not in svg
            assert "display=" not in svg
            ElementTree.fromstring(svg)
            assert svg.count("<g") == svg.count("</g>")
            assert "#cfe0d6" in svg


def test_the_forms_not_chosen_are_taken_away():
    whole = (plates.FOLDER / "dates.svg").read_text(encoding="utf-8")
    bowl = plates.render_svg("dates", plates.Variation(form=1))
    crate = plates.render_svg("dates", plates.Variation(form=4))

    assert len(bowl) < len(whole) / 2
    assert bowl != crate


def test_a_form_that_a_drawing_does_not_have_leaves_its_first():
    assert plates.render_svg("cheese", plates.Variation(form=4)) == plates.render_svg("cheese")
    assert plates.render_svg("honey", plates.Variation(form=9)) == plates.render_svg(
        "honey", plates.Variation(form=1)
    )


@pytest.mark.parametrize("family", ["unknown", "../views", ""])
def test_a_drawing_that_does_not_exist_is_an_error(family):
    with pytest.raises(KeyError):
        plates.render_svg(family)


def test_the_plates_of_the_demo_are_as_the_generator_draws_them():
    drawn = make.draw()

    assert sorted(drawn) == [f"DEMO-{number:03d}" for number in range(1, 61)]
    for sku, svg in drawn.items():
        assert (make.FOLDER / f"{sku}.svg").read_text(encoding="utf-8") == svg + "\n"


def test_sixty_plates_are_told_apart_when_small():
    pictures = {sku: small(svg) for sku, svg in make.draw().items()}

    def difference(one: bytes, other: bytes) -> float:
        return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)

    skus = sorted(pictures)
    nearest = min(
        (difference(pictures[one], pictures[other]), one, other)
        for index, one in enumerate(skus)
        for other in skus[index + 1 :]
    )
    assert nearest[0] > 8, nearest


def test_neighbours_of_one_drawing_differ_in_ground():
    rows = [make.variations()[f"DEMO-{number:03d}"] for number in range(1, 61)]

    for (family, one), (other_family, other) in zip(rows, rows[1:], strict=False):
        assert (family, one.ground) != (other_family, other.ground)


def test_a_raster_is_as_large_as_asked_and_nowhere_see_through():
    svg = plates.render_svg("tea", plates.Variation(ground="indigo"))

    with Image.open(io.BytesIO(plates.rasterise(svg, 1200))) as image:
        assert (image.format, image.size) == ("PNG", (1200, 1200))
        assert image.convert("RGBA").getextrema()[3] == (255, 255)
        assert image.convert("RGB").getpixel((5, 5)) == (43, 71, 143)


def test_a_listing_without_pictures_always_stands_on_the_same_ground():
    assert plates.variation_for("L-1") == plates.variation_for("L-1")
    grounds = {plates.variation_for(f"L-{number}").ground for number in range(200)}
    assert grounds == set(plates.LIGHT_GROUNDS)


def test_a_listing_never_stands_on_the_ground_of_the_one_before():
    previous = None
    for number in range(300):
        variation = plates.variation_for(f"L-{number}", previous)
        assert previous is None or variation.ground != previous.ground
        previous = variation


@pytest.mark.parametrize(
    ("family", "drawing"),
    [
        ("miel", "honey"),
        ("Céramique", "plate"),
        ("fruits secs", "bowl"),
        ("épices", "spices"),
        ("honey", "honey"),
        ("chaussures", "basket"),
    ],
)
def test_a_family_of_goods_finds_its_drawing(family, drawing):
    assert plates.drawing_for(family)[0] == drawing


def test_grounds_are_those_of_the_tokens():
    css = (plates.FOLDER.parent / "static" / "design" / "tokens.css").read_text(encoding="utf-8")
    named = dict(re.findall(r"--([\w-]+): +(#[0-9a-f]{6})", css))

    for name, (wall, shelf) in plates.GROUNDS.items():
        assert (named[name], named[f"{name}-shelf"]) == (wall, shelf)
