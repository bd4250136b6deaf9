"""The whole audit of one gateway."""

from collections.abc import Callable, Iterable
from pathlib import Path

from ...config.eports import EPort
from ..composition import Gateway
from ..sealkey import SealKey
from ..verifying import Progress, verify_ledger
from .check import Audit
from .folders import check_folders
from .stored import check_payments, check_store
from .told import check_journal, check_results

Told = Callable[[str], None]


async def audit(
    gateway: Gateway,
    key: SealKey,
    eports: Iterable[EPort],
    before: int,
    *,
    journal: Path | None = None,
    heard: Path | None = None,
    told: Told = lambda _: None,
) -> Audit:
    """Hold everything against everything; what came after ``before`` (milliseconds UTC) may still be under way.

    ``told`` is told what is being looked at. Nothing is changed. Raises OSError for a file that cannot be read, and
    ValueError for a journal that is none.
    """
    made = Audit()
    told("store")
    await check_store(made, gateway.database, before)
    await check_payments(made, gateway.database, gateway.sealer)
    for eport in eports:
        told(eport.name)
        await check_folders(made, gateway.database, gateway.sealer, eport, before)
    if journal:
        told(journal.name)
        await check_journal(made, gateway.database, journal)
    if heard:
        told(heard.name)
        await check_results(made, gateway.database, heard, before)
    told("ledger")
    await _ledger(made, gateway, key)
    return made


async def _ledger(made: Audit, gateway: Gateway, key: SealKey) -> None:
    check, progress = made["ledger"], Progress()
    async for each in verify_ledger(gateway.database, key, progress):
        check.fault(f"{each.where}: {each.en}")
    check.saw(progress.entries)
