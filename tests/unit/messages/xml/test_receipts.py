"""Receipts taken from readings."""

from decimal import Decimal
from typing import Any

import pytest

from tongguan.messages.chinatime import parse_china_time
from tongguan.messages.reading import read
from tongguan.messages.receipts import NAMED_MAX, ExchangeReceipt, FormatReceipt, Receipt, TaxNotice, receipts_of

GUID = "7A3F0C52-9D41-4E86-B1A7-000000000001"


def receipts(data: bytes) -> Any:
    return receipts_of(read(data))


def order_return(info, time="20240315101530123"):
    return (
        '<CEB312Message xmlns="http://www.chinaport.gov.cn/ceb" guid="a" version="1.0"><OrderReturn>'
        f"<guid>b</guid><ebpCode>p</ebpCode><ebcCode>m</ebcCode><orderNo>o</orderNo><returnStatus>2</returnStatus>"
        f"<returnTime>{time}</returnTime><returnInfo>{info}</returnInfo></OrderReturn></CEB312Message>"
    ).encode()


def test_a_receipt_has_key_status_time_and_the_guid_it_names(sample):
    first, second = receipts(sample("CEB312Message"))

    assert first == Receipt(
        message_type="CEB312Message",
        index=0,
        doubled=False,
        key=("3300000PLT", "3300000MER", "TG-ORDER-0001"),
        status="2",
        guid="7a3f0c52-9d41-4e86-b1a7-000000000031",
        info=f"订单新增申报成功[{GUID}]",
        return_time="20240315101530123",
        return_ms=parse_china_time("20240315101530123"),
        named_guid=GUID,
        customs_code=None,
        pre_no=None,
        invt_no=None,
        rkd_no=None,
    )
    assert (second.index, second.status, second.named_guid) == (1, "-301010", None)


def test_the_returns_of_an_inventory_carry_customs_code_and_numbers_and_doubles_are_marked(sample):
    found = receipts(sample("CEB622Message"))

    assert [(each.status, each.customs_code, each.doubled) for each in found] == [
        ("2", None, False),
        ("800", "2600", False),
        ("800", "2600", True),
        ("100", "1332", False),
    ]
    assert {each.key for each in found} == {("TGCOP0000000001",), ("TGCOP0000000002",)}
    assert [(each.pre_no, each.invt_no) for each in found[:2]] == [
        ("B20240315000000001", None),
        ("B20240315000000001", "29002024I000000001"),
    ]


def test_a_receipt_of_an_entry_list_has_its_own_number(sample):
    [found] = receipts(sample("CEB712Message"))

    assert (found.key, found.rkd_no) == (("TGCOP0000000009",), "RKD000000000000001")


@pytest.mark.parametrize(
    "code", ["CEB412Message", "CEB512Message", "CEB514Message", "CEB624Message", "CEB626Message", "CEB712Message"]
)
def test_every_business_receipt_has_a_whole_key(sample, code):
    for each in receipts(sample(code)):
        assert isinstance(each, Receipt)
        assert all(each.key)
        assert each.return_ms is not None


@pytest.mark.parametrize(
    ("info", "named", "code"),
    [
        (f"订单新增申报成功[{GUID}]", GUID, None),
        (f"ok [{GUID.lower()}] [Code:22001;Desc:x]", GUID.lower(), "22001"),
        ("[7A3F0C52-9D41-4E86-B1A7-0000000000]", None, None),
        ("清单新增申报成功[电商企业编码：3300000MER订单编号：1]", None, None),
        ("[Code:1332;Desc:a][Code:1327;Desc:b]", None, "1332"),
        ("[ code：1800 ；Desc:a]", None, "1800"),
        ("[Code:x;Desc:a]", None, None),
        ("Code:1800", None, None),
        ("", None, None),
    ],
)
def test_the_guid_and_the_code_inside_a_text_are_found(info, named, code):
    [found] = receipts(order_return(info))

    assert (found.named_guid, found.customs_code) == (named, code)


def test_a_named_guid_need_not_be_a_uuid():
    text = "CEB621_EXAMPLE_20240315101500_000001"
    assert len(text) == 36

    [found] = receipts(order_return(f"ok[{text}]"))

    assert found.named_guid == text


