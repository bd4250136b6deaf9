"""What a consumer promises, on every bus."""

import asyncio

import pytest

from tongguan.queue.bus import BusRefusedError
from tongguan.queue.topology import Queue, Topology

WORK = Topology(queues=(Queue("work", delivery_limit=20),))


def numbers(deliveries):
    return [int(delivery.body) for delivery in deliveries]


async def test_deliveries_come_in_the_order_they_were_published(ground, message, consume, take):
    bus = await ground.open(WORK)
    for start in range(0, 300, 100):
        await bus.publish([message(start + number) for number in range(100)])

    consumer = await consume(bus)
    taken = await take(consumer, 300, consumer.ack)

    assert numbers(taken) == list(range(300))


async def test_a_list_has_at_most_batch_deliveries(ground, message, consume):
    bus = await ground.open(WORK)
    consumer = await consume(bus, warm=True, batch=4, linger_ms=2000)
    await bus.publish([message(number) for number in range(10)])

    sizes = []
    for _ in range(2):
        taken = await anext(consumer)
        sizes.append(len(taken))
        await consumer.ack(taken)

    assert sizes == [4, 4]


async def test_a_list_is_bounded_by_the_bytes_of_its_bodies(ground, message, consume):
    bus = await ground.open(WORK)
    consumer = await consume(bus, warm=True, batch_bytes=250, linger_ms=100)
    await bus.publish([message(number, body=b"x" * size) for number, size in enumerate([100, 100, 100, 900, 10])])

    sizes = []
    for _ in range(4):
        taken = await anext(consumer)
        sizes.append([len(delivery.body) for delivery in taken])
        await consumer.ack(taken)

    assert sizes == [[100, 100], [100], [900], [10]]


async def test_a_list_waits_for_more_as_long_as_it_may_linger(ground, message, consume):
    bus = await ground.open(WORK)
    consumer = await consume(bus, warm=True, linger_ms=400)
    taking = asyncio.ensure_future(anext(consumer))

    for number in range(3):
        await bus.publish([message(number)])
        await asyncio.sleep(0.05)

    assert numbers(await taking) == [0, 1, 2]


async def test_a_full_list_does_not_linger(ground, message, consume):
    bus = await ground.open(WORK)
    consumer = await consume(bus, warm=True, batch=3, linger_ms=60_000)

    await bus.publish([message(number) for number in range(3)])

    assert numbers(await asyncio.wait_for(anext(consumer), 5)) == [0, 1, 2]


async def test_no_more_than_prefetch_are_in_hand_before_something_is_settled(ground, message, consume, take, nothing):
    bus = await ground.open(WORK)
    consumer = await consume(bus, warm=True, prefetch=4, batch=100)
    await bus.publish([message(number) for number in range(6)])

    taken = await take(consumer, 4)
    stopped = await nothing(consumer)
    await consumer.ack(taken[:2])

    assert stopped
    assert numbers(taken + await take(consumer, 2)) == [0, 1, 2, 3, 4, 5]


async def test_an_idle_consumer_wakes_up_for_a_delivery(ground, message, consume):
    bus = await ground.open(WORK)
    consumer = await consume(bus)
    taking = asyncio.ensure_future(anext(consumer))
    await asyncio.sleep(0.1)

    await bus.publish([message(5)])

    assert numbers(await asyncio.wait_for(taking, 5)) == [5]


async def test_acknowledged_deliveries_do_not_come_again(ground, message, consume, take, depth):
    bus = await ground.open(WORK)
    await bus.publish([message(number) for number in range(5)])
    consumer = await consume(bus)
    await take(consumer, 5, consumer.ack)

    await consumer.close()

    assert await depth(bus, "work", 0)


async def test_acknowledging_out_of_order_settles_exactly_those(ground, message, consume, take, depth):
    bus = await ground.open(WORK)
    consumer = await consume(bus, warm=True)
    await bus.publish([message(number) for number in range(6)])
    taken = await take(consumer, 6)

    await consumer.ack([taken[4], taken[0], taken[2]])
    await consumer.close()

    again = await consume(bus)
    assert numbers(await take(again, 3, again.ack)) == [1, 3, 5]
    assert await depth(bus, "work", 0)


async def test_released_deliveries_come_again_first_in_order_and_counted(ground, message, consume, take):
    bus = await ground.open(WORK)
    consumer = await consume(bus, warm=True, prefetch=3)
    await bus.publish([message(number) for number in range(5)])
    taken = await take(consumer, 3)

    await consumer.release(taken)

    again = await take(consumer, 3)
    await consumer.ack(again)
    assert [(int(each.body), each.redeliveries) for each in again] == [(0, 1), (1, 1), (2, 1)]
    assert numbers(await take(consumer, 2)) == [3, 4]


