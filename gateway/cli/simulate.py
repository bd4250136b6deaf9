"""``tongguan simulate``: a customs of its own behind the folders of test e-ports."""

import asyncio
import re
import secrets
import signal
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import USAGE, Config, Lang, Speaker, configuration_of

if TYPE_CHECKING:
    from ...adapters.simulator.chance import Knobs
    from ...adapters.simulator.customs import Taken
    from ...adapters.simulator.receipts import Outgoing
    from ...adapters.simulator.script import Script
    from ...config.eports import EPort
    from ..assembly import Configuration

FOLDER, STATE = "simulator", "world.db"
"""Where in the data folder the simulated world is kept."""
LABELS_MAX = 3
"""Documents named in one line of output; the others are counted."""


def simulate(
    config: Config = None,
    eport: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="只模拟这些电子口岸 / only these e-ports")
    ] = None,
    script: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="脚本（TOML 或 JSON） / script (TOML or JSON)"),
    ] = None,
    latency_ms: Annotated[
        str, typer.Option(metavar="LOW..HIGH", help="相邻状态相隔毫秒数 / milliseconds between statuses")
    ] = "20..200",
    loss: Annotated[float, typer.Option(min=0, max=1, help="回执丢失的概率 / receipts lost, probability")] = 0.0,
    double: Annotated[float, typer.Option(min=0, max=1, help="回执重复的概率 / receipts doubled")] = 0.0,
    reorder: Annotated[float, typer.Option(min=0, max=1, help="回执乱序的概率 / receipts out of order")] = 0.0,
    refuse: Annotated[float, typer.Option(min=0, max=1, help="单证退单的概率 / documents refused")] = 0.0,
    assume_documents: Annotated[
        bool, typer.Option("--assume-documents", help="清单不查三单是否齐全 / an inventory needs no triple")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="随机种子，默认另取 / seed, by default a new one")] = None,
    once: Annotated[
        bool, typer.Option("--once", help="答完现有报文即停止 / stop once everything there is answered")
    ] = False,
    lang: Lang = None,
) -> None:
    """模拟测试环境的海关：取走报文，按官方代码作答 / play customs for test e-ports, by the official codes and texts.

    退出码 / exit code: 0 已停止 / stopped, 1 文件夹不可用 / folders unusable, 2 用法有误 / wrong usage.
    """
    from ...adapters.simulator.chance import Knobs
    from ...adapters.simulator.script import Script, load_script
    from ...adapters.transport import TransportFault
    from ...messages.faults import Refused

    speaker = Speaker(lang)
    configuration = configuration_of(config, speaker)
    knobs = Knobs(_latency(latency_ms), loss, double, reorder, refuse, assume_documents=assume_documents)
    chosen = secrets.randbelow(1_000_000) if seed is None else seed
    try:
        eports = _chosen(configuration, eport)
        rules = load_script(script) if script else Script()
    except Refused as refused:
        speaker.faults(refused.faults)
        raise typer.Exit(USAGE) from None
    names = " ".join(each.name for each in eports)
    speaker.say(f"模拟海关：{names}，随机种子 {chosen}", f"simulating customs for {names}, seed {chosen}")
    try:
        asyncio.run(_simulate(configuration, eports, chosen, rules, knobs, speaker, until_idle=once))
    except Refused as refused:
        speaker.faults(refused.faults)
        raise typer.Exit(1) from None
    except TransportFault as problem:
        speaker.faults([problem.fault])
        raise typer.Exit(1) from None
    speaker.say("已停止", "stopped")


def _latency(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,9})(?:\.\.([0-9]{1,9}))?", text)
    if not found or int(found[1]) > int(found[2] or found[1]):
        raise typer.BadParameter("例如 20..200 / such as 20..200", param_hint="--latency-ms")
    return int(found[1]), int(found[2] or found[1])


def _chosen(configuration: "Configuration", names: list[str] | None) -> "list[EPort]":
    """The e-ports asked for, or all; raises Refused for one that is not there, is in production, or for none at all."""
    from ...config.eports import PRODUCTION
    from ...messages.faults import Refused, fault

    known = {each.name: each for each in configuration.eports}
    if missing := [name for name in names or () if name not in known]:
        raise Refused([fault("simulator-eport", name=name) for name in missing])
    eports = [known[name] for name in dict.fromkeys(names)] if names else list(known.values())
    if not eports:
        raise Refused(fault("simulator-none", folder=str(configuration.folder)))
    if live := [each.name for each in eports if each.environment == PRODUCTION]:
        raise Refused([fault("simulator-production", name=name) for name in live])
    return eports


async def _simulate(
    configuration: "Configuration",
    eports: "list[EPort]",
    seed: int,
    script: "Script",
    knobs: "Knobs",
    speaker: Speaker,
    *,
    until_idle: bool,
) -> None:
    from ...adapters.simulator.simulator import Simulator
    from ..composition import now_ms

    folder = configuration.settings.data_folder / FOLDER
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    simulator = Simulator(
        eports,
        state=folder / STATE,
        archive=folder,
        clock=now_ms,
        seed=seed,
        script=script,
        knobs=knobs,
        watch=_printer(speaker),
    )
    try:
        await simulator.run(stop, until_idle=until_idle)
    finally:
        simulator.close()


def _printer(speaker: Speaker) -> "Callable[[Taken | Outgoing], None]":
    """Prints what is taken and what is answered: message types, numbers of documents and statuses, no other content."""
    from ...adapters.simulator.customs import Taken

    def show(event: "Taken | Outgoing") -> None:
        for line in _taken(event) if isinstance(event, Taken) else [_answered(event)]:
            speaker.out.print(line, markup=False, soft_wrap=True)

    return show


def _taken(taken: "Taken") -> list[str]:
    lines = [f"← {taken.eport} {taken.message_type} ×{len(taken.outcomes)}"]
    labels: dict[str, list[str]] = defaultdict(list)
    for label, statuses in taken.outcomes:
        labels[statuses].append(label)
    for statuses, those in labels.items():
        more = f" +{len(those) - LABELS_MAX}" if len(those) > LABELS_MAX else ""
        lines.append(f"    {statuses}  {', '.join(those[:LABELS_MAX])}{more}".rstrip())
    return lines


def _answered(file: "Outgoing") -> str:
    counts = Counter(each.status for each in file.answers)
    shown = ", ".join(status if count == 1 else f"{status} ×{count}" for status, count in counts.items())
    return f"→ {file.eport} {file.message_type} {shown}"
