"""Linking (关联): which of the documents around an order belong to its case, and on what evidence.

- A payment belongs by platform and order number, as at customs. A merged payment (one transaction for several
  orders) names one of them; the others belong to it when they and that one all name its transaction and its payer is
  their buyer.
- A waybill has an order number but no platform, so it belongs only with support: the order names carrier and number,
  or its sender is bound to the platform, or consignee and phone agree. The strongest support wins; equal claims leave
  the case ambiguous.

Source of the keys: PDF202205 (order-payment by ebpCode and orderNo, inventory-waybill by logisticsCode and
logisticsNo). Source of the support: our own decision, because customs never needs it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import TypeGuard

from ..messages.documents.riders import Cancellation, Inventory, Return, WaybillStatus
from ..messages.documents.triple import Order, Payment, Waybill
from ..messages.personal import normalised
from .evidence import CaseKey, Held, case_key


class Support(IntEnum):
    """What supports a waybill for an order, weakest first."""

    NONE = 0
    CONSIGNEE = 1
    SENDER = 2
    NAMED = 3


@dataclass(frozen=True, slots=True)
class Link:
    """The evidence that a document belongs to a case; ``amount`` is the share of a payment that pays this order."""

    held: Held
    basis: str
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A document that almost belongs: what agrees and what does not (rule code of the finding that shows it)."""

    rule: str
    held: Held
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Linkage:
    """Everything that belongs to one case, and what almost does."""

    key: CaseKey
    order: Link | None = None
    draft: Link | None = None
    payments: tuple[Link, ...] = ()
    waybill: Link | None = None
    riders: tuple[Link, ...] = ()
    paid_together: tuple[Held, ...] = ()
    """All orders the linked payments pay, this one included."""
    near_misses: tuple[NearMiss, ...] = ()
    ambiguous: bool = False

    @property
    def links(self) -> tuple[Link, ...]:
        """Every link of the case."""
        single = (link for link in (self.order, self.draft, self.waybill) if link)
        return (*single, *self.payments, *self.riders)

    @property
    def concerned(self) -> frozenset[int]:
        """The documents (ids) whose declarations concern the case: its own, and all orders it is paid with."""
        return frozenset(each.held.id for each in self.links).union(order.id for order in self.paid_together)


def link(
    key: CaseKey,
    around: Sequence[Held],
    declared: frozenset[int] = frozenset(),
    elsewhere: frozenset[int] = frozenset(),
) -> Linkage:
    """Link the documents ``around`` a case: all that share a key with its order, however distant the platform.

    ``declared`` names documents (ids) whose link has gone to customs with a declaration that stands: such a link
    holds, and a rival to it is only a near miss. ``elsewhere`` names those declared with other cases: they are taken.
    """
    live = [held for held in around if not held.withdrawn]
    order = next((held for held in live if isinstance(held.document, Order) and case_key(held.document) == key), None)
    draft = next((h for h in live if isinstance(h.document, Inventory) and case_key(h.document) == key), None)
    payments, together, misses = _payments(key, order, live)
    waybill, rivals, ambiguous = _waybill(_Scene(key, order, draft, live, declared, elsewhere))
    return Linkage(
        key,
        order=order and Link(order, "order number"),
        draft=draft and Link(draft, "order number"),
        payments=payments,
        waybill=waybill,
        riders=_riders(key, waybill, live),
        paid_together=together,
        near_misses=(*misses, *rivals),
        ambiguous=ambiguous,
    )


def _payments(
    key: CaseKey, order: Held | None, live: Sequence[Held]
) -> tuple[tuple[Link, ...], tuple[Held, ...], list[NearMiss]]:
    payments = [held for held in live if isinstance(held.document, Payment)]
    orders = [held for held in live if isinstance(held.document, Order)]
    by_number = [held for held in payments if case_key(held.document) == key]
    links = [_numbered(held, order, orders) for held in by_number]
    misses: list[NearMiss] = []
    for held in payments:
        if order is None or held in by_number or not _names(order.document, held.document):
            continue
        if order in _merged(held.document, orders):
            links.append(Link(held, "transaction", _paid(order)))
        else:
            misses.append(NearMiss("payment-near-miss", held, key.order_no, _payment(held).order_no))
    together = {paid.id: paid for each in links for paid in _merged(each.held.document, orders)}
    if order:
        together.setdefault(order.id, order)
    links.sort(key=lambda each: each.held.id)
    return tuple(links), tuple(together.values()), misses


def _numbered(held: Held, order: Held | None, orders: Iterable[Held]) -> Link:
    merged = len(_merged(held.document, orders)) > 1
    amount = _paid(order) if merged and order else _payment(held).amount_paid
    return Link(held, "order number", amount)


def _merged(payment: object, orders: Iterable[Held]) -> list[Held]:
    """The orders one payment pays: several only if each names the transaction and is bought by the payer."""
    if not isinstance(payment, Payment):
        return []
    own = [each for each in orders if case_key(each.document) == case_key(payment)]
    if not own or not _names(own[0].document, payment):
        return own
    return [each for each in orders if each in own or (_names(each.document, payment) and _bought_by(each, payment))]


def _names(order: object, payment: object) -> bool:
    return (
        isinstance(order, Order)
        and isinstance(payment, Payment)
        and order.ebp_code == payment.ebp_code
        and (order.pay_code, order.pay_transaction_id) == (payment.pay_code, payment.pay_transaction_id)
    )


def _bought_by(order: Held, payment: Payment) -> bool:
    return normalised(_order(order).buyer_id_number) == normalised(payment.payer_id_number)


