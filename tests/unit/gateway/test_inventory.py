"""The inventory a case would declare: where each field comes from, and what is missing."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongguan.gateway.inventory import Composition, Sources, compose, goods_from_draft, goods_from_record
from tongguan.messages.codec import load_codec


@pytest.fixture
def sources(triples: Any) -> Any:
    """Sources of a clean case with changed documents: ``sources("1210", order={...}, draft={})``."""

    def make(mode: str = "9610", **changes: Any) -> Sources:
        def made(kind: str) -> Any:
            return triples.document(kind, 1, mode, **(changes.get(kind) or {}))

        order, record = made("order"), made("goods")
        goods = {line.gnum: goods_from_record(line, record, "itemNo") for line in order.lines}
        draft = made("draft") if "draft" in changes else None
        if draft:
            goods = {line.gnum: goods_from_draft(line) for line in draft.lines}
        eport = triples.eports()[0 if mode == "9610" else 1]
        return Sources(
            order,
            made("waybill"),
            {} if changes.get("goods", {}) is None else goods,
            changes.get("defaults") or eport.inventory[0],
            None if changes.get("transport", {}) is None or mode == "1210" else made("transport"),
            draft,
        )

    return make


def _head(made: Composition) -> Any:
    return made.content["InventoryHead"]


def _line(made: Composition) -> Any:
    return made.content["InventoryList"][0]


def test_a_direct_purchase_is_composed_from_order_waybill_transport_goods_and_defaults(sources: Any) -> None:
    made = compose(sources())

    assert made.missing == ()
    assert _head(made) == {
        "orderNo": "GX0000000001",
        "ebpCode": "3301969T01",
        "ebpName": "示例优选（杭州）电子商务有限公司",
        "ebcCode": "3301969T01",
        "ebcName": "示例优选（杭州）电子商务有限公司",
        "logisticsNo": "SD0000000001",
        "logisticsCode": "3301989T03",
        "logisticsName": "示例速达（杭州）国际物流有限公司",
        "assureCode": "3301989T04",
        "ieFlag": "I",
        "customsCode": "2916",
        "portCode": "2910",
        "ieDate": "20240310",
        "buyerIdType": "1",
        "buyerIdNumber": "990101198802140011",
        "buyerName": "章春苗",
        "buyerTelephone": "13900000021",
        "consigneeAddress": "澜沙省星汉市河洲县听涛路 12 号",
        "agentCode": "3301989T04",
        "agentName": "示例关易（杭州）报关有限公司",
        "tradeMode": "9610",
        "trafMode": "5",
        "trafNo": "示例航班 0880",
        "voyageNo": "0880",
        "billNo": "99900000001",
        "country": "601",
        "freight": "10.00",
        "insuredFee": "0",
        "currency": "142",
        "wrapType": "2",
        "packNo": "1",
        "grossWeight": "1.9",
        "netWeight": "1.6",
    }
    assert _line(made) == {
        "gnum": "1",
        "itemNo": "MILK-3-800",
        "itemName": "婴幼儿配方奶粉 3 段",
        "country": "601",
        "currency": "142",
        "qty": "2",
        "unit": "122",
        "price": "158.00",
        "totalPrice": "316.00",
        "itemRecordNo": "R000001",
        "gcode": "1901101000",
        "gname": "婴幼儿配方奶粉",
        "gmodel": "品牌：示例；3 段；800 克/罐",
        "barCode": "2000000000015",
        "qty1": "1.6",
        "unit1": "035",
    }


def test_a_bonded_import_takes_account_book_zone_and_departure_from_the_e_port(sources: Any) -> None:
    made = compose(sources("1210"))

    head = _head(made)
    assert made.missing == ()
    assert {name: head.get(name) for name in ("tradeMode", "emsNo", "areaCode", "areaName", "trafMode", "country")} == {
        "tradeMode": "1210",
        "emsNo": "T4612W000018",
        "areaCode": "4101W69T12",
        "areaName": "示例保仓（郑州）供应链管理有限公司",
        "trafMode": "W",
        "country": "142",
    }
    assert not {"trafNo", "voyageNo", "billNo"} & head.keys()


def test_the_draft_supplies_what_it_states_and_the_order_keeps_what_is_its_own(sources: Any) -> None:
    made = compose(sources(draft={"buyerName": "他人", "invtNo": "29162024I000000009", "loctNo": "H2901"}))

    head, line = _head(made), _line(made)
    assert {name: head.get(name) for name in ("trafMode", "trafNo", "voyageNo", "ieDate", "insuredFee", "loctNo")} == {
        "trafMode": "4",
        "trafNo": "示例卡车 07",
        "voyageNo": "0907",
        "ieDate": "20240311",
        "insuredFee": "1.50",
        "loctNo": "H2901",
    }
    assert (head["buyerName"], line["price"]) == ("章春苗", "158.00")
    assert (line["gcode"], line["gname"], line["qty1"]) == ("1901101010", "婴幼儿配方奶粉（草稿）", "1.6")
    assert not {"guid", "appType", "appTime", "appStatus", "declTime", "preNo", "invtNo"} & head.keys()


@pytest.mark.parametrize(
    ("mode", "changes", "missing"),
    [
        ("9610", {"transport": None}, ["trafMode", "country", "trafNo", "voyageNo"]),
        (
            "9610",
            {"transport": None, "waybill": {"billNo": None}},
            ["trafMode", "country", "trafNo", "voyageNo", "billNo"],
        ),
        ("9610", {"goods": None}, ["netWeight"]),
        ("1210", {"goods": {"itemRecordNo": None}}, ["InventoryList[1]/itemRecordNo"]),
        ("9610", {"goods": {"itemRecordNo": None}}, []),
        ("9610", {"waybill": {"insuredFee": None}}, []),
        ("9610", {"waybill": {"freight": None}}, []),
    ],
)
def test_a_field_without_a_source_is_named(sources: Any, mode: str, changes: Any, missing: list[str]) -> None:
    assert list(compose(sources(mode, **changes)).missing) == missing


def test_a_missing_insurance_is_zero_and_a_missing_freight_the_order_s(sources: Any) -> None:
    made = compose(sources(waybill={"insuredFee": None, "freight": None}, order={"freight": "7.50"}))

    assert (_head(made)["insuredFee"], _head(made)["freight"]) == ("0", "7.50")


def test_the_waybill_s_freight_counts_even_when_it_is_zero(sources: Any) -> None:
    assert _head(compose(sources(waybill={"freight": "0"})))["freight"] == "0"


@pytest.mark.parametrize(
    ("line", "record", "expected"),
    [
        ("111", "222", "111"),
        (None, "222", "222"),
        (None, None, "无"),
    ],
)
def test_a_line_s_bar_code_is_the_order_s_else_the_record_s_else_the_word_for_none(
    triples: Any, sources: Any, line: str | None, record: str | None, expected: str
) -> None:
    lines = triples.content("order")["OrderList"]
    lines[0] = {name: value for name, value in lines[0].items() if name != "barCode"} | (
        {"barCode": line} if line else {}
    )

    made = compose(sources(order={"OrderList": lines}, goods={"barCode": record}))

    assert _line(made)["barCode"] == expected


@pytest.mark.parametrize(("length", "stands"), [(20, True), (21, False), (30, False)])
def test_an_item_number_too_long_for_the_inventory_stays_out_of_it(
    triples: Any, sources: Any, length: int, stands: bool
) -> None:
    lines = triples.content("order")["OrderList"]
    lines[0]["itemNo"] = "N" * length

    made = compose(sources(order={"OrderList": lines}))

    assert _line(made).get("itemNo") == ("N" * length if stands else None)
    assert made.missing == ()


@pytest.mark.parametrize(
    ("qty", "qty1", "expected"),
    [
        ("2", "0.8", "1.6"),
        ("3", "0.33333", "0.99999"),
        ("1.5", "0.33333", "0.5"),
        ("0.00001", "0.5", "0.00001"),
        ("0.00001", "0.49999", "0"),
        ("100", "10", "1000"),
        ("7", "1000000", "7000000"),
    ],
)
def test_statutory_quantities_are_the_record_s_times_the_sold_quantity_rounded_half_up_to_five_places(
    triples: Any, sources: Any, qty: str, qty1: str, expected: str
) -> None:
    lines = triples.content("order")["OrderList"]
    lines[0]["qty"] = qty

    made = compose(sources(order={"OrderList": lines}, goods={"qty1": qty1, "unit2": "011", "qty2": qty1}))

    assert (_line(made)["qty1"], _line(made)["qty2"], _line(made)["unit2"]) == (expected, expected, "011")


def test_the_net_weight_is_the_sum_over_the_lines(triples: Any, sources: Any) -> None:
    lines = triples.content("order")["OrderList"]
    lines += [lines[0] | {"gnum": 2, "qty": "3"}]

    assert compose(sources(order={"OrderList": lines})).net_weight == Decimal("4.0")


def test_what_the_limits_count_is_goods_freight_and_insurance(sources: Any) -> None:
    made = compose(sources(waybill={"freight": "12.34", "insuredFee": "0.66"}, order={"taxTotal": "99"}))

    assert made.dutiable == Decimal("329.00")


@pytest.mark.parametrize("mode", ["9610", "1210"])
def test_a_complete_composition_is_valid_for_customs(sources: Any, mode: str) -> None:
    content = compose(sources(mode)).content
    head = dict(content["InventoryHead"]) | {
        "guid": "0A000000-0000-4000-8000-000000000001",
        "appType": "1",
        "appTime": "20240309100000",
        "appStatus": "2",
        "copNo": "TG000000000000000001",
        "declTime": "20240309",
    }
    root = load_codec().encode(
        "CEB621Message",
        {
            "@guid": "0A000000-0000-4000-8000-000000000009",
            "@version": "1.0",
            "Inventory": [{"InventoryHead": head, "InventoryList": content["InventoryList"]}],
            "BaseTransfer": {"copCode": "3301989T04", "copName": "示例", "dxpMode": "DXP", "dxpId": "DXPENT0000099001"},
        },
    )

    assert {fault.code for fault in load_codec().check(root)} <= {"schema-signature", "schema-missing"}
    assert all("Signature" in fault.path or "ignature" in fault.en for fault in load_codec().check(root))


@given(qty=st.decimals(0, 10**14 - 1, places=5), qty1=st.decimals(0, 10**14 - 1, places=5))
def test_no_quantity_that_documents_may_state_breaks_the_composition(triples: Any, qty: Decimal, qty1: Decimal) -> None:
    lines = triples.content("order")["OrderList"]
    lines[0]["qty"] = f"{qty:f}"
    order = triples.document("order", OrderList=lines)

    goods = goods_from_record(
        order.lines[0], triples.document("goods", qty1=f"{qty1:f}", netWeight=f"{qty1:f}"), "itemNo"
    )

    assert goods.qty1 >= 0
