"""The tolerant reader."""

import base64

import pytest

from tongguan.messages.faults import Refused
from tongguan.messages.reading import NODES_MAX, NOTICES_MAX, Envelope, read
from tongguan.messages.xml import XmlLimits, parse

RETURN = """<InventoryReturn><guid>7a3f0c52-9d41-4e86-b1a7-000000000061</guid><copNo>TGCOP0000000001</copNo>
<preNo>B20240315000000001</preNo><returnStatus>800</returnStatus><returnTime>20240315104600654</returnTime>
<returnInfo>[Code:2600;Desc:放行]</returnInfo></InventoryReturn>"""


def message(inside, attributes='xmlns="http://www.chinaport.gov.cn/ceb" guid="a" version="1.0"', code="CEB622Message"):
    return f"<{code} {attributes}>{inside}</{code}>".encode()


def noticed(reading):
    return [(each.code, each.path) for each in reading.tolerated]


def refusal(data, limits=None):
    with pytest.raises(Refused) as refused:
        read(data, limits or XmlLimits())
    return [(fault.code, fault.path) for fault in refused.value.faults]


def test_a_valid_message_is_read_as_the_codec_decodes_it_and_nothing_is_tolerated(codec, sample, each_type):
    if each_type in ("DxpMsg", "DxpMsgSv"):
        expected = codec.decode(parse(sample("CEB312Message")))
    else:
        expected = codec.decode(parse(sample(each_type)))

    reading = read(sample(each_type))

    if each_type == "CEB311Message":
        expected["ExtendMessage"]["Message"] = reading.content["ExtendMessage"]["Message"]
    assert reading.content == expected
    assert reading.tolerated == ()


def test_a_reading_knows_type_guid_signature_and_its_nodes_with_their_lines(sample):
    reading = read(sample("CEB621Message"))

    assert reading.message_type == "CEB621Message"
    assert reading.guid == "7A3F0C52-9D41-4E86-B1A7-000000000621"
    assert reading.signed
    assert reading.envelope is None
    assert [(node.path, node.line) for node in reading.nodes] == [
        ("/CEB621Message/Inventory[1]", 3),
        ("/CEB621Message/Inventory[2]", 98),
    ]
    assert reading.nodes[1].content["InventoryHead"]["copNo"] == "TGCOP0000000002"


@pytest.mark.parametrize("code", ["DxpMsg", "DxpMsgSv"])
def test_an_envelope_is_opened_and_its_head_is_kept(sample, code):
    reading = read(sample(code))

    assert reading.message_type == "CEB312Message"
    assert reading.envelope == Envelope(
        cop_msg_id="7A3F0C52-9D41-4E86-B1A7-000000000312",
        sender_id="DXPEDCCEB0000002",
        receiver_ids=("DXPENT0000000001",),
        creat_time="2024-03-15T10:15:31",
        msg_type="CEB312Message",
    )


def test_a_response_of_the_exchange_platform_is_read_without_an_envelope(sample):
    reading = read(sample("DxpRep"))

    assert (reading.message_type, reading.guid) == ("DxpRep", None)
    assert reading.nodes[0].content["OriHead"]["ReceiverIds"]["ReceiverId"] == ["DXPEDCCEB0000009"]


@pytest.mark.parametrize("declared", ["gb2312", "GBK", "gb18030"])
def test_a_gb_encoding_is_read_and_noticed(declared):
    data = f'<?xml version="1.0" encoding="{declared}"?>'.encode() + message(RETURN).decode().encode("gbk")

    reading = read(data)

    assert reading.nodes[0].content["returnInfo"] == "[Code:2600;Desc:放行]"
    assert noticed(reading) == [("reading-encoding", "")]


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"", b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>\n"])
def test_a_byte_order_mark_is_no_matter(start):
    assert read(start + message(RETURN)).tolerated == ()


def test_white_space_before_the_declaration_is_noticed():
    reading = read(b'\n <?xml version="1.0"?>' + message(RETURN))

    assert noticed(reading) == [("reading-leading", "")]


@pytest.mark.parametrize(
    "attributes",
    ['guid="a" version="1.0"', 'xmlns="http://www.chinaport.gov.cn/dxp" guid="a" version="1.0"'],
)
def test_a_lost_or_wrong_namespace_is_noticed_once(attributes):
    reading = read(message(RETURN, attributes))

    assert reading.nodes[0].content["copNo"] == "TGCOP0000000001"
    assert noticed(reading) == [("reading-namespace", "/CEB622Message")]


