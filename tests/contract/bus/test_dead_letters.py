"""What becomes of deliveries that cannot be dealt with, on every bus."""

import pytest

from tongguan.queue.bus import BusRefusedError
from tongguan.queue.topology import Binding, Exchange, Queue, Topology

DYING = Topology(
    exchanges=(Exchange("dead", "fanout"),),
    queues=(Queue("dead", 1000, "reject-publish"), Queue("work", 1000, "reject-publish", 2, "dead")),
    bindings=(Binding("dead", "", "dead"),),
)


async def test_a_delivery_given_back_too_often_is_dead_and_whole(ground, message, consume, take, nothing):
    bus = await ground.open(DYING)
    values = {"correlation_id": "c", "reply_to": "r", "app_id": "a", "user_id": "guest", "headers": {"h": "v"}}
    await bus.publish([message(1, body="运单".encode(), **values)])
    consumer = await consume(bus)

    counts = [each.redeliveries for each in await take(consumer, 3, consumer.release)]

    (dead,) = await take(await consume(bus, "dead"), 1)
    assert counts == [0, 1, 2]
    assert await nothing(consumer)
    assert (dead.body, dead.message_id, dead.routing_key, dead.exchange) == ("运单".encode(), "m1", "work", "dead")
    assert {name: getattr(dead, name) for name in values} == values
    assert (dead.redeliveries, dead.death.reason) == (0, "delivery_limit")
    assert (dead.death.queue, dead.death.exchange) == ("work", "")
    assert dead.death.at > 1_700_000_000_000


async def test_a_rejected_delivery_is_dead_at_once(ground, message, consume, take, depth):
    bus = await ground.open(DYING)
    consumer = await consume(bus, warm=True)
    await bus.publish([message(number) for number in range(3)])
    taken = await take(consumer, 3)

    await consumer.reject(taken[1:])
    await consumer.ack(taken[:1])

    graveyard = await consume(bus, "dead")
    dead = await take(graveyard, 2, graveyard.ack)
    assert sorted(int(each.body) for each in dead) == [1, 2]
    assert {each.death.reason for each in dead} == {"rejected"}
    assert await depth(bus, "work", 0)


async def test_only_the_delivery_that_keeps_failing_dies(ground, message, consume, take, depth):
    bus = await ground.open(DYING)
    await bus.publish([message(number) for number in range(5)])
    consumer = await consume(bus)
    worked: list[int] = []

    async def settle(deliveries):
        await consumer.release([each for each in deliveries if each.body == b"2"])
        fine = [each for each in deliveries if each.body != b"2"]
        worked.extend(int(each.body) for each in fine)
        await consumer.ack(fine)

    await take(consumer, 7, settle)

    (dead,) = await take(await consume(bus, "dead"), 1)
    assert dead.body == b"2"
    assert sorted(worked) == [0, 1, 3, 4]
    assert await depth(bus, "work", 0)


async def test_without_dead_letters_a_rejected_delivery_is_gone(ground, message, consume, take, depth):
    bus = await ground.open(Topology(queues=(Queue("work"),)))
    await bus.publish([message()])
    consumer = await consume(bus)

    await take(consumer, 1, consumer.reject)

    await consumer.close()
    assert await depth(bus, "work", 0)


async def test_a_queue_without_delivery_limit_gives_back_as_often_as_asked(ground, message, consume, take):
    bus = await ground.open(Topology(queues=(Queue("work"),)))
    await bus.publish([message()])
    consumer = await consume(bus)

    taken = await take(consumer, 30, consumer.release)

    assert [each.redeliveries for each in taken] == list(range(30))


async def test_what_a_bounded_queue_drops_is_dead_too(ground, message, consume, take):
    bounded = Topology(DYING.exchanges, (DYING.queues[0], Queue("work", 2, "drop-head", 2, "dead")), DYING.bindings)
    bus = await ground.open(bounded)

    await bus.publish([message(number) for number in range(4)])

    graveyard = await consume(bus, "dead")
    dead = await take(graveyard, 2, graveyard.ack)
    assert [int(each.body) for each in dead] == [0, 1]
    assert {each.death.reason for each in dead} == {"maxlen"}


async def test_a_header_that_claims_a_death_does_not_make_one(ground, message, consume, take):
    bus = await ground.open(DYING)
    forged = {"x-death": "customs", "x-delivery-count": 99, "x-mine": "kept"}

    await bus.publish([message(headers=forged)])

    (delivery,) = await take(await consume(bus), 1)
    assert (delivery.death, delivery.redeliveries) == (None, 0)
    assert delivery.headers["x-mine"] == "kept"


async def test_what_a_person_holds_is_the_oldest_and_goes_back_in_order(ground, message, depth):
    bus = await ground.open(DYING)
    await bus.publish([message(number, routing_key="dead") for number in range(4)])
    seen = []
    for _ in range(4):
        async with bus.hold("dead", 3) as held:
            seen.append([int(each.body) for each in held.deliveries])
            assert await depth(bus, "dead", 1)

    assert seen == [[0, 1, 2]] * 4
    assert await depth(bus, "dead", 4)


async def test_what_a_person_dealt_with_is_gone_and_the_rest_is_not(ground, message, depth):
    bus = await ground.open(DYING)
    await bus.publish([message(number, routing_key="dead") for number in range(3)])

    async with bus.hold("dead", 10) as held:
        await held.ack(held.deliveries[1:2])

    async with bus.hold("dead", 10) as held:
        assert [int(each.body) for each in held.deliveries] == [0, 2]


async def test_nothing_is_held_of_an_empty_queue(ground):
    bus = await ground.open(DYING)

    async with bus.hold("dead", 10) as held:
        assert held.deliveries == []


async def test_a_queue_that_is_not_there_cannot_be_held(ground):
    bus = await ground.open(DYING)

    with pytest.raises(BusRefusedError) as refused:
        async with bus.hold("nowhere", 10):
            pass

    assert refused.value.fault.code == "bus-missing"
