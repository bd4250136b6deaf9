"""Answers and results: what they look like as JSON, and that they say what the gateway's own words say."""

import json
from typing import get_args

import pytest
from pydantic import ValidationError

from tongguan.gateway.rules.finding import Severity
from tongguan.gateway.states import CaseStatus, Verdict
from tongguan.gateway.taking import Outcome
from tongguan.messages.contract import examples
from tongguan.messages.documents import answers, published, results
from tongguan.messages.documents.answers import Answer, DocumentAnswer, FirstAnswer
from tongguan.messages.documents.published import CaseName, FaultText
from tongguan.messages.documents.results import Result, ResultFinding, Results, ResultValue
from tongguan.messages.faults import fault

_CASE = CaseName(direction="import", scope="1199W60001", order_no="HX1")


def test_an_answer_is_json_under_official_style_names_without_empty_values():
    answer = Answer(
        correlation_id="d-1",
        at=1709868425123,
        documents=(
            DocumentAnswer(
                index=0,
                kind="order",
                key=("1199W60001", "HX1"),
                outcome="duplicate",
                case=_CASE,
                first=FirstAnswer(at=1, outcome="taken", case=_CASE),
            ),
        ),
    )

    case = {"direction": "import", "scope": "1199W60001", "orderNo": "HX1"}
    assert json.loads(answer.as_json()) == {
        "contract": "1",
        "correlationId": "d-1",
        "at": 1709868425123,
        "documents": [
            {
                "index": 0,
                "kind": "order",
                "key": ["1199W60001", "HX1"],
                "outcome": "duplicate",
                "case": case,
                "first": {"at": 1, "outcome": "taken", "case": case},
                "faults": [],
            }
        ],
        "faults": [],
        "notices": [],
    }


def test_a_fault_in_an_answer_carries_its_next_step():
    text = FaultText.of(fault("document-doubled-key", "/0/qty", 3))

    assert (text.code, text.path, text.line) == ("document-doubled-key", "/0/qty", 3)
    assert text.zh == "同一个字段出现了两次。请只保留一个。"
    assert text.en == "the same field stands here twice. Keep one of them."


def test_a_stored_answer_is_read_back():
    answer = Answer.model_validate(examples()["answer"])

    assert Answer.model_validate_json(answer.as_json()) == answer


def test_a_finding_shows_both_values_and_where_they_came_from():
    finding = ResultFinding(
        rule="payer-is-buyer",
        severity="blocks",
        zh="支付人与订购人不是同一人",
        en="payer and buyer are not the same person",
        left=ResultValue.of("李**", "order.buyerName"),
    )

    assert json.loads(finding.as_json())["left"] == {"value": "李**", "from": "order.buyerName"}


def test_results_travel_as_an_array_of_1_to_100():
    one = Result.model_validate(examples()["results"][0])

    assert json.loads(Results((one, one)).as_json())[1]["id"] == one.id
    for many in ((), (one,) * 101):
        with pytest.raises(ValidationError):
            Results(many)


def test_a_reader_of_this_version_passes_over_names_of_a_later_one():
    later = examples()["results"][0] | {"colour": "red"}

    assert Result.model_validate(later).id == later["id"]


@pytest.mark.parametrize(
    ("published_words", "own_words"),
    [
        (answers.Outcome, set(Outcome)),
        (results.CaseStatus, set(CaseStatus)),
        (results.Verdict, set(Verdict)),
        (results.Severity, set(Severity)),
    ],
)
def test_the_contract_knows_every_word_the_gateway_uses(published_words: object, own_words: set[str]):
    assert set(get_args(published_words)) == own_words


def test_the_contract_has_one_version():
    assert get_args(published.ContractVersion) == (published.CONTRACT,)
