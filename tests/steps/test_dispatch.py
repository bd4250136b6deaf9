"""Dispatch: what becomes a message, what is done about one that could not be handed over, and what a crash leaves."""

import base64
import json
from itertools import pairwise
from typing import Any

import pytest
from lxml import etree

from tongguan.gateway.steps.dispatch import Dispatch
from tongguan.messages.reading import read

MINUTE, HOUR = 60_000, 3_600_000


async def _matched(bench: Any, count: int, mode: str = "9610", **order: Any) -> None:
    """So many matched cases."""
    content = bench.triples.content
    await bench.push("goods", content("goods", mode=mode))
    await bench.push("transport", content("transport", mode=mode))
    for kind in ("order", "payment", "waybill"):
        more = order if kind == "order" else {}
        for start in range(1, count + 1, 100):
            numbers = range(start, min(start + 100, count + 1))
            await bench.push(kind, *(content(kind, number, mode, **more) for number in numbers))


async def _messages(bench: Any) -> list[Any]:
    return await bench.rows(
        "SELECT id, message_type, file_name, state, sends, members, leased_until FROM messages ORDER BY id"
    )


class TestPacking:
    async def test_order_payment_and_waybill_go_first_each_in_its_own_message(self, bench: Any) -> None:
        await bench.match()

        assert await bench.dispatch() == 3

        assert sorted(bench.types()) == ["311", "411", "511"]
        assert await bench.states() == {"311": "sent", "411": "sent", "511": "sent", "621": "blocked"}
        assert (await bench.case()).status == "declaring"

    async def test_declarations_of_one_kind_share_a_message_of_at_most_a_hundred(self, bench: Any) -> None:
        await _matched(bench, 120)

        while await bench.dispatch():
            continue

        assert sorted(len(each.nodes) for each in bench.sent()) == [20, 20, 20, 100, 100, 100]

    async def test_every_declaration_is_sent_exactly_once(self, bench: Any) -> None:
        await _matched(bench, 120)

        for _ in range(5):
            await bench.dispatch()

        numbers = [node["OrderHead"]["orderNo"] for node in bench.nodes("311")]
        assert sorted(numbers) == [f"GX{number:010d}" for number in range(1, 121)]

    async def test_a_smaller_batch_makes_more_messages(self, bench: Any) -> None:
        bench.limit(batch=4)
        await _matched(bench, 10)

        while await bench.dispatch():
            continue

        assert sorted(len(each.nodes) for each in bench.sent()) == [2, 2, 2, 4, 4, 4, 4, 4, 4]

    async def test_a_message_never_has_more_bytes_than_the_e_port_takes(self, bench: Any) -> None:
        bench.limit(message_bytes_max=16 * 1024)
        bench.wire.bytes_max = 16 * 1024
        await _matched(bench, 30)

        for _ in range(20):
            await bench.dispatch()
            bench.later(10 * MINUTE)

        assert len(bench.nodes("311")) == len(bench.nodes("511")) == 30

    async def test_each_e_port_gets_its_own(self, bench: Any) -> None:
        await bench.match(1)
        await bench.match(2, "1210")

        await bench.dispatch()

        assert len(bench.sent("hangzhou-9610")) == len(bench.sent("zhengzhou-1210")) == 3

    async def test_a_message_is_stored_before_it_is_handed_over(self, bench: Any, benches: Any) -> None:
        await bench.match()
        seen: list[Any] = []

        async def look() -> None:
            seen.append(await bench.rows("SELECT state, sends FROM messages WHERE state = 'packed'"))

        bench.wire.on_send = look
        await bench.dispatch()

        assert [len(rows) for rows in seen] == [3, 3, 3]
        assert {(row.state, row.sends) for row in await _messages(bench)} == {("sent", 1)}

    async def test_what_was_sent_is_in_the_ledger(self, bench: Any) -> None:
        await bench.match()

        await bench.dispatch()

        entries = [json.loads(row.body) for row in await bench.rows("SELECT body FROM ledger ORDER BY seq")]
        sent = [each["declarations"] for each in entries if each["kind"] == "sent"]
        assert sorted(one["message"] for several in sent for one in several) == [
            "CEB311Message",
            "CEB411Message",
            "CEB511Message",
        ]

    async def test_the_bytes_in_the_store_are_those_handed_over_and_sealed(self, bench: Any) -> None:
        await bench.match()
        await bench.dispatch()

        rows = await bench.rows("SELECT file_name, content FROM messages")

        assert {row.file_name: bench.sealer.open(row.content) for row in rows} == dict(bench.wire.sent)
        assert all(b"CEB" not in bytes(row.content) for row in rows)

    async def test_nothing_ready_is_nothing_to_do(self, bench: Any) -> None:
        await bench.push("order", bench.triples.content("order"))

        assert (await bench.dispatch(), bench.wire.sent) == (0, [])


