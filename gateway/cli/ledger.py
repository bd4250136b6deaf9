"""``tongguan ledger``: prove the ledger, or point to the broken entry."""

import asyncio
from typing import TYPE_CHECKING

import typer
from rich.progress import Progress as Bar

from .options import Config, Lang, Speaker, configuration_of

if TYPE_CHECKING:
    from ..assembly import Configuration
    from ..verifying import Break, Progress

app = typer.Typer(help="核对日志 / the ledger", no_args_is_help=True)


@app.command()
def verify(config: Config = None, lang: Lang = None) -> None:
    """验证每一条记录与每一个封印 / verify every entry and every seal.

    退出码 / exit code: 0 完整 / it holds, 1 有断裂 / it is broken.
    """
    speaker = Speaker(lang)
    progress, breaks = asyncio.run(_verify(configuration_of(config, speaker), speaker))
    counts = (progress.cases, progress.entries, progress.seals)
    speaker.out.print(
        speaker.t(
            "已验证：{} 单，{} 条记录，{} 个封印".format(*counts),
            "verified: {} cases, {} entries, {} seals".format(*counts),
        )
    )
    for each in breaks:
        speaker.out.print(f"[red]{each.where}[/red] {speaker.t(each.zh, each.en)}")
    if not breaks:
        speaker.out.print(speaker.t("[green]核对日志完整[/green]", "[green]the ledger holds[/green]"))
    raise typer.Exit(1 if breaks else 0)


async def _verify(configuration: "Configuration", speaker: Speaker) -> "tuple[Progress, list[Break]]":
    from ..assembly import open_gateway, seal_key
    from ..verifying import Progress, verify_ledger

    progress = Progress()
    breaks: list[Break] = []
    async with open_gateway(configuration) as gateway:
        with Bar(console=speaker.err, transient=True) as bar:
            task = bar.add_task(speaker.t("验证", "verifying"), total=None)
            async for each in verify_ledger(gateway.database, seal_key(gateway), progress):
                breaks.append(each)
                bar.update(task, completed=progress.cases, total=progress.total)
    return progress, breaks
