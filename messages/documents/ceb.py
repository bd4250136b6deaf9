"""Documents in customs XML: from a decoded business node to a document, and from a document to such a node.

A node is what the codec decodes, a dict of official names with texts as on the wire. Where CEB keeps head and lines
apart (``{"OrderHead": {...}, "OrderList": [...]}``) a document is flat: the head's fields beside the list.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from ..catalogue import message_type
from ..faults import Refused
from .document import Document
from .fields import wire_number
from .invalid import Location, faults_of, shown
from .riders import Cancellation, EntryList, Inventory, Return, WaybillStatus
from .triple import Order, Payment, Waybill


@dataclass(frozen=True, slots=True)
class Form:
    """How a message type holds a document. ``head`` is None where the node itself holds the fields."""

    message_type: str
    model: type[Document]
    head: str | None
    lines: str | None


_MODELS: dict[str, type[Document]] = {
    "CEB311Message": Order,
    "CEB411Message": Payment,
    "CEB511Message": Waybill,
    "CEB513Message": WaybillStatus,
    "CEB621Message": Inventory,
    "CEB623Message": Cancellation,
    "CEB625Message": Return,
    "CEB711Message": EntryList,
}

FORMS = {
    known.code: Form(known.code, model, known.head, known.line)
    for model, known in ((model, message_type(code)) for code, model in _MODELS.items())
}
"""Every message type that carries documents, by its code."""

_FORM_OF = {form.model: form for form in FORMS.values()}


def form_of(document: Document) -> Form:
    """The form of a document; raises KeyError for a kind that CEB does not know (transport, goods record)."""
    return _FORM_OF[type(document)]


def from_ceb(message_type: str, node: dict[str, Any], path: str = "", line: int | None = None) -> Document:
    """The document a decoded business node states.

    Raises KeyError for a message type that carries no documents and ``Refused`` for a node that is no valid document;
    its faults stand at element paths below ``path``, at ``line``.
    """
    form = FORMS[message_type]
    head = node.get(form.head, {}) if form.head else {}
    content = {name: value for name, value in node.items() if name != form.head} | head
    try:
        return form.model.model_validate(content)
    except ValidationError as error:
        raise Refused(faults_of(error, form.model, lambda at: path + _element_path(form, at), line)) from None


def _element_path(form: Form, location: Location) -> str:
    """``("OrderList", 1, "qty")`` becomes ``/OrderList[2]/qty``, ``("orderNo",)`` becomes ``/OrderHead/orderNo``."""
    steps = [f"[{step + 1}]" if isinstance(step, int) else f"/{shown(step)}" for step in location]
    in_head = form.head and location and location[0] != form.lines
    return "".join([f"/{form.head}" if in_head else "", *steps])


def to_ceb(document: Document) -> dict[str, Any]:
    """The business node of a document, every value as text for the wire; raises KeyError as ``form_of`` does."""
    form = form_of(document)
    content = document.model_dump(by_alias=True, exclude_none=True, exclude=set(document.outside_ceb))
    lines = {form.lines: [_texts(line) for line in content.pop(form.lines)]} if form.lines else {}
    fields = _texts(content)
    return {form.head: fields, **lines} if form.head else fields


def _texts(fields: dict[str, Any]) -> dict[str, str]:
    return {name: wire_number(value) if isinstance(value, Decimal) else str(value) for name, value in fields.items()}
