"""The gateway's own exchanges and queues, on every bus."""

import pytest

from tongguan.queue.bus import Failure, UnconfirmedError
from tongguan.queue.topology import (
    ANSWERS,
    DEAD,
    DOCUMENTS,
    INTAKE,
    RESULTS,
    UNROUTED,
    Binding,
    Queue,
    Topology,
    answer_queue,
    answer_route,
    topology,
)


@pytest.fixture
async def bus(ground):
    return await ground.open(
        topology(
            ["shop", "carrier"],
            delivery_limit=2,
            intake_length_max=1000,
            answers_length_max=3,
            dead_length_max=1000,
        )
    )


@pytest.mark.parametrize("key", ["import.order", "import.payment", "import.waybill", "ceb", "anything.else", ""])
async def test_every_delivery_reaches_intake(bus, message, consume, take, key):
    await bus.publish([message(0, DOCUMENTS, key, mandatory=True)])

    (delivery,) = await take(await consume(bus, INTAKE), 1)
    assert delivery.routing_key == key


async def test_an_answer_goes_to_the_queue_the_sender_named_with_its_correlation_id(bus, message, consume, take):
    await bus.declare(Topology(queues=(Queue("shop.replies"),)))
    await bus.publish([message(0, DOCUMENTS, "import.order", correlation_id="c-9", reply_to="shop.replies")])
    (delivery,) = await take(await consume(bus, INTAKE), 1)

    exchange, key = answer_route(delivery.reply_to, "shop")
    await bus.publish([message(1, exchange, key, correlation_id=delivery.correlation_id, mandatory=True)])

    (answer,) = await take(await consume(bus, "shop.replies"), 1)
    assert (answer.body, answer.correlation_id) == (b"1", "c-9")


async def test_an_answer_to_a_queue_that_is_gone_can_go_to_the_party_instead(bus, message, consume, take):
    exchange, key = answer_route("gone", "shop")

    with pytest.raises(UnconfirmedError) as caught:
        await bus.publish([message(0, exchange, key, mandatory=True)])
    await bus.publish([message(0, *answer_route(None, "shop"), mandatory=True)])

    assert caught.value.failures == {0: Failure.UNROUTABLE}
    (answer,) = await take(await consume(bus, answer_queue("shop")), 1)
    assert answer.body == b"0"


async def test_the_answers_of_a_party_nobody_registered_are_kept_aside(bus, message, depth):
    await bus.publish([message(0, ANSWERS, "stranger", mandatory=True), message(1, ANSWERS, "carrier")])

    assert await depth(bus, UNROUTED, 1)
    assert await depth(bus, answer_queue("carrier"), 1)
    assert await depth(bus, answer_queue("shop"), 0)


async def test_a_party_that_reads_nothing_loses_its_oldest_answers_only(bus, message, consume, take, depth):
    await bus.publish([message(number, ANSWERS, "shop") for number in range(5)] + [message(9, ANSWERS, "carrier")])

    consumer = await consume(bus, answer_queue("shop"))
    assert [each.body for each in await take(consumer, 3, consumer.ack)] == [b"2", b"3", b"4"]
    assert await depth(bus, answer_queue("carrier"), 1)
    assert await depth(bus, UNROUTED, 0)


async def test_results_reach_those_who_bound_a_queue_for_them(bus, message, depth):
    await bus.declare(Topology(queues=(Queue("erp"),), bindings=(Binding(RESULTS, "import.*.shop", "erp"),)))

    await bus.publish(
        [
            message(0, RESULTS, "import.released.shop"),
            message(1, RESULTS, "import.released.other"),
            message(2, RESULTS, "export.released.shop"),
        ]
    )

    assert await depth(bus, "erp", 1)


async def test_a_delivery_that_kills_its_worker_ends_among_the_dead(bus, message, consume, take):
    await bus.publish([message(0, DOCUMENTS, "import.order")])
    for _ in range(3):
        consumer = await consume(bus, INTAKE)
        await take(consumer, 1)
        await consumer.close()

    (dead,) = await take(await consume(bus, DEAD), 1)
    assert (dead.routing_key, dead.death.queue, dead.death.exchange) == ("import.order", INTAKE, DOCUMENTS)


async def test_a_registered_party_can_be_added_later(bus, message, depth):
    limits = {"delivery_limit": 2, "intake_length_max": 1000, "answers_length_max": 3, "dead_length_max": 1000}

    await bus.declare(topology(["shop", "carrier", "payer"], **limits))

    await bus.publish([message(0, ANSWERS, "payer")])
    assert await depth(bus, answer_queue("payer"), 1)
