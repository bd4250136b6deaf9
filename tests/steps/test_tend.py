"""Tend: everything a clock decides, and nothing it does twice."""

import json
from typing import Any

import pytest

from tongguan.gateway.store.due import Due, add_due
from tongguan.gateway.verifying import Progress, verify_ledger
from tongguan.messages.ladders import ladder

MINUTE, HOUR = 60_000, 3_600_000
LATER = "20240309093000"


async def _tend(bench: Any) -> list[int]:
    """Tend until there is nothing to do; how many things each round did. More than ten rounds are an endless loop."""
    counts: list[int] = []
    tend = bench.tend()
    while len(counts) < 10 and (done := await tend.run()):
        counts.append(done)
    assert len(counts) < 10
    return counts


async def _flags(bench: Any, number: int = 1) -> str:
    return (await bench.case(number)).flags


class TestLate:
    @pytest.mark.parametrize(
        ("without", "hours"),
        [("payment", 24), ("waybill", 72), ("order", 24), ("transport", 72), ("goods", 24)],
    )
    async def test_a_case_is_late_when_what_it_misses_is(
        self, bench: Any, content: Any, without: str, hours: int
    ) -> None:
        for kind in ("goods", "transport", "payment", "order", "waybill"):
            if kind != without:
                await bench.push(kind, content(kind))
        seen: list[str] = []

        for at in (hours * HOUR - MINUTE, MINUTE):
            bench.later(at)
            await _tend(bench)
            seen.append(await _flags(bench))

        assert seen == ["", "late"]

    async def test_it_is_told_once_and_recorded(self, bench: Any, content: Any) -> None:
        await bench.push("order", content("order"))
        for _ in range(5):
            bench.later(25 * HOUR)
            await _tend(bench)

        bodies = [json.loads(row.body) for row in await bench.rows("SELECT body FROM results ORDER BY id")]
        entries = [json.loads(row.body) for row in await bench.rows("SELECT body FROM ledger ORDER BY seq")]
        assert [each["flags"] for each in bodies] == [[], ["late"]]
        late = [each for each in entries if each["kind"] == "late"]
        assert len(late) == 1
        assert {"payment-present", "waybill-present"} <= set(late[0]["missing"])

    async def test_what_arrives_at_last_takes_the_flag_away(self, bench: Any, content: Any) -> None:
        for kind in ("goods", "transport", "order", "waybill"):
            await bench.push(kind, content(kind))
        bench.later(25 * HOUR)
        await _tend(bench)

        await bench.push("payment", content("payment"))

        assert (await _flags(bench), (await bench.case()).status) == ("", "matched")

    async def test_a_case_that_waits_again_later_can_be_late_again(self, bench: Any, content: Any) -> None:
        await bench.match()
        bench.later(80 * HOUR)
        await _tend(bench)

        await bench.push("payment", content("payment", appType="3", appTime="20240312100000"))
        bench.later(25 * HOUR)
        await _tend(bench)

        assert await _flags(bench) == "late"

    @pytest.mark.parametrize("changes", [{"acturalPaid": "1.00"}, {}])
    async def test_a_case_that_waits_for_nothing_is_never_late(self, bench: Any, content: Any, changes: Any) -> None:
        for kind in ("goods", "transport", "payment", "waybill"):
            await bench.push(kind, content(kind))
        await bench.push("order", content("order", **changes))

        bench.later(100 * HOUR)
        await _tend(bench)

        assert await _flags(bench) == ""

    async def test_a_deleted_order_is_not_waited_for(self, bench: Any, content: Any) -> None:
        await bench.match()
        await bench.push("order", content("order", appType="3", appTime=LATER))

        bench.later(100 * HOUR)
        await _tend(bench)

        assert ((await bench.case()).status, await _flags(bench)) == ("withdrawn", "")


