"""Runs that did not end well, and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hessx.study.analysis.costs import best_values, trials
from hessx.study.analysis.criteria import is_near_best
from hessx.study.analysis.scores import is_false_success
from hessx.study.records import CRASHED, HOARDED, HUNG, LEFT_OUT, RAISED, Row

__all__ = ["Failure", "failures"]

_KINDS = {
    LEFT_OUT: "left out",
    RAISED: "exception",
    CRASHED: "crash",
    HUNG: "hang",
    HOARDED: "memory",
}


@dataclass(frozen=True)
class Failure:
    """A run that did not end well.

    Attributes
    ----------
    key : str
        That of the row.
    problem, method, backend, feature : str
    kind : str
        "left out", "exception", "crash", "hang", "memory", "not finite", "false success", "limit"
        or "no success".
    reason : str
        In the words of what ended it.
    near_best : bool
        Whether the returned value is near the best all the same.
    """

    key: str
    problem: str
    method: str
    backend: str
    feature: str
    kind: str
    reason: str
    near_best: bool


def failures(rows: Sequence[Row]) -> list[Failure]:
    """List what did not end well, grouped by kind, in an order that hangs on the rows alone.

    A false success is claimed without f near the best or the gradient near zero.
    """
    best = best_values(rows)
    false = {trial.key for trial in trials(rows) if is_false_success(trial)}
    found = []
    for row in rows:
        kind = _kind(row, false)
        if kind:
            near = is_near_best(row.value, best.get(row.problem, math.nan))
            reason = row.exception or row.message or row.outcome
            names = row.problem, row.method, row.backend, row.feature
            found.append(Failure(row.job.key, *names, kind, reason, near_best=near))
    return sorted(found, key=lambda f: (f.kind, f.problem, f.method, f.key))


def _kind(row: Row, false: set[str]) -> str:
    if row.outcome in _KINDS:
        return _KINDS[row.outcome]
    if not math.isfinite(row.value):
        return "not finite"
    if row.converged:
        return "false success" if row.job.key in false else ""
    if row.outcome.startswith("limit"):
        return "limit"
    return "" if row.completed else "no success"
