"""Reconciling: every rule against one case."""

from collections.abc import Callable, Iterable, Iterator

from . import goods, limits, order, payment, people, presence
from .facts import Facts
from .finding import Finding, Hit, Severity, rules

FINDINGS_MAX = 50
"""The most findings one case keeps: those that block first, then those that wait, then warnings."""

CHECKS: tuple[Callable[[Facts], Iterator[Hit]], ...] = (
    presence.order_present,
    presence.payment_present,
    presence.waybill_present,
    presence.waybill_ambiguous,
    presence.near_misses,
    presence.eport_known,
    presence.transport_known,
    presence.goods_known,
    presence.declaration_complete,
    order.order_line_total,
    order.amount_negative,
    order.order_goods_value,
    order.order_actual_paid,
    order.order_lines_numbered,
    order.draft_lines_agree,
    order.draft_buyer_agrees,
    order.currency_cny,
    payment.paid_is_charged,
    payment.payment_firm,
    payment.payment_time,
    payment.payment_early,
    people.buyer_id_type,
    people.buyer_id_number,
    people.payer_is_buyer,
    people.consignee_agrees,
    goods.weight_positive,
    goods.net_within_gross,
    goods.pack_is_one,
    goods.goods_hs_code,
    goods.unit_known,
    goods.country_known,
    goods.customs_known,
    goods.goods_agree,
    goods.statutory_quantity,
    limits.single_limit,
    limits.yearly_limit,
    limits.parties_on_record,
    limits.positive_list,
    limits.mode_1239,
)


def reconcile(facts: Facts, more: Iterable[Hit] = ()) -> tuple[Finding, ...]:
    """All findings of a case, in the order of the rule table; ``more`` are hits found outside the rules."""
    hits = [hit for check in CHECKS for hit in check(facts)]
    hits.extend(more)
    places = {code: place for place, code in enumerate(rules())}
    hits.sort(key=lambda hit: (places[hit.rule], hit.line or 0))
    return tuple(_findings(hits, facts))


def kept(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings a case keeps and shows, in the order of the rule table."""
    if len(findings) <= FINDINGS_MAX:
        return findings
    weightiest = sorted(findings, key=lambda finding: _WEIGHT.index(finding.severity))[:FINDINGS_MAX]
    return tuple(finding for finding in findings if any(finding is each for each in weightiest))


_WEIGHT = (Severity.BLOCKS, Severity.WAITS, Severity.WARNS)


def _findings(hits: Iterable[Hit], facts: Facts) -> Iterator[Finding]:
    for hit in hits:
        severity = facts.book.severity(hit.rule)
        if isinstance(severity, Severity):
            yield Finding(hit.rule, severity, hit.left, hit.right, hit.line)
