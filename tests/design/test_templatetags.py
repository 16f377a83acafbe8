"""Bars, roads and form controls."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django import forms
from django.template import Context, Template
from django.template.loader import render_to_string
from moneyed import Money

from shop.design.templatetags import design


def mad(amount: str) -> Money:
    return Money(amount, "MAD")


class Example(forms.Form):
    name = forms.CharField()
    email = forms.EmailField(required=False, help_text="For the receipt.")
    phone = forms.CharField(widget=forms.TextInput(attrs={"type": "tel"}))
    picture = forms.FileField(required=False)
    way = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    terms = forms.BooleanField()


def test_the_bar_is_full_and_its_parts_are_in_proportion():
    pieces = design.price_bar(mad("133.50"), mad("12.50"), mad("2.50"), mad("1.50"))["pieces"]

    assert [(piece["name"], piece["x"], piece["width"]) for piece in pieces] == [
        ("coop", 0, 887),
        ("shop", 890, 80),
        ("vat", 973, 14),
        ("fund", 990, 10),
    ]


@pytest.mark.parametrize(
    "amounts",
    [("9999.97", "0.01", "0.01", "0.01"), ("0.01", "0.01", "0.01", "0.01"), ("1", "1", "1", "0")],
)
def test_a_part_is_never_too_thin_to_see_and_the_bar_never_too_long(amounts):
    pieces = design.price_bar(*(mad(amount) for amount in amounts))["pieces"]

    assert len(pieces) == sum(amount != "0" for amount in amounts)
    assert all(piece["width"] >= 7 for piece in pieces)
    assert pieces[-1]["x"] + pieces[-1]["width"] == 1000
    for before, after in zip(pieces, pieces[1:], strict=False):
        assert after["x"] - (before["x"] + before["width"]) == 3


def test_nothing_makes_an_empty_bar():
    assert design.price_bar(mad("0"), mad("0"), mad("0"), None)["pieces"] == []


@pytest.mark.parametrize(
    ("part", "done", "now"), [(0, 0, 0), (Decimal("0.63"), 15, 1), (1, 24, 0), (7, 24, 0), (-1, 0, 0)]
)
def test_the_road_has_24_tiles_from_village_to_town(part, done, now):
    tiles = design.road(part)["tiles"]

    states = [tile["state"] for tile in tiles]
    assert len(states) == 24
    assert (states.count("done"), states.count("now")) == (done, now)


def test_a_refused_field_says_so_to_the_eye_and_to_the_ear():
    html = render_to_string("design/_field.html", {"field": Example({"email": "no"})["email"]})

    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_email_hint id_email_error"' in html
    assert '<div class="hint" id="id_email_hint">For the receipt.</div>' in html
    assert '<p class="wrong" id="id_email_error">' in html
    assert 'value="no"' in html
    assert 'class="field"' in html


def test_what_is_latin_is_typed_left_to_right():
    form = Example()

    assert 'dir="ltr"' in design.control(form["email"])
    assert 'dir="ltr"' in design.control(form["phone"])
    assert "dir=" not in design.control(form["name"])


def test_each_control_gets_its_own_shape():
    form = Example()

    assert [design.kind(form[name]) for name in form.fields] == [
        "plain",
        "plain",
        "plain",
        "file",
        "choices",
        "tick",
    ]
    assert 'class="upload"' in render_to_string("design/_field.html", {"field": form["picture"]})
    assert 'class="choice" for="id_way_0"' in render_to_string("design/_field.html", {"field": form["way"]})
    assert 'class="tick"' in render_to_string("design/_field.html", {"field": form["terms"]})


def test_the_summary_of_errors_leads_to_each_field():
    form = Example({"name": "Nadia", "phone": "06", "way": "a"})

    html = render_to_string("design/_errors.html", {"form": form})

    assert '<a href="#id_terms">' in html
    assert 'role="alert"' in html
    assert render_to_string("design/_errors.html", {"form": Example()}).strip() == ""


def test_optional_fields_are_marked_and_no_field_has_an_asterisk():
    html = Template('{% include "design/_fields.html" %}').render(Context({"form": Example()}))

    assert html.count('class="optional"') == 2
    assert "*" not in html


def test_a_mail_address_breaks_after_its_sign_and_before_its_dots():
    assert design.mail("c13@shop.example") == '<bdi dir="ltr" class="num">c13@<wbr>shop<wbr>.example</bdi>'
    assert design.mail("nobody") == '<bdi dir="ltr" class="num">nobody</bdi>'
    assert design.mail("") == ""
