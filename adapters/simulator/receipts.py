"""Answers as receipt messages: the returns, the messages that hold them, and the ways a file can be broken or odd.

Receipts have the default namespace; through an enveloped access they come in a DxpMsg from customs, except for what the
exchange platform itself answers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from lxml import etree

from ...config.eports import DxpEnvelope, EPort
from ...messages.catalogue import message_type
from ...messages.chinatime import china_millis
from ...messages.codec import load_codec
from ...messages.xml import serialise
from ..envelope import wrap
from .chance import Chance, new_guid
from .exchange import CUSTOMS_IMPORT
from .filing import Filing
from .script import Form
from .world import Answer

_NUMBER_LENGTH = 18
_UTF8_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One receipt file for an e-port's inbox, and the answers it gives."""

    eport: str
    name: str
    message_type: str
    answers: tuple[Answer, ...]
    data: bytes = field(repr=False)


def return_node(filing: Filing, guid: str, status: str, at_ms: int, info: str, *, numbered: bool) -> dict[str, Any]:
    """The return about a document: what the receipt repeats of its head, the numbers given, and the status.

    ``numbered`` says that customs has given its own number (invtNo, rkdNo) by then; preNo is e-port's and always there.
    """
    known = message_type(filing.receipt_type)
    shape = load_codec().part(known.code, known.node or "")
    given = {name: value for name, value in filing.numbers.items() if numbered or name == "preNo"}
    fields = {name: value for name, value in (filing.head | given).items() if value}
    if len(fields.get("invtNo", "")) != _NUMBER_LENGTH:
        fields.pop("invtNo", None)  # a number the declarant made up does not fit into a receipt
    answer = {"guid": guid, "returnStatus": status, "returnTime": china_millis(at_ms), "returnInfo": info}
    return {name: value for name, value in (fields | answer).items() if name in shape.named}


def outgoing(answers: Sequence[Answer], eports: dict[str, EPort], chance: Chance, batch: int) -> Iterator[Outgoing]:
    """The files that give these answers: each for one e-port and message type, with at most ``batch`` returns.

    An answer whose file is to be broken comes alone, and so does a DxpRep, which names the one it is for.
    """
    groups: dict[tuple[object, ...], list[Answer]] = {}
    for each in answers:
        alone = each.id if each.form or each.message_type == "DxpRep" else None
        groups.setdefault((each.eport, each.message_type, each.again, alone), []).append(each)
    for group in groups.values():
        for members in _batches(group, min(batch, message_type(group[0].message_type).max_nodes or batch)):
            yield _file(members, eports[members[0].eport], chance)


def _batches(group: Sequence[Answer], most: int) -> Iterator[tuple[Answer, ...]]:
    """Cut where the copies of one more answer would not fit."""
    places: list[int] = []
    filled = batch = 0
    for each in group:
        filled += each.copies
        if filled > most:
            batch, filled = batch + 1, each.copies
        places.append(batch)
    for _, members in groupby(zip(places, group, strict=True), key=lambda each: each[0]):
        yield tuple(answer for _, answer in members)


def _file(answers: tuple[Answer, ...], eport: EPort, chance: Chance) -> Outgoing:
    first = answers[0]
    nodes = [each.content for each in answers for _ in range(each.copies)]
    guid = new_guid(chance.draw("receipt", [each.id for each in answers], nodes))
    element = load_codec().encode(first.message_type, _message(first.message_type, guid, nodes))
    data = serialise(_as_sent(element))
    if first.form in ("gb2312", "no-namespace"):
        data = _odd(data, first.form)
    if first.message_type != "DxpRep" and isinstance(eport.envelope, DxpEnvelope):
        data = wrap(
            data,
            cop_msg_id=guid.upper(),
            sender=CUSTOMS_IMPORT,
            receivers=[eport.envelope.sender],
            created_ms=max(each.deliver_ms for each in answers),
            message_type=first.message_type,
        )
    if first.form == "truncated":
        data = data[: len(data) // 2]
    return Outgoing(eport.name, f"{first.message_type}_{guid.upper()}.xml", first.message_type, answers, data)


def _message(code: str, guid: str, nodes: list[dict[str, Any]]) -> dict[str, Any]:
    if code == "DxpRep":
        return {"@ver": "1.0", "RecevierId": nodes[0]["OriHead"]["SenderId"], "Response": nodes}
    known = message_type(code)
    content = nodes if load_codec().part(code, known.node or "").many else nodes[0]
    return {"@guid": guid.upper(), "@version": "1.0", known.node or "": content}


def _as_sent(element: etree._Element) -> etree._Element:
    """A refused message stands in a CDATA section, as far as it can."""
    original = element.find("{*}MessageReturn/{*}oriBizMessage")
    if original is not None and original.text and "]]>" not in original.text:
        original.text = etree.CDATA(original.text)
    return element


def _odd(data: bytes, form: Form) -> bytes:
    if form == "no-namespace":
        return data.replace(b' xmlns="http://www.chinaport.gov.cn/ceb"', b"", 1)
    text = data.removeprefix(_UTF8_DECLARATION).decode()
    # GB18030 writes the characters of GB2312 as GB2312 does, and has all others, too
    return _UTF8_DECLARATION.replace(b"UTF-8", b"GB2312") + text.encode("gb18030")
