"""Identifiers: unique among processes, of the right form."""

import asyncio
import os
import re
from typing import Any

import pytest

from tongguan.gateway import ids
from tongguan.gateway.ids import StoreMint
from tongguan.gateway.store.sqlite import SqliteDatabase
from tongguan.gateway.store.tables import metadata


@pytest.fixture
async def database() -> Any:
    made = SqliteDatabase(":memory:")
    metadata.create_all(made.engine)
    yield made
    await made.close()


async def test_ids_of_two_processes_never_meet(database: Any) -> None:
    mints = [StoreMint(database, os.urandom) for _ in range(3)]

    for _ in range(3):
        for mint in mints:
            await mint.ensure(200_000)
    found = [mint.id() for mint in mints for _ in range(200_000)]

    assert len(set(found)) == len(found)
    assert min(found) > 0


async def test_as_many_ids_as_asked_for_are_at_hand(database: Any) -> None:
    mint = StoreMint(database, os.urandom)

    await mint.ensure(250_000)

    assert len({mint.id() for _ in range(250_000)}) == 250_000


async def test_no_id_is_given_that_was_not_asked_for(database: Any) -> None:
    with pytest.raises(RuntimeError):
        StoreMint(database, os.urandom).id()


async def test_batches_that_ask_at_the_same_time_all_get_what_they_asked_for(database: Any) -> None:
    mint = StoreMint(database, os.urandom)
    found: list[int] = []

    async def batch() -> None:
        await mint.ensure(20_000)
        await asyncio.sleep(0)
        found.extend(mint.id() for _ in range(20_000))

    await asyncio.gather(*(batch() for _ in range(5)))

    assert len(set(found)) == 100_000


async def test_ids_at_hand_need_no_statement(database: Any) -> None:
    mint = StoreMint(database, os.urandom)
    await mint.ensure(1)
    ran: list[Any] = []
    database.observe = ran.append

    for _ in range(10):
        await mint.ensure(1000)

    assert ran == []


def test_a_guid_is_a_version_4_uuid_in_upper_case() -> None:
    mint = StoreMint(SqliteDatabase(":memory:"), os.urandom)

    assert re.fullmatch("[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}", mint.guid())


def test_the_number_inside_the_enterprise_is_twenty_letters_and_digits() -> None:
    mint = StoreMint(SqliteDatabase(":memory:"), os.urandom)

    assert re.fullmatch("TG[A-Z2-7]{18}", mint.cop_no())


def test_the_same_random_bytes_give_the_same_numbers() -> None:
    one, other = (StoreMint(SqliteDatabase(":memory:"), lambda n: bytes(range(n))) for _ in range(2))

    assert (one.guid(), one.cop_no()) == (other.guid(), other.cop_no())


def test_the_numbers_of_many_gateways_do_not_meet() -> None:
    mint = StoreMint(SqliteDatabase(":memory:"), os.urandom)

    assert len({mint.cop_no() for _ in range(10_000)}) == 10_000
    assert ids.BLOCK >= ids.RESERVE
