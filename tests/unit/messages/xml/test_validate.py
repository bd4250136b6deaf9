"""``tongguan validate``, and what it rests on."""

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tongguan.gateway.cli import app
from tongguan.messages.faults import fault_kinds
from tongguan.messages.validation import validate
from tongguan.messages.xml import XML_BYTES_MAX


@pytest.fixture
def run(monkeypatch):
    monkeypatch.delenv("TONGGUAN_LANG", raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")

    def invoke(*arguments):
        return CliRunner().invoke(app, ["validate", *map(str, arguments)])

    return invoke


@pytest.fixture
def good(tmp_path, sample):
    file = tmp_path / "good.xml"
    file.write_bytes(sample("CEB622Message"))
    return file


@pytest.fixture
def bad(tmp_path, sample):
    file = tmp_path / "坏.xml"
    file.write_bytes(sample("CEB622Message").replace(b"<copNo>TGCOP0000000002</copNo>", b""))
    return file


def test_a_valid_file_is_said_to_be_valid(run, good):
    result = run(good)

    assert (result.exit_code, result.output) == (0, f"{good}: valid\n")


def test_one_invalid_file_among_valid_ones_makes_the_exit_code_1(run, good, bad):
    result = run(good, bad, good)

    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"{good}: valid",
        f"{bad}: faults: 1",
        "  line 41 /CEB622Message/InventoryReturn[4]/copNo [schema-missing] copNo is missing. Add it.",
        f"{good}: valid",
    ]


def test_json_is_one_object_for_each_file(run, good, bad):
    result = run("--json", good, bad)

    first, second = map(json.loads, result.output.splitlines())
    assert first == {"file": str(good), "ok": True, "errors": []}
    assert (second["file"], second["ok"]) == (str(bad), False)
    assert second["errors"] == [
        {
            "code": "schema-missing",
            "path": "/CEB622Message/InventoryReturn[4]/copNo",
            "line": 41,
            "message": "copNo is missing. Add it.",
        }
    ]


@pytest.mark.parametrize(
    ("lang", "own", "option", "said"),
    [
        ("zh_CN.UTF-8", "", None, "缺少 copNo"),
        ("en_GB.UTF-8", "", None, "copNo is missing"),
        ("", "", None, "copNo is missing"),
        ("en_GB.UTF-8", "zh", None, "缺少 copNo"),
        ("zh_CN.UTF-8", "en", None, "copNo is missing"),
        ("zh_CN.UTF-8", "zh", "en", "copNo is missing"),
    ],
)
def test_the_language_is_asked_for_or_that_of_the_environment(bad, lang, own, option, said):
    asked = ["--lang", option] if option else []

    result = CliRunner(env={"LANG": lang, "TONGGUAN_LANG": own}).invoke(app, ["validate", *asked, str(bad)])

    assert said in result.output


@pytest.mark.parametrize("arguments", [(), ("nothing.xml",), (".",), ("--lang", "fr", __file__), ("--deep", __file__)])
def test_wrong_usage_has_the_exit_code_2(run, arguments):
    assert run(*arguments).exit_code == 2


def test_a_file_that_is_too_large_is_not_read_to_its_end(run, tmp_path):
    file = tmp_path / "large.xml"
    file.write_bytes(b" " * (XML_BYTES_MAX + 1000))

    result = run("--json", file)

    assert [each["code"] for each in json.loads(result.output)["errors"]] == ["xml-large"]


def test_an_envelope_is_opened_only_when_asked(sample):
    inner = sample("CEB312Message").replace(b"<orderNo>TG-ORDER-0002</orderNo>", b"<orderNo/>")
    data = re.sub(rb"<Data>.*</Data>", b"<Data>" + base64.b64encode(inner) + b"</Data>", sample("DxpMsg"))

    outside = validate(data)
    inside = validate(data, open_envelope=True)

    assert outside == []
    assert [(fault.code, fault.path, fault.line) for fault in inside] == [
        ("schema-empty", "/DxpMsg/Data/CEB312Message/OrderReturn[2]/orderNo", 16)
    ]


@pytest.mark.parametrize("code", ["DxpMsg", "DxpMsgSv", "CEB622Message"])
def test_a_message_that_is_valid_inside_and_outside_has_no_faults(sample, code):
    assert validate(sample(code), open_envelope=True) == []


def test_an_envelope_without_content_is_valid_until_it_is_opened(sample):
    data = re.sub(rb"<Data>.*</Data>", b"<Data/>", sample("DxpMsg"))

    assert validate(data) == []
    assert [fault.code for fault in validate(data, open_envelope=True)] == ["envelope-empty"]


@pytest.mark.parametrize(
    ("inner", "fault"),
    [
        (b"<a>", ("xml-syntax", "/DxpMsgSv/DxpMsg/Data")),
        (b"<a/>", ("schema-root", "/DxpMsgSv/DxpMsg/Data")),
        (b"<DxpMsg/>", ("envelope-nested", "/DxpMsgSv/DxpMsg/Data/DxpMsg")),
    ],
)
def test_what_an_envelope_cannot_carry_is_a_fault_of_the_envelope(sample, inner, fault):
    data = re.sub(rb"<Data>.*</Data>", b"<Data>" + base64.b64encode(inner) + b"</Data>", sample("DxpMsgSv"))

    assert [(each.code, each.path) for each in validate(data, open_envelope=True)] == [fault]


def test_what_is_no_xml_is_a_fault_and_no_exception():
    assert [(fault.code, fault.line) for fault in validate(b"{}")] == [("xml-syntax", 1)]


def test_the_command_needs_neither_a_database_nor_a_server(good):
    program = (
        "import sys\nfrom tongguan.gateway.cli import main\nsys.argv[1:] = ['validate', sys.argv[1]]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print(*sorted({'sqlalchemy', 'aiohttp'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", program, str(good)], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == ""


def test_every_fault_of_the_xml_room_can_happen():
    kinds = {code for code in fault_kinds() if code.startswith(("xml-", "schema-", "reading-", "envelope-"))}
    here = Path(__file__).parent

    tested = {code for file in here.glob("test_*.py") for code in kinds if f'"{code}"' in file.read_text("utf-8")}

    assert kinds == tested
