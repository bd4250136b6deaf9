"""``ledger verify``: what holds is proved, and whatever was tampered with is pointed to."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tongguan.gateway import verifying
from tongguan.gateway.sealkey import SealKey
from tongguan.gateway.store.database import Statement, columns, in_transaction
from tongguan.gateway.store.tables import metadata
from tongguan.gateway.verifying import CHUNK, Progress, verify_ledger

ONE, TWO = "import/3301969T01/GX0000000001", "import/3301969T01/GX0000000002"
_PUT = Statement(
    "UPDATE ledger SET body = new.body, hash = new.hash FROM {new} WHERE ledger.case_id = new.case_id AND "
    "ledger.seq = new.seq",
    {"new": columns(case_id="int", seq="int", body="text", hash="bytes")},
)
_HEAD = Statement(
    "UPDATE cases SET ledger_count = new.entries, ledger_head = new.head FROM {new} WHERE cases.id = new.id",
    {"new": columns(id="int", entries="int", head="bytes")},
)


@pytest.fixture
def database(opened: Any) -> Any:
    """SQLite in memory; one test holds PostgreSQL against the same."""
    made = opened("sqlite:///:memory:")
    metadata.create_all(made.engine)
    return made


@pytest.fixture
async def sealed(bench: Any) -> Any:
    """Two cases with a few entries each, sealed twice, and an entry after the last seal."""
    return await _sealed(bench)


async def _sealed(bench: Any) -> Any:
    content = bench.triples.content
    for number in (1, 2):
        await bench.match(number)
    await bench.tend().seal()
    bench.later(60_000)
    await bench.push("payment", content("payment", 1, appType="2", appTime="20240309093000", amountPaid="1"))
    await bench.tend().seal()
    await bench.push("payment", content("payment", 2, appType="2", appTime="20240309093000", amountPaid="1"))
    ids = await bench.rows("SELECT id, order_no FROM cases ORDER BY order_no")
    bench.one, bench.two = (row.id for row in ids)
    return bench


async def _breaks(bench: Any, key: SealKey | None = None) -> list[tuple[str, int]]:
    found = [each async for each in verify_ledger(bench.database, key or bench.seal_key, Progress())]
    assert all(each.zh and each.en for each in found)
    return [(each.where, each.entry) for each in found]


async def _run(bench: Any, sql: str) -> None:
    await in_transaction(bench.database, lambda tx: tx.run(Statement(sql)))


async def _forge(bench: Any, case_id: int, bodies: list[str]) -> None:
    """Write a case's ledger anew with every hash right, as somebody could who may write to the database."""
    head, rows = bytes(32), []
    for seq, body in enumerate(bodies, start=1):
        head = hashlib.sha256(head + body.encode()).digest()
        rows.append((case_id, seq, body, head))

    async def work(transaction: Any) -> None:
        await transaction.run(_PUT, new=rows)
        await transaction.run(_HEAD, new=[(case_id, len(bodies), head)])

    await in_transaction(bench.database, work)


async def _bodies(bench: Any, case_id: int) -> list[str]:
    return [row.body for row in await bench.rows(f"SELECT body FROM ledger WHERE case_id = {case_id} ORDER BY seq")]


async def test_an_untouched_ledger_holds_and_everything_is_counted(sealed: Any) -> None:
    progress = Progress()

    found = [each async for each in verify_ledger(sealed.database, sealed.seal_key, progress)]

    entries = (await sealed.rows("SELECT count(*) AS n FROM ledger"))[0].n
    assert found == []
    assert (progress.cases, progress.entries, progress.seals, progress.total) == (2, entries, 2, 2)


@pytest.mark.services
async def test_postgresql_is_verified_the_same(
    migrated_url: str, opened: Any, benches: Any, triples: Any, tmp_path: Path
) -> None:
    bench = await _sealed(benches.Bench(opened(migrated_url), triples, tmp_path))
    whole = await _breaks(bench)

    bodies = await _bodies(bench, bench.one)
    await _forge(bench, bench.one, [body.replace("waiting", "matched") for body in bodies])
    await _run(bench, f"DELETE FROM ledger WHERE case_id = {bench.two} AND seq = 2")
    await _run(bench, "UPDATE seals SET at = at + 1 WHERE id = 2")
    found = await _breaks(bench)

    assert whole == []
    assert {(TWO, 2), ("seal 2", 0)} <= set(found)
    assert f"seal 1, case #{bench.one}" in {where for where, _ in found}


