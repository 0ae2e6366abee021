"""The figures of methods that sentences are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hessx.study.analysis.costs import Trial
from hessx.study.analysis.criteria import geometric_mean
from hessx.study.analysis.statements import median

__all__ = ["Beside", "PerStep", "beside", "per_step"]


@dataclass(frozen=True)
class Beside:
    """What one method needs in units of what another needs.

    Attributes
    ----------
    ratio : float
        The geometric mean, over all instances that both solved; nan where there are none.
    problems : int
        How many there are of them.
    keys : tuple of str
        The rows of both.
    """

    ratio: float
    problems: int
    keys: tuple[str, ...]


def beside(
    own: Sequence[Trial], other: Sequence[Trial], tau: float = 1e-6, unit: str = "cost"
) -> Beside:
    """Compare the costs of two methods where both solved the problem and spent something."""
    theirs = {trial.instance: trial for trial in other}
    pairs = [(t, theirs[t.instance]) for t in own if t.instance in theirs]
    costs = [(a, b, a.cost(tau, unit), b.cost(tau, unit)) for a, b in pairs]
    both = [found for found in costs if all(0.0 < cost < math.inf for cost in found[2:])]
    return Beside(
        geometric_mean([mine / their for _, _, mine, their in both]),
        len({a.row.problem for a, *_ in both}),
        tuple(trial.key for a, b, *_ in both for trial in (a, b)),
    )


@dataclass(frozen=True)
class PerStep:
    """What a step takes, each the median over the runs."""

    evaluations: float
    products: float
    fetches: float
    seconds: float


def per_step(own: Sequence[Trial]) -> PerStep:
    """Divide what runs have spent by their steps; seconds are those beside the function."""
    rows = [trial.row for trial in own if trial.row.iterations > 0]
    return PerStep(
        median(row.evaluations / row.iterations for row in rows),
        median(row.products / row.iterations for row in rows),
        median(row.fetches / row.iterations for row in rows),
        median(row.solver_seconds / row.iterations for row in rows),
    )
