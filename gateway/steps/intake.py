"""Intake: deliveries in, documents taken or rejected, cases decided, answers out. One transaction per batch."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ...messages.documents.answers import Answer, DocumentAnswer, FirstAnswer
from ...messages.documents.document import Document
from ...messages.documents.published import CaseName, FaultText
from ...messages.faults import FAULTS_MAX, Fault, fault
from ..cases import Context, Decision
from ..composition import Gateway
from ..evidence import REFERENCE, CaseKey, case_key, identity_key, link_keys
from ..linking import Link
from ..store.database import Transaction, in_transaction
from ..store.documents import Rejection
from ..submissions import Pushed, Submission, Submitted, submitted
from ..taking import Outcome, Past, Sender, Taken, Taker
from .settle import settle

IDS_PER_DOCUMENT = 40
"""Database ids one document may use up: itself, its case, its rejection, and the declarations of what it completes."""


@dataclass(slots=True)
class _Outcome:
    """What became of one submission, on its way to an answer."""

    submission: Submission
    outcome: Outcome
    faults: tuple[Fault, ...] = ()
    taken: Taken | None = None
    first: Past | None = None


@dataclass(slots=True)
class _Work:
    """One delivery being worked."""

    pushed: Pushed
    read: Submitted
    sender: Sender
    outcomes: list[_Outcome] = field(default_factory=list)
    relay_id: int | None = None


class Answered(NamedTuple):
    """The answer to one delivery, and the party it goes to unless the sender named a queue of its own."""

    answer: Answer
    party: str


class Intake:
    """Takes batches of deliveries; every one is answered."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def take(self, deliveries: Sequence[Pushed]) -> list[Answered]:
        """Take deliveries in one transaction and say what became of them, in order.

        What fails for one delivery raises; the caller works the others without it.
        """
        limits = self._gateway.limits
        read = [submitted(each, limits) for each in deliveries]
        senders = [self._sender(*pair) for pair in zip(deliveries, read, strict=True)]
        count = sum(len(each.submissions) + 2 for each in read)
        await self._gateway.mint.ensure(count * IDS_PER_DOCUMENT)
        context = self._gateway.context("intake")

        async def work(transaction: Transaction) -> list[Answer]:
            # begun anew by every attempt: one that lost a race leaves nothing behind
            works = [_Work(*each) for each in zip(deliveries, read, senders, strict=True)]
            return await self._work(transaction, works, context)

        answers = await in_transaction(self._gateway.database, work)
        outcomes = Counter((each.kind, each.outcome) for answer in answers for each in answer.documents)
        for (kind, outcome), number in outcomes.items():
            self._gateway.metrics.documents.labels(kind, outcome).inc(number)
        shown = {f"{kind}_{outcome}": number for (kind, outcome), number in outcomes.items()}
        self._gateway.log.info("answered", deliveries=len(deliveries), **shown)
        return [Answered(answer, sender.name) for answer, sender in zip(answers, senders, strict=True)]

    def _sender(self, pushed: Pushed, read: Submitted) -> Sender:
        """Who sends: the party the way it came tells, else the enterprise the first document names."""
        directory = self._gateway.directory
        documents = (each.document for each in read.submissions if each.document)
        code = next((named for document in documents if (named := _enterprise(document))), "")
        name = pushed.party or directory.party_of(code)
        return Sender(name, directory.platform_of(name) if pushed.party else None)

    async def _work(self, transaction: Transaction, works: Sequence[_Work], context: Context) -> list[Answer]:
        gateway = self._gateway
        documents = [each.document for work in works for each in work.read.submissions if each.document]
        await gateway.documents.lock_keys(transaction, (key for each in documents for key in link_keys(each)))
        digests = {id(each): each.content_digest(context.secret) for each in documents}
        known = await gateway.documents.known(transaction, map(identity_key, documents))
        sent = [(identity_key(each), digests[id(each)]) for each in documents]
        taker = Taker(known, await gateway.documents.answered(transaction, sent), gateway.mint.id, context.now)
        for work in works:
            self._fold(work, taker, digests)
        await gateway.messages.add_relays(
            transaction,
            [(w.relay_id, w.read.relay, len(w.outcomes)) for w in works if w.relay_id and w.read.relay],
            context.now,
        )
        taken = [each.taken for work in works for each in work.outcomes if each.taken]
        await gateway.documents.add(transaction, taken, context.now)
        decisions = await self._decide(transaction, taken, context)
        cases = {link.held.id: each.case.key for each in decisions.values() for link in _links(each)}
        answers = [self._answer(work, cases, context.now) for work in works]
        await self._keep(transaction, works, answers, context.now)
        return answers

    def _fold(self, work: _Work, taker: Taker, digests: Mapping[int, bytes]) -> None:
        """Offer the documents of one delivery; a signed message is taken whole or not at all."""
        if work.read.relay is None:
            work.outcomes += [self._offer(each, work, taker, digests) for each in work.read.submissions]
            return
        before = taker.mark()
        work.relay_id = self._gateway.mint.id()
        work.outcomes += [self._offer(each, work, taker, digests) for each in work.read.submissions]
        found = {each.outcome for each in work.outcomes}
        if found == {Outcome.TAKEN}:
            return
        work.relay_id = None
        taker.undo(before)
        for each in work.outcomes:
            if each.outcome is Outcome.TAKEN:
                partial = fault("delivery-relay-partial", f"/{each.submission.index}")
                each.outcome, each.taken, each.faults = Outcome.REJECTED, None, (partial,)

    def _offer(self, each: Submission, work: _Work, taker: Taker, digests: Mapping[int, bytes]) -> _Outcome:
        if each.document is None:
            return _Outcome(each, Outcome.REJECTED, each.faults)
        taking, taken, first = taker.offer(each.document, digests[id(each.document)], work.sender, work.relay_id)
        faults = (fault(taking.fault, f"/{each.index}"),) if taking.fault else ()
        return _Outcome(each, taking.outcome, faults, taken, first)

    async def _decide(
        self, transaction: Transaction, taken: Sequence[Taken], context: Context
    ) -> Mapping[int, Decision]:
        """Decide every case the documents touch, in the order they arrived."""
        gateway = self._gateway
        fresh = {each.held.id: each.held for each in taken}
        evidence = [each.held.document for each in taken if not isinstance(each.held.document, REFERENCE)]
        named = [key for each in evidence if (key := case_key(each))]
        near = await gateway.cases.cases_around(transaction, {key for each in evidence for key in link_keys(each)})
        keys = list(dict.fromkeys([*named, *near]))
        opened = await gateway.cases.open_cases(transaction, keys, context.party_of, gateway.mint.id, context.now)
        return await settle(transaction, gateway, [opened[key] for key in keys], context, fresh)

    async def _keep(
        self, transaction: Transaction, works: Sequence[_Work], answers: Sequence[Answer], now: int
    ) -> None:
        versions: list[tuple[Taken, str]] = []
        rejections: list[Rejection] = []
        for work, answer in zip(works, answers, strict=True):
            if work.read.faults:
                rejections.append(self._unreadable(work, answer))
            for outcome, said in zip(work.outcomes, answer.documents, strict=True):
                if outcome.taken:
                    first = FirstAnswer(at=now, outcome=Outcome.TAKEN.value, case=said.case)
                    versions.append((outcome.taken, first.as_json().decode()))
                elif outcome.outcome is not Outcome.DUPLICATE:
                    rejections.append(self._rejection(work, outcome, raw=_kept(work, outcome)))
        await self._gateway.documents.add_versions(transaction, versions, now)
        await self._gateway.documents.reject(transaction, rejections, now)

    def _unreadable(self, work: _Work, answer: Answer) -> Rejection:
        faults = [each.code for each in answer.faults]
        body, key = work.pushed.body, _storable(work.pushed.routing_key)
        id_ = self._gateway.mint.id()
        return Rejection(id_, work.sender.name, key, "rejected", None, None, json.dumps(faults), body)

    def _rejection(self, work: _Work, outcome: _Outcome, raw: bytes) -> Rejection:
        document = outcome.submission.document
        return Rejection(
            self._gateway.mint.id(),
            work.sender.name,
            _storable(work.pushed.routing_key),
            outcome.outcome.value,
            outcome.submission.kind,
            identity_key(document).value if document else None,
            json.dumps([[each.code, each.path] for each in outcome.faults]),
            raw,
        )

    def _answer(self, work: _Work, cases: Mapping[int, CaseKey], now: int) -> Answer:
        return Answer(
            correlation_id=work.pushed.correlation_id,
            at=now,
            documents=tuple(_document_answer(each, cases, now) for each in work.outcomes),
            faults=tuple(map(FaultText.of, work.read.faults[:FAULTS_MAX])),
            notices=tuple(map(FaultText.of, work.read.notices[:FAULTS_MAX])),
        )


