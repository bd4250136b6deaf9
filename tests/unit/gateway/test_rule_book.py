"""The rule book: limits by date, lists of operators, severities, and the edition that names all of it."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tongguan.gateway.rules import lists as lists_module
from tongguan.gateway.rules.book import Dated, Listed, RuleBook, built_in
from tongguan.gateway.rules.finding import Finding, Severity, Value, compare, rules, verdict_of
from tongguan.gateway.rules.lists import BONDED_MODES, POSITIVE_LIST, with_lists
from tongguan.gateway.rules.reconciling import CHECKS
from tongguan.gateway.states import Verdict
from tongguan.messages.chinatime import parse_china_time
from tongguan.messages.personal import mask_name


@pytest.mark.parametrize(
    ("day", "single", "yearly"),
    [
        ("20160407235959", None, None),
        ("20160408000000", "2000", "20000"),
        ("20181231235959", "2000", "20000"),
        ("20190101000000", "5000", "26000"),
        ("20301231000000", "5000", "26000"),
    ],
)
def test_the_limit_in_force_is_that_of_the_day_in_china(day: str, single: str | None, yearly: str | None) -> None:
    at = parse_china_time(day)

    found = built_in().limit("single_limit", at), built_in().limit("yearly_limit", at)

    assert found == (single and Decimal(single), yearly and Decimal(yearly))


def test_the_order_in_which_limits_are_written_does_not_matter() -> None:
    book = RuleBook(single_limit=(Dated("20190101", Decimal(2)), Dated("20160101", Decimal(1))))

    assert book.limit("single_limit", parse_china_time("20200101")) == 2


@pytest.mark.parametrize(
    ("since", "until", "day", "holds"),
    [
        ("", "", "20240309", True),
        ("20240309", "20240309", "20240309", True),
        ("20240310", "", "20240309", False),
        ("", "20240308", "20240309", False),
        ("20240101", "", "20240309", True),
    ],
)
def test_an_entry_of_a_list_holds_from_its_first_day_to_its_last(since: str, until: str, day: str, holds: bool) -> None:
    assert Listed(since, until).holds(day) is holds


@pytest.fixture
def problems(tmp_path: Path) -> Any:
    """What is said of lists of this text: file, line and code."""

    def load(positive: str | bytes) -> list[tuple[str, int | None, str]]:
        data = positive if isinstance(positive, bytes) else positive.encode()
        tmp_path.joinpath(POSITIVE_LIST).write_bytes(data)
        _, found = with_lists(built_in(), tmp_path)
        return [(each.file, each.fault.line, each.fault.code) for each in found]

    return load


@pytest.fixture
def lists(tmp_path: Path) -> Any:
    """The built-in book with lists of this text, and the problems with them."""

    def load(positive: str | None = None, bonded: str | None = None) -> tuple[RuleBook, list[Any]]:
        for name, text in ((POSITIVE_LIST, positive), (BONDED_MODES, bonded)):
            if text is not None:
                tmp_path.joinpath(name).write_text(text, "utf-8")
        return with_lists(built_in(), tmp_path)

    return load


def test_a_list_that_is_not_there_is_not_loaded(lists: Any) -> None:
    book, problems = lists()

    assert (book.positive_list, book.bonded_modes, problems) == (None, None, [])


def test_lists_are_loaded_as_they_stand_byte_order_mark_or_not(lists: Any) -> None:
    positive = "\ufeffcode,since,until\n19011010,20190101,\n19011010,,20181231\n"

    book, problems = lists(positive, "customs,mode,since,until\n4612,1210,,\n")

    assert problems == []
    assert book.positive_list == {"19011010": (Listed("20190101", ""), Listed("", "20181231"))}
    assert book.bonded_modes == {("4612", "1210"): (Listed("", ""),)}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("hs,since,until\n19011010,,\n", 1),
        ("code,since\n19011010,20190101\n", 1),
        ("", 1),
        ("code,since,until\n19011010,2019-01-01,\n", 2),
        ("code,since,until\n19011010,20190101,\n19011010,20190101,never\n", 3),
        ("code,since,until\n19011010,20190231,\n", 2),
        ("code,since,until\n1901,20190101,\n", 2),
        ("code,since,until\n1901,never,\n", 2),
        ('code,since,until\n19011010,"20190101,\n', 1),
    ],
    ids=[
        "other columns",
        "missing column",
        "empty",
        "dates with dashes",
        "no date",
        "no such day",
        "four digits",
        "two faults in one row",
        "open quote",
    ],
)
def test_a_list_that_cannot_be_meant_is_a_problem_of_its_file_and_line(lists: Any, text: str, line: int) -> None:
    book, problems = lists(text)

    assert book.positive_list is None
    assert {(each.file, each.fault.line) for each in problems} == {(POSITIVE_LIST, line)}


@pytest.mark.parametrize(("rows", "loads"), [(3, True), (4, False)])
def test_a_list_may_have_so_many_rows_and_no_more(
    lists: Any, monkeypatch: pytest.MonkeyPatch, rows: int, loads: bool
) -> None:
    monkeypatch.setattr(lists_module, "ROWS_MAX", 3)

    book, problems = lists("code,since,until\n" + "19011010,,\n" * rows)

    assert ((book.positive_list is not None), [each.fault.code for each in problems]) == (
        loads,
        [] if loads else ["list-rows"],
    )


def test_another_list_is_another_edition(lists: Any) -> None:
    editions = {lists(text)[0].edition for text in ("code,since,until\n", "code,since,until\n19011010,,\n")}

    assert len({*editions, built_in().edition}) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"severities": {"paid-is-charged": "off"}},
        {"line_tolerance": Decimal("0.05")},
        {"paid_tolerance": Decimal("0.05")},
        {"payment_early_hours": 1},
        {"single_limit": ()},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_changes_a_decision_changes_the_edition(change: Any) -> None:
    """The ledger names the edition only: by it somebody must be able to tell by which rules a case was decided."""
    assert replace(built_in(), **change).edition != built_in().edition


def test_the_same_rules_have_the_same_edition_in_whatever_order_they_are_set() -> None:
    one, other = {"pack-is-one": "off", "paid-is-charged": "off"}, {"paid-is-charged": "off", "pack-is-one": "off"}

    assert replace(built_in(), severities=one).edition == replace(built_in(), severities=other).edition


def test_a_severity_is_the_rule_s_own_unless_it_is_set() -> None:
    book = RuleBook(severities={"pack-is-one": Severity.BLOCKS})

    assert book.severity("pack-is-one") is Severity.BLOCKS
    assert book.severity("paid-is-charged") is rules()["paid-is-charged"].severity


SEVERITIES = (None, Severity.WARNS, Severity.WAITS, Severity.BLOCKS)


@pytest.mark.parametrize("one", SEVERITIES)
@pytest.mark.parametrize("other", SEVERITIES)
def test_the_verdict_is_that_of_the_gravest_finding(one: Severity | None, other: Severity | None) -> None:
    findings = tuple(Finding("pack-is-one", each) for each in (one, other) if each)

    expected = {3: Verdict.DISCREPANT, 2: Verdict.WAITING}
    worst = max(SEVERITIES.index(one), SEVERITIES.index(other))

    assert verdict_of(findings) is expected.get(worst, Verdict.MATCHED)


@pytest.mark.parametrize(
    ("left", "right", "rule"),
    [
        ("章春苗", "章春苗", None),
        ("章春苗", "章 春苗", "differs-in-form"),
        ("ＡＢ", "ab", "differs-in-form"),
        ("章春苗", "乔望舒", "consignee-agrees"),
        ("", " ", "differs-in-form"),
    ],
)
def test_two_texts_agree_differ_in_form_or_differ(left: str, right: str, rule: str | None) -> None:
    hit = compare("consignee-agrees", ("order.consignee", left), ("waybill.consignee", right), mask_name)

    assert (hit.rule if hit else None) == rule
    if hit and left:
        assert hit.left == Value(mask_name(left), "order.consignee")


def test_a_finding_is_stored_with_both_values_and_where_they_stand() -> None:
    finding = Finding("goods-unit-agrees", Severity.BLOCKS, Value("122", "order.unit"), Value("011", "goods.unit"), 3)

    assert finding.as_json() == {
        "rule": "goods-unit-agrees",
        "severity": "blocks",
        "line": 3,
        "left": {"value": "122", "from": "order.unit"},
        "right": {"value": "011", "from": "goods.unit"},
    }


def test_every_check_is_run_once() -> None:
    assert len(CHECKS) == len(set(CHECKS))
