"""Is everything there: documents, goods, transport, an e-port, and a source for every field of the inventory."""

from collections.abc import Iterator

from ...messages.chinatime import months_before
from ...messages.documents.triple import Order, Waybill
from ..inventory import DIRECT
from ..linking import NearMiss
from ..taking import REUSE_MONTHS
from .facts import Facts
from .finding import Hit, Value


def order_present(facts: Facts) -> Iterator[Hit]:
    """The order has arrived."""
    if facts.order is None:
        yield Hit("order-present")


def payment_present(facts: Facts) -> Iterator[Hit]:
    """At least one payment belongs to the case."""
    if not facts.payments:
        yield Hit("payment-present")


def waybill_present(facts: Facts) -> Iterator[Hit]:
    """A waybill belongs to the case; several equal claims are another matter."""
    if facts.waybill is None and not facts.linkage.ambiguous:
        yield Hit("waybill-present")


def waybill_ambiguous(facts: Facts) -> Iterator[Hit]:
    """No two claims on a waybill are equally good."""
    if facts.linkage.ambiguous:
        yield Hit("waybill-ambiguous")


def near_misses(facts: Facts) -> Iterator[Hit]:
    """What almost belongs is shown; a waybill number used for another order within six months is no near miss."""
    for miss in facts.linkage.near_misses:
        rule = "waybill-reused" if _reused(miss, facts) else miss.rule
        yield Hit(rule, Value(miss.ours, "order.orderNo"), Value(miss.theirs, f"{miss.held.kind}.orderNo"))


def _reused(miss: NearMiss, facts: Facts) -> bool:
    waybill, order = miss.held.document, facts.order
    if not isinstance(waybill, Waybill) or not isinstance(order, Order) or waybill.order_no == order.order_no:
        return False
    named = tuple(waybill.key) == (order.logistics_code, order.logistics_no)
    return named and miss.held.first_at > months_before(facts.now, REUSE_MONTHS)


def eport_known(facts: Facts) -> Iterator[Hit]:
    """Exactly one configured e-port takes the case."""
    if facts.order and facts.eport is None:
        mode = Value(facts.order.trade_mode, "order.tradeMode") if facts.order.trade_mode else None
        yield Hit("eport-known", Value(facts.order.ebc_code, "order.ebcCode"), mode)


def transport_known(facts: Facts) -> Iterator[Hit]:
    """A direct purchase has its conveyance, from a transport document or the draft."""
    direct = facts.defaults is not None and facts.defaults.trade_mode == DIRECT
    drafted = facts.draft is not None and facts.draft.traf_no and facts.draft.voyage_no
    if direct and facts.waybill and facts.waybill.bill_no and facts.transport is None and not drafted:
        yield Hit("transport-known", Value(facts.waybill.bill_no, "waybill.billNo"))


def goods_known(facts: Facts) -> Iterator[Hit]:
    """Every line of an inventory is classified: by the draft, by its item number, or by its bar code."""
    for line in facts.order.lines if facts.order and facts.defaults else ():
        if line.gnum not in facts.goods:
            named = ("itemNo", line.item_no) if line.item_no else ("barCode", line.bar_code)
            yield Hit("goods-known", Value(named[1], f"order.{named[0]}") if named[1] else None, line=line.gnum)


def declaration_complete(facts: Facts) -> Iterator[Hit]:
    """Every field the inventory needs has a source; what other rules already miss is not said twice."""
    if facts.composition is None:
        return
    said = {"netWeight"} if len(facts.goods) < len(facts.order.lines if facts.order else ()) else set()
    if any(True for _ in transport_known(facts)):
        said |= {"trafNo", "voyageNo", "trafMode", "country"}
    for name in facts.composition.missing:
        if name not in said:
            yield Hit("declaration-complete", Value("", f"inventory.{name}"))
