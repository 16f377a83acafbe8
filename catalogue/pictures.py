"""Pictures that cooperatives send: looked at with suspicion, re-encoded, stripped of everything personal.

Pure functions: bytes in, bytes out. A file is refused from its header, before anything is decoded, so
that a small file that claims to be enormous costs nothing. What is kept is what we encoded ourselves;
the sent file is never shown.
"""

from __future__ import annotations

import base64
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageCms, ImageFilter, ImageOps

from shop.core.errors import Refused

BYTE_LIMIT = 15 * 1024 * 1024
PIXEL_LIMIT = 50_000_000
#: Longest side of each rendition, in pixels: a card, a card on a fine phone, a large card, a page.
SIZES = (300, 420, 600, 1200)
PLACEHOLDER_LIMIT = 300
#: What shows through a transparent picture: the page's light ground.
PAPER = (251, 251, 249)
JPEG_QUALITY, WEBP_QUALITY = 82, 75
_HEADER = 256 * 1024


class PictureRefused(Refused):
    """A file we will not take as a picture."""


class NotAPicture(PictureRefused):
    """The bytes are no JPEG, PNG or WebP, whatever the file is called."""

    message = _("This file is not a picture we can read. Send a JPEG, PNG or WebP.")


class PictureBroken(PictureRefused):
    """The header is right, what follows is not."""

    message = _("The picture is damaged or was cut off on the way. Send it again.")


class PictureTooHeavy(PictureRefused):
    """More bytes than we take."""

    message: Promise | str = format_lazy(
        _("The file is too large. A picture may have up to {limit} MB."), limit=BYTE_LIMIT // 1024 // 1024
    )


