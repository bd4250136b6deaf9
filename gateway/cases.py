"""Cases (一单): what is stored of one, what it is decided from, and what a decision holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..config.eports import EPort
from ..messages.documents.document import Document
from .declaring import Declaration, Mint, Plan, Subject
from .evidence import CaseKey, Held, LinkKey
from .ledger import Chain, Entry
from .linking import Linkage
from .rules.book import RuleBook
from .rules.finding import Finding
from .states import HOLDS_QUOTA, CaseStatus, Flag, Verdict


class Person(NamedTuple):
    """Whose yearly quota, by blind index, and in which China year."""

    blind: bytes
    year: int


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it is stored.

    ``decided`` digests the last decision. ``amount`` is what the case takes of the quota of ``person`` while its status
    holds one (see ``reserved``). ``waiting_since`` is None while it does not wait.
    """

    id: int
    key: CaseKey
    status: CaseStatus
    verdict: Verdict
    flags: frozenset[Flag]
    eport: str | None
    party: str
    decided: bytes | None
    person: Person | None
    amount: int
    chain: Chain
    result_count: int
    waiting_since: int | None

    @property
    def reserved(self) -> int:
        """The part of a quota this case holds now."""
        return self.amount if self.person and self.status in HOLDS_QUOTA else 0


class Reference(NamedTuple):
    """The one goods record or transport a key names, if there is one, and the versions of all that ever had the key.

    ``version`` is the sum of their numbers: it grows with whatever comes or changes.
    """

    document: Document | None
    version: int


@dataclass(frozen=True, slots=True)
class Context:
    """What all cases of a batch are decided under."""

    now: int
    actor: str
    eports: Sequence[EPort]
    book: RuleBook
    on_record: frozenset[str]
    party_of: Callable[[str], str]
    """Our ASCII party code for an enterprise code, used in routing keys."""
    secret: bytes
    person_index: Callable[[str], bytes]
    mint: Mint


@dataclass(frozen=True, slots=True)
class View:
    """Everything known of one case when it is decided.

    ``around`` are the documents the linkage was made from, ``declarations`` all attempts of the case and of documents
    linked to it, ``used`` the quotas as reserved so far, this case included.
    """

    case: Case
    linkage: Linkage
    around: Sequence[Held]
    declarations: Sequence[Declaration]
    references: Mapping[LinkKey, Reference]
    used: Mapping[Person, int]


@dataclass(frozen=True, slots=True)
class Papers:
    """What the status of a case is read from.

    ``declarations`` are all of the case and those its inventory goes after; ``before`` names the latter, ``findings``
    are those of the case as stored.
    """

    declarations: Sequence[Declaration]
    before: frozenset[Subject] = frozenset()
    findings: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What is written about one case; nothing at all when ``changed`` is False.

    ``linkage`` is None where only declarations moved: links, findings and wants stand then.
    """

    case: Case
    changed: bool = True
    linkage: Linkage | None = None
    findings: tuple[Finding, ...] = ()
    plan: Plan = field(default_factory=Plan)
    wants: tuple[tuple[LinkKey, int], ...] = ()
    entries: tuple[Entry, ...] = ()
    results: tuple[Mapping[str, Any], ...] = ()
    quota: Mapping[Person, int] = field(default_factory=dict)
    """What is added to (or given back from) which quota, in scaled amounts."""
