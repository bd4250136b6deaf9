"""The plan: what each message looks like, compiled from our own schemas by the xmlschema library when a process starts.

libxml2 judges messages by the same schemas but does not tell what they say; encoding, decoding, explaining a refusal
and the limits of the document models all follow this plan, so that no message type has code of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xmlschema
from xmlschema.validators import XsdAnyElement

SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"

_XS = "http://www.w3.org/2001/XMLSchema"
_FOLDER = Path(__file__).with_name("schemas")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the schema allows of one element or attribute.

    ``kind`` is ``block`` for an element with parts, ``xml`` for one that holds anything, ``signature``, or the
    built-in XML Schema type of its text (``string``, ``decimal``, ``int``, ``dateTime`` …). Lengths count characters.
    ``most`` is None when there may be any number of them.
    """

    kind: str
    min_length: int = 0
    max_length: int | None = None
    total_digits: int | None = None
    fraction_digits: int | None = None
    fixed: str | None = None
    least: int = 1
    most: int | None = 1

    @property
    def required(self) -> bool:
        """Whether it must be there."""
        return self.least > 0

    @property
    def many(self) -> bool:
        """Whether there may be more than one of it."""
        return self.most is None or self.most > 1


@dataclass(frozen=True, slots=True)
class Part:
    """One element or attribute in its place in a message. ``parts`` are its child elements in order, by their tag."""

    name: str
    tag: str
    limits: Limits
    parts: dict[str, "Part"]
    attributes: dict[str, "Part"]
    named: dict[str, "Part"] = field(init=False)
    """The child elements by their names alone."""
    many: bool = field(init=False)
    plain: bool = field(init=False)
    """Whether it is an element of text without attributes."""

    def __post_init__(self) -> None:
        # asked for once for every element of every message, so worked out here
        object.__setattr__(self, "named", {part.name: part for part in self.parts.values()})
        object.__setattr__(self, "many", self.limits.many)
        is_text = self.limits.kind not in {"block", "xml", "signature"}
        object.__setattr__(self, "plain", is_text and not self.attributes)


def schema_file(schema: str) -> Path:
    """Where the schema of that name lies."""
    return _FOLDER / f"{schema}.xsd"


def read_roots(schema: str, roots: Iterable[str]) -> dict[str, Part]:
    """The named global elements of a schema, by name. Raises KeyError for one it lacks."""
    compiled = xmlschema.XMLSchema(str(schema_file(schema)), validation="strict")
    return {name: _part(compiled.elements[name]) for name in roots}


def _part(element: Any) -> Part:
    """One element declaration of the library, and all it holds."""
    occurs = {"least": element.min_occurs, "most": element.max_occurs}
    name, tag, of = element.local_name, element.name, element.type
    if tag == SIGNATURE:
        return Part(name, tag, Limits("signature", **occurs), {}, {})
    children = list(of.content.iter_elements()) if of.is_complex() and not of.has_simple_content() else []
    if any(isinstance(each, XsdAnyElement) for each in children):
        return Part(name, tag, Limits("xml", **occurs), {}, {})
    attributes = {} if of.is_simple() else {each: _attribute(each, kind) for each, kind in of.attributes.items()}
    if of.is_simple() or of.has_simple_content():
        limits = Limits(**_text(of if of.is_simple() else of.content), fixed=element.fixed, **occurs)
        return Part(name, tag, limits, {}, attributes)
    parts = {each.name: _part(each) for each in children}
    return Part(name, tag, Limits("block", **occurs), parts, attributes)


def _attribute(name: str, declared: Any) -> Part:
    least = 1 if declared.use == "required" else 0
    return Part(name, name, Limits(**_text(declared.type), fixed=declared.fixed, least=least), {}, {})


def _text(simple: Any) -> dict[str, Any]:
    """The built-in type under a simple type, and the facets our types set."""

    def facet(name: str) -> int | None:
        found = simple.get_facet(f"{{{_XS}}}{name}")
        return None if found is None else found.value

    builtin = simple
    while builtin.target_namespace != _XS:
        builtin = builtin.base_type
    length = facet("length")
    ours = builtin is not simple
    return {
        "kind": builtin.local_name,
        "min_length": (length if length is not None else facet("minLength")) or 0,
        "max_length": length if length is not None else facet("maxLength"),
        "total_digits": facet("totalDigits") if ours else None,
        "fraction_digits": facet("fractionDigits") if ours and builtin.local_name == "decimal" else None,
    }
