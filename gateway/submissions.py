"""Submissions: a delivery taken apart into documents and faults, before anything is decided about them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from ..adapters.signing.verification import verify_message
from ..messages.catalogue import MessageType, message_type
from ..messages.codec import load_codec
from ..messages.documents.ceb import FORMS, from_ceb
from ..messages.documents.document import Document, Part
from ..messages.documents.parsing import DeliveryLimits, parse_json
from ..messages.documents.riders import EntryList
from ..messages.faults import Fault, Refused, fault
from ..messages.reading import Reading, envelope_data, read
from ..messages.xml import XmlLimits, parse
from .amounts import AMOUNT_MAX

CEB = "ceb"
"""The routing key of customs XML."""
JSON_KEYS = "import."
"""What the routing key of a JSON delivery begins with; the kind of its documents follows."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """A delivery as it reaches intake, from the bus or over HTTP."""

    routing_key: str
    content_type: str
    body: bytes = field(repr=False)
    party: str | None = None
    """The party it comes from, as far as the way it came tells."""
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """One document of a delivery, or the faults for which it is none.

    ``raw`` are its own bytes; in a message of customs XML a document has none, there the message is kept whole.
    """

    index: int
    kind: str
    raw: bytes = field(repr=False)
    document: Document | None = None
    faults: tuple[Fault, ...] = ()
    fault_count: int = 0


@dataclass(frozen=True, slots=True)
class Relay:
    """A signed message, to be handed on byte for byte."""

    message_type: str
    guid: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Submitted:
    """A delivery as it was read: its documents, or why there are none, and what was tolerated on the way."""

    submissions: tuple[Submission, ...] = ()
    faults: tuple[Fault, ...] = ()
    notices: tuple[Fault, ...] = ()
    relay: Relay | None = None


def submitted(pushed: Pushed, limits: DeliveryLimits) -> Submitted:
    """Read a delivery by its routing key; what cannot be read is said in ``faults`` and loses nothing else."""
    if pushed.routing_key != CEB and not pushed.routing_key.startswith(JSON_KEYS):
        return Submitted(faults=(fault("delivery-routing-key"),))
    try:
        return _ceb(pushed.body, limits) if pushed.routing_key == CEB else _json(pushed, limits)
    except Refused as refused:
        return Submitted(faults=tuple(refused.faults))


def _json(pushed: Pushed, limits: DeliveryLimits) -> Submitted:
    kind = pushed.routing_key.removeprefix(JSON_KEYS)
    found: list[Submission] = []
    for each in parse_json(kind, pushed.body, pushed.content_type, limits):
        faults = each.faults or tuple(_out_of_range(each.document, f"/{each.index}"))
        document = None if faults else each.document
        found.append(Submission(each.index, kind, each.raw, document, faults, max(each.fault_count, len(faults))))
    return Submitted(tuple(found))


def _ceb(body: bytes, limits: DeliveryLimits) -> Submitted:
    reading = read(body, XmlLimits(bytes_max=limits.bytes_max))
    known = message_type(reading.message_type)
    if known.code not in FORMS or FORMS[known.code].model is EntryList:
        raise Refused(fault("delivery-message-type", f"/{known.code}", name=known.code))
    if len(reading.nodes) > limits.documents_max:
        raise Refused(fault("document-count", limit=limits.documents_max))
    relay = _relay(body, reading, known) if reading.signed else None
    found: list[Submission] = []
    for index, node in enumerate(reading.nodes):
        kind = FORMS[known.code].model.kind
        try:
            document = from_ceb(known.code, node.content, node.path, node.line)
        except Refused as refused:
            found.append(Submission(index, kind, b"", None, tuple(refused.faults), len(refused.faults)))
            continue
        faults = tuple(_out_of_range(document, node.path))
        found.append(Submission(index, kind, b"", None if faults else document, faults, len(faults)))
    return Submitted(tuple(found), notices=reading.tolerated, relay=relay)


def _relay(body: bytes, reading: Reading, known: MessageType) -> Relay:
    """The signed message itself, taken out of its envelope; it must be valid and its signature must hold."""
    data = body if reading.envelope is None else envelope_data(parse(body))
    root = parse(data)
    if faults := load_codec().check(root):
        raise Refused(faults)
    verification = verify_message(root)
    if not verification.ok:
        raise Refused(verification.faults())
    return Relay(known.code, reading.guid or "", data)


def _out_of_range(document: Document | None, path: str) -> Iterator[Fault]:
    if document is None:
        return
    yield from _large(document, path)
    lines = getattr(document, "lines", ())
    for number, line in enumerate(lines):
        yield from _large(line, f"{path}/{type(document).model_fields['lines'].alias}/{number}")


def _large(part: Part, path: str) -> Iterator[Fault]:
    for name, value in part:
        if isinstance(value, Decimal) and abs(value) >= AMOUNT_MAX:
            official = type(part).model_fields[name].alias or name
            yield fault("document-amount", f"{path}/{official}", limit=f"{AMOUNT_MAX:f}")
