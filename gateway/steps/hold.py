"""Hold and lift: an operator keeps a case from being declared, and lets it go again."""

from dataclasses import replace

from ...messages.personal import mask_text
from ..composition import Gateway
from ..deciding import restate
from ..ledger import Entry
from ..states import Flag
from ..store.database import Transaction
from .desk import Desk
from .people import people_in


async def set_hold(
    transaction: Transaction, gateway: Gateway, case_id: int, *, on: bool, actor: str, reason: str
) -> bool:
    """Put a case on hold or lift it; what has left the house is not called back. Returns whether that changed anything.

    ``reason`` goes into the ledger, with what names the people of the case masked.
    """
    now = gateway.clock()
    desk = await Desk.open(transaction, gateway.cases, [case_id])
    case = desk.cases[case_id]
    if (Flag.HELD in case.flags) == on:
        return False
    flags = case.flags | {Flag.HELD} if on else case.flags - {Flag.HELD}
    if destination := gateway.destination(case.eport or ""):
        desk.release(replace(case, flags=flags), destination.eport, now)
    people = await people_in(transaction, gateway.cases, [case])
    facts = {"reason": mask_text(reason, people.get(case_id, ())) if people is not None else ""}
    entry = Entry("held" if on else "lifted", now, actor, facts, role="operator")
    await desk.write(transaction, gateway.decisions, now)
    await gateway.decisions.record(transaction, [restate(case, desk.papers(case_id), [entry], flags=flags)], now)
    return True
