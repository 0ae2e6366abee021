"""The command ``hessx cutest``: scoring methods on lists of CUTEst problems."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from hessx.study.cutest.runner import Run
from hessx.study.cutest.scoring import Entry, best_values, judge, read_list, run_all, total
from hessx.study.cutest.tables import comparison_table, notes, run_line, totals_table
from hessx.study.methods import Method
from hessx.study.terminal import chosen_method, progress_bar

__all__ = ["app", "score"]

app = typer.Typer(help="Score methods on CUTEst problems.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Score methods on CUTEst problems."""


@app.command()
def score(
    problem_list: Annotated[Path, typer.Argument(help="JSON file with lists of problems.")],
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method", "-m", help="A hessx name, scipy:NAME, or module:attribute. Repeatable."
        ),
    ] = None,
    group: Annotated[str, typer.Option(help="The list within the file.")] = "unconstrained",
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", help="KEY=VALUE for the solver.")
    ] = None,
    select: Annotated[str, typer.Option(help="Only names that match this expression.")] = "",
    perturb: Annotated[float, typer.Option(help="Relative random change of every start.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of that change.")] = 0,
    gtol: Annotated[float, typer.Option(help="Gradient tolerance asked of the solver.")] = 1e-6,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="A line per run.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Save the runs.")] = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Save the runs.")] = None,
    compare: Annotated[
        Path | None, typer.Option(help="A saved JSON file to compare the costs with.")
    ] = None,
) -> None:
    """Run methods on the problems of a list and print their scores."""
    console = _console()
    entries = [e for e in read_list(problem_list, group) if re.search(select, e.name)]
    methods, options = [chosen_method(name) for name in method or ["auto"]], _options(option or ())
    runs: list[tuple[Entry, Method, Run | None]] = []
    with progress_bar(console, 24, transient=True) as progress:
        task = progress.add_task("", total=len(entries) * len(methods))
        for entry, chosen, result in run_all(
            entries, methods, gtol=gtol, options=options, perturb=perturb, seed=seed
        ):
            runs.append((entry, chosen, result))
            progress.update(task, advance=1, description=f"{entry.name} {chosen.name}")
            if verbose and result is not None:
                console.print(run_line(entry, chosen, result))
    best = best_values(runs)
    outcomes = [judge(entry, chosen, result, best[entry.name]) for entry, chosen, result in runs]
    for line in notes(entries, best, outcomes):
        console.print(line)
    console.print(totals_table([total(outcomes, m.name) for m in methods]))
    rows = [outcome.as_row() for outcome in outcomes]
    if json_file:
        json_file.write_text(json.dumps(rows, indent=1))
    if csv_file:
        _write_csv(csv_file, rows)
    if compare:
        saved = json.loads(compare.read_text())
        for chosen in methods:
            console.print(comparison_table(rows, saved, chosen.name))


def _console() -> Console:
    # Written to a file or a pipe, the tables get the width that they need.
    width = None if sys.stdout.isatty() else 120
    return Console(highlight=False, markup=False, soft_wrap=True, width=width)


def _options(pairs: Sequence[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"--option takes KEY=VALUE, got {pair!r}")
        try:
            options[key] = json.loads(value)
        except json.JSONDecodeError:
            options[key] = value
    return options


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(dict.fromkeys(k for r in rows for k in r)))
        writer.writeheader()
        writer.writerows(rows)
