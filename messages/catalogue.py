"""The catalogue: one record for each message type. ``tables/catalogue.toml`` holds them and explains their fields."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class MessageType:
    """What is known about one message type. ``code`` is the name of its root element."""

    code: str
    short: str
    zh: str
    en: str
    direction: str
    role: str
    schema: str
    signature: str
    node: str | None = None
    head: str | None = None
    line: str | None = None
    max_nodes: int | None = None
    key: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    declared_by: tuple[str, ...] = ()
    answered_by: str | None = None
    duplicates: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()


@cache
def message_types() -> dict[str, MessageType]:
    """Every message type by its code, in the order of the table."""
    table = tomllib.loads(Path(__file__).with_name("tables").joinpath("catalogue.toml").read_text("utf-8"))
    return {code: _record(code, entry) for code, entry in table.items()}


def message_type(code: str) -> MessageType:
    """The record of one message type. Raises KeyError when the gateway does not know it."""
    return message_types()[code]


def _record(code: str, entry: dict[str, Any]) -> MessageType:
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
    return MessageType(code=code, **fields)
