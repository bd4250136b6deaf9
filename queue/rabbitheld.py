"""Deliveries of a RabbitMQ queue in the hands of a person: fetched one by one, over a channel of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .link import refused_by_name
from .rabbitconsumer import received

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiormq.abc import AbstractChannel

    from .bus import Delivery


class RabbitHeld:
    """What was fetched from a queue over a channel and goes back when that is closed.

    Its methods raise BusDownError when the connection is lost, and BusRefusedError where the broker says no.
    """

    def __init__(self, channel: AbstractChannel, queue: str, address: str) -> None:
        self._channel, self._queue, self._address = channel, queue, address
        self.deliveries: list[Delivery] = []

    async def fetch(self) -> bool:
        """Hold one more delivery; False when none waits."""
        async with refused_by_name("queue", self._queue, self._address):
            message = await self._channel.basic_get(self._queue)
        if message.delivery_tag is None:
            return False
        self.deliveries.append(received(message, self))
        return True

    async def ack(self, deliveries: Iterable[Delivery]) -> None:
        """They are dealt with."""
        async with refused_by_name("queue", self._queue, self._address):
            for each in deliveries:
                _, tag = cast("tuple[object, int]", each.token)
                await self._channel.basic_ack(tag)
