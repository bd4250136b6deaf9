"""Receive: files from the e-ports are stored raw, each receipt finds its declaration and moves it, and its case."""

import hashlib
import json
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy.exc import DBAPIError

from ...adapters.transport import Incoming, Unavailable
from ...config.eports import EPort
from ...messages.faults import Refused, fault
from ...messages.ladders import rung
from ...messages.reading import Reading, read
from ...messages.receipts import AnyReceipt, ExchangeReceipt, FormatReceipt, Receipt, TaxNotice, receipts_of
from ...messages.xml import XmlLimits
from ..cases import Decision, Person
from ..composition import Destination, Gateway
from ..deciding import restate
from ..declaring import INVENTORY, Declaration, newest_of
from ..evidence import LinkKey, key_text
from ..ledger import Entry
from ..receipt_texts import body_of, is_usual, said, tax_result
from ..receiving import Applied, Standing, apply, attempt_for, turned_away
from ..states import UNANSWERED
from ..store.database import Transaction, in_transaction, refuses_value
from ..store.due import Due, add_due
from ..store.messages import Bill, Known
from .desk import Desk
from .meant import Name, meant_by, names_of
from .people import people_in

ANSWERS_MAX = 2_000
"""Answers worked in one transaction, give or take one file."""
MEMBERS_MAX = 100
"""Declarations one message may carry, each of which an answer about the whole message concerns."""


@dataclass(frozen=True, slots=True)
class _File:
    """One file that came in, and what it holds; ``notes`` say what was tolerated or why it could not be read."""

    id: int
    incoming: Incoming
    sha256: bytes
    reading: Reading | None
    answers: Sequence[AnyReceipt]
    notes: Sequence[str]

    def row(self, eport: str, now: int) -> tuple[Any, ...]:
        """As it is stored."""
        kind = self.reading.message_type if self.reading else None
        notes = json.dumps(self.notes)
        return (self.id, eport, self.incoming.name, self.sha256, kind, notes, now, self.incoming.data)


