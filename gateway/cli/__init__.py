"""The command line, ``tongguan``. Commands import what they work with when they run, so that each starts fast."""

import typer

from .validate import validate

app = typer.Typer(
    help="通关 Tongguan：跨境电商通关网关 / a gateway that clears cross-border e-commerce through Chinese customs",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(validate)


@app.callback()
def _group() -> None:
    """A callback makes typer ask for the command's name even while there is only one."""


def main() -> None:
    """Run the command that the arguments name."""
    app()
