"""Where the operators' folder is looked for, and what lies in the packaged ones."""

import tomllib

import pytest

from tongguan.adapters.signing.keyring import load_signers
from tongguan.config.eports import load_eports
from tongguan.config.folder import DEFAULTS, EXAMPLES, find_folder
from tongguan.config.parties import load_parties
from tongguan.config.settings import load_settings
from tongguan.messages.faults import Refused

NOW_MS = 1_772_337_600_000


@pytest.fixture
def places(tmp_path):
    found = {name: tmp_path / name for name in ("option", "variable", "here/tongguan.d", "system")}
    for path in found.values():
        path.mkdir(parents=True)
    return found


def found(places, tmp_path, option=None, environ=None):
    return find_folder(option, environ or {}, tmp_path / "here", places["system"])


def test_the_option_comes_before_the_variable(places, tmp_path):
    environ = {"TONGGUAN_CONFIG": str(places["variable"])}

    assert found(places, tmp_path, places["option"], environ) == places["option"]
    assert found(places, tmp_path, None, environ) == places["variable"]


def test_the_working_directory_comes_before_the_system_and_that_before_the_defaults(places, tmp_path):
    assert found(places, tmp_path) == tmp_path / "here" / "tongguan.d"
    places["here/tongguan.d"].rmdir()
    assert found(places, tmp_path) == places["system"]
    places["system"].rmdir()
    assert found(places, tmp_path) == DEFAULTS


def test_an_empty_variable_is_no_order(places, tmp_path):
    assert found(places, tmp_path, environ={"TONGGUAN_CONFIG": ""}) == tmp_path / "here" / "tongguan.d"


def test_a_relative_option_starts_at_the_working_directory(places, tmp_path):
    assert found(places, tmp_path, (tmp_path / "here" / "tongguan.d").relative_to(tmp_path / "here")) == (
        tmp_path / "here" / "tongguan.d"
    )


def test_a_folder_that_was_ordered_must_exist(places, tmp_path):
    for option, environ in ((tmp_path / "none", {}), (None, {"TONGGUAN_CONFIG": str(tmp_path / "none")})):
        with pytest.raises(Refused) as refused:
            found(places, tmp_path, option, environ)

        assert [fault.code for fault in refused.value.faults] == ["config-folder-missing"]


def load(folder, data):
    eports, problems = load_eports(folder, data=data, environ={}, now_ms=NOW_MS)
    parties, more = load_parties(folder)
    settings, others = load_settings(folder, {})
    return eports, parties, settings, problems + more + others


def test_the_defaults_hold_no_e_port_and_no_party_and_no_fault(tmp_path):
    eports, parties, settings, problems = load(DEFAULTS, tmp_path)

    assert (eports, parties, problems) == ([], [], [])
    assert settings is not None


def test_the_examples_pass_without_fault_or_warning(tmp_path):
    eports, parties, settings, problems = load(EXAMPLES, tmp_path)

    assert problems == []
    assert {(eport.name, eport.environment, eport.envelope.kind) for eport in eports} == {
        ("hangzhou-9610", "test", "dxp"),
        ("zhengzhou-1210", "test", "plain"),
    }
    assert settings is not None
    assert parties


def test_every_enterprise_of_the_example_e_ports_is_an_example_party(tmp_path):
    eports, parties, _, _ = load(EXAMPLES, tmp_path)

    known = {code for party in parties for code in party.codes}
    for eport in eports:
        assert {each.ebc_code for each in eport.acts_for} <= known
        assert {each.declarant for each in eport.signers} <= known
        assert {each.agent_code for each in eport.inventory} <= known


def test_the_examples_can_sign_at_once(tmp_path):
    eports, _, _, _ = load(EXAMPLES, tmp_path)

    algorithms = {
        eport.name: {
            signer.algorithm.name for signer in load_signers(eport, {}, at_ms=NOW_MS, new_serial=lambda: 7).values()
        }
        for eport in eports
    }

    assert algorithms == {"hangzhou-9610": {"sm2-sm3"}, "zhengzhou-1210": {"rsa-sha1"}}


def test_the_examples_can_never_go_to_production(tmp_path):
    for path in EXAMPLES.rglob("*"):
        target = tmp_path / "copy" / path.relative_to(EXAMPLES)
        if path.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(
                path.read_text("utf-8").replace('environment = "test"', 'environment = "production"'), "utf-8"
            )

    eports, _, _, problems = load(tmp_path / "copy", tmp_path)

    assert eports == []
    assert {problem.fault.code for problem in problems} == {"config-sample", "config-test-identity"}


def test_each_example_file_says_everything_in_both_languages():
    for path in EXAMPLES.rglob("*.toml"):
        comments = [line for line in path.read_text("utf-8").splitlines() if line.startswith("#")]

        assert any("一" <= character <= "鿿" for line in comments for character in line), path
        assert any(line.isascii() and len(line) > 20 for line in comments), path
        tomllib.loads(path.read_text("utf-8"))
