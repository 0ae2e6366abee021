"""What is known of a run: a row of the table, and the curve behind it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import pairwise
from typing import Any

__all__ = [
    "CRASHED",
    "CURVE_POINTS",
    "HOARDED",
    "HUNG",
    "LEFT_OUT",
    "PLAIN",
    "RAISED",
    "Curve",
    "Job",
    "Row",
    "duration",
    "figures",
]

# Outcomes that a run has from outside; others are those of `hessx.Outcome`, or a peer's.
RAISED = "raised"
CRASHED = "crashed"
HUNG = "killed: time"
HOARDED = "killed: memory"
LEFT_OUT = "left out"  # what it needs is not there

CURVE_POINTS = 300  # of a row, at most
PLAIN = "plain"  # the feature of a problem as it is


@dataclass(frozen=True)
class Job:
    """One run to be made, in names that every process understands.

    Attributes
    ----------
    problem, method, backend, dtype : str
        What is run, and where.
    feature : str
        What was done to the problem: "plain", or a name of `hessx.study.features`.
    seed : int
        0 for the start as given; another moves it at random, and is that of samples and features.
    rate : float, optional
        Of a method that has one; None for the method's own.
    gtol : float
        Tolerance, norm_inf of the gradient.
    seconds : float
        Limit of the run.
    """

    problem: str
    method: str
    backend: str = "numpy"
    dtype: str = "float64"
    feature: str = PLAIN
    seed: int = 0
    rate: float | None = None
    gtol: float = 1e-6
    seconds: float = 3.0

    @property
    def key(self) -> str:
        """What tells this run from all others, as text."""
        return "|".join(map(str, vars(self).values()))


@dataclass
class Curve:
    """Accepted points of a run, column by column; iteration 0 is the start.

    Attributes
    ----------
    iteration, evaluation, product, fetch, second : list
        What had been spent when the point was accepted.
    value, grad_norm : list of float
        f there, and norm_inf of its gradient.
    cosine : list of float
        Of the angle between the step to the point and the one before, nan where there is none.
    x0, x1 : list of float
        The point, on problems of two variables; else empty.
    """

    iteration: list[int] = field(default_factory=list)
    evaluation: list[int] = field(default_factory=list)
    product: list[int] = field(default_factory=list)
    fetch: list[int] = field(default_factory=list)
    second: list[float] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    grad_norm: list[float] = field(default_factory=list)
    cosine: list[float] = field(default_factory=list)
    x0: list[float] = field(default_factory=list)
    x1: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.value)

    @property
    def rises(self) -> int:
        """How many steps raised the value."""
        return sum(later > earlier for earlier, later in pairwise(self.value))

    def thinned(self, most: int) -> Curve:
        """Keep so many points at most: the last, a tenth, and others evenly by their logarithm."""
        count, tail = len(self), most // 10
        if count <= most:
            return self
        before, others = count - tail, most - tail
        spread = {round(before ** (i / (others - 1))) - 1 for i in range(others)}
        chosen = sorted(spread | {0} | set(range(before, count)))
        columns = vars(self).items()
        return Curve(**{name: [column[i] for i in chosen if column] for name, column in columns})

    def to_text(self) -> str:
        """Write as JSON, by columns; values whole, others to six digits, what is no number null."""
        return json.dumps(
            [
                [_written(x, whole=name == "value") for x in column]
                for name, column in vars(self).items()
            ],
            separators=(",", ":"),
            allow_nan=False,
        )

    @classmethod
    def from_text(cls, text: str) -> Curve:
        """Read what `to_text` wrote.

        Raises
        ------
        ValueError
            The text is none of its.
        """
        columns = json.loads(text) if text else []
        if not isinstance(columns, list) or not all(isinstance(c, list) for c in columns):
            msg = f"a curve begins {text[:20]!r}: expected lists of numbers"
            raise ValueError(msg)
        of_numbers = all(x is None or isinstance(x, int | float) for c in columns for x in c)
        if not of_numbers or len({len(c) for c in columns if c}) > 1:
            msg = "columns of a curve differ in length, or have other things than numbers"
            raise ValueError(msg)
        numbers: list[Any] = [[math.nan if x is None else x for x in column] for column in columns]
        return cls(*numbers)


@dataclass
class Row:
    """The figures of one run.

    Attributes
    ----------
    problem, method, backend, dtype, feature, seed, rate, gtol, limit
        The `Job`, which `job` gives back; ``limit`` are its seconds.
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
    start_value, value, grad_norm : float
        f at the start; f and norm_inf of its gradient at the returned point, evaluated anew and
        without the feature's noise.
    accuracy : float
        Of classes, there, on rows that were kept aside.
    seconds : float
        Wall time of the run, its history included.
    solver_seconds : float
        The part spent outside the function; nan where that is a sum over samples.
    memory : float
        Bytes by which the peak of resident memory rose in the run; nan where not measured.
    rises : int
        Accepted steps that raised the value.
    tuning : int
        Evaluations that the search for the rate has taken beside.
    exception : str
        Text of the exception, if there was one.
    curve : Curve
        At most `CURVE_POINTS` points.
    """

    problem: str
    method: str
    backend: str
    dtype: str
    feature: str
    seed: int
    rate: float | None
    gtol: float
    limit: float
    n: int
    outcome: str
    message: str = ""
    iterations: int = 0
    evaluations: int = 0
    gradients: int = 0
    products: int = 0
    passes: float = 0.0
    fetches: int = 0
    start_value: float = math.nan
    value: float = math.nan
    grad_norm: float = math.nan
    accuracy: float = math.nan
    seconds: float = math.nan
    solver_seconds: float = math.nan
    memory: float = math.nan
    rises: int = 0
    tuning: int = 0
    exception: str = ""
    curve: Curve = field(default_factory=Curve)

    @classmethod
    def of(cls, job: Job, n: int, outcome: str, **figures: Any) -> Row:
        """Make the row of a job."""
        settings = asdict(job)
        return cls(limit=settings.pop("seconds"), n=n, outcome=outcome, **settings, **figures)

    @property
    def job(self) -> Job:
        """What was run."""
        names = (f.name for f in fields(Job) if f.name != "seconds")
        return Job(**{name: getattr(self, name) for name in names}, seconds=self.limit)

    @property
    def converged(self) -> bool:
        """Whether the run says that a tolerance holds."""
        return self.outcome.startswith("converged")

    @property
    def completed(self) -> bool:
        """Whether it went on for as many epochs as it was given."""
        return self.outcome.startswith("completed")

    def without_curve(self) -> Row:
        """Leave the curve out."""
        return replace(self, curve=Curve())


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


def _written(x: float, *, whole: bool) -> float | None:
    if whole or isinstance(x, int):
        return x if math.isfinite(x) else None
    return float(f"{x:.6g}") if math.isfinite(x) else None
