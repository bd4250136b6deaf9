"""What lies in the archives of the e-ports' folders, against what the store says was handed over and received."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from ...config.eports import EPort
from ..sealing import Sealer, Unsealable, is_shredded
from ..store.database import Database, Statement, in_transaction
from .check import Audit
from .reading import documents_in, guids_of

CHUNK = 200
"""Messages opened at a time."""

_MESSAGES = Statement(
    """
    SELECT id, file_name, sends, packed_at, content FROM messages
    WHERE eport = :eport AND id > :after AND state <> 'relay' ORDER BY id LIMIT :count
    """
)
_GUIDS = Statement(
    """
    SELECT declarations.guid, messages.file_name FROM declarations
    JOIN messages ON messages.id = declarations.message_id
    WHERE messages.eport = :eport AND messages.sends > 0
    """
)
_EVERY_GUID = Statement("SELECT guid FROM declarations WHERE eport = :eport")
_INBOUND = Statement(
    """
    SELECT inbound.sha256, inbound.file_name, inbound.message_type, inbound.at, count(receipts.id) AS receipts
    FROM inbound LEFT JOIN receipts ON receipts.inbound_id = inbound.id
    WHERE inbound.eport = :eport
    GROUP BY inbound.id, inbound.sha256, inbound.file_name, inbound.message_type, inbound.at
    """
)


async def check_folders(audit: Audit, database: Database, sealer: Sealer, eport: EPort, before: int) -> None:
    """Hold one e-port's archives against the store; what came or went after ``before`` may still be under way."""
    archive = eport.transport.archive
    await _sent(audit, database, sealer, eport.name, archive / "sent", before)
    await _received(audit, database, eport.name, archive / "received", before)


async def _sent(  # noqa: PLR0917 - what is held against what
    audit: Audit, database: Database, sealer: Sealer, eport: str, folder: Path, before: int
) -> None:
    check, known, after = audit["sent-as-stored"], set[str](), 0
    while rows := await in_transaction(
        database, lambda tx, a=after: tx.run(_MESSAGES, eport=eport, after=a, count=CHUNK)
    ):
        for row in rows:
            after = row.id
            known.add(row.file_name)
            path = folder / row.file_name
            if is_shredded(bytes(row.content)):
                continue  # by right
            try:
                stored = sealer.open(bytes(row.content))
            except Unsealable:
                check.fault(f"{eport} {row.file_name}: cannot be opened")
                continue
            if row.sends and row.packed_at < before:
                check.saw()
                if not path.is_file():
                    check.fault(f"{eport} {row.file_name}: not in {folder.name}")
            if path.is_file() and path.read_bytes() != stored:
                check.fault(f"{eport} {row.file_name}: other bytes")
    for path in _files(folder, before):
        if path.name not in known:
            check.fault(f"{eport} {path.name}: not in the store")
    await _guids(audit, database, eport, folder, before)


async def _guids(audit: Audit, database: Database, eport: str, folder: Path, before: int) -> None:
    """Every guid in a file is a declaration's; every declaration that went with a message stands in its file."""
    check = audit["sent-as-declared"]
    rows = await in_transaction(database, lambda tx: tx.run(_EVERY_GUID, eport=eport))
    every = {row.guid.upper() for row in rows}
    declared: dict[str, set[str]] = defaultdict(set)
    for row in await in_transaction(database, lambda tx: tx.run(_GUIDS, eport=eport)):
        declared[row.file_name].add(row.guid.upper())
    for path in _files(folder, before):
        found = guids_of(path.read_bytes())
        check.saw(len(found))
        for guid in sorted(found - every):
            check.fault(f"{eport} {path.name}: {guid} is no declaration's")
        for guid in sorted(declared[path.name] - found):
            check.fault(f"{eport} {path.name}: {guid} is not in it")


async def _received(audit: Audit, database: Database, eport: str, folder: Path, before: int) -> None:
    kept, read = audit["received-kept"], audit["receipts-read"]
    rows = await in_transaction(database, lambda tx: tx.run(_INBOUND, eport=eport))
    stored = {bytes(row.sha256): row for row in rows}
    for path in _files(folder, before):
        kept.saw()
        data = path.read_bytes()
        row = stored.get(hashlib.sha256(data).digest())
        if row is None:
            kept.fault(f"{eport} {path.name}")
        elif row.message_type is not None:
            count = documents_in(data)
            read.saw(count)
            if row.receipts < count:
                read.fault(f"{eport} {path.name}: {row.receipts} of {count}")


def _files(folder: Path, before: int) -> Iterator[Path]:
    """The finished files of an archive that are old enough to be judged."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_file() and not path.name.startswith(".") and path.stat().st_mtime_ns // 1_000_000 < before:
            yield path
