"""``tongguan validate``: hold customs XML files against the schemas of release 202205."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ...messages.faults import FAULTS_MAX
from .options import Lang, Language, spoken_language


def validate(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", exists=True, dir_okay=False, readable=True, help="报文文件 / message files"),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="每个文件输出一行 JSON / one JSON object per file and line")
    ] = False,
    open_envelope: Annotated[
        bool, typer.Option("--open", help="同时检查信封中的报文 / check what an envelope carries, too")
    ] = False,
    lang: Lang = None,
) -> None:
    """按 202205 版规范检查海关报文 / check customs messages by release 202205.

    退出码 / exit code: 0 全部有效 / all valid, 1 有无效的 / some are not, 2 用法有误 / wrong usage.
    """
    from ...messages.validation import validate as faults_of
    from ...messages.xml import XML_BYTES_MAX

    language = lang or spoken_language()
    all_valid = True
    for file in files:
        with file.open("rb") as opened:
            data = opened.read(XML_BYTES_MAX + 1)
        faults = [fault.as_json() for fault in faults_of(data, open_envelope=open_envelope)]
        all_valid = all_valid and not faults
        typer.echo(_json_line(file, faults, language) if as_json else _lines(file, faults, language))
    raise typer.Exit(0 if all_valid else 1)


def _json_line(file: Path, faults: list[dict[str, Any]], language: Language) -> str:
    errors = [
        {"code": each["code"], "path": each["path"], "line": each["line"], "message": each[language]} for each in faults
    ]
    return json.dumps({"file": str(file), "ok": not faults, "errors": errors})


def _lines(file: Path, faults: list[dict[str, Any]], language: Language) -> str:
    most = "+" if len(faults) == FAULTS_MAX else ""
    if language is Language.ZH:
        lines = [f"{file}：{f'{len(faults)}{most} 处问题' if faults else '有效'}"]
        lines += [f"  第 {each['line'] or '?'} 行 {each['path']} [{each['code']}] {each['zh']}" for each in faults]
    else:
        lines = [f"{file}: {f'faults: {len(faults)}{most}' if faults else 'valid'}"]
        lines += [f"  line {each['line'] or '?'} {each['path']} [{each['code']}] {each['en']}" for each in faults]
    return "\n".join(lines)
