"""The codec: decode, encode, limits, and what libxml2 says."""

import pytest
from lxml import etree

from tongguan.messages.catalogue import message_types
from tongguan.messages.codec import is_signed, load_codec
from tongguan.messages.xml import canonical, parse, serialise

CEB = "{http://www.chinaport.gov.cn/ceb}"


def unsigned(root):
    for signature in root.findall("{http://www.w3.org/2000/09/xmldsig#}Signature"):
        root.remove(signature)
    return root


def without_layout(root):
    for element in root.iter():
        if len(element):
            element.text = None
        element.tail = None
    return canonical(root)


def test_what_is_decoded_is_encoded_again_to_the_same_message(codec, tree, each_type):
    original = unsigned(tree(each_type))

    content = codec.decode(original)
    encoded = codec.encode(each_type, content)

    assert codec.decode(encoded) == content
    assert without_layout(encoded) == without_layout(original)


def test_the_content_has_official_names_texts_as_sent_and_lists_for_what_may_repeat(codec, tree):
    content = codec.decode(tree("CEB311Message"))

    assert list(content) == ["@guid", "@version", "Order", "BaseTransfer", "BaseSubscribe", "ExtendMessage"]
    assert content["@guid"] == "7A3F0C52-9D41-4E86-B1A7-000000000311"
    assert [order["OrderHead"]["orderNo"] for order in content["Order"]] == ["TG-ORDER-0001", "TG-ORDER-0002"]
    assert content["Order"][0]["OrderList"][1]["totalPrice"] == "100.00"
    assert content["Order"][0]["OrderHead"]["note"] == ""
    assert content["BaseSubscribe"][0]["status"] == "ALL"
    assert content["ExtendMessage"]["Message"].strip() == '<x:note xmlns:x="urn:example" {}>附言</x:note>'.format(
        'xmlns:ceb="http://www.chinaport.gov.cn/ceb"'
    )


def test_text_beside_attributes_and_base64_are_content_too(codec, tree):
    content = codec.decode(tree("DxpMsg"))

    assert content["AddInfo"]["BizKey"]["Key"] == [{"@name": "DealFlag", "#text": "1"}]
    assert content["Data"].startswith("PD94bWwg")


def test_white_space_and_processing_instructions_in_a_value_do_not_change_it(codec, tree):
    root = tree("CEB311Message")
    note = root.find(f".//{CEB}note")
    note.text, instruction = " a\n", etree.ProcessingInstruction("b")
    note.append(instruction)
    instruction.tail = "c "

    content = codec.decode(root)

    assert content["Order"][0]["OrderHead"]["note"] == " a\nc "
    assert codec.check(root) == []


def test_the_signature_is_no_content_and_is_reported(codec, tree):
    assert is_signed(tree("CEB621Message"))
    assert not is_signed(tree("CEB513Message"))
    assert not is_signed(etree.Element("a"))
    assert "Signature" not in codec.decode(tree("CEB621Message"))


def test_an_element_that_the_schema_does_not_know_cannot_be_decoded(codec, tree):
    root = tree("CEB622Message")
    etree.SubElement(root[0], f"{CEB}colour")

    with pytest.raises(KeyError, match="InventoryReturn has no colour"):
        codec.decode(root)


def test_requests_have_the_prefix_ceb_and_receipts_the_default_namespace(codec):
    request = serialise(codec.encode("CEB513Message", {"LogisticsStatus": [{"note": "a"}]}))
    receipt = serialise(codec.encode("CEB514Message", {"LogisticsStatusReturn": [{"guid": "a"}]}))

    assert b'<ceb:CEB513Message xmlns:ceb="http://www.chinaport.gov.cn/ceb"><ceb:LogisticsStatus><ceb:note>' in request
    assert b'<CEB514Message xmlns="http://www.chinaport.gov.cn/ceb"><LogisticsStatusReturn><guid>' in receipt


def test_the_elements_come_in_the_order_of_the_schema_whatever_that_of_the_content(codec, tree):
    content = codec.decode(tree("CEB513Message"))
    turned = dict(reversed(content.items()))
    turned["LogisticsStatus"] = [dict(reversed(each.items())) for each in content["LogisticsStatus"]]

    encoded = codec.encode("CEB513Message", turned)

    assert codec.check(encoded) == []


def test_none_and_absent_are_left_out_and_empty_stays_empty(codec):
    head = {"guid": "a", "appType": None, "note": ""}

    encoded = codec.encode("CEB513Message", {"@guid": None, "LogisticsStatus": [head], "BaseTransfer": None})

    assert [child.tag for child in encoded[0]] == [f"{CEB}guid", f"{CEB}note"]
    assert (len(encoded), len(encoded.attrib)) == (1, 0)


