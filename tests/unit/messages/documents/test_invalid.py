"""The faults of a document: a code, a path, names in both languages, and no value of what was sent."""

import json
from typing import Any

import pytest

from tongguan.messages.documents import parse_json
from tongguan.messages.faults import Fault

_SECRET = "小宝13900000001"


def _faults(kind: str, content: dict[str, Any]) -> list[Fault]:
    (parsed,) = parse_json(kind, json.dumps(content).encode())
    return list(parsed.faults)


def _only(kind: str, content: dict[str, Any]) -> Fault:
    (fault,) = _faults(kind, content)
    return fault


def _without(content: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key != name}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("guid", "x" * 35, "document-length"),
        ("guid", "x" * 37, "document-long"),
        ("orderNo", 20240308, "document-text"),
        ("orderNo", True, "document-text"),
        ("orderNo", {"no": 1}, "document-text"),
        ("orderNo", " HX1", "document-space"),
        ("orderNo", "HX\x001", "document-character"),
        ("buyerName", "李\ud800", "document-character"),
        ("buyerName", "李\n小宝", "document-character"),
        ("buyerName", " 李\x00小宝 ", "document-character"),
        ("appType", "9", "document-choice"),
        ("appType", 1, "document-choice"),
        ("tradeMode", "0110", "document-choice"),
        ("contract", "2", "document-choice"),
        ("appTime", "20240230000000", "document-time"),
        ("freight", "ten", "document-number"),
        ("freight", [], "document-number"),
        ("freight", "1.123456", "document-digits"),
        ("freight", 0.1234567890123456, "document-number-long"),
        ("OrderList", [], "document-lines-few"),
        ("OrderList", {}, "document-list"),
        ("OrderList", "x", "document-list"),
    ],
)
def test_each_kind_of_mistake_has_its_code_at_its_path(order: dict[str, Any], name: str, value: object, code: str):
    fault = _only("order", order | {name: value})

    assert (fault.code, fault.path) == (code, f"/0/{name}")


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("gnum", "1.0", "document-whole-number"),
        ("gnum", 3_000_000_000, "document-whole-number"),
        ("unit", "7", "document-length"),
        ("qty", "", "document-missing"),
    ],
)
def test_a_fault_in_a_line_names_the_line(order: dict[str, Any], name: str, value: object, code: str):
    lines = [order["OrderList"][0], order["OrderList"][0] | {name: value}]

    fault = _only("order", order | {"OrderList": lines})

    assert (fault.code, fault.path) == (code, f"/0/OrderList/1/{name}")


def test_a_line_that_is_no_object_is_said_to_be_none(order: dict[str, Any]):
    fault = _only("order", order | {"OrderList": [1]})

    assert (fault.code, fault.path) == ("document-object", "/0/OrderList/0")


def test_a_date_is_told_from_a_time():
    faults = _faults("transport", {"ieDate": "20240308112701"})

    assert ("document-date", "/0/ieDate") in [(fault.code, fault.path) for fault in faults]


def test_a_pair_of_which_one_is_missing_is_named(goods: dict[str, Any]):
    fault = _only("goods", goods | {"unit2": "007"})

    assert (fault.code, fault.path) == ("document-pair", "/0")
    assert "unit2, qty2" in fault.zh
    assert "unit2, qty2" in fault.en


def test_a_sentence_names_the_field_in_both_languages(order: dict[str, Any]):
    fault = _only("order", _without(order, "acturalPaid"))

    assert fault.zh == "缺少实际支付金额（acturalPaid）"
    assert fault.en == "amount actually paid (acturalPaid) is missing"


def test_a_field_is_called_as_it_is_called_where_it_stands(order: dict[str, Any]):
    in_order, in_line = (
        _only("order", _without(order, "freight")),
        _only("order", order | {"OrderList": [_without(order["OrderList"][0], "gnum")]}),
    )

    assert "运杂费" in in_order.zh
    assert "商品序号" in in_line.zh


def test_choices_are_named(order: dict[str, Any]):
    fault = _only("order", order | {"appType": "9"})

    assert fault.en == "kind of submission (appType) must be 1 / 2 / 3"


@pytest.mark.parametrize(
    ("wrong", "official"),
    [
        ("actualPaid", "acturalPaid"),
        ("ACTURALPAID", "acturalPaid"),
        ("actural_paid", "acturalPaid"),
        ("orderList", "OrderList"),
    ],
)
def test_a_misspelt_field_is_told_its_official_name(order: dict[str, Any], wrong: str, official: str):
    faults = {fault.code: fault for fault in _faults("order", _without(order, official) | {wrong: order[official]})}

    assert faults["document-misspelt-field"].path == f"/0/{wrong}"
    assert official in faults["document-misspelt-field"].en
    assert "document-missing" in faults


def test_a_field_that_resembles_none_is_unknown_by_its_name(order: dict[str, Any]):
    fault = _only("order", order | {"couponCode": "1"})

    assert (fault.code, fault.path) == ("document-unknown-field", "/0/couponCode")


@pytest.mark.parametrize("name", ["李小宝", "13900000001", "a b", "x" * 65, "\ud800", "a/b", ""])
def test_a_field_name_that_may_be_data_is_not_repeated(order: dict[str, Any], name: str):
    fault = _only("order", order | {name: "1"})

    assert (fault.code, fault.path) == ("document-unknown-field", "/0/?")


def test_no_fault_repeats_what_was_sent(order: dict[str, Any]):
    spoilt = dict.fromkeys(order, f" {_SECRET}\x00{_SECRET}" * 40) | {"OrderList": [{"qty": _SECRET, "x": _SECRET}]}

    faults = _faults("order", spoilt)

    assert len(faults) == 20
    assert not any("小宝" in text or "139" in text for fault in faults for text in map(str, fault.as_json().values()))
