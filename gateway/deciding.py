"""Deciding: what becomes of a case, from everything that is known of it.

Pure: it takes values and returns a decision.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from ..config.eports import BondedInventory, DirectInventory, EPort
from ..messages.chinatime import china_year
from ..messages.documents.companions import GoodsRecord, Transport
from ..messages.documents.riders import Inventory
from ..messages.documents.triple import Order, Waybill
from .amounts import scaled, unscaled
from .cases import Case, Context, Decision, Papers, Person, Reference, View
from .declaring import (
    CANCELLATION,
    INVENTORY,
    RETURN,
    Declaration,
    Plan,
    Situation,
    Subject,
    Wanted,
    main_state,
    newest_of,
    plan,
    sends,
    state_of,
    wanted,
)
from .evidence import CaseKey, Held, LinkKey, barcode_key, goods_key, transport_key
from .inventory import LineGoods, Sources, compose, goods_from_draft, goods_from_record
from .ledger import Entry
from .linking import Linkage
from .rules.facts import Facts
from .rules.finding import Finding, Hit, Severity, Value, rules, verdict_of
from .rules.reconciling import kept, reconcile
from .states import AT_HOME, OVER, CaseStatus, DeclarationState, Flag, Verdict, case_status


def standing(declarations: Iterable[Declaration]) -> bool:
    """Whether a case has left the house with an inventory that stands."""
    return any(each.state not in AT_HOME | OVER for each in declarations if each.message_type == INVENTORY)


def reference_keys(linkage: Linkage) -> list[LinkKey]:
    """The goods records and the transport a case needs."""
    order = linkage.order.held.document if linkage.order else None
    waybill = linkage.waybill.held.document if linkage.waybill else None
    keys: list[LinkKey] = []
    for line in order.lines if isinstance(order, Order) else ():
        if isinstance(order, Order) and line.item_no:
            keys.append(goods_key(order.ebc_code, line.item_no))
        elif isinstance(order, Order) and line.bar_code:
            keys.append(barcode_key(order.ebc_code, line.bar_code))
    if isinstance(waybill, Waybill) and waybill.bill_no:
        keys.append(transport_key(waybill.logistics_code, waybill.bill_no))
    return keys


def buyer_of(linkage: Linkage, context: Context) -> Person | None:
    """The buyer whose quota the case counts against."""
    order = linkage.order.held.document if linkage.order else None
    if not isinstance(order, Order):
        return None
    return Person(context.person_index(order.buyer_id_number), china_year(context.now))


def decide(view: View, context: Context) -> Decision:
    """Reconcile one case and plan what follows."""
    case, linkage, declarations = view.case, view.linkage, view.declarations
    stands = standing(each for each in declarations if each.case_id == case.id)
    # what was declared counts for whom and in which year it was declared
    person = case.person if stands else buyer_of(linkage, context)
    facts = _facts(linkage, view.references, context)
    mine = case.reserved if person == case.person else 0
    facts = replace(facts, used=unscaled(view.used.get(person, 0) - mine) if person else Decimal(0))
    wants, unsigned = wanted(facts, context.secret)
    more = [Hit("signer-known", Value(message, "message")) for message in unsigned]
    more += _after_declaration(view, stands=stands)
    found = reconcile(facts, more)
    verdict, findings = verdict_of(found), kept(found)
    made = _plan(view, wants, verdict, facts, context)
    present = {each.id: each for each in declarations} | {each.id: each for each in made.declarations}
    papers = Papers(tuple(present.values()), frozenset[Subject]().union(*made.predecessors.values()))
    amount = max(0, scaled(facts.composition.dutiable)) if facts.composition else 0
    newly = verdict is Verdict.MATCHED and not stands
    status = status_of(case.id, verdict, papers, withdrawn=_order_withdrawn(case.key, view.around))
    after = replace(
        case,
        status=status,
        verdict=verdict,
        flags=_flags(case, verdict, linkage, present.values()),
        eport=facts.eport.name if facts.eport else case.eport,
        person=person if newly else case.person,
        amount=amount if newly else case.amount,
        decided=_digest(verdict, findings, linkage),
        waiting_since=(case.waiting_since or context.now) if status is CaseStatus.WAITING else None,
    )
    own = (each for each in present.values() if each.case_id == case.id)
    at_home = any(each.message_type == INVENTORY and each.state in AT_HOME for each in own)
    helped = any(finding.rule in _BY_REFERENCE for finding in findings)
    awaited = _wants(linkage, view.references) if at_home or (helped and verdict is not Verdict.MATCHED) else ()
    if after == case and not made.declarations:
        return Decision(case, changed=False, linkage=linkage, wants=awaited)
    said = (case.decided, case.status, case.flags) != (after.decided, after.status, after.flags)
    shown = [finding.as_json() for finding in findings]
    return Decision(
        after,
        linkage=linkage,
        findings=findings,
        plan=made,
        wants=awaited,
        entries=(_entry(after, findings, linkage, made, context),),
        results=(_result(case, after, shown, context.now),) if said else (),
        quota=quota_change(case, after),
    )


def _plan(view: View, wants: Sequence[Wanted], verdict: Verdict, facts: Facts, context: Context) -> Plan:
    """Plan at the e-port of the case; at its former one, if no e-port takes it now, what is at home is held back."""
    eport = facts.eport or next((each for each in context.eports if each.name == view.case.eport), None)
    if eport is None:
        return Plan()
    situation = Situation(
        view.case.id,
        verdict,
        Flag.HELD in view.case.flags,
        eport,
        context.now,
        sends(view.linkage, eport),
        frozenset(held.id for held in view.around if held.withdrawn),
    )
    return plan(view.declarations, wants, situation, context.mint)


def status_of(case_id: int, verdict: Verdict, papers: Papers, *, withdrawn: bool) -> CaseStatus:
    """The status of a case from its declarations."""
    return case_status(
        verdict,
        main_state(case_id, papers.declarations, papers.before, matched=verdict is Verdict.MATCHED),
        withdrawn=withdrawn,
        cancellation=state_of(case_id, papers.declarations, CANCELLATION),
        refund=state_of(case_id, papers.declarations, RETURN),
    )


def _facts(linkage: Linkage, references: Mapping[LinkKey, Reference], context: Context) -> Facts:
    facts = Facts(linkage, context.now, context.book, on_record=context.on_record)
    order, waybill, draft = facts.order, facts.waybill, facts.draft
    if order is None:
        return facts
    eport, defaults = _destination(order, waybill, draft, context.eports)
    goods = _goods(order, draft, references) if defaults else {}
    transport = None
    if waybill and waybill.bill_no:
        found = references.get(transport_key(waybill.logistics_code, waybill.bill_no))
        transport = found.document if found and isinstance(found.document, Transport) else None
    composition = None
    if waybill and defaults:
        composition = compose(Sources(order, waybill, goods, defaults, transport, draft))
    return replace(facts, eport=eport, defaults=defaults, goods=goods, transport=transport, composition=composition)


def _destination(
    order: Order, waybill: Waybill | None, draft: Inventory | None, eports: Iterable[EPort]
) -> tuple[EPort | None, DirectInventory | BondedInventory | None]:
    """The one e-port and its inventory defaults for a case; nothing when none or several would take it."""
    mode = draft.trade_mode if draft else order.trade_mode
    carrier = waybill.logistics_code if waybill else order.logistics_code
    found: list[tuple[EPort, DirectInventory | BondedInventory | None]] = []
    for eport in eports:
        takes: list[DirectInventory | BondedInventory | None] = list(eport.inventory) or [None]
        for defaults in takes:
            own = defaults.trade_mode if defaults else mode or ""
            fits = mode is None or own == mode
            if fits and any(each.covers(order.ebc_code, order.ebp_code, carrier, own) for each in eport.acts_for):
                found.append((eport, defaults if "621" in eport.declares else None))
    return found[0] if len(found) == 1 else (None, None)


def _goods(order: Order, draft: Inventory | None, references: Mapping[LinkKey, Reference]) -> dict[int, LineGoods]:
    drafted = {line.gnum: line for line in draft.lines} if draft else {}
    found: dict[int, LineGoods] = {}
    for line in order.lines:
        if line.gnum in drafted:
            found[line.gnum] = goods_from_draft(drafted[line.gnum])
            continue
        basis = "itemNo" if line.item_no else "barCode"
        key = (
            goods_key(order.ebc_code, line.item_no)
            if line.item_no
            else barcode_key(order.ebc_code, line.bar_code or "")
        )
        reference = references.get(key)
        if reference and isinstance(reference.document, GoodsRecord):
            found[line.gnum] = goods_from_record(line, reference.document, basis)
    return found


def _after_declaration(view: View, *, stands: bool) -> list[Hit]:
    """What happened to documents after they were declared: a delete, and a change beside an inventory that stands."""
    # the other orders of a merged payment are their own cases' affair
    others = view.linkage.concerned - {each.held.id for each in view.linkage.links}
    gone = (each for each in view.declarations if each.state not in AT_HOME | OVER and each.document_id not in others)
    versions = {each.document_id: each.document_version for each in gone}
    hits: list[Hit] = []
    for held in view.around:
        if held.id in versions and held.version > versions[held.id] and (stands or held.withdrawn):
            rule = "withdrawn-after-declaration" if held.withdrawn else "changed-after-declaration"
            declared = Value(f"{held.kind} version {versions[held.id]}", "declared")
            hits.append(Hit(rule, declared, Value(str(held.version), held.kind)))
    return hits


def _order_withdrawn(key: CaseKey, around: Iterable[Held]) -> bool:
    orders = [
        held for held in around if isinstance(held.document, Order) and held.document.key == (key.scope, key.order_no)
    ]
    return bool(orders) and all(held.withdrawn for held in orders)


def _flags(case: Case, verdict: Verdict, linkage: Linkage, declarations: Iterable[Declaration]) -> frozenset[Flag]:
    flags = set(case.flags) - {Flag.AMBIGUOUS, Flag.UNCERTAIN}
    if verdict is not Verdict.WAITING:
        flags.discard(Flag.LATE)
    if linkage.ambiguous:
        flags.add(Flag.AMBIGUOUS)
    if any(each.state is DeclarationState.UNCERTAIN for each in declarations if each.case_id == case.id):
        flags.add(Flag.UNCERTAIN)
    return frozenset(flags)


def quota_change(before: Case, after: Case) -> dict[Person, int]:
    """What a decision adds to quotas, and gives back."""
    change: dict[Person, int] = {}
    if before.person:
        change[before.person] = -before.reserved
    if after.person:
        change[after.person] = change.get(after.person, 0) + after.reserved
    return {person: amount for person, amount in change.items() if amount}


_BY_REFERENCE = frozenset(
    {
        "transport-known", "goods-known", "declaration-complete", "goods-hs-code", "unit-known", "country-known",
        "goods-unit-agrees", "statutory-quantity", "net-within-gross", "weight-positive", "positive-list",
    }
)  # fmt: skip


def _wants(linkage: Linkage, references: Mapping[LinkKey, Reference]) -> tuple[tuple[LinkKey, int], ...]:
    """The goods records and transport whose arrival or change concerns the case, with the version seen (0: none)."""
    keys = dict.fromkeys(reference_keys(linkage))
    return tuple((key, references[key].version if key in references else 0) for key in keys)


def _digest(verdict: Verdict, findings: Iterable[Finding], linkage: Linkage) -> bytes:
    links = sorted((link.held.id, link.held.version, link.basis, str(link.amount)) for link in linkage.links)
    body = [verdict, [finding.as_json() for finding in findings], links]
    return hashlib.sha256(json.dumps(body, ensure_ascii=False).encode()).digest()[:16]


def _entry(case: Case, findings: Iterable[Finding], linkage: Linkage, made: Plan, context: Context) -> Entry:
    facts = {
        "status": case.status.value,
        "verdict": case.verdict.value,
        "flags": sorted(case.flags),
        "findings": [finding.as_json() for finding in findings],
        "links": [
            {"kind": link.held.kind, "document": link.held.id, "version": link.held.version, "basis": link.basis}
            for link in linkage.links
        ],
        "declarations": [
            {"message": each.message_type, "attempt": each.attempt, "appType": each.app_type, "state": each.state.value}
            for each in made.declarations
        ],
        "rulebook": context.book.edition,
    }
    return Entry("decided", context.now, context.actor, facts)


def restate(
    case: Case,
    papers: Papers,
    entries: Sequence[Entry],
    *,
    flags: frozenset[Flag] | None = None,
    receipt: Mapping[str, Any] | None = None,
) -> Decision:
    """The case after its declarations moved or it got other ``flags``: status, quota, and a result when that shows.

    ``receipt`` is what moved it, as it is published.
    """
    flags = (case.flags if flags is None else flags) - {Flag.UNCERTAIN}
    if any(each.state is DeclarationState.UNCERTAIN for each in papers.declarations if each.case_id == case.id):
        flags |= {Flag.UNCERTAIN}
    withdrawn = case.status is CaseStatus.WITHDRAWN
    after = replace(case, status=status_of(case.id, case.verdict, papers, withdrawn=withdrawn), flags=flags)
    results: tuple[Mapping[str, Any], ...] = ()
    if (after.status, after.flags) != (case.status, case.flags):
        said = {"receipt": receipt} if receipt else {}
        results = (_result(case, after, papers.findings, entries[-1].at) | _numbers(papers.declarations) | said,)
    return Decision(after, entries=tuple(entries), results=results, quota=quota_change(case, after))


def invalidate(case: Case, papers: Papers, paths: Iterable[str], now: int) -> Decision:
    """The case when the customs schema refuses what it would declare: discrepant, and shown why."""
    findings = tuple(Finding("declaration-invalid", Severity.BLOCKS, Value(path, "schema")) for path in paths)
    shown = [finding.as_json() for finding in findings]
    entry = Entry("invalid", now, "dispatch", {"findings": shown})
    changed = replace(case, verdict=Verdict.DISCREPANT)
    made = restate(changed, replace(papers, findings=shown), [entry])
    return replace(made, findings=findings, quota=quota_change(case, made.case))


def _numbers(declarations: Iterable[Declaration]) -> dict[str, Any]:
    """The numbers by which e-port and customs know the newest inventory of a case."""
    latest = newest_of(each for each in declarations if each.message_type == INVENTORY and each.cop_no)
    if latest is None:
        return {}
    numbers = {"copNo": latest.cop_no, "preNo": latest.pre_no, "invtNo": latest.invt_no}
    return {"numbers": {name: value for name, value in numbers.items() if value}}


def _result(before: Case, after: Case, findings: Sequence[Mapping[str, Any]], at: int) -> dict[str, Any]:
    asks = after.status in {CaseStatus.DISCREPANT, CaseStatus.REFUSED}
    kind = "ask-for-correction" if asks else "status" if after.status is not before.status else "finding"
    result: dict[str, Any] = {
        "kind": kind,
        "at": at,
        "status": after.status.value,
        "verdict": after.verdict.value,
        "flags": sorted(after.flags),
        "findings": [_said(each) for each in findings],
    }
    if before.decided and before.status is not after.status:
        result["previousStatus"] = before.status.value
    return result


def _said(finding: Mapping[str, Any]) -> dict[str, Any]:
    """A finding as it is published: with its sentence in both languages."""
    rule = rules()[finding["rule"]]
    return {**finding, "zh": rule.zh, "en": rule.en}
