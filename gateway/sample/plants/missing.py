"""Cases that miss something, and documents that almost belong."""

from dataclasses import replace

from ..enterprises import KEYLESS, STRANGER_MERCHANT, UNLISTED
from ..planting import AFTER_THE_GOODS, ALL_ARRIVED, REFERENCES, Ground, Place
from ..triples import Item
from .arrivals import twins


def order_present(g: Ground) -> None:
    """Payment and waybill without their order."""
    g.arrive(g.triple(), "payment", "waybill")


def payment_present(g: Ground) -> None:
    """Order and waybill without a payment."""
    g.arrive(g.triple(), "order", "waybill")


def waybill_present(g: Ground) -> None:
    """Order and payment without a waybill."""
    g.arrive(g.triple(), "order", "payment")


def waybill_ambiguous(g: Ground) -> None:
    """Two waybills with the number, consignee and phone of an order that names neither."""
    triple = g.unnamed(g.triple())
    g.arrive(triple, "waybill", "payment")
    g.push("waybill", g.another_waybill(triple), Place(1, 2))
    g.push("order", triple.order, Place(1, 3))


def waybill_rival(g: Ground) -> None:
    """A second waybill that fits as well, after the goods were declared with the first."""
    triple = g.unnamed(g.triple())
    g.arrive(triple)
    g.push("waybill", g.another_waybill(triple), AFTER_THE_GOODS)


def order_rival(g: Ground) -> None:
    """The order of another platform that fits the waybill as well, after the goods were declared with it."""
    first, second = twins(g)
    g.arrive(first)
    g.arrive(second, "order", "payment", wave=3)


def waybill_near_miss(g: Ground) -> None:
    """A second waybill with the order's number, for somebody else."""
    triple = g.named(g.triple())
    g.arrive(triple)
    other = g.person()
    stranger = {"consignee": other.name, "consigneeTelephone": other.phone, "consigneeAddress": other.address}
    g.push("waybill", g.another_waybill(triple) | stranger, Place(1, 2))


def payment_near_miss(g: Ground) -> None:
    """A payment with the order's transaction, but a slip in the order number."""
    triple = g.triple()
    slip = triple.order_no[:-1] + ("X" if triple.order_no[-1] != "X" else "Y")
    triple.payment["orderNo"] = slip
    g.claim(triple, f"import/{triple.order['ebpCode']}/{slip}")
    g.arrive(triple)


def waybill_reused(g: Ground) -> None:
    """An order that names the waybill of another order."""
    _reuse(g, wave=1)


def waybill_reused_later(g: Ground) -> None:
    """An order that names a waybill that was declared with another order."""
    _reuse(g, wave=2)


def _reuse(g: Ground, wave: int) -> None:
    first, second = g.named(g.triple()), g.triple()
    second.waybill = first.waybill
    g.named(second)
    g.arrive(first)
    g.arrive(second, "order", "payment", wave=wave, first=ALL_ARRIVED)


def eport_known(g: Ground) -> None:
    """A merchant no e-port acts for, though its goods are on record."""
    triple = g.triple()
    stranger = replace(g.market, merchant=STRANGER_MERCHANT)
    triple.order |= {"ebcCode": STRANGER_MERCHANT.code, "ebcName": STRANGER_MERCHANT.name}
    for item in triple.items:
        g.push("goods", g.goods(item.product, {}, stranger), REFERENCES, sender=STRANGER_MERCHANT)
    g.arrive(triple)


def signer_known(g: Ground) -> None:
    """A merchant whose orders nobody here can sign."""
    triple = g.triple(market=KEYLESS)
    for item in triple.items:
        g.push("goods", g.goods(item.product, {}, KEYLESS), REFERENCES)
    g.arrive(triple)


def mode_1239(g: Ground) -> None:
    """Goods declared under 1239 at an office where that is not done."""
    triple = g.triple(market=UNLISTED)
    for item in triple.items:
        g.push("goods", g.goods(item.product, {}, UNLISTED), REFERENCES)
    g.arrive(triple)


def transport_known(g: Ground) -> None:
    """A master bill nobody has described."""
    triple = g.triple()
    triple.waybill["billNo"] = f"001{g.random.randrange(10**8):08d}"
    g.arrive(triple)


def goods_known(g: Ground) -> None:
    """An item without goods record."""
    g.arrive(g.triple([Item(g.product(recorded=False), 1)]))


PLANTS = (
    order_present,
    payment_present,
    waybill_present,
    waybill_ambiguous,
    waybill_rival,
    order_rival,
    waybill_near_miss,
    payment_near_miss,
    waybill_reused,
    waybill_reused_later,
    eport_known,
    signer_known,
    mode_1239,
    transport_known,
    goods_known,
)
