"""Receive: each kind of answer finds its declaration and moves it; what finds nothing is kept and shown."""

import json
from typing import Any

import pytest

from tongguan.adapters.transport import Unavailable
from tongguan.gateway import ids
from tongguan.messages.codec import load_codec
from tongguan.messages.faults import fault
from tongguan.messages.xml import serialise

MINUTE = 60_000


async def _standings(bench: Any) -> list[tuple[str, str]]:
    rows = await bench.rows("SELECT status, standing FROM receipts ORDER BY id")
    return [(row.status, row.standing) for row in rows]


def _message(code: str, **content: Any) -> bytes:
    return serialise(load_codec().encode(code, {"@guid": "0E" + "0" * 34, "@version": "1.0", **content}))


@pytest.fixture
async def declared(bench: Any) -> Any:
    """A matched case whose order, payment and waybill were sent a minute ago."""
    await bench.match()
    await bench.dispatch()
    bench.later(MINUTE)
    return bench


@pytest.fixture
async def inventory(declared: Any) -> Any:
    """The same case with its inventory sent too."""
    for message in ("311", "411", "511"):
        await declared.answered(message, "120")
    await declared.dispatch()
    declared.later(MINUTE)
    return declared


class TestReceipts:
    @pytest.mark.parametrize("message", ["311", "411", "511"])
    @pytest.mark.parametrize(("status", "state"), [("2", "received"), ("120", "accepted"), ("-999999", "refused")])
    async def test_each_kind_moves_its_own_declaration(
        self, declared: Any, message: str, status: str, state: str
    ) -> None:
        await declared.answered(message, status)

        states = await declared.states()
        assert states.pop(message) == state
        assert set(states.values()) == {"sent", "blocked"}

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("1", "declaring"), ("3", "declaring"), ("120", "accepted"), ("300", "reviewing"), ("399", "decided"),
            ("500", "inspecting"), ("501", "detained"), ("600", "suspended"), ("700", "sent_back"),
            ("800", "released"), ("899", "closed"), ("100", "refused"),
        ],
    )  # fmt: skip
    async def test_the_inventory_s_receipt_moves_the_case(self, inventory: Any, status: str, state: str) -> None:
        await inventory.answered("621", status, preNo="P1", invtNo="I1")

        (row,) = await inventory.attempts("621")
        assert (await inventory.case()).status == state
        assert (row.status, row.pre_no, row.invt_no) == (status, "P1", "I1")

    async def test_the_inventory_goes_when_the_last_of_what_it_waits_for_has_arrived(self, declared: Any) -> None:
        seen = []
        for message in ("411", "511", "311"):
            await declared.answered(message, "2")
            seen.append((await declared.states())["621"])

        assert seen == ["blocked", "blocked", "ready"]

    async def test_many_returns_in_one_message_each_find_their_own(self, bench: Any) -> None:
        for number in (1, 2, 3):
            await bench.match(number)
        await bench.dispatch()
        bench.later(MINUTE)
        rows = [(await bench.attempts("311", number))[0] for number in (1, 2, 3)]

        bench.answer("312", [bench.receipt(row, status) for row, status in zip(rows, ("120", "2", "100"), strict=True)])
        await bench.receive()

        states = [(await bench.states(number))["311"] for number in (1, 2, 3)]
        assert states == ["accepted", "received", "refused"]

    async def test_several_of_one_declaration_in_one_look_end_at_the_newest(self, inventory: Any) -> None:
        (row,) = await inventory.attempts("621")
        for minutes, status in ((3, "800"), (1, "2"), (2, "120")):
            at = inventory.now + minutes * MINUTE
            inventory.answer("622", [inventory.receipt(row, status, at)])

        await inventory.receive()

        assert (await inventory.case()).status == "released"
        bodies = [json.loads(row.body) for row in await inventory.rows("SELECT body FROM results ORDER BY id")]
        assert [each["status"] for each in bodies][-2:] == ["accepted", "released"]

    async def test_a_result_tells_the_receipt_behind_it(self, inventory: Any) -> None:
        await inventory.answered("621", "800", preNo="P1", invtNo="I1", info="[Code:2600;Desc:放行]")

        body = json.loads((await inventory.rows("SELECT body FROM results ORDER BY id DESC"))[0].body)
        assert (body["status"], body["previousStatus"], body["kind"]) == ("released", "declaring", "status")
        assert (body["receipt"]["message"], body["receipt"]["code"]) == ("CEB622Message", "800")
        assert body["numbers"] == {
            "copNo": (await inventory.attempts("621"))[0].cop_no,
            "preNo": "P1",
            "invtNo": "I1",
        }

    async def test_refused_by_customs_gives_back_the_quota(self, inventory: Any) -> None:
        await inventory.answered("621", "100")

        assert [row.amount for row in await inventory.rows("SELECT amount FROM quota")] == [0]

    async def test_a_later_attempt_is_answered_apart_from_the_first(self, declared: Any, content: Any) -> None:
        await declared.answered("311", "100")
        changed = content("order", appType="2", appTime="20240309100500", note="改")
        await declared.push("order", changed)
        declared.later(MINUTE)
        await declared.dispatch()
        first, second = await declared.attempts("311")

        declared.answer("312", [declared.receipt(second, "120", declared.now + MINUTE)])
        declared.answer("312", [declared.receipt(first, "4", first.packed_at + 1)])
        await declared.receive()

        first, second = await declared.attempts("311")
        assert (second.state, second.status) == ("accepted", "120")
        assert (first.state, first.status) == ("refused", "100")


