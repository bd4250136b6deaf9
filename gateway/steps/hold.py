"""Hold and lift: an operator keeps a case from being declared, and lets it go again."""

from ..composition import Gateway
from ..deciding import restate
from ..declaring import Situation, release
from ..ledger import Entry
from ..states import Flag
from ..store.database import Transaction
from .desk import Desk


async def set_hold(
    transaction: Transaction, gateway: Gateway, case_id: int, *, on: bool, actor: str, reason: str
) -> bool:
    """Put a case on hold or lift it; what has left the house is not called back. Returns whether that changed anything.

    ``reason`` goes into the ledger and must hold no personal data.
    """
    now = gateway.clock()
    desk = await Desk.open(transaction, gateway.cases, [case_id])
    case = desk.cases[case_id]
    if (Flag.HELD in case.flags) == on:
        return False
    if destination := gateway.destination(case.eport or ""):
        situation = Situation(case_id, case.verdict, on, destination.eport, now)
        desk.put(release(desk.declarations.values(), desk.predecessors, situation))
    flags = case.flags | {Flag.HELD} if on else case.flags - {Flag.HELD}
    entry = Entry("held" if on else "lifted", now, actor, {"reason": reason}, role="operator")
    await desk.write(transaction, gateway.decisions, now)
    await gateway.decisions.record(transaction, [restate(case, desk.papers(case_id), [entry], flags=flags)], now)
    return True
