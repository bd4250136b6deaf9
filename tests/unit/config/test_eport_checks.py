"""Faults that only several e-port files together can have, and samples that strayed into production."""

import pytest

SECOND = "eports/second.toml"


@pytest.fixture
def second(folder):
    """Two e-ports; the second has nothing in common with the first but what a test gives it."""

    def write(**changes):
        folder.eport()
        tables = {
            "name": "second",
            "acts_for": [{"ebcCode": "4101969T11"}],
            "transport": {"kind": "folder", "outbox": "zz/out", "inbox": "zz/in", "archive": "zz/archive"},
        }
        folder.eport("second.toml", **{**tables, **changes})
        return folder.said()

    return write


def test_two_e_ports_with_nothing_in_common_are_fine(second):
    assert second() == []


def test_two_e_ports_of_one_name_are_a_fault(second):
    assert second(name="hangzhou") == [(SECOND, "config-name-taken", "/name")]


@pytest.mark.parametrize(
    "scope",
    [
        {"ebcCode": "3301969T01"},
        {"ebcCode": "3301969T01", "tradeMode": "9610"},
        {"ebcCode": "3301969T01", "ebpCode": "3301969T09"},
        {"ebcCode": "3301969T01", "logisticsCode": "3301989T03", "tradeMode": "9610"},
    ],
)
def test_two_e_ports_that_act_for_the_same_case_are_a_fault(second, scope):
    assert second(acts_for=[{"ebcCode": "4101969T11"}, scope]) == [(SECOND, "config-overlap", "/acts_for/1")]


def test_a_trade_mode_tells_two_e_ports_apart(second, bonded):
    scope = {"ebcCode": "3301969T01", "tradeMode": "1210"}

    assert second(acts_for=[scope], inventory=[bonded]) == []


@pytest.mark.parametrize("path", ["hz/in", "./hz/in", "hz/../hz/in", "hz/out", "hz/archive"])
def test_two_e_ports_that_share_a_folder_are_a_fault(second, path):
    transport = {"kind": "folder", "outbox": "zz/out", "inbox": path, "archive": "zz/archive"}

    assert second(transport=transport) == [(SECOND, "config-folder-shared", "/transport/inbox")]


def test_contradictions_are_told_beside_other_faults(second):
    said = second(name="hangzhou", environment="live", acts_for=[{"ebcCode": "3301969T01"}])

    assert {code for _, code, _ in said} == {"config-value", "config-name-taken", "config-overlap"}


def test_a_sample_folder_is_refused_for_production(folder):
    (folder.path / "SAMPLE.txt").touch()
    folder.eport(environment="production", declares=["311"], signers=None)

    assert folder.said() == [("eports/hangzhou.toml", "config-sample", "/environment")]


@pytest.mark.parametrize("where", ["hz/in", "hz"])
def test_simulated_data_is_refused_for_production(folder, where):
    (folder.data / where).mkdir(parents=True)
    (folder.data / where / "SAMPLE.txt").touch()
    folder.eport(environment="production", declares=["311"], signers=None)

    assert ("eports/hangzhou.toml", "config-sample", "/transport/inbox") in folder.said()


def test_a_sample_folder_serves_tests(folder):
    (folder.path / "SAMPLE.txt").touch()
    folder.eport()

    assert folder.said() == []
