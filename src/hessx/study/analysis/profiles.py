"""Which share of the problems a method solves within a cost: performance and data profiles."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from hessx.study.analysis.costs import LADDER, Instance, Trial

__all__ = ["Profile", "data_profiles", "ladder", "performance_profiles"]


@dataclass(frozen=True)
class Profile:
    """A step function: the share of problems that a method solves within x.

    Attributes
    ----------
    method : str
    x : tuple of float
        Where it steps, rising: ratios to the cheapest method, or costs.
    share : tuple of float
        From there on, between 0 and 1: the mean over seeds.
    low, high : tuple of float
        The least and the largest of the seeds.
    solved, run, of : int
        How many instances it solved, was run on, and there are.
    """

    method: str
    x: tuple[float, ...]
    share: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    solved: int
    run: int
    of: int


def performance_profiles(
    runs: Sequence[Trial], tau: float = 1e-6, unit: str = "cost", *, among_run: bool = False
) -> list[Profile]:
    """Give the share of problems that each method solves at most x times dearer than the cheapest.

        rho_s(x) = |{p : t_ps <= x min_r t_pr}| / |P|,    t_ps the cost of `Trial.cost`

    Parameters
    ----------
    runs : sequence of Trial
        Their instances are P; a method counts as failed where it was not run.
    tau : float
        How close to the best value is solved.
    unit : str
        One of `hessx.study.analysis.costs.UNITS`.
    among_run : bool
        Whether P is, for each method, what it was run on.

    Returns
    -------
    list of Profile
        One of each method, in the order of the trials.

    Notes
    -----
    Dolan and Moré, Benchmarking optimization software with performance profiles, Mathematical
    Programming 91 (2002), equations 2.1 and 2.2.  A cost of 0 counts as the least positive one.
    """
    costs = _table(runs, tau, unit)
    least = _least(costs)
    ratios = {
        method: {at: cost / least[at] if math.isfinite(cost) else math.inf
                 for at, cost in row.items()}
        for method, row in costs.items()
    }  # fmt: skip
    return _profiles(ratios, runs, among_run=among_run)


def data_profiles(
    runs: Sequence[Trial], tau: float = 1e-6, unit: str = "cost", *, among_run: bool = False
) -> list[Profile]:
    """Give the share of problems that each method solves within a cost of x.

        d_s(x) = |{p : t_ps <= x}| / |P|

    Parameters
    ----------
    runs, tau, unit, among_run
        As for `performance_profiles`.

    Returns
    -------
    list of Profile

    Notes
    -----
    Moré and Wild, Benchmarking derivative-free optimization algorithms, SIAM J. Optim. 20 (2009),
    equation 2.4.  They count in simplex gradients, n + 1 values; here an evaluation gives the
    gradient, so that it is the unit itself.
    """
    return _profiles(_table(runs, tau, unit), runs, among_run=among_run)


def ladder(
    runs: Sequence[Trial], tolerances: Sequence[float] = LADDER, unit: str = "cost"
) -> dict[float, list[Profile]]:
    """Give the performance profiles at each tolerance."""
    return {tau: performance_profiles(runs, tau, unit) for tau in tolerances}


def _table(runs: Sequence[Trial], tau: float, unit: str) -> dict[str, dict[Instance, float]]:
    costs: dict[str, dict[Instance, float]] = {}
    for trial in runs:
        costs.setdefault(trial.method, {})[trial.instance] = trial.cost(tau, unit)
    return costs


def _least(costs: dict[str, dict[Instance, float]]) -> dict[Instance, float]:
    """Find the cheapest cost on each instance, of the positive ones."""
    least: dict[Instance, float] = {}
    for row in costs.values():
        for at, cost in row.items():
            if cost > 0.0:
                least[at] = min(least.get(at, math.inf), cost)
    return least


def _profiles(
    found: dict[str, dict[Instance, float]], runs: Sequence[Trial], *, among_run: bool
) -> list[Profile]:
    instances = {trial.instance for trial in runs}
    profiles = []
    for method, row in found.items():
        solved = sorted({x for x in row.values() if math.isfinite(x)})
        by_seed = []
        for seed in sorted({at.seed for at in instances}):
            population = [at for at in (row if among_run else instances) if at.seed == seed]
            if population:
                steps = sorted(row.get(at, math.inf) for at in population)
                by_seed.append([bisect_right(steps, x) / len(steps) for x in solved])
        columns = list(zip(*by_seed, strict=True)) if solved else []
        profiles.append(
            Profile(
                method,
                tuple(solved),
                tuple(math.fsum(shares) / len(shares) for shares in columns),
                tuple(min(shares) for shares in columns),
                tuple(max(shares) for shares in columns),
                solved=sum(math.isfinite(x) for x in row.values()),
                run=len(row),
                of=len(row) if among_run else len(instances),
            )
        )
    return profiles
