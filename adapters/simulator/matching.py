"""Matching: customs' own checks of an inventory against its order, payments and waybill.

What is linked by what: specification 202205. Codes: receipts seen in practice; where their texts name the values that
differ, so do these. Documents that are not here are not compared.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from .admission import bought, matched_with
from .filing import Filing
from .tax import YEARLY_LIMIT, dutiable
from .texts import customs_text
from .world import World

_LINE_NUMBERS = ("qty", "price")


@dataclass(frozen=True, slots=True)
class Triple:
    """An inventory with the documents it is matched with, and what its buyer has bought this year in yuan."""

    inventory: Filing
    orders: tuple[Filing, ...]
    payments: tuple[Filing, ...]
    waybills: tuple[Filing, ...]
    sharing: tuple[Filing, ...]
    """Every order that these payments pay for."""
    bought: Decimal


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What customs finds: its code and the details of its text."""

    code: str
    detail: str = ""

    @property
    def text(self) -> str:
        """The returnInfo that tells of it."""
        return customs_text(self.code, self.detail)


def triple_of(world: World, inventory: Filing, now_ms: int) -> Triple:
    """Gather what customs compares with an inventory."""

    def matched(short: str) -> tuple[Filing, ...]:
        return tuple(each for each in matched_with(world, inventory, short) if each.present(now_ms))

    payments = matched("411")
    sharing: dict[tuple[str, ...], Filing] = {}
    for payment in payments:
        for link in (payment.link("order"), payment.link("transaction")):
            sharing |= {each.id: each for each in world.linked(link, "311") if each.present(now_ms)}
    return Triple(
        inventory,
        matched("311"),
        payments,
        matched("511"),
        tuple(sharing.values()),
        bought(world, inventory, now_ms),
    )


def mismatch(triple: Triple) -> Mismatch | None:
    """The first thing for which customs refuses the inventory; None when everything agrees."""
    return next((found for check in _CHECKS for found in check(triple)), None)


def needs_review(triple: Triple) -> bool:
    """Whether an officer has to look at it, because order and waybill name another consignee, phone or address."""
    fields = ("consignee", "consigneeTelephone", "consigneeAddress")
    return any(
        order.head[name].strip() != waybill.head[name].strip()
        for order in triple.orders
        for waybill in triple.waybills
        for name in fields
    )


def _line_count(triple: Triple) -> Iterator[Mismatch]:
    for order in triple.orders:
        if len(order.lines) != len(triple.inventory.lines):
            yield Mismatch("1320", f"订单编号：{order.head['orderNo']}，{triple.inventory.head['orderNo']}")


def _line_content(triple: Triple) -> Iterator[Mismatch]:
    declared = {line["gnum"]: line for line in triple.inventory.lines}
    for order in triple.orders:
        for line in order.lines:
            if not _same_item(line, declared.get(line["gnum"])):
                yield Mismatch("1322", f"gnum：{line['gnum']}")


def _same_item(ordered: Mapping[str, str], declared: Mapping[str, str] | None) -> bool:
    """Quantity, price and, where both name it, item number; an inventory has no room for every item number."""
    if declared is None or any(Decimal(ordered[name]) != Decimal(declared[name]) for name in _LINE_NUMBERS):
        return False
    named = ordered.get("itemNo") and declared.get("itemNo")
    return not named or ordered["itemNo"] == declared["itemNo"]


def _buyer_name(triple: Triple) -> Iterator[Mismatch]:
    if any(_differ(triple.inventory, "buyerName", order, "buyerName") for order in triple.orders):
        yield Mismatch("13127")


def _buyer_phone(triple: Triple) -> Iterator[Mismatch]:
    if any(_differ(triple.inventory, "buyerTelephone", order, "buyerTelephone") for order in triple.orders):
        yield Mismatch("130126")


def _pay_code(triple: Triple) -> Iterator[Mismatch]:
    named = [order for order in triple.orders if order.head.get("payCode")]
    if any(_differ(order, "payCode", payment, "payCode") for order in named for payment in triple.payments):
        yield Mismatch("13035")


def _amounts(triple: Triple) -> Iterator[Mismatch]:
    if not (triple.orders and triple.payments):
        return
    paid = sum((Decimal(each.head["amountPaid"]) for each in triple.payments), Decimal(0))
    owed = sum((Decimal(each.head["acturalPaid"]) for each in triple.sharing), Decimal(0))
    if paid != owed:
        yield Mismatch("1332", f"支付金额：{paid:f}，订单金额：{owed:f}")


def _payer(triple: Triple) -> Iterator[Mismatch]:
    for order in triple.orders:
        for payment in triple.payments:
            if _differ(order, "buyerName", payment, "payerName") or _differ(
                order, "buyerIdNumber", payment, "payerIdNumber"
            ):
                yield Mismatch("1327")


def _yearly_limit(triple: Triple) -> Iterator[Mismatch]:
    total = triple.bought + dutiable(triple.inventory)
    if total > YEARLY_LIMIT:
        yield Mismatch("1313", f"totalPrice：{total:f}，limitPrice：{YEARLY_LIMIT:f}")


def _differ(one: Filing, name: str, other: Filing, its_name: str) -> bool:
    return one.head[name].strip() != other.head[its_name].strip()


_CHECKS: tuple[Callable[[Triple], Iterator[Mismatch]], ...] = (
    _line_count,
    _line_content,
    _buyer_name,
    _buyer_phone,
    _pay_code,
    _amounts,
    _payer,
    _yearly_limit,
)
