"""What must not happen to a case, however unlucky its messages, receipts and neighbours are."""

import json
from pathlib import Path
from typing import Any

import pytest

from tongguan.config.keys import KeyFile
from tongguan.gateway.assembly import _holds
from tongguan.gateway.sealing import Sealer, shredded
from tongguan.gateway.store.database import Statement
from tongguan.messages.codec import load_codec
from tongguan.messages.faults import Refused
from tongguan.messages.ladders import ladder
from tongguan.messages.xml import serialise

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
NUMBERS = {"preNo": "P1", "invtNo": "29162024I000000001"}


def _trouble(guid: str, day: str = "2024-03-09") -> bytes:
    """The exchange platform had trouble with a message."""
    head = {
        "CopMsgId": guid,
        "SenderId": "DXPENT0000099001",
        "ReceiverIds": {"ReceiverId": ["DXPEDCCEB0000002"]},
        "CreatTime": "2024-03-09T10:00:00",
        "MsgType": "CEB311Message",
    }
    response = {"ResponseCode": "3002", "ResponseInfo": "", "NoticeTime": day, "OriHead": head}
    content = {"@ver": "1.0", "RecevierId": "DXPENT0000099001", "Response": [response]}
    return serialise(load_codec().encode("DxpRep", content))


async def _order_message(bench: Any) -> Any:
    found = await bench.rows("SELECT id, guid, state, sends FROM messages WHERE message_type = 'CEB311Message'")
    return found[0]


async def _last_standing(bench: Any) -> str:
    return (await bench.rows("SELECT standing FROM receipts ORDER BY id"))[-1].standing


class TestReleased:
    @pytest.mark.parametrize("code", ["120", "2", "-621001", "-621004", "100"])
    async def test_goods_stay_released_whatever_is_said_later(self, bench: Any, code: str) -> None:
        await bench.match()
        await bench.released()
        bench.later(MINUTE)

        await bench.answered("621", code)

        assert (await bench.case()).status == "released"
        assert await _last_standing(bench) == "late"

    async def test_they_are_not_declared_a_second_time_after_a_change(self, bench: Any, triples: Any) -> None:
        await bench.match()
        await bench.released()
        bench.later(MINUTE)
        await bench.answered("621", "-621004")

        changed = {"appType": "2", "appTime": "20240309103000", "consigneeAddress": "澜沙省星汉市河洲县听涛路 13 号"}
        for kind in ("order", "waybill"):
            await bench.push(kind, triples.content(kind, 1, **changed))
        for _ in range(3):
            await bench.dispatch()
            bench.later(MINUTE)

        assert len(await bench.attempts("621")) == 1


class TestOtherEport:
    async def test_what_comes_into_the_inbox_of_another_eport_moves_nothing(self, bench: Any) -> None:
        await bench.match()
        await bench.accepted()
        await bench.dispatch()
        bench.later(MINUTE)
        row = (await bench.attempts("621"))[-1]

        bench.answer("622", [bench.receipt(row, "800", **NUMBERS)])
        other = bench.wires["zhengzhou-1210"]
        other.inbox, bench.wire.inbox = bench.wire.inbox, []
        await bench.receive()

        assert (await bench.states())["621"] == "sent"
        assert await _last_standing(bench) == "unmatched"


class TestTroubleOfTheExchange:
    async def test_told_twice_on_one_day_the_message_goes_each_time(self, bench: Any) -> None:
        await bench.match()
        await bench.dispatch()
        guid = (await _order_message(bench)).guid
        for sends in (1, 2):
            assert (await _order_message(bench)).sends == sends
            bench.later(MINUTE)
            bench.wire.put(_trouble(guid))
            await bench.receive()
            bench.later(31 * MINUTE)
            await bench.tend().run()
            await bench.dispatch()

        assert (await _order_message(bench)).sends == 3

    async def test_told_day_after_day_it_goes_as_often_as_the_eport_allows(self, bench: Any) -> None:
        await bench.match()
        await bench.dispatch()
        guid = (await _order_message(bench)).guid
        for day in range(9, 21):
            bench.wire.put(_trouble(guid, f"2024-03-{day:02d}"))
            await bench.receive()
            bench.later(DAY)
            await bench.tend().run()
            await bench.dispatch()

        assert (await _order_message(bench)).sends == bench.eports["hangzhou-9610"].limits.attempts_max
        assert "uncertain" in (await bench.case()).flags


