"""The drawings of a report."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from hessx.study.analysis.costs import UNITS, Trial
from hessx.study.analysis.pareto import over_all
from hessx.study.analysis.profiles import Profile, data_profiles, performance_profiles
from hessx.study.analysis.scores import scores
from hessx.study.analysis.statements import number
from hessx.study.markdown.drawing import COLORS, Drawing, Series

__all__ = ["convergence", "data_profile", "pareto_front", "performance_profile"]

_MOST = len(COLORS)
_GREY = "#9aa3ad"
_FLOOR = 1e-16  # gaps below are drawn there


def performance_profile(runs: Sequence[Trial], tau: float, unit: str = "cost") -> Drawing:
    """Draw the performance profiles of the best methods."""
    return _profile(
        f"Performance profile, tolerance {number(tau)}",
        f"times the cheapest ({UNITS[unit]})",
        runs,
        tau,
        unit,
        performance_profiles,
    )


def data_profile(runs: Sequence[Trial], tau: float, unit: str = "cost") -> Drawing:
    """Draw the data profiles of the best methods."""
    return _profile(
        f"Data profile, tolerance {number(tau)}", UNITS[unit], runs, tau, unit, data_profiles
    )


def pareto_front(runs: Sequence[Trial], tau: float) -> Drawing:
    """Draw every method's mean cost and share solved; those on the front have names."""
    points = [point for point in over_all(runs, tau) if math.isfinite(point.cost)]
    front = [point for point in points if point.efficient]
    named = front[: _MOST - 1]
    rest = [point for point in points if point not in named]
    series = [
        Series(
            "others", [p.cost for p in rest], [p.accuracy for p in rest], marks=True, color=_GREY
        ),
        *(Series(p.method, [p.cost], [p.accuracy], marks=True) for p in named),
    ]
    return Drawing(
        f"Cost and share solved, tolerance {number(tau)}",
        "mean cost, times the cheapest",
        "share of instances solved",
        series,
        log_x=True,
        y_range=(0.0, 1.0),
    )


def convergence(runs: Sequence[Trial], title: str) -> Drawing:
    """Draw how the best runs of one instance came down, by what they had spent."""
    best = sorted(runs, key=lambda t: (t.cost(1e-6), t.gap, t.method))[:_MOST]
    series = [
        Series(t.method, t.spent["cost"], [max(gap, _FLOOR) for gap in t.gaps], steps=True)
        for t in best
        if t.gaps
    ]
    return Drawing(title, UNITS["cost"], "(f - best) / (f0 - best)", series, log_x=True, log_y=True)


def _profile(
    title: str,
    label: str,
    runs: Sequence[Trial],
    tau: float,
    unit: str,
    profiles: Callable[[Sequence[Trial], float, str], list[Profile]],
) -> Drawing:
    first = [score.method for score in scores(runs, tau, unit)][:_MOST]
    drawn = sorted(
        (p for p in profiles(runs, tau, unit) if p.method in first and p.x),
        key=lambda profile: first.index(profile.method),
    )
    series = [Series(p.method, p.x, p.share, steps=True) for p in drawn]
    return Drawing(title, label, "share solved", series, log_x=True, y_range=(0.0, 1.0))
