"""``tongguan audit``: prove that nothing was lost and nothing doubled, or say where."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from .options import USAGE, Config, Lang, Speaker, configuration_of

if TYPE_CHECKING:
    from ..assembly import Configuration
    from ..audit.check import Audit

MINUTE_MS = 60_000


def audit(
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="报送方的日志 / journal of a pusher, JSON lines"
        ),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="订阅方收到的结果 / results heard, JSON lines"),
    ] = None,
    settled_minutes: Annotated[
        int, typer.Option(min=0, help="此时间之内的视为仍在途 / what is younger counts as under way")
    ] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")] = False,
    config: Config = None,
    lang: Lang = None,
) -> None:
    """稽核：证明没有丢失、没有重复，或指出何处 / prove that nothing is lost and nothing doubled, or say where.

    数据库、口岸文件夹、日志与结果相互核对，不改动任何内容。
    Store, folders, journal and results are held against each other; nothing is changed.
    退出码 / exit code: 0 全部相符 / all agree, 1 有不符 / something does not, 2 用法有误 / wrong usage.
    """
    from ..audit.told import NotToldError

    speaker = Speaker(lang)
    configuration = configuration_of(config, speaker)
    try:
        made = asyncio.run(_audit(configuration, speaker, journal, results, settled_minutes))
    except NotToldError:
        speaker.stop("日志或结果不是约定的 JSON 行", "journal or results are not JSON lines of the contract", USAGE)
    if as_json:
        typer.echo(json.dumps([_as_json(made, each.code) for each in made.checks], ensure_ascii=False))
    else:
        print_audit(made, speaker)
    raise typer.Exit(0 if made.is_clean else 1)


async def _audit(
    configuration: "Configuration", speaker: Speaker, journal: Path | None, results: Path | None, minutes: int
) -> "Audit":
    from ..assembly import open_gateway, seal_key
    from ..audit.auditing import audit as run
    from ..composition import now_ms

    async with open_gateway(configuration) as gateway:
        with speaker.err.status("") as status:
            return await run(
                gateway,
                seal_key(gateway),
                configuration.eports,
                now_ms() - minutes * MINUTE_MS,
                journal=journal,
                heard=results,
                told=lambda what: status.update(escape(what)),
            )


def print_audit(made: "Audit", speaker: Speaker) -> None:
    """Show every check, and the places where something does not agree."""
    from ..audit.check import CHECKS

    table = Table(title=speaker.t("稽核", "Audit"))
    table.add_column(speaker.t("必须如此", "what must be so"))
    for name in ("核对|looked at", "不符|wrong"):
        table.add_column(speaker.t(*name.split("|")), justify="right")
    for each in made.checks:
        colour = "red" if each.wrong else "green"
        table.add_row(speaker.t(*CHECKS[each.code]), f"{each.looked:,}", f"[{colour}]{each.wrong:,}[/]")
    speaker.out.print(table)
    for each in made.checks:
        for place in each.places:
            speaker.out.print(f"[red]{each.code}[/red] {escape(place)}", soft_wrap=True)
        if (more := each.wrong - len(each.places)) > 0:
            speaker.out.print(f"[red]{each.code}[/red] " + speaker.t(f"另有 {more} 处", f"{more} more"))
    clean = speaker.t("[green]全部相符[/green]", "[green]everything agrees[/green]")
    speaker.out.print(clean if made.is_clean else speaker.t("[red]有不符[/red]", "[red]something does not agree[/red]"))


def _as_json(made: "Audit", code: str) -> dict[str, object]:
    from ..audit.check import CHECKS

    zh, en = CHECKS[code]
    check = made[code]
    return {
        "check": code, "zh": zh, "en": en, "looked": check.looked, "wrong": check.wrong, "places": check.places
    }  # fmt: skip