class TestRelayed:
    async def test_a_refusal_that_blames_the_system_is_left_to_its_signer(self, bench: Any, triples: Any) -> None:
        contents = triples.contents(1)
        for kind in ("goods", "transport", "payment", "waybill"):
            await bench.push(kind, contents[kind])
        await bench.take(bench.xml(triples.document("order", 1), signer="3301969T01"))
        await bench.dispatch()
        bench.later(MINUTE)
        code = next(row.code for row in ladder("CEB312Message") if row.retry == "resend")

        await bench.answered("311", code)
        for _ in range(5):
            bench.later(10 * MINUTE)
            await bench.tend().run()
            await bench.dispatch()

        assert [each.state for each in await bench.attempts("311")] == ["refused"]
        assert (await bench.case()).status == "refused"

    async def test_a_message_for_two_eports_goes_to_none_and_both_cases_say_so(self, bench: Any, triples: Any) -> None:
        for contents in (triples.contents(1), triples.contents(2, "1210")):
            for kind in contents.keys() - {"payment"}:
                await bench.push(kind, contents[kind])
        payments = [triples.document("payment", 1), triples.document("payment", 2, "1210")]
        await bench.take(bench.xml(*payments, signer="3301969T02"))

        for _ in range(3):
            await bench.dispatch()

        assert "411" not in [each.message_type[3:6] for eport in bench.wires for each in bench.sent(eport)]
        assert "declaration-invalid" in await bench.findings(1)
        assert "declaration-invalid" in await bench.findings(2)


class TestInvalid:
    async def test_what_the_schema_refuses_keeps_the_rest_of_its_case_at_home(self, bench: Any) -> None:
        await bench.match()
        [row] = await bench.rows("SELECT id, content FROM declarations WHERE message_type = 'CEB311Message'")
        content = json.loads(bench.sealer.open(row.content))
        content["OrderHead"] |= {"orderType": "Z", "consignee": ""}
        async with bench.database.transaction() as transaction:
            sealed = bench.sealer.seal(json.dumps(content).encode())
            await transaction.run(Statement("UPDATE declarations SET content = :c WHERE id = :i"), c=sealed, i=row.id)

        for _ in range(3):
            await bench.dispatch()

        assert "621" not in bench.types()
        assert (await bench.states())["411"] in {"blocked", "sent"}
        assert (await bench.case()).status == "discrepant"

    async def test_one_whose_content_is_lost_keeps_no_other_back(self, bench: Any, triples: Any) -> None:
        await bench.match()
        await bench.match(2)
        first = (await bench.case(1)).id
        lost = "UPDATE declarations SET content = :c WHERE message_type = 'CEB311Message' AND case_id = :i"
        async with bench.database.transaction() as transaction:
            await transaction.run(Statement(lost), c=b"\1damaged", i=first)

        for _ in range(3):
            await bench.dispatch()

        assert (await bench.states(2))["311"] == "sent"
        assert await bench.findings(1) == ["declaration-invalid"]


class TestDeleted:
    async def test_a_case_whose_order_is_deleted_before_its_inventory_left_is_withdrawn(
        self, bench: Any, triples: Any
    ) -> None:
        await bench.match()
        await bench.dispatch()
        bench.later(MINUTE)

        await bench.push("order", triples.content("order", 1, appType="3", appTime="20240309093000"))
        for message in ("311", "411", "511"):
            await bench.answered(message, "120")

        assert (await bench.case()).status == "withdrawn"
        assert "withdrawn-after-declaration" in await bench.findings()


