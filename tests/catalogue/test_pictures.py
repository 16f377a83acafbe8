"""Pictures that cooperatives send."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Iterator

import pytest
from django.utils import translation
from PIL import Image, ImageCms

from catalogue import pictures
from shop.core.errors import Refused

RED, BLUE = (200, 30, 30), (30, 30, 200)


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """The sentences below are the ones the code names."""
    with translation.override("en"):
        yield


def encoded(image: Image.Image, name: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, name, **options)
    return out.getvalue()


def two_halves(width: int = 2000, height: int = 1000) -> Image.Image:
    """Left red, right blue: shows at once how a picture was turned."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def png_that_claims(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def near(colour: tuple[int, ...], wanted: tuple[int, ...], by: int = 12) -> bool:
    return all(abs(one - other) <= by for one, other in zip(colour, wanted, strict=True))


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
def test_the_header_tells_format_and_size(name):
    data = encoded(two_halves(320, 200), name)

    assert pictures.check(data) == (name, 320, 200)
    assert pictures.check(io.BytesIO(data)) == (name, 320, 200)


def test_the_header_of_a_lossless_or_see_through_webp_is_read_too():
    lossless = encoded(two_halves(321, 207), "WEBP", lossless=True)
    see_through = encoded(Image.new("RGBA", (64, 48), (0, 0, 0, 90)), "WEBP", exif=Image.Exif().tobytes())

    assert pictures.check(lossless) == ("WEBP", 321, 207)
    assert pictures.check(see_through) == ("WEBP", 64, 48)


def test_a_stream_is_given_back_at_its_start():
    stream = io.BytesIO(encoded(two_halves(320, 200)))
    stream.read(100)

    pictures.check(stream)

    assert stream.tell() == 0


def test_a_small_file_that_claims_900_million_points_is_refused_without_decoding(monkeypatch):
    bomb = png_that_claims(30_000, 30_000)
    monkeypatch.setattr(Image, "open", lambda *given, **options: pytest.fail("decoded"))

    with pytest.raises(pictures.PictureTooLarge) as refusal:
        pictures.renditions(bomb)

    assert len(bomb) < 100
    assert str(refusal.value) == (
        "The picture measures 30000 × 30000 points; we take up to 50 million. Send it smaller."
    )


@pytest.mark.parametrize("sides", [(7071, 7072), (50_000_001, 1)])
def test_the_limit_of_points_is_exact(sides):
    assert pictures.check(png_that_claims(7071, 7071)) == ("PNG", 7071, 7071)

    with pytest.raises(pictures.PictureTooLarge):
        pictures.check(png_that_claims(*sides))


