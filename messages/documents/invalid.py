"""Why a content is no valid document, as faults its sender can act on. No value of the content is repeated."""

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ..faults import FAULTS_MAX, Fault, fault
from ..names import name_of
from .document import Document, Part
from .fields import holds_control

Location = tuple[int | str, ...]

_CODES = {
    "missing": "document-missing",
    "extra_forbidden": "document-unknown-field",
    "model_type": "document-object",
    "tuple_type": "document-list",
    "string_type": "document-text",
    "string_unicode": "document-character",
    "string_pattern_mismatch": "document-character",
    "string_too_short": "document-length",
    "string_too_long": "document-long",
    "literal_error": "document-choice",
    "greater_than_equal": "document-whole-number",
    "less_than_equal": "document-whole-number",
}
"""pydantic's error types and our codes; only texts of an exact length have a shortest length above one character."""

_NAME_SHOWN_MAX = 64
_presentable = re.compile(rf"[A-Za-z_][\w.:-]{{0,{_NAME_SHOWN_MAX - 1}}}", re.ASCII).fullmatch


def shown(name: int | str) -> str:
    """A field name as a path may show it: one that does not look like a name may be data and becomes ``?``."""
    if isinstance(name, int):
        return str(name)
    return name if _presentable(name) else "?"


def faults_of(
    error: ValidationError, document: type[Document], path_of: Callable[[Location], str], line: int | None
) -> tuple[Fault, ...]:
    """The first faults behind a validation error; ``path_of`` turns pydantic's location into a path of the input."""
    details = error.errors(include_url=False)[:FAULTS_MAX]
    return tuple(_fault_of(detail, document, path_of, line) for detail in details)


def _fault_of(
    detail: ErrorDetails, document: type[Document], path_of: Callable[[Location], str], line: int | None
) -> Fault:
    location = _location_of(detail)
    part = _part_at(document, location)
    field = str(location[-1]) if location else ""
    code = _code_of(detail)
    if code == "document-unknown-field" and (near := _nearest(field, part)):
        code, field = "document-misspelt-field", near
    return fault(code, path_of(location), line, **_sentence_values(field, part.entity, detail.get("ctx", {})))


def _is_about_a_key(detail: ErrorDetails) -> bool:
    """Whether it is the name of a field that is no valid text; pydantic places that at the object."""
    return detail["type"] == "string_unicode" and not isinstance(next(reversed(detail["loc"]), 0), str)


def _location_of(detail: ErrorDetails) -> Location:
    return (*detail["loc"], "?") if _is_about_a_key(detail) else detail["loc"]


def _code_of(detail: ErrorDetails) -> str:
    if _is_about_a_key(detail):
        return "document-unknown-field"
    if detail["type"] == "string_pattern_mismatch" and not holds_control(detail["input"].strip()):
        return "document-space"
    own = detail["type"] if detail["type"].startswith("document-") else "document-invalid"
    return _CODES.get(detail["type"], own)


def _sentence_values(field: str, entity: str, context: dict[str, Any]) -> dict[str, object]:
    name = name_of(field, entity)
    return {
        "field": field,
        "zh": name.zh,
        "en": name.en,
        "limit": context.get("max_length", context.get("min_length")),
        "choices": " / ".join(re.findall("'([^']*)'", context.get("expected", ""))),
        **context,
    }


def _part_at(document: type[Document], location: Location) -> type[Part]:
    """The model whose field a location means: the document itself, or its line."""
    if len(location) < 3:
        return document
    (line, *_) = get_args(document.model_fields["lines"].annotation)
    return line


def _nearest(name: str, part: type[Part]) -> str | None:
    """The official name that ``name`` was probably meant to be."""
    if not _presentable(name):
        return None
    official = {alias.lower(): alias for alias in _official_names(part)}
    near = get_close_matches(name.replace("_", "").lower(), official, n=1, cutoff=0.8)
    return official[near[0]] if near else None


def _official_names(part: type[Part]) -> Iterator[str]:
    for name, field in part.model_fields.items():
        yield field.alias or name
