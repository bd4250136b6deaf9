"""The reference pages, generated from the code and its tables, so that they cannot tell anything else."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ..config.settings import settings_table
from ..messages.catalogue import message_types
from ..messages.faults import fault_kinds
from ..messages.ladders import ladder, receipt_codes
from .rules.finding import rules
from .states import SETTERS
from .stories import STATUS_ZH
from .submissions import JSON_KEYS

_HEAD = "<!-- 由 tongguan reference 生成，请勿手改 / written by `tongguan reference`, do not edit -->\n"


def pages() -> dict[str, str]:
    """Every reference page, by file name."""
    made: dict[str, Callable[[], str]] = {
        "rules.md": _rules,
        "faults.md": _faults,
        "messages.md": _messages,
        "receipts.md": _receipts,
        "states.md": _states,
        "settings.md": _settings,
    }
    return {name: _HEAD + page() for name, page in made.items()}


def write(folder: Path) -> None:
    """Write every page into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


def stale(folder: Path) -> list[str]:
    """The pages whose committed copy is missing, out of date or not of ours."""
    made = pages()
    there = {path.name: path.read_text("utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))


def _table(columns: str, rows: Iterable[Sequence[str]]) -> str:
    heads = columns.split("|")
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
    )


def _rules() -> str:
    severities = {"waits": "等待 waits", "blocks": "不得申报 blocks", "warns": "提示 warns"}
    rows = [
        (f"`{rule.code}`", severities[rule.severity], f"{rule.zh}<br>{rule.en}", rule.source)
        for rule in rules().values()
    ]
    about = (
        "三单对碰的全部规则。等待：缺少依据；不得申报：内容不符；提示：照常申报。\n"
        "设置 `rule_severity` 可改变个别规则的作用。\n\n"
        "All rules of reconciliation. *waits*: something is missing; *blocks*: it must not be declared; *warns*: it is "
        "shown and declared all the same. The setting `rule_severity` changes what single rules do.\n"
    )
    return f"# 比对规则 Rules\n\n{about}\n{_table('代码 code|作用 severity|说明 sentence|来源 source', rows)}\n"


def _faults() -> str:
    rows = [
        (f"`{kind.code}`", f"{kind.zh}<br>{kind.en}", f"{kind.do_zh}<br>{kind.do_en}")
        for kind in fault_kinds().values()
    ]
    about = (
        "收单答复、配置检查与命令行给出的全部错误。\n"
        "花括号处是名称、限值或长度，从不是所发的内容。\n\n"
        "Every fault that an answer, a check of the configuration or the command line can name. Braces stand for "
        "names, limits and lengths, never for values that were sent.\n"
    )
    return f"# 错误代码 Faults\n\n{about}\n{_table('代码 code|说明 what|怎么办 what to do', rows)}\n"


def _messages() -> str:
    rows = [
        (
            f"`{each.code}`",
            f"{each.zh}<br>{each.en}",
            each.role,
            f"`{each.node or ''}`" if each.node else "",
            ", ".join(each.key),
            ", ".join(each.declared_by),
            each.signature,
            each.answered_by or "",
        )
        for each in message_types().values()
    ]
    columns = (
        "报文 message|名称 name|角色 role|业务节点 node|业务主键 key|谁申报 declared by|签名 signature|回执 answered by"
    )
    keys = f"JSON 单证的路由键为 `{JSON_KEYS}order` 等，海关 XML 为 `ceb`。"
    return f"# 报文目录 Messages\n\n{keys}\n\n{_table(columns, rows)}\n"


def _receipts() -> str:
    parts = ["# 回执代码 Receipts\n"]
    for each in message_types().values():
        if each.role not in {"receipt", "tax"}:
            continue
        rows = [
            (f"`{step.code}`", step.standing, "是 yes" if step.terminal else "", step.retry, f"{step.zh}<br>{step.en}")
            for step in ladder(each.code)
            if not step.code.startswith("-")
        ]
        parts.append(f"## {each.short} {each.zh} {each.en}\n")
        parts.append(_table("状态 status|含义 standing|终态 final|重试 retry|说明 sentence", rows) + "\n")
    parts.append("## 负数与平台代码 Negative and exchange codes\n")
    rows = [
        (f"`{row.code}`", " ".join(row.messages), row.retry, f"{row.zh}<br>{row.en}", row.source)
        for row in receipt_codes()
        if row.kind in {"eport", "dxp", "customs"}
    ]
    parts.append(_table("代码 code|报文 messages|重试 retry|说明 sentence|来源 source", rows) + "\n")
    return "\n".join(parts)


def _states() -> str:
    rows = [(f"`{status.value}`", STATUS_ZH[status.value], zh, en) for status, (zh, en) in SETTERS.items()]
    return f"# 一单的状态 Status of a case\n\n{_table('状态 status|中文|由谁设定|set by', rows)}\n"


def _settings() -> str:
    rows = [
        (f"`{row.name}`", f"`{row.default}`", row.unit, f"{row.zh}<br>{row.en}", "是 yes" if row.secret else "")
        for row in settings_table()
    ]
    about = (
        "写在配置文件夹的 `tongguan.toml` 里，或用环境变量 `TONGGUAN_` 加大写名称给出。\n\n"
        "In `tongguan.toml` of the operators' folder, or as variables: `TONGGUAN_` and the name in capitals.\n"
    )
    return f"# 设置 Settings\n\n{about}\n{_table('名称 name|默认 default|单位 unit|说明 about|保密 secret', rows)}\n"
