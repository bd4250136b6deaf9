"""XML from strangers, read without risk, and XML of our own, written and canonicalised.

A document with a DTD is refused before libxml2 sees it, so there are no entities, no defaulted attributes and nothing
to fetch. Size, depth, number of tags and of the attributes of each have limits, and inside them reading needs time in
proportion to the size (walking the attributes of one element takes the square of their number).
"""

import re
from dataclasses import dataclass
from functools import cache

from lxml import etree
from lxml.etree import _Element as Element

from .faults import Refused, fault

XML_BYTES_MAX = 1024 * 1024
"""How many bytes one XML document may have."""
XML_DEPTH_MAX = 64
"""How deep its elements may be nested; no field of the specification lies deeper than eight levels."""
XML_TAGS_MAX = 200_000
"""How many ``<`` it may hold: one or two for each element, one for each comment."""
XML_ATTRIBUTES_MAX = 100
"""How many attributes, namespace declarations included, one tag may have."""


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """The limits one document is read under. libxml2 itself never reads deeper than 256 levels."""

    bytes_max: int = XML_BYTES_MAX
    depth_max: int = XML_DEPTH_MAX
    tags_max: int = XML_TAGS_MAX


XML_LIMITS = XmlLimits()

BOM = b"\xef\xbb\xbf"
_DECLARED = re.compile(rb"""<\?xml\s[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_PROLOG_WITH_DTD = re.compile(rb"(?:\s++|<!--.*?-->|<\?.*?\?>)*+<!DOCTYPE", re.DOTALL)
_TOO_MANY_ATTRIBUTES = re.compile(
    rb"""<[^\s<>/]++(?:\s++[^\s=<>"'/]++\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+')){%d}""" % (XML_ATTRIBUTES_MAX + 1)
)
# GB18030 contains GBK and GB2312; senders who declare the smaller ones use characters of the larger
_PYTHON_CODEC = {"UTF-8": "utf-8", "UTF8": "utf-8", "US-ASCII": "ascii"} | dict.fromkeys(
    ("GB2312", "GBK", "GB18030"), "gb18030"
)
_PARSER = etree.XMLParser(
    encoding="UTF-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
)


def parse(data: bytes, limits: XmlLimits = XML_LIMITS) -> Element:
    """Read one XML document into its root element, comments left out.

    Encodings are UTF-8 and, where declared, GB2312, GBK and GB18030. Raises Refused, with a code, the line where one is
    known, and never a piece of the input.
    """
    text = _as_utf8(data, limits)
    if _PROLOG_WITH_DTD.match(text):
        raise Refused(fault("xml-dtd"))
    if text.count(b"<") > limits.tags_max:
        raise Refused(fault("xml-tags", limit=limits.tags_max))
    if text.count(b"=") > XML_ATTRIBUTES_MAX and _TOO_MANY_ATTRIBUTES.search(text):
        raise Refused(fault("xml-attributes", limit=XML_ATTRIBUTES_MAX))
    try:
        root = etree.fromstring(text, _PARSER)
    except etree.XMLSyntaxError as error:
        code = "xml-depth" if error.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT else "xml-syntax"
        raise Refused(fault(code, line=error.lineno, limit=limits.depth_max)) from None
    if _deeper_than(limits.depth_max)(root):
        raise Refused(fault("xml-depth", limit=limits.depth_max))
    return root


def declared_encoding(data: bytes) -> str:
    """The encoding that the XML declaration names, in upper case; UTF-8 when it names none."""
    declared = _DECLARED.match(data)
    return declared[1].decode("ascii").upper() if declared else "UTF-8"


def _as_utf8(data: bytes, limits: XmlLimits) -> bytes:
    if len(data) > limits.bytes_max:
        raise Refused(fault("xml-large", limit=limits.bytes_max))
    if b"\0" in data:
        # also every UTF-16 and UTF-32 document, because markup is ASCII
        raise Refused(fault("xml-nul"))
    data = data.removeprefix(BOM)
    codec = _PYTHON_CODEC.get(declared_encoding(data))
    if codec is None:
        raise Refused(fault("xml-encoding", line=1))
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as error:
        raise Refused(fault("xml-bytes", line=data.count(b"\n", 0, error.start) + 1)) from None
    return text.encode() if codec == "gb18030" else data


@cache
def _deeper_than(levels: int) -> etree.XPath:
    return etree.XPath(f"boolean({'/*' * (levels + 1)})")


def text_of(element: Element) -> str:
    """The text of an element that has no child elements, processing instructions passed over."""
    return str(element.xpath("string()")) if len(element) else element.text or ""


def serialise(element: Element) -> bytes:
    """The element as a document of its own: UTF-8 with its declaration, white space as it stands."""
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(element, encoding="UTF-8", with_tail=False)


def canonical(element: Element) -> bytes:
    """Inclusive Canonical XML 1.0 without comments, the namespaces in scope included (W3C REC-xml-c14n-20010315)."""
    return etree.tostring(element, method="c14n", exclusive=False, with_comments=False)
