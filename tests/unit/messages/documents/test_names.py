"""The table of names: complete, and right about what is personal."""

import csv
from pathlib import Path

import pytest

import tongguan.messages
from tongguan.messages.catalogue import message_types
from tongguan.messages.codec import load_codec
from tongguan.messages.documents import KINDS
from tongguan.messages.names import name_of
from tongguan.messages.shapes import Part


def _rows() -> list[dict[str, str]]:
    table = Path(str(tongguan.messages.__file__)).with_name("tables") / "names.csv"
    return list(csv.DictReader(table.read_text("utf-8").splitlines()))


def _elements(part: Part, within: str = "") -> set[tuple[str, str]]:
    found = {(part.name, within)}
    for inner in part.parts.values():
        found |= _elements(inner, part.name)
    return found


def test_no_element_is_named_twice_in_one_place():
    places = [(row["within"], row["element"]) for row in _rows()]

    assert len(places) == len(set(places))


def test_every_row_is_complete():
    assert all(
        row["zh"] and row["en"] and row["personal"] in {"", "name", "number", "address", "text"} for row in _rows()
    )


def test_what_has_a_name_of_its_own_somewhere_has_one_everywhere():
    anywhere = {row["element"] for row in _rows() if not row["within"]}

    assert {row["element"] for row in _rows() if row["within"]} - anywhere == {"name", "Message"}


@pytest.mark.parametrize("code", message_types())
def test_every_element_of_a_message_has_a_name(code: str):
    elements = {
        (name, within) for name, within in _elements(load_codec().part(code)) if "Signature" not in (name, within)
    }

    assert [name for name, within in sorted(elements) if not name_of(name, within).zh] == []
    assert [name for name, within in sorted(elements) if name_of(name, within).zh == name] == []


def test_every_kind_of_document_has_a_name():
    assert all(name_of(kind).zh != kind for kind in KINDS)


def test_a_name_depends_on_where_the_element_stands():
    assert name_of("country").en == name_of("country", "OrderList").en == "country of origin"
    assert name_of("country", "InventoryHead").en == name_of("country", "Transport").en == "country of departure"


def test_an_element_without_a_name_is_called_as_it_is():
    assert (name_of("somethingNew").zh, name_of("somethingNew").en) == ("somethingNew", "somethingNew")


@pytest.mark.parametrize(
    ("element", "kind"),
    [
        ("buyerName", "name"),
        ("payerName", "name"),
        ("consignee", "name"),
        ("buyerIdNumber", "number"),
        ("payerIdNumber", "number"),
        ("buyerTelephone", "number"),
        ("telephone", "number"),
        ("consigneeTelephone", "number"),
        ("consigneeAddress", "address"),
        ("orderNo", ""),
        ("ebpName", ""),
    ],
)
def test_what_is_personal_says_how_it_is_masked(element: str, kind: str):
    assert name_of(element).personal == kind