def _storable(routing_key: str) -> str:
    """The key as every store can keep it: AMQP lets it hold a zero byte, and Python half of a character."""
    return routing_key[:255].encode(errors="replace").decode().replace("\0", "?")


def _kept(work: _Work, outcome: _Outcome) -> bytes:
    """The bytes kept of a document that was not taken; customs XML is kept whole, with the first of its documents."""
    if outcome.submission.raw:
        return outcome.submission.raw
    left = [each for each in work.outcomes if not each.taken and each.outcome is not Outcome.DUPLICATE]
    return work.pushed.body if outcome is left[0] else b""


def _document_answer(each: _Outcome, linked: Mapping[int, CaseKey], now: int) -> DocumentAnswer:
    document = each.submission.document
    first = _first(each.first, linked, now) if each.first else None
    case = case_key(document) if document and each.outcome is not Outcome.REJECTED else None
    if case is None and each.taken:
        case = linked.get(each.taken.held.id)
    count = max(each.submission.fault_count, len(each.faults))
    return DocumentAnswer(
        index=each.submission.index,
        kind=each.submission.kind,
        guid=document.guid if document else None,
        key=tuple(document.key) if document else (),
        outcome=each.outcome.value,
        case=_name(case) or (first and first.case),
        first=first if each.outcome is Outcome.DUPLICATE else None,
        faults=tuple(map(FaultText.of, each.faults[:FAULTS_MAX])),
        fault_count=count if count > FAULTS_MAX else None,
    )


def _first(past: Past, linked: Mapping[int, CaseKey], now: int) -> FirstAnswer | None:
    """The first answer to a document that came again: as it was stored, or as it is given in this very batch."""
    if past.answer:
        return FirstAnswer.model_validate_json(past.answer)
    if past.held is None:
        return None
    case = case_key(past.held.document) or linked.get(past.held.id)
    return FirstAnswer(at=now, outcome=Outcome.TAKEN.value, case=_name(case))


def _name(case: CaseKey | None) -> CaseName | None:
    return CaseName(direction="import", scope=case.scope, order_no=case.order_no) if case else None


def _links(decision: Decision) -> Sequence[Link]:
    return decision.linkage.links if decision.linkage else ()


def _enterprise(document: Document) -> str:
    """The enterprise that sends a document: the declaring agent it names, else the one its key begins with."""
    return getattr(document, "agent_code", None) or document.key[0]
