"""Documents: what one party states about a purchase. Models, pushed JSON, and the same documents in customs XML."""

from .ceb import FORMS, Form, form_of, from_ceb, to_ceb
from .companions import GoodsKey, GoodsRecord, Transport, TransportKey
from .document import BusDocument, Document, Identity, Part
from .kinds import BUS_KINDS, KINDS
from .parsing import DELIVERY_LIMITS, JSON, NDJSON, DeliveryLimits, Parsed, parse_json
from .riders import Cancellation, EntryList, Inventory, Return, WaybillStatus
from .triple import Order, OrderKey, Payment, PaymentKey, Waybill, WaybillKey

__all__ = [
    "BUS_KINDS",
    "DELIVERY_LIMITS",
    "FORMS",
    "JSON",
    "KINDS",
    "NDJSON",
    "BusDocument",
    "Cancellation",
    "DeliveryLimits",
    "Document",
    "EntryList",
    "Form",
    "GoodsKey",
    "GoodsRecord",
    "Identity",
    "Inventory",
    "Order",
    "OrderKey",
    "Parsed",
    "Part",
    "Payment",
    "PaymentKey",
    "Return",
    "Transport",
    "TransportKey",
    "Waybill",
    "WaybillKey",
    "WaybillStatus",
    "form_of",
    "from_ceb",
    "parse_json",
    "to_ceb",
]
