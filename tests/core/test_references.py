"""References that survive being read out on the phone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shop.core import references
from shop.core.references import ALPHABET

made = st.builds(lambda _: references.make("T"), st.integers())


def test_a_reference_is_prefix_eight_characters_and_a_check():
    reference = references.make("T")

    prefix, _, body = reference.partition("-")
    assert prefix == "T"
    assert len(body) == 9
    assert set(body) <= set(ALPHABET)
    assert references.is_sound(reference)


def test_no_two_of_many_are_the_same():
    assert len({references.make("T") for _ in range(5000)}) == 5000


def test_letters_that_look_alike_are_never_written():
    assert not set("ILOU") & set(ALPHABET)


def test_what_people_type_is_read_as_it_was_meant():
    assert references.normalise(" t-7k3m 9qx2t ") == "T-7K3M9QX2T"
    assert references.normalise("t-oil0") == "T-0110"
    assert references.normalise("lol") == "LOL"


@given(made, st.integers(0, 8), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(reference, position, letter):
    letters = list(reference.removeprefix("T-"))
    wrong = [*letters[:position], letter, *letters[position + 1 :]]

    assert references.is_sound("T-" + "".join(wrong)) == (wrong == letters)


@given(made, st.integers(0, 8), st.integers(0, 8))
def test_two_characters_that_changed_places_are_noticed(reference, one, other):
    letters = list(reference.removeprefix("T-"))
    wrong = letters.copy()
    wrong[one], wrong[other] = wrong[other], wrong[one]

    assert references.is_sound("T-" + "".join(wrong)) == (wrong == letters)


def test_a_dated_reference_carries_a_check_character_that_look_alikes_do_not_upset():
    reference = references.checked("PO-20261128-01-C13")

    assert reference.rpartition("-")[0] == "PO-20261128-01-C13"
    assert references.is_checked(reference)
    assert references.is_checked(reference.lower().replace("0", "o").replace("1", "l"))
    assert references.is_checked(references.checked("BA-20261128-01"))
    assert not references.is_checked("PO-") and not references.is_checked("")


@given(st.integers(2, 14), st.sampled_from("0123456789ABCDEF"))
def test_one_wrong_character_never_makes_another_payout_s_reference(position, letter):
    plain = references.checked("PO-20261128-01-C13").replace("-", "")
    wrong = plain[:position] + letter + plain[position + 1 :]

    assert references.is_checked(wrong) == (wrong == plain)


def test_a_part_of_an_order_is_as_sound_as_its_order():
    assert references.is_sound("T-7K3M9QX2T-2")
    assert not references.is_sound("T-7K3M9QX2V-2")


def test_what_is_no_reference_is_not_sound():
    for text in ("", "T", "T-", "T-7K3M9QX2", "T-7K3M9QX2TT", "7K3M9QX2T", "T-7K3M9QXIT", "T-٧K3M9QX2T"):
        assert not references.is_sound(text)
