"""Limits of policy, and lists that operators load."""

from collections.abc import Iterator

from ...messages.chinatime import china_date
from ...messages.documents.fields import wire_number
from ..inventory import DIRECT
from .facts import Facts
from .finding import Hit, Value


def single_limit(facts: Facts) -> Iterator[Hit]:
    """The dutiable value stays within the limit of one transaction, unless it is one indivisible item."""
    limit = facts.book.limit("single_limit", facts.now)
    if facts.composition is None or facts.order is None or limit is None or facts.composition.dutiable <= limit:
        return
    lines = facts.order.lines
    if not (len(lines) == 1 and lines[0].qty == 1):
        left = Value(wire_number(facts.composition.dutiable), "goodsValue + freight + insuredFee")
        yield Hit("single-limit", left, Value(wire_number(limit), "limit"))


def yearly_limit(facts: Facts) -> Iterator[Hit]:
    """What this gateway declared for the buyer in the China year, with this case, stays within the yearly limit."""
    limit = facts.book.limit("yearly_limit", facts.now)
    if facts.composition is None or limit is None:
        return
    total = facts.used + facts.composition.dutiable
    if total > limit:
        yield Hit("yearly-limit", Value(wire_number(total), "declared this year"), Value(wire_number(limit), "limit"))


def parties_on_record(facts: Facts) -> Iterator[Hit]:
    """Every enterprise of the case is a registered party."""
    named: dict[str, str] = {}
    if order := facts.order:
        named |= {order.ebp_code: "order.ebpCode", order.ebc_code: "order.ebcCode"}
    if facts.waybill:
        named |= {facts.waybill.logistics_code: "waybill.logisticsCode"}
    named |= {payment.pay_code: "payment.payCode" for payment in facts.payments}
    for code, origin in named.items():
        if code not in facts.on_record:
            yield Hit("party-on-record", Value(code, origin))


def positive_list(facts: Facts) -> Iterator[Hit]:
    """Every HS code is on the list in force, by ten digits or by its first eight; off until a list is loaded."""
    listed = facts.book.positive_list
    if listed is None:
        return
    day = china_date(facts.now)
    for gnum, goods in facts.goods.items():
        spans = listed.get(goods.gcode, ()) + listed.get(goods.gcode[:8], ())
        if not any(span.holds(day) for span in spans):
            yield Hit("positive-list", Value(goods.gcode, "goods.gcode"), line=gnum)


def mode_1239(facts: Facts) -> Iterator[Hit]:
    """A bonded mode is one its customs district takes; off until a table is loaded."""
    modes, defaults = facts.book.bonded_modes, facts.defaults
    if modes is None or defaults is None or defaults.trade_mode == DIRECT:
        return
    spans = modes.get((defaults.customs_code, defaults.trade_mode), ())
    if not any(span.holds(china_date(facts.now)) for span in spans):
        left = Value(defaults.customs_code, "inventory.customsCode")
        yield Hit("mode-1239", left, Value(defaults.trade_mode, "inventory.tradeMode"))
