"""Why a message is not valid, in sentences a sender can act on.

libxml2 has refused the message by then. This walks it along its shape and names every fault it can place, all missing
elements of a block at once. Where it finds none, libxml2's line is given: a refused message always has a fault.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from itertools import islice

from lxml import etree
from lxml.etree import _Element as Element

from .faults import FAULTS_MAX, Fault, fault
from .shapes import Limits, Part, schema_file
from .xml import text_of

NAME_MAX = 64
"""How many characters of a sender's own element name a fault repeats."""

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_HINTS = {f"{_XSI}schemaLocation", f"{_XSI}noNamespaceSchemaLocation"}
_XML_SPACE = " \t\r\n"
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DATE = r"-?[0-9]{4,}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_ZONE = r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?"
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]")
_FORMS = {
    "date": re.compile(_DATE + _ZONE),
    "dateTime": re.compile(_DATE + r"T(?:[01][0-9]|2[0-4]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?" + _ZONE),
    "base64Binary": re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"),
}


def explain(root: Element, shape: Part, log: etree._ListErrorLog) -> list[Fault]:
    """The faults of a message that libxml2 refused with ``log``: at least one, at most FAULTS_MAX, without values."""
    path = f"/{shape.name}"
    found = list(islice(_faults(root, shape, path), FAULTS_MAX))
    line = log[0].line if len(log) else root.sourceline
    return found or [fault("schema-invalid", path, line)]


def text_fault(text: str, limits: Limits) -> tuple[str, dict[str, object]] | None:
    """The code and sentence values of what is wrong with a text, or None."""
    if limits.fixed is not None:
        return None if text == limits.fixed else ("schema-fixed", {"value": limits.fixed})
    return _BY_KIND.get(limits.kind, _form_fault)(text, limits)


def _faults(element: Element, part: Part, path: str) -> Iterator[Fault]:
    yield from _attribute_faults(element, part, path)
    kind = part.limits.kind
    if kind == "block":
        yield from _block_faults(element, part, path)
    elif kind == "signature":
        if not _signature_schema().validate(element):
            yield fault("schema-signature", path, element.sourceline)
    elif kind != "xml":
        yield from (_stranger(child, part, path) for child in element.iterchildren(etree.Element))
        text = text_of(element)
        # an element left empty stands for its fixed value
        if (text or not part.limits.fixed) and (wrong := text_fault(text, part.limits)):
            yield fault(wrong[0], path, element.sourceline, name=part.name, **wrong[1])


def _attribute_faults(element: Element, part: Part, path: str) -> Iterator[Fault]:
    for name, value in element.items():
        limits = part.attributes[name].limits if name in part.attributes else None
        if name in (f"{_XSI}type", f"{_XSI}nil"):
            yield fault("schema-type", path, element.sourceline)
        elif limits is None and name not in _HINTS and part.limits.kind != "signature":
            stranger = f"@{short_name(name)}"
            yield fault("schema-unknown", f"{path}/{stranger}", element.sourceline, name=stranger)
        elif limits is not None and (wrong := text_fault(value, limits)):
            yield fault(wrong[0], f"{path}/@{name}", element.sourceline, name=f"@{name}", **wrong[1])
    for name, attribute in part.attributes.items():
        if attribute.limits.required and name not in element.attrib:
            yield fault("schema-missing", f"{path}/@{name}", element.sourceline, name=f"@{name}")


def _block_faults(element: Element, part: Part, path: str) -> Iterator[Fault]:
    if any(text.strip(_XML_SPACE) for text in _loose_texts(element)):
        yield fault("schema-text", path, element.sourceline, name=part.name)
    order = {tag: place for place, tag in enumerate(part.parts)}
    seen: Counter[str] = Counter()
    furthest, in_order = 0, True
    for child in element.iterchildren(etree.Element):
        inner = part.parts.get(str(child.tag))
        if inner is None:
            yield _stranger(child, part, path)
            continue
        seen[inner.name] += 1
        here = f"{path}/{inner.name}" + (f"[{seen[inner.name]}]" if inner.many or seen[inner.name] > 1 else "")
        if inner.limits.most is not None and seen[inner.name] > inner.limits.most:
            if seen[inner.name] == inner.limits.most + 1:
                yield fault("schema-many", here, child.sourceline, name=inner.name, limit=inner.limits.most)
            continue
        place = order[inner.tag]
        if place < furthest and in_order:
            in_order = False
            yield fault("schema-order", here, child.sourceline, name=inner.name, next=list(part.named)[furthest])
        furthest = max(furthest, place)
        yield from _faults(child, inner, here)
    for inner in part.parts.values():
        if inner.limits.required and not seen[inner.name]:
            yield fault("schema-missing", f"{path}/{inner.name}", element.sourceline, name=inner.name)


def _loose_texts(element: Element) -> Iterator[str]:
    yield element.text or ""
    yield from (child.tail or "" for child in element)


def _stranger(child: Element, part: Part, path: str) -> Fault:
    name = etree.QName(child).localname
    code = "schema-namespace" if name in part.named else "schema-unknown"
    return fault(code, f"{path}/{short_name(name)}", child.sourceline, name=short_name(name))


def short_name(name: str) -> str:
    """A name that a sender chose, cut to a length that a sentence bears."""
    return name if len(name) <= NAME_MAX else f"{name[:NAME_MAX]}…"


@cache
def _signature_schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(schema_file("xmldsig")))


def _string_fault(text: str, limits: Limits) -> tuple[str, dict[str, object]] | None:
    least, most, found = limits.min_length, limits.max_length, len(text)
    if found >= least and (most is None or found <= most):
        return None
    if found == 0:
        return "schema-empty", {}
    if least == most:
        return "schema-length", {"length": most, "found": found}
    return "schema-long", {"limit": most, "found": found}


def _decimal_fault(text: str, limits: Limits) -> tuple[str, dict[str, object]] | None:
    text = text.strip(_XML_SPACE)
    if not _DECIMAL.fullmatch(text):
        return ("schema-decimal", {}) if text else ("schema-empty", {})
    whole, _, fraction = text.lstrip("+-").partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    total, places = limits.total_digits, limits.fraction_digits
    if total is None or places is None or (len(whole + fraction) <= total and len(fraction) <= places):
        return None
    return "schema-digits", {"total": total, "fraction": places}


def _int_fault(text: str, limits: Limits) -> tuple[str, dict[str, object]] | None:
    text = text.strip(_XML_SPACE)
    if not text:
        return "schema-empty", {}
    most = 2**31 - 1 if limits.total_digits is None else 10**limits.total_digits - 1
    least = -(2**31) if limits.total_digits is None else -most
    # more digits than any limit are wrong without being read
    if _INTEGER.fullmatch(text) and len(text.lstrip("+-0")) <= 10 and least <= Decimal(text) <= most:
        return None
    return "schema-integer", {"least": least, "most": most}


def _form_fault(text: str, limits: Limits) -> tuple[str, dict[str, object]] | None:
    form = _FORMS.get(limits.kind)
    # libxml2 passes over whatever is no base64 character
    asked = _NOT_BASE64.sub("", text) if limits.kind == "base64Binary" else text
    return None if form is None or form.fullmatch(asked) else ("schema-form", {"form": limits.kind})


_BY_KIND: dict[str, Callable[[str, Limits], tuple[str, dict[str, object]] | None]] = {
    "string": _string_fault,
    "decimal": _decimal_fault,
    "int": _int_fault,
}
