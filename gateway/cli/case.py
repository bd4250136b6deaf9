"""``tongguan show``, ``hold``, ``lift`` and ``receipts``: looking at cases, and stopping one."""

import asyncio
import getpass
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from .options import USAGE, Config, Lang, Speaker, configuration_of

if TYPE_CHECKING:
    from ..assembly import Configuration
    from ..composition import Gateway
    from ..story import Story

REASON_MAX = 200
CaseName = Annotated[
    str, typer.Argument(metavar="CASE", help="订单号、平台代码/订单号或 #编号 / order number, scope/orderNo, #id")
]


def show(
    case: CaseName,
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON / as JSON")] = False,
    lang: Lang = None,
) -> None:
    """讲述一单的来龙去脉 / tell a case's story."""
    from ..stories import print_story

    speaker = Speaker(lang)
    story = asyncio.run(_story(configuration_of(config, speaker), case, speaker))
    if as_json:
        typer.echo(json.dumps(_plain(story), ensure_ascii=False, indent=1))
    else:
        print_story(story, speaker.out, chinese=speaker.lang.value == "zh")


def hold(
    case: CaseName,
    reason: Annotated[
        str, typer.Option(help="原因，记入核对日志，人员信息会被遮盖 / why; kept in the ledger, people masked")
    ],
    config: Config = None,
    lang: Lang = None,
) -> None:
    """扣下一单，暂不申报 / keep a case from being declared."""
    _set_hold(case, config, lang, reason, on=True)


def lift(
    case: CaseName,
    reason: Annotated[str, typer.Option(help="原因 / why")],
    config: Config = None,
    lang: Lang = None,
) -> None:
    """解除扣下 / let a held case go on."""
    _set_hold(case, config, lang, reason, on=False)


def receipts(
    standing: Annotated[
        list[str] | None,
        typer.Option(help="回执去向 / standing: unmatched unknown late doubled noted applied"),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=1000, help="最多几条 / at most")] = 50,
    config: Config = None,
    lang: Lang = None,
) -> None:
    """列出需要人看的回执（默认：未匹配与代码未知的） / receipts people should look at."""
    from ..story import receipts_standing

    speaker = Speaker(lang)
    configuration = configuration_of(config, speaker)
    wanted = standing or ["unmatched", "unknown"]
    rows = asyncio.run(_reading(configuration, lambda tx: receipts_standing(tx, wanted, count)))
    table = Table(title=speaker.t("回执", "Receipts"))
    for zh, en in (
        ("去向", "standing"),
        ("报文", "message"),
        ("状态", "status"),
        ("业务主键", "key"),
        ("口岸", "e-port"),
        ("文件", "file"),
    ):
        table.add_column(speaker.t(zh, en), overflow="fold")
    for row in rows:
        table.add_row(
            row["standing"], row["message_type"], row["status"], row["business_key"], row["eport"], row["file_name"]
        )
    speaker.out.print(table if rows else speaker.t("没有", "none"))


def _set_hold(case: str, config: Any, lang: Any, reason: str, *, on: bool) -> None:
    speaker = Speaker(lang)
    if not reason.strip() or len(reason) > REASON_MAX:
        speaker.stop(f"请写明原因，最多 {REASON_MAX} 字", f"say why, in at most {REASON_MAX} characters", USAGE)
    configuration = configuration_of(config, speaker)

    async def run() -> bool:
        from ..assembly import open_gateway
        from ..steps.hold import set_hold
        from ..store.database import in_transaction

        async with open_gateway(configuration) as gateway:
            found = await _find(gateway, case, speaker)
            actor = f"operator:{getpass.getuser()}"
            return await in_transaction(
                gateway.database,
                lambda tx: set_hold(tx, gateway, found["id"], on=on, actor=actor, reason=reason),
            )

    if not asyncio.run(run()):
        speaker.stop("该单本来就是如此", "the case was so already")
    speaker.out.print(speaker.t("已扣下", "held") if on else speaker.t("已解除", "lifted"))


async def _story(configuration: "Configuration", case: str, speaker: Speaker) -> "Story":
    from ..assembly import open_gateway
    from ..store.database import in_transaction
    from ..story import read_story

    async with open_gateway(configuration) as gateway:
        found = await _find(gateway, case, speaker)
        return await in_transaction(gateway.database, lambda tx: read_story(tx, found))


async def _find(gateway: "Gateway", case: str, speaker: Speaker) -> Mapping[str, Any]:
    from ..store.database import in_transaction
    from ..story import find_cases

    found = await in_transaction(gateway.database, lambda tx: find_cases(tx, case))
    if not found:
        speaker.stop(f"没有这一单：{case}", f"no such case: {case}")
    if len(found) > 1:
        names = " ".join(f"{each['scope']}/{each['order_no']}" for each in found)
        speaker.stop(f"不止一单，请写明平台：{names}", f"more than one, name the platform: {names}")
    return found[0]


async def _reading(configuration: "Configuration", read: Any) -> Sequence[Mapping[str, Any]]:
    from ..assembly import open_gateway
    from ..store.database import in_transaction

    async with open_gateway(configuration) as gateway:
        return await in_transaction(gateway.database, read)


def _plain(story: "Story") -> dict[str, Any]:
    return {
        "case": dict(story.case),
        "documents": [dict(each) for each in story.documents],
        "findings": list(story.findings),
        "declarations": [dict(each) for each in story.declarations],
        "receipts": [dict(each) for each in story.receipts],
        "ledger": list(story.entries),
    }
