"""The schemas, and what we read from them."""

import re
from pathlib import Path

import pytest
from lxml import etree

from tongguan.messages.catalogue import message_types
from tongguan.messages.shapes import Part, schema_file

FOLDER = schema_file("types").parent


def counted(part: Part) -> int:
    return 1 + len(part.attributes) + sum(map(counted, part.parts.values()))


def test_the_plan_holds_every_element_and_attribute_of_the_schemas(codec):
    parts = [codec.part(each.code) for each in message_types().values()]

    assert sum(map(counted, parts)) > 600


def test_the_plan_knows_the_limits_of_each_kind_of_field(codec):
    def limits(path: str) -> tuple[object, ...]:
        found = codec.limits("CEB621Message", path)
        return found.kind, found.min_length, found.max_length, found.total_digits, found.fraction_digits

    assert limits("Inventory/InventoryHead/guid") == ("string", 36, 36, None, None)
    assert limits("Inventory/InventoryHead/orderNo") == ("string", 1, 60, None, None)
    assert limits("Inventory/InventoryHead/freight") == ("decimal", 0, None, 19, 5)
    assert limits("Inventory/InventoryHead/packNo") == ("int", 0, None, 9, None)
    assert limits("Inventory/InventoryList/itemNo")[2] == 20


def test_the_plan_knows_how_often_an_element_may_stand(codec):
    found = {
        path: codec.limits("CEB621Message", path) for path in ("Inventory", "Inventory/InventoryList", "BaseSubscribe")
    }

    assert {path: (each.least, each.most) for path, each in found.items()} == {
        "Inventory": (1, 100),
        "Inventory/InventoryList": (1, 99),
        "BaseSubscribe": (0, 5),
    }


def test_every_schema_says_where_it_comes_from():
    for file in FOLDER.glob("*.xsd"):
        text = " ".join(etree.parse(file).getroot().itertext())

        assert "202205" in text, file.name


def test_every_named_type_and_group_is_used():
    text = "".join(file.read_text("utf-8") for file in FOLDER.glob("*.xsd"))
    named = re.findall(r'<xs:(?:simpleType|group|attributeGroup) name="(\w+)"', text)

    unused = [name for name in named if not re.search(rf'(?:type|base|ref)="\w+:{name}"', text)]

    assert unused == []


def test_every_message_type_has_its_root_its_nodes_and_its_fields_in_the_schema(codec):
    for each in message_types().values():
        if each.node is None:
            continue
        node = codec.part(each.code, each.node)
        holder = node.named[each.head] if each.head else node

        assert node.limits.most == each.max_nodes, each.code
        assert each.line is None or node.named[each.line].many, each.code
        assert {*each.key, *each.further, *each.declared_by} <= set(holder.named), each.code


def test_the_catalogue_says_of_signatures_what_the_schemas_say(codec):
    for each in message_types().values():
        signature = codec.part(each.code).named.get("Signature")
        said = "none" if signature is None else "required" if signature.limits.required else "optional"

        assert each.signature == said, each.code


def test_a_declaration_is_answered_by_a_receipt_with_its_key():
    declarations = [each for each in message_types().values() if each.role == "declaration"]

    assert len(declarations) == 8
    for each in declarations:
        answer = message_types()[each.answered_by or ""]
        assert answer.role == "receipt"
        assert (answer.key, answer.further) == (each.key, each.further)


def test_our_example_of_every_message_type_is_valid(codec, tree, each_type):
    assert codec.check(tree(each_type)) == []


def test_there_is_an_example_of_every_message_type(sample):
    for code in message_types():
        assert sample(code)


@pytest.mark.parametrize("folder", ["schemas and spaces", "架构 通关"])
def test_the_schemas_load_from_a_folder_of_any_name(tmp_path: Path, folder: str):
    there = tmp_path / folder
    there.mkdir()
    for file in FOLDER.glob("*.xsd"):
        (there / file.name).write_bytes(file.read_bytes())

    schema = etree.XMLSchema(etree.parse(there / "dxp-transport.xsd"))

    assert schema is not None
