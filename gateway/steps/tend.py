"""Tend: everything a clock decides. What is late, what must be tried again, what has become possible, and the seals."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..cases import Case
from ..composition import Gateway
from ..deciding import restate
from ..declaring import RIDERS, Declaration
from ..ledger import Entry
from ..receiving import again
from ..sealkey import SealKey
from ..states import CaseStatus, DeclarationState, Event, Flag, Verdict, after
from ..store.database import Transaction, in_transaction
from ..store.due import Due, add_due, claim_due, done
from ..store.messages import Moved
from ..store.tending import Seal, add_seal, contents, helped_cases, last_seal, unsealed
from .desk import Desk
from .dispatch import report
from .settle import settle

BATCH = 200
"""Things tended in one transaction."""
SEALED_MAX = 50_000
"""Cases covered by one seal; what is left over is in the next."""


class Tend:
    """Does what is due. ``seal_key`` signs the seals and writes them outside the database."""

    def __init__(self, gateway: Gateway, seal_key: SealKey) -> None:
        self._gateway = gateway
        self._seal_key = seal_key
        self._sealed_at = gateway.clock()

    async def run(self) -> int:
        """One round; returns how many things were done."""
        gateway = self._gateway
        await gateway.mint.ensure(BATCH * 10)
        tended = await in_transaction(gateway.database, self._due)
        tended += await in_transaction(gateway.database, self._helped)
        tended += await in_transaction(gateway.database, self._lost)
        tended += await in_transaction(gateway.database, self._doubted)
        if gateway.clock() - self._sealed_at >= gateway.settings.seal_every_minutes * 60_000:
            await self.seal()
        return tended

    async def seal(self) -> bool:
        """Seal the ledger as far as it went; returns whether there was anything to seal."""
        self._sealed_at = self._gateway.clock()
        made = await in_transaction(self._gateway.database, self._seal)
        if made:
            # outside the database too, so that replacing the database does not replace the proof
            self._seal_key.write(*made)
        return made is not None

    async def _due(self, transaction: Transaction) -> int:
        gateway = self._gateway
        now = gateway.clock()
        lease = now + gateway.settings.tend_lease_seconds * 1000
        claimed = await claim_due(transaction, now, lease, BATCH)
        by_kind: dict[str, list[int]] = {}
        for each in claimed:
            by_kind.setdefault(each.kind, []).append(each.key)
        await done(transaction, claimed)
        await self._late(transaction, by_kind.get("late", ()))
        await self._again(transaction, by_kind.get("again", ()))
        moved = [Moved(id_, "resend", 0, now) for id_ in by_kind.get("resend", ())]
        await self._resend(transaction, moved)
        return len(claimed)

    async def _late(self, transaction: Transaction, ids: Iterable[int]) -> None:
        """Flag cases that have waited too long for what they miss; look again later at those that have not."""
        gateway = self._gateway
        now, after_ms = gateway.clock(), gateway.late_after_ms
        desk = await Desk.open(transaction, gateway.cases, ids)
        decisions = []
        later: list[tuple[Due, int]] = []
        for case in desk.cases.values():
            missed = [each["rule"] for each in desk.findings.get(case.id, ()) if each["rule"] in after_ms]
            if case.status is not CaseStatus.WAITING or not missed or Flag.LATE in case.flags:
                continue
            late_at = (case.waiting_since or now) + min(after_ms[rule] for rule in missed)
            if late_at > now:
                later.append((Due("late", case.id), late_at))
                continue
            entry = Entry("late", now, "tend", {"missing": missed})
            decisions.append(restate(case, desk.papers(case.id), [entry], flags=case.flags | {Flag.LATE}))
        await add_due(transaction, later)
        await gateway.decisions.record(transaction, decisions, now)

    async def _again(self, transaction: Transaction, ids: Iterable[int]) -> None:
        """Declare once more what was refused with a code that blames the system, up to the e-port's attempts."""
        gateway = self._gateway
        now = gateway.clock()
        found = await contents(transaction, gateway.sealer, ids)
        desk = await Desk.open(transaction, gateway.cases, (each.case_id for each, _ in found))
        new: list[Declaration] = []
        later: list[tuple[Due, int]] = []
        for read, content in found:
            each = desk.declarations[read.id]
            case, destination = desk.cases[each.case_id], gateway.destination(each.eport)
            if destination is None or not _may_go_again(each, desk.own(case.id), case):
                continue
            limits = destination.eport.limits
            if Flag.HELD in case.flags:
                later.append((Due("again", each.id), now + limits.resend_wait_seconds * 1000))
            elif each.attempt < limits.attempts_max:
                made = again(each, gateway.mint.id(), gateway.mint.guid(), content)
                new.append(replace(made, state=DeclarationState.READY, ready_at=now))
        desk.put(new)
        decisions = []
        for case_id, made in desk.touched_by_case().items():
            facts = {"declarations": [{"message": each.message_type, "attempt": each.attempt} for each in made]}
            entry = Entry("again", now, "tend", facts)
            decisions.append(restate(desk.cases[case_id], desk.papers(case_id), [entry]))
        await add_due(transaction, later)
        await desk.write(transaction, gateway.decisions, now, frozenset(each.id for each in new))
        await gateway.decisions.record(transaction, decisions, now)

    async def _helped(self, transaction: Transaction) -> int:
        """Decide cases again whose goods record or transport has come or changed."""
        gateway = self._gateway
        ids = await helped_cases(transaction, BATCH)
        if ids:
            cases = await gateway.cases.lock_cases(transaction, ids)
            await settle(transaction, gateway, cases.values(), gateway.context("tend"), {})
        return len(ids)

    async def _lost(self, transaction: Transaction) -> int:
        """Messages whose sender died may have been handed over or not: uncertain."""
        gateway = self._gateway
        now = gateway.clock()
        lost = await gateway.messages.lost(transaction, now, BATCH)
        if lost:
            await report(gateway, transaction, dict.fromkeys((id_ for id_, _ in lost), "uncertain"), "tend")
            moved = [Moved(id_, "uncertain", 1, now + self._doubt_ms(eport)) for id_, eport in lost]
            await gateway.messages.move(transaction, moved)
        return len(lost)

    def _doubt_ms(self, eport: str) -> int:
        """How long an uncertain message waits for a receipt before it goes again."""
        destination = self._gateway.destination(eport)
        return destination.eport.limits.resend_wait_seconds * 1000 if destination else 0

    async def _doubted(self, transaction: Transaction) -> int:
        """Messages in doubt, or sent and never answered: the same bytes again, up to the e-port's attempts."""
        gateway = self._gateway
        now = gateway.clock()
        doubted = await gateway.messages.doubted(transaction, now, BATCH)
        silent = [id_ for id_, _, state, _ in doubted if state == "sent"]
        if silent:
            await report(gateway, transaction, dict.fromkeys(silent, "uncertain"), "tend")
        moved: list[Moved] = []
        for id_, eport, _, sends in doubted:
            destination = gateway.destination(eport)
            if destination and sends < destination.eport.limits.attempts_max:
                moved.append(Moved(id_, "resend", 0, now))
            else:
                moved.append(Moved(id_, "unanswered", 0, now))
        await self._resend(transaction, moved)
        return len(doubted)

    async def _resend(self, transaction: Transaction, moved: Sequence[Moved]) -> None:
        gateway = self._gateway
        await gateway.messages.move(transaction, moved)
        going = {each.id for each in moved if each.state == "resend"}
        members = await gateway.messages.members(transaction, going)
        packed = [
            replace(each, state=state) for each in members if (state := after(each.state, Event.RESEND)) is not None
        ]
        await gateway.decisions.write_declarations(
            transaction, packed, frozenset(each.id for each in packed), gateway.clock()
        )

    async def _seal(self, transaction: Transaction) -> tuple[Seal, bytes] | None:
        last, signature = await last_seal(transaction)
        if last.number and signature and not self._seal_key.holds(last.number):
            # a crash came between the database and the file
            self._seal_key.write(last, signature)
        heads = await unsealed(transaction, SEALED_MAX)
        if not heads:
            return None
        seal = self._seal_key.next_seal(last, heads, self._gateway.clock())
        signature = self._seal_key.sign(seal)
        await add_seal(transaction, seal, signature, heads)
        return seal, signature


def _may_go_again(each: Declaration, present: Sequence[Declaration], case: Case) -> bool:
    """Whether a refused declaration may go again as it was: nothing followed it, and its case still wants it."""
    newest = max((one.attempt for one in present if one.subject == each.subject), default=0)
    wanted = case.verdict is Verdict.MATCHED or each.message_type in RIDERS
    return each.state is DeclarationState.REFUSED and each.attempt == newest and wanted
