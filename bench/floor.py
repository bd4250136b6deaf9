"""The floor: the work no gateway of this kind gets around, each piece measured alone, in one process.

Reading the documents, sealing them, storing them, checking an inventory against the schema, its canonical form and
digest, a hundredth of a signature, and the bytes through the broker. Nothing is linked, compared or decided.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from os import urandom

import aio_pika
import asyncpg
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from figures import per_thousand
from load import KINDS, Parcel
from lxml import etree

from tongguan.config.keys import KeyFile
from tongguan.gateway.sealing import Sealer
from tongguan.messages.codec import load_codec
from tongguan.messages.documents.kinds import BUS_KINDS

ROUNDS = 20
"""How often the work on one message is repeated."""


async def floor(deliveries: Sequence[Parcel], message: bytes, store_url: str, amqp_url: str) -> dict[str, float]:
    """Seconds for 1,000 triples by piece of work.

    ``deliveries`` are a load in full deliveries, ``message`` is a plain message of inventories as it was handed over.
    """
    parcels = [each for each in deliveries if each.orders]
    triples = sum(len(each.orders) for each in parcels) / len(KINDS)
    documents = await _documents(parcels, store_url)
    found = {name: per_thousand(seconds, int(triples)) for name, seconds in documents.items()}
    found["broker"] = per_thousand(await _broker(parcels, amqp_url), int(triples))
    return found | _message(message)


async def _documents(parcels: Sequence[Parcel], store_url: str) -> dict[str, float]:
    """Parse, seal and COPY, a delivery at a time."""
    sealer = Sealer(KeyFile(current="0001", masters={"0001": urandom(32)}, index=urandom(32)), urandom)
    connection = await asyncpg.connect(store_url)
    await connection.execute("CREATE TABLE floor (id bigint PRIMARY KEY, kind text NOT NULL, content bytea NOT NULL)")
    took = {"parse": 0.0, "seal": 0.0, "copy": 0.0}
    for number, parcel in enumerate(parcels):
        kind = parcel.routing_key.removeprefix("import.")
        raw = [json.dumps(each, ensure_ascii=False).encode() for each in json.loads(parcel.body)]
        begun = time.perf_counter()
        for each in raw:
            BUS_KINDS[kind].model_validate_json(each)
        parsed = time.perf_counter()
        rows = [(number * 1000 + at, kind, sealer.seal(each)) for at, each in enumerate(raw)]
        sealed = time.perf_counter()
        await connection.copy_records_to_table("floor", records=rows)
        stored = time.perf_counter()
        took = {
            "parse": took["parse"] + parsed - begun,
            "seal": took["seal"] + sealed - parsed,
            "copy": took["copy"] + stored - sealed,
        }
    await connection.close()
    return took


async def _broker(parcels: Sequence[Parcel], amqp_url: str) -> float:
    """Every delivery published with a confirmation to a quorum queue, taken from it and acknowledged."""
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("floor", durable=True, arguments={"x-queue-type": "quorum"})
        begun = time.perf_counter()
        for parcel in parcels:
            message = aio_pika.Message(parcel.body.encode(), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
            await channel.default_exchange.publish(message, queue.name)
        left = len(parcels)
        async with queue.iterator() as messages:
            async for message in messages:
                await message.ack()
                left -= 1
                if not left:
                    break
        return time.perf_counter() - begun


def _message(data: bytes) -> dict[str, float]:
    """Validate, canonicalise and digest, sign: of one message, shared by the inventories in it."""
    root = etree.fromstring(data)
    inventories = len(root.findall("{*}Inventory"))
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    digest = b""

    def canonical() -> None:
        nonlocal digest
        digest = hashlib.sha1(etree.tostring(root, method="c14n"), usedforsecurity=False).digest()

    pieces: dict[str, Callable[[], object]] = {
        "validate": lambda: load_codec().check(root),
        "canonical form and digest": canonical,
        "signature": lambda: key.sign(digest, padding.PKCS1v15(), hashes.SHA256()),
    }
    return {name: per_thousand(_seconds(piece), inventories) for name, piece in pieces.items()}


def _seconds(piece: Callable[[], object]) -> float:
    piece()
    begun = time.perf_counter()
    for _ in range(ROUNDS):
        piece()
    return (time.perf_counter() - begun) / ROUNDS