@dataclass(frozen=True, slots=True)
class _Scene:
    """What waybills are judged in: the order and its draft, everything around, and what has been declared where."""

    key: CaseKey
    order: Held | None
    draft: Held | None
    live: Sequence[Held]
    declared: frozenset[int]
    elsewhere: frozenset[int]


def _waybill(scene: _Scene) -> tuple[Link | None, list[NearMiss], bool]:
    key, order, live = scene.key, scene.order, scene.live
    waybills = _in_use((held for held in live if isinstance(held.document, Waybill)), scene.declared)
    standing = next((held for held in waybills if held.id in scene.declared), None)
    if order is None:
        return (Link(standing, "declared") if standing else None), [], False
    taken = [held for held in waybills if held.id in scene.elsewhere and _support(order, scene.draft, held)]
    free = [held for held in waybills if held.id not in scene.elsewhere]
    supported = sorted(((_support(order, scene.draft, held), held.id, held) for held in free), reverse=True)
    rivalled = [(support, held, _rivalry(held, order, live)) for support, _, held in supported if support]
    claims = [(support, held) for support, held, rival in rivalled if support > rival]
    claimed = {held.id for _, held in claims}
    shown = claimed.union(held.id for held in taken)
    misses = [_missed(key, held) for held in waybills if held.id not in shown and _touches(order, held)]
    misses += [_missed(key, held, "waybill-reused") for held in taken]
    if standing:
        misses = [each for each in misses if each.held is not standing]
        misses += [_missed(key, held, "waybill-rival") for _, held in claims if held is not standing]
        if _rivalry(standing, order, live):
            misses.append(_missed(key, standing, "order-rival"))
        return Link(standing, "declared"), misses, False
    if not claims:
        return None, misses, any(support == rival for support, _, rival in rivalled)
    best, chosen = claims[0]
    if len(claims) > 1 and claims[1][0] == best:
        return None, [_missed(key, held, "waybill-rival") for _, held in claims], True
    weaker = [_missed(key, held, "waybill-rival") for _, held in claims[1:]]
    return Link(chosen, _BASIS[best]), misses + weaker, False


def _in_use(waybills: Iterable[Held], declared: frozenset[int]) -> list[Held]:
    """Of a number that a carrier used again, the latest use; and whatever has been declared."""
    waybills = list(waybills)
    latest: dict[tuple[str, ...], int] = {}
    for held in waybills:
        latest[held.document.key] = max(held.generation, latest.get(held.document.key, 0))
    return [held for held in waybills if held.generation == latest[held.document.key] or held.id in declared]


_BASIS = {
    Support.NAMED: "named by the order",
    Support.SENDER: "sender bound to the platform",
    Support.CONSIGNEE: "consignee and phone agree",
}


def _support(order: Held, draft: Held | None, held: Held) -> Support:
    """How strongly the evidence ties a waybill to an order; without an equal order number nothing does."""
    placed, waybill = order.document, held.document
    if not isinstance(placed, Order) or not isinstance(waybill, Waybill) or waybill.order_no != placed.order_no:
        return Support.NONE
    named = [(placed.logistics_code, placed.logistics_no)]
    if draft and isinstance(draft.document, Inventory):
        named.append((draft.document.logistics_code, draft.document.logistics_no))
    if tuple(waybill.key) in named:
        return Support.NAMED
    if held.bound_to == placed.ebp_code:
        return Support.SENDER
    agrees = normalised(waybill.consignee) == normalised(placed.consignee) and normalised(
        waybill.consignee_telephone
    ) == normalised(placed.consignee_telephone)
    return Support.CONSIGNEE if agrees else Support.NONE


def _rivalry(held: Held, order: Held, live: Sequence[Held]) -> Support:
    """The strongest claim any other order has on the waybill, by itself or by its draft."""
    drafts = {case_key(each.document): each for each in live if isinstance(each.document, Inventory)}
    rivals = (other for other in live if isinstance(other.document, Order) and other.id != order.id)
    claims = (_support(other, drafts.get(case_key(other.document)), held) for other in rivals)
    return max(claims, default=Support.NONE)


def _touches(order: Held, held: Held) -> bool:
    placed, waybill = _order(order), _waybill_of(held)
    return waybill.order_no == placed.order_no or tuple(waybill.key) == (placed.logistics_code, placed.logistics_no)


def _missed(key: CaseKey, held: Held, rule: str = "waybill-near-miss") -> NearMiss:
    return NearMiss(rule, held, key.order_no, _waybill_of(held).order_no)


def _riders(key: CaseKey, waybill: Link | None, live: Iterable[Held]) -> tuple[Link, ...]:
    found = [Link(h, "order number") for h in live if _is_after(h.document) and case_key(h.document) == key]
    if waybill:
        found += [Link(held, "waybill") for held in live if _tells_of(held, waybill.held)]
    return tuple(found)


def _tells_of(held: Held, waybill: Held) -> bool:
    """Whether a waybill status is of this use of the number, not of one before it."""
    same = isinstance(held.document, WaybillStatus) and held.document.key == _waybill_of(waybill).key
    # a status may come before its waybill, and the first status of a number may belong to its second use
    return same and (held.generation == waybill.generation or held.first_at >= waybill.first_at)


def _is_after(document: object) -> TypeGuard[Cancellation | Return]:
    return isinstance(document, Cancellation | Return)


def _order(held: Held) -> Order:
    if not isinstance(held.document, Order):
        raise TypeError("not an order")
    return held.document


def _payment(held: Held) -> Payment:
    if not isinstance(held.document, Payment):
        raise TypeError("not a payment")
    return held.document


def _waybill_of(held: Held) -> Waybill:
    if not isinstance(held.document, Waybill):
        raise TypeError("not a waybill")
    return held.document


def _paid(order: Held) -> Decimal:
    return _order(order).actural_paid