@pytest.mark.parametrize(
    ("time", "expected"),
    [("20240315101530123", 123), ("20240315101530", 0), ("20241315101530123", None), ("soon", None), ("", None)],
)
def test_a_time_that_is_none_is_kept_as_text_only(time, expected):
    [found] = receipts(order_return("a", time))

    assert found.return_time == time
    assert (found.return_ms is None) == (expected is None)
    assert expected is None or found.return_ms % 1000 == expected


def test_a_tax_bill_has_its_amounts_and_what_real_ones_add(sample):
    extras = b"</customsCode><orderNo>TG-ORDER-0001</orderNo><logisticsNo>TGW000000001</logisticsNo>"

    [found] = receipts(sample("CEB816Message").replace(b"</customsCode>", extras))

    assert isinstance(found, TaxNotice)
    assert found.key == (found.invt_no, found.tax_no) == ("29002024I000000001", "29002024I000000001_0")
    assert (found.customs_tax, found.value_added_tax, found.consumption_tax) == (
        Decimal(0),
        Decimal("18.2"),
        Decimal(0),
    )
    assert (found.status, found.ent_duty_no) == ("1", None)
    assert (found.order_no, found.logistics_no) == ("TG-ORDER-0001", "TGW000000001")


def test_a_tax_status_has_no_amounts(sample):
    [found] = receipts(sample("CEB818Message"))

    assert (found.status, found.ent_duty_no, found.customs_tax) == ("2", "290020240000000001", None)


@pytest.mark.parametrize("amount", ["", "1e3", "NaN", "Infinity", "1,5", "9" * 20, "一"])
def test_an_amount_that_is_no_number_is_none(sample, amount):
    data = sample("CEB816Message").replace(b">18.2<", f">{amount}<".encode())

    [found] = receipts(data)

    assert found.value_added_tax is None


def test_a_format_receipt_names_the_envelope_and_what_it_finds_in_the_message(sample):
    [found] = receipts(sample("CEB900Message"))

    assert isinstance(found, FormatReceipt)
    assert found.key == (found.ori_cop_msg_id,) == ("7A3F0C52-9D41-4E86-B1A7-000000000311",)
    assert (found.ori_message_type, found.status) == ("CEB311Message", "-1")
    assert found.guids == ("7A3F0C52-9D41-4E86-B1A7-000000000311", GUID)
    assert found.cop_nos == ()


def test_a_broken_message_inside_a_format_receipt_still_gives_its_guids_and_numbers():
    broken = (
        f"<x:CEB621Message  guid = '{GUID}' <Inventory><guid>{GUID[:-1]}2</guid><copNo> A-1 </copNo><copNo>A-1</cop"
    )
    many = "".join(f"<copNo>{n}</copNo>" for n in range(500))
    data = (
        '<CEB900Message xmlns="http://www.chinaport.gov.cn/ceb"><MessageReturn><oriBizMessage>'
        f"<![CDATA[{broken}{many}]]></oriBizMessage></MessageReturn></CEB900Message>"
    )

    [found] = receipts(data.encode())

    assert found.guids == (GUID, f"{GUID[:-1]}2")
    assert found.cop_nos[:2] == ("A-1", "0")
    assert len(found.cop_nos) == NAMED_MAX


def test_a_response_of_the_exchange_platform_has_one_record_for_each_envelope(sample):
    [found] = receipts(sample("DxpRep"))

    assert isinstance(found, ExchangeReceipt)
    assert found.key == (found.cop_msg_id,) == ("7A3F0C52-9D41-4E86-B1A7-000000000311",)
    assert (found.status, found.ori_message_type) == ("2001", "CEB311Message")
    assert found.results == (("DXPEDCCEB0000009", "2001", ""),)
    assert found.return_ms == parse_china_time("20240315")


def test_a_declaration_holds_no_receipts(sample):
    assert receipts(sample("CEB311Message")) == []


def test_a_return_without_anything_is_still_a_receipt():
    [found] = receipts(b"<CEB622Message><InventoryReturn/></CEB622Message>")

    assert (found.key, found.status, found.return_ms) == (("",), "", None)
