"""The command ``hessx study curvature``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hessx.study.curvature import CURVATURES, DAMPINGS, LEVELS, Descent, descend, network
from hessx.study.terminal import progress_bar, taken_names

__all__ = ["curvature"]


def curvature(
    matrices: Annotated[str, typer.Option(help=f"Of {', '.join(CURVATURES)}.")] = "",
    steps: Annotated[int, typer.Option(min=1, help="At most, with each damping.")] = 60,
) -> None:
    """Count steps with the Gauss-Newton matrix, its blocks, factors, and diagonal."""
    names = taken_names(matrices, list(CURVATURES), CURVATURES)
    console, (model, w) = Console(), network()
    table = Table(box=None, pad_edge=False, title_justify="left", title="\nsteps to a loss")
    for heading in ("matrix", "damping", *(f"{level:g}" for level in LEVELS), "last loss"):
        table.add_column(heading, justify="left" if heading == "matrix" else "right")
    with progress_bar(console, 24) as progress:
        task = progress.add_task("", total=len(names) * len(DAMPINGS))
        for name in names:
            tried = []
            for damping in DAMPINGS:
                progress.update(task, description=f"{name} {damping:g}")
                tried.append(descend(model, w, name, damping, steps))
                progress.advance(task)
            best = min(tried, key=_rank)
            counts = ["" if (k := best.steps_to(level)) is None else str(k) for level in LEVELS]
            table.add_row(name, f"{best.damping:g}", *counts, f"{best.losses[-1]:.3g}")
    console.print(table)


def _rank(descent: Descent) -> tuple[bool, int, float]:
    """The fewest steps to the lowest level; where none gets there, the lowest loss."""
    found = descent.steps_to(LEVELS[-1])
    return found is None, found or 0, descent.losses[-1]
