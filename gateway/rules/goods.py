"""The goods: weights, classification, units, countries, quantities, and the codes around them."""

from collections.abc import Iterator
from decimal import Decimal

from ...messages.codes import table
from ...messages.documents.fields import wire_number
from .facts import Facts
from .finding import Hit, Value


def weight_positive(facts: Facts) -> Iterator[Hit]:
    """Gross and net weight are positive."""
    stated: list[tuple[Decimal | None, str]] = []
    if facts.composition:
        stated = [
            (facts.composition.gross_weight, "inventory.grossWeight"),
            (facts.composition.net_weight, "inventory.netWeight"),
        ]
    elif facts.waybill:
        stated = [(facts.waybill.weight, "waybill.weight")]
    for weight, origin in stated:
        if weight is not None and weight <= 0:
            yield Hit("weight-positive", Value(wire_number(weight), origin))


def net_within_gross(facts: Facts) -> Iterator[Hit]:
    """The net weight of the goods does not exceed the gross weight of the parcel."""
    made = facts.composition
    if made and made.net_weight is not None and made.gross_weight is not None and made.net_weight > made.gross_weight:
        left = Value(wire_number(made.net_weight), "inventory.netWeight")
        yield Hit("net-within-gross", left, Value(wire_number(made.gross_weight), "inventory.grossWeight"))


def pack_is_one(facts: Facts) -> Iterator[Hit]:
    """A waybill is one parcel."""
    if facts.waybill and facts.waybill.pack_no != 1:
        yield Hit("pack-is-one", Value(str(facts.waybill.pack_no), "waybill.packNo"), Value("1", "expected"))


def goods_hs_code(facts: Facts) -> Iterator[Hit]:
    """The HS code is ten digits."""
    for gnum, goods in facts.goods.items():
        if not (len(goods.gcode) == 10 and goods.gcode.isascii() and goods.gcode.isdigit()):
            yield Hit("goods-hs-code", Value(goods.gcode, "goods.gcode"), line=gnum)


def unit_known(facts: Facts) -> Iterator[Hit]:
    """Units are in the code table."""
    for line in facts.order.lines if facts.order else ():
        if table("units").get(line.unit) is None:
            yield Hit("unit-known", Value(line.unit, "order.unit"), line=line.gnum)
    for gnum, goods in facts.goods.items():
        for name, unit in (("unit1", goods.unit1), ("unit2", goods.unit2)):
            if unit and table("units").get(unit) is None:
                yield Hit("unit-known", Value(unit, f"goods.{name}"), line=gnum)


def country_known(facts: Facts) -> Iterator[Hit]:
    """Countries are in the code table."""
    for line in facts.order.lines if facts.order else ():
        if table("countries").get(line.country) is None:
            yield Hit("country-known", Value(line.country, "order.country"), line=line.gnum)
    if facts.transport and table("countries").get(facts.transport.country) is None:
        yield Hit("country-known", Value(facts.transport.country, "transport.country"))


def customs_known(facts: Facts) -> Iterator[Hit]:
    """Customs offices are in the code table."""
    head = facts.composition.content["InventoryHead"] if facts.composition else {}
    for name in ("customsCode", "portCode"):
        if name in head and table("customs_districts").get(head[name]) is None:
            yield Hit("customs-known", Value(head[name], f"inventory.{name}"))


def goods_agree(facts: Facts) -> Iterator[Hit]:
    """Order line and goods record agree on sales unit and origin."""
    for line in facts.order.lines if facts.order else ():
        goods = facts.goods.get(line.gnum)
        if goods and goods.unit != line.unit:
            yield Hit("goods-unit-agrees", Value(line.unit, "order.unit"), Value(goods.unit, "goods.unit"), line.gnum)
        if goods and goods.country and goods.country != line.country:
            origin = Value(goods.country, "goods.country")
            yield Hit("goods-origin-agrees", Value(line.country, "order.country"), origin, line.gnum)


def statutory_quantity(facts: Facts) -> Iterator[Hit]:
    """Statutory quantities are positive."""
    for gnum, goods in facts.goods.items():
        for name, quantity in (("qty1", goods.qty1), ("qty2", goods.qty2)):
            if quantity is not None and quantity <= 0:
                yield Hit("statutory-quantity", Value(wire_number(quantity), f"inventory.{name}"), line=gnum)
        if (goods.unit2 is None) != (goods.qty2 is None):
            yield Hit("statutory-quantity", Value(goods.unit2 or "", "inventory.unit2"), line=gnum)
