"""The tables of states, pair by pair, and the status of a case in every combination."""

from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongguan.gateway.states import (
    ARRIVED,
    AT_HOME,
    OVER,
    SETTERS,
    TRANSITIONS,
    UNANSWERED,
    CaseStatus,
    DeclarationState,
    Event,
    Flag,
    Verdict,
    after,
    case_status,
    summary,
)
from tongguan.messages.documents import results
from tongguan.messages.ladders import STANDINGS, ladder, receipt_codes

EVENTS = """
    state      block    unblock  pack    send  doubt      resend  hand_back  withdraw
    blocked    -        ready    -       -     -          -       -          withdrawn
    ready      blocked  -        packed  -     -          -       -          withdrawn
    packed     -        -        -       sent  uncertain  -       ready      -
    sent       -        -        -       -     uncertain  -       -          -
    uncertain  -        -        -       -     -          packed  -          -
"""
HEADER, *LINES = (line.split() for line in EVENTS.strip().splitlines())
MOVES = {(line[0], event): leads for line in LINES for event, leads in zip(HEADER[1:], line[1:], strict=True)}


@pytest.mark.parametrize(("state", "event"), list(product(DeclarationState, Event)))
def test_every_event_leads_where_the_table_says_or_nowhere(state: DeclarationState, event: Event) -> None:
    expected = MOVES.get((state.value, event.value), "-")

    found = after(state, event)

    assert (found.value if found else "-") == expected


def test_every_event_happens_somewhere() -> None:
    assert {event for _, event in TRANSITIONS} == set(Event)


def test_nothing_leaves_the_states_that_receipts_give() -> None:
    assert {state for state, _ in TRANSITIONS} <= AT_HOME | UNANSWERED


def test_every_state_is_at_home_unanswered_withdrawn_or_given_by_a_receipt() -> None:
    by_receipt = {DeclarationState(standing) for standing in STANDINGS}

    assert set(DeclarationState) == AT_HOME | UNANSWERED | {DeclarationState.WITHDRAWN} | by_receipt
    assert not by_receipt & (AT_HOME | UNANSWERED | {DeclarationState.WITHDRAWN})


def test_what_has_arrived_is_what_the_e_port_took_with_status_2_or_further() -> None:
    arrived = {
        "received", "forwarded", "unsent", "accepted", "reviewing", "inspecting", "detained", "suspended", "decided",
        "released", "closed", "sent_back",
    }  # fmt: skip

    assert {state.value for state in ARRIVED} == arrived
    assert {state.value for state in OVER} == {"refused", "withdrawn", "sent_back"}


def test_every_standing_of_a_receipt_is_a_state_of_a_declaration() -> None:
    standings = {rung.standing for code in ("CEB312Message", "CEB622Message", "CEB626Message") for rung in ladder(code)}

    assert standings <= {state.value for state in DeclarationState}
    assert {each.standing for each in receipt_codes() if each.kind == "status"} <= set(STANDINGS)


SHOWN = {
    "blocked": None, "ready": None, "withdrawn": None,
    "packed": "declaring", "sent": "declaring", "uncertain": "declaring", "pending": "declaring",
    "received": "declaring", "forwarded": "declaring", "unsent": "declaring", "unknown": "declaring",
}  # fmt: skip
"""What customs has not said anything about is "declaring" once it has left the house; the rest goes by its own name."""


def _expected(verdict: Verdict, main: Any, withdrawn: bool, cancellation: Any, refund: Any) -> str:
    """The rule said once more: what ended the case counts first, then where the goods are, then the evidence."""
    if cancellation == "decided":
        return "cancelled"
    if refund in ("decided", "released"):
        return "returned"
    left_the_house = main is not None and SHOWN.get(main, main)
    if left_the_house:
        return left_the_house
    return "withdrawn" if withdrawn else verdict.value


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("withdrawn", [False, True])
def test_the_status_of_a_case_in_every_combination(verdict: Verdict, withdrawn: bool) -> None:
    states = [None, *DeclarationState]

    for main, cancellation, refund in product(states, states, states):
        status = case_status(verdict, main, withdrawn=withdrawn, cancellation=cancellation, refund=refund)

        assert status.value == _expected(verdict, main, withdrawn, cancellation, refund), (main, cancellation, refund)


def test_every_status_can_be_reached() -> None:
    states = [None, *DeclarationState]
    reached = {
        case_status(verdict, main, withdrawn=withdrawn, cancellation=cancellation, refund=refund)
        for verdict in Verdict
        for withdrawn in (False, True)
        for main, cancellation, refund in product(states, states, states)
    }

    assert reached == set(CaseStatus)


def test_every_status_says_who_sets_it_in_both_languages() -> None:
    assert set(SETTERS) == set(CaseStatus)
    assert all(zh and en and zh != en for zh, en in SETTERS.values())


def test_the_contract_knows_the_same_statuses_and_verdicts() -> None:
    assert list(get_args(results.CaseStatus)) == [status.value for status in CaseStatus]
    assert {verdict.value for verdict in Verdict} == set(get_args(results.Verdict))


def test_the_flags_are_those_the_architecture_names() -> None:
    assert {flag.value for flag in Flag} == {"held", "late", "uncertain", "ambiguous"}


@given(st.lists(st.sampled_from(DeclarationState), min_size=1))
def test_a_summary_is_one_of_its_states_in_whatever_order_they_come(states: list[DeclarationState]) -> None:
    assert summary(states) in states
    assert summary(states) is summary(list(reversed(states)))


@given(st.lists(st.sampled_from(DeclarationState)))
def test_one_refused_declaration_makes_the_summary_refused(states: list[DeclarationState]) -> None:
    assert summary([*states, DeclarationState.REFUSED]) is DeclarationState.REFUSED


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("accepted sent", "sent"),
        ("accepted closed", "accepted"),
        ("accepted uncertain sent", "uncertain"),
        ("detained uncertain released", "detained"),
        ("unknown accepted", "unknown"),
        ("packed received", "packed"),
    ],
)
def test_the_summary_is_the_worst_that_happened_else_the_least_advanced(states: str, expected: str) -> None:
    found = summary([DeclarationState(state) for state in states.split()])

    assert found is DeclarationState(expected)


def test_the_summary_of_nothing_is_nothing() -> None:
    assert summary([]) is None
