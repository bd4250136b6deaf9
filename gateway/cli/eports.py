"""``tongguan eports``: check the e-port files, and see what a triple would become without sending it."""

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from .options import USAGE, Config, Lang, Speaker, configuration_of

if TYPE_CHECKING:
    from ...config.eports import EPort
    from ...messages.documents.document import Document
    from ..assembly import Configuration
    from ..trying import Tried

Name = Annotated[str, typer.Argument(metavar="NAME", help="电子口岸名称 / name of the e-port")]

app = typer.Typer(help="电子口岸配置 / e-ports", no_args_is_help=True)


@app.command()
def check(config: Config = None, lang: Lang = None) -> None:
    """检查全部配置文件，一次列出所有问题 / check the configuration and name every fault at once.

    退出码 / exit code: 0 无误 / fine, 2 有误 / faults.
    """
    speaker = Speaker(lang)
    configuration = configuration_of(config, speaker)
    speaker.problems(configuration.warnings)
    table = Table(title=speaker.t(f"电子口岸（{configuration.folder}）", f"E-ports ({configuration.folder})"))
    for column in ["名称|name", "环境|environment", "关区|customs", "申报|declares", "信封|envelope", "签名|signers"]:
        table.add_column(speaker.t(*column.split("|")))
    for each in configuration.eports:
        algorithms = Counter(signer.algorithm for signer in each.signers)
        table.add_row(
            each.name,
            each.environment,
            each.customs_district,
            " ".join(each.declares),
            each.envelope.kind,
            ", ".join(f"{count} × {algorithm}" for algorithm, count in algorithms.items()),
        )
    speaker.out.print(table if configuration.eports else speaker.t("没有配置电子口岸", "no e-port is configured"))


@app.command(name="try")
def try_(
    name: Name,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False, help="单证文件 / documents")
    ],
    config: Config = None,
    lang: Lang = None,
) -> None:
    """显示一组单证会变成怎样的报文，不发送 / show the XML a triple would become, sending nothing.

    退出码 / exit code: 0 相符 / matched, 1 不相符 / not, 2 用法有误 / wrong usage.
    """
    from ...adapters.signing.keyring import load_signers
    from ...messages.faults import Refused
    from ..composition import now_ms
    from ..trying import try_documents, trying_context

    speaker = Speaker(lang)
    configuration = configuration_of(config, speaker)
    eport = known_eport(configuration, name, speaker)
    documents = _documents(files, speaker)
    try:
        signers = load_signers(eport, os.environ, at_ms=now_ms(), new_serial=lambda: int.from_bytes(os.urandom(16)))
    except Refused as refused:
        speaker.faults(refused.faults)
        raise typer.Exit(USAGE) from None
    context = trying_context(eport, configuration.book, configuration.parties)
    tried = try_documents(documents, eport, signers, context)
    for each in tried:
        _print(each, speaker)
    if not tried:
        speaker.stop("这些单证不构成任何一单", "these documents make no case")
    raise typer.Exit(0 if all(each.decision.case.verdict == "matched" for each in tried) else 1)


def _documents(files: list[Path], speaker: Speaker) -> "list[Document]":
    from ...messages.documents.parsing import DELIVERY_LIMITS
    from ..pushing import deliveries_of
    from ..submissions import submitted

    found: list[Document] = []
    faulty = False
    for file in files:
        for pushed in deliveries_of(file, None):
            read = submitted(pushed, DELIVERY_LIMITS)
            faults = [*read.faults, *(fault for each in read.submissions for fault in each.faults)]
            if faults:
                speaker.err.print(str(file))
                speaker.faults(faults)
            faulty = faulty or bool(faults)
            found += [each.document for each in read.submissions if each.document]
    if faulty:
        raise typer.Exit(1)
    return found


def _print(tried: "Tried", speaker: Speaker) -> None:
    from ..rules.finding import rules
    from ..stories import STATUS_ZH

    case = tried.decision.case
    verdict = STATUS_ZH[case.verdict] if speaker.lang.value == "zh" else case.verdict
    speaker.err.print(f"[bold]{case.key}[/bold] {verdict}")
    for each in tried.decision.findings:
        rule = rules()[each.rule]
        sides = " | ".join(f"{side.of} {side.shown}".strip() for side in (each.left, each.right) if side)
        speaker.err.print(f"  {each.severity} [yellow]{each.rule}[/yellow] {speaker.t(rule.zh, rule.en)} {sides}")
    for message, text in tried.messages:
        speaker.err.print(f"[green]{message}[/green]")
        typer.echo(text)


def known_eport(configuration: "Configuration", name: str, speaker: Speaker) -> "EPort":
    """The e-port of that name, or a sentence and exit code 2."""
    eport = next((each for each in configuration.eports if each.name == name), None)
    if eport is None:
        names = " ".join(each.name for each in configuration.eports) or "-"
        speaker.stop(f"没有电子口岸 {name}，已配置：{names}", f"no e-port {name}; configured: {names}", USAGE)
    return eport
