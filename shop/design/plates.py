"""The drawn pictures of goods: one hand, some thirty drawings, told apart by ground, glaze, form and motif.

A family is one drawing in ``illustrations/``, written with CSS variables. ``render_svg`` sets them and
takes away the forms not shown, so that what comes out is a plain SVG for ``<img>``, mails and share
cards. A good without photographs stands on such a plate until its cooperative uploads pictures.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import typst

FOLDER = Path(__file__).parent / "illustrations"

#: Wall and shelf of each ground (tokens.css); the same in light and dark.
GROUNDS: dict[str, tuple[str, str]] = {
    "sky": ("#bfd2e4", "#9db8d3"),
    "rose": ("#e7b9a8", "#d39c88"),
    "olive": ("#d8ddb4", "#bfc78f"),
    "saffron": ("#f3c75b", "#e0a92f"),
    "mint": ("#cfe0d6", "#aecabb"),
    "clay": ("#d98b63", "#bc6a42"),
    "wool": ("#f1ebdd", "#dcd2bc"),
    "lilac": ("#ead9e0", "#d0b6c3"),
    "blue": ("#5e87b5", "#3f689a"),
    "green": ("#2f7358", "#1b4d3c"),
    "indigo": ("#2b478f", "#1b2f63"),
}
#: Grounds light enough that every drawing's own glazes stand out on them.
LIGHT_GROUNDS = ("sky", "rose", "olive", "saffron", "mint", "wool", "lilac")

#: Page ground in light mode, where a raster cannot be see-through.
PAPER = "#fbfbf9"

#: What people call a family of goods → drawing and form. Also the families of the demo's list.
FAMILIES: dict[str, tuple[str, int]] = {
    "miel": ("honey", 2),
    "fromage": ("cheese", 1),
    "huile": ("olive-oil", 1),
    "textile": ("textile", 1),
    "pam": ("herbs", 1),
    "dattes": ("dates", 1),
    "fruits-secs": ("bowl", 2),
    "conserve": ("capers", 1),
    "couscous": ("couscous", 1),
    "ceramique": ("plate", 1),
    "legumineuse": ("bowl", 4),
    "vannerie": ("basket", 1),
    "tapis": ("carpet", 1),
    "biscuiterie": ("pastry", 1),
    "savon": ("soap", 1),
    "reemploi": ("basket", 3),
    "argane": ("argan", 1),
    "epices": ("spices", 1),
    "rose": ("rose", 1),
    "safran": ("saffron", 1),
    "bijou": ("jewellery", 1),
    "henne": ("henna", 1),
    "the": ("tea", 1),
    "cactus": ("prickly-pear", 1),
    "lait": ("soap", 3),
    "cuir": ("leather", 1),
    "sel": ("salt", 1),
    "artisanat": ("basket", 1),
}


@dataclass(frozen=True)
class Variation:
    """What tells one plate of a family from another.

    ``form`` and ``motif`` count from 1; ``glazes`` maps ``a``…``e`` and ``l`` (the label) to a colour.
    Left out, the drawing's own are kept.
    """

    ground: str | None = None
    form: int | None = None
    motif: int | None = None
    glazes: Mapping[str, str] = field(default_factory=dict)


def families() -> list[str]:
    """The names of all drawings."""
    return sorted(path.stem for path in FOLDER.glob("*.svg"))


def drawing_for(family: str) -> tuple[str, int]:
    """The drawing and form that fit a family of goods; a basket for one we have never drawn.

    Takes a family's name or slug (``fruits secs``, ``fruits-secs``) or a drawing's own name (``honey``).
    """
    key = family.strip().lower().replace(" ", "-").translate(str.maketrans("éèêàâîïôûç", "eeeaaiiouc"))
    return FAMILIES.get(key) or ((key, 1) if key in families() else ("basket", 1))


def render_svg(family: str, variation: Variation | None = None, *, view: str | None = None) -> str:
    """One plate as a standalone SVG: variables resolved, forms and motifs not shown taken away.

    The joint between wall and shelf stays see-through, so that the page shows there in light and in
    dark. ``view`` is another ``viewBox`` for wide crops; wall and shelf reach 160 beyond the canvas.
    Raises ``KeyError`` for a family or ground that does not exist.
    """
    variation = variation or Variation()
    values = {f"--{name}": colour for name, colour in variation.glazes.items()}
    if variation.ground:
        values["--wall"], values["--shelf"] = GROUNDS[variation.ground]
    source = _source(family)
    for letter, chosen in (("f", variation.form), ("fm", variation.motif)):
        known = {int(number) for number in re.findall(rf"var\(--{letter}(\d)[,)]", source)}
        if chosen in known:
            values |= {f"--{letter}{number}": "inline" if number == chosen else "none" for number in known}
    resolved = re.sub(
        r"var\((--[a-z0-9]+),([^)]*)\)",
        lambda found: values.get(found[1], found[2]),
        source,
    )
    resolved = _without_hidden(resolved)
    if view:
        resolved = re.sub(r'viewBox="[^"]*"', f'viewBox="{view}"', resolved, count=1)
    return resolved


def variation_for(reference: str, previous: Variation | None = None) -> Variation:
    """Ground and motif of a listing that has no pictures, always the same for one reference.

    Never the ground of ``previous``, the plate before it in the same list.
    """
    digest = hashlib.sha256(reference.encode()).digest()
    grounds = [name for name in LIGHT_GROUNDS if previous is None or name != previous.ground]
    return Variation(ground=grounds[digest[0] % len(grounds)], motif=1 + digest[1] % 5)


def rasterise(svg: str, size: int = 1200) -> bytes:
    """A square plate as PNG, ``size`` pixels wide, on the page's light ground."""
    program = (
        f"#set page(width: {size}pt, height: {size}pt, margin: 0pt, fill: rgb({PAPER!r}))\n".replace("'", '"')
        + '#image(bytes(sys.inputs.svg), format: "svg", width: 100%, height: 100%)'
    )
    return typst.compile(
        program.encode(),
        format="png",
        ppi=72,
        sys_inputs={"svg": svg},
        ignore_system_fonts=True,
    )


@cache
def _source(family: str) -> str:
    path = FOLDER / f"{family}.svg"
    if path.parent != FOLDER or not path.is_file():
        raise KeyError(family)
    return path.read_text(encoding="utf-8").strip()


def _without_hidden(svg: str) -> str:
    """Drop every ``<g display="none">`` with all inside it, and the ``display="inline"`` of the others."""
    out, position, hidden = [], 0, 0
    for tag in re.finditer(r"<(/?)g\b([^>]*?)(/?)>", svg):
        closing, attributes, empty = tag.groups()
        if hidden:
            if closing:
                hidden -= 1
                position = tag.end()
            elif not empty:
                hidden += 1
        elif not closing and 'display="none"' in attributes:
            out.append(svg[position : tag.start()])
            hidden, position = (0, tag.end()) if empty else (1, tag.end())
    out.append(svg[position:])
    return "".join(out).replace(' display="inline"', "")
