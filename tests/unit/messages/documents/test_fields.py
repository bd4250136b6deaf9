"""The field types: what a number, a time and a text may look like, and what is kept of it."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tongguan.messages.documents.fields import (
    Amount,
    AppType,
    Date,
    Free1000,
    Guid,
    Id18,
    Int,
    Int9,
    JsonNumber,
    Text60,
    Time,
    wire_number,
)

_amount = TypeAdapter(Amount)
_time = TypeAdapter(Time)
_date = TypeAdapter(Date)
_id = TypeAdapter(Id18)
_text = TypeAdapter(Text60)
_free = TypeAdapter(Free1000)


def _error(adapter: TypeAdapter[Any], value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(value)
    (error,) = caught.value.errors()
    return error["type"]


@pytest.mark.parametrize("text", ["0", "1", "1.00", "14000.5", "0.00001", "-3.10", "1234567890123456789", "00.50"])
def test_the_digits_of_an_amount_come_out_as_they_went_in(text: str):
    amount = _amount.validate_python(text)

    assert wire_number(amount) == (text if text != "00.50" else "0.50")


@pytest.mark.parametrize("text", [" 12.50 ", "\t12.50\n"])
def test_white_space_around_a_number_is_dropped(text: str):
    assert wire_number(_amount.validate_python(text)) == "12.50"


@pytest.mark.parametrize(
    "text", ["1e3", "1_000", "1,000", "", "NaN", "Infinity", "١٢", "0x1", "1.2.3", "+-1", ".", "-"]
)
def test_a_text_that_is_no_plain_decimal_is_no_amount(text: str):
    assert _error(_amount, text) == "document-number"


@pytest.mark.parametrize("value", [1.5, True, None, b"1", ["1"]])
def test_a_float_is_no_amount_nor_is_anything_but_text_and_decimals(value: object):
    assert _error(_amount, value) == "document-number"


@pytest.mark.parametrize("text", ["12345678901234567890", "1.000001", "123456789012345.12345", "0" * 41])
def test_an_amount_has_at_most_19_digits_and_5_after_the_point(text: str):
    assert _error(_amount, text) == "document-digits"


@pytest.mark.parametrize("text", ["1.000000000", "1234567890123456789.0", "000000000000000000000000001"])
def test_zeros_that_add_nothing_do_not_count_as_digits(text: str):
    assert wire_number(_amount.validate_python(text)) in {"1.000000000", "1234567890123456789.0", "1"}


def test_a_json_number_of_15_significant_digits_is_taken_as_written():
    amount = _amount.validate_python(JsonNumber("1234567890.12340"))

    assert wire_number(amount) == "1234567890.12340"


@pytest.mark.parametrize("text", ["1234567890123456", "0.1000000000000000055511151231257827", "12345678901.23450"])
def test_a_json_number_with_more_digits_must_be_sent_as_a_string(text: str):
    assert _error(_amount, JsonNumber(text)) == "document-number-long"


@pytest.mark.parametrize(("text", "plain"), [("1e-05", "0.00001"), ("1.5E2", "150"), ("2E+3", "2000"), ("-1e0", "-1")])
def test_the_exponent_of_a_json_number_is_written_out(text: str, plain: str):
    assert wire_number(_amount.validate_python(JsonNumber(text))) == plain


@pytest.mark.parametrize("text", ["1e999999999", "1e20", "1e-6", "0." + "0" * 50 + "1"])
def test_a_json_number_of_any_size_is_refused_without_being_written_out(text: str):
    assert _error(_amount, JsonNumber(text)) == "document-digits"


def test_an_amount_may_be_given_as_a_decimal_but_never_as_no_number():
    assert _amount.validate_python(Decimal("0E-7")) == 0
    assert _error(_amount, Decimal("NaN")) == "document-number"


@pytest.mark.parametrize(("value", "number"), [("7", 7), (" 007 ", 7), (JsonNumber("12"), 12), (3, 3), ("-1", -1)])
def test_a_whole_number_may_be_text_or_a_number(value: object, number: int):
    assert TypeAdapter(Int).validate_python(value) == number


@pytest.mark.parametrize("value", ["1.0", "1e2", JsonNumber("1.0"), JsonNumber("1e2"), True, None, 1.0, "", "9" * 50])
def test_a_whole_number_has_digits_only(value: object):
    assert _error(TypeAdapter(Int), value) == "document-whole-number"


@pytest.mark.parametrize(("kind", "value"), [(Int, "2147483648"), (Int, "-2147483649"), (Int9, "1000000000")])
def test_a_whole_number_stays_in_the_range_of_its_schema_type(kind: Any, value: str):
    assert _error(TypeAdapter(kind), value) in {"less_than_equal", "greater_than_equal"}


def test_a_time_is_a_possible_moment_in_china():
    assert _time.validate_python("20240229235959") == "20240229235959"


@pytest.mark.parametrize(
    "text", ["20230229000000", "20240308246000", "20240308", "2024-03-08 11:27", "２０２４0308112701"]
)
def test_an_impossible_time_or_one_of_another_form_is_refused(text: str):
    assert _error(_time, text) == "document-time"


@pytest.mark.parametrize("text", ["20240231", "20240308112701", "0"])
def test_an_impossible_date_or_one_of_another_form_is_refused(text: str):
    assert _error(_date, text) == "document-date"


@pytest.mark.parametrize("text", [" 1199W60001", "1199W60001 ", "1199W60001\u3000", "\t1199W60001"])
def test_white_space_around_an_identifier_is_refused_not_trimmed(text: str):
    assert _error(_id, text) == "string_pattern_mismatch"


def test_white_space_inside_an_identifier_stays():
    assert _id.validate_python("A 1") == "A 1"


def test_white_space_around_a_name_is_trimmed():
    assert _text.validate_python(" \u3000李小宝\n") == "李小宝"


@pytest.mark.parametrize(
    "character", ["\x00", "\x01", "\t", "\n", "\r", "\x1f", "\x7f", "\x85", "\x9f", "\ufffe", "\uffff"]
)
@pytest.mark.parametrize("adapter", [_id, _text])
def test_no_control_character_stands_inside_an_identifier_or_a_name(adapter: TypeAdapter[str], character: str):
    assert _error(adapter, f"a{character}b") == "string_pattern_mismatch"


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x0b", "\x1f", "\x7f", "\x85", "\x9f", "\ufffe", "\uffff"])
def test_no_control_character_but_tab_and_line_break_stands_inside_a_free_text(character: str):
    assert _error(_free, f"a{character}b") == "string_pattern_mismatch"


def test_tab_and_line_break_stand_inside_a_free_text():
    assert _free.validate_python(" 一\t二\r\n三 ") == "一\t二\r\n三"


@pytest.mark.parametrize("adapter", [_id, _text, _free])
def test_a_lone_surrogate_is_refused(adapter: TypeAdapter[str]):
    assert _error(adapter, "a\ud800") == "string_unicode"


def test_lengths_count_characters_not_bytes():
    assert _text.validate_python("宝" * 60) == "宝" * 60
    assert _error(_text, "😀" * 61) == "string_too_long"


def test_a_guid_has_36_characters_of_any_kind():
    assert TypeAdapter(Guid).validate_python("UWXFZT-" + "x" * 29)
    assert _error(TypeAdapter(Guid), "x" * 35) == "string_too_short"


def test_only_new_change_and_delete_are_submitted():
    assert _error(TypeAdapter(AppType), "4") == "literal_error"
    assert _error(TypeAdapter(AppType), 1) == "literal_error"
