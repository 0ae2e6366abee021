"""Points of runs, along which approximations learn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hessx._xp import Array, like
from hessx.comparison._place import Problem
from hessx.core import SettingsError
from hessx.solvers import Report, StochasticMethod, choose_method, minimize

__all__ = ["run_points", "taken_points"]


def run_points(
    problem: Problem, method: Any, iterations: int, options: dict[str, Any]
) -> list[Array]:
    """Run a method from x0, and give the accepted points, flat, x0 first.

    Parameters
    ----------
    problem : Problem
        f.
    method : str or composition
        As for `hessx.minimize`; a named one that takes steps of given rates goes over all rows,
        or over the problem's batches.
    iterations : int
        Steps at most.
    options : dict
        Of the run.
    """
    limit: dict[str, Any] = {"maxiter": iterations}
    if isinstance(method, StochasticMethod):
        method, limit = replace(method, steps=iterations, epochs=None, report=Report(every=1)), {}
    elif isinstance(_usual(problem, method), StochasticMethod):
        size = problem.batch_size or "full"
        limit = {"steps": iterations, "report": Report(every=1), "batch_size": size}
    result = minimize(
        problem.fun,
        problem.space.shaped(problem.start),
        method=method,
        options=limit | options | {"return_all": True},
        **problem.derivatives,
    )
    points = [problem.space.flat(x) for x in result.allvecs]
    return points[: iterations + 1]


def _usual(problem: Problem, method: Any) -> Any:
    """Give the composition that a name stands for."""
    entry, _ = choose_method(method, n=problem.space.n, products=True)
    return entry.usual


def taken_points(problem: Problem, points: Iterable[Any]) -> list[Array]:
    """Take points of the user's, each in the shape of x0.

    Raises
    ------
    SettingsError
        None, or one of another size.
    """
    space, taken = problem.space, []
    for i, given in enumerate(points):
        x = space.flat(like(space, given, f"points[{i}]"))
        if x.shape[0] != space.n:
            msg = f"points[{i}] has {x.shape[0]} entries: expected {space.n}, as x0"
            raise SettingsError(msg)
        taken.append(x)
    if not taken:
        msg = "points is empty: expected one point or more"
        raise SettingsError(msg)
    return taken
