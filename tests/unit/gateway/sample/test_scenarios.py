"""The table of scenarios covers what the gateway documents."""

import pytest

from tongguan.gateway.rules.finding import rules
from tongguan.gateway.sample.enterprises import MODES
from tongguan.gateway.sample.generate import plantable
from tongguan.gateway.sample.scenario import scenarios
from tongguan.gateway.states import CaseStatus, Flag, Verdict
from tongguan.gateway.taking import Outcome
from tongguan.messages.catalogue import message_types
from tongguan.messages.ladders import ladder

LADDERS = ("312", "412", "512", "514", "622", "624", "626", "816", "818", "900", "DxpRep")
CODE_OF = {known.short: known.code for known in message_types().values()}
SPECS = [spec for each in scenarios().values() for spec in each.cases]


def test_every_rule_is_found_by_a_scenario():
    found = {rule for spec in SPECS for rule in spec.findings}

    assert found == set(rules())


def test_every_outcome_of_a_document_has_a_scenario():
    found = {outcome for each in scenarios().values() for outcomes in each.outcomes.values() for outcome in outcomes}

    assert found == {each.value for each in Outcome}


@pytest.mark.parametrize("short", LADDERS)
def test_every_receipt_code_of_a_ladder_has_a_scenario(short: str):
    found = {code for spec in SPECS for code in spec.receipts.get(short, ())}

    assert {each.code for each in ladder(CODE_OF[short])} <= found


def test_every_verdict_has_a_scenario():
    assert {spec.verdict for spec in SPECS} == {each.value for each in Verdict}


def test_every_status_a_case_can_end_in_has_a_scenario():
    # what matches is declared at once
    assert {spec.status for spec in SPECS} == {each.value for each in CaseStatus} - {"matched"}


def test_every_flag_but_that_of_an_officer_has_a_scenario():
    found = {flag for spec in SPECS for flag in spec.flags}

    assert found == {each.value for each in Flag} - {"held"}


def test_every_scenario_says_in_both_languages_what_it_is():
    assert all(each.zh and each.en for each in scenarios().values())


def test_every_scenario_can_be_planted_where_both_modes_are():
    names = {each.name for each in plantable(MODES)}

    assert names == set(scenarios()) - {"references"}


def test_a_family_makes_one_scenario_for_each_of_its_codes():
    made = scenarios()["inventory-detained-502"]

    assert made.cases[0].status == "detained"
    assert made.cases[0].receipts["622"] == ("2", "3", "120", "500", "502")
    assert "502" in made.en
    assert "502" in made.zh


def test_a_repeated_declaration_is_answered_by_the_ordinary_course_after_its_script():
    spec = scenarios()["inventory-again--621017"].cases[0]

    assert spec.receipts["622"] == ("-621017", "2", "3", "120", "800", "899")


def test_order_payment_and_waybill_are_stored_with_their_inventory_only():
    stored, refused = scenarios()["clean"].cases[0], scenarios()["inventory-refused-100"].cases[0]

    assert stored.receipts["312"] == ("2", "3", "120")
    assert refused.receipts["312"] == ("2", "3")


def test_a_release_brings_a_tax_bill_and_its_summary():
    spec = scenarios()["clean"].cases[0]

    assert (spec.receipts["816"], spec.receipts["818"], spec.tax) == (("1",), ("2",), 2)
