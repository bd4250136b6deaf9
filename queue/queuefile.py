"""The file of the embedded bus: exchanges, queues and deliveries in SQLite, one transaction per call.

SQLite is called inline: a statement takes less than handing it to a thread would. What a process holds is marked with
its slot (see ``slots``). Everything of a message but its exchange and routing key is sealed.
"""

import json
import math
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..messages.faults import fault
from .bus import BusDownError, BusRefusedError, Death, Delivery, Failure, Message, cut, fits_amqp
from .slots import Slot
from .topology import DEFAULT_EXCHANGE, Exchange, Queue, Topology, fits

IN_MEMORY = ":memory:"

LAYOUT = 1
"""The layout of the file; a file of another layout is refused."""

BUSY_S = 5
"""How long a transaction waits while another process writes."""

RECLAIM_MS = 1000
"""How often at most the deliveries of processes that are gone are looked for."""

SCHEMA = """
CREATE TABLE exchange (name TEXT PRIMARY KEY, kind TEXT NOT NULL, alternate TEXT) STRICT, WITHOUT ROWID;
CREATE TABLE queue (
    name TEXT PRIMARY KEY, length_max INTEGER, overflow TEXT NOT NULL, delivery_limit INTEGER,
    dead_letter_exchange TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE binding (
    exchange TEXT, pattern TEXT, queue TEXT, PRIMARY KEY (exchange, pattern, queue)
) STRICT, WITHOUT ROWID;
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, exchange TEXT NOT NULL, routing_key TEXT NOT NULL,
    sealed BLOB NOT NULL, size INTEGER NOT NULL, redeliveries INTEGER NOT NULL DEFAULT 0, slot INTEGER, death TEXT
) STRICT;
CREATE INDEX delivery_waiting ON delivery (queue, id) WHERE slot IS NULL;
CREATE INDEX delivery_held ON delivery (slot) WHERE slot IS NOT NULL;
"""


