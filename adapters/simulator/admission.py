"""Admission: what e-port makes of one document, held against what it holds already.

Codes, and what they say of re-declaration: table 7-2 of the specification 202205. Limits: 财关税[2018]49. Before the
release an inventory is cancelled, after it sent back: practice of declarants.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ...messages.chinatime import DAY_MS, months_before
from .filing import STORED, TRIPLE, Filing, reaches
from .script import Step
from .tax import SINGLE_LIMIT, YEARLY_LIMIT, dutiable, is_single_item
from .texts import CODES, noun, refusal
from .world import World

REUSE_MONTHS = 6
"""After how long a carrier may use a waybill number again (specification 202205)."""
RETURN_DAYS = 30
"""How long after its release an inventory may be sent back (GACC 2020-45)."""

NEW = "1"
"""appType of a document that is declared for the first time."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a document is admitted under: the moment, and which of the three documents no inventory needs here."""

    now_ms: int
    assumed: frozenset[str] = frozenset()


Check = Callable[[World, Filing, Conditions], Step | None]


def refused(world: World, filing: Filing, conditions: Conditions) -> Step | None:
    """The answer by which e-port refuses a document, or None when it takes it in."""
    only_stored = filing.head["appStatus"] == STORED
    checks = (_lines, _operation, *(() if only_stored else _CHECKS.get(filing.short, ())))
    return next((step for check in checks if (step := check(world, filing, conditions))), None)


def inventory_of(world: World, filing: Filing, now_ms: int) -> Filing | None:
    """The inventory that stands for the same order, or for a waybill's number; never the filing itself."""
    waybill = filing.short == "511"
    for each in world.linked(filing.link("waybill" if waybill else "order"), "621"):
        of_earlier_use = waybill and _is_free_again(each, now_ms)
        if each.id != filing.id and each.stands(now_ms) and not of_earlier_use:
            return each
    return None


def bought(world: World, inventory: Filing, now_ms: int, eport: str | None = None) -> Decimal:
    """What the buyer has bought this year in yuan, this inventory apart: by one e-port's books, or by customs'."""
    return sum(
        (
            dutiable(each) - _sent_back(world, each, now_ms)
            for each in world.linked(inventory.link("person"), "621")
            if each.id != inventory.id and each.year == inventory.year and each.stands(now_ms)
            if eport in (None, each.eport)
        ),
        Decimal(0),
    )


def returned(world: World, invt_no: str, counts: Callable[[Filing], bool]) -> Mapping[str, Decimal]:
    """How much of each line (gnum) of an inventory the returns that count send back."""
    quantities: dict[str, Decimal] = defaultdict(Decimal)
    for each in world.linked(("inventory", invt_no), "625"):
        if counts(each):
            for line in each.lines:
                quantities[line["gnum"]] += Decimal(line["qty"])
    return quantities


def granted(filing: Filing, now_ms: int) -> bool:
    """Whether a cancellation or return has been granted by then."""
    return reaches(filing.step_at(now_ms), "decided")


def _sent_back(world: World, inventory: Filing, now_ms: int) -> Decimal:
    quantities = returned(world, inventory.numbers.get("invtNo", ""), lambda each: granted(each, now_ms))
    return sum((Decimal(line["price"]) * quantities[line["gnum"]] for line in inventory.lines), Decimal(0))


def _lines(_world: World, filing: Filing, _conditions: Conditions) -> Step | None:
    serials = [line["gnum"] for line in filing.lines]
    if len(set(serials)) == len(serials):
        return None
    return refusal(CODES[filing.short].twice, filing.head, reason="表体gnum重复")


def _operation(world: World, filing: Filing, conditions: Conditions) -> Step | None:
    """Whether what is asked (new, change, delete) can be done to what is held, and is newer than that."""
    code = _operation_code(world, filing, conditions.now_ms)
    return refusal(code, filing.head, reason="appType不正确") if code else None


def _operation_code(world: World, filing: Filing, now_ms: int) -> str | None:
    codes = CODES[filing.short]
    asked, time = filing.head["appType"], filing.head["appTime"]
    held = world.filing(filing.id)
    if asked not in codes.operations:
        return codes.operation
    if held is None or held.ended(now_ms) or (held.short == "511" and _is_free_again(held, now_ms)):
        return None if asked == NEW else codes.unknown
    if time < held.head["appTime"]:
        return codes.stale
    if asked == NEW or time == held.head["appTime"]:
        return codes.duplicate if held.stands(now_ms) else None
    return codes.locked if _locked(world, held, now_ms) else None


