"""Accuracy against cost, as the page draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hessx.study.analysis import Instance, Trial
from hessx.study.analysis.pareto import Point, on_each_instance, over_all
from hessx.study.report.embedding import short

__all__ = ["pareto_of"]

_UNITS = ("cost", "evaluations", "products", "fetches", "seconds", "memory")


def pareto_of(runs: Sequence[Trial], places: Mapping[str, int]) -> dict[str, Any]:
    """Give the points of all problems together, and of each with its first seed."""
    first: dict[tuple[str, str, str], Instance] = {}
    for trial in runs:
        at = trial.instance
        kept = first.setdefault(at[:3], at)
        if at.seed < kept.seed:
            first[at[:3]] = at
    by_unit = {unit: on_each_instance(runs, unit) for unit in _UNITS}
    found = {
        "all": {
            "title": "all problems",
            "accuracy": "share of problems solved",
            "points": {unit: _drawn(over_all(runs, unit=unit), places) for unit in _UNITS},
        }
    }
    for (problem, backend, dtype), instance in first.items():
        found[f"{problem}|{backend}|{dtype}"] = {
            "title": problem if len({at[1:3] for at in first}) == 1 else f"{problem}, {backend}",
            "accuracy": "digits",
            "points": {
                unit: _drawn(points.get(instance, []), places) for unit, points in by_unit.items()
            },
        }
    return found


def _drawn(points: Sequence[Point], places: Mapping[str, int]) -> list[list[Any]]:
    """Give method, cost, accuracy, whether it is on the front, and the row if it is one."""
    return [
        [
            point.method,
            short(point.cost),
            short(point.accuracy),
            point.efficient,
            places[point.keys[0]] if len(point.keys) == 1 else None,
        ]
        for point in points
    ]
