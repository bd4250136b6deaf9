"""What several commands have in common: their options, their language, and how they say what is wrong."""

import enum
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from ...config.problems import Problem
    from ...messages.faults import Fault
    from ..assembly import Configuration

USAGE = 2
"""Exit code for a configuration or an argument that is wrong."""


class Language(enum.StrEnum):
    """The languages of every sentence a person reads."""

    ZH = "zh"
    EN = "en"


def spoken_language() -> Language:
    """The language of TONGGUAN_LANG, else of LANG: Chinese when it begins with zh, else English."""
    chosen = os.environ.get("TONGGUAN_LANG") or os.environ.get("LANG", "")
    return Language.ZH if chosen.lower().startswith("zh") else Language.EN


Lang = Annotated[Language | None, typer.Option("--lang", help="语言，默认取自环境 / language, by default yours")]
Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="DIR", help="配置文件夹 / folder of the configuration", show_default=False),
]


class Speaker:
    """Prints to the terminal in one language; ``t`` picks the sentence."""

    def __init__(self, lang: Language | None) -> None:
        self.lang = lang or spoken_language()
        self.out = Console(highlight=False, soft_wrap=False)
        self.err = Console(stderr=True, highlight=False)

    def t(self, zh: str, en: str) -> str:
        """The sentence in this speaker's language."""
        return zh if self.lang is Language.ZH else en

    def say(self, zh: str, en: str) -> None:
        """Tell the person at the terminal something, on standard error."""
        self.err.print(self.t(zh, en), soft_wrap=True)

    def faults(self, faults: Iterable["Fault"]) -> None:
        """Print faults, one a line, with what to do."""
        for each in faults:
            text = escape(f"{each.path} {each.as_json()[self.lang.value]}".strip())
            self.err.print(f"[red]{each.code}[/red] {text}")

    def problems(self, problems: Iterable["Problem"]) -> None:
        """Print what is wrong with a configuration, by file."""
        for each in problems:
            where = f"{each.file}{each.fault.path and ' ' + each.fault.path}"
            line = f":{each.fault.line}" if each.fault.line else ""
            kind = self.t("警告", "warning") if each.warning else self.t("错误", "error")
            colour = "yellow" if each.warning else "red"
            text = escape(f"{where}{line}: {each.fault.as_json()[self.lang.value]}")
            self.err.print(f"[{colour}]{kind}[/{colour}] {text}")

    def stop(self, zh: str, en: str, code: int = 1) -> NoReturn:
        """Say why and end."""
        self.err.print(f"[red]{escape(self.t(zh, en))}[/red]")
        raise typer.Exit(code)


def known_faults(error: Exception) -> "Sequence[Fault]":
    """The faults an error stands for, and none where it is a mistake of ours."""
    import sqlite3

    from sqlalchemy.exc import SQLAlchemyError

    from ...messages.faults import Refused, fault
    from ...queue.bus import BusError

    match error:
        case Refused():
            return error.faults
        case BusError():
            return [error.fault]
        case OSError(filename=str() as file):
            return [fault("file-unusable", file=file, reason=error.strerror or type(error).__name__)]
        case SQLAlchemyError() | sqlite3.Error() | OSError():
            # its text may hold an address with a password
            reason = getattr(error, "orig", None) or error
            return [fault("store-unusable", reason=getattr(reason, "strerror", None) or type(reason).__name__)]
    return []


def configuration_of(option: Path | None, speaker: Speaker) -> "Configuration":
    """The configuration, or its faults printed and exit code 2."""
    from ..assembly import Misconfigured, configure

    try:
        return configure(option)
    except Misconfigured as wrong:
        speaker.problems(wrong.problems)
        raise typer.Exit(USAGE) from None