@dataclass(slots=True)
class _Books:
    """What the receipts of a batch from one e-port work on: the desk, and what each case gathers."""

    eport: EPort
    desk: Desk
    names: Mapping[int, Sequence[str]] | None
    known: dict[int, set[Known]]
    sends: Mapping[int, int]
    now: int
    entries: dict[int, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    results: dict[int, list[Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    quota: dict[Person, int] = field(default_factory=lambda: defaultdict(int))
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    numbered: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    bills: dict[str, list[Bill]] = field(default_factory=lambda: defaultdict(list))
    matched: list[tuple[int, int, int]] = field(default_factory=list)
    answered: set[int] = field(default_factory=set)
    resend: set[int] = field(default_factory=set)
    resend_messages: set[int] = field(default_factory=set)

    def inventory(self, invt_no: str) -> Declaration | None:
        """The inventory customs gave this number, perhaps only just now."""
        return newest_of(self.desk.declarations[each] for each in self.numbered.get(invt_no, ()))

    def knows(self, target: Declaration, answer: AnyReceipt) -> bool:
        """Whether this very receipt came before."""
        return _as_known(answer) in self.known.get(target.id, ())

    def mark(self, target: Declaration, answer: AnyReceipt, done: Applied) -> None:
        """Note what an answer did to a declaration, and to the message that carried it."""
        if done.standing is not Standing.DOUBLED:
            self.known.setdefault(target.id, set()).add(_as_known(answer))
        if done.resend:
            self.resend.add(target.id)
        if target.message_id is not None and (target.status or target.state not in UNANSWERED):
            # whatever it says, it shows that the message arrived
            self.answered.add(target.message_id)
        if self.desk.declarations.get(target.id) != target:
            self.desk.put([target])
            self.number(target)

    def number(self, each: Declaration) -> None:
        """Note by which number customs knows a declaration."""
        if each.message_type == INVENTORY and each.invt_no and each.eport == self.eport.name:
            self.numbered[each.invt_no].add(each.id)

    def gather(self, case_id: int, change: Decision) -> None:
        """Add what one receipt did to a case; its ledger goes on from where it is stored."""
        self.desk.cases[case_id] = replace(change.case, chain=self.desk.cases[case_id].chain)
        self.entries[case_id] += change.entries
        self.results[case_id] += change.results
        for person, amount in change.quota.items():
            self.quota[person] += amount


class Receive:
    """Reads what the e-ports answered."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def run(self) -> int:
        """One look into every e-port's inbox; returns how many files were taken."""
        taken = 0
        for destination in self._gateway.destinations:
            try:
                incoming = await destination.transport.receive(self._gateway.settings.receive_files_max)
            except Unavailable as problem:
                self._gateway.log.warning("unavailable", eport=destination.eport.name, code=problem.fault.code)
                continue
            if incoming:
                await self._take(destination, incoming)
            taken += len(incoming)
        return taken

    async def _take(self, destination: Destination, incoming: Sequence[Incoming]) -> None:
        gateway = self._gateway
        await gateway.mint.ensure(len(incoming))
        waiting = deque(self._read(each, destination) for each in incoming)
        while waiting:
            files = [waiting.popleft()]
            while waiting and sum(len(each.answers) for each in files) < ANSWERS_MAX:
                files.append(waiting.popleft())
            await gateway.mint.ensure(sum(map(_rows_of, files)))
            await self._store(destination, files)
            for each in files:
                await destination.transport.done(each.incoming)
                kind = each.reading.message_type if each.reading else None
                gateway.log.info("received", eport=destination.eport.name, file=each.incoming.name, type=kind)

    async def _store(self, destination: Destination, files: Sequence[_File]) -> None:
        """Work files in one transaction; one that the store refuses is kept unread, and keeps no other back."""
        gateway = self._gateway
        try:
            await in_transaction(gateway.database, partial(self._work, destination=destination, files=files))
        except DBAPIError as error:
            if not refuses_value(error):
                raise
            problem = fault("receipt-unstorable")
            gateway.log.warning("unstorable", eport=destination.eport.name, files=len(files), code=problem.code)
            unread = [replace(each, reading=None, answers=(), notes=[problem.code]) for each in files]
            for each in files if len(files) > 1 else unread:
                await self._store(destination, [each])

    def _read(self, incoming: Incoming, destination: Destination) -> _File:
        sha256 = hashlib.sha256(incoming.data).digest()
        id_ = self._gateway.mint.id()
        limits = XmlLimits(bytes_max=destination.eport.limits.receipt_bytes_max)
        try:
            reading = read(incoming.data, limits)
            answers = receipts_of(reading)
        except Refused as refused:
            return _File(id_, incoming, sha256, None, (), [each.code for each in refused.faults])
        return _File(id_, incoming, sha256, reading, answers, [each.code for each in reading.tolerated])

    async def _work(self, transaction: Transaction, destination: Destination, files: Sequence[_File]) -> None:
        gateway, name = self._gateway, destination.eport.name
        # one worker at a time reads what an e-port answers: a bill must see the receipt that told its number
        await gateway.documents.lock_keys(transaction, [LinkKey("inbox", name)])
        seen = await gateway.messages.seen(transaction, ((name, each.incoming.name, each.sha256) for each in files))
        new = [each for each in files if (each.incoming.name, each.sha256) not in seen]
        answers = [(file.id, answer) for file in new for answer in file.answers]
        meant = await meant_by(transaction, gateway.messages, name, [answer for _, answer in answers])
        books = await self._open(transaction, destination.eport, meant, [answer for _, answer in answers])
        for file_id, answer in sorted(answers, key=lambda each: (each[1].return_ms or 0, each[0], each[1].index)):
            self._post(books, meant, file_id, answer)
        self._release(books)
        await self._close(transaction, books, destination, new)

    async def _open(
        self,
        transaction: Transaction,
        eport: EPort,
        meant: Mapping[Name, list[Declaration]],
        answers: Sequence[AnyReceipt],
    ) -> _Books:
        """Lock every case the answers may move, and read it afterwards."""
        gateway, messages = self._gateway, self._gateway.messages
        several = [each for members in meant.values() for each in members]
        waiting = await gateway.cases.waiting_for(transaction, (each.subject for each in several))
        wanted = {each.case_id for each in several} | waiting
        desk = await Desk.open(transaction, gateway.cases, wanted, (each.document_id for each in several))
        loud = not all(is_usual(each.info) for each in answers)
        names = await people_in(transaction, gateway.cases, desk.cases.values()) if loud else {}
        sent = (each.message_id for each in desk.declarations.values() if each.message_id is not None)
        numbers = {each.invt_no for each in answers if isinstance(each, Receipt) and each.invt_no}
        bills: dict[str, list[Bill]] = defaultdict(list)
        for bill in await messages.early_bills(transaction, eport.name, numbers):
            bills[bill.invt_no].append(bill)
        books = _Books(
            eport=eport,
            desk=desk,
            names=names,
            known=await messages.known_receipts(transaction, desk.declarations),
            sends=await messages.sends(transaction, sent),
            now=gateway.clock(),
            bills=bills,
        )
        for each in desk.declarations.values():
            books.number(each)
        return books

    def _post(self, books: _Books, meant: Mapping[Name, list[Declaration]], file_id: int, answer: AnyReceipt) -> None:
        """Enter one answer into the books."""
        if isinstance(answer, Receipt):
            (name,) = names_of(answer)
            target = attempt_for(answer, [books.desk.declarations[each.id] for each in meant.get(name, ())])
            known = target is not None and books.knows(target, answer)
            sends = books.sends.get(target.message_id or 0, 1) if target else 1
            self._enter(books, file_id, answer, apply(answer, target, sends, known=known))
            self._bill(books, answer.invt_no or "")
        elif isinstance(answer, TaxNotice):
            target = books.inventory(answer.invt_no)
            doubled = target is not None and books.knows(target, answer)
            standing = Standing.DOUBLED if doubled else Standing.NOTED if target else Standing.UNMATCHED
            self._enter(books, file_id, answer, Applied(standing, rung(answer.message_type, answer.status), target))
        else:
            self._refuse_message(books, meant, file_id, answer)

    def _refuse_message(
        self,
        books: _Books,
        meant: Mapping[Name, list[Declaration]],
        file_id: int,
        answer: FormatReceipt | ExchangeReceipt,
    ) -> None:
        """CEB900 or DxpRep: the whole message was turned away; what has an answer of its own stands."""
        step = rung(answer.message_type, answer.status)
        members = next((several for name in names_of(answer) if (several := meant.get(name))), [])
        if not members:
            self._enter(books, file_id, answer, Applied(Standing.UNMATCHED, step))
        for member in members:
            now = books.desk.declarations[member.id]
            known = books.knows(now, answer)
            done = turned_away(now, step, answer.status, answer.return_ms or 0, known=known)
            sends = books.sends.get(now.message_id or 0, 1)
            if done.resend and now.message_id is not None and sends < books.eport.limits.attempts_max:
                books.resend_messages.add(now.message_id)
            self._enter(books, file_id, answer, replace(done, resend=False))

    def _enter(self, books: _Books, file_id: int, answer: AnyReceipt, done: Applied) -> None:
        """Keep one receipt, and let it move what it answers."""
        target = done.declaration
        case = books.desk.cases.get(target.case_id) if target else None
        body = body_of(answer, books.names.get(case.id, ()) if case and books.names is not None else None)
        books.rows.append(
            (
                self._gateway.mint.id(),
                file_id,
                answer.message_type,
                key_text(answer.key),
                answer.status,
                answer.return_ms,
                done.standing.value,
                target.id if target else None,
                case.id if case else None,
                json.dumps(body, ensure_ascii=False),
                books.now,
            )
        )
        self._gateway.metrics.receipts.labels(answer.message_type, done.standing.value).inc()
        if target is None or case is None:
            return
        books.mark(target, answer, done)
        entry = _entry(answer, done.standing, target, body, books.now)
        change = restate(case, books.desk.papers(case.id), [entry], receipt=said(answer, done.rung, body))
        books.gather(case.id, change)
        if isinstance(answer, TaxNotice) and done.standing is Standing.NOTED:
            books.results[case.id].append(tax_result(change.case, answer.status, body, books.now))

    def _bill(self, books: _Books, invt_no: str) -> None:
        """Tax bills that came before anyone had told their number have found their case."""
        target = books.inventory(invt_no)
        case = books.desk.cases.get(target.case_id) if target else None
        if target is None or case is None:
            return
        for bill in books.bills.pop(invt_no, ()):
            books.matched.append((bill.id, target.id, case.id))
            facts = {"message": bill.message_type, "status": bill.status, "standing": Standing.NOTED.value, **bill.body}
            books.entries[case.id].append(Entry("receipt", books.now, "receive", facts))
            books.results[case.id].append(tax_result(books.desk.cases[case.id], bill.status, bill.body, books.now))

    def _release(self, books: _Books) -> None:
        """Let go what waited for the declarations that have now arrived."""
        for case in books.desk.cases.values():
            if destination := self._gateway.destination(case.eport or ""):
                books.desk.release(case, destination.eport, books.now)

    async def _close(
        self, transaction: Transaction, books: _Books, destination: Destination, files: Sequence[_File]
    ) -> None:
        gateway, messages, name = self._gateway, self._gateway.messages, destination.eport.name
        await messages.add_inbound(transaction, (each.row(name, books.now) for each in files))
        await messages.add_receipts(transaction, books.rows)
        await messages.match_bills(transaction, books.matched)
        await books.desk.write(transaction, gateway.decisions, books.now)
        await messages.answered(transaction, books.answered - books.resend_messages)
        pause = books.now + destination.eport.limits.resend_wait_seconds * 1000
        again = [(Due("again", id_), pause) for id_ in sorted(books.resend)]
        again += [(Due("resend", id_), pause) for id_ in sorted(books.resend_messages)]
        await add_due(transaction, again)
        await gateway.decisions.record(transaction, list(_decisions(books)), books.now)


def _decisions(books: _Books) -> Iterable[Decision]:
    quota = dict(books.quota)
    for case_id, entries in books.entries.items():
        case = books.desk.cases[case_id]
        yield Decision(case, entries=tuple(entries), results=tuple(books.results[case_id]), quota=quota)
        quota = {}


def _entry(answer: AnyReceipt, standing: Standing, target: Declaration, body: Mapping[str, Any], now: int) -> Entry:
    """What the ledger of a case says of a receipt: all of it but its free text."""
    facts = {
        "message": answer.message_type,
        "status": answer.status,
        "standing": standing.value,
        "state": target.state.value,
        "attempt": target.attempt,
        "returnTime": answer.return_time,
    }
    return Entry("receipt", now, "receive", facts | {name: value for name, value in body.items() if name != "info"})


def _as_known(answer: AnyReceipt) -> Known:
    return Known(answer.message_type, key_text(answer.key), answer.status, answer.return_ms or 0)


def _rows_of(file: _File) -> int:
    """How many receipts a file may become."""
    whole = isinstance(file.answers[0], FormatReceipt | ExchangeReceipt) if file.answers else False
    return len(file.answers) * (MEMBERS_MAX if whole else 1)
