"""What a method does beside its cost: order, oscillation, robustness, sensitivity."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from hessx.study.analysis.costs import Trial, best_values, trials
from hessx.study.analysis.orders import Order, fitted_order
from hessx.study.analysis.registered import rate_of
from hessx.study.records import PLAIN, Row

__all__ = [
    "NEWTON",
    "Conduct",
    "Robustness",
    "Sensitivity",
    "conducts",
    "robustness",
    "savings",
    "sensitivities",
]

NEWTON = "newton"  # exact, dense: what approximations are to save
_BACK = -0.5  # a cosine below: the step turned by more than 120 degrees
_TAU = 1e-6  # of the cost that is saved
_LOOSE = 1e-3  # what noise leaves within reach
_FACTOR = 2.0  # of the best cost: rates that do as well
_FLOOR = 1e2 * 2.0**-52  # of the value: gaps below are rounding


@dataclass(frozen=True)
class Conduct:
    """How a run went.

    Attributes
    ----------
    problem, method, key : str
        Of the row.
    order : Order
        Fitted on f - f_best of its last steps.
    cosine : float
        Mean of the cosines between successive steps; nan where none is known.
    reversals : float
        Share of them below -0.5.
    rises : int
        Steps that raised f.
    steps : int
        All steps.
    """

    problem: str
    method: str
    key: str
    order: Order
    cosine: float
    reversals: float
    rises: int
    steps: int


@dataclass(frozen=True)
class Robustness:
    """How a method bears a feature.

    Attributes
    ----------
    method, feature : str
        Which.
    runs, solved : int
        How many, and how many reached (f - f_best) <= 1e-3 (f0 - f_best), truly.
    ratio : float
        The median of the cost of that over the cost on the problem as it is; nan where no pair was
        solved.
    keys : tuple of str
        Of the rows behind it.
    """

    method: str
    feature: str
    runs: int
    solved: int
    ratio: float
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Sensitivity:
    """How much a method's rate matters on a problem.

    Attributes
    ----------
    method, problem : str
        Which.
    best, low, high : float
        The rate of the least cost, and the ends of the tried ones around it at which the cost is at
        most twice that.
    tried : int
        How many rates.
    keys : tuple of str
        Of the rows behind it.
    """

    method: str
    problem: str
    best: float
    low: float
    high: float
    tried: int
    keys: tuple[str, ...]

    @property
    def decades(self) -> float:
        """Width of what does as well, in powers of ten."""
        return math.log10(self.high / self.low)


def conducts(rows: Sequence[Row], optima: Mapping[str, float] | None = None) -> list[Conduct]:
    """Measure how each run on a problem as it is went; runs without a curve are left out."""
    return [_conduct(trial) for trial in trials(rows, optima) if len(trial.row.curve) > 1]


def _conduct(trial: Trial) -> Conduct:
    row, curve = trial.row, trial.row.curve
    cosines = [c for c in curve.cosine if math.isfinite(c)]
    return Conduct(
        row.problem,
        row.method,
        trial.key,
        _order(trial),
        fmean(cosines) if cosines else math.nan,
        fmean(c < _BACK for c in cosines) if cosines else math.nan,
        row.rises,
        row.iterations,
    )


def _order(trial: Trial) -> Order:
    """Fit the last points that no thinning has parted."""
    curve, best = trial.row.curve, trial.best
    first = len(curve) - 1
    while first > 0 and curve.iteration[first - 1] == curve.iteration[first] - 1:
        first -= 1
    tail = curve.value[first:]
    return fitted_order([value - best for value in tail], _FLOOR * abs(best))


def savings(
    rows: Sequence[Row], reference: str = NEWTON, optima: Mapping[str, float] | None = None
) -> dict[tuple[str, str], tuple[float, tuple[str, str]]]:
    """Compare costs with those of exact Newton.

    Returns
    -------
    dict
        By (method, problem): evaluations and products until (f - f_best) <= 1e-6 (f0 - f_best) over
        those of the reference, the median over starts, below 1 where it is cheaper and infinite
        where it does not come there; and the keys of a row of each.
    """
    measured = trials(rows, optima)
    by_instance = {trial.instance: trial for trial in measured if trial.method == reference}
    found = defaultdict(list)
    for trial in measured:
        base = by_instance.get(trial.instance)
        if base is not None and math.isfinite(base.cost(_TAU)):
            ratio = trial.cost(_TAU) / max(base.cost(_TAU), 1.0)
            found[trial.method, trial.row.problem].append((ratio, (trial.key, base.key)))
    return {place: _middle(pairs) for place, pairs in found.items()}


def _middle(
    pairs: Iterable[tuple[float, tuple[str, str]]],
) -> tuple[float, tuple[str, str]]:
    ordered = sorted(pairs)
    return ordered[(len(ordered) - 1) // 2]


def robustness(rows: Sequence[Row], optima: Mapping[str, float] | None = None) -> list[Robustness]:
    """Compare the runs with each feature with those on the problems as they are."""
    best = best_values(rows, optima)
    plain: dict[tuple[str, str, str, str], list[float]] = defaultdict(list)
    for trial in trials(rows, best):
        plain[_place(trial)].append(trial.cost(_LOOSE))
    found = []
    for feature in sorted({row.feature for row in rows} - {PLAIN}):
        by_method = defaultdict(list)
        for trial in trials(rows, best, feature):
            by_method[trial.method].append(trial)
        found += [_robustness(m, feature, group, plain) for m, group in by_method.items()]
    return found


def _robustness(
    method: str,
    feature: str,
    group: Sequence[Trial],
    plain: Mapping[tuple[str, str, str, str], Sequence[float]],
) -> Robustness:
    ratios = []
    solved = [trial for trial in group if _truly_solved(trial)]
    for trial in solved:
        base = median(plain.get(_place(trial), [math.inf]))
        if math.isfinite(base) and math.isfinite(trial.cost(_LOOSE)):
            ratios.append(trial.cost(_LOOSE) / max(base, 1.0))
    return Robustness(
        method,
        feature,
        len(group),
        len(solved),
        median(ratios) if ratios else math.nan,
        tuple(trial.key for trial in group),
    )


def _truly_solved(trial: Trial) -> bool:
    """Tell by the value at the end, which is that without the feature's noise."""
    row = trial.row
    start = row.start_value
    return row.value - trial.best <= _LOOSE * (start - trial.best)


