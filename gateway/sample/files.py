"""The example set in a folder: deliveries as files, and beside them what customs answer, what is expected, and who.

operators/         the operators' folder the set is meant for
input/             one file for each delivery, in the order of their names:
                   <wave>-<step>-<number>.<party>.<routing key>.<json, jsonl or xml>
simulator.json     the script for `tongguan simulate`
expectation.json   what must become of every case and every document
people.json        every personal value in the set
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .expectation import Expectation, expected_of, read_expectation
from .generate import CONTENT_TYPES, Delivery, SampleSet
from .operators import write_operators
from .script import simulator_script

INPUT = "input"
OPERATORS = "operators"
SCRIPT = "simulator.json"
EXPECTATION = "expectation.json"
PEOPLE = "people.json"


def write_set(sample: SampleSet, folder: Path) -> None:
    """Write a set; raises FileExistsError when the folder holds one already."""
    (folder / INPUT).mkdir(parents=True)
    write_operators(folder / OPERATORS)
    for each in sample.deliveries:
        (folder / INPUT / each.name).write_bytes(each.body)
    _write(folder / SCRIPT, simulator_script(sample))
    _write(folder / EXPECTATION, expected_of(sample).as_json())
    _write(folder / PEOPLE, [asdict(each) for each in sample.people])


def read_deliveries(folder: Path) -> Iterator[Delivery]:
    """The deliveries of a set in the order they are pushed; what is expected of them stands in the expectation."""
    for path in sorted((folder / INPUT).iterdir()):
        place, party, *key, form = path.name.split(".")
        wave = int(place.partition("-")[0])
        yield Delivery(path.name, ".".join(key), CONTENT_TYPES[form], party, wave, path.read_bytes())


def read_expected(folder: Path) -> Expectation:
    """What is expected of the set in a folder."""
    return read_expectation(json.loads((folder / EXPECTATION).read_text("utf-8")))


def _write(path: Path, content: Mapping[str, Any] | list[Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
