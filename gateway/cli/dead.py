"""``tongguan dead``: deliveries that could not be worked, to be looked at, worked again or dropped."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ...messages.chinatime import china_time
from ...messages.personal import mask_text
from .options import USAGE, Config, Lang, Speaker, configuration_of

if TYPE_CHECKING:
    from ..assembly import Configuration
    from ..dead import DeadLetter, Graveyard
    from ..serving import Service

    Deed = Callable[[Service, Graveyard], Awaitable[bool]]

app = typer.Typer(help="死信 / dead letters", no_args_is_help=True)

HELD_MAX = 1_000
"""Letters held at a time, the oldest first."""
_TIME = "%Y-%m-%d %H:%M:%S"

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID...", help="死信编号 / ids of letters")]
All = Annotated[bool, typer.Option("--all", help="全部死信 / every letter")]


@app.command(name="list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=HELD_MAX, help="最多列出的封数 / letters listed at most")] = 100,
    config: Config = None,
    lang: Lang = None,
) -> None:
    """列出死信，最早的在前 / list dead letters, the oldest first."""
    speaker = Speaker(lang)

    async def deed(_: "Service", yard: "Graveyard") -> bool:
        table = Table(title=speaker.t("死信", "Dead letters"))
        for name in ("编号|id", "死亡时间|died", "原因|reason", "路由键|routing key", "发送方|sender", "字节|bytes"):
            table.add_column(speaker.t(*name.split("|")))
        for each in yard.letters[:limit]:
            table.add_row(*map(escape, _row(each)))
        speaker.out.print(table if yard.letters else speaker.t("没有死信", "no dead letters"))
        if (more := max(0, len(yard.letters) - limit) + yard.beyond) > 0:
            speaker.out.print(speaker.t(f"另有较晚的 {more} 封", f"{more} later ones not listed"))
        return True

    _do(speaker, config, deed)


@app.command()
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="死信编号 / id of the letter")],
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="把原文存入新文件 / write its bytes to a new file")
    ] = None,
    config: Config = None,
    lang: Lang = None,
) -> None:
    """显示一封死信的属性 / show what a letter says of itself.

    内容可能含个人信息，不在终端显示 / its content may be personal data and is not printed.
    退出码 / exit code: 0, 1 没有这封 / no such letter.
    """
    speaker = Speaker(lang)

    async def deed(_: "Service", yard: "Graveyard") -> bool:
        letters = _chosen(speaker, yard, [id_])
        for name, value in _properties(letters[0]) if letters else ():
            speaker.out.print(f"[bold]{name:<14}[/bold] {escape(value)}", soft_wrap=True)
        if letters and save:
            _write(save, letters[0].delivery.body)
            speaker.say(
                f"原文已存入 {save}；其中可能有个人信息，用后请删除",
                f"written to {save}; it may hold personal data, so delete it after use",
            )
        return bool(letters)

    _do(speaker, config, deed)


@app.command()
def requeue(ids: Ids = None, every: All = False, config: Config = None, lang: Lang = None) -> None:
    """在这里重新处理死信，并照常应答；仍失败的留下 / work letters again, here, and answer them; what fails stays dead.

    退出码 / exit code: 0 全部处理 / all worked, 1 有的没有 / some were not, 2 用法有误 / wrong usage.
    """
    speaker = Speaker(lang)
    _named(speaker, ids, every=every)

    async def deed(service: "Service", yard: "Graveyard") -> bool:
        letters = _chosen(speaker, yard, ids)
        failed = 0
        for each in letters:
            worked = await yard.work(service, each)
            failed += not worked
            said = speaker.t("已处理并应答", "worked and answered") if worked else speaker.t("仍然失败", "fails again")
            speaker.out.print(f"{each.id}  [{'green' if worked else 'red'}]{said}[/]")
        _tell_beyond(speaker, yard)
        return not failed and _all_of(yard, letters, ids)

    _do(speaker, config, deed)


@app.command()
def drop(
    ids: Ids = None,
    every: All = False,
    yes: Annotated[bool, typer.Option("--yes", help="不再询问 / do not ask")] = False,
    config: Config = None,
    lang: Lang = None,
) -> None:
    """永久删除死信；其内容不再可得 / forget letters for good; what they hold is gone.

    退出码 / exit code: 0 全部删除 / all dropped, 1 有的没有 / some were not, 2 用法有误 / wrong usage.
    """
    speaker = Speaker(lang)
    _named(speaker, ids, every=every)

    async def deed(_: "Service", yard: "Graveyard") -> bool:
        letters = _chosen(speaker, yard, ids)
        question = speaker.t(f"永久删除 {len(letters)} 封死信？", f"Drop {len(letters)} dead letters for good?")
        if letters and not yes and not typer.confirm(question):
            return False
        await yard.drop(letters)
        speaker.out.print(speaker.t(f"已删除 {len(letters)} 封", f"{len(letters)} dropped"))
        _tell_beyond(speaker, yard)
        return _all_of(yard, letters, ids)

    _do(speaker, config, deed)


def _named(speaker: Speaker, ids: list[str] | None, *, every: bool) -> None:
    if bool(ids) == every:
        speaker.stop("请给出编号，或用 --all", "name ids, or say --all", USAGE)


def _chosen(speaker: Speaker, yard: "Graveyard", ids: list[str] | None) -> "list[DeadLetter]":
    """The letters meant, all of them when no ids are named; ids without a letter are told."""
    if not ids:
        return yard.letters
    letters, missing = yard.find(ids)
    for each in missing:
        speaker.say(f"没有死信 {each}", f"no dead letter {each}")
    return letters


def _all_of(yard: "Graveyard", letters: "list[DeadLetter]", ids: list[str] | None) -> bool:
    """Whether these letters are all that was meant."""
    return {each.id for each in letters} == set(ids) if ids else not yard.beyond


def _tell_beyond(speaker: Speaker, yard: "Graveyard") -> None:
    """Say that there are more than may be held at a time."""
    if yard.beyond:
        speaker.say(f"另有较晚的 {yard.beyond} 封，请再次运行", f"{yard.beyond} later ones are left; run it again")


def _row(letter: "DeadLetter") -> Iterator[str]:
    delivery, death = letter.delivery, letter.delivery.death
    yield letter.id
    yield china_time(death.at).strftime(_TIME) if death else ""
    yield death.reason if death else ""
    yield _plain(delivery.routing_key)
    yield _plain(delivery.user_id or delivery.app_id or "")
    yield f"{len(delivery.body):,}"


def _properties(letter: "DeadLetter") -> Iterator[tuple[str, str]]:
    delivery, death = letter.delivery, letter.delivery.death
    yield "id", letter.id
    if death:
        yield "died", f"{china_time(death.at).strftime(_TIME)} {death.reason} ({death.queue})"
    for name in ("routing_key", "content_type", "user_id", "app_id", "message_id", "correlation_id", "reply_to"):
        if value := getattr(delivery, name):
            yield name, _plain(value)
    yield "bytes", f"{len(delivery.body):,}"


def _plain(text: str) -> str:
    """A sender's own words as they may stand in a terminal: people masked, nothing that steers it."""
    return "".join(each if each.isprintable() else "?" for each in mask_text(text))


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def _do(speaker: Speaker, config: Path | None, deed: "Deed") -> None:
    """Do something among the dead letters, all of them held meanwhile; exit code 1 when not all of it was done."""
    from ..logs import configure as configure_logs

    configuration = configuration_of(config, speaker)
    configure_logs(configuration.settings.log_format, configuration.settings.log_level)
    if not asyncio.run(_held(configuration, deed)):
        raise typer.Exit(1)


async def _held(configuration: "Configuration", deed: "Deed") -> bool:
    from ..assembly import open_bus, open_gateway, seal_key
    from ..dead import graveyard
    from ..serving import Service

    async with open_gateway(configuration) as gateway, open_bus(configuration.settings, gateway.sealer) as bus:
        service = Service(gateway, bus, seal_key(gateway), ())
        await service.declare()
        async with graveyard(bus, HELD_MAX) as yard:
            return await deed(service, yard)