def test_any_prefix_and_an_old_version_are_no_matter():
    data = b'<q:CEB622Message xmlns:q="http://www.chinaport.gov.cn/ceb" guid="a" version="v1.0">'
    data += b"<q:InventoryReturn><q:copNo>1</q:copNo></q:InventoryReturn></q:CEB622Message>"

    reading = read(data)

    assert (reading.content["@version"], reading.tolerated) == ("v1.0", ())


def test_white_space_around_values_is_removed_and_noticed():
    reading = read(message("<InventoryReturn><copNo>\n 1\u3000</copNo></InventoryReturn>"))

    assert reading.nodes[0].content == {"copNo": "1"}
    assert noticed(reading) == [("reading-space", "/CEB622Message/InventoryReturn[1]/copNo")]


def test_comments_are_passed_over_and_stray_text_is_noticed():
    reading = read(message("x<!-- a --><InventoryReturn><copNo>1<!-- b -->2</copNo></InventoryReturn>"))

    assert reading.nodes[0].content == {"copNo": "12"}
    assert noticed(reading) == [("reading-text", "/CEB622Message")]


def test_unknown_elements_and_attributes_are_named_and_not_read():
    inside = '<InventoryReturn colour="x"><copNo>1<deep/></copNo><shade>2</shade></InventoryReturn><more/>'

    reading = read(message(inside))

    assert reading.content["InventoryReturn"] == [{"copNo": "1"}]
    assert noticed(reading) == [
        ("reading-unknown", "/CEB622Message/InventoryReturn[1]/@colour"),
        ("reading-unknown", "/CEB622Message/InventoryReturn[1]/copNo/deep"),
        ("reading-unknown", "/CEB622Message/InventoryReturn[1]/shade"),
        ("reading-unknown", "/CEB622Message/more"),
    ]


def test_the_known_extras_of_a_tax_bill_are_read_and_noticed(sample):
    extras = b"</customsCode><orderNo>TG-ORDER-0001</orderNo><logisticsNo>TGW000000001</logisticsNo>"
    data = sample("CEB816Message").replace(b"</customsCode>", extras)

    reading = read(data)

    assert reading.nodes[0].content["TaxHeadRd"]["orderNo"] == "TG-ORDER-0001"
    assert [each.code for each in reading.tolerated] == ["reading-extra", "reading-extra"]


def test_the_2018_place_of_base_transfer_is_read_and_noticed(sample):
    data = sample("CEB513Message").decode()
    start, end = data.index("  <ceb:BaseTransfer>"), data.index("</ceb:CEB513Message>")
    first = data.index("  <ceb:LogisticsStatus>")
    data = data[:first] + data[start:end] + data[first:start] + data[end:]

    reading = read(data.encode())

    assert reading.content["BaseTransfer"]["copCode"] == "3300000CAR"
    assert len(reading.nodes) == 2
    assert noticed(reading) == [("reading-order", "/CEB513Message/LogisticsStatus[1]")]


def test_repeated_returns_are_all_read():
    reading = read(message(RETURN * 5))

    assert [node.path for node in reading.nodes] == [f"/CEB622Message/InventoryReturn[{n}]" for n in range(1, 6)]
    assert reading.tolerated == ()


def test_more_returns_than_allowed_are_all_read_and_noticed_once():
    reading = read(message(RETURN * 103))

    assert len(reading.nodes) == 103
    assert noticed(reading) == [("reading-many", "/CEB622Message/InventoryReturn")]


def test_the_number_of_documents_has_an_end():
    path = f"/CEB622Message/InventoryReturn[{NODES_MAX + 1}]"

    assert refusal(message("<InventoryReturn/>" * (NODES_MAX + 1))) == [("reading-nodes", path)]


def test_a_value_given_twice_is_read_once_when_it_is_the_same():
    reading = read(message("<InventoryReturn><copNo>1</copNo><copNo>1</copNo></InventoryReturn>"))

    assert noticed(reading) == [("reading-repeated", "/CEB622Message/InventoryReturn[1]/copNo")]


