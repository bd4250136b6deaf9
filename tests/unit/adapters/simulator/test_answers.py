"""The answers themselves: ladders, texts, numbers, tax bills, and what happens to an inventory afterwards."""

import re
from decimal import Decimal

import pytest

from tongguan.adapters.simulator.admission import RETURN_DAYS
from tongguan.messages.chinatime import DAY_MS
from tongguan.messages.validation import validate
from tongguan.messages.xml import parse

INVT_NO = "29162026I000000001"


@pytest.mark.parametrize(
    ("short", "answers"),
    [
        ("311", ["2", "3"]),
        ("411", ["2", "3"]),
        ("511", ["2", "3"]),
        ("513", ["2", "3", "120"]),
        ("621", ["2", "3", "120", "800", "899"]),
        ("623", ["2", "3", "120", "399"]),
        ("625", ["2", "3", "120", "399"]),
        ("711", ["2", "3", "120", "399"]),
    ],
)
def test_each_kind_of_document_climbs_its_ladder(port, doc, short, answers):
    port = port(for_=short)

    port.declare(short, doc(short))

    assert port.answers(short) == answers
    assert all(validate(file.data) == [] for file in port.files)


def test_the_texts_are_those_of_real_receipts(port, doc):
    port = port(for_="621")

    port.declare("621", doc("621"))
    port.collect()

    texts = [each.content["returnInfo"] for file in port.files for each in file.answers if "returnInfo" in each.content]
    assert "订单新增申报成功[7A3F0C52-9D41-4E86-B1A7-000000000311]" in texts
    assert "清单新增申报成功[电商企业编码：3300000MER订单编号：TG-ORDER-0001]" in texts
    assert {"发送海关成功", "[Code:1800;Desc:逻辑校验通过]", "[Code:2600;Desc:放行]"} <= set(texts)


def test_a_granted_cancellation_says_so_with_the_code_of_customs(port, doc):
    port = port(for_="623")

    port.declare("623", doc("623"))

    assert port.receipts("623")[-1].info == "[Code:2300;Desc:审核通过]"


@pytest.mark.parametrize(("short", "letter"), [("621", "B"), ("623", "C"), ("625", "T"), ("711", "R")])
def test_e_port_numbers_documents_by_letter_date_and_series(port, doc, short, letter):
    port = port(for_=short)

    port.declare(short, doc(short))

    receipts = port.receipts(short)
    assert {each.pre_no for each in receipts} == {receipts[0].pre_no}
    assert re.fullmatch(rf"{letter}20260301\d{{9}}", receipts[0].pre_no or "")


def test_customs_gives_its_number_with_the_first_answer_of_its_own(port, doc):
    port = port(for_="621")

    port.declare("621", doc("621"))

    assert [each.invt_no for each in port.receipts("621")] == [None, None, INVT_NO, INVT_NO, INVT_NO]


def test_an_entry_list_gets_a_number_of_customs(port, doc):
    port = port()

    port.declare("711", doc("711"))

    assert [each.rkd_no for each in port.receipts("711")] == [None, None] + ["29162026R000000001"] * 2


def test_a_number_of_another_length_is_not_repeated(port, doc):
    port = port()

    port.declare("623", doc("623", invtNo="2916"))

    [receipt] = port.receipts("623")
    assert (receipt.status, receipt.invt_no) == ("-623003", None)
    assert receipt.info == "系统中不存在清单编号为[2916]的清单！"


def test_the_guid_of_e_port_is_its_own_and_customs_may_repeat_the_senders(port, doc):
    port = port(assume_documents=True)
    nodes = [doc("621", copNo=f"TG-{n}", orderNo=f"TG-{n}", logisticsNo=f"TG-{n}") for n in range(20)]

    port.declare("621", *nodes)

    receipts = port.receipts("621")
    sent = nodes[0]["InventoryHead"]["guid"]
    assert sent not in {each.guid for each in receipts if len(each.status) == 1}
    assert 0 < sum(each.guid == sent for each in receipts if each.status == "800") < 20


def test_the_tax_bill_comes_with_the_release_and_is_summarised_later(port, doc):
    port = port(for_="621")

    port.declare("621", doc("621"))

    notices = [each for each in port.collect() if each.message_type in ("CEB816Message", "CEB818Message")]
    assert [(each.message_type, each.status, each.tax_no) for each in notices] == [
        ("CEB816Message", "1", f"{INVT_NO}_0"),
        ("CEB818Message", "2", f"{INVT_NO}_0"),
    ]


