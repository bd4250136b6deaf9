"""E-port's entrance: is it a message that can be declared at all, and are there not too many documents in it.

What is not valid by release 202205 goes back as a whole, by a CEB900.
"""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from ...config.keyfiles import Certificate
from ...messages.catalogue import MessageType, message_types
from ...messages.chinatime import china_millis
from ...messages.codec import is_signed, load_codec
from ...messages.faults import Fault, Refused
from ...messages.xml import parse
from ..signing.verification import verify_message
from .exchange import LIMITS
from .filing import KEYS, STORED

FORMAT_STATUS = "-1"
"""The status of a failed format check; the specification says no more than that it is negative."""
INFO_MAX = 5000
ORIGINAL_MAX = 300_000
"""Characters of a refused message that go back with its CEB900."""
UNKNOWN = "Unknown"
"""What a CEB900 calls a message type that was not recognised (202205)."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Message:
    """A valid message: its type, its element for the signature, its business nodes, and who transmits it."""

    known: MessageType
    cop_code: str
    root: etree._Element = field(repr=False)
    nodes: list[dict[str, Any]] = field(repr=False)

    @property
    def too_many(self) -> bool:
        """Whether it holds more documents than one message may."""
        return self.known.max_nodes is not None and len(self.nodes) > self.known.max_nodes


@dataclass(frozen=True, slots=True)
class Unfit:
    """A message that is not taken in: why, and what type it claims to be."""

    info: str
    message_type: str = UNKNOWN
    status: str = FORMAT_STATUS


def read_message(data: bytes) -> Message | Unfit:
    """The message in these bytes, or why it is none."""
    try:
        root = parse(data, LIMITS)
    except Refused as refused:
        return Unfit(_sentence(refused.faults[0]))
    known = message_types().get(etree.QName(root).localname)
    if known is None or known.role != "declaration":
        return Unfit("报文格式校验失败：不是可以申报的报文类型")
    parts = list(_parts(root, known))
    if faults := [fault for part in parts for fault in load_codec().check(part)]:
        return Unfit("；".join(_sentence(each) for each in faults)[:INFO_MAX], known.code)
    contents = [load_codec().decode(part) for part in parts]
    nodes = [node for content in contents for node in _nodes(content, known)]
    if not all(node.get(known.head or "", node).get(name) for node in nodes for name in KEYS[known.short]):
        return Unfit("报文格式校验失败：企业内部编号copNo为空", known.code)
    return Message(known, contents[0]["BaseTransfer"]["copCode"], root, nodes)


def signature_holds(message: Message, pinned: Mapping[str, Certificate], now_ms: int) -> bool:
    """Whether the message is signed, by a certificate valid now, and by the right one where that is known.

    The right one is that of an enterprise which may declare a document of the message, or which transmits it. What is
    only to be stored need not be signed (specification of 2018).
    """
    heads = [node.get(message.known.head or "", node) for node in message.nodes]
    if not is_signed(message.root):
        return all(head["appStatus"] == STORED for head in heads)
    codes = {head.get(name) for head in heads for name in message.known.declared_by} | {message.cop_code}
    expected = [pinned[code] for code in sorted(filter(None, codes)) if code in pinned] or [None]
    return any(verify_message(message.root, expected=each, at_ms=now_ms).ok for each in expected)


def format_return(unfit: Unfit, data: bytes, cop_msg_id: str, guid: str, at_ms: int) -> dict[str, Any]:
    """The MessageReturn of a CEB900 about the message in these bytes."""
    return {
        "guid": guid,
        "returnStatus": unfit.status,
        "returnInfo": unfit.info,
        "returnTime": china_millis(at_ms),
        "oriCopMsgId": cop_msg_id[:255],
        "oriMessageType": unfit.message_type,
        "oriBizMessage": _NOT_XML.sub("", data.decode("utf-8", "replace"))[:ORIGINAL_MAX],
    }


def _parts(root: etree._Element, known: MessageType) -> Iterator[etree._Element]:
    """The message; one with too many documents in parts, because e-port answers each document of it."""
    nodes = root.findall(f"{{*}}{known.node}")
    most = known.max_nodes or len(nodes)
    if len(nodes) <= most:
        yield root
        return
    for start in range(0, len(nodes), most):
        part = etree.Element(root.tag, root.attrib, root.nsmap)
        part.extend(deepcopy(node) for node in nodes[start : start + most])
        part.extend(deepcopy(child) for child in root if child not in nodes)
        yield part


def _nodes(content: dict[str, Any], known: MessageType) -> list[dict[str, Any]]:
    found = content[known.node or ""]
    return found if isinstance(found, list) else [found]


def _sentence(found: Fault) -> str:
    return f"报文格式校验失败：{found.path} {found.zh}"
