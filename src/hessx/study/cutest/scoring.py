"""Scores of runs: what was solved, and at what cost."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hessx.study.analysis.criteria import geometric_mean, is_near_best, is_stationary
from hessx.study.cutest.problems import load
from hessx.study.cutest.runner import Run, perturbed, run
from hessx.study.metering import Budget
from hessx.study.methods import Method

__all__ = [
    "Entry",
    "Outcome",
    "Total",
    "best_values",
    "differences",
    "judge",
    "read_list",
    "run_all",
    "total",
]


@dataclass(frozen=True)
class Entry:
    """One line of a problem list.

    Attributes
    ----------
    name : str
    args : tuple of numbers
        The problem's own size arguments.
    best_fun : float
        The best value known.
    in_mean : bool
        Whether it counts in the mean cost.
    """

    name: str
    args: tuple[float, ...]
    best_fun: float
    in_mean: bool


@dataclass(frozen=True)
class Outcome:
    """The score of one run.

    With ``f_best`` the best value known, ``f0`` and ``g0`` value and gradient at the start,
    and ``g`` the projected gradient at the returned point:

    - `cost_3`, `cost_6`: the cost at which ``f - f_best <= tau (f0 - f_best)`` first held, for
      tau = 1e-3 and 1e-6; None if it never did;
    - `near_best`: the best f is within ``1e-6 max(1, |f_best|)`` of ``f_best``;
    - `stationary`: ``norm_inf(g) <= 1e-5 max(1, norm_inf(g0))``.
    """

    problem: str
    method: str
    in_mean: bool
    run: Run | None
    cost_3: int | None
    cost_6: int | None
    near_best: bool
    stationary: bool

    @property
    def solved(self) -> bool:
        """Stationary, or within tau = 1e-6 of the best value."""
        return self.stationary or self.cost_6 is not None

    @property
    def false_success(self) -> bool:
        """The solver reports success, and the problem is not solved."""
        return self.run is not None and self.run.success and not self.solved

    def as_row(self) -> dict[str, Any]:
        """A flat record for JSON and CSV."""
        row: dict[str, Any] = {
            "problem": self.problem,
            "method": self.method,
            "in_gm": self.in_mean,
            "cost_1e-3": self.cost_3,
            "cost_1e-6": self.cost_6,
            "near_best": self.near_best,
            "g_solved": self.stationary,
            "solved": self.solved,
            "false_success": self.false_success,
        }
        if self.run is not None:
            record = vars(self.run).copy()
            improvements = record.pop("improvements")
            row |= record
            row["best_fun"] = improvements[-1][1] if improvements else None
        return row


@dataclass(frozen=True)
class Total:
    """One method's scores over a problem list: counts of problems, and the mean cost.

    `mean_cost` is the geometric mean of `Outcome.cost_6` over the problems that count in it; a
    problem not solved counts with the whole budget.
    """

    method: str
    problems: int
    tau_3: int
    tau_6: int
    near_best: int
    stationary: int
    mean_cost: float
    false_success: tuple[str, ...]
    seconds: float


def read_list(path: Path, group: str) -> list[Entry]:
    """Read one group of a problem list.

    Parameters
    ----------
    path : Path
        A JSON file with a list of problems under the key `group`, each with `name`, `args`,
        `f_best` and `in_gm`.
    group : str
        For instance ``"unconstrained"``.

    Returns
    -------
    list of Entry

    Raises
    ------
    ValueError
        If the file has no such group.
    """
    content = json.loads(path.read_text())
    if group not in content:
        known = sorted(k for k, v in content.items() if isinstance(v, list))
        raise ValueError(f"{path} has no group {group!r}; its groups are {known}")
    return [
        Entry(p["name"], tuple(p.get("args", ())), p["f_best"], p.get("in_gm", False))
        for p in content[group]
    ]


def run_all(
    entries: Iterable[Entry],
    methods: Sequence[Method],
    *,
    gtol: float = 1e-6,
    budget: Budget | None = None,
    options: Mapping[str, Any] | None = None,
    perturb: float = 0.0,
    seed: int = 0,
) -> Iterator[tuple[Entry, Method, Run | None]]:
    """Run every method on every problem, and hand over each run as it ends."""
    for entry in entries:
        problem = perturbed(load(entry.name, entry.args), perturb, seed)
        for method in methods:
            yield entry, method, run(method, problem, gtol, budget, options)


def best_values(runs: Sequence[tuple[Entry, Method, Run | None]]) -> dict[str, float]:
    """The best value of each problem: the list's, or a lower one that a run has found."""
    best: dict[str, float] = {}
    for entry, _, result in runs:
        found = result.improvements[-1][1] if result and result.improvements else math.inf
        best[entry.name] = min(best.get(entry.name, entry.best_fun), found)
    return best


def judge(entry: Entry, method: Method, result: Run | None, best_fun: float) -> Outcome:
    """Score one run against the best value of its problem.

    Parameters
    ----------
    entry : Entry
    method : Method
    result : Run or None
        None for a problem that the method was not run on: unsolved.
    best_fun : float
        The best value known, this run's included.

    Returns
    -------
    Outcome
    """
    if result is None:
        return Outcome(entry.name, method.name, entry.in_mean, None, None, None, False, False)
    reach = result.fun0 - best_fun
    lowest = result.improvements[-1][1] if result.improvements else math.inf
    return Outcome(
        problem=entry.name,
        method=method.name,
        in_mean=entry.in_mean,
        run=result,
        cost_3=_cost_below(result, best_fun + 1e-3 * reach),
        cost_6=_cost_below(result, best_fun + 1e-6 * reach),
        near_best=is_near_best(lowest, best_fun),
        stationary=is_stationary(result.grad_norm, result.grad_norm0),
    )


def total(outcomes: Sequence[Outcome], method: str, budget: Budget | None = None) -> Total:
    """Add up the outcomes of one method."""
    unsolved = (budget or Budget()).total
    own = [o for o in outcomes if o.method == method]
    costs = [unsolved if o.cost_6 is None else o.cost_6 for o in own if o.in_mean]
    return Total(
        method=method,
        problems=len(own),
        tau_3=sum(o.cost_3 is not None for o in own),
        tau_6=sum(o.cost_6 is not None for o in own),
        near_best=sum(o.near_best for o in own),
        stationary=sum(o.stationary for o in own),
        mean_cost=geometric_mean(costs),
        false_success=tuple(o.problem for o in own if o.false_success),
        seconds=math.fsum(o.run.seconds for o in own if o.run),
    )


def differences(
    rows: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]], unsolved: int
) -> list[tuple[str, int, int]]:
    """Problems of two recorded runs, the largest ratio of costs first.

    Parameters
    ----------
    rows, others : sequence of mapping
        Records of one method each, as `Outcome.as_row` gives them.
    unsolved : int
        The cost of a problem that was not solved.

    Returns
    -------
    list of (str, int, int)
        Problem, cost in `rows`, cost in `others`; equal costs are left out.
    """
    before = {row["problem"]: row["cost_1e-6"] or unsolved for row in others}
    pairs = [
        (row["problem"], row["cost_1e-6"] or unsolved, before[row["problem"]])
        for row in rows
        if row["problem"] in before
    ]
    changed = [pair for pair in pairs if pair[1] != pair[2]]
    return sorted(changed, key=lambda pair: -abs(math.log(pair[1] / pair[2])))


def _cost_below(result: Run, target: float) -> int | None:
    return next((cost for cost, value in result.improvements if value <= target), None)
