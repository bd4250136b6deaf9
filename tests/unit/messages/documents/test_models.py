"""Documents: what they are about, when two say the same, and what a missing value is."""

import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from tongguan.messages.contract import examples
from tongguan.messages.documents import BUS_KINDS, KINDS, GoodsRecord, Order, OrderKey
from tongguan.messages.documents.ceb import from_ceb
from tongguan.messages.documents.parsing import parse_json

_SECRET = b"k" * 32


def test_every_example_of_the_contract_is_a_document():
    kinds = {kind: model.model_validate(examples()[kind]).kind for kind, model in BUS_KINDS.items()}

    assert kinds == {kind: kind for kind in ("order", "payment", "waybill", "transport", "goods")}


def test_the_key_of_a_document_is_made_of_its_official_values():
    keys = {kind: model.model_validate(examples()[kind]).key for kind, model in BUS_KINDS.items()}

    assert keys == {
        "order": ("3301969T01", "YX202403080001"),
        "payment": ("3301969T02", "FB20240308000001"),
        "waybill": ("3301989T03", "SD0000000001"),
        "transport": ("3301989T03", "99900000001"),
        "goods": ("3301969T01", "MILK-3-800"),
    }


def test_the_key_of_a_rider_is_made_of_its_official_values(nodes: dict[str, Any]):
    keys = {each.kind: each.key for each in (from_ceb(message_type, node) for message_type, node in nodes.items())}

    assert keys["inventory"] == ("1199W60001", "HX202403080001")
    assert keys["waybill-status"] == ("1199W60004", "JD0000000001")
    assert keys["cancellation"] == ("99992024I000000001",)
    assert keys["return"] == ("99992024I000000001", "1199W600040000000004")
    assert keys["entry-list"] == ("1199W60006", "99900000001", "1199W600060000000005")


def test_identity_is_kind_and_typed_key(order: dict[str, Any]):
    document = Order.model_validate(order)

    assert document.identity == ("order", OrderKey(ebp_code="3301969T01", order_no="YX202403080001"))


def test_a_return_without_a_number_of_its_own_is_known_by_its_inventory_alone(nodes: dict[str, Any]):
    del nodes["CEB625Message"]["InvtRefundHead"]["copNo"]

    assert from_ceb("CEB625Message", nodes["CEB625Message"]).key == ("99992024I000000001", "")


def test_how_a_document_was_submitted_is_no_part_of_what_it_says(order: dict[str, Any]):
    again = order | {"guid": "X" * 36, "appType": "2", "appTime": "20250101000000", "appStatus": "1", "contract": None}

    assert Order.model_validate(again).content_digest(_SECRET) == Order.model_validate(order).content_digest(_SECRET)


@pytest.mark.parametrize(("freight", "equal"), [("10", True), ("10.0", True), ("+10.00000", True), ("10.01", False)])
def test_equal_numbers_say_the_same_however_they_are_written(order: dict[str, Any], freight: str, equal: bool):
    other = Order.model_validate(order | {"freight": freight})

    assert (other.content_digest(_SECRET) == Order.model_validate(order).content_digest(_SECRET)) is equal


@pytest.mark.parametrize("discount", ["0", "0.00", "-0", "-0.0"])
def test_zero_says_the_same_however_it_is_written(order: dict[str, Any], discount: str):
    other = Order.model_validate(order | {"discount": discount})

    assert other.content_digest(_SECRET) == Order.model_validate(order).content_digest(_SECRET)


def test_another_value_in_a_line_is_another_content(order: dict[str, Any]):
    other = order | {"OrderList": [order["OrderList"][0] | {"qty": "3"}]}

    assert Order.model_validate(other).content_digest(_SECRET) != Order.model_validate(order).content_digest(_SECRET)