async def test_an_empty_ledger_holds(bench: Any) -> None:
    assert await _breaks(bench) == []


async def test_shredding_documents_breaks_nothing(sealed: Any) -> None:
    await _run(sealed, "UPDATE document_versions SET content = digest")
    await _run(sealed, "DELETE FROM document_versions")

    assert await _breaks(sealed) == []


class TestEntries:
    async def test_a_changed_body_is_pointed_to(self, sealed: Any) -> None:
        await _run(
            sealed,
            f"UPDATE ledger SET body = replace(body, 'waiting', 'matched') WHERE case_id = {sealed.one} AND seq = 2",
        )

        assert (ONE, 2) in await _breaks(sealed)

    async def test_a_deleted_entry_is_pointed_to(self, sealed: Any) -> None:
        await _run(sealed, f"DELETE FROM ledger WHERE case_id = {sealed.one} AND seq = 2")

        assert (ONE, 2) in await _breaks(sealed)

    async def test_a_deleted_last_entry_is_pointed_to(self, sealed: Any) -> None:
        count = len(await _bodies(sealed, sealed.two))
        await _run(sealed, f"DELETE FROM ledger WHERE case_id = {sealed.two} AND seq = {count}")

        assert (TWO, count) in await _breaks(sealed)

    async def test_an_entry_put_behind_the_last_is_pointed_to(self, sealed: Any) -> None:
        count = len(await _bodies(sealed, sealed.two))
        await _run(
            sealed,
            "INSERT INTO ledger (case_id, seq, body, hash) "
            f"SELECT case_id, {count + 1}, body, hash FROM ledger WHERE case_id = {sealed.two} AND seq = {count}",
        )

        assert (TWO, count + 1) in await _breaks(sealed)

    async def test_entries_of_two_cases_in_each_other_s_place_are_pointed_to(self, sealed: Any) -> None:
        for a, b in ((sealed.one, -1), (sealed.two, sealed.one), (-1, sealed.two)):
            await _run(sealed, f"UPDATE ledger SET case_id = {b} WHERE case_id = {a} AND seq = 1")

        assert {(ONE, 1), (TWO, 1)} <= set(await _breaks(sealed))

    async def test_an_older_state_of_a_case_put_back_is_found_by_the_seal(self, sealed: Any) -> None:
        bodies = await _bodies(sealed, sealed.one)

        await _run(sealed, f"DELETE FROM ledger WHERE case_id = {sealed.one} AND seq = {len(bodies)}")
        await _forge(sealed, sealed.one, bodies[:-1])

        assert await _breaks(sealed) == [(f"seal 2, case #{sealed.one}", len(bodies))]

    async def test_a_whole_chain_written_anew_is_found_by_the_seal(self, sealed: Any) -> None:
        bodies = [body.replace("waiting", "matched") for body in await _bodies(sealed, sealed.one)]

        await _forge(sealed, sealed.one, bodies)

        assert {where for where, _ in await _breaks(sealed)} == {
            f"seal 1, case #{sealed.one}",
            f"seal 2, case #{sealed.one}",
        }

    async def test_what_was_not_sealed_yet_is_guarded_by_the_chain_only(self, sealed: Any) -> None:
        bodies = await _bodies(sealed, sealed.two)

        await _forge(sealed, sealed.two, [*bodies[:-1], bodies[-1].replace("discrepant", "matched")])

        assert await _breaks(sealed) == []

    async def test_the_chain_of_another_case_does_not_pass(self, sealed: Any) -> None:
        bodies = await _bodies(sealed, sealed.two)
        mine = await _bodies(sealed, sealed.one)

        await _forge(sealed, sealed.one, bodies[: len(mine)])

        assert (ONE, 1) in await _breaks(sealed)

    async def test_a_forged_body_that_is_no_entry_does_not_end_the_verifying(self, sealed: Any) -> None:
        bodies = await _bodies(sealed, sealed.one)

        await _forge(sealed, sealed.one, [*bodies[:-1], "no JSON"])

        assert (ONE, len(bodies)) in await _breaks(sealed)

    async def test_a_removed_case_is_found_by_the_seal(self, sealed: Any) -> None:
        await _run(sealed, f"DELETE FROM ledger WHERE case_id = {sealed.one}")
        await _run(sealed, f"DELETE FROM cases WHERE id = {sealed.one}")

        assert f"seal 1, case #{sealed.one}" in {where for where, _ in await _breaks(sealed)}

    async def test_entries_of_a_case_that_is_not_there_are_pointed_to(self, sealed: Any) -> None:
        await _run(
            sealed,
            "INSERT INTO ledger (case_id, seq, body, hash) SELECT 999999, seq, body, hash FROM ledger "
            f"WHERE seq = 1 AND case_id = {sealed.two}",
        )

        assert await _breaks(sealed) == [("case #999999", 1)]


