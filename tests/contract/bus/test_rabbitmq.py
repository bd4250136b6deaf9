"""What only a broker does: accounts, permissions, direct replies, and senders that are not ours."""

import asyncio
import logging
import struct
from datetime import UTC, datetime

import aio_pika
import pytest
from aiormq import spec
from pamqp import encode

from tongguan.queue.bus import BusDownError, BusRefusedError, Failure, UnconfirmedError
from tongguan.queue.rabbitmq import RabbitBus
from tongguan.queue.topology import Binding, Exchange, Queue, Topology

pytestmark = pytest.mark.services

DYING = Topology(
    exchanges=(Exchange("dead", "fanout"),),
    queues=(Queue("dead", 1000, "reject-publish"), Queue("work", 1000, "reject-publish", 2, "dead")),
    bindings=(Binding("dead", "", "dead"),),
)


@pytest.fixture
async def bus(amqp_url):
    async with RabbitBus(amqp_url) as bus:
        await bus.declare(DYING)
        yield bus


@pytest.fixture
async def sender(amqp_url):
    """A client that is not ours."""
    async with await aio_pika.connect(amqp_url) as connection:
        yield await connection.channel()


async def test_a_queue_with_other_limits_is_refused_by_name(bus):
    with pytest.raises(BusRefusedError) as caught:
        await bus.declare(Topology(queues=(Queue("work", 5),)))

    assert caught.value.fault.code == "bus-differs"
    assert "work" in str(caught.value)


@pytest.mark.usefixtures("bus")
async def test_an_account_that_may_only_read_and_write_finds_everything_but_makes_nothing(rabbitmq, vhost):
    account = rabbitmq.new_account(vhost, configure="^$")
    async with RabbitBus(rabbitmq.url(vhost, account, account)) as limited:
        await limited.verify(DYING)

        with pytest.raises(BusRefusedError) as caught:
            await limited.declare(Topology(queues=(Queue("new"),)))

    rabbitmq.drop_account(account)
    assert caught.value.fault.code == "bus-forbidden"
    assert "new" in str(caught.value)


@pytest.mark.usefixtures("bus")
async def test_an_account_without_permission_can_neither_consume_nor_publish(rabbitmq, vhost, message, consume):
    account = rabbitmq.new_account(vhost, write="^other$", read="^other$")
    async with RabbitBus(rabbitmq.url(vhost, account, account)) as limited:
        with pytest.raises(BusRefusedError) as consuming:
            await consume(limited)
        with pytest.raises(UnconfirmedError) as publishing:
            await limited.publish([message()])

    rabbitmq.drop_account(account)
    assert consuming.value.fault.code == "bus-forbidden"
    assert publishing.value.failures == {0: Failure.REFUSED}


async def test_the_account_of_a_sender_is_what_the_broker_verified(bus, rabbitmq, vhost, message, consume):
    account = rabbitmq.new_account(vhost)
    async with RabbitBus(rabbitmq.url(vhost, account, account)) as shop:
        await shop.publish([message(user_id=account)])

    (delivery,) = await anext(await consume(bus))

    rabbitmq.drop_account(account)
    assert delivery.user_id == account


@pytest.mark.parametrize(
    ("vhost_name", "password", "code"), [("", "wrong-secret", "bus-login"), ("no-such-vhost", "guest", "bus-vhost")]
)
async def test_a_login_that_fails_says_what_to_change_and_no_password(rabbitmq, vhost_name, password, code):
    url = rabbitmq.url(vhost_name or "/", "guest", password)

    with pytest.raises(BusRefusedError) as caught:
        await RabbitBus(url).open()

    fault = caught.value.fault
    assert fault.code == code
    assert str(rabbitmq.port) in fault.zh
    assert "wrong-secret" not in f"{caught.value} {fault.zh} {fault.en}"


async def test_a_broker_that_is_not_there_is_down(services):
    (port,) = services.free_ports(1)

    with pytest.raises(BusDownError) as caught:
        await RabbitBus(f"amqp://guest:hidden@127.0.0.1:{port}/").open()

    assert caught.value.fault.code == "bus-unreachable"
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("url", ["localhost", "http://localhost", "amqp://", "embedded:var/bus.db"])
def test_a_url_of_another_kind_is_an_error(url):
    with pytest.raises(ValueError, match="amqp"):
        RabbitBus(url)


