"""The exchange platform: opens the envelopes of self-developed access, or refuses them by a DxpRep.

Codes: table 7-1 of the specification 202205. Which address is customs' comes from its access annex.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from ...config.eports import MESSAGE_BYTES_MAX, DxpEnvelope
from ...messages.chinatime import china_time
from ...messages.codec import is_signed, load_codec
from ...messages.explain import text_fault
from ...messages.faults import Refused
from ...messages.ladders import rung
from ...messages.reading import envelope_data
from ...messages.xml import XmlLimits, parse
from ..signing.verification import verify_message

CUSTOMS_IMPORT = "DXPEDCCEB0000002"
"""The exchange id of customs for imports."""
CUSTOMS_EXPORT = "DXPEDCCEB0000003"
"""The exchange id of customs for exports."""

LIMITS = XmlLimits(bytes_max=MESSAGE_BYTES_MAX, tags_max=MESSAGE_BYTES_MAX)
"""How large a message the simulated e-port reads: whatever an e-port may be configured to take."""

_ENTERPRISE = re.compile("DXPENT[0-9]{10}")
_INFO_MAX = 300
_HEAD_TEXTS = ("CopMsgId", "SenderId", "MsgType")


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message out of its envelope, and the head (TransInfo) it came under."""

    head: dict[str, Any]
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Returned:
    """An envelope the platform does not pass on: the code, and the head (TransInfo) it answers."""

    code: str
    head: dict[str, Any]


def open_envelope(data: bytes, envelope: DxpEnvelope, name: str, now_ms: int) -> Parcel | Returned:
    """What the envelope in the file of that ``name`` holds, or why it is not passed on."""
    head = assumed_head(name, envelope.sender, envelope.receivers, now_ms)
    try:
        root = parse(data, LIMITS)
    except Refused:
        return Returned("0001", head)
    if etree.QName(root).localname != "DxpMsg":
        return Returned("0001", head)
    if load_codec().check(root):
        return Returned("0002", _partial_head(root, head))
    return _passed_on(root, now_ms)


def _passed_on(root: etree._Element, now_ms: int) -> Parcel | Returned:
    """What a valid envelope holds, or why its signature, its addresses or its content keep it back."""
    head = load_codec().decode(root)["TransInfo"]
    if code := _signature_code(root, now_ms) or _address_code(head["ReceiverIds"]["ReceiverId"]):
        return Returned(code, head)
    try:
        inner = envelope_data(root)
    except Refused:
        return Returned("0999", head)
    return Parcel(head, inner) if _inner_type(inner, head["MsgType"]) == head["MsgType"] else Returned("0999", head)


def assumed_head(cop_msg_id: str, sender: str, receivers: Sequence[str], now_ms: int) -> dict[str, Any]:
    """The head of what came without one that can be read: who sent it is known, and when."""
    return {
        "CopMsgId": cop_msg_id[:255],
        "SenderId": sender[:16],
        "ReceiverIds": {"ReceiverId": list(receivers)},
        "CreatTime": china_time(now_ms).strftime("%Y-%m-%dT%H:%M:%S"),
        "MsgType": "",
    }


def response(returned: Returned, now_ms: int) -> dict[str, Any]:
    """The Response of a DxpRep."""
    text = rung("DxpRep", returned.code).zh[:_INFO_MAX]
    return {
        "ResponseCode": returned.code,
        "ResponseInfo": text,
        "Results": {
            "Result": [
                {"RecId": each, "Code": returned.code, "Info": text}
                for each in returned.head["ReceiverIds"]["ReceiverId"]
            ]
        },
        "NoticeTime": china_time(now_ms).strftime("%Y-%m-%d"),
        "OriHead": returned.head,
    }


def _signature_code(root: etree._Element, now_ms: int) -> str | None:
    """An envelope need not be signed; one that is must verify."""
    if not is_signed(root):
        return None
    failed = verify_message(root).failed
    if failed:
        return "1004" if "digest" in failed else "1001"
    return "1002" if verify_message(root, at_ms=now_ms).failed else None


def _address_code(receivers: list[str]) -> str | None:
    known = (CUSTOMS_IMPORT, CUSTOMS_EXPORT)
    if not all(each in known or _ENTERPRISE.fullmatch(each) for each in receivers):
        return "2001"
    return None if CUSTOMS_IMPORT in receivers else "2002"


def _inner_type(inner: bytes, stated: str) -> str:
    """The name of the inner root; what cannot be read is left to e-port."""
    try:
        return etree.QName(parse(inner, LIMITS)).localname
    except Refused:
        return stated


def _partial_head(root: etree._Element, assumed: dict[str, Any]) -> dict[str, Any]:
    """The head of an envelope that is not valid, as far as it can be read and may stand in an answer."""
    limits = {name: load_codec().limits("DxpMsg", f"TransInfo/{name}") for name in _HEAD_TEXTS}
    found = {name: root.findtext(f"{{*}}TransInfo/{{*}}{name}") or "" for name in _HEAD_TEXTS}
    return assumed | {name: text for name, text in found.items() if text_fault(text, limits[name]) is None}
