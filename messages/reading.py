"""The tolerant reader: what senders and e-ports really send, read as the specification means it.

Byte order marks, GB encodings, wrong or missing namespaces, other orders, older layouts, missing wrappers, white space
around values and envelopes are all read. Whatever had to be tolerated is named in the reading, and so is every element
that has no place in the message: nothing is dropped silently. Whether the content is complete is not judged here.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree
from lxml.etree import _Element as Element

from .catalogue import MessageType, message_types
from .codec import load_codec
from .explain import short_name
from .faults import Fault, Refused, fault
from .shapes import Part
from .writing import inner_xml
from .xml import BOM, XML_LIMITS, XmlLimits, declared_encoding, parse, text_of

NOTICES_MAX = 100
"""How many tolerated things one reading names, each once, before it says only that there are more."""

NODES_MAX = 5000
"""How many documents or answers one reading holds; the specification allows 100 of most kinds."""
DATA_PATHS = {"DxpMsg": "/DxpMsg/Data", "DxpMsgSv": "/DxpMsgSv/DxpMsg/Data"}
"""The envelopes, and where each holds its message."""

_INDEX = re.compile(r"\[[0-9]+\]")


@dataclass(frozen=True, slots=True)
class Envelope:
    """The head of the DxpMsg around a message; empty where the sender left it out."""

    cop_msg_id: str
    sender_id: str
    receiver_ids: tuple[str, ...]
    creat_time: str
    msg_type: str


@dataclass(frozen=True, slots=True)
class Node:
    """One document or answer in a message: its content, and where it stands in the message's own text."""

    path: str
    line: int | None
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """A message as it was read. ``content`` has the form of ``Codec.decode``, with white space around values removed.

    ``message_type`` is a code of the catalogue; ``guid`` is the message's own, None where it has none. ``signed`` says
    that there is a signature, not that it verifies.
    """

    message_type: str
    guid: str | None
    content: dict[str, Any]
    nodes: tuple[Node, ...]
    signed: bool
    envelope: Envelope | None
    tolerated: tuple[Fault, ...]


def read(data: bytes, limits: XmlLimits = XML_LIMITS) -> Reading:
    """Read a business message, plain or in its envelope, or a response of the exchange platform.

    Raises Refused for what is no XML, no known message, an envelope without one, or a message without documents.
    """
    reader = _Reader()
    root = reader.parsed(data, limits)
    envelope = None
    if _name(root) in DATA_PATHS:
        envelope, data = _opened(root)
        root = reader.parsed(data, limits)
        reader.compare_type(envelope, root)
    entry = message_types().get(_name(root))
    if entry is None:
        raise Refused(fault("schema-root", "", root.sourceline))
    if entry.role == "envelope":
        raise Refused(fault("envelope-nested", f"/{entry.code}", root.sourceline))
    return replace(reader.message(root, entry), envelope=envelope)


def envelope_data(root: Element) -> bytes:
    """What the Data of a DxpMsg or DxpMsgSv carries. Raises Refused when there is none or it is no base64."""
    data = next(root.iterdescendants("{*}Data"), None)
    path = DATA_PATHS[_name(root)]
    if data is None or not text_of(data).strip():
        raise Refused(fault("envelope-empty", path, root.sourceline))
    try:
        return base64.b64decode(text_of(data))
    except (binascii.Error, ValueError):
        raise Refused(fault("envelope-data", path, data.sourceline)) from None


def _opened(root: Element) -> tuple[Envelope, bytes]:
    def texts(name: str) -> list[str]:
        return [text_of(each).strip() for each in root.iterdescendants(f"{{*}}{name}")]

    def first(name: str) -> str:
        return next(iter(texts(name)), "")

    head = Envelope(
        cop_msg_id=first("CopMsgId"),
        sender_id=first("SenderId"),
        receiver_ids=tuple(texts("ReceiverId")),
        creat_time=first("CreatTime"),
        msg_type=first("MsgType"),
    )
    return head, envelope_data(root)


