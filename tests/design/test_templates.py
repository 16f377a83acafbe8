"""Layouts and components: no inline style or script, right in both directions, whole without context."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.template.loader import get_template, render_to_string
from django.test import RequestFactory
from django.test.signals import template_rendered
from django.utils import translation

from shop.design import moulds, views

FOLDER = Path(views.__file__).parent
TEMPLATES = sorted((FOLDER / "templates").rglob("*.html"))
STATIC = FOLDER / "static" / "design"
MAILS = [path for path in TEMPLATES if "mail" in path.parts]


def name_of(path: Path) -> str:
    return path.relative_to(FOLDER / "templates").as_posix()


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_every_template_compiles(path):
    get_template(name_of(path))


@pytest.mark.parametrize("path", [path for path in TEMPLATES if path not in MAILS], ids=name_of)
def test_no_page_has_inline_style_or_script(path):
    source = path.read_text(encoding="utf-8")

    assert not re.search(r"\sstyle=", source)
    assert "<script" not in re.sub(r'<script src="[^"]+" defer(?: [a-z]+="[a-z]+")*></script>', "", source)
    assert "<style" not in source
    assert not re.search(r"\son[a-z]+=", source)


@pytest.mark.parametrize(
    "path", [path for path in TEMPLATES if path.name.startswith("_") and path not in MAILS], ids=name_of
)
def test_every_partial_says_what_it_needs(path):
    head = path.read_text(encoding="utf-8")[:900]

    assert "{#" in head
    assert re.search(r"Needs|Reads|from \{%", head)


@pytest.mark.parametrize("status", ["400", "403", "403_csrf", "404", "429", "500", "503"])
@pytest.mark.parametrize(("language", "direction"), [("fr", "ltr"), ("ar", "rtl"), ("en", "ltr")])
def test_an_error_page_renders_without_any_context(status, language, direction):
    with translation.override(language):
        html = render_to_string(f"{status}.html")

    assert f'<html lang="{language}" dir="{direction}">' in html
    assert html.count("<h1>") == 1
    assert '<main id="main"' in html
    assert 'href="#main"' in html


@pytest.mark.parametrize("place", ["shop", "desk", "office", "error"])
@pytest.mark.parametrize("language", ["fr", "ar"])
def test_the_living_page_shows_every_component(place, language):
    request = RequestFactory().get("/design/", {"place": place, "language": language})

    response = views.page(request)

    html = response.content.decode()
    assert response.status_code == 200
    assert f'lang="{language}"' in html
    assert " style=" not in html
    assert "{'" not in html


def test_no_component_is_missing_on_the_living_page():
    seen: set[str] = set()

    def note(sender, template, **_):
        seen.add(template.name)

    moulds.forget()
    template_rendered.connect(note)
    for place in views.PLACES:
        views.page(RequestFactory().get("/design/", {"place": place}))
    template_rendered.disconnect(note)

    components = {name_of(path) for path in (FOLDER / "templates" / "design").glob("_*.html")}
    # The switch of languages for a person who works here asks who she is; the living page knows nobody.
    assert components - seen == {"design/_own_language.html"}


def test_the_living_page_shows_it_all_in_every_language_scheme_and_place():
    html = views.page(RequestFactory().get("/design/", {"language": "ar", "theme": "dark"})).content.decode()

    assert 'data-theme="dark"' in html
    assert "?language=fr&amp;theme=dark&amp;place=shop" in html
    assert "?language=ar&amp;theme=&amp;place=shop" in html
    assert "?language=ar&amp;theme=dark&amp;place=office" in html


def test_the_living_page_names_each_mail_and_paper_and_measures_each_pair():
    shown = views.foundations()

    assert "order_confirmed" in shown["mails"] and "base" not in shown["mails"]
    assert "receipt" in shown["papers"]
    assert [
        f"{each.name} on {each.ground_name}"
        for scheme in shown["schemes"]
        for each in scheme["pairs"]
        if not each.holds
    ] == []
    light = {(each.name, each.ground_name): each.ratio for each in shown["schemes"][0]["pairs"]}
    assert light["ink", "ground"] == 15.9
    assert light["on-action", "action"] == 9.5


def test_an_odd_question_to_the_living_page_is_answered_with_the_usual_one():
    html = views.page(
        RequestFactory().get("/design/", {"language": "xx", "theme": "<b>", "place": "?"})
    ).content.decode()

    assert '<html lang="fr" dir="ltr">' in html


def test_the_arabic_page_asks_for_the_arabic_fonts_only():
    french = views.page(RequestFactory().get("/design/")).content.decode()
    arabic = views.page(RequestFactory().get("/design/", {"language": "ar"})).content.decode()

    fonts = re.compile(r"tadamon-sans-\w+-\d+")
    assert fonts.findall(french) == ["tadamon-sans-latin-400", "tadamon-sans-latin-600"]
    assert fonts.findall(arabic) == ["tadamon-sans-arabic-400", "tadamon-sans-arabic-600"]


def test_arabic_pages_take_accented_letters_and_nothing_else_from_the_latin_files():
    tokens = (STATIC / "tokens.css").read_text(encoding="utf-8")

    assert tokens.count("unicode-range: U+00C0-00D6, U+00D8-00F6, U+00F8-024F;") == 2
    assert '--font: "Tadamon Sans Arabic", "Tadamon Sans Accents", system-ui' in tokens


def test_no_letter_moves_when_its_font_comes_late():
    tokens = (STATIC / "tokens.css").read_text(encoding="utf-8")

    assert tokens.count("@font-face") == tokens.count("font-display: optional;") == 6


def sheets() -> str:
    """What customers' pages and work rooms are laid out by, tokens apart."""
    return "".join((STATIC / name).read_text(encoding="utf-8") for name in ("shop.css", "work.css"))


