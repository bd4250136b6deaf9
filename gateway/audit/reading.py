"""The audit's own reading of documents and messages: no more of them than it needs."""

import base64
import binascii
import json
from collections.abc import Iterator

from lxml import etree

_AROUND = ("BaseTransfer", "BaseSubscribe", "ExtendMessage", "RecevierId", "Signature")
"""What may stand in a message beside its documents (RecevierId is how the DxpRep schema spells it)."""


def field_of(document: bytes, name: str) -> str | None:
    """A field of a stored document, as text."""
    value = json.loads(document).get(name)
    return None if value is None else str(value)


def guids_of(message: bytes) -> frozenset[str]:
    """Every guid of the documents in a message, in capitals, whether in an envelope or not."""
    return frozenset(
        (element.text or "").strip().upper()
        for document in _documents(message)
        for element in document.iter("{*}guid")
        if (element.text or "").strip()
    )


def documents_in(message: bytes) -> int:
    """How many documents or receipts a message holds."""
    return sum(1 for _ in _documents(message))


def _documents(message: bytes) -> Iterator[etree._Element]:
    try:
        root = etree.fromstring(message, etree.XMLParser(resolve_entities=False, no_network=True, recover=True))
    except etree.XMLSyntaxError:
        return
    if root is None:
        return
    if etree.QName(root).localname == "DxpMsg":
        data = root.findtext("{*}Data") or ""
        try:
            inner = base64.b64decode("".join(data.split()), validate=True)
        except binascii.Error:
            return
        yield from _documents(inner)
        return
    for child in root:
        if isinstance(child.tag, str) and etree.QName(child).localname not in _AROUND:
            yield child
