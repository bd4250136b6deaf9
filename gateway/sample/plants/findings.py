"""One planted case at least for every rule of reconciliation."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from ....messages.chinatime import china_seconds
from ..enterprises import STRANGER_PAYER
from ..planting import AFTER_THE_GOODS, REFERENCES, Ground, Place
from ..triples import HOUR_MS, MINUTE_MS, Content, Item, Triple

CIGARETTES = "2402200000"
"""An HS code that no list of retail imports has."""


def _of_own(g: Ground, record: Content | None = None, *, qty: int = 2, **changes: Any) -> Triple:
    """A triple of one line about a product of its own; ``record`` changes its goods record."""
    return g.triple([Item(g.product(record, **changes), qty)])


def _two_lines(g: Ground) -> Triple:
    return g.triple([Item(g.product(), 2), Item(g.product(), 1)])


def _charge(triple: Triple, more: Decimal, *names: str) -> None:
    """Change amounts of the order by so much, what was paid and the payment with them."""
    for name in (*names, "acturalPaid"):
        triple.order[name] = format(Decimal(triple.order[name]) + more, "f")
    triple.payment["amountPaid"] = triple.order["acturalPaid"]


def declaration_complete(g: Ground) -> None:
    """Direct purchase: a waybill without master bill. Bonded: a goods record without the number of the account book."""
    bonded = g.mode == "1210"
    triple = _of_own(g, {"itemRecordNo": None} if bonded else None)
    if not bonded:
        del triple.waybill["billNo"]
    g.arrive(triple)


def declaration_invalid(g: Ground) -> None:
    """A statutory quantity that multiplies to more digits than the schema allows."""
    g.arrive(_of_own(g, {"qty1": "999999999999.99999"}, qty=101, price=Decimal("10.00")))


def order_line_total(g: Ground) -> None:
    """A line total that is one yuan more than price times quantity."""
    triple = _of_own(g)
    line = triple.order["OrderList"][0]
    line["totalPrice"] = format(Decimal(line["totalPrice"]) + 1, "f")
    _charge(triple, Decimal(1), "goodsValue")
    g.arrive(triple)


def order_goods_value(g: Ground) -> None:
    """A goods value that is five yuan less than its lines."""
    triple = _of_own(g)
    _charge(triple, Decimal(-5), "goodsValue")
    g.arrive(triple)


def order_actual_paid(g: Ground) -> None:
    """Three yuan more paid than goods, freight and tax come to."""
    triple = _of_own(g)
    _charge(triple, Decimal(3))
    g.arrive(triple)


def order_lines_numbered(g: Ground) -> None:
    """Line numbers with a gap."""
    triple = _two_lines(g)
    triple.order["OrderList"][1]["gnum"] = 3
    g.arrive(triple)


def draft_lines_agree(g: Ground) -> None:
    """A draft that declares more than was ordered."""
    triple = g.triple()
    draft = g.draft(triple)
    draft["InventoryList"][0]["qty"] = "9"
    g.push("inventory", draft, REFERENCES, form="xml")
    g.arrive(triple)


def draft_buyer_agrees(g: Ground) -> None:
    """A draft with another phone of the buyer."""
    triple = g.triple()
    g.push("inventory", g.draft(triple) | {"buyerTelephone": g.person().phone}, REFERENCES, form="xml")
    g.arrive(triple)


def currency_cny(g: Ground) -> None:
    """An order in US dollars."""
    triple = g.triple()
    triple.order["currency"] = "502"
    g.arrive(triple)


def paid_is_charged(g: Ground) -> None:
    """One yuan less paid than charged."""
    triple = g.triple()
    triple.payment["amountPaid"] = format(Decimal(triple.payment["amountPaid"]) - 1, "f")
    g.arrive(triple)


def payment_firm(g: Ground) -> None:
    """An order that names another transaction than its payment has."""
    triple = g.triple()
    triple.order["payTransactionId"] = f"FB{g.maker.number()}"
    g.arrive(triple)


def payment_time(g: Ground) -> None:
    """A payment dated after it was reported."""
    triple = g.triple()
    triple.payment["payTime"] = china_seconds(triple.ordered_ms + MINUTE_MS)
    g.arrive(triple)


def payment_early(g: Ground) -> None:
    """A payment made days before its order was reported."""
    triple = g.triple()
    triple.payment["payTime"] = china_seconds(triple.ordered_ms - 80 * HOUR_MS)
    g.arrive(triple)


def buyer_id_type(g: Ground) -> None:
    """Buyer and payer identified by another document than an ID card."""
    triple = g.triple()
    triple.order["buyerIdType"] = triple.payment["payerIdType"] = "2"
    g.arrive(triple)


def buyer_id_number(g: Ground) -> None:
    """An ID number whose check character is wrong."""
    triple = g.triple()
    right = triple.buyer.id_number
    wrong = right[:17] + ("0" if right[17] != "0" else "1")
    g.maker.people.append(replace(triple.buyer, id_number=wrong))
    triple.order["buyerIdNumber"] = triple.payment["payerIdNumber"] = wrong
    g.arrive(triple)


def payer_is_buyer(g: Ground) -> None:
    """Somebody else pays."""
    triple, other = g.triple(), g.person()
    triple.payment |= {"payerName": other.name, "payerIdNumber": other.id_number, "telephone": other.phone}
    g.arrive(triple)


def consignee_agrees(g: Ground) -> None:
    """Another consignee on the waybill."""
    triple = g.named(g.triple())
    triple.waybill["consignee"] = g.person().name
    g.arrive(triple)


def consignee_phone_agrees(g: Ground) -> None:
    """Another phone on the waybill."""
    triple = g.named(g.triple())
    triple.waybill["consigneeTelephone"] = g.person().phone
    g.arrive(triple)


def consignee_address_agrees(g: Ground) -> None:
    """Another address on the waybill."""
    triple = g.named(g.triple())
    triple.waybill["consigneeAddress"] = g.person().address
    g.arrive(triple)


def differs_in_form(g: Ground) -> None:
    """The waybill writes the address in full-width digits and without spaces."""
    triple = g.named(g.triple())
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    triple.waybill["consigneeAddress"] = triple.order["consigneeAddress"].translate(wide).replace(" ", "")
    g.arrive(triple)


def amount_negative(g: Ground) -> None:
    """A waybill whose freight is below zero."""
    triple = g.triple()
    triple.waybill["freight"] = "-1.00"
    g.arrive(triple)


def weight_positive(g: Ground) -> None:
    """A goods record that says the product weighs nothing."""
    g.arrive(_of_own(g, {"netWeight": "0"}))


def net_within_gross(g: Ground) -> None:
    """A parcel lighter than the goods in it."""
    triple = g.triple()
    triple.waybill["weight"] = "0.001"
    g.arrive(triple)


def pack_is_one(g: Ground) -> None:
    """A waybill of two packages."""
    triple = g.triple()
    triple.waybill["packNo"] = 2
    g.arrive(triple)


def goods_hs_code(g: Ground) -> None:
    """A goods record whose HS code has letters in it."""
    g.arrive(_of_own(g, {"gcode": "04022100AB"}))


def unit_known(g: Ground) -> None:
    """A unit no table has, in order and goods record."""
    g.arrive(_of_own(g, unit="998"))


def country_known(g: Ground) -> None:
    """A country no table has; the goods record leaves it to the order."""
    g.arrive(_of_own(g, {"country": None}, country="998"))


def customs_known(g: Ground) -> None:
    """A draft that names an office our table lacks."""
    triple = g.triple()
    g.push("inventory", g.draft(triple) | {"portCode": "9997"}, REFERENCES, form="xml")
    g.arrive(triple)


def goods_unit_agrees(g: Ground) -> None:
    """Ordered by the piece, recorded by the box."""
    g.arrive(_of_own(g, {"unit": "140"}))


def goods_origin_agrees(g: Ground) -> None:
    """Order and goods record name different countries of origin."""
    g.arrive(_of_own(g, {"country": "116"}))


def statutory_quantity(g: Ground) -> None:
    """A goods record with a statutory quantity of nothing."""
    g.arrive(_of_own(g, {"qty1": "0"}))


def single_limit(g: Ground) -> None:
    """Two things together above the limit of one transaction."""
    g.arrive(_of_own(g, price=Decimal("2600.00")))


def yearly_limit(g: Ground) -> None:
    """Two purchases of one buyer that together pass the yearly limit: the second one does it."""
    dear, cheap = g.product(price=Decimal("25000.00")), g.product(price=Decimal("1200.00"))
    first = g.triple([Item(dear, 1)])
    second = g.triple([Item(cheap, 1)], buyer=first.buyer)
    g.arrive(first)
    g.arrive(second, wave=2)


def party_on_record(g: Ground) -> None:
    """A payment firm that is not on record."""
    triple = g.triple()
    firm = {"payCode": STRANGER_PAYER.code, "payName": STRANGER_PAYER.name}
    triple.order |= firm
    triple.payment |= firm
    g.push("payment", triple.payment, Place(1, 2), sender=STRANGER_PAYER)
    g.arrive(triple, "order", "waybill")


def positive_list(g: Ground) -> None:
    """Cigarettes."""
    g.arrive(_of_own(g, gcode=CIGARETTES))


def changed_after_declaration(g: Ground) -> None:
    """An order changed after its goods were cleared."""
    triple = g.triple()
    g.arrive(triple)
    g.push("order", g.amended(triple.order, place=AFTER_THE_GOODS, note="改为工作日送货"), AFTER_THE_GOODS)


def withdrawn_after_declaration(g: Ground) -> None:
    """A payment deleted after the goods were cleared."""
    triple = g.triple()
    g.arrive(triple)
    g.push("payment", g.amended(triple.payment, "3", place=AFTER_THE_GOODS), AFTER_THE_GOODS)


PLANTS = (
    declaration_complete,
    declaration_invalid,
    order_line_total,
    order_goods_value,
    order_actual_paid,
    order_lines_numbered,
    draft_lines_agree,
    draft_buyer_agrees,
    currency_cny,
    paid_is_charged,
    payment_firm,
    payment_time,
    payment_early,
    buyer_id_type,
    buyer_id_number,
    payer_is_buyer,
    consignee_agrees,
    consignee_phone_agrees,
    consignee_address_agrees,
    differs_in_form,
    amount_negative,
    weight_positive,
    net_within_gross,
    pack_is_one,
    goods_hs_code,
    unit_known,
    country_known,
    customs_known,
    goods_unit_agrees,
    goods_origin_agrees,
    statutory_quantity,
    single_limit,
    yearly_limit,
    party_on_record,
    positive_list,
    changed_after_declaration,
    withdrawn_after_declaration,
)
