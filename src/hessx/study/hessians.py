"""Approximations of the Hessian beside the true one, on problems of the study."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import hessx
from hessx.comparison import HessianRow, known_approximations
from hessx.study.curvature import network
from hessx.study.metering import Meter
from hessx.study.problems import find_problem
from hessx.study.records import Job
from hessx.study.worker import pose

__all__ = ["PERCEPTRON", "Compared", "Comparing", "compare"]

PERCEPTRON = "perceptron"  # of `hessx study curvature`, small enough for its dense Hessian


@dataclass(frozen=True)
class Comparing:
    """Approximations to be compared on a problem.

    Attributes
    ----------
    problem : str
        A name of the study, or "perceptron", the network of `hessx study curvature`.
    approximations : tuple of str
        Of `hessx.comparison.known_approximations`; empty for those of `hessx.compare_hessians`.
    iterations, every, options
        As in `hessx.compare_hessians`.
    gtol : float
        Tolerance of its runs.
    seconds : float
        Limit.
    """

    problem: str = "breast-cancer"
    approximations: tuple[str, ...] = ("gd", "bfgs", "lbfgs")
    iterations: int = 50
    every: int = 1
    gtol: float = 1e-9
    seconds: float = 60.0

    def __post_init__(self) -> None:
        if self.problem != PERCEPTRON:
            find_problem(self.problem)
        for name in self.approximations:
            if name not in known_approximations():
                known = ", ".join(known_approximations())
                msg = f"unknown approximation {name!r}: expected one of {known}"
                raise ValueError(msg)

    @property
    def job(self) -> Job:
        """A run on the same problem, by which its process is prepared."""
        return Job(self.problem, "lbfgs")

    def is_in(self, rows: list[HessianRow]) -> bool:
        """Tell whether rows have this comparison."""
        found = {row.approximation for row in rows if row.problem == self.problem}
        return bool(found) and found >= set(self.approximations)


@dataclass
class Compared:
    """What a comparison came to.

    Attributes
    ----------
    comparing : Comparing
    rows : list of HessianRow
    message : str
        What went wrong.
    """

    comparing: Comparing
    rows: list[HessianRow] = field(default_factory=list)
    message: str = ""


def compare(comparing: Comparing, prepared: Callable[[], None]) -> Compared:
    """Compare; whatever is raised is the message.

    Parameters
    ----------
    comparing : Comparing
    prepared : callable
        Called before the clock of the comparison starts.
    """
    compared = Compared(comparing)
    try:
        fun, x0, derivatives = _derived(comparing.problem)
        prepared()
        compared.rows = hessx.compare_hessians(
            fun,
            x0,
            list(comparing.approximations) or None,
            iterations=comparing.iterations,
            every=comparing.every,
            options={"gtol": comparing.gtol},
            name=comparing.problem,
            **derivatives,
        ).rows
    except BaseException as error:
        traceback.print_exc()
        compared.message = f"{type(error).__name__}: {error}"
    return compared


def _derived(problem: str) -> tuple[Any, Any, dict[str, Any]]:
    """Give a model and its start, or value and gradient, start, and what gives the Hessian."""
    if problem == PERCEPTRON:
        return *network(), {}
    posed = pose(problem, "numpy", "float64")
    if posed.classes is not None:
        return posed.classes.model, posed.classes.x0, {}
    meter = Meter(posed, keep_best=False)
    return meter.fun_and_grad, posed.x0, {"jac": True, "hess": meter.hess}
