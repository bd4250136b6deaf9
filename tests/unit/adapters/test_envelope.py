"""The DxpMsg around a message."""

from base64 import b64decode

import pytest
from lxml import etree

from tongguan.adapters.envelope import wrap
from tongguan.messages.chinatime import parse_china_time
from tongguan.messages.codec import load_codec
from tongguan.messages.xml import parse

DXP = "{http://www.chinaport.gov.cn/dxp}"
INNER = '<?xml version="1.0" encoding="UTF-8"?>\n<M>橄榄油</M>'.encode()


def wrapped(**changes):
    arguments = {
        "cop_msg_id": "7B5A6C1E-0000-4000-8000-000000000001",
        "sender": "DXPENT0000099001",
        "receivers": ["DXPEDCCEB0000002"],
        "created_ms": parse_china_time("20260301000509"),
        "message_type": "CEB311Message",
    }
    return wrap(INNER, **{**arguments, **changes})


@pytest.mark.parametrize("changes", [{}, {"file_name": "CEB311_1.xml"}, {"receivers": ["DXPEDCCEB0000002"] * 5}])
def test_an_envelope_is_valid_by_the_terminal_schema(changes):
    root = parse(wrapped(**changes))

    assert load_codec().check(root) == []


def test_the_message_comes_out_byte_for_byte():
    root = etree.fromstring(wrapped())

    assert b64decode(root.findtext(f"{DXP}Data") or "") == INNER


def test_the_header_says_who_sends_what_to_whom_and_when_in_china_time():
    info = etree.fromstring(wrapped()).find(f"{DXP}TransInfo")

    assert info is not None
    assert [(etree.QName(each).localname, (each.text or each[0].text)) for each in info] == [
        ("CopMsgId", "7B5A6C1E-0000-4000-8000-000000000001"),
        ("SenderId", "DXPENT0000099001"),
        ("ReceiverIds", "DXPEDCCEB0000002"),
        ("CreatTime", "2026-03-01T00:05:09"),
        ("MsgType", "CEB311Message"),
    ]


def test_the_file_name_is_told_where_there_is_one():
    assert etree.fromstring(wrapped(file_name="a.xml")).findtext(f"{DXP}AddInfo/{DXP}FileName") == "a.xml"
    assert etree.fromstring(wrapped()).find(f"{DXP}AddInfo") is None


def test_the_same_arguments_give_the_same_bytes():
    assert wrapped() == wrapped()
