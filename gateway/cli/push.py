"""``tongguan push``: send files of documents to a running gateway and show what became of them."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress
from rich.table import Table

from .options import USAGE, Config, Lang, Speaker, configuration_of

if TYPE_CHECKING:
    from ..submissions import Pushed

FAULTS_SHOWN = 20


def push(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="单证文件 / files of documents")
    ],
    key: Annotated[
        str | None, typer.Option(help="路由键，默认取自文件名或内容 / routing key, by default told by the file")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="网关地址，默认取自配置 / address of the gateway, by default configured")
    ] = None,
    token: Annotated[str | None, typer.Option(envvar="TONGGUAN_TOKEN", help="HTTP 令牌 / HTTP token")] = None,
    config: Config = None,
    lang: Lang = None,
) -> None:
    """把单证文件发给运行中的网关，显示收单结果 / push files to a running gateway and show what became of them.

    JSON、JSON Lines 与海关 XML 皆可；超过 100 份自动分次投递。退出码 0：全部收下或重复；1：有不收的；2：用法有误。
    """
    from ...messages.faults import Refused
    from ..pushing import deliveries_of

    speaker = Speaker(lang)
    if url is None:
        settings = configuration_of(config, speaker).settings
        url = f"http://{settings.http_host}:{settings.http_port}"
    deliveries: list[tuple[Path, Pushed]] = []
    for file in files:
        try:
            deliveries += [(file, each) for each in deliveries_of(file, key)]
        except Refused as refused:
            speaker.err.print(str(file))
            speaker.faults(refused.faults)
            raise typer.Exit(USAGE) from None
    raise typer.Exit(asyncio.run(_push(deliveries, url, token, speaker)))


async def _push(deliveries: "list[tuple[Path, Pushed]]", url: str, token: str | None, speaker: Speaker) -> int:
    from aiohttp import ClientConnectorError, ClientSession

    outcomes: Counter[tuple[str, str]] = Counter()
    faults: list[tuple[str, dict[str, Any]]] = []
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with ClientSession(base_url=url, headers=headers) as session:
        with Progress(console=speaker.err, transient=True) as bar:
            task = bar.add_task(speaker.t("投递", "pushing"), total=len(deliveries))
            for file, each in deliveries:
                try:
                    answer = await _post(session, url, each)
                except ClientConnectorError:
                    bar.stop()
                    speaker.err.print(
                        speaker.t(
                            f"[red]连不上网关 {url}[/red]，请先运行 tongguan serve",
                            f"[red]no gateway answers at {url}[/red]; start it with `tongguan serve`",
                        )
                    )
                    return 1
                faults += [(file.name, fault) for fault in answer["faults"]]
                for document in answer["documents"]:
                    outcomes[document["kind"], document["outcome"]] += 1
                    faults += [(file.name, fault) for fault in document["faults"]]
                bar.advance(task)
    _print(outcomes, faults, speaker)
    return 1 if faults else 0


async def _post(session: Any, url: str, each: "Pushed") -> dict[str, Any]:
    from ...messages.faults import Refused, fault

    async with session.post(
        "/v1/documents",
        params={"routing_key": each.routing_key},
        data=each.body,
        headers={"Content-Type": each.content_type},
    ) as response:
        if response.content_type != "application/json":
            raise Refused(fault("push-no-gateway", url=url, status=response.status))
        return await response.json()


def _print(outcomes: Counter[tuple[str, str]], faults: list[tuple[str, dict[str, Any]]], speaker: Speaker) -> None:
    table = Table(title=speaker.t("收单结果", "What became of the documents"))
    for column in ["种类|kind", "结果|outcome", "数量|count"]:
        table.add_column(speaker.t(*column.split("|")), justify="left")
    for (kind, outcome), count in sorted(outcomes.items()):
        table.add_row(kind, outcome, str(count))
    if outcomes:
        speaker.out.print(table)
    for name, fault in faults[:FAULTS_SHOWN]:
        speaker.err.print(f"{name} [red]{fault['code']}[/red] {fault['path']} {fault[speaker.lang.value]}")
    if len(faults) > FAULTS_SHOWN:
        more = len(faults) - FAULTS_SHOWN
        speaker.err.print(speaker.t(f"……另有 {more} 处", f"... and {more} more"))
