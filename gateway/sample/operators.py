"""The operators' folder of the example set: the sample configuration, with what the planted cases need besides."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from ...config.folder import EXAMPLES
from ...config.parties import PARTIES
from .enterprises import KEYLESS, UNLISTED, Enterprise
from .products import products

LATE_HOURS = 4
"""After how long the gateway of the example set takes anything for late."""
POLL_MS = 50
BONDED_OFFICES = (("4612", "1210"), ("2216", "1210"))
"""Customs offices and the bonded modes they take."""
SINCE = "20160408"

_ALL_TYPES = (
    'declares = ["311", "411", "511", "621"]',
    'declares = ["311", "411", "511", "513", "621", "623", "625"]',
)
_ARCHIVE = 'archive = "eports/zhengzhou-1210/archive"'
_CHANGES = {
    "hangzhou-9610": (_ALL_TYPES, ("settle_ms = 1000", "settle_ms = 0")),
    "zhengzhou-1210": (_ALL_TYPES, (_ARCHIVE, f"{_ARCHIVE}\nsettle_ms = 0")),
}
"""What is written otherwise in the files of the sample e-ports."""


def write_operators(folder: Path) -> None:
    """Make the folder from the sample configuration; raises ValueError when that is no longer what it was."""
    shutil.copytree(EXAMPLES, folder)
    for name, changes in _CHANGES.items():
        path = folder / "eports" / f"{name}.toml"
        text = path.read_text("utf-8")
        for old, new in changes:
            text = _replaced(text, old, new)
        path.write_text(text, "utf-8")
    shutil.copy(Path(__file__).with_name("shanghai-bonded.toml"), folder / "eports")
    with (folder / PARTIES).open("a", encoding="utf-8") as file:
        file.writelines(map(_party, (KEYLESS.merchant, UNLISTED.merchant)))
    (folder / "tongguan.toml").write_text("\n".join(_settings()), "utf-8")
    (folder / "positive-list.csv").write_text("\n".join(_positive_list()), "utf-8")
    (folder / "bonded-modes.csv").write_text("\n".join(_bonded_modes()), "utf-8")


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise ValueError("the sample configuration has changed")
    return text.replace(old, new)


def _party(enterprise: Enterprise) -> str:
    return (
        f'\n[[party]]\ncode = "{enterprise.party}"\nname = "{enterprise.name}"\ncustoms_code = "{enterprise.code}"\n'
        f'roles = ["platform", "merchant"]\nusers = ["{enterprise.party}"]\nplatform = "{enterprise.code}"\n'
    )


def _settings() -> Iterator[str]:
    yield "# 示例数据的设置：迟到期限短，轮询快"
    yield "# Settings of the example set: things are late soon, and steps look often"
    yield from (
        f"{kind}_late_after_hours = {LATE_HOURS}" for kind in ("order", "payment", "waybill", "transport", "goods")
    )
    yield from (f"{step}_poll_ms = {POLL_MS}" for step in ("dispatch", "receive", "route", "tend"))
    yield 'log_format = "json"\n'


def _positive_list() -> Iterator[str]:
    yield "code,since,until"
    yield from (f"{code},{SINCE}," for code in sorted({each.gcode[:8] for each in products()}))
    yield ""


def _bonded_modes() -> Iterator[str]:
    yield "customs,mode,since,until"
    yield from (f"{customs},{mode},{SINCE}," for customs, mode in BONDED_OFFICES)
    yield ""
