"""The directory of parties: who is on record, under which codes, and who a sender is."""

import json
from collections.abc import Iterable

from ..config.parties import Party, sender_of
from .store.database import Statement, Transaction, columns
from .taking import UNREGISTERED

_PUT = Statement(
    """
    INSERT INTO parties (code, body, changed_at) SELECT code, body, :now FROM {parties} WHERE true
    ON CONFLICT (code) DO UPDATE SET body = excluded.body, changed_at = excluded.changed_at
    """,
    {"parties": columns(code="text", body="text")},
)
_DROP = Statement(
    "DELETE FROM parties WHERE code NOT IN (SELECT code FROM {parties})",
    {"parties": columns(code="text")},
    without_rows=True,
)
_ALL = Statement("SELECT body FROM parties ORDER BY code")


class Directory:
    """Parties by every code they go by."""

    def __init__(self, parties: Iterable[Party]) -> None:
        self.parties = tuple(parties)
        self._by_code = {code: party for party in self.parties for code in party.codes}
        self._platforms = {party.code: party.platform for party in self.parties}

    @property
    def on_record(self) -> frozenset[str]:
        """Every enterprise code on record."""
        return frozenset(self._by_code)

    @property
    def codes(self) -> tuple[str, ...]:
        """Our own code of every party."""
        return tuple(party.code for party in self.parties)

    def party_of(self, enterprise: str) -> str:
        """Our ASCII code for an enterprise, to be used in routing keys."""
        party = self._by_code.get(enterprise)
        return party.code if party else UNREGISTERED

    def platform_of(self, party: str) -> str | None:
        """The platform a party's deliveries are bound to."""
        return self._platforms.get(party)

    def sender(self, user: str | None, app_id: str | None) -> str | None:
        """The party a delivery comes from, as far as its user or its own word tells."""
        party = sender_of(self.parties, user, app_id)
        return party.code if party else None

    def holder_of(self, token_sha256: str) -> str | None:
        """The party whose HTTP token has this digest."""
        return next((party.code for party in self.parties if party.token_sha256 == token_sha256), None)


async def record_parties(transaction: Transaction, parties: Iterable[Party], now: int) -> None:
    """Make the table of parties what the configuration says."""
    rows = [(party.code, party.model_dump_json(exclude_none=True)) for party in parties]
    await transaction.run(_PUT, parties=rows, now=now)
    await transaction.run(_DROP, parties=[(code,) for code, _ in rows])


async def read_directory(transaction: Transaction) -> Directory:
    """The directory as it is recorded."""
    return Directory(Party.model_validate(json.loads(row.body)) for row in await transaction.run(_ALL))
