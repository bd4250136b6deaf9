"""Code tables: every row is usable, and what is not there is unknown."""

import re
from typing import get_args

import pytest

from tongguan.messages.codes import Code, TableName, table

_SHAPES: dict[TableName, str] = {
    "countries": r"\d{3}",
    "currencies": r"\d{3}",
    "customs_districts": r"\d{4}",
    "trade_modes": r"\d{4}",
    "transport_modes": r"[0-9A-Z]",
    "units": r"\d{3}",
    "wrap_types": r"\d",
}
_DATE = r"(\d{4}-\d\d-\d\d)?"


def test_every_table_has_its_shape_of_code():
    assert tuple(_SHAPES) == get_args(TableName)


@pytest.mark.parametrize(("name", "shape"), _SHAPES.items())
def test_every_row_has_a_code_both_names_a_source_and_a_date(name: TableName, shape: str):
    for code, row in table(name).items():
        assert code == row.code
        assert re.fullmatch(shape, code), code
        assert row.zh, code
        assert row.en, code
        assert row.en.isascii() or row.en[0].isascii(), code
        assert row.source, code
        assert re.fullmatch(r"\d{4}-\d\d", row.date), code
        assert re.fullmatch(_DATE, row.valid_from), code
        assert re.fullmatch(_DATE, row.valid_to), code


@pytest.mark.parametrize(
    ("name", "rows"),
    [("countries", 243), ("currencies", 22), ("customs_districts", 990), ("trade_modes", 105), ("units", 123)],
)
def test_a_table_is_as_long_as_its_source(name: TableName, rows: int):
    assert len(table(name)) == rows


@pytest.mark.parametrize(
    ("name", "code", "zh", "en"),
    [
        ("countries", "116", "日本", "Japan"),
        ("countries", "142", "中国", "China"),
        ("currencies", "142", "人民币", "Renminbi Yuan"),
        ("units", "035", "千克", "kilogram"),
        ("transport_modes", "5", "航空运输", "Air"),
        ("trade_modes", "9610", "电子商务", "Cross-border e-commerce, direct purchase"),
        ("customs_districts", "0100", "北京关区", "Beijing Customs District"),
        ("customs_districts", "0129", "北京海关天竺综合保税区", "Beijing Customs District, office 0129"),
    ],
)
def test_a_code_has_its_names(name: TableName, code: str, zh: str, en: str):
    found = table(name)[code]

    assert (found.zh, found.en) == (zh, en)


def test_a_code_that_is_not_there_is_unknown():
    assert table("countries").get("000") is None


def test_the_trade_modes_of_retail_import_say_since_when_they_are_valid():
    since = {code: table("trade_modes")[code].valid_from for code in ("9610", "1210", "1239")}

    assert since == {"9610": "2014-02-10", "1210": "2014-08-01", "1239": "2016-12-01"}


def test_package_types_say_that_their_numbers_are_in_doubt():
    assert all("doubt" in row.note for row in table("wrap_types").values())


def test_a_table_is_read_once_and_cannot_be_changed():
    assert table("units") is table("units")
    assert not hasattr(table("units"), "__setitem__")
    assert isinstance(table("units")["035"], Code)
