"""Order against payment: amounts, firm and transaction, times."""

from collections.abc import Iterator
from decimal import Decimal

from ...messages.chinatime import parse_china_time
from ...messages.documents.fields import wire_number
from ...messages.documents.triple import Order
from .facts import Facts
from .finding import Hit, Value

_HOUR_MS = 3_600_000


def paid_is_charged(facts: Facts) -> Iterator[Hit]:
    """What the payments pay adds up to what the orders they pay have charged (split and merged payments included)."""
    if facts.order is None or not facts.payments:
        return
    orders = (held.document for held in facts.linkage.paid_together)
    charged = sum((order.actural_paid for order in orders if isinstance(order, Order)), Decimal(0))
    paid = sum((payment.amount_paid for payment in facts.payments), Decimal(0))
    if abs(paid - charged) > facts.book.paid_tolerance:
        left = Value(wire_number(charged), "order.acturalPaid")
        yield Hit("paid-is-charged", left, Value(wire_number(paid), "payment.amountPaid"))


def payment_firm(facts: Facts) -> Iterator[Hit]:
    """If the order names firm or transaction, a payment of the case is by that firm and has that number."""
    order = facts.order
    if order is None or not facts.payments:
        return
    for official, named, given in (
        ("payCode", order.pay_code, [payment.pay_code for payment in facts.payments]),
        ("payTransactionId", order.pay_transaction_id, [payment.pay_transaction_id for payment in facts.payments]),
    ):
        if named and named not in given:
            yield Hit("payment-firm", Value(named, f"order.{official}"), Value(given[0], f"payment.{official}"))


def payment_time(facts: Facts) -> Iterator[Hit]:
    """A payment happened before it was reported and before the case is declared."""
    for payment in facts.payments:
        paid = parse_china_time(payment.pay_time)
        if paid > parse_china_time(payment.app_time):
            left = Value(payment.pay_time, "payment.payTime")
            yield Hit("payment-time", left, Value(payment.app_time, "payment.appTime"))
        elif paid > facts.now:
            yield Hit("payment-time", Value(payment.pay_time, "payment.payTime"), Value("", "declTime"))


def payment_early(facts: Facts) -> Iterator[Hit]:
    """A payment is not much older than the report of its order."""
    if facts.order is None:
        return
    earliest = parse_china_time(facts.order.app_time) - facts.book.payment_early_hours * _HOUR_MS
    for payment in facts.payments:
        if parse_china_time(payment.pay_time) < earliest:
            left = Value(payment.pay_time, "payment.payTime")
            yield Hit("payment-early", left, Value(facts.order.app_time, "order.appTime"))
