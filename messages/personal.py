"""Personal data: how it is compared, masked and checked. A mask shows enough to recognise a value one already knows."""

import re
import unicodedata
from collections.abc import Iterable

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_LOOKS_PERSONAL = re.compile(r"(?<![0-9A-Za-z])(?:\d{17}[0-9Xx]|1[3-9]\d{9})(?![0-9A-Za-z])")


def normalised(text: str) -> str:
    """One spelling for comparisons: half width, upper case, without spaces and punctuation."""
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(c for c in folded if unicodedata.category(c)[0] not in "ZPC")


def differs_only_in_form(one: str, other: str) -> bool:
    """Whether two texts differ, but only in width, case, spaces or punctuation."""
    return one != other and normalised(one) == normalised(other)


def mask_name(text: str) -> str:
    """``李小宝`` becomes ``李**``."""
    return text[:1] + "*" * max(len(text) - 1, 1) if text else ""


def mask_number(text: str) -> str:
    """An ID number or phone: at most the first three and the last two characters stay."""
    if len(text) < 8:
        return "*" * len(text)
    return text[:3] + "*" * (len(text) - 5) + text[-2:]


def mask_address(text: str) -> str:
    """An address: the first six characters, as a rule province and city, stay."""
    return text[:6] + "***" if len(text) > 6 else "***"


def mask_text(text: str, known: Iterable[str] = ()) -> str:
    """A free text with the ``known`` personal values masked, and any other valid ID number or mobile phone."""
    for value in sorted({v for v in known if len(v) > 1}, key=len, reverse=True):
        text = text.replace(value, mask_number(value) if value[0].isdigit() else mask_name(value))
    return _LOOKS_PERSONAL.sub(_masked_if_personal, text)


def _masked_if_personal(match: re.Match[str]) -> str:
    found = match.group()
    return mask_number(found) if len(found) == 11 or id_card_valid(found.upper()) else found


def id_card_valid(number: str) -> bool:
    """Whether an 18-character resident ID number has a possible birth date and its check character (GB 11643-1999)."""
    if not re.fullmatch(r"\d{17}[0-9X]", number):
        return False
    year, month, day = int(number[6:10]), int(number[10:12]), int(number[12:14])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not (1800 <= year <= 2200 and 1 <= month <= 12 and 1 <= day <= lengths[month - 1]):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, number, strict=False))
    return number[17] == _ID_CHECKS[total % 11]
