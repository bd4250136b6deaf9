"""Expectation and outcome are compared in every aspect, in two languages."""

from dataclasses import replace
from typing import Any

import pytest

from tongguan.gateway.sample.expectation import (
    CaseOutcome,
    DeliveryOutcome,
    DocumentOutcome,
    Outcome,
    differences,
    expected_of,
    read_expectation,
)
from tongguan.gateway.sample.generate import generate

CASE = CaseOutcome(
    verdict="matched",
    status="closed",
    flags=("late",),
    findings=("pack-is-one",),
    declared={"311": 1},
    sends={"311": 1},
    receipts={"312": ("2", "3")},
    standings={"late": 1},
    tax=2,
    published="closed",
)
DELIVERY = DeliveryOutcome((DocumentOutcome("order", "taken"),))
OUTCOME = Outcome({"import/A/1": CASE}, {"1-01-0001": DELIVERY})
OTHER: list[dict[str, Any]] = [
    {"verdict": "waiting"},
    {"status": "released"},
    {"flags": ()},
    {"findings": ("pack-is-one", "payment-early")},
    {"declared": {"311": 2}},
    {"sends": {}},
    {"receipts": {"312": ("2",)}},
    {"standings": {}},
    {"tax": 1},
    {"published": ""},
]


def test_the_same_outcome_differs_in_nothing():
    assert differences(OUTCOME, replace(OUTCOME)) == []


@pytest.mark.parametrize("change", OTHER, ids=lambda change: next(iter(change)))
def test_a_case_that_ends_otherwise_differs_in_one_thing(change: dict[str, Any]):
    found = replace(OUTCOME, cases={"import/A/1": replace(CASE, **change)})

    [wrong] = differences(OUTCOME, found)

    assert wrong.about == "import/A/1"
    assert "应为" in wrong.zh
    assert "should be" in wrong.en


def test_a_case_that_is_missing_is_a_difference():
    [wrong] = differences(OUTCOME, replace(OUTCOME, cases={}))

    assert wrong.en == "there is no such case"


def test_a_case_nobody_expected_is_a_difference():
    [wrong] = differences(replace(OUTCOME, cases={}), OUTCOME)

    assert wrong.en == "a case nobody expected"


def test_a_delivery_without_an_answer_is_a_difference():
    [wrong] = differences(OUTCOME, replace(OUTCOME, deliveries={}))

    assert wrong.en == "was not answered"


def test_a_document_that_is_answered_otherwise_is_a_difference():
    other = DeliveryOutcome((DocumentOutcome("order", "stale", ("document-stale",)),))

    wrong = differences(OUTCOME, replace(OUTCOME, deliveries={"1-01-0001": other}))

    assert [each.about for each in wrong] == ["1-01-0001#0", "1-01-0001#0"]
    assert wrong[0].en == "outcome should be taken, but is stale"
    assert wrong[0].zh == "收单结果应为 taken，实为 stale"


def test_a_delivery_refused_whole_is_a_difference():
    wrong = differences(OUTCOME, replace(OUTCOME, deliveries={"1-01-0001": DeliveryOutcome((), ("document-none",))}))

    assert [each.en.split(" should")[0] for each in wrong] == ["faults of the delivery", "documents"]


def test_a_receipt_that_found_no_case_is_a_difference():
    [wrong] = differences(OUTCOME, replace(OUTCOME, unmatched=3))

    assert wrong.en == "receipts that found no case should be 0, but is 3"


def test_an_expectation_read_back_from_its_json_expects_the_same():
    written = expected_of(generate(4, 1_767_571_200_000, 5, faults=["merged-payment", "json-malformed"]))

    read = read_expectation(written.as_json())

    assert differences(written.outcome, read.outcome) == []
    assert read.stories == written.stories
