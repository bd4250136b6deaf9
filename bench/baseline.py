"""The baseline: the pipeline a competent developer would put together in a week, for the gateway to be held against.

It takes one message after the other from the same broker, reads it with pydantic, keeps a row of an ORM for every
document in a transaction of its own, and once a triple is complete builds its inventory, validates it with xmlschema,
signs it, writes its file and publishes. A second task does the same for receipts. What an inventory has to say is
composed by the gateway's own functions, so that both do the same work on it. There is no ledger, no rule book, no
sealing, no lease and no recovery.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import aio_pika
import xmlschema
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from sqlalchemy import BigInteger, Index, String, make_url, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tongguan.adapters.signing.verification import signed_bytes
from tongguan.adapters.transport import Incoming
from tongguan.gateway.assembly import Configuration, configure, destinations_of
from tongguan.gateway.composition import Destination, now_ms
from tongguan.gateway.inventory import Sources, compose, goods_from_record
from tongguan.gateway.packing import envelope, file_name
from tongguan.messages.chinatime import china_date, china_seconds
from tongguan.messages.codec import load_codec
from tongguan.messages.documents.companions import GoodsRecord, Transport
from tongguan.messages.documents.kinds import BUS_KINDS
from tongguan.messages.documents.triple import Order, Payment, Waybill
from tongguan.messages.reading import read
from tongguan.messages.receipts import Receipt, receipts_of
from tongguan.messages.shapes import schema_file

INVENTORY = "CEB621Message"
STATUSES = {"2": "declaring", "3": "declaring", "120": "accepted", "800": "released", "899": "closed"}
PREFETCH = 100
POLL_S = 0.05


class Table(DeclarativeBase):
    """What every table is made from."""


class Row(Table):
    """One document as it came."""

    __tablename__ = "documents"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(20))
    order_no: Mapped[str] = mapped_column(String(60))
    content: Mapped[str]
    __table_args__ = (Index("ix_documents_order", "order_no"),)


class Declared(Table):
    """One inventory."""

    __tablename__ = "declared"
    cop_no: Mapped[str] = mapped_column(String(20), primary_key=True)
    order_no: Mapped[str] = mapped_column(String(60))
    status: Mapped[str] = mapped_column(String(10))
    sent_at: Mapped[int | None] = mapped_column(BigInteger)


class Baseline:
    """The whole pipeline."""

    def __init__(self, configuration: Configuration, channel: AbstractChannel) -> None:
        self._destinations = destinations_of(configuration)
        url = make_url(configuration.settings.store_url.get_secret_value()).set(drivername="postgresql+asyncpg")
        self._engine = create_async_engine(url)
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)
        self._schema = xmlschema.XMLSchema(str(schema_file("ceb-import")))
        self._channel = channel
        self._goods: dict[tuple[str, str], GoodsRecord] = {}
        self._transports: dict[str, Transport] = {}

    async def open(self) -> None:
        """Make tables, exchanges and the queue."""
        async with self._engine.begin() as connection:
            await connection.run_sync(Table.metadata.drop_all)
            await connection.run_sync(Table.metadata.create_all)
        documents = await self._channel.declare_exchange("tongguan.documents", "topic", durable=True)
        self._results = await self._channel.declare_exchange("tongguan.results", "topic", durable=True)
        await self._channel.set_qos(PREFETCH)
        queue = await self._channel.declare_queue("baseline", durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind(documents, "#")
        self._queue = queue

    async def take(self) -> None:
        """Work one message after the other."""
        async with self._queue.iterator() as messages:
            async for message in messages:
                kind = (message.routing_key or "").removeprefix("import.")
                content = json.loads(message.body)
                count = 0
                for each in content if isinstance(content, list) else [content]:
                    await self._document(kind, each)
                    count += 1
                await self._answer(message, count)
                await message.ack()

    async def receive(self) -> None:
        """Work one receipt file after the other."""
        while True:
            found = 0
            for destination in self._destinations:
                for incoming in await destination.transport.receive(100):
                    await self._receipts(incoming)
                    await destination.transport.done(incoming)
                    found += 1
            if not found:
                await asyncio.sleep(POLL_S)

    async def _document(self, kind: str, content: dict[str, Any]) -> None:
        document = BUS_KINDS[kind].model_validate(content)
        if isinstance(document, GoodsRecord):
            self._goods |= {(document.ebc_code, name or ""): document for name in (document.item_no, document.bar_code)}
        elif isinstance(document, Transport):
            self._transports[document.bill_no] = document
        elif isinstance(document, Order | Payment | Waybill):
            order_no = document.order_no or ""
            async with self._sessions.begin() as session:
                session.add(Row(kind=kind, order_no=order_no, content=json.dumps(content, ensure_ascii=False)))
            async with self._sessions() as session:
                rows = (await session.scalars(select(Row).where(Row.order_no == order_no))).all()
            if {row.kind for row in rows} == {"order", "payment", "waybill"}:
                await self._declare({row.kind: BUS_KINDS[row.kind].model_validate_json(row.content) for row in rows})

    async def _declare(self, triple: dict[str, Any]) -> None:
        order: Order = triple["order"]
        waybill: Waybill = triple["waybill"]
        await self._publish(order.order_no, "matched")
        destination = next(
            each
            for each in self._destinations
            if any(
                it.covers(order.ebc_code, order.ebp_code, None, order.trade_mode or "") for it in each.eport.acts_for
            )
        )
        cop_no, name, data = self._inventory(destination, order, waybill)
        async with self._sessions.begin() as session:
            session.add(Declared(cop_no=cop_no, order_no=order.order_no, status="", sent_at=None))
        await destination.transport.send(name, data)
        async with self._sessions.begin() as session:
            row = await session.get_one(Declared, cop_no)
            row.sent_at = now_ms()

    def _inventory(self, destination: Destination, order: Order, waybill: Waybill) -> tuple[str, str, bytes]:
        """copNo, file name and bytes of one inventory, in a message of its own."""
        eport, now = destination.eport, now_ms()
        defaults = next(each for each in eport.inventory if each.trade_mode == order.trade_mode)
        goods = {
            line.gnum: goods_from_record(
                line, self._goods[order.ebc_code, line.item_no or line.bar_code or ""], "goods"
            )
            for line in order.lines
        }
        transport = self._transports.get(waybill.bill_no or "")
        node = dict(compose(Sources(order, waybill, goods, defaults, transport)).content)
        guid, cop_no = str(uuid4()).upper(), uuid4().hex[:20]
        stamps = {"guid": guid, "appType": "1", "appTime": china_seconds(now), "appStatus": "2"}
        node["InventoryHead"] = {**node["InventoryHead"], **stamps, "copNo": cop_no, "declTime": china_date(now)}
        transfer = eport.transfer
        base = {
            "copCode": transfer.cop_code,
            "copName": transfer.cop_name,
            "dxpMode": "DXP",
            "dxpId": transfer.dxp_id,
        }
        message = {"@guid": guid, "@version": "1.0", "Inventory": [node], "BaseTransfer": base}
        root = load_codec().encode(INVENTORY, message)
        data = signed_bytes(root, destination.signers[defaults.agent_code])
        self._schema.validate(root)
        return cop_no, file_name(INVENTORY, guid), envelope(eport, data, guid, INVENTORY, now)

    async def _receipts(self, incoming: Incoming) -> None:
        for receipt in receipts_of(read(incoming.data)):
            if not isinstance(receipt, Receipt):
                continue
            async with self._sessions.begin() as session:
                row = await session.get_one(Declared, receipt.key[-1])
                row.status = receipt.status
            await self._publish(row.order_no, STATUSES[receipt.status])

    async def _publish(self, order_no: str, status: str) -> None:
        case = {"direction": "import", "orderNo": order_no}
        result = {"id": uuid4().hex, "kind": "status", "case": case, "status": status, "verdict": "matched"}
        await self._results.publish(_message([result]), "import")

    async def _answer(self, message: AbstractIncomingMessage, count: int) -> None:
        answer = {"documents": [{"index": index, "outcome": "taken"} for index in range(count)]}
        said = _message(answer, message.correlation_id)
        await self._channel.default_exchange.publish(said, message.reply_to or "")


def _message(content: Any, correlation_id: str | None = None) -> aio_pika.Message:
    body = json.dumps(content, ensure_ascii=False).encode()
    persistent = aio_pika.DeliveryMode.PERSISTENT
    return aio_pika.Message(body, delivery_mode=persistent, correlation_id=correlation_id)


async def _run(configuration: Configuration) -> None:
    url = configuration.settings.bus_url.get_secret_value()
    async with await aio_pika.connect(url) as connection:
        baseline = Baseline(configuration, await connection.channel())
        await baseline.open()
        async with asyncio.TaskGroup() as group:
            group.create_task(baseline.take())
            group.create_task(baseline.receive())
            sys.stderr.write("ready\n")


if __name__ == "__main__":
    asyncio.run(_run(configure(Path(sys.argv[1]), os.environ)))
