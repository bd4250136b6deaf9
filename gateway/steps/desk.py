"""The desk: locked cases with their declarations and findings, on which every step but intake works."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from ...config.eports import EPort
from ..cases import Case, Papers
from ..declaring import Declaration, Situation, Subject, release
from ..states import Flag
from ..store.cases import CaseStore
from ..store.database import Transaction
from ..store.decisions import DecisionStore


@dataclass(slots=True)
class Desk:
    """Cases by id, all their declarations and those they go after, and which of them were touched."""

    cases: dict[int, Case]
    declarations: dict[int, Declaration]
    predecessors: Mapping[int, frozenset[Subject]]
    findings: Mapping[int, Sequence[Mapping[str, Any]]]
    touched: set[int] = field(default_factory=set)
    _of_case: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    _of_subject: dict[Subject, set[int]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        for each in self.declarations.values():
            self._index(each)

    def _index(self, each: Declaration) -> None:
        self._of_case[each.case_id].add(each.id)
        self._of_subject[each.subject].add(each.id)

    @classmethod
    async def open(
        cls, transaction: Transaction, store: CaseStore, cases: Iterable[int], documents: Iterable[int] = ()
    ) -> Self:
        """Lock these cases (ids) and read them; ``documents`` (ids) are further ones whose declarations are wanted."""
        locked = await store.lock_cases(transaction, cases)
        predecessors = await store.predecessors(transaction, locked)
        before = {subject.document_id for several in predecessors.values() for subject in several}
        declarations = await store.declarations(transaction, locked, before.union(documents))
        findings = await store.findings(transaction, locked)
        return cls(locked, {each.id: each for each in declarations}, predecessors, findings)

    def own(self, case_id: int) -> list[Declaration]:
        """The declarations of one case as they stand now."""
        return [self.declarations[each] for each in sorted(self._of_case.get(case_id, ()))]

    def papers(self, case_id: int) -> Papers:
        """What the status of one case is read from, and what may be sent next."""
        own = self.own(case_id)
        before = frozenset[Subject]().union(*(self.predecessors.get(each.id, frozenset()) for each in own))
        subjects = before.union(each.subject for each in own)
        ids = {each for subject in subjects for each in self._of_subject.get(subject, ())}
        others = [self.declarations[each] for each in sorted(ids - self._of_case.get(case_id, set()))]
        return Papers((*own, *others), before, self.findings.get(case_id, ()))

    def put(self, moved: Iterable[Declaration]) -> None:
        """Declarations as they have become, or new ones."""
        for each in moved:
            self.declarations[each.id] = each
            self._index(each)
            self.touched.add(each.id)

    def release(self, case: Case, eport: EPort, now: int) -> None:
        """Let go what nothing in the case holds back any more, and keep at home what something does."""
        situation = Situation(case.id, case.verdict, Flag.HELD in case.flags, eport, now)
        self.put(release(self.papers(case.id).declarations, self.predecessors, situation))

    def touched_by_case(self) -> dict[int, list[Declaration]]:
        """What was touched, by case."""
        found: dict[int, list[Declaration]] = defaultdict(list)
        for each in sorted(self.touched):
            found[self.declarations[each].case_id].append(self.declarations[each])
        return found

    async def write(
        self, transaction: Transaction, store: DecisionStore, now: int, new: frozenset[int] = frozenset()
    ) -> None:
        """Write what was touched; ``new`` are the ids of declarations that were not stored before."""
        moved = [self.declarations[each] for each in sorted(self.touched)]
        await store.write_declarations(transaction, moved, frozenset(self.touched) - new, now)
