"""Texts that senders choose and no model has looked at: kept on every store, whatever they hold."""

from typing import Any

import pytest

from tongguan.gateway.submissions import Pushed

ODD = ["\0", "a\0b", "\x7f", "import.\0", "章" * 300, "\ud800", "'; DROP TABLE cases; --", "{keys}", ":now"]


@pytest.mark.parametrize("key", ODD, ids=[f"{each[:6]!a}" for each in ODD])
async def test_a_delivery_under_any_routing_key_is_answered_and_kept(bench: Any, key: str) -> None:
    (answered,) = await bench.take(Pushed(key, "application/json", b"{}", None, "c\0d"))

    rows = await bench.rows("SELECT content FROM rejections")
    assert answered.answer.faults
    assert [bench.sealer.open(row.content) for row in rows] == [b"{}"]


async def test_a_file_under_any_name_is_read(bench: Any) -> None:
    for name in ("a b.xml", "收.xml", "'.xml", "x" * 200):
        bench.wire.put(b"<", name)

    await bench.receive()

    assert len(await bench.rows("SELECT id FROM inbound")) == 4
