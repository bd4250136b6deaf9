"""The demo: what goes in comes out as expected, everything lies where it is said to, and nobody is named."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tongguan.gateway.cli.demo import _tell, demo
from tongguan.gateway.cli.options import Language, Speaker
from tongguan.gateway.composition import now_ms
from tongguan.gateway.demo import Unfinished, make_set, run_demo
from tongguan.gateway.sample.expectation import differences
from tongguan.gateway.sample.generate import generate
from tongguan.messages.documents.answers import Answer
from tongguan.messages.documents.results import Result
from tongguan.messages.validation import validate

app = typer.Typer()
app.command()(demo)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _asked(folder: Path, question: str) -> list[Any]:
    with sqlite3.connect(folder / "tongguan.db") as database:
        return database.execute(question).fetchall()


def test_what_became_of_the_set_is_what_should_have(ran: Any):
    wrong = differences(ran.finished.expectation.outcome, ran.finished.outcome)

    assert not wrong, "\n".join(f"{each.about}: {each.en}" for each in wrong)


def test_no_planted_person_stands_in_databases_logs_or_results(ran: Any):
    people = json.loads((ran.folder / "people.json").read_text("utf-8"))
    values = {each[name] for each in people for name in ("name", "id_number", "phone", "address")}
    places = [*ran.folder.glob("*.db*"), *ran.folder.glob("*.jsonl"), *(ran.folder / "results").iterdir()]

    found = [
        (place.name, value)
        for place in places
        for data in [place.read_bytes()]
        for value in values
        if value.encode() in data or json.dumps(value).strip('"').encode() in data
    ]

    assert len(values) > 100
    assert {"tongguan.db", "bus.db", "log.jsonl", "results.jsonl", "answers.jsonl"} <= {each.name for each in places}
    assert not found


@pytest.mark.parametrize("eport", ["hangzhou-9610", "zhengzhou-1210", "shanghai-bonded"])
def test_sent_holds_exactly_the_messages_that_were_handed_over(eport: str, ran: Any):
    sent = ran.folder / "sent" / eport
    handed = _asked(ran.folder, f"SELECT file_name FROM messages WHERE sends > 0 AND eport = '{eport}'")

    taken = ran.folder / "simulator" / eport / "received"

    assert _names(sent) == sorted(name for (name,) in handed)
    assert all((taken / name).read_bytes() == (sent / name).read_bytes() for name in _names(sent))


def test_every_message_sent_is_valid_by_the_schema(ran: Any):
    files = list((ran.folder / "sent").rglob("*.xml"))

    faults = [fault for each in files for fault in validate(each.read_bytes(), open_envelope=True)]

    assert len(files) > 20
    assert not faults


@pytest.mark.parametrize("eport", ["hangzhou-9610", "zhengzhou-1210"])
def test_receipts_holds_the_files_that_came_back(eport: str, ran: Any):
    written = ran.folder / "simulator" / eport / "sent"

    assert _names(ran.folder / "receipts" / eport) == _names(written)


def test_every_delivery_was_answered_and_every_result_recorded(ran: Any):
    answers = (ran.folder / "results" / "answers.jsonl").read_text("utf-8").splitlines()
    results = (ran.folder / "results" / "results.jsonl").read_text("utf-8").splitlines()

    assert len(answers) == len(_names(ran.folder / "input"))
    assert [(len(results),)] == _asked(ran.folder, "SELECT count(*) FROM results")
    assert sum(ran.finished.result_kinds.values()) == len(results)


def test_what_is_published_says_what_the_contract_knows_and_nothing_else(ran: Any):
    published = [("answers", Answer), ("results", Result)]

    for name, model in published:
        for line in (ran.folder / "results" / f"{name}.jsonl").read_text("utf-8").splitlines():
            body = json.loads(line)
            assert json.loads(model.model_validate(body).as_json()) == body


def test_results_of_one_case_come_in_their_order(ran: Any):
    last: dict[str, int] = {}

    for line in (ran.folder / "results" / "results.jsonl").read_text("utf-8").splitlines():
        result = json.loads(line)
        case = json.dumps(result["case"])
        assert result["seq"] == last.get(case, 0) + 1
        last[case] = result["seq"]


def test_progress_is_told_to_the_end(ran: Any):
    pushed = [stage for stage in ran.stages if stage[0] == "push"]
    settled = [stage for stage in ran.stages if stage[0] == "settle"]

    assert pushed[-1][1] == pushed[-1][2] == len(_names(ran.folder / "input"))
    assert settled[-1][1] == settled[-1][2]


def test_the_outcome_is_told_with_its_tables(ran: Any, capsys: pytest.CaptureFixture[str]):
    code = _tell(ran.finished, ran.folder, Speaker(Language.EN))

    shown = capsys.readouterr().out
    assert code == 0
    assert "as expected" in shown
    for title in ("Cases", "Findings", "Documents", "Messages sent", "Receipts", "Results published"):
        assert title in shown


def test_what_is_not_as_expected_is_told_and_fails(ran: Any, capsys: pytest.CaptureFixture[str]):
    cases = dict(ran.finished.outcome.cases)
    key = next(key for key, story in ran.finished.expectation.stories.items() if story.scenario == "cancelled")
    cases[key] = replace(cases[key], status="released")

    code = _tell(
        replace(ran.finished, outcome=replace(ran.finished.outcome, cases=cases)), ran.folder, Speaker(Language.ZH)
    )

    shown = capsys.readouterr().out
    assert code == 1
    assert f"{key} [cancelled] 状态应为 cancelled，实为 released" in shown


def test_a_folder_that_is_no_demo_is_left_alone(tmp_path: Path):
    kept = tmp_path / "letter.txt"
    kept.write_text("mine")

    done = CliRunner().invoke(app, ["--dir", str(tmp_path), "--lang", "en"])

    assert done.exit_code == 2
    assert kept.read_text() == "mine"


async def test_a_demo_that_takes_too_long_says_what_is_still_to_be_done(tmp_path: Path):
    make_set(generate(1, now_ms(), 20, faults=["late-waybill"]), tmp_path / "demo")

    with pytest.raises(Unfinished) as unfinished:
        await run_demo(tmp_path / "demo", lambda *_: None, limit_s=0.5)

    assert unfinished.value.open_


@pytest.mark.slow
def test_the_whole_demo_exits_0_and_keeps_the_one_before(tmp_path: Path):
    folder = tmp_path / "demo"

    first = CliRunner().invoke(app, ["--dir", str(folder), "--triples", "0", "--lang", "zh"])
    second = CliRunner().invoke(
        app, ["--dir", str(folder), "--triples", "500", "--seed", "2", "--keep", "--lang", "en"]
    )

    assert first.exit_code == 0, first.output
    assert second.exit_code == 0, second.output
    assert len(list(tmp_path.iterdir())) == 2