class TestSeals:
    @pytest.mark.parametrize(
        ("change", "where"),
        [
            ("UPDATE seals SET at = at + 1 WHERE id = 1", "seal 1"),
            ("UPDATE seals SET root = previous WHERE id = 2", "seal 2"),
            ("UPDATE seals SET previous = root WHERE id = 1", "seal 1"),
            ("UPDATE seals SET signature = root WHERE id = 1", "seal 1"),
            ("DELETE FROM seals WHERE id = 2", "seal 2"),
            ("DELETE FROM seals WHERE id = 1", "seal 1"),
            ("DELETE FROM seal_heads WHERE seal_id = 1", "seal 1"),
            ("UPDATE seal_heads SET count = count + 1 WHERE seal_id = 2", "seal 2"),
            ("UPDATE seal_heads SET seal_id = 3 WHERE seal_id = 1", "seal 1"),
        ],
    )
    async def test_whatever_is_changed_about_a_seal_is_pointed_to(self, sealed: Any, change: str, where: str) -> None:
        await _run(sealed, change)

        assert where in {found.partition(",")[0] for found, _ in await _breaks(sealed)}

    async def test_a_seal_changed_in_the_file_is_pointed_to(self, sealed: Any) -> None:
        lines = sealed.seals.read_text("utf-8").splitlines()
        line = json.loads(lines[0]) | {"root": "00" * 32}
        sealed.seals.write_text("\n".join([json.dumps(line), lines[1]]) + "\n", "utf-8")

        assert await _breaks(sealed) == [("seal 1", 0)]

    async def test_a_seal_that_is_gone_from_the_file_is_pointed_to(self, sealed: Any) -> None:
        lines = sealed.seals.read_text("utf-8").splitlines()
        sealed.seals.write_text(lines[1] + "\n", "utf-8")

        assert await _breaks(sealed) == [("seal 1", 0)]

    async def test_a_seal_that_is_only_in_the_file_is_pointed_to(self, sealed: Any) -> None:
        await _run(sealed, "DELETE FROM seal_heads WHERE seal_id = 2")
        await _run(sealed, "DELETE FROM seals WHERE id = 2")

        assert await _breaks(sealed) == [("seal 2", 0)]

    async def test_seals_signed_with_another_key_do_not_pass(self, sealed: Any) -> None:
        assert {where for where, _ in await _breaks(sealed, SealKey(b"x" * 32, sealed.seals))} == {"seal 1", "seal 2"}

    @pytest.mark.parametrize(
        "line",
        ["{}", "[]", '{"seal": 1}', "null", '{"seal": 1, "at": 1, "previous": "zz", "root": "", "signature": ""}'],
    )
    async def test_a_file_somebody_scribbled_in_does_not_end_the_verifying(self, sealed: Any, line: str) -> None:
        lines = sealed.seals.read_text("utf-8").splitlines()
        sealed.seals.write_text("\n".join([line, *lines]) + "\n", "utf-8")

        assert {where for where, _ in await _breaks(sealed)} <= {"seal 1", "seal 2"}


async def test_more_cases_than_are_read_at_a_time_are_all_verified(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "CHUNK", 3)
    await bench.push("order", *(bench.triples.content("order", number) for number in range(1, 11)))
    progress = Progress()

    assert [each async for each in verify_ledger(bench.database, bench.seal_key, progress)] == []
    assert (progress.cases, progress.total) == (10, 10)
    assert CHUNK > 3


async def test_entries_are_never_changed_by_the_gateway_itself(bench: Any) -> None:
    await bench.match()
    before = {(row.case_id, row.seq): row.hash for row in await bench.rows("SELECT * FROM ledger")}

    await bench.released()
    await bench.tend().seal()

    after = {(row.case_id, row.seq): row.hash for row in await bench.rows("SELECT * FROM ledger")}
    assert before.items() <= after.items()
    assert await _breaks(bench) == []
