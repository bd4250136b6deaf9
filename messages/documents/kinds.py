"""The kinds of documents."""

from .companions import GoodsRecord, Transport
from .document import BusDocument, Document
from .riders import Cancellation, EntryList, Inventory, Return, WaybillStatus
from .triple import Order, Payment, Waybill

BUS_KINDS: dict[str, type[BusDocument]] = {
    model.kind: model for model in (Order, Payment, Waybill, Transport, GoodsRecord)
}
"""What parties push as JSON; the routing key is ``import.`` and the kind."""

KINDS: dict[str, type[Document]] = {
    **BUS_KINDS,
    **{model.kind: model for model in (Inventory, WaybillStatus, Cancellation, Return, EntryList)},
}
"""Every kind, those that arrive as customs XML only included."""