async def test_a_requester_without_a_queue_gets_its_direct_reply(bus, sender, message, consume, take):
    replies = asyncio.Queue()
    queue = await sender.get_queue("amq.rabbitmq.reply-to", ensure=False)
    await queue.consume(replies.put, no_ack=True)
    await sender.default_exchange.publish(aio_pika.Message(b"?", reply_to="amq.rabbitmq.reply-to"), "work")
    (asked,) = await take(await consume(bus), 1)

    await bus.publish([message(0, "", asked.reply_to, body=b"!", correlation_id="c", mandatory=True)])

    answer = await asyncio.wait_for(replies.get(), 5)
    assert (answer.body, answer.correlation_id) == (b"!", "c")


async def test_a_message_of_a_foreign_client_needs_no_properties(bus, sender, consume, take):
    await sender.default_exchange.publish(aio_pika.Message(b"bare"), "work")

    (delivery,) = await take(await consume(bus), 1)

    assert (delivery.body, delivery.content_type, delivery.reply_to, delivery.user_id) == (b"bare", None, None, None)


@pytest.fixture
def publish_undecodable(sender, monkeypatch):
    """Publish a message whose timestamp no year can hold: the client library fails on it before we see it."""

    async def publish():
        channel = await sender.get_underlay_channel()
        poison = spec.Basic.Properties(timestamp=datetime.now(UTC), message_id="poison")
        with monkeypatch.context() as patch:
            patch.setitem(encode.METHODS, "timestamp", lambda _: struct.pack(">Q", 2**62))
            await channel.basic_publish(b"poison", routing_key="work", properties=poison)

    return publish


async def test_a_delivery_the_library_cannot_decode_dies_alone(bus, amqp_url, message, depth, publish_undecodable):
    await bus.publish([message(number) for number in range(5)])
    await publish_undecodable()
    await bus.publish([message(5 + number) for number in range(5)])

    worked = set()
    async with RabbitBus(amqp_url) as worker:
        consumer = await worker.consume("work", prefetch=100, batch=100, batch_bytes=1_000_000, linger_ms=0)

        async def work():
            async for deliveries in consumer:
                worked.update(int(each.body) for each in deliveries)
                await consumer.ack(deliveries)

        working = asyncio.ensure_future(work())
        died = await depth(bus, "dead", 1)
        finished = await depth(bus, "work", 0)
        await consumer.close()
        await working

    assert (died, finished) == (True, True)
    assert worked == set(range(10))
    assert await bus.depth("dead") == 1


async def test_dead_letters_wait_in_their_queue_while_there_is_no_room_for_them(amqp_url, message, consume, take):
    full = Topology(DYING.exchanges, (Queue("dead", 1, "reject-publish"), DYING.queues[1]), DYING.bindings)
    async with RabbitBus(amqp_url) as bus:
        await bus.declare(full)
        consumer = await consume(bus, warm=True)
        await bus.publish([message(number) for number in range(6)])
        await take(consumer, 6, consumer.reject)

        graveyard = await consume(bus, "dead")
        dead = await take(graveyard, 6, graveyard.ack)

    assert sorted(int(each.body) for each in dead) == list(range(6))


async def test_nothing_of_a_message_is_logged_even_at_debug(amqp_url, message, consume, take, caplog):
    secret = {"body": "李小宝".encode(), "correlation_id": "13800000000", "headers": {"buyer": "lixiaobao"}}
    with caplog.at_level(logging.DEBUG):
        async with RabbitBus(amqp_url) as bus:
            await bus.declare(DYING)
            await bus.publish([message(**secret)])
            consumer = await consume(bus)
            await take(consumer, 1, consumer.reject)

    logged = caplog.text + repr([record.args for record in caplog.records])
    assert not any(word in logged for word in ("李小宝", repr("李小宝".encode()), "13800000000", "lixiaobao", "guest:"))


async def test_a_closed_bus_opens_its_connection_again_when_it_is_used(amqp_url, message):
    bus = RabbitBus(amqp_url)
    await bus.open()
    await bus.declare(DYING)
    await bus.close()

    await bus.publish([message()])

    assert await bus.depth("work") >= 0
    await bus.close()
