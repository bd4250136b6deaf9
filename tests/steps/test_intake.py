"""Intake: what becomes of deliveries, what is answered, and that nothing acknowledged is lost."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import permutations
from sqlite3 import OperationalError as Locked
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from tongguan.gateway.steps.intake import Answered
from tongguan.gateway.store.database import Statement
from tongguan.gateway.submissions import Pushed
from tongguan.messages.documents.answers import Answer
from tongguan.messages.faults import fault_kinds

LATER = "20240309093000"
_ANY_DOCUMENT = Statement("SELECT id FROM documents")


def _said(answered: Answered) -> list[str]:
    return [each.outcome for each in answered.answer.documents]


class TestOutcomes:
    async def test_a_triple_and_its_references_match(self, bench: Any) -> None:
        await bench.match()

        case = await bench.case()
        assert (case.status, case.verdict, case.eport, case.party) == ("matched", "matched", "hangzhou-9610", "youxuan")
        assert await bench.states() == {"311": "ready", "411": "ready", "511": "ready", "621": "blocked"}

    @pytest.mark.parametrize("order", list(permutations(["order", "payment", "waybill", "goods", "transport"]))[::13])
    async def test_any_order_of_arrival_ends_the_same(self, bench: Any, content: Any, order: tuple[str, ...]) -> None:
        for kind in order:
            await bench.push(kind, content(kind))
        while await bench.tend().run():
            continue

        assert (await bench.case()).verdict == "matched"
        assert await bench.findings() == []

    async def test_every_outcome_is_answered_with_its_fault(self, bench: Any, content: Any) -> None:
        await bench.push("order", content("order"), content("order", 2))
        sent = [
            content("order"),
            content("order", appType="2", appTime=LATER, note="改"),
            content("order", note="另"),
            content("order", 2, appTime="20240301000000", note="旧"),
            content("order", 2, note="同时"),
            content("order", 3, appType="2"),
            content("order", 4, buyerIdType="9"),
        ]

        answered = await bench.push("order", *sent)

        assert _said(answered) == ["duplicate", "taken", "stale", "stale", "conflict", "rejected", "rejected"]
        codes = [[fault.code for fault in each.faults] for each in answered.answer.documents]
        assert codes[:6] == [
            [],
            [],
            ["document-stale"],
            ["document-stale"],
            ["document-same-time"],
            ["document-unknown"],
        ]
        assert [each.index for each in answered.answer.documents] == list(range(7))

    async def test_an_answer_is_the_one_the_contract_describes(self, bench: Any, content: Any) -> None:
        answered = await bench.push("order", content("order"), content("order", 2, qty="1"))

        again = Answer.model_validate_json(answered.answer.as_json())
        assert again == answered.answer
        assert again.documents[0].key == ("3301969T01", "GX0000000001")
        assert again.documents[0].case is not None
        assert again.documents[0].case.order_no == "GX0000000001"

    async def test_an_answer_repeats_no_personal_value(self, bench: Any, content: Any) -> None:
        answered = await bench.push("order", content("order"), content("order", 2, buyerIdNumber="9" * 99, x="章春苗"))

        text = answered.answer.as_json().decode()
        for value in ("章春苗", "990101198802140011", "9" * 20, "13900000021", "听涛路"):
            assert value not in text

    async def test_what_was_not_taken_is_kept_with_its_bytes(self, bench: Any, content: Any) -> None:
        await bench.push("order", content("order"), content("order", 2, x="1"), content("order", note="另"))

        rows = await bench.rows("SELECT outcome, kind, key, faults, content FROM rejections ORDER BY id")
        kept = [json.loads(bench.sealer.open(row.content)) for row in rows]
        assert [(row.outcome, row.kind) for row in rows] == [("rejected", "order"), ("conflict", "order")]
        assert [each["orderNo"] for each in kept] == ["GX0000000002", "GX0000000001"]
        assert kept[0]["x"] == "1"
        assert all("章春苗".encode() not in row.content for row in rows)

    @pytest.mark.parametrize(
        ("key", "body", "code"),
        [
            ("import.order", b"{", "document-unreadable"),
            ("import.order", b"[]", "document-none"),
            ("import.orders", b"{}", "document-kind"),
            ("export.order", b"{}", "delivery-routing-key"),
            ("ceb", b"<a/>", "schema-root"),
            ("ceb", b"\xff", "xml-syntax"),
        ],
    )
    async def test_what_cannot_be_read_is_answered_and_kept(self, bench: Any, key: str, body: bytes, code: str) -> None:
        (answered,) = await bench.take(Pushed(key, "application/json", body, "youxuan", "c-1"))

        (row,) = await bench.rows("SELECT sender, routing_key, outcome, faults, content FROM rejections")
        assert code in fault_kinds()
        assert [each.code for each in answered.answer.faults][:1] in ([code], ["xml-encoding"], ["xml-bytes"])
        assert (answered.party, answered.answer.correlation_id) == ("youxuan", "c-1")
        assert (row.sender, row.routing_key, row.outcome) == ("youxuan", key, "rejected")
        assert bench.sealer.open(row.content) == body

    async def test_a_routing_key_of_any_length_is_kept(self, bench: Any) -> None:
        await bench.take(Pushed("x" * 5000, "application/json", b"{}"))

        (row,) = await bench.rows("SELECT routing_key FROM rejections")
        assert row.routing_key == "x" * 255

    async def test_documents_are_sealed_at_rest(self, bench: Any) -> None:
        await bench.match()

        rows = await bench.rows("SELECT content FROM document_versions UNION ALL SELECT content FROM declarations")
        stored = str(await bench.rows("SELECT * FROM documents")) + str(await bench.rows("SELECT * FROM cases"))
        stored += "".join(row.content.hex() for row in rows)
        for value in ("章春苗", "990101198802140011", "13900000021", "听涛路"):
            assert value not in stored
            assert value.encode().hex() not in stored
        assert len(rows) == 9


class TestDuplicates:
    async def test_a_duplicate_gets_the_first_answer_with_its_time_and_case(self, bench: Any, content: Any) -> None:
        await bench.push("order", content("order"))
        first_at = bench.now
        bench.later(60_000)

        (document,) = (await bench.push("order", content("order"))).answer.documents

        assert document.outcome == "duplicate"
        assert (document.first.at, document.first.outcome) == (first_at, "taken")
        assert document.first.case.order_no == "GX0000000001"

    async def test_a_waybill_gets_the_case_it_was_linked_to(self, bench: Any, content: Any) -> None:
        await bench.push("order", content("order"))
        (taken,) = (await bench.push("waybill", content("waybill"))).answer.documents
        (again,) = (await bench.push("waybill", content("waybill"))).answer.documents

        assert taken.case == again.case == again.first.case
        assert taken.case.scope == "3301969T01"

    async def test_the_second_of_two_in_one_delivery_is_a_duplicate_with_the_first_answer(
        self, bench: Any, content: Any
    ) -> None:
        answered = await bench.push("order", content("order"), content("order"))

        first, second = answered.answer.documents
        assert (first.outcome, second.outcome) == ("taken", "duplicate")
        assert second.first is not None
        assert second.case == first.case

    async def test_a_duplicate_changes_nothing(self, bench: Any, content: Any) -> None:
        await bench.match()
        tables = ("documents", "document_versions", "cases", "links", "findings", "declarations", "ledger", "results")
        before = [await bench.rows(f"SELECT * FROM {name}") for name in tables]
        bench.later(60_000)

        for kind in ("order", "payment", "waybill", "goods", "transport"):
            assert await bench.outcomes(kind, content(kind)) == ["duplicate"]

        assert [await bench.rows(f"SELECT * FROM {name}") for name in tables] == before


class TestBatches:
    async def test_one_bad_document_does_not_keep_its_neighbours_out(self, bench: Any, content: Any) -> None:
        outcomes = await bench.outcomes(
            "order", content("order"), content("order", 2, currency="14"), content("order", 3)
        )

        assert outcomes == ["taken", "rejected", "taken"]
        assert len(await bench.rows("SELECT id FROM cases")) == 2

    async def test_deliveries_of_a_batch_are_answered_each_on_its_own_in_order(self, bench: Any, content: Any) -> None:
        answered = await bench.take(
            bench.delivery("order", content("order"), party="youxuan"),
            Pushed("nonsense", "application/json", b"", "suda"),
            bench.delivery("payment", content("payment"), content("payment", 2), party="fubao"),
        )

        assert [_said(each) for each in answered] == [["taken"], [], ["taken", "taken"]]
        assert [each.party for each in answered] == ["youxuan", "suda", "fubao"]
        assert [bool(each.answer.faults) for each in answered] == [False, True, False]

    async def test_a_whole_case_may_come_in_one_batch(self, bench: Any, triples: Any) -> None:
        await bench.take(*(bench.delivery(kind, body) for kind, body in triples.contents().items()))

        assert (await bench.case()).verdict == "matched"

    async def test_an_order_and_its_change_in_one_batch_become_two_versions(self, bench: Any, content: Any) -> None:
        changed = content("order", appType="2", appTime=LATER, note="改")

        assert await bench.outcomes("order", content("order"), changed) == ["taken", "taken"]
        rows = await bench.rows("SELECT version FROM document_versions ORDER BY version")
        assert [row.version for row in rows] == [1, 2]
        assert (await bench.rows("SELECT version FROM documents"))[0].version == 2

    async def test_cases_of_a_batch_count_against_the_quota_in_the_order_they_came(
        self, bench: Any, triples: Any
    ) -> None:
        order = {
            "OrderList": [triples.content("order")["OrderList"][0] | {"price": "2490.00", "totalPrice": "4980.00"}]
        }
        amounts = {"goodsValue": "4980.00", "acturalPaid": "5019.67"}
        deliveries = [bench.delivery(kind, triples.content(kind)) for kind in ("goods", "transport")]
        for number in (6, 5, 4, 3, 2, 1):
            deliveries += [
                bench.delivery("waybill", triples.content("waybill", number)),
                bench.delivery("payment", triples.content("payment", number, amountPaid="5019.67")),
                bench.delivery("order", triples.content("order", number, **order, **amounts)),
            ]

        await bench.take(*deliveries)

        over = [number for number in range(1, 7) if "yearly-limit" in await bench.findings(number)]
        assert over == [1]

    async def test_a_transaction_that_lost_a_race_leaves_nothing_behind(
        self, bench: Any, content: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real, lost = bench.database.transaction, ["work"]

        @asynccontextmanager
        async def once_lost() -> AsyncIterator[Any]:
            async with real() as transaction:
                yield transaction
                if lost and await transaction.run(_ANY_DOCUMENT):
                    lost.pop()
                    raise OperationalError("COMMIT", {}, Locked("database is locked"))

        monkeypatch.setattr(bench.database, "transaction", once_lost)

        answered = await bench.push("order", content("order"), content("order", 2, x="1"))

        monkeypatch.undo()
        assert lost == []
        assert _said(answered) == ["taken", "rejected"]
        counts = [
            len(await bench.rows(f"SELECT * FROM {name}")) for name in ("documents", "document_versions", "rejections")
        ]
        assert counts == [1, 1, 1]


class TestSigned:
    async def test_a_signed_order_matches_and_keeps_its_bytes(self, bench: Any, triples: Any) -> None:
        pushed = bench.xml(triples.document("order"), signer="3301969T01")

        (answered,) = await bench.take(pushed)
        for kind in ("goods", "transport", "payment", "waybill"):
            await bench.push(kind, triples.content(kind))

        assert _said(answered) == ["taken"]
        assert (await bench.case()).verdict == "matched"
        (row,) = await bench.rows("SELECT state, members, content FROM messages")
        assert (row.state, row.members, bench.sealer.open(row.content)) == ("relay", 1, pushed.body)

    async def test_a_signed_message_is_taken_whole_or_not_at_all(self, bench: Any, triples: Any) -> None:
        await bench.push("order", triples.content("order", 2, note="另"))
        pushed = bench.xml(*(triples.document("order", number) for number in (1, 2, 3)), signer="3301969T01")

        (answered,) = await bench.take(pushed)

        assert _said(answered) == ["rejected", "conflict", "rejected"]
        assert [each.faults[0].code for each in answered.answer.documents] == [
            "delivery-relay-partial",
            "document-same-time",
            "delivery-relay-partial",
        ]
        assert len(await bench.rows("SELECT id FROM documents")) == 1
        assert await bench.rows("SELECT id FROM messages") == []

    async def test_after_a_signed_message_was_refused_its_documents_are_as_unknown_as_before(
        self, bench: Any, triples: Any
    ) -> None:
        await bench.push("order", triples.content("order", 2, note="另"))
        refused = bench.xml(*(triples.document("order", number) for number in (1, 2)), signer="3301969T01")

        answered = await bench.take(refused, bench.delivery("order", triples.content("order", 1, note="后来")))

        assert [_said(each) for each in answered] == [["rejected", "conflict"], ["taken"]]

    async def test_a_signed_message_that_comes_again_is_a_duplicate_and_kept_once(
        self, bench: Any, triples: Any
    ) -> None:
        pushed = bench.xml(triples.document("order"), triples.document("order", 2), signer="3301969T01")
        await bench.take(pushed)

        (answered,) = await bench.take(pushed)

        assert _said(answered) == ["duplicate", "duplicate"]
        assert len(await bench.rows("SELECT id FROM messages")) == 1


class TestCustomsXml:
    @pytest.mark.parametrize(
        ("first", "second"), [("taken", "rejected"), ("duplicate", "rejected"), ("rejected", "taken")]
    )
    async def test_the_bytes_of_a_message_are_kept_whichever_of_its_documents_is_not_taken(
        self, bench: Any, triples: Any, first: str, second: str
    ) -> None:
        orders = [
            triples.document("order", number, **_SPOILT.get(what, {})) for number, what in ((1, first), (2, second))
        ]
        if first == "duplicate":
            await bench.take(bench.xml(orders[0]))
        pushed = bench.xml(*orders)

        (answered,) = await bench.take(pushed)

        rows = await bench.rows("SELECT content FROM rejections")
        assert _said(answered) == [first, second]
        assert pushed.body in [bench.sealer.open(row.content) for row in rows]

    async def test_a_draft_completes_a_case_that_lacks_goods_and_transport(self, bench: Any, triples: Any) -> None:
        for kind in ("order", "payment", "waybill"):
            await bench.push(kind, triples.content(kind))

        await bench.take(bench.xml(triples.document("draft")))

        assert (await bench.case()).verdict == "matched"

    async def test_the_same_order_as_json_and_as_xml_is_one_document(self, bench: Any, triples: Any) -> None:
        plain = triples.document("order", logisticsCode=None, logisticsName=None, logisticsNo=None, tradeMode=None)
        body = {name: value for name, value in triples.content("order").items() if name not in _OURS}
        await bench.push("order", body)

        (answered,) = await bench.take(bench.xml(plain))

        assert _said(answered) == ["duplicate"]


_OURS = {"logisticsCode", "logisticsName", "logisticsNo", "tradeMode"}
_SPOILT = {"rejected": {"goodsValue": "1000000000000"}}


class TestSenders:
    @pytest.mark.parametrize(
        ("party", "kind", "expected"),
        [
            ("guanyi", "order", "guanyi"),
            (None, "order", "youxuan"),
            (None, "payment", "fubao"),
            (None, "waybill", "suda"),
            (None, "transport", "suda"),
            (None, "goods", "youxuan"),
        ],
    )
    async def test_answers_go_to_who_sent_it_else_to_whom_its_first_document_names(
        self, bench: Any, content: Any, party: str | None, kind: str, expected: str
    ) -> None:
        assert (await bench.push(kind, content(kind), party=party)).party == expected

    async def test_a_stranger_s_answers_go_to_nobody_in_particular(self, bench: Any, content: Any) -> None:
        assert (await bench.push("waybill", content("waybill", logisticsCode="9999999999"))).party == "unregistered"

    async def test_only_a_verified_sender_binds_a_waybill_to_its_platform(self, bench: Any, content: Any) -> None:
        unnamed = dict.fromkeys(("logisticsCode", "logisticsName", "logisticsNo"))
        for number in (1, 2):
            await bench.push("order", content("order", number, **unnamed))

        await bench.push("waybill", content("waybill", 1, consignee="乔望舒"), party="youxuan")
        await bench.push("waybill", content("waybill", 2, consignee="乔望舒"))

        assert "waybill-present" not in await bench.findings(1)
        assert "waybill-present" in await bench.findings(2)


class TestChanges:
    async def test_a_change_reconciles_the_case_again(self, bench: Any, content: Any) -> None:
        await bench.match()

        await bench.push("payment", content("payment", appType="2", appTime=LATER, amountPaid="1.00"))

        assert (await bench.case()).status == "discrepant"
        assert await bench.findings() == ["paid-is-charged"]
        assert set((await bench.states()).values()) == {"blocked"}

    async def test_a_deleted_order_withdraws_what_is_not_declared_yet(self, bench: Any, content: Any) -> None:
        await bench.match()

        await bench.push("order", content("order", appType="3", appTime=LATER))
        await bench.dispatch()

        assert (await bench.case()).status == "withdrawn"
        assert bench.wire.sent == []
        assert (await bench.rows("SELECT amount FROM quota"))[0].amount == 0

    async def test_a_merged_payment_links_every_order_in_whatever_batch_they_come(
        self, bench: Any, content: Any
    ) -> None:
        merged = {"payTransactionId": "FB0000000888"}
        await bench.push("order", content("order", 1, **merged))
        await bench.push("payment", content("payment", 2, amountPaid="711.34", **merged))
        await bench.push("order", content("order", 2, **merged))

        rows = await bench.rows(
            "SELECT order_no, basis, amount FROM links JOIN cases ON cases.id = case_id "
            "JOIN documents ON documents.id = document_id WHERE documents.kind = 'payment' ORDER BY order_no"
        )

        assert [tuple(row) for row in rows] == [
            ("GX0000000001", "transaction", 35_567_000),
            ("GX0000000002", "order number", 35_567_000),
        ]

    async def test_a_goods_record_found_by_an_old_bar_code_is_not_used(self, bench: Any, triples: Any) -> None:
        line = {n: v for n, v in triples.content("order")["OrderList"][0].items() if n != "itemNo"}
        await bench.push("goods", triples.content("goods"))
        await bench.push("goods", triples.content("goods", appType="2", appTime=LATER, barCode="2000000000099"))

        await bench.push("order", triples.content("order", OrderList=[line]))

        assert "goods-known" in await bench.findings()

    async def test_two_records_of_one_bar_code_are_not_guessed_between(self, bench: Any, triples: Any) -> None:
        line = {n: v for n, v in triples.content("order")["OrderList"][0].items() if n != "itemNo"}
        await bench.push(
            "goods", triples.content("goods"), triples.content("goods", itemNo="MILK-4-800", gcode="1901101010")
        )

        await bench.push("order", triples.content("order", OrderList=[line]))

        assert "goods-known" in await bench.findings()
