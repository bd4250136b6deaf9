"""The composition root: a gateway put together from settings, a database, e-ports and parties."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from ..adapters.signing.signers import Signer
from ..adapters.transport import Transport
from ..config.eports import EPort
from ..config.settings import Settings
from ..messages.documents.parsing import DeliveryLimits
from .cases import Context
from .directory import Directory
from .ids import StoreMint
from .logs import LOGGER
from .metrics import Metrics
from .rules.book import RuleBook
from .sealing import Sealer
from .store.cases import CaseStore
from .store.database import Database
from .store.decisions import DecisionStore
from .store.documents import DocumentStore
from .store.messages import MessageStore
from .store.postgresql import PostgresqlDatabase
from .store.sqlite import SqliteDatabase

_HOUR_MS = 3_600_000


def now_ms() -> int:
    """Milliseconds UTC by the wall clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Destination:
    """An e-port at work: its configuration, its transport, and the keys it signs with by declarant."""

    eport: EPort
    transport: Transport
    signers: Mapping[str, Signer]


@dataclass(slots=True)
class Gateway:
    """Everything the five steps share. ``clock`` and ``random`` are replaced in simulation."""

    settings: Settings
    database: Database
    directory: Directory
    destinations: Sequence[Destination]
    book: RuleBook
    sealer: Sealer
    clock: Callable[[], int] = now_ms
    random: Callable[[int], bytes] = os.urandom
    log: structlog.stdlib.BoundLogger = field(default_factory=lambda: structlog.get_logger(LOGGER))
    metrics: Metrics = field(default_factory=Metrics)
    documents: DocumentStore = field(init=False)
    cases: CaseStore = field(init=False)
    decisions: DecisionStore = field(init=False)
    messages: MessageStore = field(init=False)
    mint: StoreMint = field(init=False)

    def __post_init__(self) -> None:
        self.documents = DocumentStore(self.sealer)
        self.cases = CaseStore(self.sealer)
        self.decisions = DecisionStore(self.sealer)
        self.messages = MessageStore(self.sealer)
        self.mint = StoreMint(self.database, self.random)
        self.database.observe = lambda _statement: self.metrics.statements.inc()

    @property
    def limits(self) -> DeliveryLimits:
        """How much one delivery may hold."""
        settings = self.settings
        return DeliveryLimits(settings.delivery_bytes_max, settings.delivery_documents_max)

    @property
    def late_after_ms(self) -> Mapping[str, int]:
        """After how long what a rule misses is late."""
        settings = self.settings
        hours = {
            "order-present": settings.order_late_after_hours,
            "payment-present": settings.payment_late_after_hours,
            "waybill-present": settings.waybill_late_after_hours,
            "transport-known": settings.transport_late_after_hours,
            "goods-known": settings.goods_late_after_hours,
        }
        return {rule: count * _HOUR_MS for rule, count in hours.items()}

    def destination(self, eport: str) -> Destination | None:
        """The e-port of that name, if it is configured here."""
        return next((each for each in self.destinations if each.eport.name == eport), None)

    def context(self, actor: str) -> Context:
        """What cases are decided under now; ``actor`` goes into the ledger."""
        return Context(
            now=self.clock(),
            actor=actor,
            eports=tuple(each.eport for each in self.destinations),
            book=self.book,
            on_record=self.directory.on_record,
            party_of=self.directory.party_of,
            secret=self.sealer.digest_secret,
            person_index=lambda number: self.sealer.index("id", number),
            mint=self.mint,
        )


def open_database(url: str) -> Database:
    """The database a ``sqlite:///path`` or ``postgresql://`` URL names; nothing is connected yet.

    ``sqlite://`` without a path is in memory and gone with the process.
    """
    if url.startswith("sqlite://"):
        return SqliteDatabase(url.removeprefix("sqlite://").removeprefix("/") or ":memory:")
    return PostgresqlDatabase(url)
