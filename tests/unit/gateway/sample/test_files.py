"""A set in a folder: what is written is what is pushed, and its operators' folder is one the gateway can use."""

import json
from pathlib import Path

import pytest

from tongguan.adapters.simulator.script import load_script
from tongguan.config.eports import load_eports
from tongguan.config.folder import EXAMPLES
from tongguan.config.parties import load_parties
from tongguan.gateway.assembly import configure
from tongguan.gateway.sample.enterprises import BONDED, DIRECT, MARKETS
from tongguan.gateway.sample.files import read_deliveries, read_expected, write_set
from tongguan.gateway.sample.generate import SampleSet, generate
from tongguan.gateway.sample.planting import Planted
from tongguan.gateway.submissions import Pushed

AT_MS = 1_767_571_200_000
FAULTS = ("merged-payment", "kind-unknown", "json-malformed", "receipt-personal", "late-waybill", "signed-order")


@pytest.fixture
def sample() -> SampleSet:
    return generate(1, AT_MS, 20, faults=FAULTS)


def test_a_set_read_back_is_what_was_written(sample: SampleSet, tmp_path: Path):
    write_set(sample, tmp_path / "set")

    read = list(read_deliveries(tmp_path / "set"))

    assert [_pushed(each) for each in read] == [_pushed(each) for each in sample.deliveries]
    assert [(each.name, each.party, each.wave) for each in read] == [
        (each.name, each.party, each.wave) for each in sample.deliveries
    ]


def _pushed(delivery: object) -> Pushed:
    return Pushed(*(getattr(delivery, name) for name in ("routing_key", "content_type", "body")))


def test_files_stand_in_the_order_in_which_they_are_pushed(sample: SampleSet):
    names = [each.name for each in sample.deliveries]

    assert names == sorted(names)


def test_a_set_is_not_written_over_another_one(sample: SampleSet, tmp_path: Path):
    write_set(sample, tmp_path)

    with pytest.raises(FileExistsError):
        write_set(sample, tmp_path)


def test_the_script_beside_a_set_is_one_the_simulator_reads(sample: SampleSet, tmp_path: Path):
    write_set(sample, tmp_path)

    script = load_script(tmp_path / "simulator.json")

    assert len(script.rule) == 1


def test_the_expectation_beside_a_set_names_nobody(sample: SampleSet, tmp_path: Path):
    write_set(sample, tmp_path)

    text = (tmp_path / "expectation.json").read_text("utf-8")

    people = json.loads((tmp_path / "people.json").read_text("utf-8"))
    assert not [value for each in people for value in each.values() if len(value) > 6 and value in text]
    assert not [each["name"] for each in people if each["name"] in text]


def test_every_case_of_a_set_is_expected(sample: SampleSet, tmp_path: Path):
    write_set(sample, tmp_path)

    expected = read_expected(tmp_path)

    planted: list[Planted] = list(sample.planted)
    assert set(expected.outcome.cases) == {key for each in planted for key, _, _ in each.specs()}
    assert set(expected.outcome.deliveries) == {each.name for each in sample.deliveries}


def test_the_operators_folder_of_a_set_is_without_fault(sample: SampleSet, tmp_path: Path):
    write_set(sample, tmp_path)

    configuration = configure(tmp_path / "operators", {})

    assert [each.name for each in configuration.eports] == ["hangzhou-9610", "shanghai-bonded", "zhengzhou-1210"]
    assert {"513", "623", "625"} <= set(configuration.eports[0].declares)
    assert configuration.book.positive_list
    assert configuration.book.bonded_modes


def test_the_enterprises_of_a_set_are_those_of_the_sample_configuration(tmp_path: Path):
    parties, _ = load_parties(EXAMPLES)
    eports, _ = load_eports(EXAMPLES, data=tmp_path, environ={}, now_ms=AT_MS)
    known = {each.customs_code: (each.name, each.code) for each in parties}

    for market in (DIRECT, BONDED):
        for each in (market.merchant, market.payer, market.carrier, market.agent):
            assert known[each.code] == (each.name, each.party)
        defaults = next(each for each in eports if each.name == market.eport).inventory[0].official()
        assert defaults["customsCode"] == market.customs_code
        assert defaults["portCode"] == market.port_code
        assert defaults["agentCode"] == market.agent.code
        assert defaults["assureCode"] == market.assure_code
        assert defaults.get("emsNo") == market.ems_no
    assert set(MARKETS) == {"9610", "1210"}