class TestStandings:
    async def test_a_late_one_is_kept_and_moves_nothing(self, inventory: Any) -> None:
        (row,) = await inventory.attempts("621")
        await inventory.answered("621", "800")

        inventory.answer("622", [inventory.receipt(row, "120", inventory.now - 30_000)])
        await inventory.receive()

        assert (await _standings(inventory))[-1] == ("120", "late")
        assert (await inventory.case()).status == "released"

    async def test_the_same_again_in_another_file_is_doubled(self, inventory: Any) -> None:
        (row,) = await inventory.attempts("621")
        for _ in range(2):
            inventory.answer("622", [inventory.receipt(row, "120")])
            await inventory.receive()

        assert (await _standings(inventory))[-2:] == [("120", "applied"), ("120", "doubled")]

    async def test_the_same_again_in_one_look_is_doubled(self, inventory: Any) -> None:
        (row,) = await inventory.attempts("621")
        for _ in range(2):
            inventory.answer("622", [inventory.receipt(row, "120")])

        await inventory.receive()

        assert (await _standings(inventory))[-2:] == [("120", "applied"), ("120", "doubled")]

    async def test_the_same_file_again_is_not_stored_again(self, inventory: Any) -> None:
        (row,) = await inventory.attempts("621")
        for _ in range(2):
            inventory.answer("622", [inventory.receipt(row, "120")], name="same.xml")
            await inventory.receive()

        files = await inventory.rows("SELECT file_name FROM inbound WHERE message_type = 'CEB622Message'")
        assert len(files) == 1
        assert inventory.wire.finished[-2:] == ["same.xml", "same.xml"]

    async def test_another_file_of_the_same_name_is_read(self, inventory: Any) -> None:
        (row,) = await inventory.attempts("621")
        for status, minutes in (("120", 0), ("800", 1)):
            at = inventory.now + minutes * MINUTE
            inventory.answer("622", [inventory.receipt(row, status, at)], name="same.xml")
            await inventory.receive()

        assert (await inventory.case()).status == "released"

    async def test_an_unknown_code_is_shown_and_read_as_nothing_ordinary(self, inventory: Any) -> None:
        await inventory.answered("621", "777")

        assert (await _standings(inventory))[-1] == ("777", "unknown")
        assert (await inventory.states())["621"] == "unknown"
        assert (await inventory.case()).status == "declaring"

    async def test_an_unknown_code_proves_that_the_message_arrived(self, inventory: Any) -> None:
        await inventory.answered("621", "777")
        inventory.later(30 * 24 * 60 * MINUTE)

        await inventory.tend().run()
        await inventory.dispatch()

        assert inventory.types().count("621") == 1

    async def test_one_that_answers_nothing_of_ours_is_kept_unmatched(self, bench: Any) -> None:
        returned = {"guid": "0E" + "0" * 34, "ebpCode": "9", "ebcCode": "9", "orderNo": "X"}
        said = {"returnStatus": "120", "returnTime": "20240309100000000", "returnInfo": "入库"}
        bench.answer("312", [{**returned, **said}])

        assert await bench.receive() == 1

        (row,) = await bench.rows("SELECT standing, case_id, declaration_id, business_key FROM receipts")
        assert tuple(row) == ("unmatched", None, None, "9/9/X")

    async def test_what_cannot_be_read_is_kept_raw_and_put_out_of_the_way(self, bench: Any) -> None:
        for data in (b"no xml", b"<a/>", b""):
            bench.wire.put(data)

        assert await bench.receive() == 3

        rows = await bench.rows("SELECT message_type, notes, content FROM inbound ORDER BY id")
        assert [bench.sealer.open(row.content) for row in rows] == [b"no xml", b"<a/>", b""]
        assert all(row.message_type is None and json.loads(row.notes) for row in rows)
        assert bench.wire.inbox == []

    async def test_one_bad_file_does_not_keep_the_others_out(self, declared: Any) -> None:
        declared.wire.put(b"<")
        await declared.answered("311", "120")

        assert (await declared.states())["311"] == "accepted"

    async def test_a_message_of_ours_that_comes_back_is_kept_and_answers_nothing(self, declared: Any) -> None:
        declared.wire.put(declared.wire.sent[0][1])

        await declared.receive()

        assert await declared.rows("SELECT id FROM receipts") == []
        assert len(await declared.rows("SELECT id FROM inbound")) == 1