class TestLimits:
    async def test_no_more_messages_are_unanswered_than_the_e_port_allows(self, bench: Any) -> None:
        bench.limit(in_flight_max=2)
        await bench.match()

        for _ in range(5):
            await bench.dispatch()

        assert len(bench.wire.sent) == 2

    async def test_an_answer_makes_room_for_the_next(self, bench: Any) -> None:
        bench.limit(in_flight_max=1)
        await bench.match()
        await bench.dispatch()
        (first,) = bench.types()

        bench.later(MINUTE)
        await bench.answered(first, "2")
        await bench.dispatch()

        assert len(bench.wire.sent) == 2

    async def test_a_message_that_could_not_be_handed_over_counts(self, bench: Any, benches: Any) -> None:
        bench.limit(in_flight_max=1)
        await bench.match()
        bench.wire.troubles = [benches.NOT_SENT]

        for _ in range(3):
            await bench.dispatch()

        assert (len(bench.wire.sent), len(await _messages(bench))) == (0, 1)

    async def test_relayed_messages_count_too(self, bench: Any, triples: Any) -> None:
        bench.limit(in_flight_max=1)
        for number in (1, 2, 3):
            await bench.take(bench.xml(triples.document("order", number), signer="3301969T01", guid=f"0{number}"))
        for kind in ("goods", "transport"):
            await bench.push(kind, triples.content(kind))
        for number in (1, 2, 3):
            await bench.push("payment", triples.content("payment", number))
            await bench.push("waybill", triples.content("waybill", number))

        for _ in range(3):
            await bench.dispatch()

        assert len(bench.wire.sent) == 1

    async def test_no_faster_than_the_pace_of_the_signer(self, bench: Any, triples: Any) -> None:
        pace = type(bench.eports["hangzhou-9610"].pace)(messages=2, seconds=60)
        bench.change(pace=pace)
        bench.limit(batch=1)
        await _matched(bench, 5)
        dispatch, counts = Dispatch(bench.gateway), []
        for _ in range(3):
            for _ in range(3):
                await dispatch.run()
            counts.append(len(bench.wire.sent))
            bench.later(61_000)

        assert counts == [2, 4, 6]


class TestNotSent:
    async def test_it_is_tried_again_later_under_the_same_name_with_the_same_bytes(
        self, bench: Any, benches: Any
    ) -> None:
        await bench.match()
        bench.wire.troubles = [benches.NOT_SENT] * 3
        await bench.dispatch()
        kept = {row.file_name: bench.sealer.open(row.content) for row in await bench.rows("SELECT * FROM messages")}

        at_once = await bench.dispatch()
        bench.later(10 * MINUTE)
        await bench.dispatch()

        assert at_once == 0
        assert dict(bench.wire.sent) == kept
        assert set((await bench.states()).values()) == {"sent", "blocked"}

    async def test_every_pause_is_as_long_as_the_wait_so_far_up_to_a_limit(self, bench: Any, benches: Any) -> None:
        bench.limit(in_flight_max=1)
        await bench.match()
        bench.wire.troubles = [benches.NOT_SENT] * 100
        pauses: list[int] = []

        for _ in range(12):
            await bench.dispatch()
            (row,) = await _messages(bench)
            pauses.append(row.leased_until - bench.now)
            bench.now = row.leased_until

        assert pauses[0] == 2_000
        assert all(earlier <= later for earlier, later in pairwise(pauses))
        assert pauses[-1] == 5 * MINUTE

    async def test_it_was_never_sent_so_the_declaration_stays_packed_and_counts_no_send(
        self, bench: Any, benches: Any
    ) -> None:
        await bench.match()
        bench.wire.troubles = [benches.NOT_SENT] * 3

        await bench.dispatch()

        assert {row.sends for row in await _messages(bench)} == {0}
        assert set((await bench.states()).values()) == {"packed", "blocked"}

    async def test_a_duplicate_code_after_one_real_sending_is_a_refusal(self, bench: Any, benches: Any) -> None:
        await bench.match()
        bench.wire.troubles = [benches.NOT_SENT] * 3
        await bench.dispatch()
        bench.later(MINUTE)
        await bench.dispatch()
        bench.later(MINUTE)

        await bench.answered("311", "-301010")

        assert (await bench.states())["311"] == "refused"