def _is_free_again(filing: Filing, now_ms: int) -> bool:
    """Whether a waybill number that was used by then may be used again."""
    return filing.taken_ms < months_before(now_ms, REUSE_MONTHS)


def _locked(world: World, held: Filing, now_ms: int) -> bool:
    if held.short in TRIPLE:
        return inventory_of(world, held, now_ms) is not None
    return held.short in ("621", "625") and reaches(held.step_at(now_ms), "accepted")


def _only_once(world: World, filing: Filing, conditions: Conditions) -> Step | None:
    if inventory_of(world, filing, conditions.now_ms) is None:
        return None
    return refusal("-621004", filing.head)


def _complete(world: World, filing: Filing, conditions: Conditions) -> Step | None:
    """The three documents have to be there first; the table has no code of its own for that."""
    missing = [
        noun(short)
        for short in TRIPLE
        if short not in conditions.assumed
        and not any(each.present(conditions.now_ms) for each in matched_with(world, filing, short))
    ]
    return refusal("-621003", filing.head, reason=f"未找到对应的{'、'.join(missing)}") if missing else None


def matched_with(world: World, inventory: Filing, short: str) -> list[Filing]:
    """The orders, payments or waybills an inventory is matched with.

    A payment belongs to the order it names, and to one that names the payment: it may cover several.
    """
    if short == "511":
        return world.linked(inventory.link("waybill"), short)
    found = world.linked(inventory.link("order"), short)
    if short == "411":
        named = [each for order in world.linked(inventory.link("order"), "311") for each in _paid_by(world, order)]
        found += [each for each in named if each not in found]
    return found


def _paid_by(world: World, order: Filing) -> list[Filing]:
    return world.linked(order.link("transaction"), "411")


def _limits(world: World, filing: Filing, conditions: Conditions) -> Step | None:
    amount = dutiable(filing)
    if amount > SINGLE_LIMIT and not is_single_item(filing):
        return refusal("-621005", filing.head, limit=SINGLE_LIMIT)
    used = bought(world, filing, conditions.now_ms, filing.eport)
    if used + amount > YEARLY_LIMIT:
        person = filing.head["buyerIdNumber"]
        return refusal("-621018", filing.head, person=person, used=used, limit=YEARLY_LIMIT)
    return None


def _cancellable(world: World, filing: Filing, conditions: Conditions) -> Step | None:
    inventories = world.linked(filing.link("inventory"), "621")
    if not inventories:
        return refusal("-623003", filing.head)
    others = world.linked(filing.link("inventory"), "623")
    if any(each.id != filing.id and each.stands(conditions.now_ms) for each in others):
        return refusal("-623009", filing.head)
    step = inventories[-1].step_at(conditions.now_ms)
    open_ = inventories[-1].stands(conditions.now_ms) and not reaches(step, "released")
    return None if open_ else refusal("-623005", filing.head)


def _returnable(world: World, filing: Filing, conditions: Conditions) -> Step | None:
    inventories = world.linked(filing.link("inventory"), "621")
    if not inventories:
        return refusal("-625032", filing.head)
    inventory = inventories[-1]
    released = inventory.reached_ms("released")
    if released is None or released > conditions.now_ms or not inventory.stands(conditions.now_ms):
        return refusal("-625004", filing.head, reason="清单尚未放行或已撤销、已退货")
    if conditions.now_ms - released > RETURN_DAYS * DAY_MS:
        return refusal("-625004", filing.head, reason=f"已超过放行后{RETURN_DAYS}日")
    return _returnable_lines(world, filing, inventory, conditions.now_ms)


def _returnable_lines(world: World, filing: Filing, inventory: Filing, now_ms: int) -> Step | None:
    declared = {(line["gnum"], line["gcode"]): Decimal(line["qty"]) for line in inventory.lines}
    taken = returned(world, filing.head["invtNo"], lambda each: each.id != filing.id and each.stands(now_ms))
    for line in filing.lines:
        quantity = declared.get((line["gnum"], line["gcode"]))
        if quantity is None:
            return refusal("-625209", filing.head, gnum=line["gnum"], gcode=line["gcode"])
        if Decimal(line["qty"]) + taken.get(line["gnum"], 0) > quantity:
            return refusal("-625004", filing.head, reason="退货数量超过清单数量")
    return None


_CHECKS: dict[str, tuple[Check, ...]] = {
    "621": (_only_once, _complete, _limits),
    "623": (_cancellable,),
    "625": (_returnable,),
}
