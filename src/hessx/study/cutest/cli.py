"""The command ``hessx cutest``: scoring methods on lists of CUTEst problems."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from hessx.study.cutest.metering import Budget
from hessx.study.cutest.methods import Method
from hessx.study.cutest.runner import Run
from hessx.study.cutest.scoring import (
    Entry,
    Outcome,
    Total,
    best_values,
    differences,
    judge,
    read_list,
    run_all,
    total,
)

__all__ = ["app"]

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
    methods = [Method.parse(text, _options(option or ())) for text in method or ["auto"]]
    runs = _run_with_progress(console, entries, methods, verbose, gtol, perturb, seed)
    best = best_values(runs)
    outcomes = [judge(entry, chosen, result, best[entry.name]) for entry, chosen, result in runs]
    _print_new_best(console, entries, best)
    _print_unsolved(console, outcomes)
    totals = [total(outcomes, m.label) for m in methods]
    console.print(_totals_table(totals))
    for t in totals:
        if t.false_success:
            console.print(f"{t.method} reports success, is not solved: {' '.join(t.false_success)}")
    rows = [outcome.as_row() for outcome in outcomes]
    if json_file:
        json_file.write_text(json.dumps(rows, indent=1))
    if csv_file:
        _write_csv(csv_file, rows)
    if compare:
        _print_comparison(console, rows, json.loads(compare.read_text()), methods)


def _console() -> Console:
    # Written to a file or a pipe, the tables get the width that they need.
    console = Console(highlight=False, markup=False, soft_wrap=True)
    return (
        console
        if console.is_terminal
        else Console(highlight=False, markup=False, soft_wrap=True, width=120)
    )


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


def _run_with_progress(
    console: Console,
    entries: Sequence[Entry],
    methods: Sequence[Method],
    verbose: bool,
    gtol: float,
    perturb: float,
    seed: int,
) -> list[tuple[Entry, Method, Run | None]]:
    runs: list[tuple[Entry, Method, Run | None]] = []
    columns = (
        TextColumn("{task.description:24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(entries) * len(methods))
        for entry, method, result in run_all(
            entries, methods, gtol=gtol, perturb=perturb, seed=seed
        ):
            runs.append((entry, method, result))
            progress.update(task, advance=1, description=f"{entry.name} {method.label}")
            if verbose and result is not None:
                console.print(_line(entry, method, result))
    return runs


def _line(entry: Entry, method: Method, result: Run) -> str:
    lowest = result.improvements[-1][1] if result.improvements else float("nan")
    return (
        f"{entry.name:12} {method.label:18} cost {result.cost:6d}  f {lowest:15.8e}  "
        f"known {entry.best_fun:15.8e}  |g| {result.grad_norm:8.1e}  {result.seconds:6.2f} s  "
        f"{result.message[:60]}"
    )


def _print_new_best(console: Console, entries: Sequence[Entry], best: Mapping[str, float]) -> None:
    for entry in entries:
        if best[entry.name] < entry.best_fun - 1e-6 * max(1.0, abs(entry.best_fun)):
            console.print(
                f"{entry.name}: new best value {best[entry.name]!r}, was {entry.best_fun!r}"
            )


def _print_unsolved(console: Console, outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.cost_6 is None:
            note = "stationary elsewhere" if outcome.stationary else "unsolved"
            message = outcome.run.message if outcome.run else "not run at this size"
            success = "success: " if outcome.run and outcome.run.success else ""
            console.print(f"{outcome.method} {outcome.problem}: {note}, {success}{message}")


def _totals_table(totals: Sequence[Total]) -> Table:
    table = Table()
    table.add_column("method")
    headings = (
        "problems", "tau 1e-3", "tau 1e-6", "near-best", "g-solved", "gm cost",
        "false success", "seconds",
    )  # fmt: skip
    for heading in headings:
        table.add_column(heading, justify="right")
    for t in totals:
        table.add_row(
            t.method, str(t.problems), str(t.tau_3), str(t.tau_6), str(t.near_best),
            str(t.stationary), f"{t.mean_cost:.1f}", str(len(t.false_success)), f"{t.seconds:.1f}",
        )  # fmt: skip
    return table


def _write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(dict.fromkeys(k for r in rows for k in r)))
        writer.writeheader()
        writer.writerows(rows)


def _print_comparison(
    console: Console,
    rows: Sequence[Mapping[str, Any]],
    others: Sequence[Mapping[str, Any]],
    methods: Sequence[Method],
) -> None:
    other_labels = list(dict.fromkeys(row["method"] for row in others))
    for method in methods:
        # The same method of the other file where it has one, else the file's first.
        label = method.label if method.label in other_labels else other_labels[0]
        table = Table("problem", title=f"cost to tau 1e-6: {method.label} and {label} (saved)")
        for heading in ("now", "saved", "ratio"):
            table.add_column(heading, justify="right")
        changes = differences(
            [row for row in rows if row["method"] == method.label],
            [row for row in others if row["method"] == label],
            Budget().total,
        )
        for name, now, saved in changes[:20]:
            table.add_row(name, str(now), str(saved), f"{now / saved:.2f}")
        console.print(table)
