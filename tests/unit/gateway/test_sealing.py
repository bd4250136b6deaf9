"""Sealed values and blind indexes, held against vectors made by other means."""

import hashlib
import hmac
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from tongguan.config.keys import KeyFile
from tongguan.gateway.sealing import INDEX_BYTES, Sealer, Unsealable, is_shredded, shredded

MASTER, OLD, INDEX = b"m" * 32, b"o" * 32, b"i" * 32
SALT = bytes(range(16))
VECTOR = bytes.fromhex(
    "016b303031000102030405060708090a0b0c0d0e0f"
    + AESGCM(hmac.digest(MASTER, SALT, "sha256")).encrypt(bytes(12), "章春苗".encode(), b"\x01k001" + SALT).hex()
)


def _sealer(masters: dict[str, bytes] | None = None, current: str = "k001", random: Any = lambda _: SALT) -> Sealer:
    return Sealer(KeyFile(masters or {"k001": MASTER}, current, INDEX), random)


def test_a_sealed_value_is_version_key_id_salt_and_ciphertext_under_a_key_of_its_own() -> None:
    assert _sealer().seal("章春苗".encode()) == VECTOR


def test_a_sealed_value_opens_again() -> None:
    assert _sealer().open(VECTOR).decode() == "章春苗"


@given(st.binary(max_size=200), st.binary(min_size=16, max_size=16))
def test_whatever_is_sealed_opens_to_the_same(plain: bytes, salt: bytes) -> None:
    sealer = _sealer(random=lambda _: salt)

    assert sealer.open(sealer.seal(plain)) == plain


@given(st.integers(0, len(VECTOR) - 1), st.integers(1, 255))
def test_a_value_with_any_byte_changed_does_not_open(place: int, mask: int) -> None:
    changed = bytearray(VECTOR)
    changed[place] ^= mask

    with pytest.raises(Unsealable):
        _sealer().open(bytes(changed))


@pytest.mark.parametrize("length", [0, 1, 4, 5, 10, 21, 22, len(VECTOR) - 1])
def test_a_value_that_was_cut_does_not_open(length: int) -> None:
    with pytest.raises(Unsealable):
        _sealer().open(VECTOR[:length])


def test_another_master_key_under_the_same_id_does_not_open_it() -> None:
    with pytest.raises(Unsealable):
        _sealer({"k001": OLD}).open(VECTOR)


def test_a_key_id_that_is_not_there_does_not_open_it() -> None:
    with pytest.raises(Unsealable):
        _sealer({"k002": MASTER}, "k002").open(VECTOR)


def test_what_an_older_key_sealed_still_opens_and_new_values_take_the_current_one() -> None:
    sealer = _sealer({"k001": MASTER, "k002": OLD}, "k002")

    assert sealer.open(VECTOR).decode() == "章春苗"
    assert sealer.seal(b"")[1:5] == b"k002"


def test_a_shredded_value_keeps_its_length_and_never_opens_again() -> None:
    gone = shredded(VECTOR)

    assert is_shredded(gone)
    assert not is_shredded(VECTOR)
    assert len(gone) == len(VECTOR)
    assert SALT not in gone
    with pytest.raises(Unsealable):
        _sealer().open(gone)


def test_shredding_one_value_leaves_the_others_readable() -> None:
    salts = iter([b"a" * 16, b"b" * 16])
    sealer = _sealer(random=lambda _: next(salts))
    one, other = sealer.seal(b"one"), sealer.seal(b"other")

    shredded(one)

    assert sealer.open(other) == b"other"


def test_what_cannot_be_opened_tells_nothing_of_the_value() -> None:
    with pytest.raises(Unsealable) as caught:
        _sealer({"k001": OLD}).open(VECTOR)

    assert caught.value.__cause__ is None
    assert VECTOR.hex() not in str(caught.value)


@pytest.mark.parametrize(
    "keys",
    [
        KeyFile({"k1": MASTER}, "k1", INDEX),
        KeyFile({"k00001": MASTER}, "k00001", INDEX),
        KeyFile({"k001": b"short"}, "k001", INDEX),
        KeyFile({"k001": MASTER, "k002": b"short"}, "k001", INDEX),
    ],
    ids=["short id", "long id", "short key", "short older key"],
)
def test_a_key_file_of_another_form_is_refused(keys: KeyFile) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(keys, bytes)


def test_the_blind_index_is_a_keyed_hash_of_kind_and_normalised_value() -> None:
    expected = hmac.digest(INDEX, b"id\x0099010119880214001X", "sha256")[:INDEX_BYTES]

    assert _sealer().index("id", " 990101-19880214 001x") == expected


@pytest.mark.parametrize(
    "same",
    ["13900000021", "１３９００００００２１", "139 0000 0021", "139-0000-0021", " 13900000021 ", "139.0000.0021"],
)
def test_one_phone_has_one_index_however_it_is_written(same: str) -> None:
    assert _sealer().index("phone", same) == _sealer().index("phone", "13900000021")


def test_indexes_tell_kinds_and_values_apart() -> None:
    sealer = _sealer()
    found = {sealer.index(kind, value) for kind in ("id", "phone", "name") for value in ("章春苗", "章春苖")}

    assert len(found) == 6


def test_the_index_holds_nothing_of_the_value_that_a_plain_hash_would() -> None:
    plain = hashlib.sha256("章春苗".encode()).digest()

    assert _sealer().index("name", "章春苗") not in (plain[:INDEX_BYTES], plain)


def test_the_secrets_derived_from_the_index_key_differ_from_it_and_from_each_other() -> None:
    sealer = _sealer()

    assert len({sealer.digest_secret, sealer.seal_secret, INDEX}) == 3
    assert {len(sealer.digest_secret), len(sealer.seal_secret)} == {32}


def test_a_key_file_shows_no_key() -> None:
    shown = repr(KeyFile({"k001": MASTER}, "k001", INDEX))

    assert "mmm" not in shown
    assert "iii" not in shown
