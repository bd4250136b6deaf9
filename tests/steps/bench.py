"""A gateway on a bench: real store, real steps, a clock that stands, and e-ports whose wires end in our hands."""

import json
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from tongguan.adapters.signing.verification import signed_bytes
from tongguan.adapters.transport import Health, Incoming, NotSent, Uncertain
from tongguan.config.keys import KeyFile
from tongguan.config.settings import Settings
from tongguan.gateway.composition import Destination, Gateway
from tongguan.gateway.directory import Directory
from tongguan.gateway.rules.book import built_in
from tongguan.gateway.sealing import Sealer
from tongguan.gateway.sealkey import SealKey
from tongguan.gateway.steps.dispatch import Dispatch
from tongguan.gateway.steps.hold import set_hold
from tongguan.gateway.steps.intake import Answered, Intake
from tongguan.gateway.steps.receive import Receive
from tongguan.gateway.steps.tend import Tend
from tongguan.gateway.store.database import Database, Row, Statement, in_transaction
from tongguan.gateway.submissions import Pushed
from tongguan.messages.catalogue import message_type
from tongguan.messages.chinatime import china_millis
from tongguan.messages.codec import load_codec
from tongguan.messages.documents.ceb import to_ceb
from tongguan.messages.documents.document import Document
from tongguan.messages.faults import fault
from tongguan.messages.reading import read
from tongguan.messages.xml import serialise

SECOND = 1_000
MINUTE = 60_000
HOUR = 3_600_000
KEYS = KeyFile({"k001": b"m" * 32}, "k001", b"i" * 32)
TRANSFER = {"copCode": "3301989T04", "copName": "示例", "dxpMode": "DXP", "dxpId": "DXPENT0000099001"}
ANSWERS = {"311": "312", "411": "412", "511": "512", "513": "514", "621": "622", "623": "624", "625": "626"}


@dataclass
class Wire:
    """A transport whose both ends are in memory. What is in ``troubles`` is raised by the next sends, in turn."""

    sent: list[tuple[str, bytes]] = field(default_factory=list)
    inbox: list[Incoming] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    troubles: list[Exception | None] = field(default_factory=list)
    on_send: Callable[[], Awaitable[object]] | None = None
    bytes_max: int = 1 << 30
    files: int = 0

    async def send(self, name: str, data: bytes) -> None:
        if len(data) > self.bytes_max:
            raise NotSent(fault("transport-too-large", limit=self.bytes_max))
        if self.troubles and (trouble := self.troubles.pop(0)):
            if isinstance(trouble, Uncertain):
                self.sent.append((name, data))
            raise trouble
        self.sent.append((name, data))
        if self.on_send:
            await self.on_send()

    async def receive(self, limit: int) -> list[Incoming]:
        return self.inbox[:limit]

    async def done(self, incoming: Incoming) -> None:
        self.finished.append(incoming.name)
        self.inbox = [each for each in self.inbox if each is not incoming]

    async def health(self) -> Health:
        return Health((), len(self.sent), 0, len(self.inbox), 0)

    def put(self, data: bytes, name: str | None = None) -> None:
        """Something comes in."""
        self.files += 1
        self.inbox.append(Incoming(name or f"in-{self.files}.xml", data, 0, ()))


NOT_SENT = NotSent(fault("transport-full", folder="outbox"))
UNCERTAIN = Uncertain(fault("transport-uncertain", folder="outbox", reason="EIO"))


