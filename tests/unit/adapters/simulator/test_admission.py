"""What e-port makes of a document, held against what it holds already."""

import pytest

from tongguan.messages.chinatime import DAY_MS

LATER, EARLIER = "20260301100001", "20260301095959"

DUPLICATE = {
    "311": "-301010",
    "411": "-401007",
    "511": "-504015",
    "513": "-505012",
    "621": "-621004",
    "623": "-623009",
    "625": "-625033",
    "711": "-800003",
}
STALE = DUPLICATE | {"311": "-301014", "411": "-401012", "513": "-505016", "711": "-800005"}
UNKNOWN = {
    "311": "-301009",
    "411": "-401006",
    "511": "-504014",
    "513": "-505014",
    "621": "-621011",
    "623": "-623001",
    "625": "-625032",
    "711": "-800001",
}
NO_SUCH_OPERATION = UNKNOWN | {"311": "-301012", "411": "-401010", "621": "-621001", "625": "-625001"}
CHANGEABLE = {"311": "订单变更", "411": "支付单变更", "511": "运单变更", "513": "运单状态变更", "711": "入库明细单变更"}
LOCKED = {"311": "-301011", "411": "-401008", "511": "-504016", "621": "-621012"}
NUMBERED = {
    "311": {"orderNo": "TG-ORDER-0002"},
    "411": {"payTransactionId": "TG-PAY-0002"},
    "511": {"logisticsNo": "TGW000000002"},
}


@pytest.mark.parametrize("short", DUPLICATE)
def test_a_document_is_taken_once_and_the_same_again_is_a_duplicate(port, doc, short):
    port = port(for_=short)

    port.declare(short, doc(short))
    first = port.answers(short)
    port.declare(short, doc(short))

    assert first[:2] == ["2", "3"]
    assert port.answers(short)[-1:] == [DUPLICATE[short]]


@pytest.mark.parametrize("short", STALE)
def test_a_document_older_than_the_one_held_is_refused(port, doc, short):
    port = port(for_=short)

    port.declare(short, doc(short))
    port.collect()
    port.declare(short, doc(short, appTime=EARLIER))

    assert port.answers(short)[-1:] == [STALE[short]]


@pytest.mark.parametrize("short", UNKNOWN)
def test_a_change_of_what_is_not_there_is_refused(port, doc, short):
    port = port(for_=short)

    port.declare(short, doc(short, appType="2"))

    assert port.answers(short)[-1:] == [UNKNOWN[short]]


@pytest.mark.parametrize("short", NO_SUCH_OPERATION)
def test_an_operation_that_does_not_exist_is_refused(port, doc, short):
    port = port(for_=short)

    port.declare(short, doc(short, appType="9"))

    assert port.answers(short)[-1:] == [NO_SUCH_OPERATION[short]]


@pytest.mark.parametrize("short", ["311", "411", "511", "513"])
def test_a_later_change_is_taken_and_the_same_change_again_is_a_duplicate(port, doc, short):
    port = port()
    port.declare(short, doc(short))
    port.collect()

    port.declare(short, doc(short, appType="2", appTime=LATER))
    changed = port.receipts(short)
    port.declare(short, doc(short, appType="2", appTime=LATER))

    assert changed[0].info.startswith(CHANGEABLE[short])
    assert port.answers(short) == [DUPLICATE[short]]


@pytest.mark.parametrize("short", LOCKED)
def test_a_document_cannot_change_once_its_inventory_is_accepted(port, doc, short):
    port = port(for_="623")

    port.declare(short, doc(short, appType="2", appTime=LATER))

    assert port.answers(short)[-1:] == [LOCKED[short]]


def test_an_inventory_on_its_way_to_customs_can_still_change(port, doc):
    port = port(
        [{"message": "621", "times": 1, "answers": ["2", "3", {"status": "800", "after_ms": 3_600_000}]}], for_="621"
    )
    port.declare("621", doc("621"))
    first = [each for each in port.collect(1000) if each.message_type == "CEB622Message"]

    port.declare("621", doc("621", appType="2", appTime=LATER))

    changed = port.receipts("621")
    assert [each.status for each in first] == ["2", "3"]
    assert [each.status for each in changed] == ["2", "3", "120", "800", "899"]
    assert {each.pre_no for each in changed} == {first[0].pre_no}


@pytest.mark.parametrize("short", NUMBERED)
def test_a_deleted_document_can_be_declared_again(port, doc, short):
    port = port()
    port.declare(short, doc(short))
    port.collect()

    port.declare(short, doc(short, appType="3", appTime=LATER))
    deleted = port.receipts(short)
    port.declare(short, doc(short, appTime="20260301110000"))

    assert "删除申报成功" in deleted[0].info
    assert port.answers(short) == ["2", "3"]


def test_a_deleted_document_is_not_there_to_be_deleted_again(port, doc):
    port = port()
    port.declare("311", doc("311"))
    port.declare("311", doc("311", appType="3", appTime=LATER))
    port.collect()

    port.declare("311", doc("311", appType="3", appTime="20260301100002"))

    assert port.answers("311") == ["-301009"]


def test_a_stored_document_is_no_declared_one(port, doc):
    port = port()

    port.declare("621", doc("621", appStatus="1"))
    port.declare("311", doc("311", appStatus="1"))
    stored = port.collect()
    port.declare("311", doc("311"))

    assert [(each.message_type, each.status, each.info) for each in stored] == [
        ("CEB622Message", "1", "电子口岸已暂存")
    ]
    assert port.answers("311") == ["2", "3"]


def test_storing_a_document_does_not_take_the_place_of_a_declared_one(port, doc):
    port = port(for_="621")

    port.declare("311", doc("311", appStatus="1"))
    refused = port.answers("311")
    port.declare("621", doc("621"))

    assert refused == ["-301010"]
    assert port.answers("621")[-1] == "899"


def test_a_waybill_number_may_be_used_again_after_six_months(port, doc):
    port = port(for_="625")
    again = doc("511", appTime="20260904100000", orderNo="TG-ORDER-0002")

    port.now_ms += 170 * DAY_MS
    port.declare("511", again)
    early = port.answers("511")
    port.now_ms += 20 * DAY_MS
    port.declare("511", again)

    assert early == ["-504015"]
    assert port.answers("511") == ["2", "3"]


@pytest.mark.parametrize(("short", "code"), [("311", "-301002"), ("621", "-621027"), ("625", "-625001")])
def test_lines_with_one_serial_number_are_refused(port, doc, short, code):
    port = port(for_=short)

    port.declare(short, doc(short, line={"gnum": "2"}))

    assert port.answers(short)[-1:] == [code]


def test_the_lines_of_an_entry_list_have_their_own_serial_numbers(port, doc):
    port = port()
    node = doc("711")
    node["DeliveryList"] *= 2

    port.declare("711", node)

    assert [(each.status, each.info) for each in port.receipts("711")] == [("-800001", "校验不通过，[表体gnum重复]")]


def test_orders_of_two_platforms_may_have_one_number(port, doc):
    port = port()

    port.declare("311", doc("311"), doc("311", ebpCode="3300000PL2"))

    assert port.answers("311") == ["2", "2", "3", "3"]


def test_a_document_known_to_one_e_port_is_known_to_all(port, doc, eport):
    port = port(eports=[eport("one"), eport("two")])

    port.declare("311", doc("311"), eport="one")
    port.collect()
    port.declare("311", doc("311"), eport="two")

    assert port.answers("311") == ["-301010"]
    assert port.files[-1].eport == "two"
