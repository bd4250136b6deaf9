"""``tongguan contract``: JSON Schemas and AsyncAPI as files, and whether committed copies are current."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Lang, Speaker


def contract(
    write: Annotated[Path | None, typer.Option(metavar="DIR", help="写入文件夹 / write into a folder")] = None,
    check: Annotated[Path | None, typer.Option(metavar="DIR", help="检查是否最新 / check a folder")] = None,
    lang: Lang = None,
) -> None:
    """生成或检查数据契约（JSON Schema 与 AsyncAPI） / write or check the contract."""
    from ...messages import contract as made

    speaker = Speaker(lang)
    if write:
        write.mkdir(parents=True, exist_ok=True)
        made.write(write)
        speaker.out.print(speaker.t(f"已写入 {write}", f"written to {write}"))
    stale = made.check(check) if check else []
    for name in stale:
        speaker.err.print(speaker.t(f"已过时：{name}", f"out of date: {name}"))
    if not write and not check:
        for name in made.contract():
            speaker.out.print(name)
    raise typer.Exit(1 if stale else 0)
