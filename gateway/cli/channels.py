"""``tongguan eports status``, ``pause``, ``drain``, ``resume``: the channels to e-ports, seen, closed and opened."""

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ...messages.chinatime import china_time
from .eports import Name, app, known_eport
from .options import Config, Lang, Speaker, configuration_of

if TYPE_CHECKING:
    from ...messages.faults import Fault
    from ..assembly import Configuration
    from ..store.database import Transaction
    from ..store.gates import Closed, Gate, Load

Reason = Annotated[str, typer.Option(help="原因，供同事查看 / why, for colleagues to read")]

_GATES: dict[str | None, tuple[str, str]] = {
    None: ("畅通", "open"),
    "paused": ("已暂停", "paused"),
    "draining": ("排空中", "draining"),
}


@app.command()
def status(config: Config = None, lang: Lang = None) -> None:
    """各口岸的通道与积压 / the channels of the e-ports, and what lies before them.

    退出码 / exit code: 0 全部畅通 / all open and working, 1 有的不通 / some are not.
    """
    speaker = Speaker(lang)
    configuration = configuration_of(config, speaker)
    gates, load, health = asyncio.run(_standing(configuration))
    table = Table(title=speaker.t("通道", "Channels"))
    for name in ("口岸|e-port", "通道|channel", "待打包|ready", "待交出|waiting", "未回执|unanswered", "最早|oldest"):
        table.add_column(speaker.t(*name.split("|")))
    for eport in configuration.eports:
        closed, mine = gates.get(eport.name), load.get(eport.name)
        counts = (mine.ready, mine.waiting, mine.unanswered) if mine else (0, 0, 0)
        since = china_time(mine.since).strftime("%Y-%m-%d %H:%M") if mine and mine.since else ""
        table.add_row(eport.name, speaker.t(*_GATES[closed.state if closed else None]), *map(str, counts), since)
    speaker.out.print(table)
    for closed in gates.values():
        when = china_time(closed.at).strftime("%Y-%m-%d %H:%M")
        speaker.out.print(f"[yellow]{closed.eport}[/yellow] {when} {closed.actor} {escape(closed.reason)}")
    for name, faults in health.items():
        speaker.err.print(name)
        speaker.faults(faults)
    raise typer.Exit(1 if gates or health else 0)


@app.command()
def pause(name: Name, reason: Reason, config: Config = None, lang: Lang = None) -> None:
    """暂停一个口岸：不再交出任何报文，回执照收 / hand nothing over to an e-port; receipts are still read."""
    _close(name, "paused", reason, config, Speaker(lang))


@app.command()
def drain(name: Name, reason: Reason, config: Config = None, lang: Lang = None) -> None:
    """排空一个口岸：已打包的照常交出，不再打包新的 / hand over what is packed, and pack nothing new."""
    _close(name, "draining", reason, config, Speaker(lang))


@app.command()
def resume(name: Name, config: Config = None, lang: Lang = None) -> None:
    """恢复一个口岸 / let an e-port go on."""
    from ..store.gates import open_gate

    speaker = Speaker(lang)
    # one that is configured no more can still be opened
    asyncio.run(_in_store(configuration_of(config, speaker), lambda tx: open_gate(tx, name)))
    speaker.say(f"{name} 已恢复", f"{name} goes on")


def _close(name: str, state: "Gate", reason: str, config: Path | None, speaker: Speaker) -> None:
    from ...messages.personal import mask_text
    from ..composition import now_ms
    from ..store.gates import Closed, close_gate

    configuration = configuration_of(config, speaker)
    known_eport(configuration, name, speaker)
    closed = Closed(name, state, mask_text(reason), _actor(), now_ms())
    asyncio.run(_in_store(configuration, lambda tx: close_gate(tx, closed)))
    zh, en = _GATES[state]
    speaker.say(f"{name}：{zh}；tongguan eports resume {name} 恢复", f"{name} is {en}; tongguan eports resume {name}")


def _actor() -> str:
    """Who runs the command; a container's account may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


async def _in_store(configuration: "Configuration", work: "Callable[[Transaction], Awaitable[None]]") -> None:
    from ..assembly import open_gateway
    from ..store.database import in_transaction

    async with open_gateway(configuration) as gateway:
        await in_transaction(gateway.database, work)


async def _standing(
    configuration: "Configuration",
) -> "tuple[dict[str, Closed], dict[str, Load], dict[str, Sequence[Fault]]]":
    """Closed gates, what lies before each e-port, and what keeps a transport from working."""
    from ..assembly import open_gateway
    from ..store.database import in_transaction
    from ..store.gates import closed_gates, loads

    async with open_gateway(configuration) as gateway:
        gates = await in_transaction(gateway.database, closed_gates)
        load = await in_transaction(gateway.database, loads)
        health = {each.eport.name: (await each.transport.health()).faults for each in gateway.destinations}
    return gates, load, {name: faults for name, faults in health.items() if faults}
