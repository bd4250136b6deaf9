"""Parties: the registered enterprises of ``parties.toml``, and how a sender is recognised as one of them."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from ..messages.faults import Refused, fault
from .eports import EnterpriseName, PlatformCode
from .problems import Problem, Table, problems_of, read_toml, shaped

PARTIES = "parties.toml"

Role = Literal["platform", "merchant", "payer", "carrier", "declarant", "subscriber"]

_CREDIT_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


class Party(Table):
    """One enterprise.

    ``code`` is ours and stands in routing keys and queue names. ``users`` are names a broker verifies, ``app_ids`` what
    a sender says of itself. ``platform`` binds a sender to one ebpCode: what it sends without a platform belongs there.
    ``token_sha256`` is the SHA-256 of its HTTP token.
    """

    code: Annotated[
        str,
        shaped(
            "[a-z0-9][a-z0-9-]{0,31}", "1 至 32 位小写字母、数字或连字符", "1 to 32 of a-z, 0-9 and hyphen, in quotes"
        ),
    ]
    name: EnterpriseName
    customs_code: Annotated[
        str | None, shaped("[0-9A-Z]{10}", "10 位海关注册编码（加引号）", "a customs code of 10 characters, in quotes")
    ] = None
    uscc: Annotated[
        str | None,
        shaped(
            "[0-9A-Z]{18}",
            "18 位统一社会信用代码（加引号）",
            "a unified social credit code of 18 characters, in quotes",
        ),
    ] = None
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    users: tuple[Annotated[str, Field(min_length=1, max_length=255)], ...] = ()
    app_ids: tuple[Annotated[str, Field(min_length=1, max_length=255)], ...] = ()
    platform: PlatformCode | None = None
    token_sha256: Annotated[
        str | None, shaped("[0-9a-f]{64}", "SHA-256 的 64 位小写十六进制", "a SHA-256 of 64 hex digits")
    ] = None

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes customs knows it by."""
        return tuple(code for code in (self.customs_code, self.uscc) if code is not None)


class Parties(Table):
    """The file ``parties.toml``."""

    party: tuple[Party, ...] = ()


def load_parties(folder: Path) -> tuple[list[Party], list[Problem]]:
    """Read the parties of the operators' folder, with everything wrong in the file; no file means no parties."""
    if not (folder / PARTIES).exists():
        return [], []
    try:
        tables = read_toml(folder / PARTIES)
    except Refused as refused:
        return [], [Problem(PARTIES, each) for each in refused.faults]
    problems = list(_contradictions(tables))
    try:
        return list(Parties.model_validate(tables).party), problems
    except ValidationError as error:
        return [], problems_of(error, Parties, PARTIES) + problems


def sender_of(parties: Iterable[Party], user: str | None, app_id: str | None) -> Party | None:
    """The party a delivery comes from: the user its broker verified, else what the sender says of itself."""
    known = list(parties)
    by_user = next((party for party in known if user is not None and user in party.users), None)
    if by_user is not None:
        return by_user
    return next((party for party in known if app_id is not None and app_id in party.app_ids), None)


def credit_code_valid(code: str) -> bool:
    """Whether an 18-character unified social credit code ends in its check character (GB 32100-2015, mod 31)."""
    if len(code) != 18 or any(character not in _CREDIT_CHARACTERS for character in code):
        return False
    total = sum(_CREDIT_CHARACTERS.index(character) * pow(3, at, 31) for at, character in enumerate(code[:17]))
    return _CREDIT_CHARACTERS[-total % 31] == code[17]


def _contradictions(tables: dict[str, Any]) -> Iterator[Problem]:
    """What one party cannot show alone, read from the raw tables so that it is said beside other faults."""
    found = tables.get("party")
    entries = [each if isinstance(each, dict) else {} for each in found] if isinstance(found, list) else []
    for key in ("code", "customs_code", "uscc", "token_sha256", "users", "app_ids"):
        seen: list[Any] = []
        for at, entry in enumerate(entries):
            value = entry.get(key)
            values = value if isinstance(value, list) else [value]
            if any(each is not None and each in seen for each in values):
                yield Problem(PARTIES, fault("config-twice", f"/party/{at}/{key}", key=key))
            seen += values
    for at, entry in enumerate(entries):
        if "customs_code" not in entry and "uscc" not in entry:
            yield Problem(PARTIES, fault("config-party-code-missing", f"/party/{at}"))
        uscc = entry.get("uscc")
        if isinstance(uscc, str) and not credit_code_valid(uscc):
            yield Problem(PARTIES, fault("config-credit-code", f"/party/{at}/uscc"), warning=True)
