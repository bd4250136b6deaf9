"""Reading pushed JSON: one object, an array or NDJSON of 1 to 100 documents, into documents and faults.

A document that cannot be taken never spoils its neighbours: each element becomes a document or the faults of that
element. Only what leaves no elements to speak of (broken JSON, too large, none or too many) is ``Refused`` as a whole.
"""

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from pydantic import ValidationError

from ..faults import FAULTS_MAX, Fault, Refused, fault
from .document import Document
from .fields import JsonNumber
from .invalid import Location, faults_of, shown
from .kinds import BUS_KINDS

JSON = "application/json"
NDJSON = "application/x-ndjson"

_space = re.compile(r"[ \t\n\r]*").match


@dataclass(frozen=True, slots=True)
class DeliveryLimits:
    """How much one delivery may hold."""

    bytes_max: int = 1024 * 1024
    documents_max: int = 100
    depth_max: int = 16
    """Levels of objects and lists in one document; a document with lines has three."""
    fields_max: int = 200
    """Fields of one object."""


DELIVERY_LIMITS = DeliveryLimits()


@dataclass(frozen=True, slots=True)
class Parsed:
    """One element of a delivery: a document, or the faults for which it is none.

    ``raw`` is the element byte for byte as it was sent. ``line`` is where it begins, from 1. ``fault_count`` counts all
    its faults; ``faults`` holds the first of them.
    """

    index: int
    line: int
    raw: bytes = field(repr=False)
    document: Document | None = None
    faults: tuple[Fault, ...] = ()
    fault_count: int = 0


def parse_json(
    kind: str, data: bytes, content_type: str = JSON, limits: DeliveryLimits = DELIVERY_LIMITS
) -> list[Parsed]:
    """Read a delivery of documents of one kind; raises ``Refused`` when it cannot be told apart into documents.

    The path of a fault begins with the element's index, also for a single object: ``/0/OrderList/1/qty``.
    """
    if kind not in BUS_KINDS:
        raise Refused(fault("document-kind", kinds=", ".join(BUS_KINDS)))
    if len(data) > limits.bytes_max:
        raise Refused(fault("document-too-large", limit=limits.bytes_max))
    data = data.removeprefix(codecs.BOM_UTF8)
    match content_type.partition(";")[0].strip().lower():
        case "application/json":
            elements = _json_elements(_text(data), limits)
        case "application/x-ndjson" | "application/ndjson":
            elements = _ndjson_elements(data, limits)
        case _:
            raise Refused(fault("document-content-type", types=f"{JSON}, {NDJSON}"))
    parsed = [_parsed(BUS_KINDS[kind], element, index, limits) for index, element in enumerate(elements)]
    if not parsed:
        raise Refused(fault("document-none"))
    return parsed


@dataclass(frozen=True, slots=True)
class _Element:
    """One value of the delivery and where it begins; ``fault`` is set for a line of NDJSON that could not be read."""

    line: int
    raw: bytes = field(repr=False)
    value: Any = field(default=None, repr=False)
    irregular: bool = False
    fault: Fault | None = None


class _Irregular(dict[str, Any]):
    """A JSON object with doubled keys, which are named, or with too many."""

    doubled: tuple[str, ...] = ()


