"""The command line, ``tongguan``. Commands import what they work with when they run, so that each starts fast."""

import sys

import typer

from . import channels, dead, ledger
from .audit import audit
from .case import hold, lift, receipts, show
from .contract import contract
from .demo import demo
from .keys import keys
from .migrate import migrate
from .options import Speaker, known_faults
from .push import push
from .reference import reference
from .sample import sample
from .serve import serve
from .simulate import simulate
from .validate import validate

app = typer.Typer(
    help="通关 Tongguan：跨境电商通关网关 / a gateway that clears cross-border e-commerce through Chinese customs",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_DAILY = (demo, serve, push, show, receipts, hold, lift, audit)
_AT_TIMES = (validate, simulate, sample, contract, reference, keys, migrate)
for command in (*_DAILY, *_AT_TIMES):
    app.command()(command)
app.add_typer(channels.app, name="eports")
app.add_typer(ledger.app, name="ledger")
app.add_typer(dead.app, name="dead")


def main() -> None:
    """Run the command that the arguments name; what keeps any of them from working is told, not traced."""
    try:
        app()
    except Exception as error:
        if not (faults := known_faults(error)):
            raise
        Speaker(None).faults(faults)
        sys.exit(1)
