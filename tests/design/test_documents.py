"""Papers as PDF, in three languages."""

from __future__ import annotations

import io
from datetime import date

import pytest
from moneyed import Money
from PIL import Image
from pypdf import PdfReader

from shop.design import documents, numbers

LANGUAGES = ("fr", "ar", "en")


def said(language: str, french: str, arabic: str) -> str:
    return arabic if language == "ar" else french


def mad(amount: str, language: str) -> str:
    return numbers.money_text(Money(amount, "MAD"), language)


def customer(language: str) -> dict[str, object]:
    return {
        "name": said(language, "Nadia El Alaoui", "نادية العلوي"),
        "address_lines": [
            said(language, "Hay Nasr, rue 12, n° 34", "حي النصر، زنقة 12، رقم 34"),
            said(language, "Mohammedia", "المحمدية"),
        ],
        "phone": "06 61 00 00 00",
    }


def cooperative(language: str) -> dict[str, str]:
    return {
        "name": said(language, "Coopérative Démo Argan des Collines", "تعاونية أركان التلال (تجريبية)"),
        "legal": "Loi 112.12",
        "register": "RLC 12/2006",
        "ice": "999000013000042",
        "phone": "05 24 00 00 00",
        "email": "argan@demo.example",
        "address": "Essaouira",
    }


def packing_slip(language: str, cash: str = "350") -> dict[str, object]:
    return {
        "reference": "T-7K3M9QXFZ-2",
        "order": "T-7K3M9QXFZ",
        "placed_on": numbers.day_text(date(2026, 11, 19), language),
        "cooperative": {"name": cooperative(language)["name"], "place": "Essaouira"},
        "customer": customer(language),
        "lines": [
            {
                "sku": "DEMO-031",
                "title": said(language, "Huile d'argane alimentaire", "زيت أركان غذائي"),
                "quantity": 2,
                "unit": "25 cl",
            }
        ],
        "parcel": {
            "carrier": "Démo",
            "tracking": "TD-556677",
            "cash_to_collect": mad(cash, language) if cash else "",
        },
        "gift_message": said(language, "Joyeux anniversaire", "عيد مبارك"),
        "qr": "https://tadamon.example/s/T-7K3M9QXFZ-2",
    }


def receipt(language: str) -> dict[str, object]:
    return {
        "reference": "T-7K3M9QXFZ",
        "placed_on": numbers.day_text(date(2026, 11, 19), language),
        "customer": customer(language),
        "parts": [
            {
                "cooperative": cooperative(language),
                "reference": f"T-7K3M9QXFZ-{number}",
                "lines": [
                    {
                        "title": said(language, "Savon à l'argane", "صابون أركان"),
                        "quantity": 3,
                        "unit_price": mad("25", language),
                        "amount": mad("75", language),
                        "vat": "20 %",
                    }
                ],
                "goods": mad("75", language),
                "delivery": mad("35", language),
            }
            for number in (1, 2)
        ],
        "totals": [
            {"label": said(language, "Produits", "المنتجات"), "amount": mad("150", language)},
            {"label": said(language, "Total payé", "المجموع المؤدى"), "amount": mad("1842.30", language)},
        ],
        "payment": {"method": said(language, "Carte", "بطاقة"), "paid_on": "2026"},
        "breakdown": [
            {"label": said(language, "Coopératives", "التعاونيات"), "amount": mad("133.50", language)}
        ],
        "notes": [said(language, "La boutique est mandataire.", "المتجر وسيط.")],
    }


def settlement_statement(language: str, rows: int = 3) -> dict[str, object]:
    return {
        "reference": "ST-2026-11-C13",
        "cooperative": cooperative(language),
        "period": numbers.date_range_text(date(2026, 11, 1), date(2026, 11, 30), language, style="span"),
        "opening": mad("0", language),
        "closing": mad("1842.30", language),
        "rows": [
            {
                "on": "02/11/2026",
                "what": said(language, "Commande libérée", "تحرير الطلب"),
                "reference": f"T-7K3M9QX{number:02d}-1",
                "amount": mad("-40.50", language),
            }
            for number in range(rows)
        ],
        "sums": [{"label": said(language, "Versé", "المؤدى"), "amount": mad("1842.30", language)}],
        "bank": {
            "rail": said(language, "Virement", "تحويل"),
            "rib": "999780000000000000000105",
            "reference": "LP-1",
        },
    }


