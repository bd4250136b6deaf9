"""Files as deliveries: what they are, and how they are cut."""

import json
from pathlib import Path
from typing import Any

import pytest

from tongguan.gateway.pushing import deliveries_of
from tongguan.gateway.submissions import submitted
from tongguan.messages.documents.parsing import DeliveryLimits
from tongguan.messages.faults import Refused


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def make(name: str, data: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return make


def _documents(path: Path, key: str | None = None) -> list[Any]:
    read = [submitted(each, DeliveryLimits()) for each in deliveries_of(path, key)]
    assert [each.faults for each in read] == [()] * len(read)
    return [each.document for one in read for each in one.submissions]


@pytest.mark.parametrize("kind", ["order", "payment", "waybill", "transport", "goods"])
@pytest.mark.parametrize("as_list", [False, True])
def test_json_is_known_by_the_fields_its_kind_alone_has(triples: Any, file: Any, kind: str, as_list: bool) -> None:
    content = triples.content(kind)

    (pushed,) = deliveries_of(file("x.json", json.dumps([content] if as_list else content)), None)

    assert (pushed.routing_key, pushed.content_type) == (f"import.{kind}", "application/json")


def test_the_name_of_a_file_goes_before_its_content(triples: Any, file: Any) -> None:
    path = file("010.import.payment.json", json.dumps(triples.content("order")))

    assert next(deliveries_of(path, None)).routing_key == "import.payment"


def test_a_given_routing_key_goes_before_both(triples: Any, file: Any) -> None:
    path = file("010.import.payment.json", json.dumps(triples.content("order")))

    assert next(deliveries_of(path, "import.waybill")).routing_key == "import.waybill"


@pytest.mark.parametrize("lead", [b"", b"\xef\xbb\xbf", b"\n \t"])
def test_xml_is_customs_xml_whatever_stands_before_it(file: Any, lead: bytes) -> None:
    (pushed,) = deliveries_of(file("x.json", lead + b"<a/>"), None)

    assert (pushed.routing_key, pushed.content_type, pushed.body) == ("ceb", "application/xml", lead + b"<a/>")


@pytest.mark.parametrize("data", ["", "[]", "{}", "7", "null", "{", '{"weight": 1, "amountPaid": 2}', '["a"]'])
def test_a_file_that_tells_nothing_is_refused(file: Any, data: str) -> None:
    with pytest.raises(Refused, match="push-kind"):
        list(deliveries_of(file("x.json", data), None))


@pytest.mark.parametrize(("count", "deliveries"), [(1, 1), (100, 1), (101, 2), (250, 3)])
@pytest.mark.parametrize("name", ["orders.json", "orders.jsonl", "orders.ndjson"])
def test_many_documents_are_cut_into_deliveries_of_a_hundred(
    triples: Any, file: Any, name: str, count: int, deliveries: int
) -> None:
    contents = [triples.content("order", number) for number in range(1, count + 1)]
    text = json.dumps(contents) if name.endswith(".json") else "\n".join(map(json.dumps, contents))
    path = file(name, text)

    assert len(list(deliveries_of(path, None))) == deliveries
    assert [each.order_no for each in _documents(path)] == [each["orderNo"] for each in contents]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_lines_may_end_in_any_way_and_be_empty(triples: Any, file: Any, end: str) -> None:
    lines = [json.dumps(triples.content("order", number), ensure_ascii=False) for number in (1, 2, 3)]

    assert len(_documents(file("x.jsonl", end.join(lines) + end))) == 3


def test_elements_are_pushed_byte_for_byte(triples: Any, file: Any) -> None:
    """A number that passed through a binary float would change, and with it what was sent."""
    content = triples.content("order", OrderList=triples.content("order")["OrderList"])
    text = json.dumps(content).replace('"316.00"', "316.0000", 1)
    path = file("x.json", f"[{','.join([text] * 101)}]")

    first, last = deliveries_of(path, None)

    assert first.body == f"[{','.join([text] * 100)}]".encode()
    assert last.body == f"[{text}]".encode()


def test_a_list_that_cannot_be_read_is_pushed_as_it_is(file: Any) -> None:
    path = file("x.import.order.json", '[{"orderNo": 1}, oops]')

    (pushed,) = deliveries_of(path, None)

    assert pushed.body == b'[{"orderNo": 1}, oops]'


@pytest.mark.parametrize("name", ["orders.json", "orders.jsonl"])
def test_no_delivery_is_larger_than_intake_takes(triples: Any, file: Any, name: str) -> None:
    line = triples.content("order")["OrderList"][0] | {"itemDescribe": "奶" * 900}
    contents = [
        triples.content("order", number, OrderList=[line | {"gnum": n} for n in range(1, 21)])
        for number in range(1, 101)
    ]
    text = json.dumps(contents) if name.endswith(".json") else "\n".join(map(json.dumps, contents))

    sizes = [len(each.body) for each in deliveries_of(file(name, text), None)]

    assert max(sizes) <= DeliveryLimits().bytes_max
