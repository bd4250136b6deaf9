"""The hash chain, every way to tamper with it, and the Merkle root over the heads."""

import hashlib
import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongguan.gateway.ledger import (
    START,
    Chain,
    Entry,
    Written,
    append,
    broken_entry,
    head_leaf,
    merkle_root,
    seal_statement,
)

CASE = "import/3301969T01/GX0000000001"
ENTRIES = [Entry("decided", 1_000 + n, "intake", {"verdict": "matched", "n": n, "zh": "比对"}) for n in range(5)]


def _chain(case: str = CASE) -> tuple[Chain, list[Written]]:
    return append(Chain(), case, ENTRIES)


def _again(written: list[Written]) -> tuple[Chain, list[Written]]:
    """What somebody would store who knows how the hashes are made."""
    head, made = START, []
    for each in written:
        head = hashlib.sha256(head + each.body.encode()).digest()
        made.append(replace(each, hash=head))
    return Chain(len(made), head), made


def test_an_entry_holds_its_case_number_kind_time_and_actor() -> None:
    _, written = _chain()

    body = json.loads(written[2].body)

    assert {name: body[name] for name in ("case", "seq", "kind", "at", "actor", "n")} == {
        "case": CASE,
        "seq": 3,
        "kind": "decided",
        "at": 1_002,
        "actor": "intake",
        "n": 2,
    }


def test_facts_cannot_replace_what_every_entry_says() -> None:
    _, (written,) = append(
        Chain(), CASE, [Entry("held", 7, "op", {"seq": 99, "case": "x", "kind": "y", "at": 0, "actor": "z"})]
    )

    body = json.loads(written.body)
    assert {name: body[name] for name in ("actor", "at", "case", "kind", "seq")} == {
        "actor": "op",
        "at": 7,
        "case": CASE,
        "kind": "held",
        "seq": 1,
    }


def test_a_chain_grows_the_same_in_one_step_or_in_several() -> None:
    chain, written = Chain(), []
    for entry in ENTRIES:
        chain, more = append(chain, CASE, [entry])
        written += more

    assert (chain, written) == _chain()


def test_each_hash_covers_the_one_before_and_the_body() -> None:
    chain, written = _chain()

    for before, each in pairwise([Written(0, "", START), *written]):
        assert each.hash == hashlib.sha256(before.hash + each.body.encode()).digest()
    assert chain == Chain(5, written[-1].hash)


def test_a_whole_chain_holds() -> None:
    chain, written = _chain()

    assert broken_entry(written, chain, CASE) is None
    assert broken_entry([], Chain(), CASE) is None


@given(st.integers(0, 4), st.data())
def test_any_changed_character_of_a_body_is_found_at_its_entry(place: int, data: st.DataObject) -> None:
    chain, written = _chain()
    body = written[place].body
    at = data.draw(st.integers(0, len(body) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda c: c != body[at]))
    written[place] = replace(written[place], body=body[:at] + other + body[at + 1 :])

    assert broken_entry(written, chain, CASE) == place + 1


@given(st.integers(0, 4), st.binary(min_size=32, max_size=32))
def test_a_changed_hash_is_found_at_its_entry(place: int, other: bytes) -> None:
    chain, written = _chain()
    written[place] = replace(written[place], hash=other)

    assert broken_entry(written, chain, CASE) == place + 1


@pytest.mark.parametrize("place", range(5))
def test_a_dropped_entry_is_found_where_it_stood(place: int) -> None:
    chain, written = _chain()
    del written[place]

    assert broken_entry(written, chain, CASE) == place + 1


@pytest.mark.parametrize("place", range(4))
def test_two_entries_in_each_other_s_place_are_found_at_the_first(place: int) -> None:
    chain, written = _chain()
    written[place], written[place + 1] = written[place + 1], written[place]

    assert broken_entry(written, chain, CASE) == place + 1


def test_an_entry_put_in_is_found_where_it_stands() -> None:
    chain, written = _chain()
    written.insert(2, replace(written[2], body=written[2].body.replace("matched", "discrepant")))

    assert broken_entry(written, chain, CASE) == 3


def test_an_entry_added_behind_the_last_is_found() -> None:
    chain, written = _chain()
    _, longer = append(chain, CASE, [Entry("lifted", 9, "op")])

    assert broken_entry(written + longer, chain, CASE) == 6


def test_entries_beyond_what_the_case_row_counts_are_found_at_the_first_of_them() -> None:
    _, written = _chain()

    assert broken_entry(written, Chain(3, written[2].hash), CASE) == 4


def test_entries_that_the_case_row_counts_and_nobody_has_are_found_at_the_first_of_them() -> None:
    chain, written = _chain()

    assert broken_entry(written[:3], chain, CASE) == 4
    assert broken_entry([], chain, CASE) == 1


@pytest.mark.parametrize("chain", [Chain(5, START), Chain(6, _chain()[0].head), Chain()], ids=repr)
def test_a_case_row_that_says_otherwise_is_found(chain: Chain) -> None:
    assert broken_entry(_chain()[1], chain, CASE) is not None


def test_the_chain_of_another_case_is_found_at_its_first_entry() -> None:
    chain, written = _chain("import/3301969T01/GX0000000002")

    assert broken_entry(written, chain, CASE) == 1


def test_a_number_changed_with_all_hashes_made_anew_is_found() -> None:
    _, written = _chain()
    written[3] = replace(written[3], body=written[3].body.replace('"seq":4', '"seq":40'))
    chain, written = _again(written)

    assert broken_entry(written, chain, CASE) == 4


@pytest.mark.parametrize("body", ["no JSON at all", "[]", "{}", '{"seq": "4"}'])
def test_a_body_that_is_no_entry_is_found_even_with_all_hashes_made_anew(body: str) -> None:
    _, written = _chain()
    written[3] = replace(written[3], body=body)
    chain, written = _again(written)

    assert broken_entry(written, chain, CASE) == 4


def test_an_empty_root_is_the_hash_of_nothing() -> None:
    assert merkle_root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""The published test vectors of Certificate Transparency (RFC 6962) for the first 1 to 8 leaves."""


@pytest.mark.parametrize("count", range(1, 9))
def test_the_root_is_that_of_the_known_answers(count: int) -> None:
    assert merkle_root([bytes.fromhex(leaf) for leaf in LEAVES[:count]]).hex() == ROOTS[count - 1]


def _rfc_6962(leaves: list[bytes]) -> bytes:
    """The recursive definition of RFC 6962, 2.1."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + _rfc_6962(leaves[:split]) + _rfc_6962(leaves[split:])).digest()


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70))
def test_the_root_of_any_number_of_leaves_follows_the_definition(leaves: list[bytes]) -> None:
    assert merkle_root(leaves) == _rfc_6962(leaves)


@given(st.lists(st.binary(min_size=1, max_size=4), min_size=2, max_size=20, unique=True))
def test_another_order_of_leaves_is_another_root(leaves: list[bytes]) -> None:
    assert merkle_root(leaves) != merkle_root(leaves[::-1])


def test_a_leaf_holds_case_count_and_head() -> None:
    leaf = head_leaf(7, Chain(3, b"h" * 32))

    assert leaf == bytes([0] * 7 + [7]) + bytes([0] * 7 + [3]) + b"h" * 32


def test_what_a_seal_signs_names_number_time_previous_and_root() -> None:
    assert json.loads(seal_statement(2, 5, b"\1" * 32, b"\2" * 32)) == {
        "seal": 2,
        "at": 5,
        "previous": "01" * 32,
        "root": "02" * 32,
    }