def test_two_different_values_of_one_field_are_refused():
    data = message("<InventoryReturn><copNo>1</copNo><copNo>2</copNo></InventoryReturn>")

    assert refusal(data) == [("schema-many", "/CEB622Message/InventoryReturn[1]/copNo")]


def test_a_format_receipt_without_its_wrapper_is_read_and_noticed():
    data = message("<guid>b</guid><returnStatus>-1</returnStatus>", code="CEB900Message")

    reading = read(data)

    assert reading.content["MessageReturn"] == {"guid": "b", "returnStatus": "-1"}
    assert [(node.path, node.content["guid"]) for node in reading.nodes] == [("/CEB900Message/MessageReturn", "b")]
    assert noticed(reading) == [("reading-wrapper", "/CEB900Message/MessageReturn")]


def test_documents_without_their_wrapper_are_told_apart_by_their_heads():
    order = "<OrderHead><orderNo>{}</orderNo></OrderHead><OrderList/><OrderList/>"
    data = message(order.format(1) + order.format(2) + "<BaseTransfer/>", code="CEB311Message")

    reading = read(data)

    assert [node.content["OrderHead"]["orderNo"] for node in reading.nodes] == ["1", "2"]
    assert [len(node.content["OrderList"]) for node in reading.nodes] == [2, 2]
    assert noticed(reading) == [("reading-wrapper", "/CEB311Message/Order[1]")]


def test_a_stray_field_beside_a_real_document_makes_no_second_one():
    reading = read(message(RETURN + "<copNo>2</copNo>"))

    assert len(reading.nodes) == 1
    assert noticed(reading) == [("reading-unknown", "/CEB622Message/copNo")]


def test_a_signature_in_another_namespace_is_seen(sample):
    data = sample("CEB621Message").replace(b"http://www.w3.org/2000/09/xmldsig#", b"urn:x")

    reading = read(data)

    assert reading.signed
    assert noticed(reading) == [("reading-namespace", "/CEB621Message/Signature")]


def test_the_number_of_notices_has_an_end():
    reading = read(message(RETURN + "".join(f"<a{n}/>" for n in range(500))))

    assert len(reading.tolerated) == NOTICES_MAX + 1
    assert noticed(reading)[-1] == ("reading-more", "")


def envelope(data, msg_type="CEB622Message"):
    inside = base64.b64encode(data).decode() if isinstance(data, bytes) else data
    return (
        '<DxpMsg xmlns="http://www.chinaport.gov.cn/dxp" ver="1.0">'
        f"<TransInfo><MsgType>{msg_type}</MsgType></TransInfo><Data>{inside}</Data></DxpMsg>"
    ).encode()


def test_an_envelope_that_names_another_message_is_noticed():
    reading = read(envelope(message(RETURN), "CEB312Message"))

    assert reading.message_type == "CEB622Message"
    assert noticed(reading) == [("reading-type", "")]


def test_an_envelope_without_a_type_is_no_matter():
    assert read(envelope(message(RETURN), "")).tolerated == ()


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"no xml", ("xml-syntax", "")),
        (b"<html/>", ("schema-root", "")),
        (b"<!DOCTYPE a><a/>", ("xml-dtd", "")),
        (message(""), ("reading-empty", "/CEB622Message")),
        (message("<other/>"), ("reading-empty", "/CEB622Message")),
        (envelope(""), ("envelope-empty", "/DxpMsg/Data")),
        (envelope(" \n"), ("envelope-empty", "/DxpMsg/Data")),
        (b"<DxpMsg/>", ("envelope-empty", "/DxpMsg/Data")),
        (envelope("YQ"), ("envelope-data", "/DxpMsg/Data")),
        (envelope("中文"), ("envelope-data", "/DxpMsg/Data")),
        (envelope(b"<html/>"), ("schema-root", "")),
        (envelope(b"\xff\xfe<\x00"), ("xml-nul", "")),
        (envelope(envelope(message(RETURN))), ("envelope-nested", "/DxpMsg")),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_code(data, fault):
    assert refusal(data) == [fault]


def test_what_an_envelope_carries_has_the_same_limits():
    data = envelope(b"<a>" + b" " * 3000 + b"</a>")

    assert refusal(data, XmlLimits(bytes_max=len(data) - 1)) == [("xml-large", "")]
    assert refusal(envelope(b"<a>" * 100)) == [("xml-syntax", "")]
