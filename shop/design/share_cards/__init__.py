"""Share cards: the picture a messenger shows of a page, 1200 × 630, in three languages.

The words are set by the program that sets our papers (``card.typ``: it shapes Arabic, breaks lines and makes
long names smaller until they fit), the pictures are put beside them and the whole is encoded by Pillow.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typst
from moneyed import Money
from PIL import Image, ImageOps, UnidentifiedImageError

from shop.design import documents, numbers, plates

FOLDER = Path(__file__).parent
WIDTH, HEIGHT = 1200, 630
#: The joint between pictures, and between them and the words.
JOINT = 6
QUALITY = 84
#: More letters than any name needs; what is longer is cut so that a card is always drawn in the same time.
LETTERS = 240


@dataclass(frozen=True)
class Words:
    """What a card says, already in the reader's language."""

    language: str
    word: str
    title: str
    kicker: str = ""
    said: tuple[str, ...] = ()
    price: str = ""
    unit: str = ""
    share: str = ""
    #: What of one dirham goes where: (name, part of one), as the price bar of a page.
    parts: tuple[tuple[str, float], ...] = ()


def parts_of(amounts: dict[str, Money]) -> tuple[tuple[str, float], ...]:
    """The pieces of the price bar, each at least one in a hundred wide, for ``coop``, ``shop``, ``vat``, ``fund``."""
    whole = sum(amount.amount for amount in amounts.values())
    return tuple(
        (name, round(max(float(amount.amount / whole), 0.01), 4))
        for name, amount in amounts.items()
        if amount
    )


def draw(words: Words, pictures: Sequence[bytes], *, note: str = "") -> bytes:
    """The card as JPEG, with ``note`` as its comment. One picture fills its square, four stand as a window; what cannot be read is left out."""
    card = Image.open(io.BytesIO(_typeset(words))).convert("RGB")
    shown = [each for each in map(_opened, pictures) if each is not None]
    square = _window(shown[:4]) if len(shown) >= 4 else _fitted(shown[0], HEIGHT) if shown else _plate()
    card.paste(square, (WIDTH - HEIGHT if numbers.language_of(words.language) == "ar" else 0, 0))
    out = io.BytesIO()
    card.save(out, "JPEG", quality=QUALITY, optimize=True, progressive=True, comment=note)
    return out.getvalue()


def _typeset(words: Words) -> bytes:
    data = {
        "language": numbers.language_of(words.language),
        "word": words.word,
        "kicker": words.kicker[:LETTERS],
        "title": words.title[:LETTERS],
        "said": [each[:LETTERS] for each in words.said],
        "price": words.price,
        "unit": words.unit[:LETTERS],
        "share": words.share,
        "parts": [{"name": name, "part": part} for name, part in words.parts],
    }
    compiler = typst.Compiler(
        str(FOLDER / "card.typ"),
        root=str(FOLDER.parent),
        font_paths=documents.fonts(),
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
    )
    drawn = compiler.compile(format="png", ppi=72)
    assert isinstance(drawn, bytes)
    return drawn


def _opened(data: bytes) -> Image.Image | None:
    try:
        picture = Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP"))
        return picture.convert("RGB")
    except (OSError, UnidentifiedImageError, ValueError):
        return None


def _fitted(picture: Image.Image, side: int) -> Image.Image:
    return ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS)


def _window(pictures: Sequence[Image.Image]) -> Image.Image:
    """Four pictures in a square, with a joint between them."""
    square = Image.new("RGB", (HEIGHT, HEIGHT), plates.PAPER)
    side = (HEIGHT - JOINT) // 2
    for number, picture in enumerate(pictures):
        place = ((number % 2) * (side + JOINT), (number // 2) * (side + JOINT))
        square.paste(_fitted(picture, side), place)
    return square


def _plate() -> Image.Image:
    """The basket that stands for everything when there is nothing to show."""
    return Image.open(io.BytesIO(plates.rasterise(plates.render_svg("basket"), HEIGHT))).convert("RGB")
