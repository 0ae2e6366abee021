"""Accuracy against cost: which methods no other beats in both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hessx.study.analysis.costs import Instance, Trial
from hessx.study.analysis.scores import scores

__all__ = ["Point", "efficient", "on_each_instance", "over_all"]

_DIGITS = 16.0  # a gap below 1e-16 is the precision of f, not an accuracy


@dataclass(frozen=True)
class Point:
    """A method in the plane of cost and accuracy.

    Attributes
    ----------
    method : str
    cost : float
        Less is better.
    accuracy : float
        More is better.
    efficient : bool
        On the Pareto front: no method is better in one and at least as good in the other.
    keys : tuple of str
        The rows behind it.
    """

    method: str
    cost: float
    accuracy: float
    efficient: bool
    keys: tuple[str, ...]


def efficient(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Tell of each (cost, accuracy) whether it is on the Pareto front.

    Examples
    --------
    >>> efficient([(1.0, 2.0), (3.0, 9.0), (4.0, 8.0), (math.inf, 0.0)])
    [True, True, False, False]
    """
    front: set[tuple[float, float]] = set()
    highest = -math.inf
    for cost, accuracy in sorted(set(points), key=lambda point: (point[0], -point[1])):
        if accuracy > highest and math.isfinite(cost):
            front.add((cost, accuracy))
            highest = accuracy
    return [point in front for point in points]


def on_each_instance(runs: Sequence[Trial], unit: str = "cost") -> dict[Instance, list[Point]]:
    """Place every run: what it spent in all, and to how many digits.

    The digits are ``-log10`` of the least ``(f - f_best) / (f0 - f_best)``, at most 16; runs that
    came nowhere have no place.
    """
    found: dict[Instance, list[Trial]] = {}
    for trial in runs:
        if math.isfinite(trial.gap):
            found.setdefault(trial.instance, []).append(trial)
    return {
        instance: _points([(t.method, t.spent[unit][-1], _digits(t.gap), (t.key,)) for t in own])
        for instance, own in found.items()
    }


def over_all(runs: Sequence[Trial], tau: float = 1e-6, unit: str = "cost") -> list[Point]:
    """Place every method: its mean cost over the cheapest one's, and the share that it solved.

    The share is of all instances, as in a performance profile.
    """
    count = len({trial.instance for trial in runs})
    return _points(
        [(s.method, s.mean_ratio, s.solved / count, s.keys) for s in scores(runs, tau, unit)]
    )


def _points(found: Sequence[tuple[str, float, float, tuple[str, ...]]]) -> list[Point]:
    front = efficient([(cost, accuracy) for _, cost, accuracy, _ in found])
    return [
        Point(method, cost, accuracy, best, keys)
        for (method, cost, accuracy, keys), best in zip(found, front, strict=True)
    ]


def _digits(gap: float) -> float:
    return _DIGITS if gap <= 10.0**-_DIGITS else -math.log10(gap)
