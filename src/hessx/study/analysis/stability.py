"""Whether the order of methods hangs on the tolerance, or on a single problem."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from hessx.study.analysis.costs import LADDER, Trial
from hessx.study.analysis.scores import scores
from hessx.study.analysis.statements import number

__all__ = ["Move", "Reordering", "kendall_tau", "leaving_one_out", "places", "under_tolerances"]


@dataclass(frozen=True)
class Move:
    """A method that changes place."""

    method: str
    before: int
    after: int


@dataclass(frozen=True)
class Reordering:
    """What becomes of the order when something else is asked.

    Attributes
    ----------
    change : str
        The tolerance as text, or the problem that is left out.
    correlation : float
        Kendall's tau-b of the two orders: 1 for the same, -1 for the reverse.
    moves : tuple of Move
        Who changes place, the first of the old order first.
    """

    change: str
    correlation: float
    moves: tuple[Move, ...]


def places(runs: Sequence[Trial], tau: float = 1e-6, unit: str = "cost") -> dict[str, int]:
    """Give every method's place, from 1, in the order of `scores`; equal scores share one."""
    found: dict[str, int] = {}
    last: tuple[object, ...] = ()
    place = 0
    for i, score in enumerate(scores(runs, tau, unit)):
        mark = (score.solved, score.mean_ratio)
        if mark != last:
            place, last = i + 1, mark
        found[score.method] = place
    return found


def under_tolerances(
    runs: Sequence[Trial],
    tau: float = 1e-6,
    unit: str = "cost",
    tolerances: Sequence[float] = LADDER,
) -> list[Reordering]:
    """Compare the order at tau with those at other tolerances."""
    before = places(runs, tau, unit)
    return [_compared(number(t), before, places(runs, t, unit)) for t in tolerances if t != tau]


def leaving_one_out(
    runs: Sequence[Trial], tau: float = 1e-6, unit: str = "cost"
) -> list[Reordering]:
    """Compare the order on all problems with those on all but one.

    Methods are compared that were run on another problem too, in both orders among themselves.
    """
    found = []
    for problem in dict.fromkeys(trial.instance.problem for trial in runs):
        rest = [trial for trial in runs if trial.instance.problem != problem]
        names = {trial.method for trial in rest}
        if len(names) > 1:
            before = places([trial for trial in runs if trial.method in names], tau, unit)
            found.append(_compared(problem, before, places(rest, tau, unit)))
    return found


def kendall_tau(x: Sequence[float], y: Sequence[float]) -> float:
    """Give Kendall's tau-b, the correlation of two orders; nan where one of them is all ties.

        tau_b = (C - D) / sqrt((P - T_x) (P - T_y))

    with C and D the pairs that agree and disagree, P all pairs, T_x and T_y those that tie.

    Notes
    -----
    Kendall, The treatment of ties in ranking problems, Biometrika 33 (1945).

    Examples
    --------
    >>> round(kendall_tau([1, 2, 3, 4], [1, 2, 4, 3]), 6)
    0.666667
    """
    agreement = untied_x = untied_y = 0
    for (x_i, y_i), (x_j, y_j) in combinations(zip(x, y, strict=True), 2):
        along_x, along_y = _sign(x_i - x_j), _sign(y_i - y_j)
        agreement += along_x * along_y
        untied_x += abs(along_x)
        untied_y += abs(along_y)
    norm = math.sqrt(untied_x * untied_y)
    return agreement / norm if norm else math.nan


def _sign(x: float) -> int:
    return (x > 0) - (x < 0)


def _compared(change: str, before: Mapping[str, int], after: Mapping[str, int]) -> Reordering:
    names = list(before)
    moves = (Move(n, before[n], after[n]) for n in names if before[n] != after[n])
    correlation = kendall_tau([before[n] for n in names], [after[n] for n in names])
    return Reordering(change, correlation, tuple(moves))