def test_the_style_sheets_stay_small():
    customers = (STATIC / "tokens.css").read_bytes() + (STATIC / "shop.css").read_bytes()
    work = (STATIC / "work.css").read_bytes()

    assert len(gzip.compress(customers, 9)) <= 12 * 1024
    assert len(gzip.compress(work, 9)) <= 4 * 1024


def test_the_scripts_of_customers_pages_stay_small():
    scripts = (STATIC / "htmx.min.js").read_bytes() + (STATIC / "shop.js").read_bytes()

    assert len(gzip.compress(scripts, 9)) <= 16 * 1024


def test_the_library_is_the_file_of_its_release():
    file = (STATIC / "htmx.min.js").read_bytes()

    assert b'version="4.0.1"' in file
    assert b"sourceMappingURL" not in file
    assert "Zero-Clause BSD" in (STATIC / "htmx.LICENSE.txt").read_text(encoding="utf-8")


def test_the_style_sheet_knows_no_left_and_right_but_three_times():
    css = re.sub(r"/\*.*?\*/", "", sheets(), flags=re.DOTALL)
    physical = re.findall(
        r"[^{}]*\{[^{}]*(?:margin-left|margin-right|padding-left|padding-right|border-left|border-right"
        r"|text-align: (?:left|right)|float: (?:left|right)|(?:^|[;{ ])(?:left|right):|position: (?:left|right)"
        r"|background-position: (?:left|right))[^{}]*\}",
        css,
    )

    assert sorted(rule.strip().split("{")[0].strip() for rule in physical) == [
        '[dir="rtl"] .field',
        '[dir="rtl"] select.field:not([multiple])',
        "select.field:not([multiple])",
    ]


def test_colours_are_named_in_the_tokens_only():
    css = re.sub(r"/\*.*?\*/", "", sheets(), flags=re.DOTALL)
    colours = set(re.findall(r"#[0-9a-f]{3,8}\b", re.sub(r"url\(.*?\)", "", css)))

    # The dark of the plates on a light tile, and the frieze's own ground: the same in light and dark.
    assert colours == {"#221d26", "#1b2f63"}


def contrast(one: str, other: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""

    def light(colour: str) -> float:
        channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_in_dark(scheme):
    css = (STATIC / "tokens.css").read_text(encoding="utf-8")
    block = css.split(':root[data-theme="dark"]')[1] if scheme == "dark" else css.split(":root {")[1]
    token = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block.split("}")[0]))
    texts = [
        ("ink", "ground"),
        ("ink", "surface"),
        ("ink-2", "ground"),
        ("ink-2", "sunken"),
        ("action", "ground"),
        ("action", "action-ground"),
        ("on-action", "action"),
        ("proof", "ground"),
        ("proof", "proof-ground"),
        ("warn", "warn-ground"),
        ("error", "ground"),
        ("error", "error-ground"),
        ("on-mark", "mark"),
    ]

    weak = [pair for pair in texts if contrast(token[pair[0]], token[pair[1]]) < 4.5]

    assert weak == []
    assert contrast(token["line-strong"], token["surface"]) >= 3
    assert contrast(token["focus"], token["ground"]) >= 3


def test_both_dark_schemes_are_the_same():
    css = (STATIC / "tokens.css").read_text(encoding="utf-8")
    followed = css.split(':root:not([data-theme="light"]) {')[1].split("}")[0]
    chosen = css.split(':root[data-theme="dark"] {')[1].split("}")[0]

    tokens = re.compile(r"--[\w-]+: [^;]+")
    assert tokens.findall(followed) == tokens.findall(chosen)


@pytest.mark.parametrize(("language", "side"), [("fr", "left"), ("ar", "right")])
def test_a_mail_reads_in_its_own_direction(language, side, settings):
    settings.DEMO_MODE = True
    with translation.override(language):
        html = render_to_string("mail/base.html", {"subject": "T-7K3M9QXFZ"})
        text = render_to_string("mail/base.txt")

    assert "<title>T-7K3M9QXFZ</title>" in html
    assert f"text-align:{side}" in html
    assert "<table" not in html
    assert "<" not in text
