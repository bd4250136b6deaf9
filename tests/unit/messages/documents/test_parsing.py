"""Reading pushed JSON: what becomes a document, what becomes a fault, and what is refused as a whole."""

import json
from typing import Any

import pytest

from tongguan.messages.documents import DeliveryLimits, Order, Parsed, parse_json
from tongguan.messages.faults import FAULTS_MAX, Refused

_NDJSON = "application/x-ndjson"


def _bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _codes(parsed: Parsed) -> list[tuple[str, str]]:
    return [(fault.code, fault.path) for fault in parsed.faults]


def _refusal(
    data: bytes, content_type: str = "application/json", limits: DeliveryLimits | None = None
) -> tuple[str, Any]:
    with pytest.raises(Refused) as caught:
        parse_json("order", data, content_type, limits or DeliveryLimits())
    (fault,) = caught.value.faults
    return fault.code, fault.line


def test_one_object_is_one_document(order: dict[str, Any]):
    (parsed,) = parse_json("order", b" \n" + _bytes(order) + b"\n")

    assert parsed.document is not None
    assert (parsed.index, parsed.line, parsed.raw) == (0, 2, _bytes(order))


def test_an_array_is_as_many_documents(order: dict[str, Any]):
    parsed = parse_json("order", _bytes([order, order | {"orderNo": "2"}]))

    assert [each.document.key[1] for each in parsed if each.document] == ["YX202403080001", "2"]


def test_ndjson_is_one_document_a_line_and_blank_lines_are_nothing(order: dict[str, Any]):
    parsed = parse_json("order", b"\r\n" + _bytes(order) + b"\r\n\n" + _bytes(order), f"{_NDJSON}; charset=utf-8")

    assert [(each.index, each.line, each.raw) for each in parsed] == [(0, 2, _bytes(order)), (1, 4, _bytes(order))]


def test_the_raw_bytes_of_an_element_are_those_that_were_sent():
    sent = b'{"orderNo" :  "\\u674e","note":1.50}'

    first, second = parse_json("order", b"[ " + sent + b"\n,{}]")

    assert first.raw == sent
    assert (second.raw, second.line) == (b"{}", 2)


def test_a_byte_order_mark_is_passed_over(order: dict[str, Any]):
    (parsed,) = parse_json("order", b"\xef\xbb\xbf" + _bytes(order))

    assert parsed.document is not None
    assert parsed.raw == _bytes(order)


def test_a_faulty_document_leaves_its_neighbours_alone(order: dict[str, Any]):
    faulty = order | {"orderNo": "x" * 61}

    before, spoilt, after = parse_json("order", _bytes([order, faulty, order]))

    assert before.document == after.document is not None
    assert _codes(spoilt) == [("document-long", "/1/orderNo")]
    assert spoilt.raw == _bytes(faulty)


def test_a_broken_line_of_ndjson_leaves_its_neighbours_alone(order: dict[str, Any]):
    lines = [_bytes(order), b'{"orderNo":', b'{"a":1} {}', b"\xff", b"[1]", b'{"a":NaN}', _bytes(order)]

    parsed = parse_json("order", b"\n".join(lines), _NDJSON)

    assert [each.document is not None for each in parsed] == [True, False, False, False, False, False, True]
    assert [(each.faults[0].code, each.faults[0].path, each.faults[0].line) for each in parsed if each.faults] == [
        ("document-unreadable", "/1", 2),
        ("document-unreadable", "/2", 3),
        ("document-encoding", "/3", 4),
        ("document-object", "/4", 5),
        ("document-unreadable", "/5", 6),
    ]


