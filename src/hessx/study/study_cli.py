"""The commands ``hessx study run``, ``report``, ``list``, ``recommend`` and ``score``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from hessx.study.analysis.choice import recommendations
from hessx.study.analysis.costs import UNITS, comparable
from hessx.study.analysis.scores import scores
from hessx.study.backends import BACKENDS
from hessx.study.curvature_cli import curvature
from hessx.study.digits_cli import digits
from hessx.study.features import FEATURES
from hessx.study.listing import listing
from hessx.study.plan import in_order, planned
from hessx.study.rows import read_rows
from hessx.study.settings import Settings, bundled_settings, read_settings
from hessx.study.tables import print_scores, print_tables
from hessx.study.terminal import mistakes_shown, split_names

__all__ = ["app", "list_names", "recommend", "report", "run", "score"]


class _RunByDefault(TyperGroup):
    """``hessx study`` alone, or with options or a file, is ``hessx study run``."""

    def parse_args(self, context: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["run", *args]
        return super().parse_args(context, args)


app = typer.Typer(
    cls=_RunByDefault, help="Compare methods on problems; without a command, run the study."
)
app.command()(digits)
app.command()(curvature)

_Rows = Annotated[Path, typer.Argument(help="The file rows.csv of a study.")]
_Out = Annotated[
    Path, typer.Option("--out", "--output", "-o", help="Folder of the page and the rows.")
]
_Names = Annotated[str | None, typer.Option(help="Names with commas; see `hessx study list`.")]
_OUT = Path("study-output")
_RANKED = 5  # methods that are shown of each recommendation


@app.command()
def run(
    config: Annotated[
        Path | None, typer.Argument(help="TOML file; options go before what it says.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Two minutes on two cores.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Everything; hours.")] = False,
    problems: Annotated[
        str | None, typer.Option(help="Names, all, tag:NAME, NAME:n, or cutest:NAME.")
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(help="Names, all, family:NAME, scipy:NAME, or module:attribute."),
    ] = None,
    backends: Annotated[str | None, typer.Option(help=f"Of {', '.join(BACKENDS)}.")] = None,
    features: Annotated[str | None, typer.Option(help=f"Of {', '.join(FEATURES)}.")] = None,
    seed: Annotated[
        str | None,
        typer.Option(
            "--seed", "--seeds", help="Other than 0: move every start by 1e-3 of max(|x|, 1)."
        ),
    ] = None,
    dtype: Annotated[str | None, typer.Option(help="float64 or float32.")] = None,
    gtol: Annotated[float | None, typer.Option(help="Gradient tolerance, norm_inf.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Time limit of a run.")] = None,
    memory_limit: Annotated[
        float | None, typer.Option(help="Memory of the process of a run, MiB.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Runs at a time.")] = None,
    out: _Out = _OUT,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew; else finished runs are kept.")
    ] = False,
) -> None:
    """Run a study; write a table, rows as a CSV file, and the report."""
    # not needed, and perhaps not installed, for the other commands
    from hessx.study.making import Making

    shared: dict[str, Any] = {
        "dtype": dtype,
        "gtol": gtol,
        "seconds": seconds,
    }
    common = {"memory_limit": memory_limit, "workers": workers}
    with mistakes_shown():
        lists = {"problems": problems, "methods": methods, "backends": backends}
        for name, given in (lists | {"features": features, "seeds": seed}).items():
            shared[name] = _split(name, given)
        if shared["seeds"] is not None:
            shared["seeds"] = tuple(map(_integer, shared["seeds"]))
        settings = _settings(config, quick=quick, full=full)
        settings = settings.changed(_given(shared), **_given(common))
        plan = planned(settings)
        if not plan.tasks:
            msg = "none of these methods is meant for these problems and backends"
            raise ValueError(msg)
        making = Making(settings, plan, out, fresh=fresh)
    console = Console()
    try:
        rows = making.run(console)
    except KeyboardInterrupt:
        console.print(f"{len(making.file.rows)} runs are in {making.file.path}: the same command")
        console.print("goes on with those that are missing")
        raise typer.Exit(130) from None
    print_tables(console, rows)
    print_scores(console, scores(comparable(rows)), 1e-6, "cost")
    making.report(console, rows)


@app.command()
def report(rows: _Rows, out: _Out = _OUT) -> None:
    """Write the report of a file of rows."""
    from hessx.study.making import write_report

    with mistakes_shown():
        found = in_order(read_rows(rows))
        if not found:
            msg = f"{rows} has no rows: run the study first"
            raise ValueError(msg)
    write_report(Console(), found, rows, out)


@app.command()
def score(
    rows: _Rows,
    tau: Annotated[float, typer.Option(help="How close to the best value is solved.")] = 1e-6,
    unit: Annotated[str, typer.Option(help=f"Of {', '.join(UNITS)}.")] = "cost",
) -> None:
    """Score the methods in a file of rows."""
    with mistakes_shown():
        found = in_order(read_rows(rows))
        _check_unit(unit)
    print_scores(Console(), scores(comparable(found), tau, unit), tau, unit)


@app.command()
def recommend(
    rows: Annotated[Path, typer.Argument(help="The file rows.csv of a study.")] = _OUT / "rows.csv",
    problem: Annotated[
        str | None, typer.Option(help="Only the situations that this problem is in.")
    ] = None,
    tau: Annotated[float, typer.Option(help="How close to the best value is solved.")] = 1e-6,
    unit: Annotated[str, typer.Option(help=f"Of {', '.join(UNITS)}.")] = "cost",
) -> None:
    """Say which method to take in which situation, by a file of rows."""
    console = Console(highlight=False)
    with mistakes_shown():
        _check_unit(unit)
        found = recommendations(read_rows(rows), problem, tau, unit)
    for answer in found:
        console.print(f"\n{answer.statement.text}", markup=False)
        print_scores(console, answer.ranked[:_RANKED], answer.tau, unit)


@app.command("list")
def list_names() -> None:
    """List problems, methods, backends and features."""
    listing(Console())


def _settings(config: Path | None, *, quick: bool, full: bool) -> Settings:
    chosen = [name for name, asked in (("quick", quick), ("full", full)) if asked]
    if len(chosen) + (config is not None) > 1:
        msg = "--quick, --full and a file exclude each other: give one of them"
        raise ValueError(msg)
    if config is not None:
        if not config.exists():
            msg = f"{config} is no command and no file: see hessx study --help"
            raise ValueError(msg)
        return read_settings(config)
    return bundled_settings(chosen[0]) if chosen else Settings()


def _check_unit(unit: str) -> None:
    if unit not in UNITS:
        msg = f"unknown unit {unit!r}: expected one of {', '.join(UNITS)}"
        raise ValueError(msg)


def _split(option: str, given: str | None) -> tuple[str, ...] | None:
    if given is None:
        return None
    if not (names := split_names(given)):
        msg = f"{option} {given!r}: expected one at least"
        raise ValueError(msg)
    return tuple(names)


def _integer(text: str) -> int:
    if not text.removeprefix("-").isdecimal():
        msg = f"seeds {text!r}: expected an integer"
        raise ValueError(msg)
    return int(text)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