def _place(trial: Trial) -> tuple[str, str, str, str]:
    row = trial.row
    return row.problem, row.method, row.backend, row.dtype


def sensitivities(
    rows: Sequence[Row], optima: Mapping[str, float] | None = None
) -> list[Sensitivity]:
    """Find how wide the range of rates is that do as well as the best; of methods run with many."""
    best = best_values(rows, optima)
    groups: dict[tuple[str, str, int], list[tuple[float, Trial]]] = defaultdict(list)
    for row in rows:
        rate = rate_of(row)
        if row.feature == PLAIN and rate is not None:
            pairs = [(rate, trial) for trial in trials([row], best)]  # none of one left out
            groups[row.method, row.problem, row.seed] += pairs
    found = (_sensitivity(place, group) for place, group in sorted(groups.items()))
    return [one for one in found if one is not None]


def _sensitivity(
    place: tuple[str, str, int], group: Sequence[tuple[float, Trial]]
) -> Sensitivity | None:
    method, problem, _ = place
    ordered = sorted(group, key=lambda pair: pair[0])
    costs = [trial.cost(_LOOSE) for _, trial in ordered]
    least = min(costs, default=math.inf)
    if len(ordered) < 2 or not math.isfinite(least):
        return None
    at = low = high = costs.index(least)
    while low > 0 and costs[low - 1] <= _FACTOR * least:
        low -= 1
    while high < len(costs) - 1 and costs[high + 1] <= _FACTOR * least:
        high += 1
    rates = [rate for rate, _ in ordered]
    keys = tuple(trial.key for _, trial in ordered)
    return Sensitivity(method, problem, rates[at], rates[low], rates[high], len(ordered), keys)