def tax_of(port):
    [bill] = [file for file in port.files if file.message_type == "CEB816Message"]
    root = parse(bill.data)
    prices = [each.text for each in root.iterfind(".//{*}taxPrice")]
    total, *lines = [Decimal(each.text or "") for each in root.iterfind(".//{*}valueAddedTax")]
    assert total == sum(lines)
    return prices, total


@pytest.mark.parametrize(
    ("lines", "price", "tax"),
    [
        # a real tax bill has 37.31 on 410.0
        (1, "410", "37.31"),
        (2, "100", "18.20"),
        (2, "0", "9.10"),
    ],
)
def test_value_added_tax_is_due_at_seventy_per_cent(port, doc, lines, price, tax):
    port = port(assume_documents=True)

    port.declare("621", doc("621", lines=lines, line={"price": price, "totalPrice": price}, freight="0"))
    port.collect()

    assert tax_of(port)[1] == Decimal(tax)


def test_a_single_item_above_the_limit_is_taxed_in_full(port, doc):
    port = port(assume_documents=True)

    port.declare("621", doc("621", lines=1, line={"price": "6000", "totalPrice": "6000"}, freight="0"))
    port.collect()

    assert tax_of(port)[1] == Decimal("780.00")


def test_a_free_inventory_has_a_tax_bill_of_nothing(port, doc):
    port = port(assume_documents=True)

    port.declare("621", doc("621", lines=1, line={"price": "0", "totalPrice": "0"}, freight="0"))
    port.collect()

    assert tax_of(port) == (["0"], Decimal(0))


def test_freight_is_shared_out_by_value_and_nothing_of_it_is_lost(port, doc):
    port = port(assume_documents=True)

    port.declare("621", doc("621", line={"price": "200", "totalPrice": "200"}, freight="10", insuredFee="0.01"))
    port.collect()

    assert tax_of(port)[0] == ["206.67", "103.34"]


def test_the_rate_of_the_tax_can_be_set(port, doc):
    port = port(assume_documents=True, vat_rate=Decimal("0.09"))

    port.declare("621", doc("621", lines=1, freight="0"))
    port.collect()

    assert tax_of(port)[1] == Decimal("6.30")


def test_a_cancellation_stops_an_inventory_that_is_not_released(port, doc):
    port = port(for_="623")

    port.declare("623", doc("623"))

    assert port.answers("623")[-1] == "399"
    assert [each.status for each in port.collect(100 * 3_600_000)] == []


def test_a_cancelled_order_can_be_declared_anew(port, doc):
    port = port(for_="623")
    port.declare("623", doc("623"))
    port.collect()

    port.declare("621", doc("621", copNo="TGCOP0000000002"))

    assert port.answers("621") == ["2", "3", "120", "800", "899"]


def test_a_cancelled_purchase_gives_its_amount_back(port, doc):
    dear = {"price": "20000", "totalPrice": "20000"}
    port = port([{"message": "621", "copNo": "TGCOP0000000001", "answers": ["120"]}], assume_documents=True)
    port.declare("621", doc("621", lines=1, line=dear))
    port.collect()
    port.declare("623", doc("623"))
    port.collect()

    port.declare("621", doc("621", lines=1, line=dear, copNo="TGCOP0000000002"))

    assert port.answers("621")[-1] == "899"


@pytest.mark.parametrize("rule", [[], [{"message": "621", "answers": ["2", "3", "120", "100"]}]])
def test_an_inventory_that_is_released_or_refused_cannot_be_cancelled(port, doc, rule):
    port = port(rule, for_="625")

    port.declare("623", doc("623"))

    [receipt] = port.receipts("623")
    assert (receipt.status, receipt.info) == ("-623005", f"清单的状态不符合撤单申报要求(清单编号[{INVT_NO}])！")


def test_an_inventory_is_cancelled_once(port, doc):
    port = port(for_="623")
    port.declare("623", doc("623"))

    port.declare("623", doc("623", copNo="TGCAN0000000002"))

    assert port.answers("623") == ["2", "3", "120", "399", "-623009"]


