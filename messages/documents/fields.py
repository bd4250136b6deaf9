"""The field types every document is built from. Their limits are those of the customs schemas of 202205.

Three kinds of text, by what surrounding white space means in them:

- *identifiers* (numbers and codes: order number, enterprise code, guid, unit) are refused with white space around them:
  trimming one silently would give the sender and the gateway two names for the same thing;
- *texts* (names, phones, conveyances) and numbers sent as strings are trimmed, which changes no meaning;
- *free texts* (notes, descriptions, addresses) are trimmed too and may hold tabs and line breaks.

No text holds another control character (C0, DEL, C1), a lone surrogate or a code point that XML 1.0 forbids. Codes of a
code table are checked for length only: an unknown code is a finding later. Closed lists are the few values that steer
the gateway itself. Errors are raised under the codes of ``tables/faults.toml``.
"""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal, LiteralString

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from ..chinatime import parse_china_time

AMOUNT_TOTAL_DIGITS = 19
AMOUNT_FRACTION_DIGITS = 5
AMOUNT_TEXT_MAX = 40
"""How long a number may be as text, sign and superfluous zeros included."""
JSON_NUMBER_DIGITS_MAX = 15
"""A JSON number with more significant digits may have passed through a binary float and changed there."""
INT_MIN, INT_MAX = -(2**31), 2**31 - 1
INT9_MAX = 10**9 - 1

_INSIDE = r"[^\x00-\x1F\x7F-\x9F\uFFFE\uFFFF]"
_EDGE = r"[^\s\x00-\x1F\x7F-\x9F\uFFFE\uFFFF]"
_FREE = r"[^\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F\uFFFE\uFFFF]"
_XML_SPACE = " \t\r\n"

holds_control = re.compile(r"[\x00-\x1F\x7F-\x9F\uFFFE\uFFFF]").search
"""Finds a character that no identifier or text may hold."""

_DECIMAL = r"[+-]?(?=\.?[0-9])0*([0-9]*)(?:\.([0-9]*?)0*)?"
_decimal = re.compile(_DECIMAL).fullmatch
_integer = re.compile(r"[+-]?0*[0-9]{1,10}").fullmatch
_json_number = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?(?:[eE][+-]?[0-9]{1,3})?").fullmatch


