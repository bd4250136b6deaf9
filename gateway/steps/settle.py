"""Settling: deciding a set of cases inside a transaction that holds their locks. Intake and tend both end here."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from ..cases import Case, Context, Decision, View
from ..composition import Gateway
from ..deciding import buyer_of, decide, reference_keys, standing
from ..declaring import Declaration
from ..evidence import Held
from ..linking import Linkage, link
from ..store.database import Transaction
from ..store.due import Due, add_due


async def settle(
    transaction: Transaction,
    gateway: Gateway,
    cases: Iterable[Case],
    context: Context,
    fresh: Mapping[int, Held],
) -> Mapping[int, Decision]:
    """Link, reconcile and write these locked cases, in the order they are given; ``fresh`` are new documents.

    Returns what was decided, by case id.
    """
    cases, store = list(cases), gateway.cases
    around = await store.documents_around(transaction, cases, fresh)
    documents = {held.id for each in around.values() for held in each}
    linked = await store.links(transaction, (case.id for case in cases), documents)
    book = _Book(await store.declarations(transaction, (case.id for case in cases), documents))
    known = list(book.by_id)
    linkages = _linkages(cases, around, linked, book)
    references = await store.references(
        transaction, (key for each in linkages.values() for key in reference_keys(each)), fresh
    )
    people = [person for each in linkages.values() if (person := buyer_of(each, context))]
    people += [case.person for case in cases if case.person]
    used = await store.lock_quotas(transaction, people)
    decisions: dict[int, Decision] = {}
    for case in cases:
        linkage = linkages[case.id]
        present = book.of(case.id, linkage.concerned)
        view = View(case, linkage, around.get(case.id, []), present, references, used)
        decision = decisions[case.id] = decide(view, context)
        book.enter(decision.plan.declarations)
        for person, amount in decision.quota.items():
            used[person] = used.get(person, 0) + amount
    await gateway.decisions.write(transaction, list(decisions.values()), known, context.now)
    look = context.now + min(gateway.late_after_ms.values())
    waiting = [each.case.id for each in decisions.values() if each.case.waiting_since == context.now]
    await add_due(transaction, [(Due("late", case_id), look) for case_id in waiting])
    return decisions


class _Book:
    """Declarations by case and by document, as they become while cases are decided one after the other."""

    def __init__(self, declarations: Iterable[Declaration]) -> None:
        self.by_id: dict[int, Declaration] = {}
        self._by_case: dict[int, set[int]] = defaultdict(set)
        self._by_document: dict[int, set[int]] = defaultdict(set)
        self.enter(declarations)

    def enter(self, declarations: Iterable[Declaration]) -> None:
        for each in declarations:
            self.by_id[each.id] = each
            self._by_case[each.case_id].add(each.id)
            self._by_document[each.document_id].add(each.id)

    def of(self, case_id: int, documents: Iterable[int] = ()) -> Sequence[Declaration]:
        """The declarations of a case and of these documents, whichever case declares them."""
        ids = self._by_case[case_id].union(*(self._by_document[document] for document in documents))
        return [self.by_id[each] for each in sorted(ids)]


def _linkages(
    cases: Iterable[Case],
    around: Mapping[int, Sequence[Held]],
    linked: Mapping[int, frozenset[int]],
    book: _Book,
) -> dict[int, Linkage]:
    """Link every case; documents declared with a case that stands are that case's, whatever else claims them."""
    gone = {case_id for case_id in linked if standing(book.of(case_id))}
    owners: dict[int, set[int]] = defaultdict(set)
    for case_id in gone:
        for document in linked[case_id]:
            owners[document].add(case_id)
    found: dict[int, Linkage] = {}
    for case in cases:
        declared = linked[case.id] if case.id in gone else frozenset[int]()
        held = around.get(case.id, [])
        elsewhere = frozenset(each.id for each in held if owners[each.id] - {case.id})
        found[case.id] = link(case.key, held, declared, elsewhere)
    return found
