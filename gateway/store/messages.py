"""Messages in the store: what was packed and sent, what came in, and which declarations they carry."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..declaring import Declaration
from ..evidence import key_text
from ..sealing import Sealer, Unsealable
from ..submissions import Relay
from .cases import DECLARATION_COLUMNS, declaration
from .database import Statement, Transaction, columns
from .gates import Gate

_BUSY = Statement(
    """
    SELECT eports.name AS eport, gates.state AS gate FROM {eports}
    LEFT JOIN gates ON gates.eport = eports.name
    WHERE EXISTS (SELECT 1 FROM declarations WHERE state = 'ready' AND declarations.eport = eports.name)
        OR EXISTS (
            SELECT 1 FROM messages
            WHERE messages.state IN ('waiting', 'resend') AND leased_until <= :now AND messages.eport = eports.name
        )
    """,
    {"eports": columns(name="text")},
)
_CLAIM = Statement(
    f"""
    SELECT {DECLARATION_COLUMNS}, content FROM declarations
    WHERE state = 'ready' AND relay_id IS NULL AND eport = :eport
    ORDER BY ready_at, id LIMIT :count {{skip}}
    """,  # noqa: S608 - our own column names
)
_CLAIM_RELAYED = Statement(
    f"""
    SELECT {DECLARATION_COLUMNS}, NULL AS content FROM declarations
    WHERE state = 'ready' AND relay_id IN (
        SELECT messages.id FROM messages
        JOIN declarations waiting ON waiting.relay_id = messages.id AND waiting.state = 'ready'
        WHERE messages.state = 'relay'
        GROUP BY messages.id, messages.members
        HAVING count(*) = messages.members AND min(waiting.eport) = :eport
        ORDER BY messages.id LIMIT :relays
    )
    ORDER BY id {{skip}}
    """,  # noqa: S608 - our own column names
)
_IN_FLIGHT = Statement(
    """
    SELECT count(*) AS packed FROM messages
    WHERE eport = :eport AND state IN ('packed', 'waiting', 'resend', 'uncertain', 'sent')
    """
)
_ADD = Statement(
    """
    INSERT INTO messages
        (id, eport, message_type, guid, file_name, members, state, sends, leased_until, packed_at, content)
    SELECT id, eport, message_type, guid, file_name, members, state, 0, leased_until, at, content FROM {rows}
    """,
    {
        "rows": columns(
            id="int",
            eport="text",
            message_type="text",
            guid="text",
            file_name="text",
            members="int",
            state="text",
            leased_until="int",
            at="int",
            content="bytes",
        )
    },
)
_REPACK = Statement(
    """
    UPDATE messages SET state = 'packed', eport = new.eport, file_name = new.file_name, leased_until = new.leased_until,
        packed_at = new.at, content = new.content
    FROM {new} WHERE messages.id = new.id
    """,
    {
        "new": columns(id="int", eport="text", file_name="text", leased_until="int", at="int", content="bytes"),
    },
)
_RELAYED = Statement(
    "SELECT id, guid, members, content FROM messages WHERE id IN (SELECT id FROM {ids})", {"ids": columns(id="int")}
)
_DUE = Statement(
    """
    UPDATE messages SET state = 'packed', leased_until = :leased_until
    WHERE id IN (
        SELECT id FROM messages
        WHERE eport = :eport AND state IN ('waiting', 'resend') AND leased_until <= :now
        ORDER BY leased_until LIMIT :count {skip}
    )
    RETURNING id, file_name, packed_at, content
    """
)
_LOST = Statement(
    """
    SELECT id, eport FROM messages
    WHERE state = 'packed' AND leased_until <= :now ORDER BY leased_until LIMIT :count {skip}
    """
)
_DOUBTED = Statement(
    """
    SELECT id, eport, state, sends FROM messages
    WHERE state IN ('uncertain', 'sent') AND leased_until <= :now ORDER BY leased_until LIMIT :count {skip}
    """
)
# an answer that came while a message was being handed over, or waited to be, ends the matter
_MOVE = Statement(
    """
    UPDATE messages SET state = new.state, sends = messages.sends + new.sends, leased_until = new.leased_until,
        sent_at = COALESCE(new.sent_at, messages.sent_at)
    FROM {new} WHERE messages.id = new.id AND messages.state <> 'answered'
    """,
    {"new": columns(id="int", state="text", sends="int", leased_until="int", sent_at="int")},
)
_MEMBERS = Statement(
    f"""
    SELECT {DECLARATION_COLUMNS} FROM declarations
    WHERE message_id IN (SELECT id FROM {{ids}}) ORDER BY id
    """,  # noqa: S608 - our own column names
    {"ids": columns(id="int")},
)

# what is in the hands of dispatch now may be there already, and its answer here before that is booked
_SENDS = Statement(
    """
    SELECT id, sends + CASE WHEN state = 'packed' THEN 1 ELSE 0 END AS sends FROM messages
    WHERE id IN (SELECT id FROM {ids})
    """,
    {"ids": columns(id="int")},
)
_ANSWERED = Statement(
    """
    UPDATE messages SET state = 'answered', sends = sends + CASE WHEN state = 'packed' THEN 1 ELSE 0 END
    WHERE state NOT IN ('relay', 'answered') AND id IN (SELECT id FROM {ids})
    """,
    {"ids": columns(id="int")},
)

_CASES_IN = Statement(
    "SELECT DISTINCT case_id FROM declarations WHERE message_id IN (SELECT id FROM {ids})", {"ids": columns(id="int")}
)

_BY_KEYS = Statement(
    f"""
    SELECT {DECLARATION_COLUMNS} FROM declarations
    JOIN {{keys}} ON declarations.message_type = keys.type AND declarations.business_key = keys.value
    """,  # noqa: S608 - our own column names
    {"keys": columns(type="text", value="text")},
)
_BY_INVENTORY = Statement(
    f"""
    SELECT {DECLARATION_COLUMNS} FROM declarations
    WHERE message_type = 'CEB621Message' AND invt_no IN (SELECT invt_no FROM {{numbers}})
    """,  # noqa: S608 - our own column names
    {"numbers": columns(invt_no="text")},
)
_BY_GUIDS = Statement(
    """
    SELECT id, guid FROM messages WHERE guid IN (SELECT guid FROM {guids})
    UNION SELECT message_id, guid FROM declarations WHERE guid IN (SELECT guid FROM {guids}) AND message_id IS NOT NULL
    """,
    {"guids": columns(guid="text")},
)
_SEEN = Statement(
    """
    SELECT inbound.file_name, inbound.sha256 FROM {files}
    JOIN inbound ON inbound.eport = files.eport AND inbound.file_name = files.name AND inbound.sha256 = files.sha256
    """,
    {"files": columns(eport="text", name="text", sha256="bytes")},
)
_ADD_INBOUND = Statement(
    """
    INSERT INTO inbound (id, eport, file_name, sha256, message_type, notes, at, content)
    SELECT id, eport, file_name, sha256, message_type, notes, at, content FROM {rows}
    """,
    {
        "rows": columns(
            id="int",
            eport="text",
            file_name="text",
            sha256="bytes",
            message_type="text",
            notes="text",
            at="int",
            content="bytes",
        )
    },
)
_ADD_RECEIPTS = Statement(
    """
    INSERT INTO receipts (id, inbound_id, message_type, business_key, status, return_time, standing, declaration_id,
        case_id, body, at)
    SELECT id, inbound_id, message_type, business_key, status, return_time, standing, declaration_id, case_id, body, at
    FROM {rows}
    """,
    {
        "rows": columns(
            id="int",
            inbound_id="int",
            message_type="text",
            business_key="text",
            status="text",
            return_time="int",
            standing="text",
            declaration_id="int",
            case_id="int",
            body="text",
            at="int",
        )
    },
)
_EARLY_BILLS = Statement(
    """
    SELECT receipts.id, receipts.message_type, receipts.status, receipts.body, numbers.invt_no FROM {numbers}
    JOIN receipts ON receipts.standing = 'unmatched' AND receipts.message_type IN ('CEB816Message', 'CEB818Message')
        AND receipts.business_key >= numbers.low AND receipts.business_key < numbers.high
    JOIN inbound ON inbound.id = receipts.inbound_id AND inbound.eport = :eport
    ORDER BY receipts.id
    """,
    {"numbers": columns(invt_no="text", low="text", high="text")},
)
_MATCH_BILLS = Statement(
    """
    UPDATE receipts SET standing = 'noted', declaration_id = new.declaration_id, case_id = new.case_id
    FROM {new} WHERE receipts.id = new.id
    """,
    {"new": columns(id="int", declaration_id="int", case_id="int")},
)
_KNOWN_RECEIPTS = Statement(
    """
    SELECT declaration_id, message_type, business_key, status, return_time FROM receipts
    WHERE declaration_id IN (SELECT id FROM {ids})
    """,
    {"ids": columns(id="int")},
)


@dataclass(frozen=True, slots=True)
class Packed:
    """A message with its bytes, ready to be handed to the transport of its e-port."""

    id: int
    eport: str
    message_type: str
    guid: str
    file_name: str
    members: int
    data: bytes = field(repr=False)
    relayed: bool = False


class Sendable(NamedTuple):
    """A message to send again: the same bytes under the same name."""

    id: int
    file_name: str
    packed_at: int
    data: bytes


class Known(NamedTuple):
    """What makes a receipt the same as another about the same declaration."""

    message_type: str
    business_key: str
    status: str
    return_ms: int


class Bill(NamedTuple):
    """A tax bill that came before its inventory number was known here; ``body`` is what is kept of it."""

    id: int
    message_type: str
    status: str
    body: Mapping[str, Any]
    invt_no: str


class Moved(NamedTuple):
    """What became of a message: its state, how many sends that adds, until when it is left alone, when it was sent."""

    id: int
    state: str
    sends: int
    leased_until: int
    sent_at: int | None = None


class MessageStore:
    """Reads and writes messages; their bytes are sealed on the way in."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def add_relays(self, transaction: Transaction, relays: Iterable[tuple[int, Relay, int]], now: int) -> None:
        """Keep signed messages until every document in them may be declared; (id, message, number of documents)."""
        rows = [
            (id_, "", relay.message_type, relay.guid, "", members, "relay", 0, now, self._sealer.seal(relay.data))
            for id_, relay, members in relays
        ]
        await transaction.run(_ADD, rows=rows)

    async def busy(self, transaction: Transaction, eports: Iterable[str], now: int) -> dict[str, Gate | None]:
        """Those of the e-ports with something to pack or to send now, and how the gate of each is closed, if it is."""
        rows = await transaction.run(_BUSY, eports=[(each,) for each in eports], now=now)
        return {row.eport: row.gate for row in rows}

    async def in_flight(self, transaction: Transaction, eport: str) -> int:
        """How many messages of an e-port have been packed and not been answered."""
        return (await transaction.run(_IN_FLIGHT, eport=eport))[0].packed

    async def claim(
        self, transaction: Transaction, eport: str, count: int, relays: int
    ) -> tuple[list[tuple[Declaration, bytes | None]], dict[int, list[Declaration]]]:
        """Lock what is ready: ``count`` declarations to build, with content, and those of ``relays`` messages.

        What another transaction holds is left out, so the members of a message may not all be there. Content that
        cannot be opened (shredded) is None.
        """
        rows = await transaction.run(_CLAIM, eport=eport, count=count)
        to_build = [(declaration(row), self._opened(row.content)) for row in rows]
        to_relay: dict[int, list[Declaration]] = {}
        for row in await transaction.run(_CLAIM_RELAYED, eport=eport, relays=relays):
            to_relay.setdefault(row.relay_id, []).append(declaration(row))
        return to_build, to_relay

    def _opened(self, content: bytes) -> bytes | None:
        try:
            return self._sealer.open(content)
        except Unsealable:
            return None

    async def relayed(
        self, transaction: Transaction, members: Mapping[int, Sequence[Declaration]]
    ) -> list[tuple[int, str, bytes]]:
        """Id, guid and bytes of signed messages all of whose members are claimed."""
        rows = await transaction.run(_RELAYED, ids=[(each,) for each in members])
        whole = [row for row in rows if len(members[row.id]) == row.members]
        return [(row.id, row.guid, self._sealer.open(row.content)) for row in whole]

    async def add(self, transaction: Transaction, packed: Sequence[Packed], now: int, leased_until: int) -> None:
        """Store messages that are about to be sent."""
        new = [
            (
                each.id,
                each.eport,
                each.message_type,
                each.guid,
                each.file_name,
                each.members,
                "packed",
                leased_until,
                now,
                self._sealer.seal(each.data),
            )
            for each in packed
            if not each.relayed
        ]
        await transaction.run(_ADD, rows=new)
        kept = [
            (each.id, each.eport, each.file_name, leased_until, now, self._sealer.seal(each.data))
            for each in packed
            if each.relayed
        ]
        await transaction.run(_REPACK, new=kept)

    async def due(
        self, transaction: Transaction, eport: str, now: int, leased_until: int, count: int
    ) -> list[Sendable]:
        """Claim messages whose time to be sent (again) has come."""
        rows = await transaction.run(_DUE, eport=eport, now=now, leased_until=leased_until, count=count)
        return [Sendable(row.id, row.file_name, row.packed_at, self._sealer.open(row.content)) for row in rows]

    async def lost(self, transaction: Transaction, now: int, count: int) -> list[tuple[int, str]]:
        """Messages whose sender died before it could say what became of them: (id, eport)."""
        return [(row.id, row.eport) for row in await transaction.run(_LOST, now=now, count=count)]

    async def doubted(self, transaction: Transaction, now: int, count: int) -> list[tuple[int, str, str, int]]:
        """Messages without an answer past their time: (id, eport, state, sends)."""
        rows = await transaction.run(_DOUBTED, now=now, count=count)
        return [(row.id, row.eport, row.state, row.sends) for row in rows]

    async def move(self, transaction: Transaction, moved: Iterable[Moved]) -> None:
        """Say what became of messages."""
        await transaction.run(_MOVE, new=list(moved))

    async def cases_in(self, transaction: Transaction, ids: Iterable[int]) -> list[int]:
        """The cases (ids) whose declarations these messages carry."""
        return [row.case_id for row in await transaction.run(_CASES_IN, ids=[(each,) for each in ids])]

    async def members(self, transaction: Transaction, ids: Iterable[int]) -> list[Declaration]:
        """The declarations in these messages."""
        return [declaration(row) for row in await transaction.run(_MEMBERS, ids=[(each,) for each in ids])]

    async def sends(self, transaction: Transaction, ids: Iterable[int]) -> dict[int, int]:
        """How often each of these messages was handed over."""
        rows = await transaction.run(_SENDS, ids=[(each,) for each in sorted(set(ids))])
        return {row.id: row.sends for row in rows}

    async def answered(self, transaction: Transaction, ids: Iterable[int]) -> None:
        """These messages have been answered: nothing is sent again for want of a receipt."""
        await transaction.run(_ANSWERED, ids=[(each,) for each in sorted(set(ids))])

    async def by_keys(self, transaction: Transaction, keys: Iterable[tuple[str, str]]) -> list[Declaration]:
        """All attempts with these (message type, business key)."""
        rows = await transaction.run(_BY_KEYS, keys=sorted(set(keys)))
        return [declaration(row) for row in rows]

    async def by_inventory(self, transaction: Transaction, numbers: Iterable[str]) -> list[Declaration]:
        """Inventories by the number customs gave them."""
        rows = await transaction.run(_BY_INVENTORY, numbers=[(each,) for each in sorted(set(numbers))])
        return [declaration(row) for row in rows]

    async def by_guids(self, transaction: Transaction, guids: Iterable[str]) -> dict[str, int]:
        """Message ids by their own guid or the guid of a declaration in them."""
        rows = await transaction.run(_BY_GUIDS, guids=[(each,) for each in sorted(set(guids))])
        return {row.guid: row.id for row in rows}

    async def seen(self, transaction: Transaction, files: Iterable[tuple[str, str, bytes]]) -> set[tuple[str, bytes]]:
        """Which of these files (eport, name, sha256) are stored already, by name and sha256."""
        rows = await transaction.run(_SEEN, files=list(files))
        return {(row.file_name, bytes(row.sha256)) for row in rows}

    async def add_inbound(self, transaction: Transaction, rows: Iterable[tuple[object, ...]]) -> None:
        """Store files that came in: (id, eport, name, sha256, message type, notes, at, bytes)."""
        sealed = [(*row[:-1], self._sealer.seal(_bytes(row[-1]))) for row in rows]
        await transaction.run(_ADD_INBOUND, rows=sealed)

    async def add_receipts(self, transaction: Transaction, rows: Iterable[tuple[object, ...]]) -> None:
        """Store receipts, in the order of the columns of their table."""
        await transaction.run(_ADD_RECEIPTS, rows=list(rows))

    async def early_bills(self, transaction: Transaction, eport: str, numbers: Iterable[str]) -> list[Bill]:
        """Tax bills an e-port gave for these inventory numbers that nothing here has had so far."""
        # a bill's key is invtNo/taxNo, and "0" comes next after "/"
        ranges = [(each, f"{key_text([each])}/", f"{key_text([each])}0") for each in sorted(set(numbers))]
        rows = await transaction.run(_EARLY_BILLS, eport=eport, numbers=ranges)
        return [Bill(row.id, row.message_type, row.status, json.loads(row.body), row.invt_no) for row in rows]

    async def match_bills(self, transaction: Transaction, matched: Iterable[tuple[int, int, int]]) -> None:
        """Bills have found their case: (receipt, declaration, case)."""
        await transaction.run(_MATCH_BILLS, new=list(matched))

    async def known_receipts(self, transaction: Transaction, ids: Iterable[int]) -> dict[int, set[Known]]:
        """Every receipt stored for these declarations, by declaration."""
        known: dict[int, set[Known]] = {}
        for row in await transaction.run(_KNOWN_RECEIPTS, ids=[(each,) for each in sorted(set(ids))]):
            each = Known(row.message_type, row.business_key, row.status, row.return_time or 0)
            known.setdefault(row.declaration_id, set()).add(each)
        return known


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("not bytes")
    return value
