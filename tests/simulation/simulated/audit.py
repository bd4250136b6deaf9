"""What must be true of a world at rest, whatever happened in it. Reads files, rows and results; decides nothing."""

import base64
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lxml import etree

from simulated.world import World
from tongguan.gateway.sample.expectation import CaseOutcome, DeliveryOutcome, Outcome, differences, expected_of
from tongguan.gateway.sample.observing import answered, observed_cases
from tongguan.gateway.store.database import Row, Statement, in_transaction
from tongguan.gateway.verifying import Progress, verify_ledger

NAMED_BY = {"311": "orderNo", "411": "payTransactionId", "511": "logisticsNo", "621": "orderNo"}

THERE_BEFORE = {"-301010", "-401007", "-504015", "-621004"}
"""What e-port answers to a message it has had before."""


async def first_wrong(world: World) -> str | None:
    """The first thing that is not as it must be; None when all is well."""
    async for each in _wrong(world):
        return each
    return None


async def _wrong(world: World) -> AsyncIterator[str]:
    for check in (_documents, _answers, _handed_over, _declared, _receipts, _results):
        async for each in check(world):
            yield each
    async for broken in verify_ledger(world.database, world.seal_key, Progress()):
        yield f"ledger: {broken.where} {broken.en}"
    if not world.harsh:
        async for each in _outcome(world):
            yield each


async def _rows(world: World, sql: str) -> list[Row]:
    return list(await in_transaction(world.database, lambda tx: tx.run(Statement(sql))))


async def _documents(world: World) -> AsyncIterator[str]:
    """Every document that should be taken is stored once; every one that should not is kept with its bytes."""
    wanted = Counter(
        one.kind for each in world.sample.deliveries for _, one in each.documents if one.outcome == "taken"
    )
    rows = await _rows(
        world,
        "SELECT kind, count(*) AS versions FROM document_versions JOIN documents ON id = document_id GROUP BY kind",
    )
    found = {row.kind: row.versions for row in rows}
    if found != wanted:
        yield f"documents stored: {found}, not {dict(wanted)}"
    refused = sum(
        bool(each.refused) + sum(one.outcome not in ("taken", "duplicate") for _, one in each.documents)
        for each in world.sample.deliveries
    )
    [kept] = await _rows(world, "SELECT count(*) AS rejections FROM rejections")
    if kept.rejections < refused:
        yield f"rejections kept: {kept.rejections}, not {refused}"


async def _answers(world: World) -> AsyncIterator[str]:
    """Every delivery is answered."""
    found = Counter(name for name, _ in world.answers)
    for each in world.sample.deliveries:
        if not found[each.name]:
            yield f"{each.name}: was not answered"


async def _handed_over(world: World) -> AsyncIterator[str]:
    """A message is the same bytes under the same name however often it goes."""
    bytes_of: dict[tuple[str, str], bytes] = {}
    for eport, path in _taken_by_customs(world):
        name = path.name.partition(".")[0]
        if bytes_of.setdefault((eport, name), path.read_bytes()) != path.read_bytes():
            yield f"{path.name}: other bytes under the same name"


async def _declared(world: World) -> AsyncIterator[str]:
    """Customs saw each attempt of a declaration under one guid, in one message; and no more than the store knows of."""
    seen: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for eport, path in _taken_by_customs(world):
        for short, key, guid in _nodes(path.read_bytes()):
            seen[short, key].add((guid, f"{eport}/{path.name.partition('.')[0]}"))
    rows = await _rows(
        world,
        "SELECT declarations.message_type, business_key, count(*) AS attempts FROM declarations "
        "JOIN messages ON messages.id = message_id WHERE sends > 0 GROUP BY declarations.message_type, business_key",
    )
    attempts: Counter[str] = Counter()
    for row in rows:
        attempts[row.message_type[3:6]] += row.attempts
    for (short, key), found in seen.items():
        if len(found) > 1 and not world.harsh:
            yield f"{short} {key}: declared as {sorted(found)}"
    for short, count in Counter(short for (short, _), found in seen.items() for _ in found).items():
        if count != attempts[short]:
            yield f"{short}: customs saw {count} declarations, the store has sent {attempts[short]}"


