"""An operators' folder to write into, and an e-port file without fault to start from."""

import copy
from pathlib import Path

import pytest

from tongguan.config.eports import load_eports

EPORT = {
    "name": "hangzhou",
    "title": {"zh": "杭州口岸", "en": "Hangzhou"},
    "environment": "test",
    "customs_district": "2900",
    "declares": ["311", "621"],
    "acts_for": [{"ebcCode": "3301969T01", "tradeMode": "9610"}],
    "transfer": {"copCode": "3301989T04", "copName": "示例报关", "dxpId": "DXPENT0000099001"},
    "envelope": {"kind": "dxp", "sender": "DXPENT0000099001", "receivers": ["DXPEDCCEB0000002"]},
    "transport": {"kind": "folder", "outbox": "hz/out", "inbox": "hz/in", "archive": "hz/archive"},
    "signers": [{"kind": "test", "declarant": "3301989T04", "algorithm": "sm2-sm3"}],
    "inventory": [
        {
            "tradeMode": "9610",
            "customsCode": "2916",
            "portCode": "2910",
            "agentCode": "3301989T04",
            "agentName": "示例报关",
            "assureCode": "3301989T04",
        }
    ],
}
BONDED = {
    **EPORT["inventory"][0],
    "tradeMode": "1210",
    "trafMode": "W",
    "emsNo": "T4612W000018",
    "areaCode": "4101W69T12",
    "areaName": "示例保仓",
}


def toml(value):
    """A value as TOML writes it, tables inline."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(toml(each) for each in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str | Path) else str(value)


class Folder:
    """An operators' folder, with the folder the gateway keeps its data in beside it."""

    def __init__(self, root: Path) -> None:
        self.path, self.data = root / "tongguan.d", root / "data"
        (self.path / "eports").mkdir(parents=True)
        self.data.mkdir()
        self.environ: dict[str, str] = {}
        self.now_ms = 1_772_337_600_000

    def eport(self, file="hangzhou.toml", /, **changes):
        """Write an e-port file; None takes an entry out."""
        tables = copy.deepcopy(EPORT) | changes
        lines = [f"{key} = {toml(value)}" for key, value in tables.items() if value is not None]
        (self.path / "eports" / file).write_text("\n".join(lines) + "\n", "utf-8")

    def text(self, text, name="hangzhou.toml"):
        (self.path / "eports" / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    def load(self):
        return load_eports(self.path, data=self.data, environ=self.environ, now_ms=self.now_ms)

    def said(self):
        """What is wrong, as (file, code, path), without warnings."""
        return [(each.file, each.fault.code, each.fault.path) for each in self.load()[1] if not each.warning]

    def warned(self):
        return [(each.file, each.fault.code, each.fault.path) for each in self.load()[1] if each.warning]


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


@pytest.fixture
def bonded():
    return copy.deepcopy(BONDED)


@pytest.fixture
def direct():
    return copy.deepcopy(EPORT["inventory"][0])
