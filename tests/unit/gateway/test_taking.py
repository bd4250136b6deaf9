"""What becomes of a document, row by row, and what a batch folds into."""

from itertools import count
from typing import Any

import pytest

from tongguan.gateway.evidence import identity_key
from tongguan.gateway.taking import Known, Outcome, Past, Sender, Taken, Taker, Taking, compare_time, take
from tongguan.messages.chinatime import DAY_MS, china_seconds, parse_china_time
from tongguan.messages.faults import fault_kinds

EXPECTED = """
    appType  stands     appTime  content  outcome    fault
    1        unknown    later    other    taken
    2        unknown    later    other    rejected   document-unknown
    3        unknown    later    other    rejected   document-unknown
    1        live       earlier  same     duplicate
    1        live       same     same     duplicate
    1        live       later    same     duplicate
    1        live       earlier  other    stale      document-stale
    1        live       same     other    conflict   document-same-time
    1        live       later    other    conflict   document-exists
    2        live       earlier  same     duplicate
    2        live       same     same     duplicate
    2        live       later    same     duplicate
    2        live       earlier  other    stale      document-stale
    2        live       same     other    conflict   document-same-time
    2        live       later    other    taken
    3        live       earlier  same     stale      document-stale
    3        live       same     same     conflict   document-same-time
    3        live       later    same     taken
    3        live       earlier  other    stale      document-stale
    3        live       same     other    conflict   document-same-time
    3        live       later    other    taken
    1        withdrawn  earlier  same     stale      document-stale
    1        withdrawn  same     same     stale      document-stale
    1        withdrawn  later    same     taken
    1        withdrawn  earlier  other    stale      document-stale
    1        withdrawn  same     other    stale      document-stale
    1        withdrawn  later    other    taken
    2        withdrawn  earlier  same     stale      document-stale
    2        withdrawn  same     same     rejected   document-unknown
    2        withdrawn  later    same     rejected   document-unknown
    2        withdrawn  earlier  other    stale      document-stale
    2        withdrawn  same     other    rejected   document-unknown
    2        withdrawn  later    other    rejected   document-unknown
    3        withdrawn  earlier  same     stale      document-stale
    3        withdrawn  same     same     duplicate
    3        withdrawn  later    same     duplicate
    3        withdrawn  earlier  other    stale      document-stale
    3        withdrawn  same     other    duplicate
    3        withdrawn  later    other    duplicate
"""
ROWS = [tuple([*line.split(), None][:6]) for line in EXPECTED.strip().splitlines()[1:]]
TIMES = {"earlier": -60_000, "same": 0, "later": 60_000}


def test_the_expectation_covers_every_combination() -> None:
    known = {(a, s, t, c) for a in "123" for s in ("live", "withdrawn") for t in TIMES for c in ("same", "other")}
    unknown = {(a, "unknown", "later", "other") for a in "123"}

    assert {row[:4] for row in ROWS} == known | unknown


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row[:4]))
def test_the_table_says_what_becomes_of_a_document(row: Any) -> None:
    *arriving, outcome, fault = row

    assert take(*arriving) == Taking(Outcome(outcome), fault)


def test_every_fault_of_the_table_has_its_sentences() -> None:
    assert {row[5] for row in ROWS if row[5]} <= set(fault_kinds())


@pytest.mark.parametrize(("arriving", "when"), [(9, "earlier"), (10, "same"), (11, "later")])
def test_times_compare_the_arriving_one_with_the_stored_one(arriving: int, when: str) -> None:
    assert compare_time(arriving, 10) == when