class JsonNumber:
    """A number of a JSON text, as its sender wrote it."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def _identifier(longest: int, shortest: int = 1) -> StringConstraints:
    return StringConstraints(min_length=shortest, max_length=longest, pattern=rf"^{_EDGE}(?:{_INSIDE}*{_EDGE})?$")


def _text(longest: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=longest, pattern=rf"^{_INSIDE}+$")


def _free(longest: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=longest, pattern=rf"^{_FREE}+$")


def _too_many_digits() -> PydanticCustomError:
    limits = {"total": AMOUNT_TOTAL_DIGITS, "fraction": AMOUNT_FRACTION_DIGITS}
    return PydanticCustomError("document-digits", "too many digits", limits)


def _plain(number: JsonNumber) -> str:
    """The digits of a JSON number, without exponent."""
    parts = _json_number(number.text) if len(number.text) <= AMOUNT_TEXT_MAX else None
    if parts is None:
        raise _too_many_digits()
    if len((parts[1] + (parts[2] or "")).lstrip("0")) > JSON_NUMBER_DIGITS_MAX:
        raise PydanticCustomError("document-number-long", "send it as a string", {"limit": JSON_NUMBER_DIGITS_MAX})
    return number.text if parts.end(parts.lastindex or 1) == len(number.text) else wire_number(Decimal(number.text))


def _amount(value: Any) -> Decimal:
    if isinstance(value, JsonNumber):
        text = _plain(value)
    elif isinstance(value, str):
        text = value.strip(_XML_SPACE)
    elif isinstance(value, Decimal):
        text = wire_number(value)
    else:
        raise PydanticCustomError("document-number", "not a decimal number")
    if len(text) > AMOUNT_TEXT_MAX:
        raise _too_many_digits()
    digits = _decimal(text)
    if digits is None:
        raise PydanticCustomError("document-number", "not a decimal number")
    whole, fraction = digits[1], digits[2] or ""
    if len(fraction) > AMOUNT_FRACTION_DIGITS or len(whole) + len(fraction) > AMOUNT_TOTAL_DIGITS:
        raise _too_many_digits()
    return Decimal(text)


def wire_number(number: Decimal) -> str:
    """The number as it stands on the wire: the digits that were sent, never an exponent."""
    return format(number, "f")


def _whole_number(value: Any) -> int:
    if type(value) is int:
        return value
    text = value.text if isinstance(value, JsonNumber) else value
    if isinstance(text, str) and len(text) <= AMOUNT_TEXT_MAX and _integer(text.strip(_XML_SPACE)):
        return int(text)
    raise PydanticCustomError("document-whole-number", "not a whole number")


def _moment(length: int, code: LiteralString) -> tuple[StringConstraints, AfterValidator, WithJsonSchema]:
    def check(text: str) -> str:
        try:
            parse_china_time(text if len(text) == length else "")
        except ValueError:
            raise PydanticCustomError(code, "no such time") from None
        return text

    shape = "YYYYMMDDhhmmss"[:length]
    description = f"北京时间 {shape} / China time, {shape}"
    shown = WithJsonSchema({"type": "string", "pattern": f"^[0-9]{{{length}}}$", "description": description})
    return StringConstraints(strip_whitespace=True), AfterValidator(check), shown


Guid = Annotated[str, _identifier(36, 36)]
Code1 = Annotated[str, _identifier(1)]
Code3 = Annotated[str, _identifier(3, 3)]
Code4 = Annotated[str, _identifier(4, 4)]
Code6 = Annotated[str, _identifier(6, 6)]
Code10 = Annotated[str, _identifier(10, 10)]
Id3 = Annotated[str, _identifier(3)]
Id10 = Annotated[str, _identifier(10)]
Id18 = Annotated[str, _identifier(18)]
Id19 = Annotated[str, _identifier(19)]
Id20 = Annotated[str, _identifier(20)]
Id30 = Annotated[str, _identifier(30)]
Id37 = Annotated[str, _identifier(37)]
Id60 = Annotated[str, _identifier(60)]
Text30 = Annotated[str, _text(30)]
Text32 = Annotated[str, _text(32)]
Text50 = Annotated[str, _text(50)]
Text60 = Annotated[str, _text(60)]
Text100 = Annotated[str, _text(100)]
Text250 = Annotated[str, _text(250)]
Free200 = Annotated[str, _free(200)]
Free510 = Annotated[str, _free(510)]
Free1000 = Annotated[str, _free(1000)]

Amount = Annotated[
    Decimal,
    PlainValidator(_amount),
    PlainSerializer(wire_number, return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": f"^{_DECIMAL}$", "maxLength": AMOUNT_TEXT_MAX}, {"type": "number"}],
            "description": "十进制数，最多 19 位，其中小数 5 位，建议用字符串；JSON 数字最多 15 位有效数字"
            " / decimal, at most 19 digits, 5 after the point, best as a string; a JSON number: 15 significant digits",
        }
    ),
]
"""A decimal of at most 19 digits, 5 of them after the point; the digits sent are kept, trailing zeros included."""

Int = Annotated[int, Field(ge=INT_MIN, le=INT_MAX), BeforeValidator(_whole_number)]
Int9 = Annotated[int, Field(ge=-INT9_MAX, le=INT9_MAX), BeforeValidator(_whole_number)]

Time = Annotated[str, *_moment(14, "document-time")]
"""``YYYYMMDDhhmmss``, a possible moment of China time."""
Date = Annotated[str, *_moment(8, "document-date")]
"""``YYYYMMDD``, a possible date."""

AppType = Annotated[Literal["1", "2", "3"], Field(description="1 新增，2 变更，3 删除 / 1 new, 2 change, 3 delete")]
AppStatus = Annotated[Literal["1", "2"], Field(description="1 暂存，2 申报 / 1 stored, 2 declared")]
IdType = Annotated[Literal["1", "2"], Field(description="1 身份证，2 其它 / 1 resident identity card, 2 other")]