async def test_a_delivery_comes_alone_from_its_second_redelivery_on(ground, message, consume, take):
    bus = await ground.open(WORK)
    consumer = await consume(bus, warm=True, prefetch=3, linger_ms=100)
    await bus.publish([message(number) for number in range(3)])
    for _ in range(2):
        await consumer.release(await take(consumer, 3))

    lists = []
    for _ in range(3):
        lists.append(await anext(consumer))
        await consumer.ack(lists[-1])

    assert [[(int(each.body), each.redeliveries) for each in one] for one in lists] == [[(0, 2)], [(1, 2)], [(2, 2)]]


async def test_settling_a_delivery_twice_is_harmless(ground, message, consume, take):
    bus = await ground.open(WORK)
    consumer = await consume(bus, warm=True)
    await bus.publish([message(number) for number in range(2)])
    first, second = await take(consumer, 2)
    await consumer.ack([first])

    await consumer.ack([first])
    await consumer.release([first])
    await consumer.reject([first])

    await consumer.ack([second])
    await bus.publish([message(2)])
    assert numbers(await take(consumer, 1)) == [2]


async def test_closing_gives_back_what_is_not_settled(ground, message, consume, take):
    bus = await ground.open(WORK)
    consumer = await consume(bus, warm=True)
    await bus.publish([message(number) for number in range(4)])
    taken = await take(consumer, 4)
    await consumer.ack(taken[:1])

    await consumer.close()

    again = await consume(bus)
    returned = await take(again, 3, again.ack)
    assert [(int(each.body), each.redeliveries) for each in returned] == [(1, 1), (2, 1), (3, 1)]


async def test_settling_after_the_close_is_harmless(ground, message, consume, take, depth):
    bus = await ground.open(WORK)
    await bus.publish([message()])
    consumer = await consume(bus)
    taken = await take(consumer, 1)
    await consumer.close()

    await consumer.ack(taken)
    await consumer.reject(taken)

    assert await depth(bus, "work", 1)


async def test_closing_ends_the_iteration(ground, consume):
    bus = await ground.open(WORK)
    consumer = await consume(bus)

    async def count():
        return [each async for each in consumer]

    counting = asyncio.ensure_future(count())
    await asyncio.sleep(0.1)

    await consumer.close()

    assert await asyncio.wait_for(counting, 5) == []
    assert not consumer.is_consuming


async def test_a_cancelled_wait_loses_nothing(ground, message, consume, take):
    bus = await ground.open(WORK)
    consumer = await consume(bus, warm=True, linger_ms=200)
    for _ in range(3):
        waiting = asyncio.ensure_future(anext(consumer))
        await asyncio.sleep(0.05)
        await bus.publish([message()])
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.wait([waiting])

    taken = await take(consumer, 3, consumer.ack)

    assert [each.redeliveries for each in taken] == [0, 0, 0]


async def test_two_consumers_share_a_queue_and_take_nothing_twice(ground, message, consume):
    bus = await ground.open(WORK)
    other_bus = await ground.open()
    await bus.publish([message(number) for number in range(200)])

    taken: list[int] = []
    complete = asyncio.Event()

    async def work(consumer):
        async for deliveries in consumer:
            taken.extend(numbers(deliveries))
            await consumer.ack(deliveries)
            if len(taken) >= 200:
                complete.set()

    consumers = [await consume(bus, batch=10), await consume(other_bus, batch=10)]
    working = [asyncio.ensure_future(work(consumer)) for consumer in consumers]
    await asyncio.wait_for(complete.wait(), 15)
    for consumer in consumers:
        await consumer.close()
    await asyncio.gather(*working)

    assert sorted(taken) == list(range(200))


async def test_consuming_from_a_missing_queue_is_refused_by_name(ground, consume):
    bus = await ground.open()

    with pytest.raises(BusRefusedError) as caught:
        await consume(bus, "absent-queue")

    assert "absent-queue" in str(caught.value)


async def test_the_depth_counts_what_waits_and_not_what_is_held(ground, message, consume, take, depth):
    bus = await ground.open(WORK)
    consumer = await consume(bus, warm=True, prefetch=2)
    await bus.publish([message(number) for number in range(5)])

    await take(consumer, 2)

    assert await depth(bus, "work", 3)