def test_a_refused_cancellation_may_be_followed_by_another(port, doc):
    port = port([{"message": "623", "copNo": "TGCAN0000000001", "answers": ["2", "3", "100"]}], for_="623")
    port.declare("623", doc("623"))
    port.collect(1000)

    port.declare("623", doc("623", copNo="TGCAN0000000002"))

    assert port.answers("623") == ["2", "3", "120", "399"]


def test_a_refused_cancellation_lets_the_inventory_go_on(port, doc):
    port = port([{"message": "623", "answers": ["2", "3", "100"]}], for_="623")

    port.declare("623", doc("623"))

    assert [each.status for each in port.collect(100 * 3_600_000) if each.message_type == "CEB622Message"] == ["800"]


def test_what_was_not_released_cannot_be_sent_back(port, doc):
    port = port(for_="623")

    port.declare("625", doc("625"))

    assert [(each.status, each.info) for each in port.receipts("625")] == [
        ("-625004", "退货申请单申报失败，[清单尚未放行或已撤销、已退货]")
    ]


def test_goods_can_be_sent_back_for_some_days_after_their_release(port, doc):
    in_time, late = port(for_="625"), port(for_="625")
    in_time.now_ms += (RETURN_DAYS - 1) * DAY_MS
    late.now_ms += RETURN_DAYS * DAY_MS

    in_time.declare("625", doc("625"))
    late.declare("625", doc("625"))

    assert in_time.answers("625")[-1] == "399"
    assert late.answers("625") == ["-625004"]


@pytest.mark.parametrize(
    ("line", "code"),
    [({"gnum": "9"}, "-625209"), ({"gcode": "1901101001"}, "-625209"), ({"qty": "1.1"}, "-625004")],
)
def test_only_the_goods_of_the_inventory_can_be_sent_back(port, doc, line, code):
    port = port(for_="625")

    port.declare("625", doc("625", line=line))

    assert port.answers("625") == [code]


def test_goods_are_sent_back_once(port, doc):
    port = port(for_="625")
    port.declare("625", doc("625", lines=1))

    port.declare("625", doc("625", copNo="TGRET0000000002"))

    assert port.answers("625") == ["2", "3", "120", "399", "-625004"]


def test_a_return_of_an_unknown_inventory_is_refused(port, doc):
    port = port()

    port.declare("625", doc("625"))

    assert port.answers("625") == ["-625032"]


LATE_SUMMARY = {"message": "818", "answers": [{"status": "2", "after_ms": 100 * DAY_MS}]}


def test_a_full_return_before_the_summary_voids_the_tax_bill(port, doc):
    port = port([LATE_SUMMARY], for_="625")

    port.declare("625", doc("625"))

    assert [each.status for each in port.collect(200 * DAY_MS) if each.message_type == "CEB818Message"] == ["3"]


def test_a_partial_return_leaves_the_tax_bill(port, doc):
    port = port([LATE_SUMMARY], for_="625")

    port.declare("625", doc("625", lines=1))

    assert [each.status for each in port.collect(200 * DAY_MS) if each.message_type == "CEB818Message"] == ["2"]


def test_what_is_sent_back_can_be_bought_again(port, doc):
    port = port(assume_documents=True)
    numbers = {"orderNo": "TG-2", "copNo": "TG-2", "logisticsNo": "TG-2"}
    dear = {"price": "20000", "totalPrice": "20000"}
    port.declare("621", doc("621", lines=1, line=dear))
    port.collect()

    port.declare("621", doc("621", lines=1, line=dear, **numbers))
    too_much = port.answers("621")
    port.declare("625", doc("625", lines=1))
    port.collect()
    port.declare("621", doc("621", lines=1, line=dear, **numbers))

    assert too_much == ["-621018"]
    assert port.answers("621")[-1] == "899"


def test_a_part_that_is_sent_back_counts_no_more(port, doc):
    port = port(assume_documents=True)
    numbers = {"orderNo": "TG-2", "copNo": "TG-2", "logisticsNo": "TG-2"}
    dear = {"price": "4000", "totalPrice": "4000"}
    port.declare("621", doc("621", line=dear))
    port.collect()
    port.declare("625", doc("625", lines=1))
    port.collect()

    port.declare("621", doc("621", lines=1, line={"price": "25880", "totalPrice": "25880"}, **numbers))

    assert port.answers("621")[-1] == "899"
