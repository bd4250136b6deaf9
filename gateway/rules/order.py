"""The order in itself: numbers that must add up, lines, currency; and the draft beside it."""

from collections.abc import Iterator
from decimal import Decimal

from ...messages.documents.fields import wire_number
from ...messages.personal import mask_name, mask_number
from .facts import Facts
from .finding import Hit, Value, compare

CNY = "142"
_CHARGES = {
    "goods_value": "goodsValue",
    "freight": "freight",
    "insured_fee": "insuredFee",
    "discount": "discount",
    "tax_total": "taxTotal",
    "actural_paid": "acturalPaid",
    "amount_paid": "amountPaid",
}


def _amounts(rule: str, left: tuple[str, Decimal], right: tuple[str, Decimal], line: int | None = None) -> Hit:
    return Hit(rule, Value(wire_number(left[1]), left[0]), Value(wire_number(right[1]), right[0]), line)


def order_line_total(facts: Facts) -> Iterator[Hit]:
    """A line total is price times quantity, within the tolerance."""
    for line in facts.order.lines if facts.order else ():
        product = line.price * line.qty
        if abs(product - line.total_price) > facts.book.line_tolerance:
            left, right = ("order.totalPrice", line.total_price), ("order.price x order.qty", product.normalize())
            yield _amounts("order-line-total", left, right, line.gnum)


def amount_negative(facts: Facts) -> Iterator[Hit]:
    """No amount is below zero: else it would make room under the limits."""
    stated = [(facts.order, "order"), (facts.waybill, "waybill"), *((payment, "payment") for payment in facts.payments)]
    for document, name in stated:
        for field, official in _CHARGES.items():
            amount = getattr(document, field, None)
            if amount is not None and amount < 0:
                yield Hit("amount-negative", Value(wire_number(amount), f"{name}.{official}"))
    for line in facts.order.lines if facts.order else ():
        for amount, official in ((line.qty, "qty"), (line.price, "price"), (line.total_price, "totalPrice")):
            if amount < 0:
                yield Hit("amount-negative", Value(wire_number(amount), f"order.{official}"), line=line.gnum)


def order_goods_value(facts: Facts) -> Iterator[Hit]:
    """The goods value is the sum of the line totals, within the tolerance for each line."""
    if order := facts.order:
        total = sum((line.total_price for line in order.lines), Decimal(0))
        if abs(total - order.goods_value) > facts.book.line_tolerance * len(order.lines):
            left, right = ("order.goodsValue", order.goods_value), ("sum of order.totalPrice", total)
            yield _amounts("order-goods-value", left, right)


def order_actual_paid(facts: Facts) -> Iterator[Hit]:
    """What was paid is goodsValue + freight + taxTotal - discount, within the tolerance."""
    if order := facts.order:
        due = order.goods_value + order.freight + order.tax_total - order.discount
        if abs(due - order.actural_paid) > facts.book.line_tolerance:
            left = ("order.acturalPaid", order.actural_paid)
            yield _amounts("order-actual-paid", left, ("goodsValue + freight + taxTotal - discount", due))


def order_lines_numbered(facts: Facts) -> Iterator[Hit]:
    """Line numbers run from 1 without gaps or repeats."""
    numbers = [line.gnum for line in facts.order.lines] if facts.order else []
    if sorted(numbers) != list(range(1, len(numbers) + 1)):
        shown = ", ".join(map(str, numbers[:10]))
        yield Hit("order-lines-numbered", Value(shown, "order.gnum"), Value(f"1..{len(numbers)}", "expected"))


def currency_cny(facts: Facts) -> Iterator[Hit]:
    """Every amount is in CNY."""
    stated = [(facts.order, "order"), (facts.waybill, "waybill"), *((payment, "payment") for payment in facts.payments)]
    for document, name in stated:
        if document and document.currency != CNY:
            yield Hit("currency-cny", Value(document.currency, f"{name}.currency"), Value(CNY, "expected"))
    for line in facts.order.lines if facts.order else ():
        if line.currency != CNY:
            shown = Value(line.currency, "order.OrderList.currency")
            yield Hit("currency-cny", shown, Value(CNY, "expected"), line.gnum)


def draft_lines_agree(facts: Facts) -> Iterator[Hit]:
    """The draft has the order's lines: as many, and by gnum the same quantity, unit, price and total."""
    if facts.order is None or facts.draft is None:
        return
    ours = {line.gnum: line for line in facts.order.lines}
    theirs = {line.gnum: line for line in facts.draft.lines}
    if ours.keys() != theirs.keys() or len(facts.draft.lines) != len(facts.order.lines):
        counts = (Value(str(len(facts.order.lines)), "order lines"), Value(str(len(facts.draft.lines)), "draft lines"))
        yield Hit("draft-lines-agree", *counts)
        return
    for gnum, line in ours.items():
        for name in ("qty", "unit", "price", "total_price", "country"):
            left, right = getattr(line, name), getattr(theirs[gnum], name)
            if left != right:
                official = "totalPrice" if name == "total_price" else name
                shown = (Value(str(left), f"order.{official}"), Value(str(right), f"draft.{official}"))
                yield Hit("draft-lines-agree", *shown, gnum)


def draft_buyer_agrees(facts: Facts) -> Iterator[Hit]:
    """The draft names the order's buyer."""
    order, draft = facts.order, facts.draft
    if order is None or draft is None:
        return
    pairs = (
        ("buyerName", order.buyer_name, draft.buyer_name, mask_name),
        ("buyerIdNumber", order.buyer_id_number, draft.buyer_id_number, mask_number),
        ("buyerTelephone", order.buyer_telephone, draft.buyer_telephone, mask_number),
    )
    for name, ours, theirs, mask in pairs:
        if hit := compare("draft-buyer-agrees", (f"order.{name}", ours), (f"draft.{name}", theirs), mask):
            yield hit
