"""``tongguan sample``: an example set of triples with planted cases, as files, by seed."""

import enum
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from .options import USAGE, Lang, Speaker

if TYPE_CHECKING:
    from ..sample.enterprises import Mode
    from ..sample.generate import SampleSet

COUNT_MAX = 1_000_000


class Modes(enum.StrEnum):
    """Which trade modes a set has."""

    DIRECT = "9610"
    BONDED = "1210"
    BOTH = "both"


def sample(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", file_okay=False, help="写入的新文件夹 / new folder to write")
    ] = None,
    count: Annotated[
        int, typer.Option("-n", "--count", min=0, max=COUNT_MAX, help="至少多少单 / cases at least")
    ] = 500,
    seed: Annotated[
        int, typer.Option(min=0, help="随机种子，相同则逐字节相同 / seed: the same gives the same bytes")
    ] = 1,
    mode: Annotated[Modes, typer.Option(help="贸易方式 / trade mode")] = Modes.BOTH,
    fault: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="只埋设这些情形，可重复 / plant these only, may be repeated"),
    ] = None,
    list_faults: Annotated[
        bool, typer.Option("--list-faults", help="列出可埋设的情形 / list what can be planted")
    ] = False,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="基准时刻，北京时间，默认现在 / moment, China time YYYYMMDDhhmmss, default now"
        ),
    ] = None,
    lang: Lang = None,
) -> None:
    """生成示例数据：三单、埋设的情形、模拟海关脚本与应有结果 / make an example set, and what must become of it.

    退出码 / exit code: 0 已写入 / written, 2 用法有误 / wrong usage.
    """
    speaker = Speaker(lang)
    modes: Sequence[Mode] = ("9610", "1210") if mode is Modes.BOTH else (mode.value,)
    if list_faults:
        _list(modes, speaker)
        return
    if out is None:
        speaker.stop("请用 --out 指定文件夹", "name a folder with --out", USAGE)
    if out.exists() and any(out.iterdir()):
        speaker.stop(f"文件夹 {out} 不是空的", f"the folder {out} is not empty", USAGE)
    _check(fault or (), modes, speaker)
    made = _generated(seed, _moment(at, speaker), count, modes, fault, speaker)
    _written(made, out, speaker)


def _list(modes: "Sequence[Mode]", speaker: Speaker) -> None:
    from ..sample.generate import plantable

    for each in plantable(modes):
        speaker.out.print(f"{each.name:32} {speaker.t(each.zh, each.en)}", markup=False, soft_wrap=True)


def _check(faults: Sequence[str], modes: "Sequence[Mode]", speaker: Speaker) -> None:
    from ..sample.generate import plantable

    names = [each.name for each in plantable(modes)]
    for name in faults:
        if name not in names:
            near = ", ".join(get_close_matches(name, names)) or "--list-faults"
            speaker.stop(f"没有情形 {name}；相近的有：{near}", f"nothing is called {name}; try {near}", USAGE)


def _moment(at: str | None, speaker: Speaker) -> int:
    from ...messages.chinatime import parse_china_time
    from ..composition import now_ms

    if at is None:
        return now_ms()
    try:
        return parse_china_time(at)
    except ValueError:
        speaker.stop("--at 应为 YYYYMMDDhhmmss", "--at is YYYYMMDDhhmmss", USAGE)


def _generated(
    seed: int, at_ms: int, count: int, modes: "Sequence[Mode]", faults: Sequence[str] | None, speaker: Speaker
) -> "SampleSet":
    from ..sample.generate import generate

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=speaker.err, transient=True) as bar:
        task = bar.add_task(speaker.t("生成", "making"), total=count)
        return generate(
            seed, at_ms, count, modes, faults=faults, progress=lambda done: bar.update(task, completed=done)
        )


def _written(made: "SampleSet", out: Path, speaker: Speaker) -> None:
    from ..sample.files import write_set

    write_set(made, out)
    cases = sum(len(each.claims) for each in made.planted)
    documents = sum(len(each.documents) for each in made.deliveries)
    speaker.say(
        f"{cases} 单、{documents} 份单证、{len(made.deliveries)} 次投递，已写入 {out}",
        f"{cases} cases, {documents} documents, {len(made.deliveries)} deliveries written to {out}",
    )
