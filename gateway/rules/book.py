"""The rule book: what the rules are held by on a given day. Limits are dated data, tolerances are settings."""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Literal

from ...messages.chinatime import china_date
from .finding import Severity, rules

Setting = Severity | Literal["off"]


@dataclass(frozen=True, slots=True)
class Dated:
    """An amount in force since a day (``YYYYMMDD``, China)."""

    since: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Listed:
    """A key in force between two days, the last included; open ends are empty."""

    since: str
    until: str

    def holds(self, day: str) -> bool:
        """Whether the day lies between them."""
        return self.since <= day and (not self.until or day <= self.until)


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Everything the rules need besides the case: dated limits, loaded lists, tolerances, severities."""

    single_limit: tuple[Dated, ...] = ()
    yearly_limit: tuple[Dated, ...] = ()
    positive_list: Mapping[str, tuple[Listed, ...]] | None = None
    """HS codes of 8 or 10 digits that may be retailed; None while no list is loaded."""
    bonded_modes: Mapping[tuple[str, str], tuple[Listed, ...]] | None = None
    """(customs district of 4 digits, trade mode) that may be declared; None while no table is loaded."""
    line_tolerance: Decimal = Decimal("0.01")
    paid_tolerance: Decimal = Decimal(0)
    payment_early_hours: int = 72
    severities: Mapping[str, Setting] = field(default_factory=dict)
    edition: str = field(init=False, compare=False)
    """A digest of all of it: the ledger names it, so that nobody has to guess by which rules a case was decided."""

    def __post_init__(self) -> None:
        given = [getattr(self, each.name) for each in fields(self) if each.init]
        said = [sorted(each.items()) if isinstance(each, Mapping) else each for each in given]
        object.__setattr__(self, "edition", hashlib.sha256(repr(said).encode()).hexdigest()[:12])

    def severity(self, rule: str) -> Setting:
        """What a hit of the rule does here."""
        return self.severities.get(rule, rules()[rule].severity)

    def limit(self, name: Literal["single_limit", "yearly_limit"], at_ms: int) -> Decimal | None:
        """The limit in force, or None before there was one."""
        day = china_date(at_ms)
        in_force = [each for each in getattr(self, name) if each.since <= day]
        return max(in_force, key=lambda each: each.since).amount if in_force else None


def built_in() -> RuleBook:
    """The packaged limits, with default tolerances and no list loaded."""
    table = tomllib.loads(Path(__file__).with_name("book.toml").read_text("utf-8"))
    return RuleBook(_dated(table["single_limit"]), _dated(table["yearly_limit"]))


def _dated(entries: Iterable[Mapping[str, str]]) -> tuple[Dated, ...]:
    return tuple(Dated(entry["since"].replace("-", ""), Decimal(entry["amount"])) for entry in entries)
