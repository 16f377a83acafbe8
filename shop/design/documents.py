"""Papers as PDF: receipts, packing slips, settlement statements, in three languages.

The layouts are typst programs in ``documents/``. They are given data and translated words as JSON and
compute nothing. Fonts are the whole IBM Plex Sans and IBM Plex Sans Arabic in ``fonts/`` (SIL OFL);
fonts of the machine are never used, so a paper looks the same everywhere.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import segno
import typst
from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from shop.design.numbers import language_of

FOLDER = Path(__file__).parent
TEMPLATES = ("gift_slip", "packing_slip", "receipt", "settlement_statement")

#: Words on the papers themselves; amounts, days and names come with the data.
WORDS: dict[str, Promise] = {
    "tadamon": _("Tadamon"),
    "page": _("Page"),
    "reference": _("Reference"),
    "order": _("Order"),
    "placed_on": _("placed on"),
    "register": _("Register no."),
    "ice": _("ICE"),
    "phone": _("Phone"),
    "email": _("E-mail"),
    "amount": _("Amount"),
    "quantity": _("Quantity"),
    "good": _("Good"),
    # packing slip
    "packing_slip": _("Packing slip"),
    "from": _("From"),
    "to": _("To"),
    "carrier": _("Carrier"),
    "tracking": _("Tracking no."),
    "no_tracking": _("No tracking number yet"),
    "cash_to_collect": _("Cash to collect"),
    "nothing_to_collect": _("Nothing to collect, already paid"),
    "contents": _("In this parcel"),
    "sku": _("Item no."),
    "gift_message": _("Message with the gift"),
    # gift slip
    "gift_slip": _("A gift for you"),
    "for": _("For"),
    "made_by": _("Made by"),
    # receipt
    "receipt": _("Receipt"),
    "customer": _("Customer"),
    "payment": _("Payment"),
    "paid_on": _("paid on"),
    "unit_price": _("Unit price"),
    "vat": _("VAT"),
    "goods": _("Goods"),
    "delivery": _("Delivery"),
    "voucher": _("Voucher"),
    "breakdown": _("Where the price of the goods goes"),
    "share": _("Share"),
    # settlement statement
    "settlement_statement": _("Settlement statement"),
    "period": _("Period:"),
    "cooperative": _("Cooperative"),
    "paid_by": _("Paid by"),
    "rib": _("RIB"),
    "on": _("Day"),
    "what": _("What"),
    "opening": _("Opening balance"),
    "closing": _("Closing balance"),
    "in_short": _("In short"),
}


def render(template: str, data: Mapping[str, Any], language: str) -> bytes:
    """A paper as PDF.

    ``template`` is one of ``TEMPLATES``; ``data`` holds text only (amounts already said by
    ``numbers.money_text``), in the shapes written at the head of ``documents/README.md``. The words of the
    paper are in ``language`` (``fr``, ``ar`` or ``en``). Raises ``KeyError`` for an unknown template and
    ``typst.TypstError`` when the data lacks something the paper needs.
    """
    pdf = _compile(template, data, language, format="pdf")
    assert isinstance(pdf, bytes)
    return pdf


def pages(template: str, data: Mapping[str, Any], language: str, *, ppi: float = 72) -> list[bytes]:
    """The same paper as one PNG for each page, to look at or to test."""
    drawn = _compile(template, data, language, format="png", ppi=ppi)
    return drawn if isinstance(drawn, list) else [drawn]


def qr_svg(text: str) -> str:
    """A QR code as SVG, dark on nothing, with its quiet zone."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", border=2, dark="#221d26", xmldecl=False, svgns=True)
    return out.getvalue().decode()


@cache
def fonts() -> typst.Fonts:
    """The whole fonts for papers and share cards; read once in a process."""
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FOLDER / "fonts")]
    )


def _compile(template: str, data: Mapping[str, Any], language: str, **options: Any) -> bytes | list[bytes]:
    if template not in TEMPLATES:
        raise KeyError(template)
    language = language_of(language)
    with translation.override(language):
        words = {key: str(word) for key, word in WORDS.items()}
        demo = str(_("Demonstration: cooperatives and goods are fictional"))
    given = dict(data, words=words, language=language)
    given.setdefault("demo", demo if getattr(settings, "DEMO_MODE", False) else "")
    inputs = {"data": json.dumps(given, ensure_ascii=False, default=str)}
    if given.get("qr"):
        inputs["qr"] = qr_svg(str(given["qr"]))
    compiler = typst.Compiler(
        str(FOLDER / "documents" / f"{template}.typ"),
        root=str(FOLDER),
        font_paths=fonts(),
        sys_inputs=inputs,
    )
    result = compiler.compile(**options)
    assert result is not None
    return result
