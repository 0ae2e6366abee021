"""Trials of settings, drawn at random or from a grid, and how far each of them may run."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from hessx._xp import as_float, plain
from hessx.core import (
    Counts,
    Outcome,
    Result,
    SettingsError,
    Stopping,
    Watch,
    check_integer,
    check_part,
    check_real,
)
from hessx.solvers._interrupts import interrupts

__all__ = ["Trial", "Tuning", "check_ranges", "drawn", "gridded", "rounds", "search"]

_Run = Callable[[dict[str, Any], int, Any], Any]
_Score = Callable[[Any], Any]


@dataclass(slots=True)
class Trial:
    """Settings, and what a run with them came to.

    Attributes
    ----------
    settings : dict
        By name.
    spent : int
        How far the run was let go, in units of the budget: epochs.
    score : float
        Smaller is better; inf where the run has failed, or the score is not finite.
    outcome : Outcome or str, optional
        Of the run, or the arithmetic error that ended it.
    evaluations, products, rows : int
        Of f, and products with the Hessian; and of a finite sum, the rows that these went over.
    result : object
        What the run returned, such as a `Result`, of the trials in the last round; None of others,
        for their arrays are let go.
    """

    settings: dict[str, Any]
    spent: int = 0
    score: float = math.inf
    outcome: Outcome | str | None = None
    evaluations: int = 0
    products: int = 0
    rows: int = 0
    result: Any = None

    def run(self, run: _Run, units: int, score: _Score) -> None:
        """Let the run go on."""
        self.spent += units
        try:
            self.result = run(dict(self.settings), self.spent, self.result)
            found = as_float(plain(score(self.result)))
        except ArithmeticError as error:
            self.outcome, self.score = f"{type(error).__name__}: {error}", math.inf
            return
        self.score = found if math.isfinite(found) else math.inf
        if isinstance(self.result, Result):
            self.outcome, counts = self.result.outcome, self.result.counts
            self.evaluations, self.products, self.rows = counts.values, counts.products, counts.rows
            if self.outcome is Outcome.FAILED_NONFINITE:
                self.score = math.inf


@dataclass(slots=True)
class Tuning:
    """What a search has found.

    Attributes
    ----------
    trials : list of Trial
        In the order in which they were drawn.
    budget : int
        Units that the search was given.
    unit : str
        What they are.
    best : Trial
        Of the trials that have not failed and went on longest that with the lowest score.
    """

    trials: list[Trial]
    budget: int
    unit: str = "units"
    best: Trial = field(init=False)

    def __post_init__(self) -> None:
        self.best = min(self.trials, key=_rank)

    @property
    def spent(self) -> int:
        """Units that all trials were given together, at most the budget."""
        return sum(trial.spent for trial in self.trials)

    @property
    def evaluations(self) -> int:
        """Those of f, of all trials together."""
        return sum(trial.evaluations for trial in self.trials)

    @property
    def settings(self) -> dict[str, Any]:
        """Those of the best trial."""
        return self.best.settings

    def records(self) -> list[dict[str, Any]]:
        """Give a row for each trial, the best first: score, what was spent, outcome, settings."""
        return [
            {
                "score": trial.score,
                "spent": trial.spent,
                "evaluations": trial.evaluations,
                "products": trial.products,
                "rows": trial.rows,
                "outcome": getattr(trial.outcome, "value", trial.outcome) or "",
                **trial.settings,
            }
            for trial in sorted(self.trials, key=_rank)
        ]

    def __str__(self) -> str:
        """Give the budget, and a table of the `records` without columns of zeros."""
        found = self.records()
        shown = [name for name in found[0] if any(record[name] != 0 for record in found)]
        cells = [[record[name] for name in shown] for record in found]
        texts = [[f"{c:.4g}" if isinstance(c, float) else str(c) for c in row] for row in cells]
        widths = [max(map(len, column)) for column in zip(shown, *texts, strict=True)]
        lines = ["  ".join(map(str.rjust, row, widths)) for row in (shown, *texts)]
        head = f"{len(found)} trials: {self.spent} of {self.budget} {self.unit}"
        return "\n".join([f"{head}, {self.evaluations} evaluations of f", *lines])


def _rank(trial: Trial) -> tuple[bool, int, float]:
    """Scores are compared where as much has been spent."""
    return math.isinf(trial.score), -trial.spent, trial.score


def search(
    run: _Run, settings: list[dict[str, Any]], plan: list[tuple[int, int]], score: _Score
) -> list[Trial]:
    """Run trials round by round: each of the best so far goes on by so many units.

    A SIGINT ends the run that it meets, and the search.
    """
    trials = [Trial(each) for each in settings]
    kept, watch = trials, Watch(Stopping(), Counts())
    with interrupts(watch):
        for size, units in plan:
            kept = sorted(kept, key=_rank)[:size]
            for trial in trials:
                if all(trial is not other for other in kept):
                    trial.result = None
            for trial in kept:
                if not watch.interrupted and (trial.spent == 0 or trial.score < math.inf):
                    trial.run(run, units, score)
    return trials


def rounds(trials: int, budget: int, halving: int | None) -> list[tuple[int, int]]:
    """Give how many trials take part in each round, and by how many units each goes on.

    Jamieson and Talwalkar's algorithm, each round with an equal part of the budget, in which what a
    division leaves goes to later rounds.

    Raises
    ------
    SettingsError
        A budget that is too small for one unit each.
    """
    sizes = [trials]
    while halving is not None and (rest := -(-sizes[-1] // halving)) > 1:
        sizes.append(rest)
    if budget < trials * len(sizes):
        msg = (
            f"budget = {budget} for {trials} trials in {len(sizes)} rounds: expected at least "
            f"{trials * len(sizes)}, one unit for each trial of a round, or fewer trials"
        )
        raise SettingsError(msg)
    plan = []
    for done, size in enumerate(sizes):
        units = budget // (size * (len(sizes) - done))
        plan.append((size, units))
        budget -= size * units
    return plan


def check_ranges(ranges: object) -> dict[str, Any]:
    """Take ranges of settings: (low, high) of numbers, or a list of choices.

    Raises
    ------
    SettingsError
        Something else, or no range at all.
    """
    check_part("ranges", ranges, Mapping, 'a dict such as {"rate": (1e-4, 1.0)}')
    if not ranges:
        msg = 'ranges are empty: expected a dict such as {"rate": (1e-4, 1.0)}'
        raise SettingsError(msg)
    return {name: _range(name, given) for name, given in dict(ranges).items()}  # type: ignore[call-overload]


def _range(name: str, given: Any) -> Any:
    if isinstance(given, list) and given:
        return given
    if isinstance(given, tuple) and len(given) == 2:
        low = check_real(f"ranges[{name!r}][0]", given[0], 0.0)
        return low, check_real(f"ranges[{name!r}][1]", given[1], low)
    msg = (
        f"ranges[{name!r}] = {given!r}: expected (low, high) with 0 < low < high, of which the "
        "logarithm is drawn, or a list of choices"
    )
    raise SettingsError(msg)


def drawn(ranges: dict[str, Any], seed: int) -> Iterator[dict[str, Any]]:
    """Draw settings, again and again: the first k are the same however many are taken."""
    draw = random.Random(check_integer("seed", seed)).random
    while True:
        yield {name: _pick(given, draw()) for name, given in ranges.items()}


def gridded(ranges: dict[str, Any], trials: int) -> list[dict[str, Any]]:
    """Give settings on a grid of at most so many points.

    A list is taken whole; of each (low, high) as many points as there is room for, equally far from
    each other in the logarithm, both ends among them.

    Raises
    ------
    SettingsError
        There is no room for two points of each range.
    """
    lists = math.prod(len(given) for given in ranges.values() if isinstance(given, list))
    axes = sum(isinstance(given, tuple) for given in ranges.values())
    points = max(trials, 0) // lists
    while axes > 1 and points**axes > trials // lists:
        points -= 1
    if lists > trials or (axes and points < 2):
        least = lists * 2**axes
        msg = f"trials = {trials} on a grid: expected at least {least}, two points of each range"
        raise SettingsError(msg)
    at = [i / (points - 1) for i in range(points)] if axes else []
    ticks = [
        given if isinstance(given, list) else [_pick(given, u) for u in at]
        for given in ranges.values()
    ]
    return [dict(zip(ranges, chosen, strict=True)) for chosen in product(*ticks)]


def _pick(given: Any, u: float) -> Any:
    """Give what stands at the part u, in [0, 1] of a range, in [0, 1) of a list."""
    if isinstance(given, list):
        return given[math.floor(u * len(given))]
    low, high = given
    return min(high, low * math.exp(u * math.log(high / low)))
