"""Documents in customs XML: there and back."""

from typing import Any

import pytest

from tongguan.messages.contract import examples
from tongguan.messages.documents import BUS_KINDS, FORMS, Order, form_of, from_ceb, to_ceb
from tongguan.messages.faults import Refused


@pytest.mark.parametrize("message_type", FORMS)
def test_a_node_comes_back_as_it_was(nodes: dict[str, Any], message_type: str):
    document = from_ceb(message_type, nodes[message_type])

    assert to_ceb(document) == nodes[message_type]
    assert form_of(document).message_type == message_type


def test_what_a_party_adds_for_the_gateway_stays_out_of_customs_xml(order: dict[str, Any], nodes: dict[str, Any]):
    document = Order.model_validate(order)

    assert document.logistics_no == "SD0000000001"
    assert to_ceb(document) == nodes["CEB311Message"]


def test_app_status_is_always_explicit(order: dict[str, Any]):
    del order["appStatus"]

    assert to_ceb(Order.model_validate(order))["OrderHead"]["appStatus"] == "2"


@pytest.mark.parametrize("kind", ["transport", "goods"])
def test_a_kind_that_customs_does_not_know_has_no_node(kind: str):
    document = BUS_KINDS[kind].model_validate(examples()[kind])

    with pytest.raises(KeyError):
        to_ceb(document)


def test_empty_elements_are_no_values(nodes: dict[str, Any]):
    node = nodes["CEB621Message"]
    node["InventoryHead"] |= {"preNo": "", "invtNo": "", "licenseNo": " "}

    document = from_ceb("CEB621Message", node)

    assert "preNo" not in to_ceb(document)["InventoryHead"]


def test_a_faulty_node_is_refused_with_element_paths(nodes: dict[str, Any]):
    node = nodes["CEB311Message"]
    node["OrderHead"]["orderNo"] = "x" * 61
    node["OrderList"].append(node["OrderList"][0] | {"qty": "two"})

    with pytest.raises(Refused) as caught:
        from_ceb("CEB311Message", node, "/CEB311Message/Order[2]", 17)

    assert [(fault.code, fault.path, fault.line) for fault in caught.value.faults] == [
        ("document-long", "/CEB311Message/Order[2]/OrderHead/orderNo", 17),
        ("document-number", "/CEB311Message/Order[2]/OrderList[2]/qty", 17),
    ]


def test_a_faulty_node_without_a_head_is_refused_with_element_paths(nodes: dict[str, Any]):
    del nodes["CEB623Message"]["reason"]

    with pytest.raises(Refused) as caught:
        from_ceb("CEB623Message", nodes["CEB623Message"], "/CEB623Message/InvtCancel[1]")

    assert [fault.path for fault in caught.value.faults] == ["/CEB623Message/InvtCancel[1]/reason"]


def test_an_element_beside_head_and_lines_is_not_passed_over(nodes: dict[str, Any]):
    node = nodes["CEB411Message"] | {"PaymentTail": "x"}

    with pytest.raises(Refused) as caught:
        from_ceb("CEB411Message", node)

    assert [fault.code for fault in caught.value.faults] == ["document-unknown-field"]


def test_a_message_type_without_documents_is_no_document():
    with pytest.raises(KeyError):
        from_ceb("CEB312Message", {})