class TestHelped:
    async def test_a_goods_record_helps_every_case_that_waits_for_it(self, bench: Any, content: Any) -> None:
        for number in (1, 2, 3):
            for kind in ("order", "payment", "waybill"):
                await bench.push(kind, content(kind, number))
        await bench.push("transport", content("transport"))
        await _tend(bench)

        await bench.push("goods", content("goods"))
        counts = await _tend(bench)

        assert [(await bench.case(number)).status for number in (1, 2, 3)] == ["matched"] * 3
        assert counts == [3]

    async def test_a_changed_record_helps_a_case_it_did_not_fit(self, bench: Any, content: Any) -> None:
        await bench.push("goods", content("goods", unit="011"))
        for kind in ("transport", "order", "payment", "waybill"):
            await bench.push(kind, content(kind))

        await bench.push("goods", content("goods", appType="2", appTime=LATER))
        await _tend(bench)

        assert (await bench.case()).status == "matched"

    async def test_a_change_that_does_not_help_is_looked_at_once(self, bench: Any, content: Any) -> None:
        await bench.push("goods", content("goods", unit="011"))
        for kind in ("transport", "order", "payment", "waybill"):
            await bench.push(kind, content(kind))

        await bench.push("goods", content("goods", unit="011", appType="2", appTime=LATER, gname="奶粉"))

        assert len(await _tend(bench)) <= 1

    @pytest.mark.parametrize("kind", ["goods", "transport"])
    async def test_a_deleted_reference_is_looked_at_once(self, bench: Any, content: Any, kind: str) -> None:
        for each in ("goods", "transport", "order", "payment"):
            await bench.push(each, content(each))
        await bench.push(kind, content(kind, appType="3", appTime="20240310093000"))
        await bench.push("waybill", content("waybill"))

        assert len(await _tend(bench)) <= 1
        assert f"{kind}-known" in await bench.findings()

    async def test_a_reference_that_comes_again_after_its_delete_helps(self, bench: Any, content: Any) -> None:
        for each in ("transport", "order", "payment", "waybill", "goods"):
            await bench.push(each, content(each))
        await bench.push("goods", content("goods", appType="3", appTime="20240310093000"))
        await _tend(bench)

        await bench.push("goods", content("goods", appTime="20240310094000"))
        await _tend(bench)

        assert (await bench.case()).status == "matched"

    async def test_a_changed_reference_reconciles_what_is_matched_and_still_at_home(
        self, bench: Any, content: Any
    ) -> None:
        await bench.match()

        await bench.push("goods", content("goods", appType="2", appTime=LATER, unit="011"))
        await _tend(bench)

        assert (await bench.case()).verdict == "discrepant"
        assert set((await bench.states()).values()) == {"blocked"}

    async def test_what_was_declared_is_not_looked_at_again(self, bench: Any, content: Any) -> None:
        await bench.match()
        await bench.released()
        before = await bench.rows("SELECT * FROM ledger")

        await bench.push("goods", content("goods", appType="2", appTime=LATER, unit="011"))
        await _tend(bench)

        assert await bench.rows("SELECT * FROM ledger") == before


class TestAgain:
    @pytest.fixture
    def code(self) -> str:
        """A refusal of an order that blames the system."""
        return next(
            rung.code for rung in ladder("CEB622Message") if rung.retry == "resend" and rung.code.startswith("-")
        )

    @pytest.fixture
    async def refused(self, bench: Any, code: str) -> Any:
        """A case whose inventory was refused by a fault of the system."""
        await bench.match()
        await bench.accepted()
        await bench.dispatch()
        bench.later(MINUTE)
        await bench.answered("621", code)
        return bench

    async def test_it_is_declared_again_after_the_pause_saying_the_same(self, refused: Any) -> None:
        await _tend(refused)
        too_early = await refused.dispatch()
        refused.later(31 * MINUTE)
        await _tend(refused)
        await refused.dispatch()

        first, second = await refused.attempts("621")
        one, other = (node["InventoryHead"] for node in refused.nodes("621"))
        assert too_early == 0
        assert (first.state, second.state, second.attempt) == ("refused", "sent", 2)
        assert (first.cop_no, first.digest) == (second.cop_no, second.digest)
        assert first.guid != second.guid
        changing = {"guid", "appTime", "declTime"}
        assert {n: v for n, v in one.items() if n not in changing} == {
            n: v for n, v in other.items() if n not in changing
        }

    async def test_only_as_often_as_the_e_port_allows(self, refused: Any, code: str) -> None:
        for _ in range(6):
            refused.later(31 * MINUTE)
            await _tend(refused)
            await refused.dispatch()
            refused.later(MINUTE)
            await refused.answered("621", code)

        assert [row.attempt for row in await refused.attempts("621")] == [1, 2, 3]

    async def test_it_counts_against_the_quota_again(self, refused: Any) -> None:
        given_back = (await refused.rows("SELECT amount FROM quota"))[0].amount
        refused.later(31 * MINUTE)
        await _tend(refused)
        await refused.dispatch()
        refused.later(MINUTE)
        await refused.answered("621", "800")

        assert (given_back, (await refused.rows("SELECT amount FROM quota"))[0].amount) == (0, 32_600_000)

    async def test_not_when_the_order_was_deleted_meanwhile(self, refused: Any, content: Any) -> None:
        await refused.push("order", content("order", appType="3", appTime=LATER))

        refused.later(31 * MINUTE)
        await _tend(refused)
        await refused.dispatch()

        assert len(refused.nodes("621")) == 1

    async def test_not_when_the_case_no_longer_matches(self, refused: Any, content: Any) -> None:
        await refused.push("payment", content("payment", appType="3", appTime=LATER))

        refused.later(31 * MINUTE)
        await _tend(refused)
        await refused.dispatch()

        assert len(refused.nodes("621")) == 1

    async def test_not_when_a_corrected_attempt_went_meanwhile(self, refused: Any, content: Any) -> None:
        await refused.push("order", content("order", appType="2", appTime=LATER, buyerTelephone="13900000033"))
        refused.later(31 * MINUTE)
        for _ in range(2):
            await refused.dispatch()
            for message in ("311",):
                await refused.answered(message, "120")
        await _tend(refused)
        await refused.dispatch()

        assert [row.attempt for row in await refused.attempts("621")] == [1, 2]

    async def test_a_held_case_waits_and_goes_when_it_is_lifted(self, refused: Any) -> None:
        await refused.hold(on=True)
        refused.later(31 * MINUTE)
        await _tend(refused)
        while_held = await refused.dispatch()

        await refused.hold(on=False)
        refused.later(31 * MINUTE)
        await _tend(refused)
        await refused.dispatch()

        assert (while_held, len(refused.nodes("621"))) == (0, 2)

    async def test_an_answer_that_came_meanwhile_counts(self, refused: Any) -> None:
        (row,) = await refused.attempts("621")
        refused.answer("622", [refused.receipt(row, "120", refused.now + MINUTE)])
        await refused.receive()

        refused.later(31 * MINUTE)
        await _tend(refused)
        await refused.dispatch()

        assert len(refused.nodes("621")) == 1