class Bench:
    """A gateway with its steps. ``now`` is its clock in milliseconds."""

    def __init__(self, database: Database, triples: ModuleType, folder: Path, **settings: Any) -> None:
        self.triples: Any = triples
        self.now: int = triples.NOW
        self.database = database
        self.wires = {each.name: Wire() for each in triples.eports()}
        self.eports = {each.name: each for each in triples.eports()}
        self.random = random.Random(7)
        self.sealer = Sealer(KEYS, self.random.randbytes)
        self.seals = folder / "seals.jsonl"
        self.settings = Settings(**settings)
        self.gateway = self._made()

    def _made(self) -> Gateway:
        destinations = [
            Destination(
                each, self.wires[each.name], {k.declarant: self.triples.signer(k.declarant) for k in each.signers}
            )
            for each in self.eports.values()
        ]
        return Gateway(
            self.settings,
            self.database,
            Directory(self.triples.parties()),
            destinations,
            built_in(),
            self.sealer,
            clock=lambda: self.now,
            random=self.random.randbytes,
        )

    def remade(self, **settings: Any) -> None:
        """The same store behind new objects, as after a crash, or with other settings."""
        self.settings = self.settings.model_copy(update=settings)
        self.gateway = self._made()

    def limit(self, eport: str = "hangzhou-9610", **limits: Any) -> None:
        """Give an e-port other limits."""
        known = self.eports[eport]
        self.eports[eport] = known.model_copy(update={"limits": known.limits.model_copy(update=limits)})
        self.remade()

    def change(self, eport: str = "hangzhou-9610", **changes: Any) -> None:
        """Configure an e-port differently."""
        self.eports[eport] = self.eports[eport].model_copy(update=changes)
        self.remade()

    @property
    def wire(self) -> Wire:
        """The wire of the first e-port."""
        return self.wires["hangzhou-9610"]

    def later(self, milliseconds: int) -> None:
        """Let time pass."""
        self.now += milliseconds

    async def take(self, *pushed: Pushed) -> list[Answered]:
        """One batch of deliveries."""
        return await Intake(self.gateway).take(pushed)

    async def push(self, kind: str, *contents: Mapping[str, Any], party: str | None = None) -> Answered:
        """One delivery of JSON documents."""
        return (await self.take(self.delivery(kind, *contents, party=party)))[0]

    @staticmethod
    def delivery(kind: str, *contents: Mapping[str, Any], party: str | None = None) -> Pushed:
        """JSON documents of one kind."""
        body = json.dumps(list(contents), ensure_ascii=False).encode()
        return Pushed(f"import.{kind}", "application/json", body, party)

    def xml(self, *documents: Document, signer: str | None = None, guid: str = "0F") -> Pushed:
        """Customs XML of one or more documents of a kind."""
        kind = documents[0].kind
        code = next(code for code, known in _declared().items() if known == kind)
        content = {
            "@guid": f"{guid}000000-0000-4000-8000-000000000001",
            "@version": "1.0",
            message_type(code).node or "": [to_ceb(each) for each in documents],
            "BaseTransfer": TRANSFER,
        }
        root = load_codec().encode(code, content)
        data = signed_bytes(root, self.triples.signer(signer)) if signer else serialise(root)
        return Pushed("ceb", "application/xml", data)

    async def outcomes(self, kind: str, *contents: Mapping[str, Any]) -> list[str]:
        """What became of documents pushed together."""
        return [each.outcome for each in (await self.push(kind, *contents)).answer.documents]

    async def match(self, number: int = 1, mode: str = "9610") -> None:
        """Push everything a clean case needs, the references first."""
        contents = self.triples.contents(number, mode)
        for kind in ("goods", "transport", "order", "payment", "waybill"):
            await self.push(kind, contents[kind])

    async def dispatch(self) -> int:
        """One round of dispatch."""
        return await Dispatch(self.gateway).run()

    async def receive(self) -> int:
        """One round of receive."""
        return await Receive(self.gateway).run()

    def tend(self) -> Tend:
        """The step tend."""
        return Tend(self.gateway, self.seal_key)

    @property
    def seal_key(self) -> SealKey:
        """The key that seals the ledger."""
        return SealKey(self.sealer.seal_secret, self.seals)

    async def hold(self, *, on: bool, case_id: int | None = None, reason: str = "检查") -> bool:
        """Hold or lift a case."""
        id_ = case_id or (await self.rows("SELECT id FROM cases ORDER BY id"))[0].id
        return await in_transaction(
            self.database, lambda tx: set_hold(tx, self.gateway, id_, on=on, actor="officer", reason=reason)
        )

    async def rows(self, sql: str) -> Sequence[Row]:
        """Whatever a query says."""
        async with self.database.transaction() as transaction:
            return await transaction.run(Statement(sql))

    async def case(self, number: int = 1) -> Row:
        """The row of one case."""
        return (await self.rows(f"SELECT * FROM cases WHERE order_no = 'GX{number:010d}' ORDER BY id"))[0]

    async def states(self, number: int = 1) -> dict[str, str]:
        """The state of the newest attempt of each message type of a case."""
        rows = await self.rows(
            "SELECT message_type, declarations.attempt, state FROM declarations JOIN cases ON cases.id = case_id "
            f"WHERE order_no = 'GX{number:010d}' ORDER BY declarations.attempt"
        )
        return {row.message_type[3:6]: row.state for row in rows}

    async def attempts(self, message: str, number: int = 1) -> list[Row]:
        """All attempts of one message type of a case."""
        rows = await self.rows(
            "SELECT declarations.* FROM declarations JOIN cases ON cases.id = case_id "
            f"WHERE order_no = 'GX{number:010d}' ORDER BY declarations.attempt"
        )
        return [row for row in rows if row.message_type[3:6] == message]

    async def findings(self, number: int = 1) -> list[str]:
        """The rules that said something about a case."""
        rows = await self.rows(
            "SELECT rule FROM findings JOIN cases ON cases.id = case_id "
            f"WHERE order_no = 'GX{number:010d}' ORDER BY seq"
        )
        return [row.rule for row in rows]

    def sent(self, eport: str = "hangzhou-9610") -> list[Any]:
        """What was handed to an e-port, read back."""
        return [read(data) for _, data in self.wires[eport].sent]

    def types(self) -> list[str]:
        """The short names of the messages handed over."""
        return [each.message_type[3:6] for each in self.sent()]

    def nodes(self, message: str) -> list[Any]:
        """The business nodes of all messages of a type that were handed over."""
        return [node.content for each in self.sent() if each.message_type[3:6] == message for node in each.nodes]

    def receipt(self, row: Row, status: str, at: int | None = None, info: str = "", **more: str) -> dict[str, str]:
        """A return for one attempt, as e-port writes it."""
        answer = message_type(f"CEB{ANSWERS[row.message_type[3:6]]}Message")
        keys = dict(zip(answer.key, row.business_key.split("/"), strict=True))
        at = self.now if at is None else at
        fixed = {
            "312": {"ebpCode": "3301969T01", "ebcCode": "3301969T01"},
            "622": {"customsCode": "2916", "ebpCode": "3301969T01", "ebcCode": "3301969T01", "agentCode": "3301989T04"},
            "624": {"customsCode": "2916", "ebpCode": "3301969T01", "ebcCode": "3301969T01", "agentCode": "3301989T04"},
            "626": {"customsCode": "2916", "ebpCode": "3301969T01", "ebcCode": "3301969T01", "agentCode": "3301989T04"},
        }.get(answer.short, {})
        said = {"returnStatus": status, "returnTime": china_millis(at), "returnInfo": info or "申报成功"}
        return {"guid": "0E000000-0000-4000-8000-000000000001", **fixed, **keys, **said, **more}

    def answer(self, short: str, returns: Iterable[Mapping[str, str]], name: str | None = None) -> None:
        """A message of returns comes in."""
        known = message_type(f"CEB{short}Message")
        content = {"@guid": "0E000000-0000-4000-8000-0000000000FF", "@version": "1.0", known.node or "": list(returns)}
        self.wire.put(serialise(load_codec().encode(known.code, content)), name)

    async def answered(self, message: str, status: str, number: int = 1, **more: Any) -> None:
        """The newest attempt of a message type is answered, and the answer received."""
        row = (await self.attempts(message, number))[-1]
        self.answer(ANSWERS[message], [self.receipt(row, status, **more)])
        await self.receive()

    async def accepted(self, number: int = 1) -> None:
        """Order, payment and waybill of a matched case are declared and accepted; the inventory is ready."""
        await self.dispatch()
        self.later(MINUTE)
        for message in ("311", "411", "511"):
            await self.answered(message, "120", number)

    async def released(self, number: int = 1) -> None:
        """A matched case up to the release of its goods."""
        await self.accepted(number)
        await self.dispatch()
        self.later(MINUTE)
        await self.answered("621", "800", number, preNo="P1", invtNo="29162024I000000001")


def _declared() -> dict[str, str]:
    return {
        "CEB311Message": "order",
        "CEB411Message": "payment",
        "CEB511Message": "waybill",
        "CEB513Message": "waybill-status",
        "CEB621Message": "inventory",
        "CEB623Message": "cancellation",
        "CEB625Message": "return",
    }