PAPERS = {"packing_slip": packing_slip, "receipt": receipt, "settlement_statement": settlement_statement}


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def ink(page: bytes, area: tuple[float, float, float, float]) -> float:
    """The part of an area (in fractions of the page) that is not paper."""
    with Image.open(io.BytesIO(page)) as image:
        grey = image.convert("L")
        left, top, right, bottom = area
        box = (
            int(left * grey.width),
            int(top * grey.height),
            int(right * grey.width),
            int(bottom * grey.height),
        )
        histogram = grey.crop(box).histogram()
    return sum(histogram[:200]) / sum(histogram)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", PAPERS)
def test_a_paper_is_one_page_with_its_reference_and_only_our_fonts(template, language):
    data = PAPERS[template](language)

    pdf = documents.render(template, data, language)

    reader = PdfReader(io.BytesIO(pdf))
    assert pdf.startswith(b"%PDF")
    assert len(reader.pages) == 1
    assert str(data["reference"]) in text_of(pdf)
    fonts = {str(font["/BaseFont"]) for font in _fonts(reader)}
    assert fonts
    assert all("IBMPlexSans" in font for font in fonts), fonts


def _fonts(reader: PdfReader):
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            yield font.get_object()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", PAPERS)
def test_a_paper_is_drawn_from_the_side_where_its_language_begins(template, language):
    (page,) = documents.pages(template, PAPERS[template](language), language)

    left, right = ink(page, (0.05, 0.09, 0.3, 0.2)), ink(page, (0.7, 0.09, 0.95, 0.2))
    assert ink(page, (0.05, 0.2, 0.95, 0.6)) > 0.01
    assert (right > left) == (language == "ar")


def test_arabic_letters_are_joined():
    """A zero-width non-joiner forces lone letters; where nothing is shaped, both would look the same."""
    joined, lone = "\u0628" * 5, "\u0628\u200c" * 5

    pages = [
        documents.pages("packing_slip", {**packing_slip("ar"), "gift_message": message}, "ar", ppi=144)[0]
        for message in (joined, lone)
    ]
    read_back = text_of(
        documents.render("packing_slip", {**packing_slip("ar"), "gift_message": joined}, "ar")
    )

    assert pages[0] != pages[1]
    assert joined in read_back


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_words_and_amounts_of_a_receipt_can_be_read_back(language):
    text = text_of(documents.render("receipt", receipt(language), language)).replace("\u00a0", " ")

    assert mad("1842.30", language).replace("\u00a0", " ") in text
    assert "Savon à l'argane" in text
    assert "999000013000042" in text
    assert "T-7K3M9QXFZ-2" in text


def test_a_negative_amount_in_arabic_shows_no_missing_letter():
    text = text_of(documents.render("settlement_statement", settlement_statement("ar"), "ar"))

    assert "40,50" in text
    assert "\ufffd" not in text


def test_a_long_statement_goes_on_over_the_page_and_repeats_its_head():
    pdf = documents.render("settlement_statement", settlement_statement("fr", rows=60), "fr")

    pages = PdfReader(io.BytesIO(pdf)).pages
    assert len(pages) == 2
    assert "T-7K3M9QX59-1" in pages[1].extract_text()
    assert "Page 2 / 2" in pages[1].extract_text().replace("\u00a0", " ")


def test_the_slip_says_what_the_carrier_collects():
    with_cash = text_of(documents.render("packing_slip", packing_slip("en", cash="350"), "en"))
    without = text_of(documents.render("packing_slip", packing_slip("en", cash=""), "en"))

    assert "MAD\u00a0350.00" in with_cash.replace(" ", "\u00a0")
    assert "Nothing to collect, already paid" in without


def test_markup_in_the_data_stays_text():
    data = packing_slip("fr")
    data["gift_message"] = '#panic("no") *not bold* $x$ ]#['

    assert '#panic("no") *not bold* $x$ ]#[' in text_of(documents.render("packing_slip", data, "fr"))


def test_the_code_leads_to_what_it_says():
    svg = documents.qr_svg("https://tadamon.example/s/T-7K3M9QXFZ-2")

    assert svg.startswith("<svg")
    assert 'stroke="#221d26"' in svg


def test_an_unknown_paper_is_an_error():
    with pytest.raises(KeyError):
        documents.render("../common", {}, "fr")


def test_the_fonts_of_the_papers_are_small_enough_to_keep():
    kept = list((documents.FOLDER / "fonts").glob("*.ttf"))

    assert len(kept) == 4
    assert sum(path.stat().st_size for path in kept) < 1.5 * 1024 * 1024
    assert (documents.FOLDER / "fonts" / "OFL.txt").read_text().startswith("Copyright © 2017 IBM Corp.")
