"""Assembly: from an operators' folder to a gateway and a bus that can be used."""

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ..adapters.folder import FolderTransport
from ..adapters.signing.keyring import load_signers
from ..config.eports import EPort, load_eports
from ..config.folder import find_folder
from ..config.keys import KeyFile, create_keys, load_keys
from ..config.parties import Party, load_parties
from ..config.problems import Problem
from ..config.settings import SETTINGS, Settings, load_settings
from ..messages.faults import Refused, fault
from ..queue.bus import Bus
from ..queue.embedded import EmbeddedBus
from ..queue.rabbitmq import RabbitBus
from .composition import Destination, Gateway, now_ms, open_database
from .directory import read_directory, record_parties
from .rules.book import RuleBook, Setting, built_in
from .rules.finding import Severity, rules
from .rules.lists import with_lists
from .sealing import Sealer, Unsealable, is_shredded
from .sealkey import SealKey
from .store.database import Database, Statement, Transaction, in_transaction
from .store.schema import migrate, newest, revision
from .store.sqlite import SqliteDatabase

EMBEDDED = "embedded:"


class Misconfigured(Exception):  # noqa: N818 - says what the configuration is
    """The operators' folder holds faults; ``problems`` are all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{each.file}: {each.fault.en}" for each in problems))


@dataclass(frozen=True, slots=True)
class Configuration:
    """What an operators' folder says, and the warnings about it."""

    folder: Path
    settings: Settings
    eports: Sequence[EPort]
    parties: Sequence[Party]
    book: RuleBook
    warnings: Sequence[Problem]


def configure(option: Path | None, environ: Mapping[str, str] | None = None, here: Path | None = None) -> Configuration:
    """Read the operators' folder; raises Misconfigured with every fault in it."""
    environ = os.environ if environ is None else environ
    try:
        folder = find_folder(option, environ, here or Path.cwd())
    except Refused as refused:
        raise Misconfigured([Problem("--config", each) for each in refused.faults]) from None
    settings, problems = load_settings(folder, environ)
    parties, more = load_parties(folder)
    problems += more
    data = settings.data_folder if settings else Path()
    eports, more = load_eports(folder, data=data, environ=environ, now_ms=now_ms())
    problems += more
    if settings:
        problems += [
            Problem(SETTINGS, fault("config-rule-unknown", f"/rule_severity/{code}", name=code))
            for code in settings.rule_severity
            if code not in rules()
        ]
    book, more = with_lists(built_in(), folder)
    problems += more
    if settings is None or any(not each.warning for each in problems):
        raise Misconfigured([each for each in problems if not each.warning])
    return Configuration(folder, settings, eports, parties, _held_to(book, settings), problems)


def _held_to(book: RuleBook, settings: Settings) -> RuleBook:
    """The book with the tolerances and severities of the settings."""
    severities: dict[str, Setting] = {
        code: "off" if chosen == "off" else Severity(chosen) for code, chosen in settings.rule_severity.items()
    }
    return replace(
        book,
        line_tolerance=settings.amount_tolerance,
        payment_early_hours=settings.payment_early_hours,
        severities=severities,
    )


def keys_of(settings: Settings) -> KeyFile:
    """The key file, made with a new embedded store; raises Refused where it has to be there."""
    store = settings.store_url.get_secret_value()
    new = store.startswith("sqlite://") and not Path(store.removeprefix("sqlite://").removeprefix("/")).is_file()
    if new and not settings.keys_file.exists():
        with suppress(FileExistsError):  # another process that starts now was quicker
            create_keys(settings.keys_file, os.urandom)
    return load_keys(settings.keys_file)


def destinations_of(configuration: Configuration) -> list[Destination]:
    """The e-ports with their transports and keys; raises Refused with what keeps one from working."""
    found: list[Destination] = []
    for eport in configuration.eports:
        transport = FolderTransport(eport.transport, eport.limits, now_ms)
        transport.prepare(make_boxes=eport.environment == "test")
        signers = load_signers(eport, os.environ, at_ms=now_ms(), new_serial=lambda: int.from_bytes(os.urandom(16)))
        found.append(Destination(eport, transport, signers))
    return found


async def prepared(database: Database) -> None:
    """Have the schema of this release: an embedded store is upgraded, a server must have been."""
    if isinstance(database, SqliteDatabase):
        await migrate(database)
    elif (found := await revision(database)) != newest():
        raise Refused(fault("store-revision", found=found or "-", needed=newest()))


_SEALED_LAST = Statement(
    "SELECT content FROM document_versions WHERE content IS NOT NULL ORDER BY document_id DESC, version DESC LIMIT 100"
)


async def _holds(transaction: Transaction, sealer: Sealer, keys_file: Path) -> None:
    """Raise Refused when the key file is not the one the stored data were sealed with."""
    contents = [bytes(row.content) for row in await transaction.run(_SEALED_LAST)]
    readable = [content for content in contents if not is_shredded(content)]
    # a damaged one among them is told where it is read
    if readable and not any(_opens(sealer, content) for content in readable):
        raise Refused(fault("store-keys", file=str(keys_file)))


def _opens(sealer: Sealer, content: bytes) -> bool:
    try:
        sealer.open(content)
    except Unsealable:
        return False
    return True


@asynccontextmanager
async def open_gateway(configuration: Configuration, *, serving: bool = False) -> AsyncGenerator[Gateway]:
    """The gateway of a configuration, closed in the end; one that is ``serving`` records the parties.

    Raises Refused where it cannot be opened.
    """
    settings = configuration.settings
    sealer = Sealer(keys_of(settings), os.urandom)
    database = open_database(settings.store_url.get_secret_value())
    try:
        await prepared(database)
        await in_transaction(database, lambda tx: _holds(tx, sealer, settings.keys_file))
        if serving:
            await in_transaction(database, lambda tx: record_parties(tx, configuration.parties, now_ms()))
        directory = await in_transaction(database, read_directory)
        yield Gateway(settings, database, directory, destinations_of(configuration), configuration.book, sealer)
    finally:
        await database.close()


def open_bus(settings: Settings, sealer: Sealer) -> Bus:
    """The bus of a configuration, not opened yet."""
    url = settings.bus_url.get_secret_value()
    if not url.startswith(EMBEDDED):
        return RabbitBus(url)
    path = Path(url.removeprefix(EMBEDDED))
    path.parent.mkdir(parents=True, exist_ok=True)
    return EmbeddedBus(path, seal=sealer.seal, unseal=sealer.open, now_ms=now_ms)


def seal_key(gateway: Gateway) -> SealKey:
    """The key that seals the ledger, derived from the key file, and the file its seals go to."""
    return SealKey(gateway.sealer.seal_secret, gateway.settings.seals_file)