class TestUncertain:
    @pytest.fixture
    async def doubted(self, bench: Any, benches: Any) -> Any:
        """Three messages whose hand-over ended in doubt."""
        await bench.match()
        bench.wire.troubles = [benches.UNCERTAIN] * 3
        await bench.dispatch()
        return bench

    async def test_its_case_is_flagged_until_it_is_answered(self, doubted: Any) -> None:
        assert (await doubted.case()).flags == "uncertain"
        assert set((await doubted.states()).values()) == {"uncertain", "blocked"}

        doubted.later(MINUTE)
        for message in ("311", "411", "511"):
            await doubted.answered(message, "120")

        assert (await doubted.case()).flags == ""

    async def test_it_is_not_sent_again_before_its_wait_is_over(self, doubted: Any) -> None:
        doubted.later(29 * MINUTE)
        for _ in range(2):
            await doubted.tend().run()
            await doubted.dispatch()

        assert len(doubted.wire.sent) == 3

    async def test_then_the_same_bytes_go_again_under_the_same_name(self, doubted: Any) -> None:
        doubted.later(31 * MINUTE)
        await doubted.tend().run()

        await doubted.dispatch()

        assert doubted.wire.sent[3:] == doubted.wire.sent[:3]
        assert {row.sends for row in await _messages(doubted)} == {2}
        assert set((await doubted.states()).values()) == {"sent", "blocked"}

    async def test_a_duplicate_code_then_proves_that_the_first_sending_arrived(self, doubted: Any) -> None:
        doubted.later(31 * MINUTE)
        await doubted.tend().run()
        await doubted.dispatch()
        doubted.later(MINUTE)

        for message, code in (("311", "-301010"), ("411", "-401007"), ("511", "-504015")):
            await doubted.answered(message, code)

        assert await doubted.states() == {"311": "received", "411": "received", "511": "received", "621": "ready"}

    async def test_what_was_answered_meanwhile_is_not_sent_again(self, doubted: Any) -> None:
        doubted.later(MINUTE)
        for message in ("311", "411", "511"):
            await doubted.answered(message, "120")
        doubted.later(31 * MINUTE)

        await doubted.tend().run()
        await doubted.dispatch()

        assert [each.message_type[3:6] for each in doubted.sent()][3:] == ["621"]

    async def test_after_its_attempts_it_is_left_to_a_person(self, doubted: Any, benches: Any) -> None:
        doubted.wire.troubles = [benches.UNCERTAIN] * 100
        for _ in range(8):
            doubted.later(31 * MINUTE)
            await doubted.tend().run()
            await doubted.dispatch()

        assert {(row.state, row.sends) for row in await _messages(doubted)} == {("unanswered", 3)}
        assert (await doubted.case()).flags == "uncertain"


class TestCrashes:
    async def test_after_a_crash_between_packing_and_sending_the_same_message_goes_later(
        self, bench: Any, benches: Any
    ) -> None:
        await bench.match()
        bench.wire.on_send = _die

        with pytest.raises(_CrashError):
            await bench.dispatch()
        bench.wire.on_send = None
        before = {row.file_name for row in await _messages(bench)}
        bench.remade()
        at_once = (await bench.tend().run(), await bench.dispatch())
        bench.later(3 * MINUTE)
        await bench.tend().run()
        while_in_doubt = {row.state for row in await _messages(bench)}
        too_early = await bench.dispatch()
        bench.later(31 * MINUTE)
        await bench.tend().run()
        await bench.dispatch()

        assert (at_once, too_early, while_in_doubt) == ((0, 0), 0, {"uncertain"})
        assert {name for name, _ in bench.wire.sent} == before
        assert {row.sends for row in await _messages(bench)} == {2}
        assert len({data for _, data in bench.wire.sent}) == 3

    async def test_a_receipt_that_is_quicker_than_the_second_transaction_counts(self, bench: Any) -> None:
        await bench.match()

        async def at_once() -> None:
            message = read(bench.wire.sent[-1][1]).message_type[3:6]
            await bench.answered(message, "120")

        bench.later(1)
        bench.wire.on_send = at_once
        await bench.dispatch()
        bench.wire.on_send = None

        assert await bench.states() == {"311": "accepted", "411": "accepted", "511": "accepted", "621": "ready"}
        assert {row.state for row in await _messages(bench)} == {"answered"}
        bench.later(48 * HOUR)
        await bench.tend().run()
        await bench.dispatch()
        assert sorted(bench.types()) == ["311", "411", "511", "621"]


class _CrashError(Exception):
    """The process dies."""


async def _die() -> None:
    raise _CrashError


_OVERLONG = {
    "OrderList": [
        {
            "gnum": 1, "itemNo": "MILK-3-800", "itemName": "奶粉", "gmodel": "罐", "unit": "122",
            "qty": "1000000000", "price": "0", "totalPrice": "0", "currency": "142", "country": "601",
        }
    ],
    "goodsValue": "0",
    "acturalPaid": "39.67",
}  # fmt: skip


