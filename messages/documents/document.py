"""What all documents share: how they are read, what tells them apart, and when two of them say the same."""

import hmac
import json
from abc import abstractmethod
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from .fields import AppType, Guid, Time, wire_number
from .published import ContractVersion

LINES_MAX = 99
"""Item lines of one document, by the customs schemas of 202205."""


_SUBMISSION = {"guid", "app_type", "app_time", "app_status", "contract"}
"""Fields that say how a document was sent, not what it states."""


def counted(most: int | None) -> tuple[BeforeValidator, Any]:
    """At least one line and at most so many, counted before any is looked at: a flood of faulty lines costs nothing."""

    def check(lines: Any) -> Any:
        if isinstance(lines, (list, tuple)):
            if not lines:
                raise PydanticCustomError("document-lines-few", "no lines", {"limit": 1})
            if most and len(lines) > most:
                raise PydanticCustomError("document-lines-many", "too many lines", {"limit": most})
        return lines

    shown: dict[str, JsonValue] = {"minItems": 1, "maxItems": most} if most else {"minItems": 1}
    return BeforeValidator(check), Field(json_schema_extra=shown)


class Identity(NamedTuple):
    """What a document is about: its kind and its business key of official values."""

    kind: str
    key: tuple[str, ...]


class Part(BaseModel):
    """A document, or a line of one: frozen, official names outside, no field that the contract does not know.

    An optional field may be left out, be null or be blank; all three mean that there is no value.
    """

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, hide_input_in_errors=True)

    entity: ClassVar[str]
    """The CEB element whose fields these are, and where ``names.name_of`` looks them up."""

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        return {
            name: value
            for name, value in content.items()
            if value is not None and not (isinstance(value, str) and (not value or value.isspace()))
        }


class Document(Part):
    """One statement by one party. The fields here head every document on the bus and in CEB."""

    kind: ClassVar[str]
    outside_ceb: ClassVar[frozenset[str]] = frozenset()
    """Fields the contract adds to the customs schema; they never stand in customs XML."""

    guid: Guid
    app_type: AppType
    app_time: Time

    @property
    @abstractmethod
    def key(self) -> tuple[str, ...]:
        """The business key: official values that name the same thing in every document of this kind."""

    @property
    def identity(self) -> Identity:
        """Kind and key together."""
        return Identity(self.kind, self.key)

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        """A document shows its key only: it is full of personal data, and representations end up in logs."""
        yield "key", tuple(self.key)

    def content_digest(self, secret: bytes) -> bytes:
        """HMAC-SHA256 of what the document states; guid, appType, appTime, appStatus and contract are set aside.

        Equal numbers count as equal however they are written (1 and 1.00), a missing field and a blank one too.
        """
        content = self.model_dump(by_alias=True, exclude_none=True, exclude=_SUBMISSION)
        return hmac.digest(secret, _canonical([self.kind, content]).encode(), "sha256")


def _canonical_number(number: Decimal) -> str:
    text = wire_number(number)
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


_canonical = json.JSONEncoder(default=_canonical_number, sort_keys=True).encode


class BusDocument(Document):
    """A document that parties may push as JSON."""

    outside_ceb: ClassVar[frozenset[str]] = frozenset({"contract"})

    contract: ContractVersion | None = None
    """The version of the contract the sender wrote to."""