class Counter:
    """A taker with what it is fed and what it left, as the store would hold it between batches."""

    def __init__(self, triples: Any, kind: str = "order", now: int | None = None) -> None:
        self.triples, self.kind = triples, kind
        self.versions: list[Taken] = []
        self.now = now or triples.NOW
        self._ids = count(1)
        self.taker = self._taker()

    def new_batch(self, now: int | None = None) -> None:
        """What was taken is stored; the next batch begins."""
        self.versions += self.taker.taken
        self.now = now or self.now
        self.taker = self._taker()

    def offer(self, app_type: str, minutes: int, **changes: Any) -> tuple[Taking, Taken | None, Past | None]:
        """Offer the document, dated so many minutes after the clean one."""
        clean = self.triples.document(self.kind)
        at = parse_china_time(clean.app_time) + minutes * 60_000
        changes = {"appType": app_type, "appTime": china_seconds(at), **changes}
        document = self.triples.document(self.kind, **changes)
        digest = document.content_digest(self.triples.SECRET)
        return self.taker.offer(document, digest, Sender("youxuan", "3301969T01"), None)

    def outcome(self, app_type: str, minutes: int, **changes: Any) -> str:
        return self.offer(app_type, minutes, **changes)[0].outcome.value

    def _taker(self) -> Taker:
        known: dict[Any, Known] = {}
        past: dict[tuple[int, bytes], list[Past]] = {}
        for each in self.versions:
            held = each.held
            known[identity_key(held.document)] = Known(
                held.id,
                held.generation,
                held.version,
                held.app_time,
                held.withdrawn,
                held.first_at,
                each.digest,
                each.sender,
            )
            past.setdefault((held.id, each.digest), []).append(
                Past(each.app_type, held.app_time, f"answer {held.version}")
            )
        return Taker(known, past, lambda: next(self._ids), self.now)


@pytest.fixture
def counter(triples: Any) -> Counter:
    return Counter(triples)


@pytest.fixture
def waybills(triples: Any) -> Counter:
    return Counter(triples, "waybill")


@pytest.fixture(params=["in one batch", "in batches of one"])
def next_one(request: pytest.FixtureRequest, counter: Counter) -> Any:
    """Between two documents: nothing, or the end of a batch."""
    return counter.new_batch if request.param == "in batches of one" else lambda: None


def test_a_new_document_becomes_version_one_of_generation_one(counter: Counter) -> None:
    _, taken, first = counter.offer("1", 0)

    assert taken is not None
    assert (taken.held.version, taken.held.generation, taken.held.withdrawn, first) == (1, 1, False, None)
    assert (taken.held.bound_to, taken.sender, taken.held.first_at) == ("3301969T01", "youxuan", counter.now)


def test_a_change_becomes_the_next_version_of_the_same_document(counter: Counter, next_one: Any) -> None:
    _, first, _ = counter.offer("1", 0)
    next_one()

    _, second, _ = counter.offer("2", 1, note="新地址")

    assert first is not None
    assert second is not None
    assert (second.held.id, second.held.version) == (first.held.id, 2)


def test_each_document_of_a_batch_sees_what_those_before_it_left(counter: Counter, next_one: Any) -> None:
    outcomes: list[str] = []
    for app_type, minutes, note in [("1", 0, "甲"), ("2", 2, "乙"), ("2", 1, "丙"), ("3", 3, "乙"), ("1", 4, "丁")]:
        outcomes.append(counter.outcome(app_type, minutes, note=note))
        next_one()

    assert outcomes == ["taken", "taken", "stale", "taken", "taken"]


def test_a_repeat_is_a_duplicate_and_gets_the_first_answer(counter: Counter) -> None:
    counter.offer("1", 0)
    counter.new_batch()

    taking, taken, first = counter.offer("1", 0)

    assert (taking.outcome, taken) == (Outcome.DUPLICATE, None)
    assert first is not None
    assert first.answer == "answer 1"


def test_a_copy_of_an_older_version_is_a_duplicate_of_that_version(counter: Counter) -> None:
    counter.offer("1", 0)
    counter.offer("2", 1, note="改")
    counter.new_batch()

    taking, _, first = counter.offer("1", 0)

    assert taking.outcome is Outcome.DUPLICATE
    assert first is not None
    assert first.answer == "answer 1"


def test_a_copy_of_an_older_version_is_a_duplicate_within_its_batch_too(counter: Counter, next_one: Any) -> None:
    counter.offer("1", 0)
    next_one()
    counter.offer("2", 1, note="改")
    next_one()

    assert counter.outcome("1", 0) == "duplicate"


def test_an_older_copy_that_says_something_else_is_stale(counter: Counter, next_one: Any) -> None:
    counter.offer("1", 0)
    next_one()
    counter.offer("2", 1, note="改")
    next_one()

    assert counter.outcome("1", 0, note="别的") == "stale"


