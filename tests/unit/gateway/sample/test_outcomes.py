"""What the gateway makes of the scenarios is what their table says: together in one world, and each in its own."""

from collections.abc import Callable

import pytest

from tongguan.gateway.sample.expectation import Difference, Expectation, Outcome, differences, expected_of
from tongguan.gateway.sample.generate import SampleSet, generate, plantable

AT_MS = 1_767_571_200_000

Played = Callable[[SampleSet], Outcome]

ALL = [each.name for each in plantable()]
ONE_OF_EACH = [
    each.name
    for each in plantable()
    if not each.family or each.name == next(one.name for one in plantable() if one.family == each.family)
]
"""Every scenario that is not of a family, and the first of each family."""


def _said(wrong: list[Difference]) -> str:
    return "\n".join(f"{each.about}: {each.en}" for each in wrong)


@pytest.fixture(scope="session")
def together(outcome_of: Played) -> tuple[Expectation, list[Difference]]:
    """What is expected of one of each, planted in one world, and all that is otherwise."""
    sample = generate(1, AT_MS, 0, faults=ONE_OF_EACH)
    expected = expected_of(sample)
    return expected, differences(expected.outcome, outcome_of(sample))


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_the_cases_of_a_scenario_end_as_its_table_says(name: str, together: tuple[Expectation, list[Difference]]):
    expected, wrong = together

    own = {key for key, story in expected.stories.items() if story.scenario == name}

    assert not (found := [each for each in wrong if each.about in own]), _said(found)


def test_every_delivery_is_answered_as_the_tables_say(together: tuple[Expectation, list[Difference]]):
    expected, wrong = together

    assert not (found := [each for each in wrong if each.about not in expected.stories]), _said(found)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_a_scenario_alone_becomes_what_its_table_says(name: str, outcome_of: Played):
    sample = generate(3, AT_MS, 0, faults=[name])

    wrong = differences(expected_of(sample).outcome, outcome_of(sample))

    assert not wrong, _said(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("modes", [("9610",), ("1210",), ("9610", "1210")], ids="-".join)
def test_all_scenarios_among_clean_triples_become_what_their_tables_say(modes, outcome_of: Played):
    sample = generate(5, AT_MS, 500, modes)

    wrong = differences(expected_of(sample).outcome, outcome_of(sample))

    assert not wrong, _said(wrong)
