"""Evidence: a document as the gateway holds it, and the keys by which documents find each other."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ..messages.documents.companions import GoodsRecord, Transport
from ..messages.documents.document import Document
from ..messages.documents.riders import Cancellation, Inventory, Return, WaybillStatus
from ..messages.documents.triple import Order, Payment, Waybill

IMPORT = "import"


class CaseKey(NamedTuple):
    """What a case is about: direction, scope (ebpCode for import) and order number."""

    direction: str
    scope: str
    order_no: str

    def __str__(self) -> str:
        return key_text(self)


class LinkKey(NamedTuple):
    """A value that several documents share and by which they may belong together."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Held:
    """One document as it is held: its current version. ``bound_to`` is the platform its sender is bound to, if any."""

    id: int
    version: int
    document: Document
    generation: int = 1
    app_time: int = 0
    withdrawn: bool = False
    bound_to: str | None = None
    first_at: int = 0
    relay_id: int | None = None

    @property
    def kind(self) -> str:
        """The kind of the document."""
        return self.document.kind


def key_text(parts: Iterable[str]) -> str:
    """Official values joined into one readable text, unambiguously: ``a/b`` for a and b, a slash inside escaped."""
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


def key_parts(text: str) -> tuple[str, ...]:
    """The values ``key_text`` joined."""
    return tuple(part.replace("%2F", "/").replace("%25", "%") for part in text.split("/"))


def identity_key(document: Document) -> LinkKey:
    """The key under which the document itself is known."""
    return LinkKey(document.kind, key_text(document.key))


def order_key(ebp_code: str, order_no: str) -> LinkKey:
    """Shared by an order, its payments, its drafts and what follows them."""
    return LinkKey("order", key_text((ebp_code, order_no)))


def waybill_key(logistics_code: str, logistics_no: str) -> LinkKey:
    """Shared by a waybill and whoever names it."""
    return LinkKey("waybill", key_text((logistics_code, logistics_no)))


def payment_key(pay_code: str, pay_transaction_id: str) -> LinkKey:
    """Shared by a payment and the orders that name it."""
    return LinkKey("payment", key_text((pay_code, pay_transaction_id)))


def transport_key(logistics_code: str, bill_no: str) -> LinkKey:
    """The master bill a waybill names and a transport describes."""
    return LinkKey("transport", key_text((logistics_code, bill_no)))


def goods_key(ebc_code: str, item_no: str) -> LinkKey:
    """A merchant's item number."""
    return LinkKey("goods", key_text((ebc_code, item_no)))


def barcode_key(ebc_code: str, bar_code: str) -> LinkKey:
    """A merchant's item by its bar code, which stands in where an order line has no item number."""
    return LinkKey("barcode", key_text((ebc_code, bar_code)))


def link_keys(document: Document) -> tuple[LinkKey, ...]:
    """Every key the document is known by or names, its own first."""
    own = identity_key(document)
    match document:
        case Order():
            more = [LinkKey("order-number", document.order_no)]
            if document.pay_code and document.pay_transaction_id:
                more.append(payment_key(document.pay_code, document.pay_transaction_id))
            if document.logistics_code and document.logistics_no:
                more.append(waybill_key(document.logistics_code, document.logistics_no))
        case Payment():
            more = [order_key(document.ebp_code, document.order_no)]
        case Waybill():
            more = [LinkKey("order-number", document.order_no)]
        case Inventory() | Cancellation() | Return():
            more = [
                order_key(document.ebp_code, document.order_no),
                waybill_key(document.logistics_code, document.logistics_no),
            ]
        case WaybillStatus():
            more = [waybill_key(document.logistics_code, document.logistics_no)]
        case GoodsRecord() if document.bar_code:
            more = [barcode_key(document.ebc_code, document.bar_code)]
        case _:
            more = []
    return (own, *more)


def case_key(document: Document) -> CaseKey | None:
    """The case a document names by itself; a waybill names none, because an order number alone names no platform."""
    if isinstance(document, Order | Payment | Inventory | Cancellation | Return):
        return CaseKey(IMPORT, document.ebp_code, document.order_no)
    return None


REFERENCE = (Transport, GoodsRecord)
"""Documents that describe something many cases share; they are read, never linked."""
