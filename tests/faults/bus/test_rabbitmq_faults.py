"""RabbitMQ is killed, cut off, frozen, robbed of a queue: nothing that was confirmed is lost, and work goes on."""

import asyncio

import pytest

from tongguan.queue.bus import BusError, Failure, UnconfirmedError
from tongguan.queue.rabbitmq import RabbitBus
from tongguan.queue.topology import Queue, Topology

pytestmark = [pytest.mark.services, pytest.mark.faults]

WORK = Topology(queues=(Queue("work", 10_000, "reject-publish", delivery_limit=20),))
SETTINGS = {"prefetch": 50, "batch": 20, "batch_bytes": 1_000_000, "linger_ms": 0}


@pytest.fixture
async def bus(line_url):
    async with RabbitBus(line_url) as bus:
        await bus.declare(WORK)
        yield bus


async def test_a_cut_connection_brings_back_what_was_not_acknowledged(bus, line, messages, collect, becomes):
    await bus.publish(messages(0, 40))
    consumer = await bus.consume("work", **SETTINGS)
    await consumer.ack(await anext(consumer))
    in_hand = await anext(consumer)

    line.cut()
    lost = await becomes(lambda: not consumer.is_consuming)
    await consumer.ack(in_hand)
    back = await becomes(lambda: consumer.is_consuming)

    taken = await collect(consumer, range(1, 40))
    assert lost
    assert back
    assert {int(each.body): each.redeliveries for each in taken}[int(in_hand[0].body)] >= 1
    assert await bus.depth("work") == 0


async def test_cuts_over_and_over_lose_nothing_and_bury_nothing(bus, line, messages, collect, publish_somehow):
    consumer = await bus.consume("work", **SETTINGS)
    collecting = asyncio.ensure_future(collect(consumer, range(300)))

    for start in range(0, 300, 50):
        line.cut()
        await publish_somehow(bus, messages(start, start + 50))
        await asyncio.sleep(0.2)

    taken = await collecting
    assert {int(each.body) for each in taken} == set(range(300))


async def test_a_publish_through_a_cut_line_says_what_is_unknown(bus, line, messages, publish_somehow):
    line.freeze()
    publishing = asyncio.ensure_future(bus.publish(messages(0, 10)))
    await asyncio.sleep(0.2)

    line.cut()
    line.thaw()

    with pytest.raises(UnconfirmedError) as caught:
        await publishing
    assert set(caught.value.failures.values()) == {Failure.UNKNOWN}
    await publish_somehow(bus, messages(0, 10))
    assert await bus.depth("work") >= 10


async def test_a_publish_that_is_never_confirmed_is_given_up(bus, line, messages, publish_somehow, monkeypatch):
    monkeypatch.setattr("tongguan.queue.rabbitmq.CONFIRM_S", 0.5)
    monkeypatch.setattr("tongguan.queue.link.CLOSE_S", 0.5)
    line.freeze()

    with pytest.raises(UnconfirmedError) as caught:
        await bus.publish(messages(0, 10))

    line.cut()
    line.thaw()
    assert caught.value.failures == dict.fromkeys(range(10), Failure.UNKNOWN)
    await publish_somehow(bus, messages(0, 10))


async def test_a_delivery_that_the_library_drops_is_fetched_again(bus, messages, collect):
    consumer = await bus.consume("work", **SETTINGS)
    await bus.publish(messages(0, 1))
    await collect(consumer, range(1))
    receivers = consumer._attachment._underlay.consumers
    dropped = dict(receivers)
    receivers.clear()
    await bus.publish(messages(1, 2))
    await asyncio.sleep(0.2)
    receivers.update(dropped)

    await bus.publish(messages(2, 10))

    taken = await collect(consumer, range(1, 10))
    assert min(each.redeliveries for each in taken if each.body == b"1") == 1


@pytest.fixture
def delete_queue(rabbitmq, vhost):
    """Delete a queue behind the back of those who use it."""
    return lambda name: rabbitmq.api("DELETE", f"queues/{vhost}/{name}")


async def test_a_deleted_queue_is_consumed_again_once_it_is_back(bus, messages, collect, becomes, delete_queue):
    consumer = await bus.consume("work", **SETTINGS)

    delete_queue("work")
    gone = await becomes(lambda: not consumer.is_consuming)
    await bus.declare(WORK)
    back = await becomes(lambda: consumer.is_consuming)

    await bus.publish(messages(0, 10))
    await collect(consumer, range(10))
    assert gone
    assert back


async def test_a_killed_broker_comes_back_with_all_it_confirmed(bus, mortal, messages, collect, becomes):
    await asyncio.sleep(1)  # RabbitMQ writes down where a new quorum queue has its folder half a second later
    consumer = await bus.consume("work", **SETTINGS)
    await bus.publish(messages(0, 100))
    first = await anext(consumer)
    await consumer.ack(first)
    in_hand = await anext(consumer)

    mortal.kill()
    lost = await becomes(lambda: not consumer.is_consuming)
    with pytest.raises(BusError):
        await bus.publish(messages(100, 110))
    await consumer.ack(in_hand)
    await asyncio.to_thread(mortal.start)
    back = await becomes(lambda: consumer.is_consuming)

    await bus.publish(messages(100, 110))
    await collect(consumer, range(len(first) + len(in_hand), 110))
    assert lost
    assert back
