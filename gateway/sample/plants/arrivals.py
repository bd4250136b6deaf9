"""How documents arrive and find each other: in any order, late, in parts, merged, in every form."""

from decimal import Decimal

from ..ceb import in_gb18030
from ..enterprises import BONDED, DIRECT, MARKETS
from ..planting import ALL_ARRIVED, FIRST, REFERENCES, SECOND, TRIPLE, Ground, Place
from ..products import products
from ..triples import Item, Triple

_FORMS = ("json", "json", "jsonl", "xml")


def references(g: Ground) -> None:
    """The goods of every merchant and every flight, before anything else."""
    for market in (MARKETS[mode] for mode in g.modes):
        for product in products():
            g.push("goods", g.goods(product, {}, market), REFERENCES, sender=market.merchant)
    for transport in g.maker.transports:
        g.push("transport", transport, REFERENCES, sender=DIRECT.carrier)


def clean(g: Ground) -> None:
    """A clean triple, its documents in any order and any form."""
    triple = g.triple()
    for step, kind in enumerate(g.random.sample(TRIPLE, 3), start=1):
        g.push(kind, getattr(triple, kind), Place(1, step), form=g.random.choice(_FORMS))


def triple(g: Ground) -> None:
    """A triple without fault, as JSON; what matters is what customs answers."""
    g.arrive(g.triple())


def waybill_first(g: Ground) -> None:
    """Waybill, payment, order."""
    g.arrive(g.triple(), "waybill", "payment", "order")


def late_waybill(g: Ground) -> None:
    """A waybill that comes when everything else has long been there."""
    triple = g.triple()
    g.arrive(triple, "order", "payment")
    g.arrive(triple, "waybill", wave=2)


def late_payment(g: Ground) -> None:
    """A payment that comes when everything else has long been there."""
    triple = g.triple()
    g.arrive(triple, "order", "waybill")
    g.arrive(triple, "payment", wave=2)


def late_order(g: Ground) -> None:
    """An order that comes when everything else has long been there."""
    triple = g.triple()
    g.arrive(triple, "waybill", "payment")
    g.arrive(triple, "order", wave=2)


def late_transport(g: Ground) -> None:
    """A flight that is described after its parcels."""
    triple = g.triple()
    transport = g.maker.flight(triple.market)
    triple.waybill["billNo"] = transport["billNo"]
    g.arrive(triple)
    g.push("transport", transport, Place(2, 1))


def late_goods(g: Ground) -> None:
    """A goods record that comes after the order of its product."""
    product = g.product(recorded=False)
    triple = g.triple([Item(product, 2)])
    g.arrive(triple)
    g.push("goods", g.goods(product, {}), Place(2, 1))


def bar_code_only(g: Ground) -> None:
    """A shop that knows its item by the bar code only."""
    product = g.product()
    triple = g.triple([Item(product, 1)])
    triple.order["OrderList"][0].pop("itemNo", None)
    g.arrive(triple)


def long_item_number(g: Ground) -> None:
    """An item number of 30 characters, which the inventory has no room for."""
    product = g.product(item_no=f"LONG-{g.maker.number()}-XXXXXX")
    triple = g.triple([Item(product, 1)])
    triple.order["OrderList"][0]["itemNo"] = product.item_no
    g.arrive(triple)


def five_decimals(g: Ground) -> None:
    """Prices and amounts of five decimals."""
    product = g.product(price=Decimal("33.33333"))
    g.arrive(g.triple([Item(product, 3)]))


def dear_single_item(g: Ground) -> None:
    """One indivisible item above the single limit."""
    product = g.product(price=Decimal("6800.00"))
    g.arrive(g.triple([Item(product, 1)]))


def bound_sender(g: Ground) -> None:
    """Two waybills that fit; one of them is sent by the platform's own system."""
    triple = g.unnamed(g.triple())
    g.push("waybill", triple.waybill, FIRST, sender=triple.market.merchant)
    g.push("waybill", g.another_waybill(triple), SECOND)
    g.arrive(triple, "payment", "order", first=2)


def split_payment(g: Ground) -> None:
    """An order paid in two parts."""
    triple = g.triple()
    total = Decimal(triple.payment["amountPaid"])
    first, rest = Decimal("30.00"), total - Decimal("30.00")
    second = triple.payment | {
        "guid": g.maker.guid(),
        "payTransactionId": f"FB{g.maker.number()}",
        "amountPaid": format(rest, "f"),
    }
    triple.payment["amountPaid"] = format(first, "f")
    g.arrive(triple)
    g.push("payment", second, Place(1, ALL_ARRIVED))


def merged_payment(g: Ground) -> None:
    """Three orders of one buyer, paid together."""
    triples = _paid_together(g)
    for each in triples:
        g.arrive(each, *g.random.sample(("order", "waybill"), 2))
    g.push("payment", triples[0].payment, SECOND)


def merged_payment_late_waybill(g: Ground) -> None:
    """Three orders of one buyer, paid together, and the waybill of the last comes late."""
    triples = _paid_together(g)
    for each in triples:
        g.arrive(each, "order")
    for each in triples[:2]:
        g.arrive(each, "waybill")
    g.push("payment", triples[0].payment, SECOND)
    g.arrive(triples[2], "waybill", wave=2)


def _paid_together(g: Ground) -> list[Triple]:
    """Three triples of one buyer, whose orders all name the first one's payment, which pays them all."""
    buyer = g.person()
    triples = [g.triple(buyer=buyer) for _ in range(3)]
    total = sum((Decimal(each.order["acturalPaid"]) for each in triples), Decimal(0))
    first = triples[0]
    first.payment["amountPaid"] = format(total, "f")
    for each in triples:
        each.order["payTransactionId"] = first.payment["payTransactionId"]
    return triples


