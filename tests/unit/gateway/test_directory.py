"""The directory of parties: by every code they go by, recorded and read again."""

import hashlib
from typing import Any

import pytest

from tongguan.config.parties import Party
from tongguan.gateway.directory import UNREGISTERED, Directory, read_directory, record_parties
from tongguan.gateway.store.database import in_transaction
from tongguan.gateway.store.sqlite import SqliteDatabase
from tongguan.gateway.store.tables import metadata


@pytest.fixture
def directory(triples: Any) -> Directory:
    return Directory(triples.parties())


@pytest.mark.parametrize(
    ("enterprise", "party"),
    [
        ("3301969T01", "youxuan"),
        ("91330100MA0EXAM01K", "youxuan"),
        ("3301989T03", "suda"),
        ("3301969T77", UNREGISTERED),
        ("", UNREGISTERED),
        ("youxuan", UNREGISTERED),
    ],
)
def test_an_enterprise_is_known_by_either_of_its_codes(directory: Directory, enterprise: str, party: str) -> None:
    assert directory.party_of(enterprise) == party
    assert (enterprise in directory.on_record) is (party != UNREGISTERED)


def test_no_party_is_called_unregistered_by_chance(directory: Directory) -> None:
    assert UNREGISTERED not in directory.codes


@pytest.mark.parametrize(
    ("user", "app_id", "party"),
    [
        ("youxuan", None, "youxuan"),
        ("youxuan", "suda-tms", "youxuan"),
        (None, "suda-tms", "suda"),
        ("guest", "suda-tms", "suda"),
        ("guest", None, None),
        (None, None, None),
    ],
)
def test_a_sender_is_who_the_broker_verified_else_who_it_says(
    directory: Directory, user: str | None, app_id: str | None, party: str | None
) -> None:
    assert directory.sender(user, app_id) == party


def test_a_party_is_bound_to_its_platform(directory: Directory) -> None:
    assert directory.platform_of("youxuan") == "3301969T01"
    assert directory.platform_of("suda") is None
    assert directory.platform_of(UNREGISTERED) is None


def test_a_token_names_its_holder_by_its_digest_only() -> None:
    digest = hashlib.sha256(b"secret").hexdigest()
    holder = Party.model_validate({"code": "a", "name": "甲", "roles": ["platform"], "token_sha256": digest})
    other = Party.model_validate({"code": "b", "name": "乙", "roles": ["platform"]})
    directory = Directory([other, holder])

    assert directory.holder_of(digest) == "a"
    assert directory.holder_of(hashlib.sha256(b"other").hexdigest()) is None
    assert directory.holder_of("") is None


async def test_what_is_recorded_is_what_is_read(triples: Any) -> None:
    database = SqliteDatabase(":memory:")
    metadata.create_all(database.engine)

    await in_transaction(database, lambda tx: record_parties(tx, triples.parties(), 1))
    found = await in_transaction(database, read_directory)

    assert sorted(found.parties, key=lambda each: each.code) == sorted(triples.parties(), key=lambda each: each.code)


async def test_a_party_that_is_configured_no_more_is_gone_and_a_changed_one_changed(triples: Any) -> None:
    database = SqliteDatabase(":memory:")
    metadata.create_all(database.engine)
    first, second, *_ = triples.parties()
    await in_transaction(database, lambda tx: record_parties(tx, [first, second], 1))

    changed = first.model_copy(update={"name": "改名"})
    await in_transaction(database, lambda tx: record_parties(tx, [changed], 2))
    found = await in_transaction(database, read_directory)

    assert found.parties == (changed,)


async def test_without_any_party_nobody_stays_on_record(triples: Any) -> None:
    database = SqliteDatabase(":memory:")
    metadata.create_all(database.engine)
    await in_transaction(database, lambda tx: record_parties(tx, triples.parties(), 1))

    await in_transaction(database, lambda tx: record_parties(tx, [], 2))

    assert (await in_transaction(database, read_directory)).codes == ()
