"""The command ``hessx study digits``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hessx.study.digits import (
    WHOLE,
    Trained,
    compare_with_adam,
    train,
    train_whole,
    write_rows,
)
from hessx.study.problems.ten_digits import MODELS
from hessx.study.records import duration
from hessx.study.sampled import SAMPLED
from hessx.study.terminal import progress_bar, taken_names

__all__ = ["digits"]

_METHODS = [*SAMPLED, *WHOLE]


def digits(
    problems: Annotated[str, typer.Option(help=f"Of {', '.join(MODELS)}.")] = "",
    methods: Annotated[str, typer.Option(help=f"Of {', '.join(_METHODS)}.")] = "",
    epochs: Annotated[int, typer.Option(min=1, help="Of the run at the best rate.")] = 50,
    trials: Annotated[int, typer.Option(min=1, help="Rates that are tried.")] = 8,
    budget: Annotated[int, typer.Option(min=1, help="Epochs of all trials together.")] = 80,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the CSV file.")] = Path(
        "study-output"
    ),
) -> None:
    """Train on the ten digits, each rule at the best rate of as many trials."""
    jobs = [
        (problem, method)
        for problem in taken_names(problems, list(MODELS), MODELS)
        for method in taken_names(methods, _METHODS, _METHODS)
    ]
    out.mkdir(parents=True, exist_ok=True)
    path, console, rows = out / "digits.csv", Console(), []
    with progress_bar(console, 44) as progress:
        task = progress.add_task("", total=len(jobs))
        for problem, method in jobs:
            progress.update(task, description=f"{problem} {method}")
            if method in SAMPLED:
                rule = SAMPLED[method]
                row = train(problem, rule, epochs=epochs, trials=trials, budget=budget)
            else:
                row = train_whole(problem, method, epochs=epochs)
            rows.append(row)
            compare_with_adam(rows)
            write_rows(path, rows)
            progress.advance(task)
    for problem in dict.fromkeys(problem for problem, _ in jobs):
        console.print(_table(problem, [row for row in rows if row.problem == problem]))
    console.print(f"rows: {path}", soft_wrap=True, highlight=False)


def _table(problem: str, rows: list[Trained]) -> Table:
    table = Table(
        box=None, pad_edge=False, title_justify="left", title=f"\n{problem}, {len(rows)} methods"
    )
    table.add_column("method", no_wrap=True)
    for heading in ("rate", "loss", "accuracy", "passes", "time", "as Adam"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in sorted(rows, key=lambda row: row.loss):
        table.add_row(
            row.method,
            "" if math.isnan(row.rate) else f"{row.rate:.2g}",
            f"{row.loss:.5f}",
            f"{row.accuracy:.3f}",
            f"{row.passes:.0f}",
            duration(row.seconds),
            str(row.to_adam),
        )
    return table
