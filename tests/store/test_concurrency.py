"""Several workers at once: nothing is missed, nothing is declared twice, nobody's work is overwritten."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tongguan.gateway.serving import _is_outage
from tongguan.gateway.steps.route import Route
from tongguan.gateway.store.database import Database, Statement
from tongguan.gateway.store.postgresql import PostgresqlDatabase
from tongguan.gateway.store.schema import migrate

WORKER = str(Path(__file__).with_name("worker.py"))
MINUTE = 60_000


@pytest.fixture
def bench_on(benches: Any, triples: Any, tmp_path: Path, opened: Callable[[str], Database]) -> Callable[[str], Any]:
    """A gateway of its own, with connections of its own, over a store."""
    return lambda url: benches.Bench(opened(url), triples, tmp_path)


async def _together(*work: Any) -> None:
    await asyncio.gather(*work)


async def _sent_once(bench: Any, *others: Any) -> Counter[str]:
    """How often each guid of a declaration was handed over."""
    nodes = [
        node for each in (bench, *others) for message in ("311", "411", "511", "621") for node in each.nodes(message)
    ]
    return Counter(head["guid"] for node in nodes for name, head in node.items() if name.endswith("Head"))


@pytest.mark.services
class TestPostgresql:
    async def test_two_workers_given_the_halves_of_a_thousand_triples_at_once_link_every_one(
        self, migrated_url: str, bench_on: Any
    ) -> None:
        count, share = 1000, 50
        one, other = bench_on(migrated_url), bench_on(migrated_url)
        content = one.triples.content
        for kind in ("goods", "transport"):
            await one.push(kind, content(kind))

        async def take(bench: Any, kinds: tuple[str, ...], odd: int) -> None:
            for start in range(1, count + 1, share):
                numbers = range(start, start + share)
                mine = [
                    bench.delivery(kind, *(content(kind, n) for n in numbers if kind != "waybill" or n % 2 == odd))
                    for kind in kinds
                ]
                await bench.take(*mine)

        await _together(take(one, ("order", "waybill"), 0), take(other, ("payment", "waybill"), 1))

        rows = await one.rows("SELECT verdict, count(*) AS cases FROM cases GROUP BY verdict")
        assert [tuple(row) for row in rows] == [("matched", count)]
        links = await one.rows("SELECT case_id, count(*) AS links FROM links GROUP BY case_id")
        assert Counter(row.links for row in links) == {3: count}
        kinds = await one.rows("SELECT message_type, count(*) AS n FROM declarations GROUP BY message_type")
        assert {row.message_type[3:6]: row.n for row in kinds} == dict.fromkeys(("311", "411", "511", "621"), count)

    async def test_two_dispatchers_send_every_declaration_once(self, migrated_url: str, bench_on: Any) -> None:
        one, other = bench_on(migrated_url), bench_on(migrated_url)
        content = one.triples.content
        for each in (one, other):
            each.limit(batch=7)
        for kind in ("goods", "transport"):
            await one.push(kind, content(kind))
        for kind in ("order", "payment", "waybill"):
            await one.push(kind, *(content(kind, number) for number in range(1, 101)))

        async def drain(bench: Any) -> None:
            while await bench.dispatch():
                continue

        await _together(drain(one), drain(other))

        sent = await _sent_once(one, other)
        assert len(sent) == 300
        assert set(sent.values()) == {1}

    async def test_a_change_that_comes_while_its_order_is_packed_is_declared_as_a_change_never_in_its_place(
        self, migrated_url: str, bench_on: Any
    ) -> None:
        intake, dispatch = bench_on(migrated_url), bench_on(migrated_url)
        content, count = intake.triples.content, 60
        dispatch.limit(batch=3)
        for kind in ("goods", "transport"):
            await intake.push(kind, content(kind))
        for kind in ("order", "payment", "waybill"):
            await intake.push(kind, *(content(kind, number) for number in range(1, count + 1)))

        async def change() -> None:
            for start in range(1, count + 1, 5):
                changes = {"appType": "2", "appTime": "20240309093000", "note": "改"}
                await intake.push("order", *(content("order", n, **changes) for n in range(start, start + 5)))

        async def drain() -> None:
            for _ in range(60):
                await dispatch.dispatch()

        await _together(change(), drain())
        await drain()

        sent = await _sent_once(dispatch)
        first = await intake.rows(
            "SELECT guid, state, content FROM declarations WHERE message_type = 'CEB311Message' AND attempt = 1"
        )
        assert set(sent.values()) == {1}
        assert {row.state for row in first} == {"sent"}
        stored = {row.guid: b"\xe6\x94\xb9" in intake.sealer.open(row.content) for row in first}
        handed = {node["OrderHead"]["guid"]: node["OrderHead"].get("note") == "改" for node in dispatch.nodes("311")}
        assert {guid: handed[guid] for guid in stored} == stored

    async def test_receipts_that_come_while_dispatch_settles_are_not_overwritten(
        self, migrated_url: str, bench_on: Any
    ) -> None:
        dispatch, receive = bench_on(migrated_url), bench_on(migrated_url)
        content, count = dispatch.triples.content, 60
        dispatch.limit(batch=2)
        receive.later(MINUTE)
        for kind in ("goods", "transport"):
            await dispatch.push(kind, content(kind))
        for kind in ("order", "payment", "waybill"):
            await dispatch.push(kind, *(content(kind, number) for number in range(1, count + 1)))
        done = asyncio.Event()

        async def answer_at_once() -> None:
            answered: set[int] = set()
            while not done.is_set() or len(answered) < count * 3:
                rows = await receive.rows(
                    "SELECT * FROM declarations WHERE state IN ('packed', 'sent') AND message_type <> 'CEB621Message'"
                )
                new = [row for row in rows if row.id not in answered]
                for row in new:
                    receive.answer(
                        {"311": "312", "411": "412", "511": "512"}[row.message_type[3:6]], [receive.receipt(row, "120")]
                    )
                answered.update(row.id for row in new)
                await receive.receive()

        async def send() -> None:
            while await dispatch.dispatch():
                continue
            done.set()

        async with asyncio.timeout(60):
            await _together(send(), answer_at_once())

        rows = await dispatch.rows("SELECT state, status FROM declarations WHERE message_type <> 'CEB621Message'")
        messages = await dispatch.rows("SELECT state FROM messages WHERE message_type <> 'CEB621Message'")
        waiting = await dispatch.rows("SELECT state FROM declarations WHERE message_type = 'CEB621Message'")
        assert Counter(tuple(row) for row in rows) == {("accepted", "120"): count * 3}
        assert {row.state for row in messages} == {"answered"}
        assert {row.state for row in waiting} <= {"ready", "sent"}

    async def test_the_quota_of_one_buyer_is_exact_whoever_counts_on_it(self, migrated_url: str, bench_on: Any) -> None:
        one, other = bench_on(migrated_url), bench_on(migrated_url)
        content = one.triples.content
        for kind in ("goods", "transport"):
            await one.push(kind, content(kind))

        async def take(bench: Any, numbers: range) -> None:
            for number in numbers:
                await bench.take(
                    *(bench.delivery(kind, content(kind, number)) for kind in ("order", "payment", "waybill"))
                )

        await _together(take(one, range(1, 21)), take(other, range(21, 41)))

        rows = await one.rows("SELECT amount FROM quota")
        held = await one.rows("SELECT count(*) AS n, sum(quota_amount) AS total FROM cases WHERE verdict = 'matched'")
        assert [row.amount for row in rows] == [40 * 32_600_000]
        assert (held[0].n, int(held[0].total)) == (40, 40 * 32_600_000)

    async def test_two_that_tend_do_nothing_twice(self, migrated_url: str, bench_on: Any) -> None:
        one, other = bench_on(migrated_url), bench_on(migrated_url)
        content = one.triples.content
        for kind in ("order", "payment", "waybill"):
            await one.push(kind, *(content(kind, number) for number in range(1, 41)))
        for kind in ("goods", "transport"):
            await one.push(kind, content(kind))

        async def tend(bench: Any) -> None:
            for _ in range(5):
                await bench.tend().run()

        await _together(tend(one), tend(other))
        for each in (one, other):
            each.later(100 * 60 * MINUTE)
        await _together(tend(one), tend(other))

        entries = await one.rows('SELECT count(*) AS n FROM ledger WHERE body LIKE \'%"actor":"tend"%\'')
        assert entries[0].n == 40
        declared = await one.rows("SELECT count(*) AS n FROM declarations GROUP BY document_id, message_type")
        assert {row.n for row in declared} == {1}

    async def test_two_routers_share_the_lanes(self, migrated_url: str, bench_on: Any) -> None:
        one, other = bench_on(migrated_url), bench_on(migrated_url)
        content = one.triples.content
        await one.push("order", *(content("order", number) for number in range(1, 101)))
        published: list[str] = []

        class Bus:
            async def publish(self, messages: Any) -> None:
                await asyncio.sleep(0.01)
                published.extend(result for each in messages for result in each.body.decode().split('"id": "')[1:])

        bus: Any = Bus()
        counts = await asyncio.gather(Route(one.gateway, bus, "one").run(), Route(other.gateway, bus, "two").run())

        assert sum(counts) == len(published) == 100

    async def test_a_store_that_drops_its_connections_is_waited_for(
        self, migrated_url: str, bench_on: Any, opened: Any
    ) -> None:
        """What PostgreSQL says when it is shut down or restarted is no delivery's fault."""
        bench, killer = bench_on(migrated_url), opened(migrated_url)
        await bench.push("order", bench.triples.content("order"))
        assert isinstance(killer, PostgresqlDatabase)

        async def kill() -> None:
            async with killer.transaction() as transaction:
                await transaction.run(
                    Statement(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )

        errors: list[Exception] = []
        for number in range(2, 6):
            await kill()
            try:
                await bench.push("order", bench.triples.content("order", number))
            except Exception as error:  # noqa: BLE001 - which one it is is the question
                errors.append(error)

        assert errors
        assert all(_is_outage(error) for error in errors)
        await bench.push("order", bench.triples.content("order", 9))
        assert (await bench.case(9)).status == "waiting"


class TestProcesses:
    """Real processes on one file."""

    @staticmethod
    def _run(url: str, *shares: tuple[str, int, int, str]) -> list[int]:
        started = [
            subprocess.Popen(
                [sys.executable, WORKER, url, kinds, str(first), str(last), turn],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for kinds, first, last, turn in shares
        ]
        said = [each.communicate(timeout=120) for each in started]
        assert [each.returncode for each in started] == [0] * len(started), said
        return [int(out) for out, _ in said]

    async def test_two_processes_given_the_halves_of_many_triples_link_every_one(
        self, tmp_path: Path, bench_on: Any, opened: Any
    ) -> None:
        url, count = f"sqlite:///{tmp_path / 'store.db'}", 100
        await migrate(opened(url))
        bench = bench_on(url)
        for kind in ("goods", "transport"):
            await bench.push(kind, bench.triples.content(kind))

        taken = self._run(url, ("order", 1, count, "forwards"), ("payment,waybill", 1, count, "backwards"))

        rows = await bench.rows("SELECT verdict, count(*) AS cases FROM cases GROUP BY verdict")
        ids = await bench.rows("SELECT count(*) AS n, count(DISTINCT id) AS distinct_ids FROM declarations")
        assert taken == [count, 2 * count]
        assert [tuple(row) for row in rows] == [("matched", count)]
        assert tuple(ids[0]) == (4 * count, 4 * count)
