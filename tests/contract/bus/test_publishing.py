"""What a publish promises, on every bus."""

import pytest

from tongguan.queue.bus import BusRefusedError, Failure, UnconfirmedError
from tongguan.queue.topology import Binding, Exchange, Queue, Topology

TOPICS = Topology(
    exchanges=(Exchange("topics", "topic"), Exchange("all", "fanout"), Exchange("names", "direct", alternate="all")),
    queues=(Queue("work"), Queue("orders"), Queue("imports"), Queue("rest")),
    bindings=(
        Binding("topics", "import.#", "imports"),
        Binding("topics", "*.order", "orders"),
        Binding("names", "here", "work"),
        Binding("all", "", "rest"),
    ),
)
ROOM_FOR_THREE = Topology(queues=(Queue("work", 3, "reject-publish"), Queue("other")))


async def test_a_topic_reaches_every_queue_whose_pattern_fits(ground, message, depth):
    bus = await ground.open(TOPICS)
    keys = ["import.order", "import", "export.order", "import.order.late", "export"]

    await bus.publish([message(n, "topics", key) for n, key in enumerate(keys)])

    assert await depth(bus, "imports", 3)
    assert await depth(bus, "orders", 2)


async def test_a_message_arrives_with_all_its_properties(ground, message, consume, take):
    bus = await ground.open(TOPICS)
    values = {"correlation_id": "c-1", "reply_to": "back", "app_id": "shop", "user_id": "guest", "headers": {"a": 1}}
    body = "单证".encode() + bytes(range(256))

    await bus.publish([message(7, "topics", "export.order", body=body, **values)])

    (delivery,) = await take(await consume(bus, "orders"), 1)
    assert (delivery.exchange, delivery.routing_key, delivery.body) == ("topics", "export.order", body)
    assert (delivery.content_type, delivery.message_id) == ("application/json", "m7")
    assert {name: getattr(delivery, name) for name in values} == values
    assert (delivery.redeliveries, delivery.death) == (0, None)


async def test_what_is_left_out_of_a_message_is_none(ground, message, consume, take):
    bus = await ground.open(TOPICS)

    await bus.publish([message(body=b"")])

    (delivery,) = await take(await consume(bus), 1)
    assert delivery.body == b""
    assert (delivery.correlation_id, delivery.reply_to, delivery.app_id, delivery.user_id) == (None,) * 4
    assert delivery.headers == {}


async def test_a_large_body_arrives_whole(ground, message, consume, take):
    bus = await ground.open(TOPICS)
    body = bytes(range(256)) * 16 * 1024

    await bus.publish([message(body=body)])

    (delivery,) = await take(await consume(bus), 1)
    assert delivery.body == body


async def test_a_name_without_binding_goes_to_the_alternate_exchange(ground, message, depth):
    bus = await ground.open(TOPICS)

    await bus.publish([message(0, "names", "here", mandatory=True), message(1, "names", "nowhere", mandatory=True)])

    assert await depth(bus, "work", 1)
    assert await depth(bus, "rest", 1)


async def test_a_message_that_nobody_wants_is_forgotten_without_error(ground, message, depth):
    bus = await ground.open(TOPICS)

    await bus.publish([message(0, "topics", "nobody"), message(1)])

    assert await depth(bus, "work", 1)


async def test_a_mandatory_message_that_reaches_no_queue_is_named_and_the_others_are_stored(ground, message, depth):
    bus = await ground.open(TOPICS)
    messages = [message(n, routing_key="work" if n != 1 else "vanished", mandatory=True) for n in range(3)]

    with pytest.raises(UnconfirmedError) as caught:
        await bus.publish(messages)

    assert caught.value.failures == {1: Failure.UNROUTABLE}
    assert await depth(bus, "work", 2)


async def test_mandatory_messages_with_the_same_id_are_told_apart(ground, message, depth):
    bus = await ground.open(TOPICS)
    messages = [message(0, routing_key=key, mandatory=True) for key in ("vanished", "work", "vanished")]

    with pytest.raises(UnconfirmedError) as caught:
        await bus.publish(messages)

    assert caught.value.failures == {0: Failure.UNROUTABLE, 2: Failure.UNROUTABLE}
    assert await depth(bus, "work", 1)


