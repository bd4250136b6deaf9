"""Pushing: files of documents as deliveries no larger than intake takes by default."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..messages.documents.kinds import BUS_KINDS
from ..messages.documents.parsing import DELIVERY_LIMITS, JSON, NDJSON, DeliveryLimits, parse_json
from ..messages.faults import Refused, fault
from .submissions import CEB, JSON_KEYS, Pushed

DOCUMENTS_MAX = 100
XML = "application/xml"
_ANY_SIZE = DeliveryLimits(bytes_max=1 << 30, documents_max=1_000_000)
_TELLING = {
    "OrderList": "order",
    "amountPaid": "payment",
    "weight": "waybill",
    "trafNo": "transport",
    "gcode": "goods",
}
"""A field each kind of document has and no other."""


def deliveries_of(file: Path, routing_key: str | None) -> Iterator[Pushed]:
    """The deliveries a file makes.

    The routing key is the given one, else the one in the file's name (``orders.import.order.jsonl``), else what the
    content tells: XML is ``ceb``, JSON the kind whose fields it has. Raises Refused when nothing tells.
    """
    data = file.read_bytes()
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        yield Pushed(routing_key or CEB, XML, data)
        return
    if file.suffix in (".jsonl", ".ndjson"):
        lines = [line for line in data.splitlines() if line.strip()]
        key = routing_key or _named(file) or _told(lines[0] if lines else b"")
        for several in _fitting(lines or [b""]):
            yield Pushed(key, NDJSON, b"\n".join(several))
        return
    key = routing_key or _named(file) or _told(data)
    for part in _parts(key.removeprefix(JSON_KEYS), data):
        yield Pushed(key, JSON, part)


def _parts(kind: str, data: bytes) -> Iterator[bytes]:
    """A list longer than a delivery may be, cut between its elements; anything else as it is, faults included."""
    try:
        elements = [each.raw for each in parse_json(kind, data, JSON, _ANY_SIZE)]
    except Refused:
        elements = []
    if not elements or (len(elements) <= DOCUMENTS_MAX and len(data) <= DELIVERY_LIMITS.bytes_max):
        yield data
        return
    for several in _fitting(elements):
        yield b"[" + b",".join(several) + b"]"


def _fitting(documents: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The documents in order, in groups that one delivery may hold; one too large for any stands alone."""
    group: list[bytes] = []
    size = 0
    for each in documents:
        # each is followed by a comma or a line end, and a list has its brackets
        if group and (len(group) == DOCUMENTS_MAX or size + len(each) + 2 > DELIVERY_LIMITS.bytes_max):
            yield group
            group, size = [], 0
        group.append(each)
        size += len(each) + 1
    if group:
        yield group


def _named(file: Path) -> str | None:
    parts = file.name.split(".")
    for kind in BUS_KINDS:
        if kind in parts:
            return f"{JSON_KEYS}{kind}"
    return None


def _told(data: bytes) -> str:
    try:
        content = json.loads(data)
    except ValueError:
        content = None
    first = content[0] if isinstance(content, list) and content else content
    found = [kind for name, kind in _TELLING.items() if isinstance(first, dict) and name in first]
    if len(found) != 1:
        raise Refused(fault("push-kind"))
    return f"{JSON_KEYS}{found[0]}"
