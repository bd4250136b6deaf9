"""Packing: declarations of one kind for one e-port become one message: built, valid, signed once, in its envelope."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from ..adapters.envelope import wrap
from ..adapters.signing.signers import Signer
from ..adapters.signing.verification import signed_bytes
from ..config.eports import DxpEnvelope, EPort
from ..messages.catalogue import MessageType, message_type
from ..messages.chinatime import china_date, china_seconds
from ..messages.codec import load_codec
from ..messages.faults import Fault
from .declaring import Declaration

DECLARED = "2"
"""appStatus of whatever we hand over: declared, not merely stored."""


@dataclass(frozen=True, slots=True)
class Building:
    """A declaration about to be packed: its attempt, and its content as stored (JSON)."""

    declaration: Declaration
    content: bytes = field(repr=False)

    @classmethod
    def of(cls, declaration: Declaration) -> Self:
        """A declaration whose content is at hand."""
        return cls(declaration, json.dumps(declaration.content, ensure_ascii=False).encode())


def groups(ready: Iterable[Building], batch: int) -> Iterator[list[Building]]:
    """What may stand in one message: one type, one signer, at most ``batch``."""
    found: dict[tuple[str, str], list[Building]] = {}
    for each in ready:
        found.setdefault((each.declaration.message_type, each.declaration.declarant), []).append(each)
    for group in found.values():
        for start in range(0, len(group), batch):
            yield group[start : start + batch]


def business_node(building: Building, now: int) -> dict[str, Any]:
    """The business node of one declaration, its own numbers and times filled in."""
    declaration = building.declaration
    known = message_type(declaration.message_type)
    node: dict[str, Any] = json.loads(building.content)
    head = node[known.head] if known.head else node
    head |= {
        "guid": declaration.guid,
        "appType": declaration.app_type,
        "appTime": china_seconds(now),
        "appStatus": DECLARED,
    }
    if declaration.cop_no:
        head["copNo"] = declaration.cop_no
    if known.short == "621":
        head["declTime"] = china_date(now)
        if declaration.invt_no:
            head["invtNo"] = declaration.invt_no
    return node


def pack(
    eport: EPort, group: Sequence[Building], guid: str, signer: Signer, now: int
) -> tuple[bytes, Mapping[int, list[Fault]]]:
    """The bytes of one message, or the faults of the declarations (by id) that keep it from being valid.

    Signed once for all, verified before it goes anywhere; a signature that does not verify raises.
    """
    known = message_type(group[0].declaration.message_type)
    nodes = {each.declaration.id: business_node(each, now) for each in group}
    data, faults = _signed(known, list(nodes.values()), eport, guid, signer)
    if faults:
        alone = {id_: _signed(known, [node], eport, guid, signer)[1] for id_, node in nodes.items()}
        invalid = {id_: found for id_, found in alone.items() if found}
        return b"", invalid or dict.fromkeys(nodes, faults)
    return envelope(eport, data, guid, known.code, now), {}


def envelope(eport: EPort, data: bytes, guid: str, message: str, now: int) -> bytes:
    """The message as the e-port takes it: plain, or in a DxpMsg whose CopMsgId is the message's guid."""
    if not isinstance(eport.envelope, DxpEnvelope):
        return data
    return wrap(
        data,
        cop_msg_id=guid,
        sender=eport.envelope.sender,
        receivers=eport.envelope.receivers,
        created_ms=now,
        message_type=message,
    )


def file_name(message: str, guid: str) -> str:
    """The name a message goes by: the same for every send of the same bytes."""
    return f"{message}_{guid}.xml"


def _signed(
    known: MessageType, nodes: list[Mapping[str, Any]], eport: EPort, guid: str, signer: Signer
) -> tuple[bytes, list[Fault]]:
    transfer = eport.transfer
    content = {
        "@guid": guid,
        "@version": "1.0",
        known.node or "": nodes,
        "BaseTransfer": {
            "copCode": transfer.cop_code,
            "copName": transfer.cop_name,
            "dxpMode": "DXP",
            "dxpId": transfer.dxp_id,
        },
    }
    root = load_codec().encode(known.code, content)
    data = signed_bytes(root, signer)
    return data, load_codec().check(root)
