"""Invented people are valid in form and cannot be anybody."""

from random import Random

from tongguan.gateway.sample.people import invent
from tongguan.messages.personal import id_card_valid

PROVINCES = {
    *(str(code) for code in (11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46)),
    *(str(code) for code in (50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83)),
}
"""The first two digits of residents' ID numbers (GB/T 2260)."""


def _people(count: int):
    random = Random(5)
    return [invent(random, serial) for serial in range(count)]


def test_id_numbers_have_a_valid_check_character():
    people = _people(2000)

    assert all(id_card_valid(each.id_number) for each in people)


def test_no_id_number_belongs_to_a_province():
    people = _people(2000)

    assert not {each.id_number[:2] for each in people} & PROVINCES
    # a permanent residence number has its province behind the 9
    assert not {each.id_number[1:3] for each in people} & PROVINCES


def test_phones_begin_with_a_range_that_was_never_handed_out():
    people = _people(2000)

    assert {each.phone[:3] for each in people} == {"154"}
    assert {len(each.phone) for each in people} == {11}


def test_no_two_people_share_an_id_number_or_a_phone():
    people = _people(20_000)

    assert len({each.id_number for each in people}) == 20_000
    assert len({each.phone for each in people}) == 20_000


def test_names_have_three_characters_at_least():
    people = _people(2000)

    assert min(len(each.name) for each in people) == 3
