"""Every rule against its cases in ``tests/data/rules``: a change of the clean triple, and what must be found."""

import tomllib
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tongguan.gateway.amounts import scaled
from tongguan.gateway.cases import Papers
from tongguan.gateway.deciding import invalidate
from tongguan.gateway.packing import Building, pack
from tongguan.gateway.rules.book import RuleBook, built_in
from tongguan.gateway.rules.finding import Finding, rules
from tongguan.gateway.rules.lists import BONDED_MODES, POSITIVE_LIST, with_lists
from tongguan.gateway.states import DeclarationState
from tongguan.messages.chinatime import parse_china_time

CASES = sorted((Path(__file__).parents[2] / "data" / "rules").glob("*/*.toml"))
NAMED = [f"{path.parent.name}/{path.stem}" for path in CASES]


@pytest.fixture(scope="module")
def findings_of(triples: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Decide the case a file describes."""

    def decide(case: dict[str, Any]) -> tuple[Finding, ...]:
        folder = tmp_path_factory.mktemp("lists")
        given = case.get("context", {})
        desk = triples.Desk(
            book=_book(given, folder), now=parse_china_time(case["now"]) if "now" in case else triples.NOW
        )
        desk.eports = _eports(case, triples)
        desk.on_record = (desk.context().on_record | set(given.get("on_record", ()))) - set(given.get("off_record", ()))
        for content in _documents(case, triples):
            kind = content.pop("kind")
            more: dict[str, Any] = {}
            if kind in case.get("first_at", {}):
                more["first_at"] = parse_china_time(case["first_at"][kind])
            desk.put(triples.document(kind, mode="raw", **content), bound_to=case.get("bound", {}).get(kind), **more)
        if "used" in given:
            desk.used = _Everybody(scaled(Decimal(given["used"])))
        decision = desk.decide()
        if case.get("declared"):
            for message in desk.states():
                desk.move(message, DeclarationState.ACCEPTED, packed_at=1, message_id=1)
            for content in [case["after"]] if "after" in case else _more(case, triples):
                kind = content.pop("kind")
                desk.put(triples.document(kind, **content))
            decision = desk.decide()
        if case.get("schema"):
            return decision.findings + _invalid(desk, triples)
        return decision.findings

    return decide


class _Everybody(dict[Any, int]):
    """Everybody has used so much of the quota."""

    def __init__(self, used: int) -> None:
        super().__init__()
        self._used = used

    def get(self, key: Any, default: Any = None) -> Any:
        return self._used


def _book(given: dict[str, Any], folder: Path) -> RuleBook:
    for key, name in (("positive_list", POSITIVE_LIST), ("bonded_modes", BONDED_MODES)):
        if key in given:
            folder.joinpath(name).write_text(given[key], "utf-8")
    book, problems = with_lists(built_in(), folder)
    assert problems == []
    return book


def _eports(case: dict[str, Any], triples: Any) -> list[Any]:
    found = list(triples.eports())
    for change in case.get("eport", ()):
        at = next(at for at, each in enumerate(found) if each.name == change.get("copy", change["name"]))
        transfer = {name: change[key] for name, key in (("cop_code", "copCode"), ("dxp_id", "dxpId")) if key in change}
        changes: dict[str, Any] = {"transfer": found[at].transfer.model_copy(update=transfer), "name": change["name"]}
        if "signers" in change:
            changes["signers"] = tuple(key for key in found[at].signers if key.declarant in change["signers"])
        made = found[at].model_copy(update=changes)
        found = [*found, made] if "copy" in change else [*found[:at], made, *found[at + 1 :]]
    return found


def _documents(case: dict[str, Any], triples: Any) -> list[dict[str, Any]]:
    contents = triples.contents(1, case.get("mode", "9610"))
    contents |= {kind: triples.content(kind) for kind in case.get("with", ())}
    for line in case.get("lines", ()):
        contents["order"]["OrderList"].append(contents["order"]["OrderList"][0] | line)
    for path, value in case.get("set", {}).items():
        *steps, last = path.split(".")
        _at(contents, steps)[last] = value
    for path in case.get("unset", {}).get("fields", ()):
        *steps, last = path.split(".")
        del _at(contents, steps)[last]
    case["made"] = contents
    more = [] if case.get("declared") else _more(case, triples)
    kept = [{"kind": kind, **content} for kind, content in contents.items() if kind not in case.get("without", ())]
    return kept + more


def _more(case: dict[str, Any], triples: Any) -> list[dict[str, Any]]:
    return [{**case["made"][each["kind"]], **each} for each in case.get("more", ())]


def _at(contents: Any, steps: list[str]) -> Any:
    for step in steps:
        contents = contents[int(step) if step.isdigit() else step]
    return contents


def _invalid(desk: Any, triples: Any) -> tuple[Finding, ...]:
    """What dispatch finds when it packs the declarations of the case."""
    paths: list[str] = []
    for each in desk.declarations.values():
        eport = next(eport for eport in desk.eports if eport.name == each.eport)
        _, faults = pack(eport, [Building.of(each)], triples.Mint().guid(), triples.signer(each.declarant), desk.now)
        paths += [fault.path for several in faults.values() for fault in several]
    if not paths:
        return ()
    return invalidate(desk.cases[desk.key], Papers(list(desk.declarations.values())), paths, desk.now).findings


def _row(finding: Finding) -> dict[str, Any]:
    row: dict[str, Any] = {"rule": finding.rule}
    if finding.line is not None:
        row["line"] = finding.line
    for name, value in (("left", finding.left), ("right", finding.right)):
        if value:
            row[name] = value.shown or value.of
    return row


@pytest.mark.parametrize("path", CASES, ids=NAMED)
def test_the_case_is_found_to_be_what_it_says(path: Path, findings_of: Any) -> None:
    case = tomllib.loads(path.read_text("utf-8"))

    found = [_row(each) for each in findings_of(case)]

    assert found == case.get("expect", [])


@pytest.mark.parametrize("path", CASES, ids=NAMED)
def test_a_finding_shows_no_personal_value_unmasked(path: Path, findings_of: Any) -> None:
    case = tomllib.loads(path.read_text("utf-8"))

    told = str([each.as_json() for each in findings_of(case)])

    for value in PERSONAL:
        assert value not in told


PERSONAL = (
    "章春苗", "章 春苗", "乔望舒", "990101198802140011", "990101198802140012", "990101198802300011",
    "99010119911105002X", "13900000021", "13900000022", "１３９００００００２１", "听涛路", "望月大道",
)  # fmt: skip
"""Every name, number, phone and street in the cases."""


@pytest.mark.parametrize("rule", rules())
def test_every_rule_has_a_case_that_passes_and_one_that_fails(rule: str) -> None:
    cases = {
        path.stem.partition("-")[0]: tomllib.loads(path.read_text("utf-8"))
        for path in CASES
        if path.parent.name == rule
    }

    assert {"passes", "fails"} <= cases.keys()
    assert rule in {each["rule"] for each in cases["fails"]["expect"]}
    assert rule not in {each["rule"] for each in cases["passes"].get("expect", ())}


def test_every_case_belongs_to_a_rule() -> None:
    assert {path.parent.name for path in CASES} == set(rules())


@pytest.mark.parametrize("rule", rules().values(), ids=lambda rule: rule.code)
def test_every_rule_has_two_sentences_and_a_source(rule: Any) -> None:
    assert rule.zh
    assert rule.en
    assert rule.source
    assert rule.zh != rule.en
    assert not rule.zh.isascii()
    assert replace(rule) == rule
