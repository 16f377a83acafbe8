"""From an upload to the page: every size in both encodings, measured, and each of them really there."""

from __future__ import annotations

import io
import re

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from catalogue import picturing
from catalogue.models import ProductImage
from tests.factories import ListingFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def pictured(visitor, settings, tmp_path):
    """A listing with one uploaded photograph of 2000 × 1500 points."""
    settings.STORAGES = settings.STORAGES | {
        name: settings.STORAGES[name]
        | {"OPTIONS": settings.STORAGES[name].get("OPTIONS", {}) | {"location": str(tmp_path / name)}}
        for name in ("default", "private")
    }
    listing = ListingFactory()
    sent = io.BytesIO()
    Image.linear_gradient("L").resize((2000, 1500)).convert("RGB").save(sent, "JPEG")
    upload = ProductImage(product=listing)
    upload.original.save("honey.jpg", ContentFile(sent.getvalue()), save=True)
    picturing.prepare(picture=upload)
    return listing


def attributes(tag: str) -> dict[str, str]:
    return dict(re.findall(r'([a-z]+)="([^"]*)"', tag))


def drawn_by(page: str) -> tuple[dict[str, str], dict[str, str]]:
    """The first picture of a page: its WebP source and its image."""
    picture = re.search(r"<picture>(.*?)</picture>", page, re.DOTALL)[1]
    source, image = re.search(r"<source[^>]*>", picture)[0], re.search(r"<img[^>]*>", picture)[0]
    return attributes(source), attributes(image)


def sizes_in(srcset: str) -> dict[int, str]:
    found = [each.split(" ") for each in srcset.split(", ")]
    return {int(width.removesuffix("w")): url for url, width in found}


@pytest.mark.parametrize("page", ["listing", "listings", "cooperative"])
def test_a_page_offers_every_size_as_webp_and_jpeg_with_its_measure(visitor, pictured, page):
    argument = {"listing": pictured.slug, "cooperative": pictured.cooperative.slug}.get(page)

    text = visitor.get(page, *filter(None, [argument])).content.decode()
    source, image = drawn_by(text)

    assert source["type"] == "image/webp"
    assert list(sizes_in(source["srcset"])) == list(sizes_in(image["srcset"])) == [300, 420, 600, 1200]
    assert source["sizes"] == image["sizes"] != ""
    assert (image["width"], image["height"]) == ("1200", "900")
    assert image["src"] == sizes_in(image["srcset"])[1200]


def test_every_size_a_page_offers_is_there_in_its_kind_and_width(visitor, pictured):
    source, image = drawn_by(visitor.get("listing", pictured.slug).content.decode())

    for kind, srcset in (("WEBP", source["srcset"]), ("JPEG", image["srcset"])):
        for width, url in sizes_in(srcset).items():
            with default_storage.open(url.removeprefix("/media/")) as file, Image.open(file) as picture:
                assert (picture.format, picture.size) == (kind, (width, width * 3 // 4)), url


def test_a_blurred_picture_stands_in_the_page_until_the_real_one_comes(visitor, pictured):
    page = visitor.get("listing", pictured.slug).content.decode()

    (placeholder, *_more) = re.findall(r'src="data:image/webp;base64,([^"]+)"', page)
    assert len(placeholder) < 500
    assert page.index("data:image/webp") < page.index("<picture>")


def test_the_first_picture_comes_at_once_and_those_below_when_they_are_near(visitor, pictured):
    for _each in range(6):
        ListingFactory(cooperative=pictured.cooperative)

    page = visitor.get("listings").content.decode()
    shown = re.findall(r"<picture>.*?(<img[^>]*>)</picture>", page, re.DOTALL)

    assert len(shown) == 7
    assert 'loading="lazy"' not in shown[0]
    assert all('loading="lazy"' in each for each in shown[4:])
