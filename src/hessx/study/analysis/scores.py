"""Scores of methods: what was solved, and at what cost beside the cheapest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hessx.study.analysis.costs import Instance, Trial
from hessx.study.analysis.criteria import geometric_mean, is_near_best, is_stationary

__all__ = ["PENALTY", "Score", "is_false_success", "scores"]

PENALTY = 10.0  # what was not solved counts so many times the dearest cost that solved it


@dataclass(frozen=True)
class Score:
    """One method's scores over instances.

    Attributes
    ----------
    method : str
    run : int
        On how many instances.
    solved : int
        Where ``f - f_best <= tau (f0 - f_best)`` was reached.
    near_best : int
        Where the returned f is within ``1e-6 max(1, |f_best|)`` of ``f_best``.
    stationary : int
        Where ``norm_inf(g) <= 1e-5 max(1, norm_inf(g0))`` at the end.
    false_success : int
        Where success was claimed; see `is_false_success`.
    cheapest : int
        Where no other method was cheaper.
    mean_cost : float
        The geometric mean of the costs to tau.
    mean_ratio : float
        That of the costs over the cheapest method's on the same instance.
    seconds : float
        Of all runs together.
    keys : tuple of str
        The rows behind it.
    """

    method: str
    run: int
    solved: int
    near_best: int
    stationary: int
    false_success: int
    cheapest: int
    mean_cost: float
    mean_ratio: float
    seconds: float
    keys: tuple[str, ...]


def scores(runs: Sequence[Trial], tau: float = 1e-6, unit: str = "cost") -> list[Score]:
    """Score every method on the instances that it was run on, the best first.

    A mean is over the instances that any method solved; there an unsolved one counts as `PENALTY`
    times the dearest cost that solved it.  The order is by the number solved, then the mean ratio.

    Parameters
    ----------
    runs : sequence of Trial
    tau : float
        How close to the best value is solved.
    unit : str
        One of `hessx.study.analysis.costs.UNITS`.
    """
    least: dict[Instance, float] = {}
    dearest: dict[Instance, float] = {}
    for trial in runs:
        cost = trial.cost(tau, unit)
        if 0.0 < cost < math.inf:
            least[trial.instance] = min(least.get(trial.instance, math.inf), cost)
            dearest[trial.instance] = max(dearest.get(trial.instance, 0.0), cost)
    by_method: dict[str, list[Trial]] = {}
    for trial in runs:
        by_method.setdefault(trial.method, []).append(trial)
    found = [_score(name, own, tau, unit, least, dearest) for name, own in by_method.items()]
    return sorted(found, key=lambda s: (-s.solved, _last(s.mean_ratio), s.method))


def is_false_success(trial: Trial) -> bool:
    """Tell whether success is claimed, with f away from the best and no small gradient."""
    row = trial.row
    near = is_near_best(row.value, trial.best) or math.isfinite(trial.cost(1e-6))
    # who was asked for less than is stationary here claims no more than that
    as_asked = row.grad_norm <= row.gtol
    return row.converged and not (near or as_asked or _is_stationary(trial))


def _score(
    method: str,
    own: Sequence[Trial],
    tau: float,
    unit: str,
    least: dict[Instance, float],
    dearest: dict[Instance, float],
) -> Score:
    costs = {trial.instance: trial.cost(tau, unit) for trial in own}
    counted = {
        at: max(cost, least[at]) if math.isfinite(cost) else PENALTY * dearest[at]
        for at, cost in costs.items()
        if at in least
    }
    return Score(
        method=method,
        run=len(own),
        solved=sum(map(math.isfinite, costs.values())),
        near_best=sum(is_near_best(trial.row.value, trial.best) for trial in own),
        stationary=sum(map(_is_stationary, own)),
        false_success=sum(map(is_false_success, own)),
        cheapest=sum(cost <= least.get(at, -math.inf) for at, cost in costs.items()),
        mean_cost=geometric_mean(list(counted.values())),
        mean_ratio=geometric_mean([cost / least[at] for at, cost in counted.items()]),
        seconds=math.fsum(t.row.seconds for t in own if math.isfinite(t.row.seconds)),
        keys=tuple(trial.key for trial in own),
    )


def _is_stationary(trial: Trial) -> bool:
    norms = trial.row.curve.grad_norm
    start = norms[0] if norms and math.isfinite(norms[0]) else 1.0
    return is_stationary(trial.row.grad_norm, start)


def _last(x: float) -> float:
    return math.inf if math.isnan(x) else x