def two_platforms(g: Ground) -> None:
    """Two platforms use one order number, and one parcel fits both."""
    one, other = twins(g)
    for each in (one, other):
        g.arrive(each, "order", "payment")
    g.arrive(one, "waybill", first=ALL_ARRIVED)


def twins(g: Ground) -> tuple[Triple, Triple]:
    """Orders of two platforms with one number, for one consignee, that know no waybill."""
    one, other = g.unnamed(g.triple(market=DIRECT)), g.unnamed(g.triple(market=BONDED))
    same = ("orderNo", "consignee", "consigneeTelephone", "consigneeAddress")
    other.order |= {name: one.order[name] for name in same}
    other.payment["orderNo"] = one.order_no
    return one, other


def ambiguous_resolved(g: Ground) -> None:
    """Two waybills fit equally well until the platform says which."""
    triple = g.unnamed(g.triple())
    g.push("waybill", g.another_waybill(triple), SECOND)
    g.arrive(triple, "waybill", "payment", "order")
    named = {name: triple.waybill[name] for name in ("logisticsCode", "logisticsName", "logisticsNo")}
    place = Place(2, 1)
    g.push("order", g.amended(triple.order, place=place, **named), place)


def draft_supplies(g: Ground) -> None:
    """The declarant's draft says what no goods record does."""
    product = g.product(recorded=False)
    triple = g.triple([Item(product, 2)])
    g.push("inventory", g.draft(triple), REFERENCES, form="xml")
    g.arrive(triple)


def draft_names_waybill(g: Ground) -> None:
    """Two waybills that fit; the draft names one of them."""
    triple = g.unnamed(g.triple())
    g.push("inventory", g.draft(triple), REFERENCES, form="xml")
    g.push("waybill", g.another_waybill(triple), SECOND)
    g.arrive(triple, "waybill", "payment", "order")


def gb18030(g: Ground) -> None:
    """Customs XML in GB18030."""
    triple = g.unnamed(g.triple())
    message = g.message("order", triple.order)
    g.send(message, in_gb18030(message.plain()), FIRST)
    g.arrive(triple, "payment", "waybill")


def no_namespace(g: Ground) -> None:
    """Customs XML without its namespace."""
    triple = g.unnamed(g.triple())
    message = g.message("order", triple.order)
    plain = message.plain().replace(b"ceb:", b"").replace(b' xmlns:ceb="http://www.chinaport.gov.cn/ceb"', b"")
    g.send(message, plain, FIRST)
    g.arrive(triple, "payment", "waybill")


def enveloped(g: Ground) -> None:
    """Customs XML that is not signed, in its envelope."""
    triple = g.unnamed(g.triple())
    message = g.message("order", triple.order)
    g.send(message, message.enveloped(message.plain(), g.dated(1)), FIRST)
    g.arrive(triple, "payment", "waybill")


def signed_order(g: Ground) -> None:
    """A signed order, which is handed on byte for byte."""
    _signed(g, "order")


def signed_payment(g: Ground) -> None:
    """A signed payment."""
    _signed(g, "payment")


def signed_waybill(g: Ground) -> None:
    """A signed waybill."""
    _signed(g, "waybill")


def signed_inventory(g: Ground) -> None:
    """A signed inventory, which is the declaration."""
    triple = g.unnamed(g.triple())
    g.sign("inventory", g.draft(triple))
    g.arrive(triple)


def signed_enveloped_order(g: Ground) -> None:
    """A signed order inside an envelope."""
    triple = g.unnamed(g.triple())
    message = g.message("order", triple.order)
    signed = message.signed(g.keys.signer(message.sender))
    g.send(message, message.enveloped(signed, g.dated(1)), FIRST)
    g.arrive(triple, "payment", "waybill")


def signed_pair_waits(g: Ground) -> None:
    """Two orders under one signature, one of which is never paid: neither can go."""
    _signed_pair(g, second_paid=None)


def signed_pair(g: Ground) -> None:
    """Two orders under one signature, one of which is paid later: then both go."""
    _signed_pair(g, second_paid=2)


def _signed_pair(g: Ground, second_paid: int | None) -> None:
    first, second = g.unnamed(g.triple()), g.unnamed(g.triple())
    g.sign("order", first.order, second.order)
    g.arrive(first, "payment", "waybill")
    g.arrive(second, "waybill")
    if second_paid:
        g.arrive(second, "payment", wave=second_paid)


def _signed(g: Ground, kind: str) -> None:
    triple = g.unnamed(g.triple())
    g.sign(kind, getattr(triple, kind))
    g.arrive(triple, *(each for each in TRIPLE if each != kind))


PLANTS = (
    references,
    clean,
    triple,
    waybill_first,
    late_waybill,
    late_payment,
    late_order,
    late_transport,
    late_goods,
    bar_code_only,
    long_item_number,
    five_decimals,
    dear_single_item,
    bound_sender,
    split_payment,
    merged_payment,
    merged_payment_late_waybill,
    two_platforms,
    ambiguous_resolved,
    draft_supplies,
    draft_names_waybill,
    gb18030,
    no_namespace,
    enveloped,
    signed_order,
    signed_payment,
    signed_waybill,
    signed_inventory,
    signed_enveloped_order,
    signed_pair_waits,
    signed_pair,
)
