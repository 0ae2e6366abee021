"""The command ``hessx``."""

from __future__ import annotations

import typer

from hessx.study.cutest.cli import app as cutest
from hessx.study.study_cli import app as study

__all__ = ["app", "main"]

app = typer.Typer(
    help="Comparison of optimisation methods.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cutest, name="cutest")
app.add_typer(study, name="study")


@app.callback()
def _group() -> None:
    """Comparison of optimisation methods."""


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