class QueueFile:
    """The file at ``path``, or memory (``":memory:"``), where it lives as long as this object.

    ``seal`` and ``unseal`` encrypt what is stored. ``now_ms`` (milliseconds UTC) dates deaths and paces the search for
    processes that are gone. ``user`` is the account that messages are published as. Every method but ``close`` raises
    BusDownError if the file cannot be used now, BusRefusedError if it never can.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        seal: Callable[[bytes], bytes],
        unseal: Callable[[bytes], bytes],
        now_ms: Callable[[], int],
        user: str | None,
    ) -> None:
        self.in_memory = str(path) == IN_MEMORY
        self._path = Path(path)
        self._seal, self._unseal = seal, unseal
        self._now_ms = now_ms
        self._user = user
        self._database: sqlite3.Connection | None = None
        self._slot: Slot | None = None
        self._slot_number = 0
        self._reclaimed_at = 0

    def open(self) -> None:
        """Open the file, making it if it is not there, readable for this account only."""
        try:
            with self._explained():
                self._connect()
            with self._transaction() as database:
                self._make_tables(database)
                self._give_back(database, _held(database, self._slot_number))  # by an earlier holder of our slot
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file and give the slot free."""
        if self._database is not None:
            self._database.close()
            self._database = None
        if self._slot is not None:
            self._slot.close()
            self._slot = None

    def declare(self, topology: Topology) -> None:
        """Make what is not there yet; a queue that is there takes over the new limits."""
        with self._transaction() as database:
            for exchange in topology.exchanges:
                values = (exchange.name, exchange.kind, exchange.alternate)
                database.execute("INSERT OR IGNORE INTO exchange VALUES (?, ?, ?)", values)
                if _exchange(database, exchange.name) != exchange:
                    raise BusRefusedError(fault("bus-differs", kind="exchange", name=exchange.name))
            for queue in topology.queues:
                limits = (queue.length_max, queue.overflow, queue.delivery_limit, queue.dead_letter_exchange)
                database.execute("INSERT OR REPLACE INTO queue VALUES (?, ?, ?, ?, ?)", (queue.name, *limits))
            for binding in topology.bindings:
                _require(database, exchanges=[binding.exchange], queues=[binding.queue])
                values = (binding.exchange, binding.pattern, binding.queue)
                database.execute("INSERT OR IGNORE INTO binding VALUES (?, ?, ?)", values)

    def require(self, *, exchanges: Iterable[str] = (), queues: Iterable[str] = ()) -> None:
        """Raise BusRefusedError, naming it, unless everything named is there."""
        with self._explained():
            _require(self._opened(), exchanges=exchanges, queues=queues)

    def store(self, messages: Sequence[Message]) -> tuple[dict[int, Failure], set[str]]:
        """Store messages in the queues they reach; on the disk when it returns.

        Returns why which messages, by position, are not stored, and the queues that got something.
        """
        failures: dict[int, Failure] = {}
        with self._transaction(durable=True) as database:
            routes = _Routes(database)
            for index, message in enumerate(messages):
                failure = self._store(database, message, routes)
                if failure is not None:
                    failures[index] = failure
            for name in routes.reached:
                self._drop_oldest(database, name)
        return failures, routes.reached

    def waiting(self, queue: str, up_to: int = -1) -> int:
        """How many deliveries wait in a queue, counted no further than ``up_to``."""
        with self._explained():
            _require(self._opened(), queues=[queue])
            return _waiting(self._opened(), queue, up_to)

    def take(self, queue: str, batch: int, batch_bytes: int) -> list[Delivery]:
        """The next deliveries of a queue, now held by this process. Raises what ``unseal`` raises, holding nothing."""
        with self._transaction() as database:
            rows = database.execute(
                "SELECT id, size, redeliveries FROM delivery WHERE queue = ? AND slot IS NULL ORDER BY id LIMIT ?",
                (queue, batch),
            ).fetchall()
            ids = [row[0] for row in rows[: cut((row[1:] for row in rows), batch, batch_bytes)]]
            taken = database.execute(
                "UPDATE delivery SET slot = ? WHERE id IN (SELECT value FROM json_each(?))"
                " RETURNING id, exchange, routing_key, sealed, redeliveries, death",
                (self._slot_number, _json(ids)),
            ).fetchall()
            return [self._delivery(row) for row in sorted(taken)]

    def ack(self, ids: Iterable[int]) -> None:
        """Forget deliveries of this process."""
        with self._transaction() as database:
            database.execute("DELETE FROM delivery WHERE id IN (SELECT value FROM json_each(?))", (_json(ids),))

    def release(self, ids: Iterable[int]) -> set[str]:
        """Give deliveries of this process back, or bury those given back too often; the queues to look at again."""
        with self._transaction() as database:
            return self._give_back(database, ids)

    def reject(self, ids: Iterable[int]) -> set[str]:
        """Bury deliveries of this process; the queues to look at again."""
        with self._transaction() as database:
            return self._bury(database, ids, "rejected")

    def reclaim(self) -> set[str]:
        """Give back what processes that are gone held, if it is time to look; the queues to look at again."""
        if self._slot is None or self._now_ms() - self._reclaimed_at < RECLAIM_MS:
            return set()
        self._reclaimed_at = self._now_ms()
        touched: set[str] = set()
        with self._transaction() as database:
            others = database.execute("SELECT DISTINCT slot FROM delivery WHERE slot IS NOT NULL").fetchall()
            for (number,) in others:
                with self._slot.if_abandoned(number) as abandoned:
                    if abandoned:
                        touched |= self._give_back(database, _held(database, number))
        return touched

    def _connect(self) -> None:
        if not self.in_memory:
            self._make_file()
            self._slot = Slot(self._path)
            self._slot_number = self._slot.number
        self._database = sqlite3.connect(str(self._path), timeout=BUSY_S, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")

    def _make_file(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            # not opened here: closing any descriptor of the file would drop SQLite's own locks in this process
            self._path.chmod(0o600)

    def _make_tables(self, database: sqlite3.Connection) -> None:
        (layout,) = database.execute("PRAGMA user_version").fetchone()
        (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if layout == 0 and tables == 0:
            for statement in SCHEMA.split(";\n"):
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {LAYOUT}")
        elif layout != LAYOUT:
            raise BusRefusedError(fault("bus-file-foreign", file=self._path))

    @contextmanager
    def _transaction(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """One write transaction; ``durable`` waits until it is on the disk.

        The others may be lost if the machine loses power, never if the process dies: a lost acknowledgement is one
        more redelivery.
        """
        database = self._opened()
        with self._explained():
            database.execute("PRAGMA synchronous = FULL" if durable else "PRAGMA synchronous = NORMAL")
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            raise BusDownError(fault("bus-closed"))
        return self._database

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise BusDownError(fault("bus-file", file=self._path, reason=error.sqlite_errorname)) from None
        except sqlite3.DatabaseError:
            raise BusRefusedError(fault("bus-file-foreign", file=self._path)) from None
        except OSError as error:
            raise BusRefusedError(fault("bus-file", file=self._path, reason=os.strerror(error.errno or 0))) from None

    def _store(self, database: sqlite3.Connection, message: Message, routes: "_Routes") -> Failure | None:
        queues = routes.queues(message.exchange, message.routing_key)
        if queues is None or message.user_id not in (None, self._user) or not fits_amqp(message):
            return Failure.REFUSED
        if not queues:
            return Failure.UNROUTABLE if message.mandatory else None
        sealed = self._seal(_packed(message))
        taking = [name for name in queues if routes.has_room(name)]
        database.executemany(
            "INSERT INTO delivery (queue, exchange, routing_key, sealed, size) VALUES (?, ?, ?, ?, ?)",
            [(name, message.exchange, message.routing_key, sealed, len(message.body)) for name in taking],
        )
        return None if len(taking) == len(queues) else Failure.FULL

    def _give_back(self, database: sqlite3.Connection, ids: Iterable[int]) -> set[str]:
        returned = database.execute(
            "UPDATE delivery SET slot = NULL, redeliveries = redeliveries + 1"
            " WHERE id IN (SELECT value FROM json_each(?)) RETURNING id, queue, redeliveries",
            (_json(ids),),
        ).fetchall()
        queues = {name: _queue(database, name) for name in {row[1] for row in returned}}
        limits = {name: queue.delivery_limit for name, queue in queues.items()}
        worn = [id_ for id_, name, count in returned if (limit := limits[name]) is not None and count > limit]
        return set(queues) | self._bury(database, worn, "delivery_limit")

    def _bury(self, database: sqlite3.Connection, ids: Iterable[int], reason: str) -> set[str]:
        """Move deliveries to the dead letters of their queues; the queues these are.

        A queue of dead letters that refuses publishers takes them all the same: they are in the file already.
        """
        reached: set[str] = set()
        for id_ in sorted(ids):
            name, exchange, key = database.execute(
                "SELECT queue, exchange, routing_key FROM delivery WHERE id = ?", (id_,)
            ).fetchone()
            death = json.dumps({"reason": reason, "queue": name, "exchange": exchange, "at": self._now_ms()})
            dead_letters = _queue(database, name).dead_letter_exchange
            targets = _route(database, dead_letters, key) if dead_letters is not None else None
            for target in targets or ():
                database.execute(
                    "INSERT INTO delivery (queue, exchange, routing_key, sealed, size, death)"
                    " SELECT ?, ?, routing_key, sealed, size, ? FROM delivery WHERE id = ?",
                    (target, dead_letters, death, id_),
                )
                reached.add(target)
            database.execute("DELETE FROM delivery WHERE id = ?", (id_,))
        return reached

    def _drop_oldest(self, database: sqlite3.Connection, name: str) -> None:
        queue = _queue(database, name)
        if queue.length_max is None or queue.overflow != "drop-head":
            return
        excess = _waiting(database, name) - queue.length_max
        oldest = "SELECT id FROM delivery WHERE queue = ? AND slot IS NULL ORDER BY id LIMIT ?"
        rows = database.execute(oldest, (name, max(excess, 0))).fetchall()
        self._bury(database, [row[0] for row in rows], "maxlen")

    def _delivery(self, row: tuple[int, str, str, bytes, int, str | None]) -> Delivery:
        id_, exchange, routing_key, sealed, redeliveries, death = row
        properties, _, body = self._unseal(sealed).partition(b"\n")
        return Delivery(
            exchange=exchange,
            routing_key=routing_key,
            body=body,
            redeliveries=redeliveries,
            death=Death(**json.loads(death)) if death else None,
            token=id_,
            **json.loads(properties),
        )


def _packed(message: Message) -> bytes:
    """Properties as one line of JSON, then the body."""
    properties: dict[str, Any] = {
        "content_type": message.content_type,
        "message_id": message.message_id,
        "correlation_id": message.correlation_id,
        "reply_to": message.reply_to,
        "app_id": message.app_id,
        "user_id": message.user_id,
        "headers": dict(message.headers),
    }
    return json.dumps(properties).encode() + b"\n" + message.body


def _json(ids: Iterable[int]) -> str:
    return json.dumps(list(ids))


def _exchange(database: sqlite3.Connection, name: str) -> Exchange | None:
    row = database.execute("SELECT name, kind, alternate FROM exchange WHERE name = ?", (name,)).fetchone()
    return Exchange(*row) if row else None


def _queue(database: sqlite3.Connection, name: str) -> Queue:
    return Queue(*database.execute("SELECT * FROM queue WHERE name = ?", (name,)).fetchone())


def _require(database: sqlite3.Connection, *, exchanges: Iterable[str] = (), queues: Iterable[str] = ()) -> None:
    for name in exchanges:
        if _exchange(database, name) is None:
            raise BusRefusedError(fault("bus-missing", kind="exchange", name=name))
    for name in queues:
        if database.execute("SELECT 1 FROM queue WHERE name = ?", (name,)).fetchone() is None:
            raise BusRefusedError(fault("bus-missing", kind="queue", name=name))


def _route(database: sqlite3.Connection, exchange: str, routing_key: str) -> list[str] | None:
    """The queues that a message reaches, through alternate exchanges if need be; None if there is no such exchange."""
    if exchange == DEFAULT_EXCHANGE:
        return [row[0] for row in database.execute("SELECT name FROM queue WHERE name = ?", (routing_key,))]
    tried: set[str] = set()
    while (found := _exchange(database, exchange)) is not None:
        bindings = database.execute("SELECT pattern, queue FROM binding WHERE exchange = ?", (exchange,))
        names = sorted({queue for pattern, queue in bindings if fits(found.kind, pattern, routing_key)})
        tried.add(exchange)
        if names or found.alternate is None or found.alternate in tried:
            return names
        exchange = found.alternate
    return [] if tried else None


class _Routes:
    """Where the messages of one publish go, each route and queue looked up once."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._found: dict[tuple[str, str], list[str] | None] = {}
        self._room: dict[str, float] = {}
        self.reached: set[str] = set()

    def queues(self, exchange: str, routing_key: str) -> list[str] | None:
        """The queues that a message reaches; None if there is no such exchange."""
        where = (exchange, routing_key)
        if where not in self._found:
            self._found[where] = _route(self._database, *where)
        return self._found[where]

    def has_room(self, name: str) -> bool:
        """Whether a queue takes one more, which is then counted."""
        if name not in self._room:
            queue = _queue(self._database, name)
            self._room[name] = math.inf
            if queue.length_max is not None and queue.overflow == "reject-publish":
                self._room[name] = queue.length_max - _waiting(self._database, name)
        if self._room[name] <= 0:
            return False
        self._room[name] -= 1
        self.reached.add(name)
        return True


def _waiting(database: sqlite3.Connection, queue: str, up_to: int = -1) -> int:
    waiting = "SELECT count(*) FROM (SELECT 1 FROM delivery WHERE queue = ? AND slot IS NULL LIMIT ?)"
    return database.execute(waiting, (queue, up_to)).fetchone()[0]


def _held(database: sqlite3.Connection, slot: int) -> list[int]:
    return [row[0] for row in database.execute("SELECT id FROM delivery WHERE slot = ? ORDER BY id", (slot,))]