class _Reader:
    """A position in a JSON text. ``line`` is the line the text begins on."""

    def __init__(self, limits: DeliveryLimits) -> None:
        self._limits = limits
        self._scan = json.JSONDecoder(
            object_pairs_hook=self._object, parse_float=JsonNumber, parse_int=JsonNumber, parse_constant=_no_number
        ).raw_decode
        self.open("")

    def open(self, text: str, line: int = 1) -> None:
        self._text, self._at, self._counted, self._line = text, 0, 0, line

    def takes(self, sign: str) -> bool:
        """Whether ``sign`` comes next; if so it is passed."""
        self._pass_space()
        found = self._text.startswith(sign, self._at)
        self._at += len(sign) if found else 0
        return found

    def is_done(self) -> bool:
        """Whether nothing but white space is left."""
        self._pass_space()
        return self._at == len(self._text)

    def element(self, index: int) -> _Element:
        """The value that comes next; raises ``Refused`` if it is no JSON."""
        self._pass_space()
        start, line, self._irregular = self._at, self.line(), False
        try:
            value, self._at = self._scan(self._text, start)
        except json.JSONDecodeError as error:
            self._at = error.pos
            raise self.unreadable(index) from None
        except ValueError:
            raise self.unreadable(index) from None
        except RecursionError:
            raise Refused(fault("document-deep", f"/{index}", line, limit=self._limits.depth_max)) from None
        return _Element(line, self._text[start : self._at].encode(), value, self._irregular)

    def line(self) -> int:
        """The line of the position."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def unreadable(self, index: int) -> Refused:
        """That there is no JSON at the position."""
        return Refused(fault("document-unreadable", f"/{index}", self.line(), format="JSON"))

    def _pass_space(self) -> None:
        if match := _space(self._text, self._at):
            self._at = match.end()

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) == len(pairs) <= self._limits.fields_max:
            return content
        self._irregular = True
        irregular = _Irregular(content)
        irregular.doubled = tuple(_doubled(pairs))
        return irregular


def _doubled(pairs: list[tuple[str, Any]]) -> Iterator[str]:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            yield name
        seen.add(name)


def _no_number(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Refused(fault("document-encoding")) from None


def _json_elements(text: str, limits: DeliveryLimits) -> Iterator[_Element]:
    reader = _Reader(limits)
    reader.open(text)
    index = 0
    if reader.takes("["):
        while not reader.takes("]"):
            if index == limits.documents_max:
                raise Refused(fault("document-count", limit=limits.documents_max))
            if index and not reader.takes(","):
                raise reader.unreadable(index)
            yield reader.element(index)
            index += 1
    elif not reader.is_done():
        yield reader.element(index)
    if not reader.is_done():
        raise reader.unreadable(index)


def _ndjson_elements(data: bytes, limits: DeliveryLimits) -> Iterator[_Element]:
    reader = _Reader(limits)
    index = 0
    for line, raw in enumerate(data.split(b"\n"), start=1):
        if not (content := raw.strip(b" \t\r")):
            continue
        if index == limits.documents_max:
            raise Refused(fault("document-count", limit=limits.documents_max))
        yield _ndjson_element(reader, content, line, index)
        index += 1


def _ndjson_element(reader: _Reader, raw: bytes, line: int, index: int) -> _Element:
    try:
        reader.open(_text(raw), line)
        element = reader.element(index)
        if not reader.is_done():
            raise reader.unreadable(index)
    except Refused as refused:
        (found,) = refused.faults
        return _Element(line, raw, fault=replace(found, path=f"/{index}", line=line))
    return element


def _parsed(model: type[Document], element: _Element, index: int, limits: DeliveryLimits) -> Parsed:
    if element.fault:
        return _faulty(index, element, [element.fault])
    failure: ValidationError | None = None
    if not element.irregular:
        try:
            return Parsed(index, element.line, element.raw, model.model_validate(element.value))
        except ValidationError as error:
            failure = error
    shapeless = list(_irregularities(element.value, f"/{index}", element.line, limits))
    if shapeless or failure is None:
        return _faulty(index, element, shapeless)
    faults = faults_of(failure, model, lambda location: _path(index, location), element.line)
    return _faulty(index, element, faults, failure.error_count())


def _faulty(index: int, element: _Element, faults: Sequence[Fault], count: int | None = None) -> Parsed:
    named = tuple(faults[:FAULTS_MAX])
    return Parsed(index, element.line, element.raw, faults=named, fault_count=count or len(faults))


def _path(index: int, location: Location) -> str:
    return "".join(f"/{shown(step)}" for step in (index, *location))


def _irregularities(value: Any, path: str, line: int, limits: DeliveryLimits, level: int = 1) -> Iterator[Fault]:
    """What no document may hold whatever its kind: doubled keys, too many fields, too many levels."""
    if level > limits.depth_max:
        yield fault("document-deep", path, line, limit=limits.depth_max)
        return
    if isinstance(value, _Irregular):
        yield from (fault("document-doubled-key", f"{path}/{shown(name)}", line) for name in value.doubled)
    if isinstance(value, dict) and len(value) > limits.fields_max:
        yield fault("document-fields-many", path, line, limit=limits.fields_max)
        return
    steps = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    for step, inner in steps:
        if isinstance(inner, (dict, list)):
            yield from _irregularities(inner, f"{path}/{shown(step)}", line, limits, level + 1)
