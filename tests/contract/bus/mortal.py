"""A process to be killed: it holds deliveries of a queue, or publishes to it, and says what it has achieved."""

import asyncio
import sys
from itertools import count

from cryptography.fernet import Fernet

from tongguan.queue.bus import Bus, Message
from tongguan.queue.embedded import EmbeddedBus
from tongguan.queue.rabbitmq import RabbitBus


def say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


async def hold(bus: Bus, queue: str) -> None:
    """Take a list of deliveries, say how many they are, and never settle them."""
    consumer = await bus.consume(queue, prefetch=100, batch=100, batch_bytes=1_000_000, linger_ms=0)
    say(len(await anext(consumer)))
    await asyncio.sleep(3600)


async def publish(bus: Bus, queue: str) -> None:
    """Publish one number after the other and say each once it is confirmed."""
    for number in count():
        values = {"body": b"%d" % number, "content_type": "text/plain", "message_id": f"m{number}"}
        await bus.publish([Message(exchange="", routing_key=queue, **values)])
        say(number)


async def live(task: str, kind: str, where: str, key: str, queue: str) -> None:
    seal = Fernet(key)
    bus: Bus = (
        RabbitBus(where)
        if kind == "rabbitmq"
        else EmbeddedBus(where, seal=seal.encrypt, unseal=seal.decrypt, now_ms=lambda: 0)
    )
    await bus.open()
    await {"hold": hold, "publish": publish}[task](bus, queue)


asyncio.run(live(*sys.argv[1:]))
