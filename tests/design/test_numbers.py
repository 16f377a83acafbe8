"""Amounts, days and references as people read them. Invisible characters are part of the truth."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import translation
from moneyed import Money

from shop.design import numbers

NBSP, LRM, MINUS = "\u00a0", "\u200e", "\u2212"


def shown(source: str, language: str = "fr", **context: object) -> str:
    with translation.override(language):
        return Template("{% load design %}" + source).render(Context(context))


def mad(amount: str) -> Money:
    return Money(amount, "MAD")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", f"1{NBSP}842,30{NBSP}MAD"),
        ("ar", f"1{NBSP}842,30{NBSP}درهم"),
        ("en", f"MAD{NBSP}1,842.30"),
        ("fr-ma", f"1{NBSP}842,30{NBSP}MAD"),
        ("de", f"1{NBSP}842,30{NBSP}MAD"),
    ],
)
def test_an_amount_is_written_as_each_language_writes_it(language, text):
    assert numbers.money_text(mad("1842.30"), language) == text


def test_groups_are_parted_in_every_million():
    assert numbers.money_text(mad("1234567.89"), "fr") == f"1{NBSP}234{NBSP}567,89{NBSP}MAD"
    assert numbers.money_text(mad("1234567.89"), "ar") == f"1{NBSP}234{NBSP}567,89{NBSP}درهم"


def test_other_currencies_keep_their_code_and_have_an_arabic_name():
    assert numbers.money_text(Money("12.5", "EUR"), "fr") == f"12,50{NBSP}EUR"
    assert numbers.money_text(Money("12.5", "EUR"), "ar") == f"12,50{NBSP}أورو"
    assert numbers.money_text(Money("12.5", "SEK"), "ar") == f"12,50{NBSP}SEK"


def test_short_leaves_out_the_centimes_only_when_there_are_none():
    assert numbers.money_text(mad("150.00"), "fr", style="short") == f"150{NBSP}MAD"
    assert numbers.money_text(mad("66.75"), "fr", style="short") == f"66,75{NBSP}MAD"
    assert numbers.money_text(mad("3200"), "en", style="short") == f"MAD{NBSP}3,200"


def test_bare_is_the_number_alone():
    assert numbers.money_text(mad("133.5"), "ar", style="bare") == "133,50"


def test_a_negative_amount_keeps_its_sign_before_its_digits():
    assert numbers.money_text(mad("-24"), "fr") == f"{MINUS}24,00{NBSP}MAD"
    assert numbers.money_text(mad("-24"), "en") == f"{MINUS}MAD{NBSP}24.00"
    assert numbers.money_text(mad("-24"), "ar") == f"{LRM}{MINUS}24,00{NBSP}درهم"
    assert numbers.money_text(mad("-0.001"), "fr") == f"0,00{NBSP}MAD"


def test_digits_are_western_in_every_language():
    for language in numbers.LANGUAGES:
        said = numbers.money_text(mad("1234567890"), language) + numbers.moment_text(
            datetime(2026, 11, 30, 4, 56, tzinfo=UTC), language
        )
        assert {letter for letter in said if letter.isdigit()} <= set("0123456789")


def test_the_money_filter_isolates_the_amount():
    assert shown("{{ it|money }}", "ar", it=mad("1842.30")) == f"<bdi>1{NBSP}842,30{NBSP}درهم</bdi>"
    assert shown("{{ it|money }}", "fr", it=mad("150")) == f"<bdi>150,00{NBSP}MAD</bdi>"
    assert shown('{{ it|money:"short" }}', "fr", it=mad("150")) == f"<bdi>150{NBSP}MAD</bdi>"
    assert shown("{{ it|money }}", it=None) == ""


def test_a_negative_amount_in_arabic_says_its_direction():
    assert shown("{{ it|money }}", "ar", it=mad("-24")) == f'<bdi dir="rtl">{LRM}{MINUS}24,00{NBSP}درهم</bdi>'
    assert shown('{{ it|money:"bare" }}', "ar", it=mad("-24")) == f'<bdi dir="ltr">{LRM}{MINUS}24,00</bdi>'


def test_the_minor_units_of_a_mail_are_an_amount_too():
    kept = {"minor": 53400, "currency": "MAD"}

    assert shown("{{ it|money }}", "fr", it=kept) == f"<bdi>534,00{NBSP}MAD</bdi>"
    assert shown("{{ it|money_text }}", "ar", it=kept) == f"534,00{NBSP}درهم"


@pytest.mark.parametrize(
    ("month", "name"),
    list(
        enumerate(
            [
                "يناير",
                "فبراير",
                "مارس",
                "أبريل",
                "ماي",
                "يونيو",
                "يوليوز",
                "غشت",
                "شتنبر",
                "أكتوبر",
                "نونبر",
                "دجنبر",
            ],
            1,
        )
    ),
)
def test_months_have_their_moroccan_names_in_arabic(month, name):
    assert numbers.day_text(date(2026, month, 15), "ar") == f"15{NBSP}{name} 2026"


@pytest.mark.parametrize(
    ("language", "style", "text"),
    [
        ("fr", "long", f"22{NBSP}novembre 2026"),
        ("fr", "weekday", f"dimanche 22{NBSP}novembre 2026"),
        ("fr", "near", f"dimanche 22{NBSP}novembre"),
        ("fr", "month", f"novembre{NBSP}2026"),
        ("fr", "short", "22/11/2026"),
        ("ar", "weekday", f"الأحد 22{NBSP}نونبر 2026"),
        ("en", "weekday", f"Sunday 22{NBSP}November 2026"),
    ],
)
def test_a_day_in_its_styles(language, style, text):
    assert numbers.day_text(date(2026, 11, 22), language, style=style) == text


def test_the_first_of_a_month_is_premier_in_french_only():
    assert numbers.day_text(date(2026, 8, 1), "fr") == f"1er{NBSP}août 2026"
    assert numbers.day_text(date(2026, 8, 1), "ar") == f"1{NBSP}غشت 2026"


def test_a_moment_is_told_by_the_clocks_of_casablanca():
    at = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)

    assert numbers.moment_text(at, "fr") == f"23{NBSP}novembre 2026 à 0{NBSP}h{NBSP}30"
    assert numbers.moment_text(at, "ar") == f"23{NBSP}نونبر 2026 على الساعة 0:30"
    assert numbers.moment_text(at, "en") == f"23{NBSP}November 2026 at 00:30"


def test_in_ramadan_the_clocks_of_casablanca_go_back_an_hour():
    at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    assert numbers.hour_text(at, "ar") == "12:00"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", f"entre le mercredi 25 et le vendredi 27{NBSP}novembre"),
        ("ar", f"بين الأربعاء 25 والجمعة 27{NBSP}نونبر"),
        ("en", f"between Wednesday 25 and Friday 27{NBSP}November"),
    ],
)
def test_a_promise_between_two_days_says_the_month_once(language, text):
    assert numbers.date_range_text(date(2026, 11, 25), date(2026, 11, 27), language) == text


def test_a_promise_over_the_new_year_says_both_years():
    said = numbers.date_range_text(date(2026, 12, 31), date(2027, 1, 2), "fr")

    assert said == f"entre le jeudi 31{NBSP}décembre 2026 et le samedi 2{NBSP}janvier 2027"


def test_a_promise_for_one_day_is_that_day():
    assert (
        numbers.date_range_text(date(2026, 11, 25), date(2026, 11, 25), "fr") == f"mercredi 25{NBSP}novembre"
    )


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", f"du 1er au 30{NBSP}novembre 2026"),
        ("ar", f"من 1 إلى 30{NBSP}نونبر 2026"),
        ("en", f"1 to 30{NBSP}November 2026"),
    ],
)
def test_a_period_is_a_span_of_days(language, text):
    said = numbers.date_range_text(date(2026, 11, 1), date(2026, 11, 30), language, style="span")

    assert said == text


def test_days_of_a_mail_come_as_text():
    assert shown("{{ on|day }}", on="2026-11-22") == f"22{NBSP}novembre 2026"
    assert shown("{{ at|hour }}", at="2026-11-22T08:05:00+00:00") == f"9{NBSP}h{NBSP}05"
    assert shown("{% date_range a b %}", a="2026-11-25", b="2026-11-27") == (
        f"entre le mercredi 25 et le vendredi 27{NBSP}novembre"
    )


def test_a_reference_is_always_left_to_right_and_escaped():
    assert shown("{{ it|ref }}", it="T-7K3M9QXFZ-2") == '<bdi dir="ltr" class="num">T-7K3M9QXFZ-2</bdi>'
    assert shown("{{ it|ref }}", it="<b>") == '<bdi dir="ltr" class="num">&lt;b&gt;</bdi>'


def test_a_share_is_a_percentage():
    assert shown("{{ it|share_percent }}", "fr", it=Decimal("0.89")) == f"<bdi>89{NBSP}%</bdi>"
    assert shown("{{ it|share_percent }}", "ar", it=Decimal("0.0835")) == "<bdi>8,4%</bdi>"
    assert shown("{{ a|share_percent:b }}", "en", a=mad("133.50"), b=mad("150")) == "<bdi>89%</bdi>"
    assert shown("{{ a|share_percent:b }}", a=mad("0"), b=mad("0")) == ""


def test_a_count_is_grouped():
    assert shown("{{ 12345|number }}") == f"<bdi>12{NBSP}345</bdi>"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("+212661234567", f"06{NBSP}61{NBSP}23{NBSP}45{NBSP}67"),
        ("0522 12-34-56", f"05{NBSP}22{NBSP}12{NBSP}34{NBSP}56"),
        ("+33612345678", "+33 6 12 34 56 78"),
        ("ask at the mill", "ask at the mill"),
        ("", ""),
    ],
)
def test_a_phone_number_is_written_as_it_is_dialled_here(number, text):
    assert numbers.phone_text(number) == text


def test_a_phone_number_reads_left_to_right_in_any_language():
    said = shown("{{ number|phone }}", "ar", number="+212661234567")

    assert said == f'<bdi dir="ltr" class="num">06{NBSP}61{NBSP}23{NBSP}45{NBSP}67</bdi>'


@pytest.mark.parametrize(
    ("first", "last", "french", "arabic", "english"),
    [
        (10, 11, "d'octobre à novembre", "من أكتوبر إلى نونبر", "October to November"),
        (4, 5, "d'avril à mai", "من أبريل إلى ماي", "April to May"),
        (8, 9, "d'août à septembre", "من غشت إلى شتنبر", "August to September"),
        (11, 1, "de novembre à janvier", "من نونبر إلى يناير", "November to January"),
    ],
)
def test_two_months_are_said_as_people_say_them(first, last, french, arabic, english):
    said = [numbers.month_range_text(first, last, each) for each in ("fr", "ar", "en")]

    assert said == [french, arabic, english]
