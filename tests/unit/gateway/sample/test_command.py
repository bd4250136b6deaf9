"""``tongguan sample``: what it writes, what it lists, and what it refuses."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tongguan.gateway.cli.sample import sample

app = typer.Typer()
app.command()(sample)


def _run(*arguments: str):
    return CliRunner().invoke(app, [*arguments, "--lang", "en"])


def test_a_set_is_written_into_a_new_folder(tmp_path: Path):
    out = tmp_path / "set"

    done = _run("-n", "5", "--fault", "late-waybill", "--at", "20260105080000", "--out", str(out))

    assert done.exit_code == 0
    assert sorted(each.name for each in out.iterdir()) == [
        "expectation.json",
        "input",
        "operators",
        "people.json",
        "simulator.json",
    ]
    assert json.loads((out / "expectation.json").read_text("utf-8"))["at"] == 1_767_571_200_000


def test_the_same_arguments_write_the_same_bytes(tmp_path: Path):
    for name in ("one", "other"):
        _run("-n", "3", "--fault", "signed-order", "--at", "20260105080000", "--out", str(tmp_path / name))

    one, other = (
        {each.name: each.read_bytes() for each in sorted((tmp_path / name / "input").iterdir())}
        for name in ("one", "other")
    )
    assert one == other


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path):
    (tmp_path / "letter.txt").write_text("mine")

    done = _run("--out", str(tmp_path))

    assert done.exit_code == 2
    assert [each.name for each in tmp_path.iterdir()] == ["letter.txt"]


def test_a_name_that_is_not_known_is_answered_with_near_ones(tmp_path: Path):
    done = _run("--fault", "late-waybil", "--out", str(tmp_path / "set"))

    assert done.exit_code == 2
    assert "late-waybill" in done.stderr


@pytest.mark.parametrize("arguments", [("--at", "yesterday", "--out", "set"), ()], ids=["no time", "no folder"])
def test_wrong_usage_exits_2(arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    assert _run(*arguments).exit_code == 2


def test_what_can_be_planted_is_listed_with_its_sentence():
    done = _run("--list-faults")

    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert lines["payer-is-buyer"] == "somebody else pays"
    assert "inventory-refused--621005" in lines
    assert "references" not in lines


def test_what_needs_the_other_mode_is_not_listed():
    done = _run("--list-faults", "--mode", "1210")

    assert "transport-known" not in done.stdout
    assert "signer-known" in done.stdout
