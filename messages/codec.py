"""One codec for every customs message: check, decode, encode and limits, all from the schemas in ``schemas/``.

The content of a message is a dict under official names. A block is a dict; a text is a str exactly as on the wire;
what may repeat is always a list; an attribute is ``@guid``; the text beside attributes is ``#text``; an element that
may hold any XML is that XML as a str. The signature is no content.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from lxml import etree
from lxml.etree import _Element as Element

from .catalogue import message_types
from .explain import explain
from .faults import Fault, fault
from .shapes import SIGNATURE, Limits, Part, read_roots, schema_file
from .writing import inner_xml, write
from .xml import text_of

_OUR_TYPES = "urn:tongguan:types"
_XSI_TYPES = etree.XPath(
    "descendant-or-self::*/@xsi:type", namespaces={"xsi": "http://www.w3.org/2001/XMLSchema-instance"}
)


@cache
def load_codec() -> "Codec":
    """The codec for every message type of the catalogue; the schemas are read once."""
    return Codec()


def is_signed(root: Element) -> bool:
    """Whether the message carries a signature as its last part; whether it verifies is not looked at."""
    return len(root) > 0 and root[-1].tag == SIGNATURE


class Codec:
    """The schemas, compiled for libxml2 and read into shapes."""

    def __init__(self) -> None:
        self._roots: dict[str, Part] = {}
        self._schema_of: dict[str, etree.XMLSchema] = {}
        types = message_types().values()
        for schema in {each.schema: None for each in types}:
            codes = [each.code for each in types if each.schema == schema]
            self._roots |= read_roots(schema, codes)
            self._schema_of |= dict.fromkeys(codes, etree.XMLSchema(etree.parse(schema_file(schema))))

    def check(self, root: Element) -> list[Fault]:
        """What keeps the message from being valid by release 202205, at most FAULTS_MAX faults; none when it is valid.

        libxml2 alone decides whether there is a fault; naming and placing it comes after.
        """
        name = etree.QName(root).localname
        shape = self._roots.get(name)
        if shape is None:
            return [fault("schema-root", "", root.sourceline)]
        if shape.tag != root.tag:
            return [fault("schema-namespace", f"/{name}", root.sourceline, name=name)]
        schema = self._schema_of[name]
        if not schema.validate(root):
            return explain(root, shape, schema.error_log)
        return [fault("schema-type", f"/{name}", at) for at in _lines_naming_our_types(root)][:1]

    def decode(self, root: Element) -> dict[str, Any]:
        """The content of a valid message. Raises KeyError for an element or message type the schemas do not know."""
        return _decoded(root, self._roots[etree.QName(root).localname])

    def encode(self, message_type: str, content: Mapping[str, Any]) -> Element:
        """A message of that content, unsigned, its elements in the order of the schema; None and absent are left out.

        A declaration has the prefix ``ceb``; everything else has its namespace as the default one. Raises KeyError for
        a message type or name the schemas do not know, TypeError where a text, list or dict should stand and does not,
        and ValueError for a character that XML does not allow.
        """
        shape = self._roots[message_type]
        prefix = "ceb" if message_types()[message_type].role == "declaration" else ""
        return write(shape, content, prefix, etree.QName(shape.tag).namespace or "")

    def limits(self, message_type: str, path: str) -> Limits:
        """What the schema allows at a path such as ``Order/OrderHead/orderNo`` or ``@guid``. Raises KeyError."""
        return self.part(message_type, path).limits

    def part(self, message_type: str, path: str = "") -> Part:
        """The shape of a message type, or of what stands at a path inside it. Raises KeyError where nothing is."""
        part = self._roots[message_type]
        for name in path.split("/") if path else ():
            part = part.attributes[name[1:]] if name.startswith("@") else part.named[name]
        return part


def _lines_naming_our_types(root: Element) -> list[int | None]:
    """Where xsi:type names a type that only our schemas have a name for, so that it is valid here and nowhere else."""
    lines = []
    for value in _XSI_TYPES(root):
        owner, (prefix, _, _) = value.getparent(), value.strip().rpartition(":")
        if owner.nsmap.get(prefix or None) == _OUR_TYPES:
            lines.append(owner.sourceline)
    return lines


def _decoded(element: Element, part: Part) -> dict[str, Any]:
    content: dict[str, Any] = {f"@{name}": value for name, value in element.items() if name in part.attributes}
    parts = part.parts
    for child in element:
        inner = parts.get(str(child.tag))
        if inner is None:
            if isinstance(child.tag, str):
                raise KeyError(f"{part.name} has no {etree.QName(child).localname}")
            continue
        value = (child.text or "") if inner.plain and not len(child) else _value(child, inner)
        if inner.many:
            content.setdefault(inner.name, []).append(value)
        elif value is not None:
            content[inner.name] = value
    return content


def _value(element: Element, part: Part) -> Any:
    match part.limits.kind:
        case "signature":
            return None
        case "block":
            return _decoded(element, part)
        case "xml":
            return inner_xml(element)
    text = text_of(element)
    if part.plain:
        return text
    return {f"@{name}": value for name, value in element.items() if name in part.attributes} | {"#text": text}
