import pytest

from shop.core.references import ALPHABET
from shop.vouchers import codes


@pytest.mark.parametrize(
    "typed",
    ["AID2026", "aid2026", " aid 2026 ", "AID-2026", "aid٢٠٢٦", "AID۲۰۲۶", "ＡＩＤ２０２６", "\u200faid2026"],
)
def test_a_code_is_read_however_it_was_typed(typed):
    assert codes.normalise(typed) == "AID2026"


@pytest.mark.parametrize("typed", ["", "   ", "AID_2026", "عيد", "É2026", "A" * 25, "A'; --"])
def test_what_is_no_code_of_ours_is_read_as_none(typed):
    assert codes.normalise(typed) == ""


def test_a_made_code_has_sixty_bits_and_no_look_alikes():
    made = {codes.make() for _ in range(200)}

    assert len(made) == 200
    assert {len(each) for each in made} == {12}
    assert set("".join(made)) <= set(ALPHABET)
    assert all(codes.normalise(codes.grouped(each).lower()) == each for each in made)


def test_only_a_made_code_is_grouped():
    assert codes.grouped("7K3M9QX2T4WZ") == "7K3M-9QX2-T4WZ"
    assert codes.grouped("AID2026") == "AID2026"
