"""What holds for whatever is pushed."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tongguan.messages.contract import examples
from tongguan.messages.documents import Order, Parsed, parse_json
from tongguan.messages.documents.fields import wire_number
from tongguan.messages.faults import Refused

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_AMOUNTS = st.builds(
    lambda whole, fraction: f"{whole}.{fraction}" if fraction else f"{whole}",
    st.integers(0, 10**9),
    st.text("0123456789", max_size=5),
)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from([*examples()["order"], "unknown"]), value=_JSON)
def test_any_value_of_a_field_makes_a_document_or_faults_and_never_both(name: str, value: Any):
    (parsed,) = parse_json("order", json.dumps(examples()["order"] | {name: value}).encode())

    assert (parsed.document is None) == bool(parsed.faults)
    assert all(json.dumps(fault.as_json(), ensure_ascii=False).encode() for fault in parsed.faults)


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=40) | st.text('{}[]",:0aN\\ \n', max_size=40).map(str.encode))
def test_any_bytes_are_elements_or_refused(data: bytes):
    parsed: list[Parsed] = []

    with suppress(Refused):
        parsed = parse_json("order", data)

    assert all(each.raw in data and each.faults for each in parsed)


@settings(max_examples=60, deadline=None)
@given(amount=_AMOUNTS)
def test_the_digits_of_an_amount_survive_as_text_and_as_number(amount: str):
    as_text = json.dumps(examples()["order"] | {"freight": amount}).encode()
    as_number = as_text.replace(f'"freight": "{amount}"'.encode(), f'"freight": {amount}'.encode())

    documents = [parse_json("order", data)[0].document for data in (as_text, as_number)]

    assert [wire_number(each.freight) for each in documents if isinstance(each, Order)] == [amount, amount]