class TestInvalid:
    @pytest.fixture
    async def invalid(self, bench: Any, content: Any) -> Any:
        """A case whose inventory customs would refuse by its schema, and a clean one beside it, both ready."""
        await bench.match(1)
        light = {"qty1": "10000000000", "netWeight": "0.00001", "itemNo": "HEAVY"}
        await bench.push("goods", content("goods", **light))
        order = {**_OVERLONG, "OrderList": [_OVERLONG["OrderList"][0] | {"itemNo": "HEAVY"}]}
        await bench.push("order", content("order", 2, **order))
        await bench.push("payment", content("payment", 2, amountPaid="39.67"))
        await bench.push("waybill", content("waybill", 2, weight="20000"))
        assert await bench.findings(2) == []
        for number in (1, 2):
            await bench.accepted(number)
        return bench

    async def test_it_is_shown_on_its_case_and_the_others_go(self, invalid: Any) -> None:
        for _ in range(3):
            await invalid.dispatch()

        body = json.loads((await invalid.rows("SELECT body FROM results ORDER BY id DESC"))[0].body)
        assert (await invalid.case(2)).verdict == "discrepant"
        assert (body["case"]["orderNo"], body["kind"]) == ("GX0000000002", "ask-for-correction")
        assert await invalid.findings(2) == ["declaration-invalid"]
        assert (await invalid.states(1))["621"] == "sent"
        assert (await invalid.states(2))["621"] == "blocked"
        assert len(invalid.nodes("621")) == 1

    async def test_where_the_schema_refuses_it_is_said_and_nothing_of_what_stands_there(self, invalid: Any) -> None:
        await invalid.dispatch()

        (row,) = await invalid.rows("SELECT body FROM findings WHERE rule = 'declaration-invalid'")
        assert json.loads(row.body)["left"]["value"].endswith("InventoryList[1]/qty1")
        assert "10000000000" not in row.body

    async def test_it_does_not_come_up_again_by_itself(self, invalid: Any) -> None:
        for _ in range(3):
            await invalid.dispatch()
            await invalid.tend().run()

        assert await invalid.dispatch() == 0
        assert await invalid.findings(2) == ["declaration-invalid"]

    async def test_a_corrected_document_lets_it_go(self, invalid: Any, content: Any) -> None:
        await invalid.dispatch()
        order = {**_OVERLONG, "OrderList": [_OVERLONG["OrderList"][0] | {"qty": "1"}]}

        await invalid.push("order", content("order", 2, appType="2", appTime="20240309100500", **order))
        invalid.later(10 * MINUTE)
        await invalid.dispatch()
        await invalid.answered("311", "120", 2)
        await invalid.dispatch()

        assert (await invalid.states(2))["621"] == "sent"


class TestRelayed:
    @pytest.fixture
    async def signed(self, bench: Any, triples: Any) -> Any:
        """Two orders in one signed message, of which the first case is matched."""
        pushed = bench.xml(*(triples.document("order", number) for number in (1, 2)), signer="3301969T01")
        for kind in ("goods", "transport"):
            await bench.push(kind, triples.content(kind))
        await bench.take(pushed)
        await bench.push("payment", triples.content("payment", 1))
        await bench.push("waybill", triples.content("waybill", 1))
        bench.original = pushed.body
        return bench

    async def test_it_waits_until_every_document_in_it_may_be_declared(self, signed: Any) -> None:
        await signed.dispatch()

        assert "311" not in signed.types()

    async def test_then_it_goes_byte_for_byte_in_the_envelope_of_the_e_port(self, signed: Any, triples: Any) -> None:
        await signed.push("payment", triples.content("payment", 2))
        await signed.push("waybill", triples.content("waybill", 2))

        for _ in range(2):
            await signed.dispatch()

        (data,) = [data for name, data in signed.wire.sent if name.startswith("CEB311")]
        assert base64.b64decode(etree.fromstring(data).findtext("{*}Data") or "") == signed.original

    async def test_its_receipts_are_matched_like_any(self, signed: Any, triples: Any) -> None:
        await signed.push("payment", triples.content("payment", 2))
        await signed.push("waybill", triples.content("waybill", 2))
        for _ in range(2):
            await signed.dispatch()
        signed.later(MINUTE)

        await signed.answered("311", "120", 2)

        assert (await signed.states(1))["311"] == "sent"
        assert (await signed.states(2))["311"] == "accepted"

    async def test_a_document_changed_by_other_means_is_not_relayed_as_it_was(self, signed: Any, triples: Any) -> None:
        await signed.push("payment", triples.content("payment", 2))
        await signed.push("waybill", triples.content("waybill", 2))

        await signed.push("order", triples.content("order", 1, appType="2", appTime="20240309093000", note="改"))
        for _ in range(2):
            await signed.dispatch()

        heads = [node["OrderHead"] for node in signed.nodes("311") if node["OrderHead"]["orderNo"] == "GX0000000001"]
        assert [head.get("note") for head in heads] == ["改"]
