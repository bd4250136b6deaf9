"""``tongguan demo``: an example set through the whole gateway, and whether what became of it is what should have."""

import asyncio
import logging
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from .audit import print_audit
from .options import USAGE, Lang, Speaker

if TYPE_CHECKING:
    from ..demo import Finished
    from ..sample.expectation import CaseOutcome, DeliveryOutcome, Difference, Expectation

CODES_SHOWN = 6
"""Codes listed for each kind of receipt, the most frequent first."""
DIFFERENCES_SHOWN = 40
LOG = "log.jsonl"
REFERENCE_ZH = {"goods": "商品备案", "transport": "运输信息"}
OUTCOMES = ("taken", "duplicate", "stale", "conflict", "rejected")


def demo(
    triples: Annotated[int, typer.Option(min=0, max=100_000, help="至少多少单 / cases at least")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="随机种子 / seed")] = 1,
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", file_okay=False, help="演示用的文件夹 / folder of the demo")
    ] = Path("var/demo"),
    keep: Annotated[
        bool, typer.Option("--keep", help="上一次演示的文件夹改名保留 / keep the last demo's folder under another name")
    ] = False,
    lang: Lang = None,
) -> None:
    """让示例数据走完整个网关，并与应有结果逐项比较 / take an example set through the gateway and compare the outcome.

    退出码 / exit code: 0 与应有结果一致 / as expected, 1 有差异或超时 / not, 2 用法有误 / wrong usage.
    """
    from ...messages.faults import Refused
    from ..demo import Unfinished

    speaker = Speaker(lang)
    _clear(folder, speaker, keep=keep)
    try:
        finished = _run(folder, triples, seed, speaker)
    except Refused as refused:
        speaker.faults(refused.faults)
        raise typer.Exit(1) from None
    except Unfinished as unfinished:
        left = "  ".join(f"{name} {count}" for name, count in unfinished.open_.items()) or "-"
        speaker.stop(f"超过时限，尚未完成：{left}", f"the time limit passed; still to be done: {left}")
    raise typer.Exit(_tell(finished, folder, speaker))


def _clear(folder: Path, speaker: Speaker, *, keep: bool) -> None:
    """Make way for a new folder; one that is not a demo's is left alone."""
    from ..demo import RESULTS_FOLDER
    from ..sample.files import EXPECTATION

    if not folder.exists():
        return
    is_demo = (folder / EXPECTATION).is_file() and (folder / RESULTS_FOLDER).is_dir()
    if any(folder.iterdir()) and not is_demo:
        speaker.stop(f"{folder} 不是演示的文件夹，未改动", f"{folder} is not a demo's folder and is left alone", USAGE)
    if keep:
        stamp = int(folder.stat().st_mtime)
        folder.rename(folder.with_name(f"{folder.name}-{stamp}"))
    else:
        shutil.rmtree(folder)


def _run(folder: Path, triples: int, seed: int, speaker: Speaker) -> "Finished":
    from ..composition import now_ms
    from ..demo import make_set, run_demo
    from ..sample.generate import generate

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=speaker.err) as bar:
        making = bar.add_task(speaker.t("生成示例数据", "making the set"), total=triples)
        pushing = bar.add_task(speaker.t("投递", "pushing"), total=None)
        settling = bar.add_task(speaker.t("走完流程", "clearing"), total=None)
        sample = generate(seed, now_ms(), triples, progress=lambda done: bar.update(making, completed=done))
        make_set(sample, folder)
        bar.update(making, completed=triples)
        tasks = {"push": pushing, "settle": settling}
        with _Logs(folder / LOG):
            return asyncio.run(
                run_demo(folder, lambda stage, done, total: bar.update(tasks[stage], completed=done, total=total))
            )