class TestRaw:
    async def test_every_file_is_kept_as_it_came_and_sealed(self, inventory: Any) -> None:
        (row,) = await inventory.attempts("621")
        inventory.answer("622", [inventory.receipt(row, "100", info="订购人章春苗证件号码990101198802140011不符")])
        raw = inventory.wire.inbox[0].data

        await inventory.receive()

        stored = (await inventory.rows("SELECT content FROM inbound ORDER BY id DESC"))[0].content
        assert inventory.sealer.open(stored) == raw
        assert "章春苗".encode() not in stored

    async def test_a_file_is_put_out_of_the_way_only_after_it_is_stored(
        self, declared: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (row,) = await declared.attempts("311")
        declared.answer("312", [declared.receipt(row, "120")])

        async def down(*_: object) -> None:
            raise RuntimeError

        monkeypatch.setattr(declared.gateway.messages, "add_receipts", down)
        with pytest.raises(RuntimeError):
            await declared.receive()

        assert (declared.wire.finished, len(declared.wire.inbox)) == ([], 1)
        assert await declared.rows("SELECT id FROM inbound") == []

    async def test_an_inbox_out_of_reach_does_not_keep_the_others_waiting(self, bench: Any) -> None:
        await bench.match(1, "1210")
        await bench.dispatch()
        (row,) = await bench.attempts("411")
        bench.later(MINUTE)
        bench.answer("412", [bench.receipt(row, "120")])
        bench.wires["zhengzhou-1210"].inbox, bench.wire.inbox = bench.wire.inbox, []

        async def unavailable(_: int) -> None:
            raise Unavailable(fault("transport-folder-missing", folder="inbox"))

        bench.wire.receive = unavailable
        assert await bench.receive() == 1

        assert (await bench.attempts("411"))[0].state == "accepted"


class TestMasking:
    TEXTS = (
        "订购人章春苗与身份证990101198802140011不匹配",
        "[Code:1371;Desc:章春苗 13900000021 已被冒用]",
        "收货地址：澜沙省星汉市河洲县听涛路 12 号",
    )
    PERSONAL = ("章春苗", "990101198802140011", "13900000021", "听涛路")

    async def _told(self, bench: Any) -> str:
        texts = [
            row.body
            for table in ("receipts", "ledger", "results", "findings")
            for row in await bench.rows(f"SELECT body FROM {table}")
        ]
        return "".join(texts)

    @pytest.mark.parametrize("text", TEXTS)
    @pytest.mark.parametrize("status", ["100", "120", "-621001", "777"])
    async def test_what_a_receipt_says_of_a_person_stands_nowhere_in_the_clear(
        self, inventory: Any, text: str, status: str
    ) -> None:
        await inventory.answered("621", status, info=text)

        told = await self._told(inventory)
        for value in self.PERSONAL:
            assert value not in told

    @pytest.mark.parametrize("text", TEXTS)
    async def test_neither_when_it_answers_nothing_of_ours(self, bench: Any, text: str) -> None:
        returned = {"guid": "0E" + "0" * 34, "ebpCode": "9", "ebcCode": "9", "orderNo": "X"}
        said = {"returnStatus": "-301008", "returnTime": "20240309100000000", "returnInfo": text}
        bench.answer("312", [{**returned, **said}])

        await bench.receive()

        told = await self._told(bench)
        for value in self.PERSONAL:
            assert value not in told

    async def test_an_ordinary_text_is_kept_as_it_is(self, inventory: Any) -> None:
        await inventory.answered("621", "2", info="申报成功")

        assert '"info": "申报成功"' in (await inventory.rows("SELECT body FROM receipts ORDER BY id DESC"))[0].body

    async def test_a_text_without_personal_values_is_kept(self, inventory: Any) -> None:
        await inventory.answered("621", "100", info="商品编码与申报要素不符，请核对第 1 项")

        body = json.loads((await inventory.rows("SELECT body FROM receipts ORDER BY id DESC"))[0].body)
        assert body["info"] == "商品编码与申报要素不符，请核对第 1 项"


def _format_receipt(original: str, cop_msg_id: str = "X" * 36, status: str = "-10101") -> bytes:
    returned = {
        "guid": "0E" + "0" * 34,
        "oriCopMsgId": cop_msg_id,
        "oriMessageType": "CEB311Message",
        "oriBizMessage": original,
        "returnStatus": status,
        "returnInfo": "格式校验不通过",
        "returnTime": "20240309100300000",
    }
    return _message("CEB900Message", MessageReturn=returned)


def _exchange_receipt(cop_msg_id: str, code: str) -> bytes:
    head = {
        "CopMsgId": cop_msg_id,
        "SenderId": "DXPENT0000099001",
        "ReceiverIds": {"ReceiverId": ["DXPEDCCEB0000002"]},
        "CreatTime": "2024-03-09T10:00:00",
        "MsgType": "CEB311Message",
    }
    response = {"ResponseCode": code, "ResponseInfo": "", "NoticeTime": "2024-03-09", "OriHead": head}
    content = {"@ver": "1.0", "RecevierId": "DXPENT0000099001", "Response": [response]}
    return serialise(load_codec().encode("DxpRep", content))


class TestWholeMessages:
    """CEB900 and DxpRep turn away a message with all its members."""

    @pytest.fixture
    async def two(self, bench: Any) -> Any:
        """Two cases whose orders went in one message."""
        for number in (1, 2):
            await bench.match(number)
        await bench.dispatch()
        bench.later(MINUTE)
        row = (await bench.rows("SELECT id, guid FROM messages WHERE message_type = 'CEB311Message'"))[0]
        bench.guid, bench.message_id = row.guid, row.id
        bench.first = (await bench.attempts("311", 1))[0]
        return bench

    async def _orders(self, bench: Any) -> list[str]:
        return [(await bench.states(number))["311"] for number in (1, 2)]

    @pytest.mark.parametrize("by", ["CopMsgId", "guid of the message", "guid of a document"])
    async def test_a_format_receipt_refuses_every_member(self, two: Any, by: str) -> None:
        if by == "CopMsgId":
            data = _format_receipt("", two.guid)
        elif by == "guid of the message":
            data = _format_receipt(f'<ceb:CEB311Message guid="{two.guid}" version="1.0"><ceb:Order>')
        else:
            data = _format_receipt(f"<ceb:guid>{two.first.guid}</ceb:guid>")

        two.wire.put(data)
        await two.receive()

        assert await self._orders(two) == ["refused", "refused"]

    async def test_a_format_receipt_may_name_a_number_of_the_enterprise_only(self, inventory: Any) -> None:
        (row,) = await inventory.attempts("621")
        data = _format_receipt(f"<ceb:copNo>{row.cop_no}</ceb:copNo>").replace(b"CEB311Message", b"CEB621Message")

        inventory.wire.put(data)
        await inventory.receive()

        assert (await inventory.states())["621"] == "refused"

    async def test_an_exchange_receipt_that_is_final_refuses_every_member(self, two: Any) -> None:
        two.wire.put(_exchange_receipt(two.guid, "0002"))
        await two.receive()

        assert await self._orders(two) == ["refused", "refused"]

    async def test_one_that_blames_the_system_lets_the_same_bytes_go_again(self, two: Any) -> None:
        sent = list(two.wire.sent)
        two.wire.put(_exchange_receipt(two.guid, "3002"))
        await two.receive()
        in_doubt = await self._orders(two)
        two.later(31 * MINUTE)
        await two.tend().run()
        await two.dispatch()

        assert in_doubt == ["uncertain", "uncertain"]
        assert two.wire.sent[len(sent) :] == [each for each in sent if two.guid in each[0]]

    async def test_what_has_an_answer_of_its_own_stands(self, two: Any) -> None:
        await two.answered("311", "-301008", 1)
        await two.answered("311", "120", 2)

        two.wire.put(_exchange_receipt(two.guid, "3002"))
        two.wire.put(_format_receipt("", two.guid))
        await two.receive()

        assert await self._orders(two) == ["refused", "accepted"]
        assert [(await two.attempts("311", number))[0].status for number in (1, 2)] == ["-301008", "120"]

    @pytest.mark.parametrize("make", [_format_receipt, _exchange_receipt], ids=["CEB900", "DxpRep"])
    async def test_the_same_again_is_doubled(self, two: Any, make: Any) -> None:
        for _ in range(2):
            two.wire.put(make("", two.guid) if make is _format_receipt else make(two.guid, "0002"))
            await two.receive()

        assert [standing for _, standing in await _standings(two)] == ["applied", "applied", "doubled", "doubled"]

    async def test_a_code_that_our_table_lacks_is_shown_and_refuses_nothing(self, two: Any) -> None:
        two.wire.put(_exchange_receipt(two.guid, "0000"))
        await two.receive()

        assert {standing for _, standing in await _standings(two)} == {"unknown"}
        assert "refused" not in await self._orders(two)

    async def test_one_about_nothing_of_ours_is_kept_unmatched(self, bench: Any) -> None:
        bench.wire.put(_format_receipt(""))
        bench.wire.put(_exchange_receipt("Y" * 36, "0002"))
        await bench.receive()

        assert [standing for _, standing in await _standings(bench)] == ["unmatched", "unmatched"]

    async def test_a_refused_member_can_be_corrected_and_goes_again(self, two: Any, content: Any) -> None:
        two.wire.put(_format_receipt("", two.guid))
        await two.receive()

        await two.push("order", content("order", appType="2", appTime="20240309100500", note="改"))
        await two.dispatch()

        assert (await two.attempts("311", 1))[-1].state == "sent"


class TestTax:
    @staticmethod
    def _bill(invt_no: str, status: str = "1", tax_no: str = "T1") -> bytes:
        head = {
            "guid": "0E" + "0" * 34,
            "returnTime": "20240310100000000",
            "invtNo": invt_no,
            "taxNo": tax_no,
            "status": status,
            "entDutyNo": "",
            "assureCode": "3301989T04",
        }
        return _message("CEB818Message", Tax=[{"TaxHeadStatus": head}])

    async def test_a_bill_is_noted_on_its_case_and_published(self, inventory: Any) -> None:
        await inventory.answered("621", "800", invtNo="29162024I000000001")

        inventory.wire.put(self._bill("29162024I000000001"))
        await inventory.receive()

        body = json.loads((await inventory.rows("SELECT body FROM results ORDER BY id DESC"))[0].body)
        assert (await _standings(inventory))[-1] == ("1", "noted")
        assert (body["kind"], body["status"], body["tax"]["taxNo"], body["tax"]["status"]) == (
            "tax",
            "released",
            "T1",
            "1",
        )
        assert (await inventory.case()).status == "released"

    async def test_a_bill_that_comes_with_the_number_it_needs_is_matched(self, inventory: Any) -> None:
        (row,) = await inventory.attempts("621")
        inventory.answer("622", [inventory.receipt(row, "800", invtNo="29162024I000000001")])
        inventory.wire.put(self._bill("29162024I000000001"))

        await inventory.receive()

        assert (await _standings(inventory))[-2:] == [("800", "applied"), ("1", "noted")]

    async def test_the_same_bill_again_is_published_once(self, inventory: Any) -> None:
        await inventory.answered("621", "800", invtNo="29162024I000000001")
        for _ in range(2):
            inventory.wire.put(self._bill("29162024I000000001"))
            await inventory.receive()

        bodies = [json.loads(row.body) for row in await inventory.rows("SELECT body FROM results")]
        assert len([each for each in bodies if each["kind"] == "tax"]) == 1
        assert (await _standings(inventory))[-1] == ("1", "doubled")

    async def test_a_bill_of_nobody_is_kept_unmatched(self, bench: Any) -> None:
        bench.wire.put(self._bill("29162024I999999999"))

        await bench.receive()

        assert await _standings(bench) == [("1", "unmatched")]


class TestMerged:
    async def test_every_inventory_goes_whatever_the_order_of_receipts(self, bench: Any, content: Any) -> None:
        merged = {"payTransactionId": "FB0000000888"}
        for kind in ("goods", "transport"):
            await bench.push(kind, content(kind))
        for number in (1, 2):
            await bench.push("order", content("order", number, **merged))
            await bench.push("waybill", content("waybill", number))
        await bench.push("payment", content("payment", 2, amountPaid="711.34", **merged))
        await bench.dispatch()
        bench.later(MINUTE)

        await bench.answered("411", "120", 2)
        for number in (1, 2):
            await bench.answered("511", "120", number)
            await bench.answered("311", "120", number)

        assert [(await bench.states(number))["621"] for number in (1, 2)] == ["ready", "ready"]

    async def test_an_inventory_goes_once_customs_has_the_other_order_of_the_payment(
        self, bench: Any, content: Any
    ) -> None:
        merged = {"payTransactionId": "FB0000000888"}
        for kind in ("goods", "transport"):
            await bench.push(kind, content(kind))
        for number in (1, 2):
            await bench.push("order", content("order", number, **merged))
        await bench.push("waybill", content("waybill", 2))
        await bench.push("payment", content("payment", 2, amountPaid="711.34", **merged))
        await bench.dispatch()
        bench.later(MINUTE)
        for message in ("311", "411", "511"):
            await bench.answered(message, "120", 2)
        waiting = (await bench.states(2))["621"]

        await bench.push("waybill", content("waybill", 1))
        await bench.dispatch()
        bench.later(MINUTE)
        await bench.answered("311", "120", 1)

        assert waiting == "blocked"
        assert (await bench.states(2))["621"] == "ready"


class TestMuch:
    async def test_a_file_with_more_answers_than_a_block_of_ids_is_read(
        self, declared: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ids, "BLOCK", 10)
        monkeypatch.setattr(ids, "RESERVE", 0)
        declared.remade()
        (row,) = await declared.attempts("311")
        declared.answer("312", [declared.receipt(row, "2", declared.now + n) for n in range(600)])

        await declared.receive()

        assert len(await declared.rows("SELECT id FROM receipts")) == 600

    @pytest.mark.parametrize("members", [60])
    async def test_answers_about_many_messages_have_ids_enough(
        self, bench: Any, monkeypatch: pytest.MonkeyPatch, members: int
    ) -> None:
        await bench.push("goods", bench.triples.content("goods"))
        await bench.push("transport", bench.triples.content("transport"))
        for kind in ("order", "payment", "waybill"):
            await bench.push(kind, *(bench.triples.content(kind, number) for number in range(1, members + 1)))
        await bench.dispatch()
        guid = (await bench.rows("SELECT guid FROM messages WHERE message_type = 'CEB311Message'"))[0].guid
        monkeypatch.setattr(ids, "BLOCK", 10)
        monkeypatch.setattr(ids, "RESERVE", 0)
        bench.remade()

        bench.wire.put(_format_receipt("", guid))
        await bench.receive()

        assert len(await bench.rows("SELECT id FROM receipts")) == members