class _Reader:
    """Reads one message and gathers what it tolerated on the way."""

    def __init__(self) -> None:
        self.notices: dict[tuple[str, str], Fault] = {}
        self.nodes: list[Node] = []
        self.signed = False
        self.entry: MessageType

    def tolerate(self, code: str, path: str, line: int | None, **values: object) -> None:
        key = (code, "" if code == "reading-namespace" else _INDEX.sub("", path))
        if key in self.notices:
            return
        if len(self.notices) < NOTICES_MAX:
            self.notices[key] = fault(code, path, line, **values)
        else:
            self.notices["reading-more", ""] = fault("reading-more", limit=NOTICES_MAX)

    def parsed(self, data: bytes, limits: XmlLimits) -> Element:
        text = data.removeprefix(BOM).lstrip()
        if data.removeprefix(BOM) != text:
            self.tolerate("reading-leading", "", 1)
        if declared_encoding(text) not in ("UTF-8", "UTF8", "US-ASCII"):
            self.tolerate("reading-encoding", "", 1)
        return parse(text, limits)

    def compare_type(self, envelope: Envelope, root: Element) -> None:
        if envelope.msg_type and envelope.msg_type != _name(root):
            self.tolerate("reading-type", "", root.sourceline)

    def message(self, root: Element, entry: MessageType) -> Reading:
        self.entry = entry
        shape = load_codec().part(entry.code)
        path = f"/{entry.code}"
        if root.tag != shape.tag:
            self.tolerate("reading-namespace", path, root.sourceline, name=entry.code)
        content = self.block(root, shape, path)
        if not self.nodes:
            raise Refused(fault("reading-empty", path, root.sourceline, name=entry.node))
        guid = content.get("@guid")
        return Reading(entry.code, guid, content, tuple(self.nodes), self.signed, None, tuple(self.notices.values()))

    def block(self, element: Element, part: Part, path: str) -> dict[str, Any]:
        loose = [element.text, *(child.tail for child in element)]
        if any(text and text.strip() for text in loose):
            self.tolerate("reading-text", path, element.sourceline, name=part.name)
        return self.attributes(element, part, path) | self.parts(list(element.iterchildren(etree.Element)), part, path)

    def attributes(self, element: Element, part: Part, path: str) -> dict[str, str]:
        content = {}
        for name, value in element.items():
            if name in part.attributes:
                content[f"@{name}"] = value.strip()
            elif not name.startswith("{"):
                unknown = f"@{short_name(name)}"
                self.tolerate("reading-unknown", f"{path}/{unknown}", element.sourceline, name=unknown)
        return content

    def parts(self, children: Sequence[Element], part: Part, path: str) -> dict[str, Any]:
        content: dict[str, Any] = {}
        order = {name: place for place, name in enumerate(part.named)}
        furthest = 0
        for inner, held in _grouped(children, part, (self.entry.node, self.entry.head)):
            line = held[0].sourceline
            if inner is None:
                self.stranger(held[0], part, path, content)
                continue
            here = self.place(path, inner, content, line)
            place = order[inner.name]
            if place < furthest:
                self.tolerate("reading-order", here, line, name=inner.name)
            furthest = max(furthest, place)
            if _name(held[0]) == inner.name:
                value = self.value(held[0], inner, here)
            else:
                self.tolerate("reading-wrapper", here, line, name=inner.name)
                value = self.parts(held, inner, here)
            self.keep(content, inner, value, here, line)
        return content

    def stranger(self, element: Element, part: Part, path: str, content: dict[str, Any]) -> None:
        name = short_name(_name(element))
        if part.name == self.entry.head and name in self.entry.extras:
            content[name] = text_of(element).strip()
            self.tolerate("reading-extra", f"{path}/{name}", element.sourceline, name=name)
        else:
            self.signed = self.signed or name == "Signature"
            self.tolerate("reading-unknown", f"{path}/{name}", element.sourceline, name=name)

    def place(self, path: str, part: Part, content: dict[str, Any], line: int | None) -> str:
        if not part.many:
            return f"{path}/{part.name}"
        count = len(content.get(part.name, ())) + 1
        if part.limits.most is not None and count > part.limits.most:
            self.tolerate("reading-many", f"{path}/{part.name}", line, name=part.name, limit=part.limits.most)
        return f"{path}/{part.name}[{count}]"

    def value(self, element: Element, part: Part, path: str) -> Any:
        if element.tag != part.tag:
            self.tolerate("reading-namespace", path, element.sourceline, name=part.name)
        match part.limits.kind:
            case "signature":
                self.signed = True
                return None
            case "block":
                return self.block(element, part, path)
            case "xml":
                return inner_xml(element)
        for child in element.iterchildren(etree.Element):
            name = short_name(_name(child))
            self.tolerate("reading-unknown", f"{path}/{name}", child.sourceline, name=name)
        text = text_of(element)
        if text != text.strip():
            self.tolerate("reading-space", path, element.sourceline, name=part.name)
        attributes = self.attributes(element, part, path)
        return text.strip() if part.plain else attributes | {"#text": text.strip()}

    def keep(self, content: dict[str, Any], part: Part, value: Any, path: str, line: int | None) -> None:
        if value is None:
            return
        if part.name == self.entry.node and path.count("/") == 2:
            if len(self.nodes) == NODES_MAX:
                raise Refused(fault("reading-nodes", path, line, name=part.name, limit=NODES_MAX))
            self.nodes.append(Node(path, line, value))
        if part.many:
            content.setdefault(part.name, []).append(value)
        elif part.name not in content:
            content[part.name] = value
        elif content[part.name] == value:
            self.tolerate("reading-repeated", path, line, name=part.name)
        else:
            raise Refused(fault("schema-many", path, line, name=part.name, limit=1))


def _grouped(
    children: Sequence[Element], part: Part, wrappers: Sequence[str | None]
) -> Iterator[tuple[Part | None, list[Element]]]:
    """Each child with its part, or None; children whose wrapper was left out come together, with the wrapper's part."""
    names = [_name(child) for child in children]
    missing = [part.named[name] for name in wrappers if name in part.named and name not in names]
    wrapper: Part | None = None
    held: dict[str, list[Element]] = {}
    for name, child in zip(names, children, strict=True):
        found = None if name in part.named else next((each for each in missing if name in each.named), None)
        if held and (found is not wrapper or (name in held and found is not None and not found.named[name].many)):
            yield wrapper, [each for same in held.values() for each in same]
            held = {}
        if found is None:
            yield part.named.get(name), [child]
        else:
            wrapper = found
            held.setdefault(name, []).append(child)
    if held:
        yield wrapper, [each for same in held.values() for each in same]


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
