"""What only the embedded bus does: its file, its locks, its seal."""

import asyncio
import json
import sqlite3
import stat

import pytest
from cryptography.fernet import Fernet, InvalidToken

from tongguan.queue.bus import BusDownError, BusRefusedError, Failure, UnconfirmedError
from tongguan.queue.embedded import EmbeddedBus
from tongguan.queue.slots import Slot
from tongguan.queue.topology import Binding, Exchange, Queue, Topology

WORK = Topology(queues=(Queue("work", delivery_limit=20),))
SEAL = Fernet(Fernet.generate_key())


def bus_at(path, seal=SEAL, now_ms=lambda: 0):
    return EmbeddedBus(path, seal=seal.encrypt, unseal=seal.decrypt, now_ms=now_ms)


async def test_the_file_and_all_that_lies_beside_it_are_for_this_account_only(tmp_path, message):
    path = tmp_path / "made" / "bus.db"
    async with bus_at(path) as bus:
        await bus.declare(WORK)
        await bus.publish([message()])

        files = list(path.parent.iterdir())

        assert len(files) >= 3
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_file_that_others_could_read_is_closed_to_them(tmp_path):
    path = tmp_path / "bus.db"
    async with bus_at(path):
        pass
    path.chmod(0o644)

    async with bus_at(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_nothing_that_was_sent_can_be_read_in_the_file(tmp_path, message):
    path = tmp_path / "bus.db"
    secrets = {"body": "李小宝".encode(), "correlation_id": "13800000000", "headers": {"buyer": "李小宝"}}
    async with bus_at(path) as bus:
        await bus.declare(WORK)
        await bus.publish([message(**secrets)])

        stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())

    escaped = json.dumps("李小宝")[1:-1].encode()
    assert not any(secret in stored for secret in ("李小宝".encode(), escaped, b"13800000000"))


async def test_deliveries_survive_a_bus_that_is_opened_again(tmp_path, message, consume, take):
    path = tmp_path / "bus.db"
    async with bus_at(path) as bus:
        await bus.declare(WORK)
        await bus.publish([message(number) for number in range(3)])

    async with bus_at(path) as bus:
        taken = await take(await consume(bus), 3)
        assert [(each.body, each.redeliveries) for each in taken] == [(b"0", 0), (b"1", 0), (b"2", 0)]


async def test_new_limits_of_a_queue_are_taken_over(tmp_path, message, depth):
    async with bus_at(tmp_path / "bus.db") as bus:
        await bus.declare(WORK)
        await bus.publish([message(number) for number in range(5)])

        await bus.declare(Topology(queues=(Queue("work", length_max=2),)))
        await bus.publish([message(9)])

        assert await depth(bus, "work", 2)


async def test_a_wrong_key_is_an_error_and_loses_nothing(tmp_path, message, consume, take):
    path = tmp_path / "bus.db"
    async with bus_at(path) as bus:
        await bus.declare(WORK)
        await bus.publish([message()])
    async with bus_at(path, seal=Fernet(Fernet.generate_key())) as bus:
        with pytest.raises(InvalidToken):
            await anext(await consume(bus))

    async with bus_at(path) as bus:
        assert [each.redeliveries for each in await take(await consume(bus), 1)] == [0]


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be looked at" * 100, "other tables"])
async def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "bus.db"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        database = sqlite3.connect(path)
        database.execute("CREATE TABLE customers (name TEXT)")
        database.close()

    with pytest.raises(BusRefusedError) as caught:
        await bus_at(path).open()

    assert caught.value.fault.code == "bus-file-foreign"
    assert isinstance(content, str) or path.read_bytes() == content


