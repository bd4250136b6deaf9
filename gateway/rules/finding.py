"""What a rule says: findings, and the masked values they show."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from ...messages.personal import differs_only_in_form
from ..states import Verdict


class Severity(StrEnum):
    """What a finding does to its case."""

    WAITS = "waits"
    BLOCKS = "blocks"
    WARNS = "warns"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its stable code, what a hit does, its sentence in both languages, and where it comes from."""

    code: str
    severity: Severity
    zh: str
    en: str
    source: str


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule by code, in the order of the table."""
    table = tomllib.loads(Path(__file__).with_name("rules.toml").read_text("utf-8"))
    return {code: Rule(code, Severity(entry.pop("severity")), **entry) for code, entry in table.items()}


@dataclass(frozen=True, slots=True)
class Value:
    """A value as a finding shows it (masked where personal) and where it came from, such as ``order.buyerName``."""

    shown: str
    of: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule said about one case; ``line`` is a gnum where it is about one line."""

    rule: str
    severity: Severity
    left: Value | None = None
    right: Value | None = None
    line: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The finding as it is stored and published, without the sentences (they belong to the rule)."""
        body: dict[str, Any] = {"rule": self.rule, "severity": self.severity.value}
        if self.line is not None:
            body["line"] = self.line
        for name, value in (("left", self.left), ("right", self.right)):
            if value:
                body[name] = {"value": value.shown, "from": value.of}
        return body


def verdict_of(findings: tuple[Finding, ...]) -> Verdict:
    """What all findings add up to: a blocking one outweighs a missing one, a warning changes nothing."""
    severities = {finding.severity for finding in findings}
    if Severity.BLOCKS in severities:
        return Verdict.DISCREPANT
    return Verdict.WAITING if Severity.WAITS in severities else Verdict.MATCHED


Mask = Callable[[str], str]


def plain(text: str) -> str:
    """No mask: amounts, codes, numbers of documents."""
    return text


@dataclass(frozen=True, slots=True)
class Hit:
    """What a rule's check yields; the rule's severity is added when it becomes a finding."""

    rule: str
    left: Value | None = None
    right: Value | None = None
    line: int | None = None


def compare(rule: str, left: tuple[str, str], right: tuple[str, str], mask: Mask = plain) -> Hit | None:
    """Compare two (origin, text) pairs: equal says nothing, equal but for form says so, different hits ``rule``."""
    (left_of, left_text), (right_of, right_text) = left, right
    if left_text == right_text:
        return None
    code = "differs-in-form" if differs_only_in_form(left_text, right_text) else rule
    return Hit(code, Value(mask(left_text), left_of), Value(mask(right_text), right_of))