class TestSilence:
    async def test_a_message_never_answered_goes_again_after_its_time(self, bench: Any) -> None:
        await bench.match()
        await bench.dispatch()
        sent = list(bench.wire.sent)

        bench.later(23 * HOUR)
        early = (await _tend(bench), await bench.dispatch())
        bench.later(2 * HOUR)
        await _tend(bench)
        flags = await _flags(bench)
        await bench.dispatch()

        assert early == ([], 0)
        assert "uncertain" in flags
        assert sorted(bench.wire.sent[3:]) == sorted(sent)

    async def test_an_answered_message_is_never_sent_again(self, bench: Any) -> None:
        await bench.match()
        await bench.accepted()

        bench.later(1000 * HOUR)
        await _tend(bench)
        await bench.dispatch()

        assert sorted(bench.types()) == ["311", "411", "511", "621"]

    async def test_at_last_it_is_left_to_a_person(self, bench: Any) -> None:
        await bench.match()
        for _ in range(8):
            await bench.dispatch()
            bench.later(25 * HOUR)
            await _tend(bench)

        assert len(bench.wire.sent) == 9
        assert "uncertain" in await _flags(bench)


class TestSeals:
    async def test_a_seal_is_made_on_time_in_the_store_and_in_the_file(self, bench: Any) -> None:
        await bench.match()
        tend = bench.tend()

        for minutes in (4, 2):
            bench.later(minutes * MINUTE)
            await tend.run()

        seals = await bench.rows("SELECT id, at, root, signature FROM seals")
        assert [(row.id, row.at) for row in seals] == [(1, bench.now)]
        (written,) = bench.seal_key.written()
        assert (written.number, written.root, written.signature) == (1, seals[0].root, seals[0].signature)

    async def test_nothing_new_is_not_sealed_again(self, bench: Any) -> None:
        await bench.match()

        assert [await bench.tend().seal() for _ in range(3)] == [True, False, False]

    async def test_a_seal_covers_the_cases_that_went_on_and_chains_to_the_last(self, bench: Any) -> None:
        await bench.match(1)
        await bench.match(2)
        await bench.tend().seal()
        await bench.match(3)
        await bench.tend().seal()

        heads = await bench.rows("SELECT seal_id, count(*) AS cases FROM seal_heads GROUP BY seal_id ORDER BY seal_id")
        first, second = bench.seal_key.written()
        assert [row.cases for row in heads] == [2, 1]
        assert first.previous != second.previous

    async def test_a_seal_that_a_crash_kept_from_the_file_is_written_with_the_next(
        self, bench: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await bench.match(1)
        tend = bench.tend()
        monkeypatch.setattr(tend._seal_key, "write", _fail)
        with pytest.raises(OSError, match="disk"):
            await tend.seal()

        await bench.match(2)
        await bench.tend().seal()

        assert [each.number for each in bench.seal_key.written()] == [1, 2]

    async def test_it_is_written_though_no_case_goes_on_any_more(
        self, bench: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await bench.match()
        tend = bench.tend()
        monkeypatch.setattr(tend._seal_key, "write", _fail)
        with pytest.raises(OSError, match="disk"):
            await tend.seal()

        await bench.tend().seal()

        assert [each.number for each in bench.seal_key.written()] == [1]
        assert [each async for each in verify_ledger(bench.database, bench.seal_key, Progress())] == []

    async def test_a_line_cut_by_a_crash_does_not_hide_the_seals_after_it(self, bench: Any) -> None:
        await bench.match(1)
        await bench.tend().seal()
        with bench.seals.open("a", encoding="utf-8") as file:
            file.write('{"seal": 2, "at": 17')
        await bench.match(2)
        await bench.tend().seal()
        await bench.match(3)
        await bench.tend().seal()

        assert [each.number for each in bench.seal_key.written()] == [1, 2, 3]


def _fail(*_: object) -> None:
    raise OSError("disk")


async def test_a_round_without_anything_to_do_does_nothing(bench: Any) -> None:
    assert await bench.tend().run() == 0


async def test_a_thing_that_cannot_be_done_does_not_come_up_for_ever(bench: Any) -> None:
    async with bench.database.transaction() as transaction:
        await add_due(transaction, [(Due("late", 999), 1), (Due("again", 999), 1), (Due("resend", 999), 1)])

    assert len(await _tend(bench)) <= 1
