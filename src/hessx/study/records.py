"""What is known of a run: a row of the table, and the curve behind it."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

__all__ = [
    "CRASHED",
    "HOARDED",
    "HUNG",
    "RAISED",
    "Curve",
    "Job",
    "Row",
    "RowFile",
    "duration",
    "figures",
]

# Outcomes that a run has from outside; others are those of `hessx.Outcome`, or a peer's.
RAISED = "raised"
CRASHED = "crashed"
HUNG = "killed: time"
HOARDED = "killed: memory limit"


@dataclass(frozen=True)
class Job:
    """One run to be made, in names that every process understands."""

    problem: str
    method: str
    backend: str
    dtype: str = "float64"
    gtol: float = 1e-6
    seconds: float = 3.0
    seed: int | None = None


@dataclass
class Curve:
    """Accepted points of a run, column by column; iteration 0 is the start."""

    iteration: list[int] = field(default_factory=list)
    evaluation: list[int] = field(default_factory=list)
    second: list[float] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    grad_norm: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, history: Any) -> Curve:
        """Copy the columns of a `hessx.History`."""
        columns = ("iteration", "evaluations", "seconds", "value", "grad_norm")
        return cls(*(history[column] for column in columns))


@dataclass
class Row:
    """The figures of one run.

    Attributes
    ----------
    problem, method, backend, dtype : str
        What was run.
    n : int
        Number of variables.
    outcome, message : str
        How it ended.
    iterations, evaluations, gradients : int
        Steps, and evaluations of value and gradient as counted around the function.
    products : int
        Products with the Hessian, counted likewise.
    passes : float
        Evaluations and products together; on samples of a sum by their share of the rows.
    fetches : int
        Transfers from the device to the host by hessx.
    value, grad_norm : float
        f and norm_inf of its gradient at the returned point, evaluated anew.
    accuracy : float
        Of classes, there, on rows that were kept aside.
    seconds : float
        Wall time of the run, its history included.
    solver_seconds : float
        The part spent outside the function; nan where that is a sum over samples.
    exception : str
        Text of the exception, if there was one.
    curve : Curve
        Not part of the CSV file.
    """

    problem: str
    n: int
    method: str
    backend: str
    dtype: str
    outcome: str
    message: str = ""
    iterations: int = 0
    evaluations: int = 0
    gradients: int = 0
    products: int = 0
    passes: float = 0.0
    fetches: int = 0
    value: float = math.nan
    grad_norm: float = math.nan
    accuracy: float = math.nan
    seconds: float = math.nan
    solver_seconds: float = math.nan
    exception: str = ""
    curve: Curve = field(default_factory=Curve)

    @classmethod
    def failed(cls, job: Job, n: int, outcome: str, **figures: Any) -> Row:
        """Make the row of a run that gave no result."""
        return cls(job.problem, n, job.method, job.backend, job.dtype, outcome, **figures)

    @property
    def converged(self) -> bool:
        """Whether the run says that a tolerance holds."""
        return self.outcome.startswith("converged")

    @property
    def completed(self) -> bool:
        """Whether it went on for as many epochs as it was given."""
        return self.outcome.startswith("completed")


_COLUMNS = [f.name for f in fields(Row) if f.name != "curve"]


class RowFile:
    """A CSV file that grows by a row as each run ends, so that nothing is lost on the way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(_COLUMNS)

    def append(self, rows: Iterable[Row]) -> None:
        """Write rows at the end."""
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([getattr(r, name) for name in _COLUMNS] for r in rows)


def figures(row: Row) -> dict[str, str]:
    """Write a row's figures as text, by column, in the order of the page."""
    return {
        "iterations": str(row.iterations),
        "evaluations": str(row.evaluations),
        "products": str(row.products),
        "passes": _number(row.passes, ".4g"),
        "fetches": str(row.fetches),
        "value": _number(row.value, ".6g"),
        "grad_norm": _number(row.grad_norm, ".1e"),
        "accuracy": _number(row.accuracy, ".3f"),
        "seconds": duration(row.seconds),
        "solver_seconds": duration(row.solver_seconds),
    }


def duration(seconds: float) -> str:
    """Write a time with its unit; empty where it is not known."""
    if math.isnan(seconds):
        return ""
    return f"{seconds:.2f} s" if seconds >= 1.0 else f"{seconds * 1e3:.3g} ms"


def _number(value: float, form: str) -> str:
    return "" if math.isnan(value) else format(value, form)
