"""The whole gateway in a simulated world: one seed decides what is pushed, what breaks, and who comes first.

Intake, dispatch, receive, route and tend run as they do in service, in one or two worker processes, on the embedded
bus, SQLite and real drop folders, against the simulated customs, in virtual time. Wherever a worker touches store, bus
or folders the seed may let it die as by kill -9, fail, or wait; clocks jump, and receipts come twice, late or cut.

    pytest tests/simulation                  the first 200 seeds
    pytest tests/simulation --seeds 10000    so many
    pytest tests/simulation --seed 7         one alone: the same things happen in it every time
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from simulated.life import Life
from tongguan.gateway.serving import Service
from tongguan.gateway.steps.route import Route
from tongguan.gateway.store.database import Statement, Transaction
from tongguan.gateway.store.messages import MessageStore, Moved
from tongguan.queue.bus import Consumer, Delivery, Message

Lived = Callable[[int], Life]
STRETCH = range(50, 250)
"""Seeds that are enough to catch each planted defect, and some that do are among the first."""


def test_whatever_happens_nothing_is_lost_and_nothing_is_doubled(lived: Lived, seed: int) -> None:
    life = lived(seed)

    assert life.wrong is None, str(life)


def test_a_seed_goes_the_same_way_every_time(lived: Lived) -> None:
    for seed in range(3):
        one, other = lived(seed), lived(seed)

        assert one.events == other.events
        assert one.wrong == other.wrong


def _caught(lived: Lived) -> Life | None:
    return next((life for seed in STRETCH if (life := lived(seed)).wrong), None)


class TestPlanted:
    def test_an_acknowledgement_before_the_commit_is_caught(
        self, lived: Lived, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        take = Service.take

        async def hasty(self: Service, consumer: Consumer, deliveries: Sequence[Delivery]) -> None:
            await consumer.ack(deliveries)
            await take(self, consumer, deliveries)

        monkeypatch.setattr(Service, "take", hasty)

        assert _caught(lived)

    def test_a_message_built_anew_for_its_second_sending_is_caught(
        self, lived: Lived, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        move = MessageStore.move
        rebuild = Statement("UPDATE declarations SET state = 'ready', message_id = NULL WHERE message_id = :id")

        async def forgetful(self: MessageStore, transaction: Transaction, moved: Sequence[Moved]) -> None:
            again = [each for each in moved if each.state in {"resend", "waiting"}]
            await move(self, transaction, [each for each in moved if each not in again])
            for each in again:
                await move(self, transaction, [each._replace(state="unanswered")])
                await transaction.run(rebuild, id=each.id)

        monkeypatch.setattr(MessageStore, "move", forgetful)

        assert _caught(lived)

    def test_results_marked_as_published_before_the_broker_has_them_are_caught(
        self, lived: Lived, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = Route.run

        class Later:
            def __init__(self) -> None:
                self.messages: list[Message] = []

            async def publish(self, messages: Sequence[Message]) -> None:
                self.messages += messages

        async def hasty(self: Any) -> int:
            bus, later = self._bus, Later()
            self._bus = later
            try:
                done = await run(self)
            finally:
                self._bus = bus
            await bus.publish(later.messages)
            return done

        monkeypatch.setattr(Route, "run", hasty)

        assert _caught(lived)
