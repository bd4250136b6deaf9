"""Writing the content of a message as XML text, which is four times as fast as building its elements one by one."""

import re
from collections.abc import Mapping
from typing import Any

from lxml import etree
from lxml.etree import _Element as Element

from .faults import Refused
from .shapes import Part
from .xml import parse

_SPECIAL = re.compile(r"[&<>\r\n\t\"]")
_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_ATTRIBUTE = _IN_TEXT | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def write(part: Part, content: Mapping[str, Any], prefix: str, namespace: str) -> Element:
    """A root element of that shape and content. See ``Codec.encode`` for the errors."""
    writer = _Writer(f"{prefix}:" if prefix else "")
    declaration = f' {f"xmlns:{prefix}" if prefix else "xmlns"}="{namespace}"'
    writer.element(part, content, part.name, declaration)
    try:
        return etree.fromstring("".join(writer.pieces).encode("utf-8"), _PARSER)
    except (etree.XMLSyntaxError, UnicodeEncodeError):
        raise ValueError("a value has a character that XML does not allow") from None


class _Writer:
    """The pieces of one message's text. ``path`` is what errors name."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.pieces: list[str] = []

    def element(self, part: Part, content: Any, path: str, declaration: str = "") -> None:
        if not isinstance(content, Mapping):
            raise TypeError(f"{path} is no dict")
        self.pieces.append(f"<{self.prefix}{part.name}{declaration}")
        left = len(content) - self.attributes(part, content, path)
        self.pieces.append(">")
        if part.limits.kind == "block":
            left -= self.parts(part, content, path)
        elif "#text" in content:
            left -= 1
            self.pieces.append(_escaped(content["#text"], _IN_TEXT, path, "#text"))
        self.pieces.append(f"</{self.prefix}{part.name}>")
        if left:
            known = {f"@{name}" for name in part.attributes} | {"#text", *part.named}
            raise KeyError(f"{path} has no {', '.join(sorted(set(content) - known))}")

    def attributes(self, part: Part, content: Mapping[str, Any], path: str) -> int:
        """Write the attributes and return how many entries of the content they took; so do ``parts``."""
        taken = 0
        for name in part.attributes:
            if f"@{name}" in content:
                taken += 1
                if (value := content[f"@{name}"]) is not None:
                    self.pieces.append(f' {name}="{_escaped(value, _IN_ATTRIBUTE, path, name)}"')
        return taken

    def parts(self, part: Part, content: Mapping[str, Any], path: str) -> int:
        taken = 0
        for inner in part.parts.values():
            if inner.name not in content:
                continue
            taken += 1
            value = content[inner.name]
            if value is None:
                continue
            if inner.many != isinstance(value, list):
                raise TypeError(f"{path}/{inner.name} is {'no list' if inner.many else 'a list'}")
            for each in value if inner.many else (value,):
                self.child(inner, each, path)
        return taken

    def child(self, part: Part, value: Any, path: str) -> None:
        name = part.name
        if part.plain:
            text = _escaped(value, _IN_TEXT, path, name)
        elif part.limits.kind == "xml":
            text = _checked_xml(value, path, name)
        else:
            self.element(part, value, f"{path}/{name}")
            return
        self.pieces.append(f"<{self.prefix}{name}>{text}</{self.prefix}{name}>")


def _escaped(value: Any, table: Mapping[int, str], path: str, name: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{path}/{name} is no text")
    return value.translate(table) if _SPECIAL.search(value) else value


def _checked_xml(value: Any, path: str, name: str) -> str:
    """Any XML, which must be whole in itself, so that it cannot end the element it stands in."""
    try:
        parse(f"<any>{value}</any>".encode())
    except Refused:
        raise ValueError(f"{path}/{name} is no well-formed XML") from None
    return value


def inner_xml(element: Element) -> str:
    """What stands inside an element, as XML text."""
    text = (element.text or "").translate(_IN_TEXT)
    return text + "".join(etree.tostring(child, encoding="unicode") for child in element)
