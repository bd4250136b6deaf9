"""What a declarant or carrier sends beside a triple: a draft of the inventory, waybill status, cancellation, return."""

from decimal import Decimal

from ...messages.chinatime import china_date, china_seconds
from .enterprises import Market
from .products import record_no
from .triples import CNY, Content, Item, Triple

SIGNED_FOR = "S"
"""The logisticsStatus of a parcel that was handed over and signed for."""


def draft(triple: Triple, guid: str, at_ms: int, cop_no: str, transport: Content | None) -> Content:
    """The inventory (621) as the declarant's own system would write it."""
    order, waybill, market = triple.order, triple.waybill, triple.market
    net = sum((item.product.net_weight * item.qty for item in triple.items), Decimal(0))
    travels = (
        {name: transport[name] for name in ("trafMode", "trafNo", "voyageNo", "country", "ieDate")}
        if transport
        else {"trafMode": "W", "country": CNY}
    )
    return {
        **_head(guid, at_ms),
        **{name: order[name] for name in ("orderNo", "ebpCode", "ebpName", "ebcCode", "ebcName")},
        **{name: waybill[name] for name in ("logisticsNo", "logisticsCode", "logisticsName")},
        "copNo": cop_no,
        "assureCode": market.assure_code,
        **({"emsNo": market.ems_no} if market.ems_no else {}),
        "ieFlag": "I",
        "declTime": china_date(at_ms),
        "customsCode": market.customs_code,
        "portCode": market.port_code,
        **_buyer(order),
        "consigneeAddress": order["consigneeAddress"],
        **_agent(market),
        **({"areaCode": market.agent.code, "areaName": market.agent.name} if market.ems_no else {}),
        "tradeMode": market.mode,
        **travels,
        **({"billNo": waybill["billNo"]} if "billNo" in waybill else {}),
        "freight": waybill["freight"],
        "insuredFee": waybill["insuredFee"],
        "currency": CNY,
        "wrapType": "2",
        "packNo": waybill["packNo"],
        "grossWeight": waybill["weight"],
        "netWeight": format(net, "f"),
        "InventoryList": [
            _line(line, item, market) for line, item in zip(order["OrderList"], triple.items, strict=True)
        ],
    }


def _line(line: Content, item: Item, market: Market) -> Content:
    product = item.product
    second = {"unit2": product.unit2, "qty2": format(Decimal(product.qty2) * item.qty, "f")} if product.unit2 else {}
    return {
        "gnum": line["gnum"],
        **({"itemRecordNo": record_no(product)} if market.ems_no else {}),
        "itemName": product.name,
        "gcode": product.gcode,
        "gname": product.name,
        "gmodel": product.model,
        "barCode": product.bar_code,
        **{name: line[name] for name in ("country", "currency", "qty", "unit", "price", "totalPrice")},
        "unit1": product.unit1,
        "qty1": format(Decimal(product.qty1) * item.qty, "f"),
        **second,
    }


def waybill_status(triple: Triple, guid: str, at_ms: int) -> Content:
    """The carrier's word that the parcel was signed for (513)."""
    return {
        **_head(guid, at_ms),
        **{name: triple.waybill[name] for name in ("logisticsCode", "logisticsName", "logisticsNo")},
        "logisticsStatus": SIGNED_FOR,
        "logisticsTime": china_seconds(at_ms - 600_000),
    }


def cancellation(triple: Triple, guid: str, at_ms: int, cop_no: str, invt_no: str) -> Content:
    """The request to cancel an inventory (623)."""
    return {**_after(triple, guid, at_ms, cop_no, invt_no), "reason": "买家取消订购"}


def refund(triple: Triple, guid: str, at_ms: int, cop_no: str, invt_no: str) -> Content:
    """The request to return released goods (625): the first line, whole."""
    line = triple.order["OrderList"][0]
    returned = {
        "gnum": line["gnum"],
        "gcode": triple.items[0].product.gcode,
        "gname": line["itemName"],
        "qty": line["qty"],
        "unit": line["unit"],
    }
    return {**_after(triple, guid, at_ms, cop_no, invt_no), "reason": "七天无理由退货", "InvtRefundList": [returned]}


def _after(triple: Triple, guid: str, at_ms: int, cop_no: str, invt_no: str) -> Content:
    order, waybill, market = triple.order, triple.waybill, triple.market
    return {
        **_head(guid, at_ms),
        "customsCode": market.customs_code,
        **{name: order[name] for name in ("orderNo", "ebpCode", "ebpName", "ebcCode", "ebcName")},
        **{name: waybill[name] for name in ("logisticsNo", "logisticsCode", "logisticsName")},
        "copNo": cop_no,
        "invtNo": invt_no,
        **_buyer(order),
        **_agent(market),
    }


def _head(guid: str, at_ms: int) -> Content:
    return {"guid": guid, "appType": "1", "appTime": china_seconds(at_ms), "appStatus": "2"}


def _buyer(order: Content) -> Content:
    return {name: order[name] for name in ("buyerIdType", "buyerIdNumber", "buyerName", "buyerTelephone")}


def _agent(market: Market) -> Content:
    return {"agentCode": market.agent.code, "agentName": market.agent.name}