class PictureTooLarge(PictureRefused):
    """More pixels than we decode."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        super().__init__(
            format_lazy(
                _(
                    "The picture measures {width} × {height} points; we take up to {limit} million. Send it smaller."
                ),
                width=width,
                height=height,
                limit=PIXEL_LIMIT // 1_000_000,
            )
        )


@dataclass(frozen=True)
class Rendition:
    """One size of a picture, in both encodings."""

    width: int
    height: int
    webp: bytes
    jpeg: bytes


@dataclass(frozen=True)
class Renditions:
    """All we keep of a picture. ``sizes`` go from small to large; ``placeholder`` is a ``data:`` image."""

    sizes: tuple[Rendition, ...]
    placeholder: str

    @property
    def largest(self) -> Rendition:
        return self.sizes[-1]


def check(source: bytes | BinaryIO) -> tuple[str, int, int]:
    """Format (``JPEG``, ``PNG`` or ``WEBP``), width and height, read from the header alone.

    Width and height are as stored, before any turning. A stream is read from its start and put back
    there. Raises ``NotAPicture``, ``PictureTooHeavy`` or ``PictureTooLarge``; nothing is decoded.
    """
    if isinstance(source, bytes):
        length, header = len(source), source[:_HEADER]
    else:
        length = source.seek(0, io.SEEK_END)
        source.seek(0)
        header = source.read(_HEADER)
        source.seek(0)
    if length > BYTE_LIMIT:
        raise PictureTooHeavy
    found = _png(header) or _webp(header) or _jpeg(header)
    if found is None or found[1] < 1 or found[2] < 1:
        raise NotAPicture
    name, width, height = found
    if width * height > PIXEL_LIMIT:
        raise PictureTooLarge(width, height)
    return name, width, height


def renditions(data: bytes) -> Renditions:
    """Re-encode a picture in every size that it fills, never larger than it was sent.

    It is turned as its camera said, its colours are brought to sRGB, transparency becomes the page's
    ground, and position, camera, comments and every other remark are gone. The shape is kept: each
    size is the longest side. Raises what ``check`` raises, and ``PictureBroken``.
    """
    name, width, height = check(data)
    try:
        picture = _decoded(data, name, (width, height))
    except (
        OSError,
        SyntaxError,
        ValueError,
        struct.error,
        MemoryError,
        Image.DecompressionBombError,
    ) as error:
        raise PictureBroken from error
    return Renditions(
        sizes=tuple(_rendition(picture, size) for size in _sizes_for(picture)),
        placeholder=_placeholder(picture),
    )


def _decoded(data: bytes, name: str, claimed: tuple[int, int]) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=(name,)) as sent:
        if sent.size != claimed:
            raise ValueError("the header said another size")
        # JPEG can be decoded at a fraction of its size: less memory for the same rendition.
        sent.draft("RGB", (max(SIZES), max(SIZES)))
        sent.load()
        profile = sent.info.get("icc_profile")
        orientation = sent.getexif().get(0x0112, 1)
        picture = _in_srgb(sent, profile)
    picture.thumbnail((max(SIZES), max(SIZES)), Image.Resampling.LANCZOS)
    if orientation in range(2, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        picture.info = {"exif": exif.tobytes()}
        picture = ImageOps.exif_transpose(picture)
    # Encoders copy comments, XMP and profiles from here unless it is empty.
    picture.info = {}
    return picture


def _in_srgb(sent: Image.Image, profile: bytes | None) -> Image.Image:
    has_alpha = "A" in sent.getbands() or "transparency" in sent.info
    alpha = sent.convert("RGBA").getchannel("A") if has_alpha else None
    colours = sent if sent.mode in ("RGB", "CMYK", "L") else sent.convert("RGB")
    if profile:
        try:
            found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                colours, found, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            colours = converted if converted is not None else colours
        except (ImageCms.PyCMSError, OSError, ValueError):
            # A profile that does not fit its picture is common and harmless: show the colours as they are.
            pass
    picture = colours.convert("RGB")
    if alpha is not None:
        ground = Image.new("RGB", picture.size, PAPER)
        ground.paste(picture, mask=alpha)
        picture = ground
    return picture


def _sizes_for(picture: Image.Image) -> list[int]:
    longest = max(picture.size)
    return [size for size in SIZES if size < longest] + [min(longest, max(SIZES))]


def _rendition(picture: Image.Image, size: int) -> Rendition:
    small = picture.copy()
    small.thumbnail((size, size), Image.Resampling.LANCZOS)
    webp, jpeg = io.BytesIO(), io.BytesIO()
    small.save(webp, "WEBP", quality=WEBP_QUALITY, method=6)
    small.save(jpeg, "JPEG", quality=JPEG_QUALITY, optimize=True, progressive=True)
    return Rendition(width=small.width, height=small.height, webp=webp.getvalue(), jpeg=jpeg.getvalue())


def _placeholder(picture: Image.Image) -> str:
    for side in (16, 12, 8, 4):
        tiny = picture.copy()
        tiny.thumbnail((side, side), Image.Resampling.BOX)
        out = io.BytesIO()
        tiny.filter(ImageFilter.GaussianBlur(0.6)).save(out, "WEBP", quality=20, method=6)
        if out.tell() <= PLACEHOLDER_LIMIT:
            break
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode()


# --- headers, read by hand: the library's own readers may allocate what a header claims ---------


def _png(header: bytes) -> tuple[str, int, int] | None:
    """https://www.w3.org/TR/png-3/#11IHDR"""
    if header[:8] != b"\x89PNG\r\n\x1a\n" or header[12:16] != b"IHDR" or len(header) < 24:
        return None
    width, height = struct.unpack(">II", header[16:24])
    return "PNG", width, height


def _webp(header: bytes) -> tuple[str, int, int] | None:
    """https://developers.google.com/speed/webp/docs/riff_container"""
    if header[:4] != b"RIFF" or header[8:12] != b"WEBP" or len(header) < 30:
        return None
    kind = header[12:16]
    if kind == b"VP8X":
        width = 1 + int.from_bytes(header[24:27], "little")
        height = 1 + int.from_bytes(header[27:30], "little")
    elif kind == b"VP8L":
        bits = int.from_bytes(header[21:25], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack("<HH", header[26:30]))
    else:
        return None
    return "WEBP", width, height


def _jpeg(header: bytes) -> tuple[str, int, int] | None:
    """The start-of-frame segment: ITU-T T.81, B.2.2."""
    if header[:3] != b"\xff\xd8\xff":
        return None
    for marker, body in _jpeg_segments(header):
        # C4 (tables), C8 (reserved) and CC (arithmetic tables) share the range but are no frames.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC) and len(body) >= 5:
            height, width = struct.unpack(">HH", body[1:5])
            return "JPEG", width, height
    return None


def _jpeg_segments(header: bytes) -> Iterator[tuple[int, bytes]]:
    position = 2
    while position + 4 <= len(header) and header[position] == 0xFF:
        marker = header[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        length = int.from_bytes(header[position + 2 : position + 4], "big")
        if length < 2 or marker == 0xDA:
            return
        yield marker, header[position + 4 : position + 2 + length]
        position += 2 + length
