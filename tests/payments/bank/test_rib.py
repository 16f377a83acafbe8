"""The Moroccan account number: samples that hold, and every small slip that must not pass."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from shop.core.errors import Refused
from shop.payments.bank import rib

REGISTRY_SAMPLE = "011519000001205000534921"
TREASURY = "310810101402900442310133"
DEMO_COOPERATIVE = "999780000000000000000105"
SAMPLES = [REGISTRY_SAMPLE, TREASURY, DEMO_COOPERATIVE]

accounts = st.integers(min_value=0, max_value=10**22 - 1).map(lambda number: f"{number:022d}")


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """The sentences below are the ones the code names."""
    with translation.override("en"):
        yield


@pytest.mark.parametrize("number", SAMPLES)
def test_published_samples_are_accepted(number):
    assert rib.check(number) == number


def test_the_key_is_computed_from_the_first_22_digits():
    assert rib.key_of("3108101014029004423101") == "33"
    assert rib.key_of("0115190000012050005349") == "21"


def test_a_rib_is_read_however_it_is_grouped():
    assert rib.check("310 810 1014029004423101 33") == TREASURY
    assert rib.check("310-810-1014029004423101-33") == TREASURY
    assert rib.check("\u200f310\u00a0810\u202f1014029004423101\u200933\n") == TREASURY
    assert rib.check("٣١٠ ٨١٠ ١٠١٤٠٢٩٠٠٤٤٢٣١٠١ ٣٣") == TREASURY


def test_a_rib_is_printed_in_its_four_groups_and_masked_for_screens():
    assert rib.grouped(TREASURY) == "310 810 1014029004423101 33"
    assert rib.masked(TREASURY) == "310 … 0133"
    assert rib.bank_code(TREASURY) == "310"


def test_the_iban_of_the_registry_goes_both_ways():
    assert rib.to_iban(REGISTRY_SAMPLE) == "MA64011519000001205000534921"
    assert rib.from_iban("MA64 0115 1900 0001 2050 0053 4921") == REGISTRY_SAMPLE
    assert rib.to_iban(TREASURY) == "MA64310810101402900442310133"


@pytest.mark.parametrize(
    ("iban", "refusal"),
    [
        ("MA65011519000001205000534921", rib.IbanRefused),
        ("FR64011519000001205000534921", rib.IbanRefused),
        ("MA6401151900000120500053492", rib.IbanRefused),
        ("", rib.IbanRefused),
        ("MA64011519000001205000534922", rib.RibKeyWrong),
    ],
)
def test_an_iban_with_anything_wrong_is_refused(iban, refusal):
    with pytest.raises(refusal):
        rib.from_iban(iban)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", rib.RibNotDigits),
        ("31081010140290044231013", rib.RibIncomplete),
        ("3108101014029004423101330", rib.RibIncomplete),
        ("31081010140290044231O133", rib.RibNotDigits),
        ("310810101402900442310100", rib.RibKeyWrong),
        ("½10810101402900442310133", rib.RibNotDigits),
        ("310810101402900442310133; DROP", rib.RibNotDigits),
    ],
)
def test_what_is_no_rib_is_refused(text, refusal):
    with pytest.raises(refusal):
        rib.check(text)


def test_key_zero_is_refused_although_the_remainder_fits():
    first = next(f"{n:022d}" for n in range(200) if rib.key_of(f"{n:022d}") == "97")
    assert int(first + "00") % 97 == 0

    with pytest.raises(rib.RibKeyWrong):
        rib.check(first + "00")


def test_a_refusal_does_not_repeat_the_account_number():
    with pytest.raises(Refused) as refusal:
        rib.check("310810101402900442310134")

    assert "310810101402900442310134" not in str(refusal.value)
    assert "key" in str(refusal.value)


@pytest.mark.parametrize("number", SAMPLES)
def test_every_wrong_digit_is_found(number):
    slips = 0
    for place, digit in enumerate(number):
        for other in set("0123456789") - {digit}:
            with pytest.raises(rib.RibKeyWrong):
                rib.check(number[:place] + other + number[place + 1 :])
            slips += 1

    assert slips == 24 * 9


@pytest.mark.parametrize("number", SAMPLES)
def test_every_transposition_is_found(number):
    for place in range(len(number) - 1):
        swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        if swapped != number:
            with pytest.raises(rib.RibKeyWrong):
                rib.check(swapped)


@given(accounts)
def test_every_account_with_its_key_passes_and_comes_back_from_its_iban(first):
    number = first + rib.key_of(first)

    assert int(number) % 97 == 0
    assert rib.check(rib.grouped(number)) == number
    assert rib.from_iban(rib.to_iban(number)) == number


@given(accounts, st.integers(0, 23), st.integers(1, 9))
def test_no_single_slip_of_any_account_passes(first, place, step):
    number = first + rib.key_of(first)
    wrong = str((int(number[place]) + step) % 10)

    with pytest.raises(rib.RibKeyWrong):
        rib.check(number[:place] + wrong + number[place + 1 :])