async def test_a_folder_that_cannot_be_written_is_refused_with_the_reason(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(BusRefusedError) as caught:
        await bus_at(tmp_path / "file" / "bus.db").open()

    assert caught.value.fault.code == "bus-file"


async def test_a_file_that_another_program_keeps_locked_is_down_and_nothing_is_stored(tmp_path, message, monkeypatch):
    monkeypatch.setattr("tongguan.queue.queuefile.BUSY_S", 0.1)
    path = tmp_path / "bus.db"
    async with bus_at(path) as bus:
        await bus.declare(WORK)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(BusDownError):
            await bus.publish([message()])

        other.execute("ROLLBACK")
        other.close()
        assert await bus.depth("work") == 0


async def test_a_full_disk_is_down_and_what_was_stored_stays(tmp_path, message, consume, take):
    async with bus_at(tmp_path / "bus.db") as bus:
        await bus.declare(WORK)
        await bus.publish([message(1)])
        database = bus._file._opened()
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        database.execute(f"PRAGMA max_page_count = {pages + 2}")

        with pytest.raises(BusDownError) as caught:
            await bus.publish([message(2), message(3, body=b"x" * 100_000)])

        assert "SQLITE_FULL" in caught.value.fault.en
        database.execute("PRAGMA max_page_count = 1000000")
        await bus.publish([message(4)])
        assert [each.body for each in await take(await consume(bus), 2)] == [b"1", b"4"]


async def test_a_bus_that_is_not_open_says_so(tmp_path, message):
    bus = bus_at(tmp_path / "bus.db")

    with pytest.raises(BusDownError) as caught:
        await bus.publish([message()])

    assert caught.value.fault.code == "bus-closed"


async def test_two_buses_of_one_process_hold_their_own_deliveries(tmp_path, message, consume, take, nothing):
    async with bus_at(tmp_path / "bus.db") as one, bus_at(tmp_path / "bus.db") as two:
        await one.declare(WORK)
        await one.publish([message()])
        await take(await consume(one), 1)

        assert await nothing(await consume(two))


async def test_whoever_has_waited_longest_is_woken_first(message):
    async with bus_at(":memory:") as bus:
        await bus.declare(WORK)
        limits = {"prefetch": 1, "batch": 1, "batch_bytes": 1 << 20, "linger_ms": 0}
        consumers = [await bus.consume("work", **limits) for _ in range(10)]
        waiting = [asyncio.create_task(anext(each)) for each in consumers]
        await asyncio.sleep(0)

        for number in range(len(consumers)):
            await bus.publish([message(number)])

        assert [each[0].body for each in await asyncio.gather(*waiting)] == [message(each).body for each in range(10)]


async def test_the_time_of_a_death_is_the_clocks(tmp_path, message, consume, take):
    dying = Topology(
        (Exchange("dead", "fanout"),),
        (Queue("work", dead_letter_exchange="dead"), Queue("dead")),
        (Binding("dead", "", "dead"),),
    )
    async with bus_at(tmp_path / "bus.db", now_ms=lambda: 1_767_225_600_123) as bus:
        await bus.declare(dying)
        await bus.publish([message()])
        consumer = await consume(bus)
        await take(consumer, 1, consumer.reject)

        (dead,) = await take(await consume(bus, "dead"), 1)

        assert dead.death.at == 1_767_225_600_123


async def test_exchanges_that_are_each_others_alternate_do_not_go_round_for_ever(tmp_path, message):
    ring = Topology(exchanges=(Exchange("one", "direct", alternate="two"), Exchange("two", "direct", alternate="one")))
    async with bus_at(tmp_path / "bus.db") as bus:
        await bus.declare(ring)

        with pytest.raises(UnconfirmedError) as caught:
            await bus.publish([message(0, "one", "nobody", mandatory=True)])

        assert caught.value.failures == {0: Failure.UNROUTABLE}


def test_a_slot_is_held_until_it_is_closed(tmp_path):
    path = tmp_path / "bus.db"
    first, second = Slot(path), Slot(path)

    with first.if_abandoned(second.number) as while_held:
        pass
    second.close()
    with first.if_abandoned(second.number) as when_closed:
        third = Slot(path)

    assert (first.number, second.number, third.number) == (1, 2, 3)
    assert (while_held, when_closed) == (False, True)
    first.close()
    third.close()


def test_a_slot_never_finds_itself_abandoned(tmp_path):
    slot = Slot(tmp_path / "bus.db")

    with slot.if_abandoned(slot.number) as abandoned:
        assert not abandoned

    slot.close()
