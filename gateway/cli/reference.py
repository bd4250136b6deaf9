"""``tongguan reference``: the reference pages of the documentation, written from the code."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Lang, Speaker


def reference(
    write: Annotated[Path | None, typer.Option(metavar="DIR", help="写入文件夹 / write into a folder")] = None,
    check: Annotated[Path | None, typer.Option(metavar="DIR", help="检查是否最新 / check a folder")] = None,
    lang: Lang = None,
) -> None:
    """生成或检查参考文档（规则、错误、报文、回执、设置） / write or check the reference pages."""
    from .. import reference as made

    speaker = Speaker(lang)
    if write:
        made.write(write)
        speaker.say(f"已写入 {write}", f"written to {write}")
    old = made.stale(check) if check else []
    for name in old:
        speaker.say(f"已过时：{name}", f"out of date: {name}")
    raise typer.Exit(1 if old else 0)
