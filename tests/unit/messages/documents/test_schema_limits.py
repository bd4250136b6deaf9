"""The models and the customs schemas allow the same: fields, lengths, digits, ranges, numbers of lines."""

from collections.abc import Iterator
from typing import Any

import pytest

from tongguan.messages.catalogue import message_type
from tongguan.messages.codec import load_codec
from tongguan.messages.contract import _Schemas
from tongguan.messages.documents import FORMS, Form, from_ceb, to_ceb
from tongguan.messages.documents.fields import AMOUNT_FRACTION_DIGITS, AMOUNT_TOTAL_DIGITS
from tongguan.messages.faults import Refused
from tongguan.messages.shapes import Limits

_FORMS = pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.message_type)


def _parts(form: Form) -> list[tuple[dict[str, Any], str]]:
    """The JSON Schema of a document and of its lines, each with its path in the customs schema."""
    node = message_type(form.message_type).node
    schema = form.model.model_json_schema(schema_generator=_Schemas)
    parts = [(schema, f"{node}/{form.head}" if form.head else f"{node}")]
    if form.lines:
        (line,) = schema["$defs"].values()
        parts.append((line, f"{node}/{form.lines}"))
    return parts


def _fields(form: Form) -> Iterator[tuple[str, dict[str, Any], bool, Limits]]:
    """Path, JSON Schema, whether it is required, and the limits of the customs schema, for every common field."""
    for schema, path in _parts(form):
        for name in load_codec().part(form.message_type, path).named:
            field = schema["properties"][name]
            limits = load_codec().limits(form.message_type, f"{path}/{name}")
            yield f"{path}/{name}", field, name in schema["required"], limits


def _lengths(field: dict[str, Any]) -> tuple[int, int]:
    if values := field.get("enum", [field["const"]] if "const" in field else None):
        return min(map(len, values)), max(map(len, values))
    if (pattern := field["pattern"]).startswith("^[0-9]{"):
        digits = int(pattern.removeprefix("^[0-9]{").removesuffix("}$"))
        return digits, digits
    return field["minLength"], field["maxLength"]


@_FORMS
def test_a_model_has_the_fields_of_the_schema_and_what_the_contract_adds(form: Form):
    added = {name: field for name, field in form.model.model_fields.items() if name in form.model.outside_ceb}

    ours = [set(schema["properties"]) - {form.lines} for schema, _ in _parts(form)]
    theirs = [set(load_codec().part(form.message_type, path).named) for _, path in _parts(form)]

    assert ours[0] - theirs[0] == {field.alias for field in added.values()}
    assert [each for each in theirs if each] == [ours[0] & theirs[0], *ours[1:]]


@_FORMS
def test_a_model_requires_what_the_schema_requires_but_for_app_status(form: Form):
    differing = [path for path, _, required, limits in _fields(form) if required != limits.required]

    assert [path.rpartition("/")[2] for path in differing] == ["appStatus"]


@_FORMS
def test_texts_have_the_lengths_of_the_schema(form: Form):
    for path, field, _, limits in _fields(form):
        if limits.kind == "string" and "enum" not in field and "const" not in field:
            assert _lengths(field) == (max(limits.min_length, 1), limits.max_length), path


@_FORMS
def test_closed_lists_fit_into_the_lengths_of_the_schema(form: Form):
    for path, field, _, limits in _fields(form):
        if "enum" in field or "const" in field:
            shortest, longest = _lengths(field)
            assert limits.min_length <= shortest <= longest <= (limits.max_length or 0), path


@_FORMS
def test_amounts_have_the_digits_of_the_schema(form: Form):
    decimals = {
        path: (limits.total_digits, limits.fraction_digits)
        for path, _, _, limits in _fields(form)
        if limits.kind == "decimal"
    }
    amounts = {path for path, field, _, _ in _fields(form) if "anyOf" in field}

    assert amounts == set(decimals)
    assert set(decimals.values()) <= {(AMOUNT_TOTAL_DIGITS, AMOUNT_FRACTION_DIGITS)}


@_FORMS
def test_whole_numbers_have_the_range_of_the_schema(form: Form):
    for path, field, _, limits in _fields(form):
        if limits.kind == "int":
            top = 2**31 - 1 if limits.total_digits is None else 10**limits.total_digits - 1
            assert (field["type"], field["maximum"]) == ("integer", top), path


@pytest.mark.parametrize("code", [form.message_type for form in FORMS.values() if form.lines])
def test_a_document_has_as_many_lines_as_the_schema_allows(code: str):
    form = FORMS[code]
    limits = load_codec().limits(code, f"{message_type(code).node}/{form.lines}")

    lines = form.model.model_json_schema()["properties"][form.lines]

    assert (lines["minItems"], lines.get("maxItems")) == (limits.least, limits.most)


def _message(form: Form, node: dict[str, Any]) -> dict[str, Any]:
    known = message_type(form.message_type)
    content: Any = node if known.max_nodes == 1 else [node]
    transfer = {
        "copCode": "1199W60005",
        "copName": "安捷报关（示例）有限公司",
        "dxpMode": "DXP",
        "dxpId": "DXPENT0000000001",
    }
    return {"@guid": "M" * 36, "@version": "1.0", f"{known.node}": content, "BaseTransfer": transfer}


def _schema_faults(form: Form, node: dict[str, Any]) -> list[str]:
    """The faults the schema sees in a message of that node, a missing signature left out."""
    root = load_codec().encode(form.message_type, _message(form, node))
    return [
        f"{fault.code} {fault.path}" for fault in load_codec().check(root) if "Signature" not in fault.path + fault.en
    ]


@_FORMS
def test_every_document_makes_valid_customs_xml(form: Form, nodes: dict[str, Any]):
    node = to_ceb(from_ceb(form.message_type, nodes[form.message_type]))

    assert _schema_faults(form, node) == []


_AMOUNTS = """
+1 1. .5 +.5 -.5 -0 00001 0.00001 0.000010 1.000000 1.000001 1e3 1,0 1_0 ١ . - + 0x1 NaN INF 1..2 1-
1234567890123456789 12345678901234567890 12345678901234.12345 123456789012345.12345 1234567890123456789.0
0000000000000000000000000001 1.00000000000000000000000000
"""


@pytest.mark.parametrize("text", [*_AMOUNTS.split(), " 1 ", "\n1\t", "1 0"])
def test_model_and_schema_agree_on_what_is_an_amount(text: str, nodes: dict[str, Any]):
    form = FORMS["CEB411Message"]
    node = nodes["CEB411Message"]
    node["PaymentHead"]["amountPaid"] = text

    assert _taken(form, node) == (_schema_faults(form, node) == [])


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "+1",
        "-1",
        " 1 ",
        "000000000001",
        "1.0",
        "1.",
        "1e1",
        "999999999",
        "-999999999",
        "1000000000",
        "0",
        "-0",
        "٣",
        "+",
    ],
)
def test_model_and_schema_agree_on_what_is_a_whole_number(text: str, nodes: dict[str, Any]):
    form = FORMS["CEB511Message"]
    node = nodes["CEB511Message"]
    node["LogisticsHead"]["packNo"] = text

    assert _taken(form, node) == (_schema_faults(form, node) == [])


def _taken(form: Form, node: dict[str, Any]) -> bool:
    try:
        from_ceb(form.message_type, node)
    except Refused:
        return False
    return True
