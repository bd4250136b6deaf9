"""The inventory (清单, 621) a case would declare: each field from its document, the draft or the e-port's defaults.

A field that comes from nowhere is missing and makes the case wait; nothing is guessed. Two official rules fill a field
without a source: a missing insurance is 0 (CEB511 insuredFee: 0 if none) and a missing bar code is the word 无
(CEB621 barCode).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from ..config.eports import BondedInventory, DirectInventory
from ..messages.documents.companions import GoodsRecord, Transport
from ..messages.documents.fields import wire_number
from ..messages.documents.riders import Inventory, InventoryLine
from ..messages.documents.triple import Order, OrderLine, Waybill

DIRECT = "9610"
"""Trade mode of direct purchase; every other import mode is bonded."""
ITEM_NO_MAX = 20
"""itemNo has 30 characters in the order but 20 in the inventory, where it is optional (XSD202205): a longer one stays
out of the inventory, because a cut number would name another item."""
_FIVE_PLACES = Decimal("0.00001")
_WIDE = Context(prec=100)
"""Room for the product of any two numbers a document may state."""

_REQUIRED = (
    "orderNo", "ebpCode", "ebpName", "ebcCode", "ebcName", "logisticsNo", "logisticsCode", "logisticsName",
    "assureCode", "ieFlag", "customsCode", "portCode", "buyerIdType", "buyerIdNumber", "buyerName", "buyerTelephone",
    "consigneeAddress", "agentCode", "agentName", "tradeMode", "trafMode", "country", "freight", "insuredFee",
    "currency", "packNo", "grossWeight", "netWeight",
)  # fmt: skip
_REQUIRED_DIRECT = ("trafNo", "voyageNo", "billNo")
_REQUIRED_BONDED = ("emsNo", "areaCode", "areaName")


@dataclass(frozen=True, slots=True)
class LineGoods:
    """What is known about the goods of one order line, quantities for the whole line.

    ``basis`` says what stood in: ``draft`` (the declarant's own line), ``itemNo`` or ``barCode`` (a goods record).
    """

    basis: str
    gcode: str
    gname: str
    gmodel: str
    country: str | None
    unit: str
    unit1: str
    qty1: Decimal
    unit2: str | None = None
    qty2: Decimal | None = None
    net_weight: Decimal | None = None
    trade_country: str | None = None
    bar_code: str | None = None
    item_record_no: str | None = None


@dataclass(frozen=True, slots=True)
class Composition:
    """The inventory so far: content by official names (numbers as wire text) and the official names still missing."""

    content: Mapping[str, Any]
    missing: tuple[str, ...]
    dutiable: Decimal
    """Goods, freight and insurance: what the limits are held against (财关税[2016]18)."""
    net_weight: Decimal | None = None
    gross_weight: Decimal | None = None


def goods_from_record(line: OrderLine, record: GoodsRecord, basis: str) -> LineGoods:
    """The goods of a line from the merchant's record, whose quantities and weights are per sales unit."""
    return LineGoods(
        basis,
        gcode=record.gcode,
        gname=record.gname,
        gmodel=record.gmodel or line.gmodel,
        country=record.country,
        unit=record.unit,
        unit1=record.unit1,
        qty1=_times(line.qty, record.qty1),
        unit2=record.unit2,
        qty2=None if record.qty2 is None else _times(line.qty, record.qty2),
        net_weight=_times(line.qty, record.net_weight),
        trade_country=record.trade_country,
        bar_code=record.bar_code,
        item_record_no=record.item_record_no,
    )


def goods_from_draft(line: InventoryLine) -> LineGoods:
    """The goods of a line as the declarant drafted them."""
    return LineGoods(
        "draft",
        gcode=line.gcode,
        gname=line.gname,
        gmodel=line.gmodel,
        country=line.country,
        unit=line.unit,
        unit1=line.unit1,
        qty1=line.qty1,
        unit2=line.unit2,
        qty2=line.qty2,
        trade_country=line.trade_country,
        bar_code=line.bar_code,
        item_record_no=line.item_record_no,
    )


@dataclass(frozen=True, slots=True)
class Sources:
    """What an inventory is built from."""

    order: Order
    waybill: Waybill
    goods: Mapping[int, LineGoods]
    defaults: DirectInventory | BondedInventory
    transport: Transport | None = None
    draft: Inventory | None = None


def compose(sources: Sources) -> Composition:
    """Build what can be built; guid, appType, appTime, appStatus, copNo and declTime are added when it is sent."""
    head = _head(sources)
    direct = sources.defaults.trade_mode == DIRECT
    required = _REQUIRED + (_REQUIRED_DIRECT if direct else _REQUIRED_BONDED)
    missing = [name for name in required if head.get(name) is None]
    lines = [_line(line, sources.goods.get(line.gnum)) for line in sources.order.lines]
    if not direct:
        # a line whose goods are not known at all is another matter
        classified = ((n, line) for n, line in enumerate(lines, 1) if "gcode" in line)
        missing += [f"InventoryList[{n}]/itemRecordNo" for n, line in classified if not line["itemRecordNo"]]
    dutiable = sources.order.goods_value + Decimal(head["freight"]) + Decimal(head["insuredFee"])
    return Composition(
        {"InventoryHead": _without_gaps(head), "InventoryList": [_without_gaps(line) for line in lines]},
        tuple(missing),
        dutiable,
        net_weight=head["netWeight"],
        gross_weight=head["grossWeight"],
    )


def _head(sources: Sources) -> dict[str, Any]:
    order, waybill, transport, draft = sources.order, sources.waybill, sources.transport, sources.draft
    defaults: dict[str, Any] = sources.defaults.official()
    direct = sources.defaults.trade_mode == DIRECT

    def drafted(name: str) -> Any:
        return getattr(draft, name) if draft else None

    return {
        "orderNo": order.order_no,
        "ebpCode": order.ebp_code,
        "ebpName": order.ebp_name,
        "ebcCode": order.ebc_code,
        "ebcName": order.ebc_name,
        "logisticsNo": waybill.logistics_no,
        "logisticsCode": waybill.logistics_code,
        "logisticsName": waybill.logistics_name,
        "assureCode": drafted("assure_code") or defaults.get("assureCode"),
        "emsNo": None if direct else drafted("ems_no") or defaults.get("emsNo"),
        "ieFlag": "I",
        "customsCode": drafted("customs_code") or defaults.get("customsCode"),
        "portCode": drafted("port_code") or defaults.get("portCode"),
        "ieDate": drafted("ie_date") or (transport.ie_date if transport else None),
        "buyerIdType": order.buyer_id_type,
        "buyerIdNumber": order.buyer_id_number,
        "buyerName": order.buyer_name,
        "buyerTelephone": order.buyer_telephone,
        "consigneeAddress": order.consignee_address,
        "agentCode": drafted("agent_code") or defaults.get("agentCode"),
        "agentName": drafted("agent_name") or defaults.get("agentName"),
        "areaCode": None if direct else drafted("area_code") or defaults.get("areaCode"),
        "areaName": None if direct else drafted("area_name") or defaults.get("areaName"),
        "tradeMode": sources.defaults.trade_mode,
        "trafMode": drafted("traf_mode") or (transport.traf_mode if transport else None) or defaults.get("trafMode"),
        "trafNo": drafted("traf_no") or (transport.traf_no if transport else None),
        "voyageNo": drafted("voyage_no") or (transport.voyage_no if transport else None),
        "billNo": drafted("bill_no") or waybill.bill_no,
        "loctNo": drafted("loct_no") or defaults.get("loctNo"),
        "licenseNo": drafted("license_no"),
        "country": drafted("country") or (transport.country if transport else None) or defaults.get("country"),
        "freight": _first(drafted("freight"), waybill.freight, order.freight),
        "insuredFee": _first(drafted("insured_fee"), waybill.insured_fee, Decimal(0)),
        "currency": order.currency,
        "wrapType": drafted("wrap_type") or defaults.get("wrapType"),
        "packNo": str(waybill.pack_no),
        "grossWeight": _first(drafted("gross_weight"), waybill.weight),
        "netWeight": _first(drafted("net_weight"), _net(sources.goods.values())),
    }


def _line(line: OrderLine, goods: LineGoods | None) -> dict[str, Any]:
    stated: dict[str, Any] = {
        "gnum": str(line.gnum),
        "itemNo": line.item_no if line.item_no and len(line.item_no) <= ITEM_NO_MAX else None,
        "itemName": line.item_name,
        "country": line.country,
        "currency": line.currency,
        "qty": line.qty,
        "unit": line.unit,
        "price": line.price,
        "totalPrice": line.total_price,
    }
    if goods is None:
        return stated
    return stated | {
        "itemRecordNo": goods.item_record_no,
        "gcode": goods.gcode,
        "gname": goods.gname,
        "gmodel": goods.gmodel,
        "barCode": line.bar_code or goods.bar_code or "无",
        "tradeCountry": goods.trade_country,
        "qty1": goods.qty1,
        "unit1": goods.unit1,
        "qty2": goods.qty2,
        "unit2": goods.unit2,
    }


def _net(goods: Iterable[LineGoods]) -> Decimal | None:
    weights = [each.net_weight for each in goods]
    return None if not weights or None in weights else sum((w for w in weights if w is not None), Decimal(0))


def _first(*values: Decimal | None) -> Decimal | None:
    return next((value for value in values if value is not None), None)


def _without_gaps(fields: Mapping[str, Any]) -> dict[str, str]:
    present = ((name, value) for name, value in fields.items() if value is not None)
    return {name: wire_number(value) if isinstance(value, Decimal) else value for name, value in present}


def _times(quantity: Decimal, per_unit: Decimal) -> Decimal:
    """The product to five places, as the schema takes it."""
    return _WIDE.multiply(quantity, per_unit).quantize(_FIVE_PLACES, ROUND_HALF_UP, _WIDE).normalize(_WIDE)