@pytest.mark.parametrize("value", ["a & b", "<c>", "]]>", '"', "\r\n\t", " a ", "𠀀中"])
def test_special_characters_arrive_as_they_were_sent(codec, value):
    content = {"@guid": value, "OrderReturn": [{"guid": value}]}

    received = parse(serialise(codec.encode("CEB312Message", content)))

    assert codec.decode(received) == content


@pytest.mark.parametrize(
    ("message_type", "content", "error", "says"),
    [
        ("CEB999Message", {}, KeyError, "CEB999Message"),
        ("CEB312Message", {"OrderReturns": []}, KeyError, "CEB312Message has no OrderReturns"),
        ("CEB312Message", {"@Guid": "a"}, KeyError, "CEB312Message has no @Guid"),
        ("CEB312Message", {"OrderReturn": {"guid": "a"}}, TypeError, "CEB312Message/OrderReturn is no list"),
        ("CEB312Message", {"OrderReturn": ["a"]}, TypeError, "CEB312Message/OrderReturn is no dict"),
        ("CEB312Message", {"OrderReturn": [{"guid": 1}]}, TypeError, "CEB312Message/OrderReturn/guid is no text"),
        ("CEB312Message", {"OrderReturn": [{"guid": ["a"]}]}, TypeError, "OrderReturn/guid is a list"),
        ("CEB312Message", {"OrderReturn": [{"guid": "a\x00b"}]}, ValueError, "a character that XML does not allow"),
        ("CEB312Message", {"OrderReturn": [{"guid": "a\ud800b"}]}, ValueError, "a character that XML does not allow"),
        ("CEB311Message", {"ExtendMessage": {"Message": "</Message><b/>"}}, ValueError, "no well-formed XML"),
        ("CEB311Message", {"ExtendMessage": {"Message": "<!-- "}}, ValueError, "no well-formed XML"),
    ],
)
def test_content_that_is_no_message_is_an_error_that_names_the_place(codec, message_type, content, error, says):
    with pytest.raises(error, match=says):
        codec.encode(message_type, content)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("@guid", ("string", 36, 36, None, None, True, False)),
        ("@version", ("string", 1, 10, None, None, True, False)),
        ("Order", ("block", 0, None, None, None, True, True)),
        ("Order/OrderHead/orderNo", ("string", 1, 60, None, None, True, False)),
        ("Order/OrderHead/consigneeDistrict", ("string", 6, 6, None, None, False, False)),
        ("Order/OrderHead/payCode", ("string", 0, 18, None, None, False, False)),
        ("Order/OrderHead/acturalPaid", ("decimal", 0, None, 19, 5, True, False)),
        ("Order/OrderList/gnum", ("int", 0, None, None, None, True, False)),
        ("BaseSubscribe/status", ("string", 0, 100, None, None, True, False)),
        ("ExtendMessage/Message", ("xml", 0, None, None, None, True, False)),
    ],
)
def test_the_limits_of_a_field_are_those_of_the_schema(codec, path, expected):
    limits = codec.limits("CEB311Message", path)

    assert expected == (
        limits.kind,
        limits.min_length,
        limits.max_length,
        limits.total_digits,
        limits.fraction_digits,
        limits.required,
        limits.many,
    )


def test_the_limits_know_pieces_and_the_fixed_currency(codec):
    assert codec.limits("CEB621Message", "Inventory/InventoryHead/packNo").total_digits == 9
    assert codec.limits("CEB621Message", "Inventory/InventoryHead/currency").fixed == "142"
    assert codec.limits("CEB621Message", "Inventory/InventoryList").most == 99
    assert codec.limits("CEB816Message", "Tax").most is None


def test_there_are_no_limits_where_there_is_no_field(codec):
    with pytest.raises(KeyError):
        codec.limits("CEB311Message", "Order/orderNo")


def test_the_codec_is_read_once():
    assert load_codec() is load_codec()


def test_checking_twice_says_the_same_although_libxml2_remembers_ids(codec, tree):
    root = tree("DxpMsgSv")
    root.set("Id", "a1")
    root[1].set("Id", "a2")

    assert codec.check(root) == []
    assert codec.check(root) == []


def test_a_message_inside_another_element_is_checked_alone(codec, tree):
    inner = tree("DxpMsgSv")[1]

    assert codec.check(inner) == []
    assert codec.decode(inner)["TransInfo"]["MsgType"] == "CEB312Message"


def test_every_message_type_can_be_decoded_and_encoded(codec):
    for code in message_types():
        assert codec.decode(codec.encode(code, {})) == {}
