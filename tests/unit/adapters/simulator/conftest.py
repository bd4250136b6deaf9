"""A world with one customs, two e-ports and documents to declare, every one of them invented."""

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tongguan.adapters.signing.identity import make_test_identity
from tongguan.adapters.signing.verification import signed_bytes
from tongguan.adapters.simulator.chance import Chance, Knobs
from tongguan.adapters.simulator.customs import Customs, Taken
from tongguan.adapters.simulator.filing import DECLARATIONS
from tongguan.adapters.simulator.script import make_script
from tongguan.adapters.simulator.world import World
from tongguan.config.eports import EPort, Surroundings, read_eport
from tongguan.messages.chinatime import parse_china_time
from tongguan.messages.codec import load_codec
from tongguan.messages.reading import read
from tongguan.messages.receipts import receipts_of

DOCUMENTS = json.loads((Path(__file__).parents[3] / "data" / "simulator" / "documents.json").read_text("utf-8"))
NOW_MS = parse_china_time("20260301100000")
AN_HOUR_MS = 3_600_000


def make_eport(folder: Path, name: str = "test", **changes: Any) -> EPort:
    tables: dict[str, Any] = {
        "name": name,
        "title": {"zh": "测试口岸", "en": "Test port"},
        "environment": "test",
        "customs_district": "2900",
        "declares": ["311", "411", "511", "513", "621", "623", "625"],
        "acts_for": [{"ebcCode": "3300000MER"}],
        "transfer": {"copCode": "3300000AGT", "copName": "示例报关有限公司", "dxpId": "DXPENT0000000001"},
        "envelope": {"kind": "plain"},
        "transport": {
            "kind": "folder",
            "outbox": f"{name}/outbox",
            "inbox": f"{name}/inbox",
            "archive": f"{name}/archive",
            "settle_ms": 0,
        },
    }
    return read_eport({**tables, **changes}, Surroundings(folder, folder, {}))


def document(short: str, *, line: Mapping[str, str] | None = None, lines: int | None = None, **changes: Any) -> Any:
    """A document to declare; ``changes`` go to its head, ``line`` to its first line."""
    node = copy.deepcopy(DOCUMENTS[short])
    known = DECLARATIONS[short]
    (node[known.head] if known.head else node).update(changes)
    if known.line and line:
        node[known.line][0].update(line)
    if known.line and lines is not None:
        node[known.line] = node[known.line][:lines]
    return node


def message_of(short: str, nodes: Iterable[Any], guid: str = "7A3F0C52-9D41-4E86-B1A7-0000000000FF") -> etree._Element:
    known = DECLARATIONS[short]
    nodes = list(nodes)
    transfer = {"copCode": "3300000AGT", "copName": "示例报关有限公司", "dxpMode": "DXP", "dxpId": "DXPENT0000000001"}
    many = load_codec().part(known.code, known.node or "").many
    content = {
        "@guid": guid,
        "@version": "1.0",
        known.node or "": nodes if many else nodes[0],
        "BaseTransfer": transfer,
    }
    return load_codec().encode(known.code, content)


@pytest.fixture(scope="session")
def identity():
    return make_test_identity("sm2-sm3", "3300000AGT", 0x01691FE9, NOW_MS)


@pytest.fixture(scope="session")
def stranger():
    return make_test_identity("sm2-sm3", "3300000XXX", 0x01691FEA, NOW_MS)


@pytest.fixture
def unsigned() -> Callable[..., etree._Element]:
    """A message without its signature, as an element."""
    return message_of


@pytest.fixture
def signed(identity):
    """The bytes of a signed message."""
    return lambda short, *nodes: signed_bytes(message_of(short, nodes), identity.signer)


@pytest.fixture
def doc():
    return document


class Port:
    """A customs to declare to, at a time that goes on by itself."""

    def __init__(self, customs: Customs, world: World, sign: Callable[..., bytes]) -> None:
        self.customs, self.world, self.sign = customs, world, sign
        self.now_ms = NOW_MS
        self.files: list[Any] = []

    def declare(self, short: str, *nodes: Any, eport: str = "test") -> Taken:
        return self.send(self.sign(short, *nodes), eport)

    def send(self, data: bytes, eport: str = "test", name: str = "message.xml") -> Taken:
        self.now_ms += 1000
        return self.customs.take(eport, name, data, self.now_ms)

    def collect(self, after_ms: int = AN_HOUR_MS) -> list[Any]:
        """The receipts that come within that time, read."""
        self.now_ms += after_ms
        files = self.customs.due(self.now_ms)
        for file in files:
            self.customs.delivered(file)
        self.files += files
        return [receipt for file in files for receipt in receipts_of(read(file.data))]

    def receipts(self, short: str) -> list[Any]:
        """The receipts that come for one kind of document within an hour, in the order in which they happened."""
        found = [each for each in self.collect() if each.message_type == DECLARATIONS[short].answered_by]
        return sorted(found, key=lambda each: each.return_ms)

    def answers(self, short: str) -> list[str]:
        """Their statuses."""
        return [each.status for each in self.receipts(short)]

    def triple(self) -> None:
        """Declare an order, its payment and its waybill."""
        for short in ("311", "411", "511"):
            self.declare(short, document(short))
        self.collect(1000)

    def prepare(self, short: str) -> None:
        """Declare what a document of that kind needs: a triple, and an inventory accepted or released."""
        if short in ("621", "623", "625"):
            self.triple()
        if short in ("623", "625"):
            self.declare("621", document("621"))
            self.collect(1000)


ACCEPTED_FOR_LONG = {
    "message": "621",
    "copNo": "TGCOP0000000001",
    "times": 1,
    "answers": ["2", "3", "120", {"status": "800", "after_ms": 10 * AN_HOUR_MS}],
}


@pytest.fixture
def port(tmp_path, signed):
    """Makes a port, with what a document of a kind needs (``for_``) declared already.

    ``rules`` are those of a script; what is given by other names goes to the knobs.
    """

    def make(rules=(), *, certificates=None, eports=None, seed=7, world=None, for_: str = "", **knobs: Any) -> Port:
        rules = [*rules, ACCEPTED_FOR_LONG] if for_ == "623" else rules
        world = world or World()
        served = eports or [make_eport(tmp_path)]
        customs = Customs(
            world,
            served,
            {each.name: certificates or {} for each in served},
            chance=Chance(seed),
            script=make_script({"rule": list(rules)}),
            knobs=replace(Knobs(latency_ms=(10, 20)), **knobs),
        )
        made = Port(customs, world, signed)
        made.prepare(for_)
        return made

    return make


@pytest.fixture
def eport(tmp_path):
    """Makes an e-port of a name."""
    return lambda name="test", **changes: make_eport(tmp_path, name, **changes)