class _Logs:
    """The logs of the gateway in a file, because the terminal shows progress."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        from ..logs import configure

        configure("json", "info")
        self._handler = logging.FileHandler(self._path, encoding="utf-8")
        root = logging.getLogger()
        self._handler.setFormatter(root.handlers[0].formatter)
        root.handlers = [self._handler]

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self._handler)
        self._handler.close()


def _tell(finished: "Finished", folder: Path, speaker: Speaker) -> int:
    """Show what became of the set; the exit code."""
    from ..sample.expectation import differences

    cases, out = finished.outcome.cases.values(), speaker.out
    for table in (
        _cases(cases, speaker),
        _findings(cases, speaker),
        _documents(finished.outcome.deliveries.values(), speaker),
        _messages(cases, folder, speaker),
        _receipts(cases, speaker),
        _results(finished.result_kinds, speaker),
    ):
        out.print(table)
    wrong = differences(finished.expectation.outcome, finished.outcome)
    _where(folder, next(iter(finished.outcome.cases)), speaker)
    if wrong:
        _differences(wrong, finished.expectation, speaker)
        return 1
    if not finished.audit.is_clean:
        print_audit(finished.audit, speaker)
        return 1
    looked = sum(each.looked for each in finished.audit.checks)
    out.print(
        speaker.t(
            f"[green]稽核无误[/green]：{len(finished.audit.checks)} 项，核对 {looked:,} 处",
            f"[green]audited[/green]: {len(finished.audit.checks)} checks of {looked:,} things, nothing wrong",
        )
    )
    count = len(finished.outcome.cases)
    scenarios = len({each.scenario for each in finished.expectation.stories.values()})
    out.print(
        speaker.t(
            f"[green]与应有结果一致[/green]：{count} 单，{scenarios} 种情形",
            f"[green]as expected[/green]: {count} cases of {scenarios} kinds",
        )
    )
    return 0


def _table(title: str, columns: str, speaker: Speaker) -> Table:
    """An empty table; every heading is written ``中文|english``, columns apart by two spaces, ``>`` before numbers."""
    table = Table(title=speaker.t(*title.split("|")), title_justify="left", title_style="bold")
    for column in columns.split("  "):
        heading = speaker.t(*column.removeprefix(">").split("|"))
        table.add_column(heading, justify="right" if column.startswith(">") else "left", overflow="fold")
    return table


def _cases(cases: Iterable["CaseOutcome"], speaker: Speaker) -> Table:
    from ..stories import STATUS_ZH

    table = _table("一单|Cases", "结论|verdict  状态|status  >单数|cases", speaker)
    counted = Counter((each.verdict, each.status) for each in cases)
    for (verdict, status), count in sorted(counted.items(), key=lambda each: (each[0][0], -each[1])):
        shown = (speaker.t(STATUS_ZH[word], word) for word in (verdict, status))
        table.add_row(*shown, str(count))
    table.add_section()
    table.add_row(speaker.t("合计", "all"), "", str(counted.total()))
    return table


def _findings(cases: Iterable["CaseOutcome"], speaker: Speaker) -> Table:
    from ..rules.finding import rules

    table = _table("比对结果|Findings", "规则|rule  说明|what it says  >单数|cases", speaker)
    counted = Counter(rule for each in cases for rule in each.findings)
    for code, rule in rules().items():
        if counted[code]:
            table.add_row(code, speaker.t(rule.zh, rule.en), str(counted[code]))
    return table


def _documents(deliveries: Iterable["DeliveryOutcome"], speaker: Speaker) -> Table:
    from ...messages.documents.kinds import KINDS
    from ..stories import KIND_ZH

    columns = "种类|kind  >已收|taken  >重复|duplicate  >过时|stale  >冲突|conflict  >不收|rejected"
    table = _table("单证|Documents", columns, speaker)
    deliveries = list(deliveries)
    counted = Counter((one.kind, one.outcome) for each in deliveries for one in each.documents)
    for kind in (each for each in KINDS if any(kind == each for kind, _ in counted)):
        name = speaker.t({**KIND_ZH, **REFERENCE_ZH}[kind], kind)
        table.add_row(name, *(str(counted[kind, outcome] or "") for outcome in OUTCOMES))
    table.add_section()
    unreadable = sum(1 for each in deliveries if each.faults)
    table.add_row(speaker.t("无法读取的投递", "unreadable deliveries"), "", "", "", "", str(unreadable))
    return table


def _messages(cases: Iterable["CaseOutcome"], folder: Path, speaker: Speaker) -> Table:
    from ...messages.catalogue import message_types
    from ..demo import SENT_FOLDER

    table = _table("发出的报文|Messages sent", "报文|message  名称|name  >申报|declarations  >文件|files", speaker)
    declared = Counter[str]()
    for each in cases:
        declared.update(each.declared)
    files = Counter(path.name.partition("_")[0] for path in (folder / SENT_FOLDER).rglob("*.xml"))
    for known in message_types().values():
        if declared[known.short]:
            name = speaker.t(known.zh, known.en)
            table.add_row(known.short, name, str(declared[known.short]), str(files[known.code]))
    return table


def _receipts(cases: Iterable["CaseOutcome"], speaker: Speaker) -> Table:
    from ...messages.catalogue import message_types

    table = _table("回执|Receipts", "报文|message  名称|name  >份数|count  代码与份数|codes, how often", speaker)
    counted: dict[str, Counter[str]] = {}
    for each in cases:
        for short, codes in each.receipts.items():
            counted.setdefault(short, Counter()).update(codes)
    for known in message_types().values():
        if codes := counted.get(known.short):
            shown = [f"{code} x{count}" for code, count in codes.most_common(CODES_SHOWN)]
            if more := len(codes) - len(shown):
                shown.append(speaker.t(f"另有 {more} 种", f"{more} more"))
            table.add_row(known.short, speaker.t(known.zh, known.en), str(codes.total()), "  ".join(shown))
    return table


def _results(kinds: Mapping[str, int], speaker: Speaker) -> Table:
    words = {"status": "状态", "finding": "比对结果", "ask-for-correction": "请求更正", "tax": "税单"}
    table = _table("发布的结果|Results published", "种类|kind  >条数|results", speaker)
    for kind, count in sorted(kinds.items()):
        table.add_row(speaker.t(words.get(kind, kind), kind), str(count))
    return table


def _where(folder: Path, case: str, speaker: Speaker) -> None:
    from ..demo import RECEIPTS_FOLDER, RESULTS_FOLDER, SENT_FOLDER
    from ..sample.files import EXPECTATION, INPUT, OPERATORS

    places = (
        (INPUT, "投递的单证", "the documents pushed"),
        (SENT_FOLDER, "交给电子口岸的报文", "the messages handed to the e-ports"),
        (RECEIPTS_FOLDER, "收到的回执文件", "the receipt files that came back"),
        (RESULTS_FOLDER, "收单答复与发布的结果", "answers and results, as published"),
        (EXPECTATION, "应有结果", "what should become of everything"),
        (LOG, "日志", "the log"),
        (OPERATORS, "配置", "the operators' folder"),
    )
    for name, zh, en in places:
        speaker.out.print(f"{folder / name}  [dim]{speaker.t(zh, en)}[/dim]", soft_wrap=True)
    command = f"tongguan show {case.rpartition('/')[2]} --config {folder / OPERATORS}"
    speaker.out.print(f"{command}  [dim]{speaker.t('一单的来龙去脉', 'the story of a case')}[/dim]", soft_wrap=True)


def _differences(wrong: Sequence["Difference"], expectation: "Expectation", speaker: Speaker) -> None:
    speaker.out.print(
        speaker.t(f"[red]与应有结果不同之处：{len(wrong)}[/red]", f"[red]not as expected: {len(wrong)}[/red]")
    )
    for each in wrong[:DIFFERENCES_SHOWN]:
        story = expectation.stories.get(each.about)
        behind = f" [{story.scenario}]" if story else ""
        speaker.out.print(f"{each.about}{behind} {speaker.t(each.zh, each.en)}", markup=False, soft_wrap=True)
    if len(wrong) > DIFFERENCES_SHOWN:
        more = len(wrong) - DIFFERENCES_SHOWN
        speaker.out.print(speaker.t(f"……另有 {more} 处", f"... and {more} more"))
