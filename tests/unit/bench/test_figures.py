"""The arithmetic of the bench."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def figures() -> ModuleType:
    """The bench is no package: its files are loaded from their place."""
    spec = importlib.util.spec_from_file_location("bench_figures", Path(__file__).parents[3] / "bench" / "figures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_rate_counts_from_the_beginning_to_the_last_moment_whatever_the_order(figures: ModuleType) -> None:
    assert figures.rate([3000.0, 5000.0, 4000.0], 1000.0) == 0.75


def test_a_rate_of_nothing_is_nothing(figures: ModuleType) -> None:
    assert figures.rate([], 1000.0) == 0.0


@pytest.mark.parametrize(("share", "expected"), [(1, 1), (50, 50), (95, 95), (99, 99), (100, 100)])
def test_a_percentile_is_the_value_that_so_many_of_a_hundred_do_not_exceed(
    figures: ModuleType, share: int, expected: int
) -> None:
    assert figures.percentile(list(range(100, 0, -1)), share) == expected


@pytest.mark.parametrize(("share", "expected"), [(50, 20), (51, 30), (99, 40)])
def test_a_percentile_of_few_values_is_one_of_them_and_never_below_its_share(
    figures: ModuleType, share: int, expected: int
) -> None:
    assert figures.percentile([10, 20, 30, 40], share) == expected


@pytest.mark.parametrize(("values", "share"), [([], 50), ([1], 0), ([1], 101)])
def test_there_is_no_percentile_of_nothing_and_none_beyond_a_hundred(
    figures: ModuleType, values: list[int], share: int
) -> None:
    with pytest.raises(ValueError, match="percentile"):
        figures.percentile(values, share)


def test_what_a_thousand_take_is_in_proportion(figures: ModuleType) -> None:
    assert figures.per_thousand(3.0, 1500) == 2.0


def test_a_ratio_to_nothing_is_none(figures: ModuleType) -> None:
    assert figures.ratio(30.0, 20.0) == 1.5
    assert figures.ratio(30.0, 0.0) is None


def test_a_run_is_whole_when_every_triple_finished_exactly_once(figures: ModuleType) -> None:
    assert figures.lacking([1, 1, 1], 3) is None


@pytest.mark.parametrize(
    ("finished", "said"),
    [
        ([1, 1], "1 of 3 never finished, 0 more than once"),
        ([1, 2, 1], "0 of 3 never finished, 1 more than once"),
        ([2, 0, 1], "1 of 3 never finished, 1 more than once"),
    ],
)
def test_a_run_that_is_not_whole_says_how_many_are_amiss(figures: ModuleType, finished: list[int], said: str) -> None:
    assert figures.lacking(finished, 3) == said