def test_a_digest_needs_its_secret_and_stays_the_same_across_releases(order: dict[str, Any]):
    document = Order.model_validate(order)

    assert document.content_digest(_SECRET) != document.content_digest(b"other")
    assert document.content_digest(_SECRET).hex() == "4e50cdb8e735b3bfe8a2feed7c96de48bfe5b7d9ff68fcc1ca01ad782fb91fee"


def test_a_pushed_document_and_the_same_one_in_customs_xml_say_the_same(order: dict[str, Any], nodes: dict[str, Any]):
    for name in ("tradeMode", "logisticsCode", "logisticsName", "logisticsNo"):
        del order[name]

    pushed, in_xml = Order.model_validate(order), from_ceb("CEB311Message", nodes["CEB311Message"])

    assert pushed.content_digest(_SECRET) == in_xml.content_digest(_SECRET)


@pytest.mark.parametrize("blank", [None, "", "  ", "\u3000"])
def test_missing_null_and_blank_mean_that_there_is_no_value(order: dict[str, Any], blank: str | None):
    document = Order.model_validate(order | {"note": blank, "consigneeDistrict": blank})

    assert document == Order.model_validate(order)
    assert document.note is None


def test_a_blank_field_that_is_required_is_missing(order: dict[str, Any]):
    with pytest.raises(ValidationError) as caught:
        Order.model_validate(order | {"orderNo": " "})

    assert [(error["type"], error["loc"]) for error in caught.value.errors()] == [("missing", ("orderNo",))]


def test_app_status_is_declared_unless_it_says_otherwise(order: dict[str, Any]):
    del order["appStatus"]

    assert Order.model_validate(order).app_status == "2"


def test_only_official_names_are_read(order: dict[str, Any]):
    order["order_no"] = order.pop("orderNo")

    with pytest.raises(ValidationError) as caught:
        Order.model_validate(order)

    assert {error["type"] for error in caught.value.errors()} == {"missing", "extra_forbidden"}


@pytest.mark.parametrize("name", ["order_no", "lines"])
def test_a_document_cannot_be_changed(order: dict[str, Any], name: str):
    document = Order.model_validate(order)

    with pytest.raises(ValidationError):
        setattr(document, name, getattr(document, name))


def test_the_lines_of_a_document_cannot_be_changed(order: dict[str, Any]):
    (line,) = lines = Order.model_validate(order).lines
    name = "qty"

    with pytest.raises(ValidationError):
        setattr(line, name, Decimal(1))
    assert isinstance(lines, tuple)


def test_a_document_survives_its_own_json(order: dict[str, Any]):
    document = Order.model_validate(order)

    (parsed,) = parse_json("order", document.model_dump_json(by_alias=True).encode())

    assert parsed.document == document
    assert b'"freight":"10.00"' in document.model_dump_json(by_alias=True).encode()


@pytest.mark.parametrize("left_out", [{"unit2": "007"}, {"qty2": "1"}])
def test_a_second_unit_and_its_quantity_come_together(goods: dict[str, Any], left_out: dict[str, str]):
    with pytest.raises(ValidationError) as caught:
        GoodsRecord.model_validate(goods | left_out)

    assert caught.value.errors()[0]["type"] == "document-pair"


def test_a_validation_error_prints_nothing_that_was_sent(order: dict[str, Any]):
    with pytest.raises(ValidationError) as caught:
        Order.model_validate(order | {"buyerName": "李\x00小宝", "buyerIdNumber": 990101199003070015})

    assert "小宝" not in str(caught.value)
    assert "990101" not in str(caught.value)


def test_the_representation_of_a_document_shows_its_key_and_nothing_personal(order: dict[str, Any]):
    (parsed,) = parse_json("order", json.dumps(order).encode())

    assert repr(parsed.document) == "Order(key=('3301969T01', 'YX202403080001'))"
    assert "李" not in repr(parsed)
    assert "u674e" not in repr(parsed)


def test_every_kind_is_listed_under_its_own_name():
    assert all(model.kind == kind for kind, model in KINDS.items())
    assert len(KINDS) == 10