def test_a_fault_says_on_which_line_its_document_begins(order: dict[str, Any]):
    data = json.dumps([order, order | {"guid": "x"}], ensure_ascii=False, indent=1).encode()

    _, faulty = parse_json("order", data)

    assert faulty.line == faulty.faults[0].line == 2 + json.dumps(order, indent=1).count("\n") + 1


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "document-none", None),
        (b" \n", "document-none", None),
        (b"[]", "document-none", None),
        (b"[{},\n{]", "document-unreadable", 2),
        (b"[{}\n{}]", "document-unreadable", 2),
        (b"[{},]", "document-unreadable", 1),
        (b"[{}", "document-unreadable", 1),
        (b"{}\n{}", "document-unreadable", 2),
        (b"[{}]x", "document-unreadable", 1),
        (b'{"a":NaN}', "document-unreadable", 1),
        (b'{"a":-Infinity}', "document-unreadable", 1),
        (b'{"a":01}', "document-unreadable", 1),
        (b'{"a":"\x01"}', "document-unreadable", 1),
        (b"{'a':1}", "document-unreadable", 1),
        (b"<xml/>", "document-unreadable", 1),
        ('{"a":"宝"}'.encode("gb18030"), "document-encoding", None),
        ("{}".encode("utf-16"), "document-encoding", None),
    ],
)
def test_what_cannot_be_told_apart_is_refused_as_a_whole(data: bytes, code: str, line: int | None):
    assert _refusal(data) == (code, line)


def test_the_kind_and_the_content_type_are_checked():
    with pytest.raises(Refused) as caught:
        parse_json("inventory", b"{}")

    assert caught.value.faults[0].code == "document-kind"
    assert _refusal(b"{}", "text/plain") == ("document-content-type", None)


def test_a_delivery_has_a_limit_of_bytes_and_one_of_documents():
    limits = DeliveryLimits(bytes_max=20, documents_max=2)

    assert _refusal(b"x" * 21, limits=limits) == ("document-too-large", None)
    assert _refusal(b"[{},{},{}]", limits=limits) == ("document-count", None)
    assert _refusal(b"{}\n{}\n\n{}", _NDJSON, limits) == ("document-count", None)
    assert len(parse_json("order", b"[{},{}]", limits=limits)) == 2


@pytest.mark.parametrize("data", [b"[" * 200_000, b'{"a":' * 100_000, b'[{"a":' * 50_000])
def test_bottomless_nesting_is_refused(data: bytes):
    assert _refusal(data)[0] == "document-deep"


def test_nesting_beyond_the_limit_is_the_fault_of_its_document():
    deep, flat = parse_json("order", b'[{"note":' + b"[" * 20 + b"]" * 20 + b"},{}]")

    assert _codes(deep) == [("document-deep", "/0/note" + "/0" * 15)]
    assert flat.faults[0].code == "document-missing"


def test_a_doubled_key_is_refused_wherever_it_stands(order: dict[str, Any]):
    data = _bytes(order).replace(b'"qty":', b'"qty":"1","qty":').replace(b'"orderNo":', b'"orderNo":"1","orderNo":', 1)

    (parsed,) = parse_json("order", data)

    assert parsed.document is None
    assert _codes(parsed) == [
        ("document-doubled-key", "/0/orderNo"),
        ("document-doubled-key", "/0/OrderList/0/qty"),
    ]


def test_an_object_with_too_many_fields_is_refused_before_they_are_looked_at():
    (parsed,) = parse_json("order", _bytes({f"field{n}": 1 for n in range(201)}))

    assert _codes(parsed) == [("document-fields-many", "/0")]


def test_lines_beyond_the_limit_are_refused_before_they_are_looked_at(order: dict[str, Any]):
    (parsed,) = parse_json("order", _bytes(order | {"OrderList": [{}] * 100}))

    assert _codes(parsed) == [("document-lines-many", "/0/OrderList")]


def test_faults_are_counted_in_full_and_named_up_to_the_limit():
    (parsed,) = parse_json("order", _bytes({"OrderList": [{}] * 9}))

    assert len(parsed.faults) == FAULTS_MAX
    assert parsed.fault_count > FAULTS_MAX


def test_the_digits_of_a_json_number_are_kept(order: dict[str, Any]):
    (parsed,) = parse_json("order", _bytes(order).replace(b'"freight": "10.00"', b'"freight": 10.00'))

    assert isinstance(parsed.document, Order)
    assert str(parsed.document.freight) == "10.00"


def test_an_order_with_99_lines_is_read(order: dict[str, Any]):
    lines = [order["OrderList"][0] | {"gnum": n} for n in range(1, 100)]

    (parsed,) = parse_json("order", _bytes(order | {"OrderList": lines}))

    assert parsed.document is not None
