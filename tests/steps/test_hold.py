"""Hold and lift: what an officer keeps back, and lets go."""

import json
from typing import Any


async def test_a_held_case_is_not_declared_until_it_is_lifted(bench: Any) -> None:
    await bench.match()

    assert await bench.hold(on=True)
    held = (await bench.dispatch(), set((await bench.states()).values()), (await bench.case()).flags)
    assert await bench.hold(on=False)
    await bench.dispatch()

    assert held == (0, {"blocked"}, "held")
    assert sorted(bench.types()) == ["311", "411", "511"]
    assert (await bench.case()).flags == ""


async def test_doing_it_twice_changes_nothing_the_second_time(bench: Any) -> None:
    await bench.match()

    assert [await bench.hold(on=on) for on in (False, True, True, False, False)] == [False, True, False, True, False]


async def test_what_has_left_the_house_is_not_called_back(bench: Any) -> None:
    await bench.match()
    await bench.dispatch()

    await bench.hold(on=True)

    assert await bench.states() == {"311": "sent", "411": "sent", "511": "sent", "621": "blocked"}


async def test_receipts_still_move_a_held_case_but_release_nothing(bench: Any) -> None:
    await bench.match()
    await bench.dispatch()
    await bench.hold(on=True)
    bench.later(60_000)

    for message in ("311", "411", "511"):
        await bench.answered(message, "120")
    held = (await bench.states())["621"]
    await bench.hold(on=False)

    assert (held, (await bench.states())["621"]) == ("blocked", "ready")


async def test_lifting_lets_go_only_what_may_go(bench: Any) -> None:
    await bench.match()
    await bench.hold(on=True)

    await bench.hold(on=False)

    assert await bench.states() == {"311": "ready", "411": "ready", "511": "ready", "621": "blocked"}


async def test_a_hold_survives_a_change_of_the_documents(bench: Any, content: Any) -> None:
    await bench.match()
    await bench.hold(on=True)

    await bench.push("order", content("order", appType="2", appTime="20240309093000", note="改"))

    assert ((await bench.case()).flags, await bench.dispatch()) == ("held", 0)


async def test_it_is_in_the_ledger_and_published(bench: Any) -> None:
    await bench.match()

    await bench.hold(on=True)
    await bench.hold(on=False)

    entries = [json.loads(row.body) for row in await bench.rows("SELECT body FROM ledger ORDER BY seq")]
    results = [json.loads(row.body) for row in await bench.rows("SELECT body FROM results ORDER BY id")]
    assert [(each["kind"], each["actor"], each["role"], each["reason"]) for each in entries[-2:]] == [
        ("held", "officer", "operator", "检查"),
        ("lifted", "officer", "operator", "检查"),
    ]
    assert [each["flags"] for each in results[-2:]] == [["held"], []]


async def test_a_waiting_case_can_be_held_before_anything_is_planned(bench: Any, content: Any) -> None:
    await bench.push("order", content("order"))

    await bench.hold(on=True)
    for kind in ("goods", "transport", "payment", "waybill"):
        await bench.push(kind, content(kind))

    assert await bench.dispatch() == 0
    assert (await bench.case()).status == "matched"