def test_a_file_of_too_many_bytes_is_refused_before_its_header_is_read():
    with pytest.raises(pictures.PictureTooHeavy) as refusal:
        pictures.check(io.BytesIO(bytes(15 * 1024 * 1024 + 1)))

    assert str(refusal.value) == "The file is too large. A picture may have up to 15 MB."


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a" + bytes(40),
        b"%PDF-1.7" + bytes(40),
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x00\x00\x00\x00WEBP",
        png_that_claims(0, 10),
    ],
)
def test_what_is_no_picture_is_refused_whatever_it_is_called(data):
    with pytest.raises(pictures.NotAPicture) as refusal:
        pictures.renditions(data)

    assert isinstance(refusal.value, Refused)
    assert str(refusal.value) == "This file is not a picture we can read. Send a JPEG, PNG or WebP."


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
def test_a_picture_cut_off_on_the_way_is_refused(name):
    whole = encoded(Image.effect_noise((400, 400), 80).convert("RGB"), name)

    with pytest.raises(pictures.PictureBroken):
        pictures.renditions(whole[: len(whole) // 2])


def test_a_header_that_does_not_tell_the_size_that_follows_is_refused():
    data = bytearray(encoded(two_halves(320, 200), "PNG"))
    data[16:24] = struct.pack(">II", 3, 3)

    with pytest.raises(pictures.PictureBroken):
        pictures.renditions(bytes(data))


def test_a_wide_picture_keeps_its_shape_in_four_sizes_and_two_encodings():
    made = pictures.renditions(encoded(two_halves(4000, 2000)))

    assert [(each.width, each.height) for each in made.sizes] == [
        (300, 150),
        (420, 210),
        (600, 300),
        (1200, 600),
    ]
    for each in made.sizes:
        for data, name in ((each.webp, "WEBP"), (each.jpeg, "JPEG")):
            with Image.open(io.BytesIO(data)) as image:
                assert (image.format, image.size, image.mode) == (name, (each.width, each.height), "RGB")
    assert made.largest.width == 1200


@pytest.mark.parametrize(
    ("sent", "kept"),
    [((400, 400), [300, 400]), ((120, 80), [120]), ((300, 300), [300]), ((1200, 900), [300, 420, 600, 1200])],
)
def test_a_picture_is_never_made_larger_than_it_was(sent, kept):
    made = pictures.renditions(encoded(two_halves(*sent), "PNG"))

    assert [each.width for each in made.sizes] == kept


def test_where_and_with_what_a_picture_was_taken_is_gone():
    exif = Image.Exif()
    exif[0x010F] = "Secret Camera"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (31.0, 30.0, 47.0)
    sent = encoded(
        two_halves(), exif=exif, comment=b"Secret Comment", xmp=b"<x:xmpmeta>Secret Place</x:xmpmeta>"
    )
    assert b"Secret Camera" in sent and b"Secret Place" in sent and b"Secret Comment" in sent

    made = pictures.renditions(sent)

    for each in made.sizes:
        for data in (each.webp, each.jpeg):
            assert b"Secret" not in data
            assert b"EXIF" not in data and b"Exif" not in data and b"ICC" not in data
            with Image.open(io.BytesIO(data)) as image:
                assert not image.getexif()


@pytest.mark.parametrize(
    ("orientation", "size", "top_left", "bottom_right"),
    [
        (1, (1200, 600), RED, BLUE),
        (3, (1200, 600), BLUE, RED),
        (6, (600, 1200), RED, BLUE),
        (8, (600, 1200), BLUE, RED),
        (99, (1200, 600), RED, BLUE),
    ],
)
def test_a_picture_is_turned_as_its_camera_said(orientation, size, top_left, bottom_right):
    exif = Image.Exif()
    exif[0x0112] = orientation

    made = pictures.renditions(encoded(two_halves(), exif=exif))

    with Image.open(io.BytesIO(made.largest.jpeg)) as image:
        assert image.size == size
        assert near(image.getpixel((20, 20)), top_left)
        assert near(image.getpixel((size[0] - 20, size[1] - 20)), bottom_right)


def test_transparency_becomes_the_ground_of_the_page():
    made = pictures.renditions(encoded(Image.new("RGBA", (400, 400), (0, 0, 0, 0)), "PNG"))

    with Image.open(io.BytesIO(made.largest.jpeg)) as image:
        assert near(image.getpixel((200, 200)), pictures.PAPER, by=2)


def test_print_colours_are_shown_as_screen_colours():
    made = pictures.renditions(encoded(Image.new("CMYK", (400, 400), (0, 255, 255, 0)), "JPEG"))

    with Image.open(io.BytesIO(made.largest.jpeg)) as image:
        red, green, blue = image.getpixel((200, 200))
    assert image.mode == "RGB"
    assert red > 200 and green < 60 and blue < 60


def test_a_colour_profile_is_applied_and_then_dropped():
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    sent = encoded(two_halves(400, 400), icc_profile=lab)
    broken = encoded(two_halves(400, 400), icc_profile=b"no profile at all")

    for data in (sent, broken):
        with Image.open(io.BytesIO(pictures.renditions(data).largest.jpeg)) as image:
            assert "icc_profile" not in image.info
            assert near(image.getpixel((20, 20)), RED)


def test_the_placeholder_is_a_tiny_picture_inside_the_page():
    noisy = encoded(Image.effect_noise((1000, 700), 100).convert("RGB"))

    placeholder = pictures.renditions(noisy).placeholder

    head, body = placeholder.split(",")
    data = base64.b64decode(body)
    assert head == "data:image/webp;base64"
    assert len(data) <= 300
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("WEBP", (16, 11))