class TestStrangers:
    @pytest.mark.parametrize("app_type", ["2", "3"])
    async def test_only_the_party_that_reported_a_document_changes_or_deletes_it(
        self, bench: Any, triples: Any, app_type: str
    ) -> None:
        await bench.push("order", triples.content("order", 1), party="youxuan")

        again = triples.content("order", 1, appType=app_type, appTime="20240309093000", note="x")
        answered = await bench.push("order", again, party="suda")

        [document] = answered.answer.documents
        assert (document.outcome, [each.code for each in document.faults]) == ("rejected", ["document-foreign"])


class TestCrowds:
    async def test_a_transaction_that_too_many_orders_share_links_none_of_them(self, bench: Any, triples: Any) -> None:
        orders = [triples.content("order", number, payTransactionId="0") for number in range(1, 121)]
        for at in range(0, len(orders), 60):
            await bench.push("order", *orders[at : at + 60])
        await bench.push("payment", triples.content("payment", 120, payTransactionId="0"))

        assert (await bench.case(120)).status == "waiting"
        assert "payment-present" not in await bench.findings(120)


class TestHeld:
    async def test_a_reason_that_names_the_people_of_the_case_is_masked(self, bench: Any, triples: Any) -> None:
        await bench.match()
        person = triples.content("order", 1)

        await bench.hold(on=True, reason=f"{person['buyerName']} {person['buyerTelephone']} 来电")

        bodies = [row.body for row in await bench.rows("SELECT body FROM ledger")]
        assert not [body for body in bodies if person["buyerName"] in body or person["buyerTelephone"] in body]
        assert any("来电" in body for body in bodies)


class TestKeys:
    async def test_a_key_file_that_does_not_open_what_is_stored_is_refused(self, bench: Any, triples: Any) -> None:
        await bench.push("order", triples.content("order"))
        other = Sealer(KeyFile({"k001": bytes(32)}, "k001", bytes(32)), bytes)

        async with bench.database.transaction() as transaction:
            await _holds(transaction, bench.sealer, Path("keys.toml"))
            with pytest.raises(Refused) as refused:
                await _holds(transaction, other, Path("keys.toml"))

        assert [each.code for each in refused.value.faults] == ["store-keys"]

    async def test_documents_shredded_by_right_say_nothing_about_the_key_file(self, bench: Any, triples: Any) -> None:
        await bench.push("order", triples.content("order"))
        async with bench.database.transaction() as transaction:
            (row,) = await transaction.run(Statement("SELECT content FROM document_versions"))
            gone = Statement("UPDATE document_versions SET content = :gone")
            await transaction.run(gone, gone=shredded(bytes(row.content)))

            await _holds(transaction, bench.sealer, Path("keys.toml"))


class TestSentAgain:
    async def test_a_duplicate_code_that_comes_before_the_second_sending_is_booked_refuses_nothing(
        self, bench: Any
    ) -> None:
        await bench.match()
        await bench.dispatch()
        again = Statement("UPDATE messages SET state = 'packed' WHERE message_type = 'CEB311Message'")
        async with bench.database.transaction() as transaction:
            await transaction.run(again)
        bench.later(MINUTE)

        await bench.answered("311", "-301010")

        assert (await bench.states())["311"] == "received"

    async def test_an_answer_proves_the_sending_that_nobody_lived_to_book(self, bench: Any) -> None:
        await bench.match()
        await bench.dispatch()
        unbooked = Statement("UPDATE messages SET state = 'packed', sends = 0 WHERE message_type = 'CEB311Message'")
        async with bench.database.transaction() as transaction:
            await transaction.run(unbooked)
        bench.later(MINUTE)

        await bench.answered("311", "2")
        await bench.answered("311", "120")

        found = await bench.rows("SELECT state, sends FROM messages WHERE message_type = 'CEB311Message'")
        assert [tuple(each) for each in found] == [("answered", 1)]
