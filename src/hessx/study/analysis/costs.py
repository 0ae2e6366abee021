"""What a run had spent when it first came so close to the best value known."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from hessx.study.analysis.criteria import relative_gap
from hessx.study.analysis.registered import problem_of
from hessx.study.methods import METHODS
from hessx.study.problems import PROBLEMS
from hessx.study.records import LEFT_OUT, PLAIN, Row

__all__ = [
    "LADDER",
    "UNITS",
    "Instance",
    "Trial",
    "best_values",
    "comparable",
    "known_optima",
    "trials",
]

LADDER = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9)
_DIGITS = 1e-6
UNITS = {
    "cost": "evaluations and products",
    "iterations": "iterations",
    "evaluations": "evaluations",
    "products": "products",
    "fetches": "fetches",
    "seconds": "seconds",
    "memory": "bytes",
}


class Instance(NamedTuple):
    """What methods are compared on: a problem in one place, from one start."""

    problem: str
    backend: str
    dtype: str
    seed: int


@dataclass(frozen=True)
class Trial:
    """A run, and how far it had come at what cost.

    The points are those of the curve; the last is the one returned, with all that was spent.  A
    curve is thinned to `hessx.study.records.CURVE_POINTS`, evenly by the logarithm: of a run of
    10000 steps a cost may be read 4 % too high, of one of 300 steps it is exact.

    Attributes
    ----------
    row : Row
    best : float
        The best value known of the problem.
    gaps : tuple of float
        The least ``(f - best) / (f0 - best)`` up to each point; they fall.
    spent : dict of str to tuple of float
        By the unit of `UNITS`, at each point.
    """

    row: Row
    best: float
    gaps: tuple[float, ...]
    spent: Mapping[str, tuple[float, ...]]

    @cached_property
    def instance(self) -> Instance:
        """Among which trials it is compared."""
        row = self.row
        return Instance(row.problem, row.backend, row.dtype, row.seed)

    @property
    def method(self) -> str:
        """The name."""
        return self.row.method

    @cached_property
    def key(self) -> str:
        """That of the row behind it."""
        return self.row.job.key

    @property
    def gap(self) -> float:
        """How close it came."""
        return self.gaps[-1] if self.gaps else math.inf

    def cost(self, tau: float, unit: str = "cost") -> float:
        """Give what was spent when ``f - f_best <= tau (f0 - f_best)`` first held; inf for never.

        Memory is that of the whole run.
        """
        at = bisect_left(self.gaps, -tau, key=lambda gap: -gap)
        return self.spent[unit][at] if at < len(self.gaps) else math.inf


def known_optima(names: Iterable[str]) -> dict[str, float]:
    """Give the least values of problems that the registry knows."""
    problems = {name: problem_of(name) for name in dict.fromkeys(names)}
    return {
        name: problem.optimum
        for name, problem in problems.items()
        if problem is not None and problem.optimum is not None
    }


def best_values(rows: Iterable[Row], optima: Mapping[str, float] | None = None) -> dict[str, float]:
    """Give the best value of each problem: the one known, or the lowest that a run has found.

    Known values are from papers, in few digits: a value found that agrees to 1e-6 of it, or is
    lower, takes its place.

    Parameters
    ----------
    rows : iterable of Row
    optima : mapping, optional
        Known values; those of the registry if it is not given.
    """
    rows = list(rows)
    best = dict(known_optima(row.problem for row in rows) if optima is None else optima)
    lowest: dict[str, float] = {}
    for row in rows:
        for value in (row.value, *(row.curve.value if row.feature == PLAIN else ())):
            if math.isfinite(value):
                lowest[row.problem] = min(lowest.get(row.problem, math.inf), value)
    for problem, value in lowest.items():
        known = best.get(problem)
        if known is None or value <= known + _DIGITS * abs(known):
            best[problem] = value
    return best


def trials(
    rows: Sequence[Row], optima: Mapping[str, float] | None = None, feature: str = PLAIN
) -> list[Trial]:
    """Measure the runs on problems with a feature, one of each method on each instance.

    Of several with other rates the one with the rate that was tuned counts, else that with the
    method's own.  A run that was left out, for want of a package say, is none.

    Parameters
    ----------
    rows : sequence of Row
        In any order.
    optima : mapping, optional
        As for `best_values`.
    feature : str
        "plain" for problems as they are; other features tell of robustness, not of cost.

    Returns
    -------
    list of Trial
        In the order of the registries, whatever that of the rows.
    """
    best = best_values(rows, optima)
    chosen: dict[tuple[Instance, str], Trial] = {}
    made = (row for row in rows if row.feature == feature and row.outcome != LEFT_OUT)
    for row in sorted(made, key=_precedence):
        trial = _trial(row, best.get(row.problem, math.nan))
        chosen.setdefault((trial.instance, row.method), trial)
    return sorted(chosen.values(), key=_place)


def comparable(rows: Sequence[Row]) -> list[Trial]:
    """Measure the runs that methods are compared by: on each problem, from its common starts.

    Those are the starts that the most methods had.  A method with others would be compared with
    few there, and be credited with more runs than the rest.
    """
    runs = trials(rows)
    methods = Counter(trial.instance for trial in runs)
    most: dict[tuple[str, str, str], int] = {}
    for at, count in methods.items():
        most[at[:3]] = max(most.get(at[:3], 0), count)
    return [trial for trial in runs if methods[trial.instance] == most[trial.instance[:3]]]


def _precedence(row: Row) -> tuple[object, ...]:
    """Put first the row that stands for its method on an instance."""
    return row.tuning == 0, row.rate is not None, row.gtol, -row.limit, row.job.key


_PROBLEM_PLACES = {name: place for place, name in enumerate(PROBLEMS)}
_METHOD_PLACES = {name: place for place, name in enumerate(METHODS)}


def _place(trial: Trial) -> tuple[object, ...]:
    row = trial.row
    return (
        _PROBLEM_PLACES.get(row.problem, len(PROBLEMS)), row.problem,
        _METHOD_PLACES.get(row.method, len(METHODS)), row.method,
        row.backend, row.dtype, row.seed,
    )  # fmt: skip


def _trial(row: Row, best: float) -> Trial:
    curve, sampled = row.curve, row.passes not in (0.0, row.evaluations + row.products)
    start = row.start_value
    if not math.isfinite(start):
        start = curve.value[0] if len(curve) else math.nan
    # samples are counted by their share of the rows
    evaluation, product = (row.passes, 0) if sampled else (row.evaluations, row.products)
    spent = {
        "iterations": (*curve.iteration, row.iterations),
        "evaluations": (*curve.evaluation, evaluation),
        "products": (*curve.product, product),
        "fetches": (*curve.fetch, row.fetches),
        "seconds": (*curve.second, row.seconds),
        "memory": (row.memory,) * (len(curve) + 1),
    }
    spent["cost"] = tuple(
        e + p for e, p in zip(spent["evaluations"], spent["products"], strict=True)
    )
    if not math.isfinite(start):
        return Trial(row, best, (), spent)
    gaps = (relative_gap(value, start, best) for value in (*curve.value, row.value))
    return Trial(row, best, tuple(accumulate(gaps, min)), spent)
