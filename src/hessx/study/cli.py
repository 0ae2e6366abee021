"""The command ``hessx``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hessx.study.backends import BACKENDS, default_backends
from hessx.study.curvature_cli import curvature
from hessx.study.cutest.cli import app as cutest
from hessx.study.digits_cli import digits
from hessx.study.methods import METHODS, Method
from hessx.study.posed import Problem
from hessx.study.problems import PROBLEMS, QUICK
from hessx.study.records import Job, Row, figures
from hessx.study.rows import RowFile
from hessx.study.terminal import chosen_method, progress_bar, taken_names

__all__ = ["app", "main", "study"]

app = typer.Typer(
    help="Comparison of optimisation methods.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cutest, name="cutest")
_study = typer.Typer(invoke_without_command=True)
_study.command()(digits)
_study.command()(curvature)
app.add_typer(_study, name="study")


@app.callback()
def _group() -> None:
    """Comparison of optimisation methods."""


def _listed(known: str) -> str:
    return f"Comma-separated names: {known}."


@_study.callback()
def study(
    context: typer.Context,
    problems: Annotated[str, typer.Option(help=_listed(", ".join(PROBLEMS)))] = "",
    methods: Annotated[
        str,
        typer.Option(help=_listed(", ".join(METHODS) + ", scipy:NAME, or module:attribute")),
    ] = "",
    backends: Annotated[str, typer.Option(help=_listed(", ".join(BACKENDS)))] = "",
    out: Annotated[
        Path, typer.Option("--out", "--output", "-o", help="Folder of page and CSV file.")
    ] = Path("study-output"),
    seconds: Annotated[float, typer.Option(min=0.01, help="Time limit of a run.")] = 3.0,
    gtol: Annotated[float, typer.Option(min=0.0, help="Gradient tolerance, norm_inf.")] = 1e-6,
    seed: Annotated[
        int, typer.Option(help="Other than 0: move every start by 1e-3 of max(|x|, 1).")
    ] = 0,
    memory_limit: Annotated[
        float, typer.Option(min=100.0, help="Memory of a worker process, MiB.")
    ] = 2048.0,
    dtype: Annotated[str, typer.Option(help="float64 or float32.")] = "float64",
) -> None:
    """Run problems x methods x backends; write a table, a CSV file and an HTML page."""
    if context.invoked_subcommand is not None:
        return
    # not needed, and perhaps not installed, for the other commands
    from hessx.study.report import Study, write_page
    from hessx.study.runner import Runner

    chosen = {
        "problems": taken_names(problems, list(QUICK), PROBLEMS),
        "methods": taken_names(methods, list(METHODS)),
        "backends": taken_names(backends, default_backends(), BACKENDS),
    }
    known = {name: chosen_method(name) for name in chosen["methods"]}
    named = methods.strip() != ""
    if dtype not in ("float64", "float32"):
        raise typer.BadParameter(f"--dtype {dtype}: expected float64 or float32")
    jobs = [
        Job(problem, method, backend, dtype, seed=seed, gtol=gtol, seconds=seconds)
        for backend in chosen["backends"]
        for problem in chosen["problems"]
        for method in chosen["methods"]
        if _meant(known[method], PROBLEMS[problem], backend, named=named)
    ]
    if not jobs:
        raise typer.BadParameter("none of these methods is meant for these problems and backends")
    out.mkdir(parents=True, exist_ok=True)
    console = Console()
    (out / "rows.csv").unlink(missing_ok=True)
    file = RowFile(out / "rows.csv")
    with Runner(memory_limit * 2**20, out / "worker.log") as runner:
        rows = _collect(console, jobs, runner.run(jobs), file)
    rows.sort(
        key=lambda row: (
            chosen["problems"].index(row.problem),
            chosen["methods"].index(row.method),
        )
    )
    _print_tables(console, rows)
    settings = {name.capitalize(): ", ".join(names) for name, names in chosen.items()}
    settings |= {
        "dtype": dtype,
        "Gradient tolerance": f"{gtol:g}",
        "Limits": f"{seconds:g} s a run, {memory_limit:g} MiB a process",
        "Start": "as given" if seed == 0 else f"moved at random by 1e-3, seed {seed}",
    }
    page = out / "index.html"
    write_page(Study(rows, settings), page)
    console.print(f"rows: {out / 'rows.csv'}", soft_wrap=True, highlight=False)
    console.print(f"page: {page.resolve()}", soft_wrap=True, highlight=False)


def main() -> None:
    """Run the command line."""
    app()


def _meant(method: Method, problem: Problem, backend: str, *, named: bool) -> bool:
    """Tell whether to make the run; one that takes its time is made where it is asked for."""
    usual = problem.n <= method.usual_n and backend in (method.usual_backends or (backend,))
    if problem.is_sum:
        usual = usual and method.usual_on_sums and backend == "numpy"
    return method.suits(problem.n, backend, problem.known) and (named or usual)


def _collect(console: Console, jobs: list[Job], runs: Iterator[Row], file: RowFile) -> list[Row]:
    """Take the rows as they come, under a bar that names the run under way."""
    rows: list[Row] = []
    with progress_bar(console, 44) as progress:
        task = progress.add_task("", total=len(jobs))
        for job in jobs:
            label = f"{job.backend} {job.problem} {job.method}"
            progress.update(task, description=label)
            row = next(runs)
            rows.append(row)
            file.append([row])
            progress.advance(task)
        progress.update(task, description="done")
    return rows


# figures on the terminal, and their headings there
_OTHERS = {
    "iterations": "iter",
    "evaluations": "eval",
    "products": "prod",
    "value": "value",
    "grad_norm": "|g|",
    "seconds": "time",
}
_SUMS = {
    "iterations": "iter",
    "passes": "passes",
    "value": "loss",
    "accuracy": "accuracy",
    "seconds": "time",
}


def _color(row: Row) -> str:
    if row.converged:
        return "green"
    return "yellow" if row.completed else "red"


def _print_tables(console: Console, rows: list[Row]) -> None:
    for problem, backend in dict.fromkeys((row.problem, row.backend) for row in rows):
        table = Table(
            box=None,
            pad_edge=False,
            collapse_padding=True,
            title_justify="left",
            title=f"\n{problem}, {backend}",
        )
        table.add_column("method", overflow="fold")
        table.add_column("outcome", no_wrap=True, max_width=len("converged: gradient"))
        columns = _SUMS if PROBLEMS[problem].is_sum else _OTHERS
        for heading in columns.values():
            table.add_column(heading, justify="right", no_wrap=True)
        for row in rows:
            if (row.problem, row.backend) == (problem, backend):
                found = figures(row)
                found["value"] = "" if math.isnan(row.value) else f"{row.value:.4g}"
                outcome = row.outcome.partition(":")[0] if row.completed else row.outcome
                table.add_row(
                    row.method.rpartition(":")[2],
                    Text(outcome, _color(row)),
                    *(found[name] for name in columns),
                )
        console.print(table)


if __name__ == "__main__":
    main()