def test_the_content_of_a_deleted_document_may_come_again_later(counter: Counter, next_one: Any) -> None:
    counter.offer("1", 0)
    next_one()
    counter.offer("3", 1)
    next_one()

    taking, taken, _ = counter.offer("1", 2)

    assert taking.outcome is Outcome.TAKEN
    assert taken is not None
    assert (taken.held.version, taken.held.withdrawn) == (3, False)


def test_a_delete_that_comes_twice_is_a_duplicate(counter: Counter, next_one: Any) -> None:
    counter.offer("1", 0)
    next_one()
    counter.offer("3", 1)
    next_one()

    assert counter.outcome("3", 1) == "duplicate"


def test_a_delete_that_comes_twice_is_a_duplicate_even_when_the_document_is_back(counter: Counter) -> None:
    for app_type, minutes in (("1", 0), ("3", 1), ("1", 2)):
        counter.offer(app_type, minutes)
        counter.new_batch()

    assert counter.outcome("3", 1) == "duplicate"


def test_a_new_one_dated_like_the_delete_is_stale_although_it_says_the_same(counter: Counter) -> None:
    counter.offer("1", 0)
    counter.offer("3", 1)
    counter.new_batch()

    assert counter.outcome("1", 1) == "stale"


def test_a_change_dated_like_the_delete_is_unknown_although_it_says_the_same(counter: Counter) -> None:
    counter.offer("1", 0)
    counter.offer("3", 1)
    counter.new_batch()

    assert counter.outcome("2", 1) == "rejected"


def test_numbers_written_otherwise_say_the_same(counter: Counter, next_one: Any) -> None:
    counter.offer("1", 0)
    next_one()

    assert counter.outcome("1", 0, goodsValue="316", freight="10.0") == "duplicate"


def test_a_waybill_number_may_be_used_again_after_six_months(waybills: Counter) -> None:
    _, first, _ = waybills.offer("1", 0)
    waybills.new_batch(waybills.now + 184 * DAY_MS)

    _, taken, _ = waybills.offer("1", 184 * 24 * 60, orderNo="GX0000000777")

    assert first is not None
    assert taken is not None
    assert (taken.held.generation, taken.held.version, taken.held.first_at) == (2, 1, waybills.now)
    assert taken.held.id != first.held.id


def test_a_waybill_number_used_again_sooner_is_a_conflict(waybills: Counter) -> None:
    waybills.offer("1", 0)
    waybills.new_batch(waybills.now + 180 * DAY_MS)

    assert waybills.outcome("1", 180 * 24 * 60, orderNo="GX0000000777") == "conflict"


def test_a_change_six_months_later_still_means_the_old_waybill(waybills: Counter) -> None:
    waybills.offer("1", 0)
    waybills.new_batch(waybills.now + 184 * DAY_MS)

    _, taken, _ = waybills.offer("2", 184 * 24 * 60, weight="2.1")

    assert taken is not None
    assert (taken.held.generation, taken.held.version) == (1, 2)


def test_the_same_waybill_again_after_six_months_is_still_a_duplicate(waybills: Counter) -> None:
    waybills.offer("1", 0)
    waybills.new_batch(waybills.now + 184 * DAY_MS)

    assert waybills.outcome("1", 0) == "duplicate"


def test_orders_and_payments_are_never_used_again(counter: Counter) -> None:
    counter.offer("1", 0)
    counter.new_batch(counter.now + 400 * DAY_MS)

    assert counter.outcome("1", 400 * 24 * 60, note="另一单") == "conflict"


def test_six_months_are_counted_by_the_calendar(triples: Any) -> None:
    waybills = Counter(triples, "waybill", parse_china_time("20230909100000"))
    waybills.offer("1", 0)

    waybills.new_batch(parse_china_time("20240309095959"))
    before = waybills.outcome("1", 60, orderNo="GX0000000777")
    waybills.new_batch(parse_china_time("20240309100000"))
    after = waybills.outcome("1", 60, orderNo="GX0000000777")

    assert (before, after) == ("conflict", "taken")
