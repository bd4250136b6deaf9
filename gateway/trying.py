"""Trying: what a triple would become at one e-port, without a store and without sending anything."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from lxml import etree

from ..adapters.signing.signers import Signer
from ..config.eports import EPort, PlainEnvelope
from ..config.parties import Party
from ..messages.chinatime import parse_china_time
from ..messages.documents.document import Document
from ..messages.xml import parse
from .cases import Case, Context, Decision, Reference, View
from .composition import now_ms
from .deciding import decide, reference_keys
from .directory import Directory
from .evidence import REFERENCE, CaseKey, Held, LinkKey, case_key, link_keys
from .ledger import Chain
from .linking import link
from .packing import Building, pack
from .rules.book import RuleBook
from .states import CaseStatus, Verdict
from .taking import DELETE


class _Mint:
    """Numbers for something that is never sent."""

    def __init__(self) -> None:
        self._next = 0

    def id(self) -> int:
        self._next += 1
        return self._next

    def guid(self) -> str:
        return str(uuid4()).upper()

    def cop_no(self) -> str:
        return f"TRY{self.id():017d}"


def trying_context(eport: EPort, book: RuleBook, parties: Iterable[Party]) -> Context:
    """What documents are tried under: one e-port, the rules and parties of the configuration, a throw-away secret."""
    directory = Directory(parties)
    return Context(
        now=now_ms(),
        actor="try",
        eports=(eport,),
        book=book,
        on_record=directory.on_record,
        party_of=directory.party_of,
        secret=b"",
        person_index=lambda number: number.encode(),
        mint=_Mint(),
    )


@dataclass(frozen=True, slots=True)
class Tried:
    """One case: how it was decided, and the messages it would become (message type, XML indented for reading)."""

    decision: Decision
    messages: Sequence[tuple[str, str]]


def try_documents(
    documents: Sequence[Document], eport: EPort, signers: Mapping[str, Signer], context: Context
) -> list[Tried]:
    """Decide the cases these documents make, and build what they would declare at this e-port, unenveloped."""
    plain = eport.model_copy(update={"envelope": PlainEnvelope(kind="plain")})
    latest = {each.identity: each for each in sorted(documents, key=lambda each: each.app_time)}
    evidence = [each for each in latest.values() if not isinstance(each, REFERENCE)]
    held = [
        Held(
            number,
            1,
            each,
            app_time=parse_china_time(each.app_time),
            withdrawn=each.app_type == DELETE,
            first_at=context.now,
        )
        for number, each in enumerate(evidence, start=1)
    ]
    references: dict[LinkKey, Reference] = {
        key: Reference(None if each.app_type == DELETE else each, 1)
        for each in latest.values()
        if isinstance(each, REFERENCE)
        for key in link_keys(each)
    }
    keys = dict.fromkeys(key for each in evidence if (key := case_key(each)))
    tried: list[Tried] = []
    for number, key in enumerate(keys, start=1):
        linkage = link(key, held)
        case = _unopened(number, key, context.now)
        wanted = {name: references[name] for name in reference_keys(linkage) if name in references}
        decision = decide(View(case, linkage, held, (), wanted, {}), context)
        tried.append(Tried(decision, _messages(decision, plain, signers, context)))
    return tried


def _unopened(number: int, key: CaseKey, now: int) -> Case:
    return Case(
        id=number,
        key=key,
        status=CaseStatus.WAITING,
        verdict=Verdict.WAITING,
        flags=frozenset(),
        eport=None,
        party="",
        decided=None,
        person=None,
        amount=0,
        chain=Chain(),
        result_count=0,
        waiting_since=now,
    )


def _messages(
    decision: Decision, eport: EPort, signers: Mapping[str, Signer], context: Context
) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for each in sorted(decision.plan.declarations, key=lambda each: each.message_type):
        if each.content is None or each.relay_id is not None:
            continue
        guid, signer = context.mint.guid(), signers[each.declarant]
        data, invalid = pack(eport, [Building.of(each)], guid, signer, context.now)
        text = "; ".join(fault.en for several in invalid.values() for fault in several) if invalid else _indented(data)
        found.append((each.message_type, text))
    return found


def _indented(data: bytes) -> str:
    root = parse(data)
    etree.indent(root, "  ")
    return etree.tostring(root, encoding="unicode")
