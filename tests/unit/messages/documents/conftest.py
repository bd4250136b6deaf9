import json
from pathlib import Path
from typing import Any

import pytest

from tongguan.messages.contract import examples


@pytest.fixture
def order() -> dict[str, Any]:
    """An order as a platform pushes it: one line, two tins."""
    return examples()["order"]


@pytest.fixture
def goods() -> dict[str, Any]:
    """The goods record of the order's line."""
    return examples()["goods"]


@pytest.fixture
def nodes() -> dict[str, dict[str, Any]]:
    """One business node for each message type that carries a document, as the codec decodes it."""
    riders = json.loads(Path(__file__).with_name("riders.json").read_text("utf-8"))
    return {
        "CEB311Message": _node(examples()["order"], "OrderHead", "OrderList"),
        "CEB411Message": _node(examples()["payment"], "PaymentHead"),
        "CEB511Message": _node(examples()["waybill"], "LogisticsHead"),
        **riders,
    }


_ADDED = {"contract", "tradeMode", "logisticsCode", "logisticsName", "logisticsNo"}


def _node(pushed: dict[str, Any], head: str, lines: str | None = None) -> dict[str, Any]:
    added = _ADDED if head == "OrderHead" else {"contract"}
    fields = {name: str(value) for name, value in pushed.items() if name not in added and name != lines}
    if lines is None:
        return {head: fields}
    return {head: fields, lines: [{name: str(value) for name, value in line.items()} for line in pushed[lines]]}
