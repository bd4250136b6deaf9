"""What every transport promises."""

import pytest

from tongguan.adapters.transport import NotSent


async def test_what_is_sent_reaches_the_e_port_byte_for_byte(transport, side):
    data = bytes(range(256)) * 10

    await transport.send("CEB311_1.xml", data)

    assert side.taken() == {"CEB311_1.xml": data}


async def test_the_same_name_with_the_same_bytes_is_harmless(transport, side):
    await transport.send("CEB311_1.xml", b"one")

    await transport.send("CEB311_1.xml", b"one")

    assert side.taken() == {"CEB311_1.xml": b"one"}


async def test_the_same_name_with_other_bytes_is_not_sent(transport, side):
    await transport.send("CEB311_1.xml", b"one")

    with pytest.raises(NotSent) as refused:
        await transport.send("CEB311_1.xml", b"two")

    assert refused.value.fault.code == "transport-name-taken"
    assert side.taken() == {"CEB311_1.xml": b"one"}


async def test_the_same_name_with_other_bytes_is_not_sent_by_a_later_process_either(side):
    await side.transport().send("CEB311_1.xml", b"one")

    with pytest.raises(NotSent):
        await side.transport().send("CEB311_1.xml", b"two!")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "/etc/x", ".hidden", "a b", "a\n", "a\0", "单.xml", "x" * 121, "a\\b", "C:x"]
)
async def test_an_unsafe_name_is_not_sent(transport, side, name):
    with pytest.raises(NotSent) as refused:
        await transport.send(name, b"data")

    assert refused.value.fault.code == "transport-name"
    assert side.taken() == {}


async def test_more_bytes_than_the_e_port_takes_are_not_sent(transport, side):
    with pytest.raises(NotSent) as refused:
        await transport.send("CEB311_1.xml", b"x" * 20_001)

    assert refused.value.fault.code == "transport-too-large"
    assert side.taken() == {}


async def test_nothing_is_received_from_a_silent_e_port(transport):
    assert await transport.receive(10) == []


async def test_what_the_e_port_answers_is_received_byte_for_byte(transport, side, clock):
    data = bytes(range(256)) * 10
    side.answers("回执_1.xml", data)
    first_seen_ms = clock.now_ms
    await side.settled(transport)

    received = await transport.receive(10)

    assert [(each.name, each.data, each.first_seen_ms) for each in received] == [("回执_1.xml", data, first_seen_ms)]


async def test_a_message_is_offered_again_until_it_is_done(transport, side):
    side.answers("1.xml", b"one")
    await side.settled(transport)
    (first,) = await transport.receive(10)

    (again,) = await transport.receive(10)
    await transport.done(again)

    assert again == first
    assert await transport.receive(10) == []


async def test_done_twice_is_harmless(transport, side):
    side.answers("1.xml", b"one")
    await side.settled(transport)
    (received,) = await transport.receive(10)

    await transport.done(received)
    await transport.done(received)

    assert await transport.receive(10) == []


async def test_what_was_not_done_is_offered_to_the_next_process(side):
    before = side.transport()
    side.answers("1.xml", b"one")
    await side.settled(before)
    await before.receive(10)

    after = side.transport()
    await side.settled(after)

    assert [each.data for each in await after.receive(10)] == [b"one"]


async def test_no_more_is_received_than_was_asked_for(transport, side):
    for number in range(5):
        side.answers(f"{number}.xml", b"data")
    await side.settled(transport)

    received = await transport.receive(3)

    assert len(received) == 3


async def test_the_same_name_may_come_in_again_with_other_content(transport, side):
    for content in (b"one", b"two!", b"three"):
        side.answers("receipt.xml", content)
        await side.settled(transport)
        (received,) = await transport.receive(10)

        assert received.data == content
        await transport.done(received)


async def test_a_newer_message_of_the_same_name_is_not_done_with_the_older(transport, side):
    side.answers("receipt.xml", b"older")
    await side.settled(transport)
    (older,) = await transport.receive(10)
    side.answers("receipt.xml", b"the newer")

    await transport.done(older)
    await side.settled(transport)

    assert [each.data for each in await transport.receive(10)] == [b"the newer"]


async def test_health_tells_what_is_waiting(transport, side):
    await transport.send("out-1.xml", b"one")
    await transport.send("out-2.xml", b"two")
    side.answers("in-1.xml", b"three")

    health = await transport.health()

    assert list(health.faults) == []
    assert (health.outgoing, health.incoming, health.failed) == (2, 1, 0)