async def test_a_missing_exchange_is_named_and_the_bus_goes_on(ground, message):
    bus = await ground.open(TOPICS)
    messages = [message(0), message(1, "no such exchange"), message(2)]

    with pytest.raises(UnconfirmedError) as caught:
        await bus.publish(messages)

    assert caught.value.failures == {1: Failure.REFUSED}
    await bus.publish([message(3)])
    assert await bus.depth("work") >= 3


async def test_a_lying_user_id_is_refused(ground, message):
    bus = await ground.open(TOPICS)

    with pytest.raises(UnconfirmedError) as caught:
        await bus.publish([message(0, user_id="guest"), message(1, user_id="customs")])

    assert caught.value.failures == {1: Failure.REFUSED}
    assert await bus.depth("work") >= 1


async def test_a_property_longer_than_255_bytes_is_refused(ground, message, depth):
    bus = await ground.open(TOPICS)
    messages = [message(0, correlation_id="号" * 85), message(1, correlation_id="号" * 86), message(2)]

    with pytest.raises(UnconfirmedError) as caught:
        await bus.publish(messages)

    assert caught.value.failures == {1: Failure.REFUSED}
    assert await depth(bus, "work", 2)


async def test_a_full_queue_refuses_and_says_so(ground, message, consume, take):
    bus = await ground.open(ROOM_FOR_THREE)

    failures: list[Failure] = []
    for number in range(12):
        try:
            await bus.publish([message(number)])
        except UnconfirmedError as error:
            failures += error.failures.values()

    assert set(failures) == {Failure.FULL}
    stored = 12 - len(failures)
    assert 3 <= stored <= 6  # RabbitMQ may take a few more before it refuses
    consumer = await consume(bus)
    taken = await take(consumer, stored, consumer.ack)
    assert [each.body for each in taken] == [b"%d" % number for number in range(stored)]


async def test_a_full_queue_takes_more_once_there_is_room(ground, message, consume, take):
    bus = await ground.open(ROOM_FOR_THREE)
    consumer = await consume(bus)

    async def publish(number):
        try:
            await bus.publish([message(number)])
        except UnconfirmedError:
            return False
        return True

    before = [await publish(number) for number in range(12)]
    await take(consumer, sum(before), consumer.ack)
    after = [await publish(number) for number in range(100)]

    assert not all(before)
    assert any(after)


async def test_a_bounded_queue_can_drop_its_oldest_instead(ground, message, consume, take, nothing):
    bus = await ground.open(Topology(queues=(Queue("work", 3, "drop-head"),)))

    await bus.publish([message(number) for number in range(10)])

    consumer = await consume(bus)
    assert [each.body for each in await take(consumer, 3, consumer.ack)] == [b"7", b"8", b"9"]
    assert await nothing(consumer)


async def test_publishing_nothing_does_nothing(ground):
    bus = await ground.open(TOPICS)

    await bus.publish([])

    assert await bus.depth("work") == 0


async def test_declaring_again_changes_nothing(ground, message, depth):
    bus = await ground.open(TOPICS)
    await bus.publish([message()])

    await bus.declare(TOPICS)

    await bus.verify(TOPICS)
    assert await depth(bus, "work", 1)


async def test_an_exchange_of_another_kind_is_refused_by_name(ground):
    bus = await ground.open(TOPICS)

    with pytest.raises(BusRefusedError) as caught:
        await bus.declare(Topology(exchanges=(Exchange("topics", "direct"),)))

    assert "topics" in str(caught.value)


@pytest.mark.parametrize(
    ("missing", "name"),
    [
        (Topology(exchanges=(Exchange("absent-exchange", "topic"),)), "absent-exchange"),
        (Topology(queues=(Queue("absent-queue"),)), "absent-queue"),
    ],
)
async def test_verify_names_what_is_missing(ground, missing, name):
    bus = await ground.open(TOPICS)

    with pytest.raises(BusRefusedError) as caught:
        await bus.verify(missing)

    assert name in caught.value.fault.zh
    assert name in caught.value.fault.en


async def test_the_depth_of_a_missing_queue_is_refused_by_name(ground):
    bus = await ground.open()

    with pytest.raises(BusRefusedError) as caught:
        await bus.depth("absent-queue")

    assert "absent-queue" in str(caught.value)
