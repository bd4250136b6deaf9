"""A consumer that is killed loses nothing, and what a killed publisher was told is stored is there."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from tongguan.queue.topology import Queue, Topology

pytestmark = pytest.mark.faults

WORK = Topology(queues=(Queue("work", delivery_limit=20),))


@pytest.fixture(params=["file", pytest.param("rabbitmq", marks=pytest.mark.services)])
def ground(request, ground_of):
    return ground_of(request.param)


@asynccontextmanager
async def living(command):
    """A process and the first number it says; killed with -9 at the end if not before."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output = process.stdout
    assert output is not None
    try:
        yield process, int(await asyncio.wait_for(output.readline(), 20))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_what_a_killed_process_held_comes_again(ground, message, consume, take, depth):
    bus = await ground.open(WORK)
    await bus.publish([message(number) for number in range(10)])

    async with living(ground.mortal("hold", "work")) as (process, held):
        process.kill()

    consumer = await consume(bus)
    taken = await take(consumer, 10, consumer.ack)
    assert [int(each.body) for each in taken] == list(range(10))
    assert [each.redeliveries for each in taken] == [1] * held + [0] * (10 - held)
    assert await depth(bus, "work", 0)


async def test_a_consumer_that_waits_gets_what_a_killed_process_held(ground, message, consume):
    bus = await ground.open(WORK)
    await bus.publish([message()])
    async with living(ground.mortal("hold", "work")) as (process, _):
        consumer = await consume(bus)
        waiting = asyncio.ensure_future(anext(consumer))
        await asyncio.sleep(0.5)
        before = waiting.done()

        process.kill()

        (delivery,) = await asyncio.wait_for(waiting, 10)
    assert not before
    assert delivery.redeliveries == 1


async def test_what_a_living_process_holds_is_left_to_it(ground, message, consume, nothing):
    bus = await ground.open(WORK)
    await bus.publish([message()])

    async with living(ground.mortal("hold", "work")):
        consumer = await consume(bus)
        quiet = await nothing(consumer)

    assert quiet


async def test_what_a_publisher_was_told_is_stored_survives_its_death(ground, consume, take):
    bus = await ground.open(WORK)
    async with living(ground.mortal("publish", "work")) as (process, _):
        await asyncio.sleep(0.5)
        process.kill()
        said = (await process.communicate())[0].split()

    consumer = await consume(bus)
    taken = await take(consumer, len(said) + 1, consumer.ack)
    assert len(said) > 10
    assert [int(each.body) for each in taken[: len(said) + 1]] == [0, *(int(number) for number in said)]
