"""PostgreSQL while others are at work on it: locks of others, moments between statements, values it does not take."""

import asyncio
import random
import string
from collections.abc import Callable
from typing import Any

import pytest

from tongguan.gateway import verifying
from tongguan.gateway.store.database import Database, Statement

pytestmark = pytest.mark.services
MINUTE = 60_000
_HOLD = Statement(
    """
    SELECT id FROM declarations WHERE message_type = 'CEB311Message'
        AND case_id = (SELECT id FROM cases WHERE order_no = 'GX0000000002') FOR UPDATE
    """
)


@pytest.fixture
def database(opened: Callable[[str], Database], migrated_url: str) -> Database:
    return opened(migrated_url)


async def test_a_signed_message_goes_whole_or_not_at_all_whoever_holds_a_part_of_it(
    bench: Any, triples: Any, content: Any
) -> None:
    signed = bench.xml(*(triples.document("order", number) for number in (1, 2)), signer="3301969T01")
    for kind in ("goods", "transport"):
        await bench.push(kind, content(kind))
    await bench.take(signed)
    for number in (1, 2):
        for kind in ("payment", "waybill"):
            await bench.push(kind, content(kind, number))
    async with bench.database.transaction() as transaction:
        await transaction.run(_HOLD)
        others = asyncio.create_task(bench.dispatch())
        while "511" not in bench.types():
            await asyncio.sleep(0.01)
        meanwhile = bench.types()
    await others
    await bench.dispatch()

    assert "311" not in meanwhile
    assert [node["OrderHead"]["orderNo"] for node in bench.nodes("311")] == ["GX0000000001", "GX0000000002"]
    assert {(await bench.states(number))["311"] for number in (1, 2)} == {"sent"}


async def test_a_ledger_that_goes_on_while_it_is_verified_holds(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await bench.match()
    chains = verifying._chains

    async def meanwhile(transaction: Any, after: int) -> Any:
        class Slow:
            async def run(self, statement: Statement, **values: Any) -> Any:
                rows = await transaction.run(statement, **values)
                if after == 0:
                    await asyncio.create_task(bench.hold(on=True))
                return rows

        slow: Any = Slow()
        return await chains(slow, after)

    monkeypatch.setattr(verifying, "_chains", meanwhile)
    progress = verifying.Progress()

    assert [each async for each in verifying.verify_ledger(bench.database, bench.seal_key, progress)] == []
    assert progress.cases == 1


async def test_a_receipt_that_cannot_be_stored_is_set_aside_and_keeps_no_other_back(bench: Any) -> None:
    await bench.match()
    await bench.accepted()
    await bench.dispatch()
    bench.later(MINUTE)
    inventory = (await bench.attempts("621"))[-1]
    # too long for an index of PostgreSQL, and chance cannot be compressed
    endless = "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=9000))
    bench.wire.put(
        '<CEB816Message xmlns="http://www.chinaport.gov.cn/ceb" version="1.0"><Tax><TaxHeadRd>'
        f"<returnTime>20240309100100000</returnTime><invtNo>29162024I000000001</invtNo><taxNo>{endless}</taxNo>"
        "<status>1</status></TaxHeadRd></Tax></CEB816Message>".encode(),
        "bad.xml",
    )
    bench.answer("622", [bench.receipt(inventory, "800")], name="good.xml")

    await bench.receive()

    assert {"bad.xml", "good.xml"} <= set(bench.wire.finished)
    assert (await bench.states())["621"] == "released"
    [kept] = await bench.rows("SELECT notes FROM inbound WHERE file_name = 'bad.xml'")
    assert "receipt-unstorable" in kept.notes