def _taken_by_customs(world: World) -> Iterator[tuple[str, Path]]:
    for each in world.eports:
        for path in sorted((world.ground.folder / "simulator" / each.name / "received").iterdir()):
            yield each.name, path


def _nodes(data: bytes) -> Iterator[tuple[str, str, str]]:
    """Each declaration in a message: (311, its key, its guid)."""
    root = etree.fromstring(data)
    if etree.QName(root).localname == "DxpMsg":
        root = etree.fromstring(base64.b64decode(root.findtext(".//{*}Data") or ""))
    short = etree.QName(root).localname[3:6]
    for node in root:
        if key := node.findtext(f".//{{*}}{NAMED_BY.get(short, 'copNo')}"):
            yield short, key, node.findtext(".//{*}guid") or ""


async def _receipts(world: World) -> AsyncIterator[str]:
    """Every file customs wrote is kept once, and what can be read in it as receipts."""
    rows = await _rows(world, "SELECT eport, file_name, sha256 FROM inbound")
    kept = Counter((row.eport, row.file_name, bytes(row.sha256)) for row in rows)
    written = Counter((eport, name, hashlib.sha256(data).digest()) for eport, name, data in world.written)
    for eport, name, digest in written:
        if kept[eport, name, digest] != 1:
            yield f"{eport}/{name}: kept {kept[eport, name, digest]} times"
    for eport, name, _ in kept.keys() - written.keys():
        yield f"{eport}/{name}: nobody wrote it"
    silent = (
        "SELECT file_name FROM inbound WHERE message_type IS NOT NULL AND id NOT IN (SELECT inbound_id FROM receipts)"
    )
    for row in await _rows(world, silent):
        yield f"{row.file_name}: was read, and nothing in it kept"


async def _results(world: World) -> AsyncIterator[str]:
    """Of each case the results 1 to n were published, the first time in this order, and the same each time."""
    last: dict[str, int] = {}
    bodies: dict[str, Mapping[str, Any]] = {}
    for each in world.results:
        case = json.dumps(each["case"], sort_keys=True)
        if each["seq"] > last.get(case, 0) + 1:
            yield f"result {each['id']}: number {each['seq']} after {last.get(case, 0)}"
        last[case] = max(each["seq"], last.get(case, 0))
        if bodies.setdefault(each["id"], each) != each:
            yield f"result {each['id']}: says something else the second time"
    rows = await _rows(
        world,
        "SELECT result_count, count(results.id) AS stored FROM cases LEFT JOIN results "
        "ON results.case_id = cases.id GROUP BY cases.id",
    )
    if [row for row in rows if row.result_count != row.stored]:
        yield "a case has more or fewer results than it counts"
    stored = sum(row.stored for row in rows)
    if len(bodies) != stored:
        yield f"results published: {len(bodies)}, not {stored}"


async def _outcome(world: World) -> AsyncIterator[str]:
    """What became of every case and delivery is what should, as far as the order of things cannot change it."""
    expected = expected_of(world.sample).outcome
    cases, unmatched = await in_transaction(world.database, observed_cases)
    deliveries = {name: answered(answer) for name, answer in reversed(world.answers)}
    for each in differences(_steady(expected), _steady(Outcome(cases, deliveries, unmatched))):
        yield f"{each.about}: {each.en}"


def _steady(outcome: Outcome) -> Outcome:
    cases = {key: _steady_case(each) for key, each in outcome.cases.items()}
    return Outcome(cases, {name: _steady_answer(each) for name, each in outcome.deliveries.items()}, outcome.unmatched)


def _steady_case(case: CaseOutcome) -> CaseOutcome:
    """Without how often the same was sent and said, that it was there before, and what came late."""
    receipts = {short: tuple(sorted(set(codes) - THERE_BEFORE)) for short, codes in case.receipts.items()}
    return replace(case, sends={}, standings={}, receipts=receipts)


def _steady_answer(answer: DeliveryOutcome) -> DeliveryOutcome:
    """What was taken before a process died is a duplicate when it is delivered again."""
    documents = [replace(each, outcome=each.outcome.replace("duplicate", "taken")) for each in answer.documents]
    return replace(answer, documents=documents)
