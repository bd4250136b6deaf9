"""Which attempt a receipt answers, and what it does to it, in whatever order receipts come."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongguan.gateway.declaring import Declaration
from tongguan.gateway.receiving import Applied, Standing, again, apply, attempt_for
from tongguan.gateway.states import AT_HOME, DeclarationState
from tongguan.messages.chinatime import china_millis
from tongguan.messages.ladders import ladder
from tongguan.messages.receipts import Receipt

S = DeclarationState
T0 = 1_709_949_600_000
GUID = "0D000000-0000-4000-8000-00000000000{}"


def _declaration(attempt: int = 1, state: S = S.SENT, message: str = "CEB621Message", **changes: Any) -> Declaration:
    made = Declaration(
        id=attempt,
        case_id=1,
        document_id=1,
        document_version=1,
        message_type=message,
        attempt=attempt,
        app_type="1",
        state=state,
        eport="hangzhou-9610",
        declarant="3301989T04",
        guid=GUID.format(attempt),
        cop_no="TG1",
        business_key="TG1",
        digest=b"d",
        packed_at=T0 + attempt * 60_000,
    )
    return replace(made, **changes)


def _receipt(status: str, minutes: float = 10, message: str = "CEB622Message", **changes: Any) -> Receipt:
    at = int(T0 + minutes * 60_000)
    made = Receipt(
        message_type=message,
        index=0,
        doubled=False,
        key=("TG1",),
        status=status,
        guid="0E000000-0000-4000-8000-000000000001",
        info="",
        return_time=china_millis(at),
        return_ms=at,
        named_guid=None,
        customs_code=None,
        pre_no=None,
        invt_no=None,
        rkd_no=None,
    )
    return replace(made, **changes)


def _state(done: Applied) -> str:
    assert done.declaration is not None
    return done.declaration.state.value


class TestWhichAttempt:
    @pytest.fixture
    def attempts(self) -> list[Declaration]:
        return [
            _declaration(1, S.REFUSED, pre_no="P1"),
            _declaration(2, S.ACCEPTED, pre_no="P2"),
            _declaration(3, S.BLOCKED, packed_at=None),
        ]

    @pytest.mark.parametrize("name", ["named_guid", "guid"])
    def test_the_guid_it_names(self, attempts: Any, name: str) -> None:
        found = attempt_for(replace(_receipt("120"), **{name: GUID.format(1).lower()}), attempts)

        assert found is attempts[0]

    def test_the_pre_entry_number_it_names(self, attempts: Any) -> None:
        assert attempt_for(_receipt("120", pre_no="P1"), attempts) is attempts[0]

    def test_the_guid_goes_before_the_pre_entry_number(self, attempts: Any) -> None:
        assert attempt_for(_receipt("120", pre_no="P1", named_guid=GUID.format(2)), attempts) is attempts[1]

    @pytest.mark.parametrize(("minutes", "attempt"), [(1, 1), (1.9, 1), (2, 2), (99, 2)])
    def test_else_the_newest_that_was_packed_before_it_was_written(
        self, attempts: Any, minutes: float, attempt: int
    ) -> None:
        found = attempt_for(_receipt("120", minutes), attempts)

        assert found is not None
        assert found.attempt == attempt

    def test_else_the_newest_when_its_time_is_before_all_or_missing(self, attempts: Any) -> None:
        assert attempt_for(_receipt("120", 0.5), attempts) is attempts[1]
        assert attempt_for(_receipt("120", return_ms=None), attempts) is attempts[1]

    @pytest.mark.parametrize("state", sorted(AT_HOME))
    def test_what_never_left_the_house_is_not_answered(self, state: S) -> None:
        named = _receipt("120", named_guid=GUID.format(1))

        assert attempt_for(named, [_declaration(1, state)]) is None
        assert attempt_for(named, [_declaration(1, S.WITHDRAWN, packed_at=None)]) is None

    def test_a_guid_that_nobody_has_leaves_the_time_to_decide(self, attempts: Any) -> None:
        assert attempt_for(_receipt("120", named_guid=GUID.format(9)), attempts) is attempts[1]


class TestApplying:
    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("1", "pending"), ("2", "received"), ("3", "forwarded"), ("4", "unsent"), ("120", "accepted"),
            ("300", "reviewing"), ("399", "decided"), ("500", "inspecting"), ("501", "detained"), ("599", "detained"),
            ("600", "suspended"), ("700", "sent_back"), ("800", "released"), ("899", "closed"), ("100", "refused"),
            ("-621001", "refused"),
        ],
    )  # fmt: skip
    def test_it_moves_the_declaration_to_what_it_says(self, status: str, state: str) -> None:
        done = apply(_receipt(status), _declaration(), 1)

        assert (done.standing, _state(done)) == (Standing.APPLIED, state)
        assert done.declaration is not None
        assert (done.declaration.status, done.declaration.return_time) == (status, T0 + 600_000)

    def test_it_brings_the_numbers_of_e_port_and_customs(self) -> None:
        done = apply(_receipt("120", pre_no="P1", invt_no="I1"), _declaration(), 1)

        assert done.declaration is not None
        assert (done.declaration.pre_no, done.declaration.invt_no) == ("P1", "I1")

    def test_a_later_one_without_numbers_keeps_them(self) -> None:
        done = apply(_receipt("800"), _declaration(pre_no="P1", invt_no="I1"), 1)

        assert done.declaration is not None
        assert (done.declaration.pre_no, done.declaration.invt_no) == ("P1", "I1")

    def test_one_that_was_overtaken_is_late_and_moves_nothing(self) -> None:
        released = _declaration(state=S.RELEASED, status="800", return_time=T0 + 900_000)

        done = apply(_receipt("120", 10, invt_no="I1"), released, 1)

        assert (done.standing, _state(done)) == (Standing.LATE, "released")
        assert done.declaration is not None
        assert (done.declaration.status, done.declaration.invt_no) == ("800", "I1")

    def test_at_the_same_time_the_higher_rung_counts(self) -> None:
        accepted = _declaration(state=S.ACCEPTED, status="120", return_time=T0 + 600_000)

        assert _state(apply(_receipt("800"), accepted, 1)) == "released"
        assert apply(_receipt("3"), accepted, 1).standing is Standing.LATE

    def test_the_same_again_is_doubled_and_moves_nothing(self) -> None:
        accepted = _declaration(state=S.ACCEPTED, status="120", return_time=T0 + 600_000)

        done = apply(_receipt("120"), accepted, 1, known=True)

        assert (done.standing, done.declaration) == (Standing.DOUBLED, accepted)

    def test_the_same_again_within_its_message_is_doubled(self) -> None:
        assert apply(_receipt("120", doubled=True), _declaration(), 1).standing is Standing.DOUBLED

    @pytest.mark.parametrize("status", ["18", "777", "abc", ""])
    @pytest.mark.parametrize("state", [S.SENT, S.PACKED, S.UNCERTAIN])
    def test_an_unknown_code_is_shown_as_unknown(self, status: str, state: S) -> None:
        done = apply(_receipt(status, message="CEB626Message"), _declaration(state=state, message="CEB625Message"), 1)

        assert (done.standing, _state(done)) == (Standing.UNKNOWN, "unknown")

    def test_an_unknown_code_takes_nothing_from_what_is_known(self) -> None:
        accepted = _declaration(state=S.ACCEPTED, status="120", return_time=T0)

        done = apply(_receipt("777"), accepted, 1)

        assert (done.standing, _state(done)) == (Standing.UNKNOWN, "accepted")
        assert done.declaration is not None
        assert done.declaration.status == "120"

    def test_a_known_code_after_an_unknown_one_counts(self) -> None:
        unknown = apply(_receipt("777", 20), _declaration(), 1).declaration

        assert _state(apply(_receipt("120", 10), unknown, 1)) == "accepted"

    def test_an_unlisted_negative_code_refuses_and_is_shown_as_unknown(self) -> None:
        done = apply(_receipt("-999999"), _declaration(), 1)

        assert (done.standing, _state(done)) == (Standing.UNKNOWN, "refused")

    def test_one_for_nothing_that_was_sent_is_unmatched(self) -> None:
        done = apply(_receipt("120"), None, 1)

        assert (done.standing, done.declaration) == (Standing.UNMATCHED, None)

    @pytest.mark.parametrize(
        "code", [code for code in ladder("CEB622Message") if code.retry == "query"], ids=lambda r: r.code
    )
    def test_sent_on_but_not_updated_stays_uncertain(self, code: Any) -> None:
        done = apply(_receipt(code.code), _declaration(), 1)

        assert (_state(done), done.resend) == ("uncertain", False)

    @pytest.mark.parametrize(
        "message", ["CEB312Message", "CEB412Message", "CEB512Message", "CEB622Message", "CEB624Message"]
    )
    def test_only_a_refusal_that_blames_the_system_may_be_repeated(self, message: str) -> None:
        codes = {rung.code: rung for rung in ladder(message)}

        for code, rung in codes.items():
            done = apply(_receipt(code, message=message), _declaration(), 1)

            assert done.resend is (rung.standing == "refused" and rung.retry == "resend"), code


DUPLICATES = [
    ("CEB311Message", "CEB312Message", "-301010"),
    ("CEB411Message", "CEB412Message", "-401007"),
    ("CEB511Message", "CEB512Message", "-504015"),
    ("CEB621Message", "CEB622Message", "-621004"),
]


@pytest.mark.parametrize(("message", "answer", "code"), DUPLICATES)
class TestDuplicates:
    def test_after_a_resend_it_proves_that_the_first_sending_arrived(
        self, message: str, answer: str, code: str
    ) -> None:
        done = apply(_receipt(code, message=answer), _declaration(message=message), 2)

        assert (done.standing, _state(done), done.resend) == (Standing.APPLIED, "received", False)

    def test_it_takes_nothing_from_what_has_arrived(self, message: str, answer: str, code: str) -> None:
        accepted = _declaration(message=message, state=S.ACCEPTED, status="120", return_time=T0)

        assert _state(apply(_receipt(code, message=answer), accepted, 2)) == "accepted"

    def test_an_answer_that_was_written_before_it_still_counts(self, message: str, answer: str, code: str) -> None:
        known = apply(_receipt(code, 30, answer), _declaration(message=message), 2).declaration

        assert _state(apply(_receipt("120", 10, answer), known, 2)) == "accepted"

    def test_after_one_sending_only_it_is_a_refusal(self, message: str, answer: str, code: str) -> None:
        assert _state(apply(_receipt(code, message=answer), _declaration(message=message), 1)) == "refused"


STATUSES = ("1", "2", "3", "4", "100", "120", "300", "399", "500", "600", "800", "899", "-621001", "777")


def _play(receipts: Sequence[Receipt]) -> Declaration:
    declaration, known = _declaration(), []
    for each in receipts:
        same = (each.status, each.return_ms)
        done = apply(each, declaration, 1, known=same in known)
        assert done.declaration is not None
        declaration = done.declaration
        if done.standing is not Standing.DOUBLED:
            known.append(same)
    return declaration


@given(
    receipts=st.lists(st.tuples(st.sampled_from(STATUSES[:-1]), st.integers(2, 9)), min_size=1, max_size=6),
    data=st.data(),
)
def test_any_order_of_arrival_ends_at_the_same_state(receipts: list[tuple[str, int]], data: st.DataObject) -> None:
    made = [_receipt(status, minutes) for status, minutes in receipts]
    shuffled = data.draw(st.permutations(made))

    one, other = _play(made), _play(shuffled)

    assert (one.state, one.status, one.return_time) == (other.state, other.status, other.return_time)


@given(st.lists(st.tuples(st.sampled_from(STATUSES), st.integers(2, 9)), min_size=1, max_size=6))
def test_receipts_that_come_twice_change_nothing(receipts: list[tuple[str, int]]) -> None:
    made = [_receipt(status, minutes) for status, minutes in receipts]

    assert _play(made) == _play([each for each in made for _ in range(2)])


def test_declaring_again_says_the_same_under_new_numbers() -> None:
    refused = _declaration(
        state=S.REFUSED, status="-621011", return_time=T0, message_id=5, pre_no="P1", ready_at=T0, relay_id=None
    )

    made = again(refused, 9, GUID.format(9), {"InventoryHead": {}})

    assert (made.id, made.attempt, made.guid, made.state) == (9, 2, GUID.format(9), S.BLOCKED)
    assert (made.cop_no, made.business_key, made.digest, made.app_type) == ("TG1", "TG1", b"d", "1")
    assert (made.status, made.return_time, made.message_id, made.packed_at, made.pre_no, made.ready_at) == (None,) * 6
