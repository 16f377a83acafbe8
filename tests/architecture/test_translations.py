"""French and Arabic are complete: every sentence, every placeholder, compiled and committed."""

from __future__ import annotations

import re

import polib
import pytest

from tools import messages

LANGUAGES = ("fr", "ar")
PLACEHOLDER = re.compile(r"%\(\w+\)[sdf]|%[sdf]|\{\w*\}")


@pytest.fixture(scope="module", params=LANGUAGES)
def po(request):
    return polib.pofile(str(messages.catalogue(request.param)))


@pytest.fixture(scope="module")
def sentences():
    return messages.found()


def name_of(entry):
    return messages.Message(entry.msgid, entry.msgctxt or "", entry.msgid_plural or "")


def test_every_marked_sentence_stands_in_the_catalogue(po, sentences):
    written = {name_of(each) for each in po if not each.obsolete}

    assert sorted(set(sentences) - written) == []


def test_the_catalogue_holds_nothing_else(po, sentences):
    written = {name_of(each) for each in po}

    assert sorted(written - set(sentences)) == []


def test_every_sentence_is_translated_and_sure(po):
    assert [each.msgid for each in po if each.fuzzy] == []
    assert [each.msgid for each in po.untranslated_entries()] == []
    assert [each.msgid for each in po if each.msgid_plural and not all(each.msgstr_plural.values())] == []


def test_placeholders_are_the_same_on_both_sides(po):
    wrong = []
    for each in po.translated_entries():
        wanted = set(PLACEHOLDER.findall(each.msgid + (each.msgid_plural or "")))
        if each.msgid_plural:
            # A form for one or two may name the number by its grammar alone, so it may leave it out.
            wrong += [
                each.msgid
                for text in each.msgstr_plural.values()
                if not set(PLACEHOLDER.findall(text)) <= wanted
            ]
        elif set(PLACEHOLDER.findall(each.msgstr)) != wanted:
            wrong.append(each.msgid)
    assert wrong == []


def test_the_compiled_catalogue_says_the_same(po):
    compiled = polib.mofile(str(po.fpath).removesuffix(".po") + ".mo")

    said = {name_of(each): (each.msgstr, each.msgstr_plural) for each in compiled}
    assert said == {name_of(each): (each.msgstr, each.msgstr_plural) for each in po if each.translated()}


def test_sentences_are_found_where_django_finds_them():
    template = (
        '{% load i18n %}{% translate "Add" %} {% translate "May" context "month" %} {{ _("Basket") }}'
        "{% blocktranslate trimmed with name=n %}\n  Hello\n  {{ name }} (you)\n{% endblocktranslate %}"
        "{% blocktranslate count n=n %}one part{% plural %}{{ n }} parts{% endblocktranslate %}"
    )
    python = '_("Order") + gettext_lazy("It’s (here) " "now") + pgettext("c", "d") + ngettext("a", "b", n)'

    assert set(messages.in_template(template)) == {
        messages.Message("Add"),
        messages.Message("May", "month"),
        messages.Message("Basket"),
        messages.Message("Hello %(name)s (you)"),
        messages.Message("one part", "", "%(n)s parts"),
    }
    assert set(messages.in_python(python)) == {
        messages.Message("Order"),
        messages.Message("It’s (here) now"),
        messages.Message("d", "c"),
        messages.Message("a", "", "b"),
    }


def test_an_f_string_cannot_be_marked():
    with pytest.raises(messages.Unreadable):
        list(messages.in_python('_(f"Hello {name}")'))
