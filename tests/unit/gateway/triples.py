"""Builders for tests of the gateway: a clean triple, numbered copies of it, and a desk that decides without a store."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from tongguan.adapters.signing.identity import make_test_identity
from tongguan.adapters.signing.signers import Signer
from tongguan.config.eports import EPort, load_eports
from tongguan.config.folder import EXAMPLES
from tongguan.config.parties import Party, load_parties
from tongguan.gateway.cases import Case, Context, Decision, Person, Reference, View
from tongguan.gateway.deciding import decide, reference_keys, standing
from tongguan.gateway.declaring import Declaration
from tongguan.gateway.directory import Directory
from tongguan.gateway.evidence import REFERENCE, CaseKey, Held, LinkKey, case_key, identity_key, link_keys
from tongguan.gateway.ledger import Chain
from tongguan.gateway.linking import Linkage, link
from tongguan.gateway.rules.book import RuleBook, built_in
from tongguan.gateway.states import CaseStatus, DeclarationState, Verdict
from tongguan.messages.chinatime import parse_china_time
from tongguan.messages.documents.document import Document
from tongguan.messages.documents.kinds import KINDS

DATA = Path(__file__).parents[2] / "data" / "rules"
Content = dict[str, Any]


@cache
def _clean() -> Mapping[str, Any]:
    return tomllib.loads(DATA.joinpath("clean.toml").read_text("utf-8"))


NOW = parse_china_time(_clean()["now"])
KINDS_OF_A_CASE = ("order", "payment", "waybill", "transport", "goods")
SECRET = bytes(32)


def content(kind: str, number: int = 1, mode: str = "9610", **changes: Any) -> Content:
    """One document as it is pushed. ``number`` makes another order, payment and waybill; None takes a field away."""
    made = deepcopy(_clean()[kind])
    if mode == "1210":
        made |= _clean()["bonded"].get(kind, {})
    made |= {name: numbered for name, numbered in _numbers(number).items() if name in made}
    made["guid"] = f"0A{number:06d}{made['guid'][8:]}"
    made |= changes
    return {name: value for name, value in made.items() if value not in (None, "")}


def contents(number: int = 1, mode: str = "9610") -> dict[str, Content]:
    """The five documents of a clean case."""
    return {kind: content(kind, number, mode) for kind in KINDS_OF_A_CASE}


def _numbers(number: int) -> dict[str, str]:
    return {
        "orderNo": f"GX{number:010d}",
        "payTransactionId": f"FB{number:010d}",
        "logisticsNo": f"SD{number:010d}",
    }


def document(kind: str, number: int = 1, mode: str = "9610", **changes: Any) -> Any:
    """One document; ``changes`` by official name are all there is of it in mode ``raw``."""
    model = KINDS["inventory" if kind == "draft" else kind]
    return model.model_validate(changes if mode == "raw" else content(kind, number, mode, **changes))


def held(made: Document, id_: int = 1, version: int = 1, **more: Any) -> Held:
    """A document as it is held."""
    app_time = parse_china_time(made.app_time)
    return replace(Held(id_, version, made, app_time=app_time, first_at=NOW), **more)


@cache
def eports() -> tuple[EPort, ...]:
    """The sample e-ports: hangzhou-9610 and zhengzhou-1210."""
    found, problems = load_eports(EXAMPLES, data=Path("/nowhere"), environ={}, now_ms=NOW)
    assert not problems
    return tuple(found)


@cache
def parties() -> tuple[Party, ...]:
    """The sample parties."""
    return tuple(load_parties(EXAMPLES)[0])


@cache
def signer(declarant: str) -> Signer:
    """A key of one declarant, made once."""
    return make_test_identity("rsa-sha1", declarant, 1, NOW).signer


class Mint:
    """Numbers in their order."""

    def __init__(self) -> None:
        self._last = 1000

    def id(self) -> int:
        self._last += 1
        return self._last

    def guid(self) -> str:
        return f"0B000000-0000-4000-8000-{self.id():012d}"

    def cop_no(self) -> str:
        return f"TG{self.id():018d}"


def context(**changes: Any) -> Context:
    """What cases are decided under."""
    directory = Directory(parties())
    made = Context(
        now=NOW,
        actor="test",
        eports=eports(),
        book=built_in(),
        on_record=directory.on_record,
        party_of=directory.party_of,
        secret=SECRET,
        person_index=lambda number: f"index of {number}".encode(),
        mint=Mint(),
    )
    return replace(made, **changes)


def case(key: CaseKey, id_: int = 1, **changes: Any) -> Case:
    """A case nothing is known of yet."""
    made = Case(
        id=id_,
        key=key,
        status=CaseStatus.WAITING,
        verdict=Verdict.WAITING,
        flags=frozenset(),
        eport=None,
        party="youxuan",
        decided=None,
        person=None,
        amount=0,
        chain=Chain(),
        result_count=0,
        waiting_since=None,
    )
    return replace(made, **changes)


@dataclass
class Desk:
    """Takes documents and decides cases as the steps do, with everything in memory."""

    book: RuleBook = field(default_factory=built_in)
    eports: Sequence[EPort] = field(default_factory=eports)
    now: int = NOW
    on_record: frozenset[str] | None = None
    documents: dict[LinkKey, Held] = field(default_factory=dict)
    cases: dict[CaseKey, Case] = field(default_factory=dict)
    declarations: dict[int, Declaration] = field(default_factory=dict)
    links: dict[CaseKey, frozenset[int]] = field(default_factory=dict)
    used: dict[Person, int] = field(default_factory=dict)
    mint: Mint = field(default_factory=Mint)

    def put(self, made: Document, **more: Any) -> Held:
        """Hold a document, as the next version of what is held under its key."""
        key = identity_key(made)
        before = self.documents.get(key)
        id_, version = (before.id, before.version + 1) if before else (len(self.documents) + 1, 1)
        more = {"withdrawn": made.app_type == "3"} | more
        self.documents[key] = replace(held(made, id_, version), **more)
        return self.documents[key]

    def put_all(self, number: int = 1, mode: str = "9610", without: Iterable[str] = ()) -> None:
        """Hold the documents of a clean case."""
        for kind in KINDS_OF_A_CASE:
            if kind not in without:
                self.put(document(kind, number, mode))

    @property
    def key(self) -> CaseKey:
        """The first case any document names."""
        return next(key for each in self.documents.values() if (key := case_key(each.document)))

    def linkage(self, key: CaseKey | None = None) -> Linkage:
        """What is linked to a case."""
        key = key or self.key
        stand = {one: links for one, links in self.links.items() if self._stands(one)}
        elsewhere = frozenset[int]().union(*(links for one, links in stand.items() if one != key))
        return link(key, self._evidence(), stand.get(key, frozenset()), elsewhere)

    def view(self, key: CaseKey | None = None) -> View:
        """Everything a case is decided from."""
        key = key or self.key
        linkage = self.linkage(key)
        one = self._case(key)
        own = linkage.concerned
        present = [each for each in self.declarations.values() if each.case_id == one.id or each.document_id in own]
        references = {
            name: Reference(None if each.withdrawn else each.document, each.version)
            for each in self.documents.values()
            if isinstance(each.document, REFERENCE)
            for name in link_keys(each.document)
            if name in reference_keys(linkage)
        }
        return View(one, linkage, self._evidence(), present, references, self.used)

    def decide(self, key: CaseKey | None = None) -> Decision:
        """Decide a case and keep what was decided."""
        view = self.view(key)
        decision = decide(view, self.context())
        self._keep(decision)
        return decision

    def context(self) -> Context:
        """What cases are decided under now."""
        more = {} if self.on_record is None else {"on_record": self.on_record}
        return context(now=self.now, book=self.book, eports=tuple(self.eports), mint=self.mint, **more)

    def own(self, message: str, key: CaseKey | None = None) -> list[Declaration]:
        """The attempts of one message type of a case, by short name, oldest first."""
        id_ = self._case(key or self.key).id
        found = [
            each for each in self.declarations.values() if each.case_id == id_ and each.message_type[3:6] == message
        ]
        return sorted(found, key=lambda each: each.attempt)

    def move(self, message: str, state: DeclarationState, key: CaseKey | None = None, **changes: Any) -> Declaration:
        """Put the newest attempt of a message type into a state."""
        moved = replace(self.own(message, key)[-1], state=state, **changes)
        self.declarations[moved.id] = moved
        return moved

    def move_first(self, message: str, state: DeclarationState, **changes: Any) -> None:
        """Put the first attempt of a message type into a state."""
        moved = replace(self.own(message)[0], state=state, **changes)
        self.declarations[moved.id] = moved

    def states(self, key: CaseKey | None = None) -> dict[str, str]:
        """The state of the newest attempt of each message type of a case."""
        id_ = self._case(key or self.key).id
        found = sorted((each for each in self.declarations.values() if each.case_id == id_), key=lambda e: e.attempt)
        return {each.message_type[3:6]: each.state.value for each in found}

    def _stands(self, key: CaseKey) -> bool:
        id_ = self._case(key).id
        return standing(each for each in self.declarations.values() if each.case_id == id_)

    def _evidence(self) -> list[Held]:
        return [each for each in self.documents.values() if not isinstance(each.document, REFERENCE)]

    def _case(self, key: CaseKey) -> Case:
        return self.cases.setdefault(key, case(key, len(self.cases) + 1))

    def _keep(self, decision: Decision) -> None:
        if not decision.changed:
            return
        self.cases[decision.case.key] = decision.case
        if decision.linkage:
            self.links[decision.case.key] = frozenset(each.held.id for each in decision.linkage.links)
        for each in decision.plan.declarations:
            known = self.declarations.get(each.id)
            kept = each.content or (known.content if known else None)
            self.declarations[each.id] = replace(each, content=kept)
        for person, amount in decision.quota.items():
            self.used[person] = self.used.get(person, 0) + amount
