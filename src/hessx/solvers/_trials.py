"""Trials of settings that are drawn at random, and how far each of them may run."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
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

__all__ = ["Trial", "Tuning", "check_ranges", "drawn", "rounds", "search"]

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
    rows : int
        Rows whose gradient was evaluated, where f is a finite sum.
    result : object
        What the run returned, such as a `Result`, of the trials in the last round; None of others,
        for their arrays are let go.
    """

    settings: dict[str, Any]
    spent: int = 0
    score: float = math.inf
    outcome: Outcome | str | None = None
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
            self.outcome, self.rows = self.result.outcome, self.result.counts.rows
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
    best : Trial
        Of the trials that have not failed and went on longest that with the lowest score.
    """

    trials: list[Trial]
    budget: int
    best: Trial = field(init=False)

    def __post_init__(self) -> None:
        self.best = min(self.trials, key=_rank)

    @property
    def spent(self) -> int:
        """Units that all trials were given together, at most the budget."""
        return sum(trial.spent for trial in self.trials)

    @property
    def settings(self) -> dict[str, Any]:
        """Those of the best trial."""
        return self.best.settings

    def __str__(self) -> str:
        """Give a table, the best trials first."""
        rows = [["score", "spent", "rows", "outcome", *self.settings]]
        for trial in sorted(self.trials, key=_rank):
            known = trial.outcome.value if isinstance(trial.outcome, Outcome) else trial.outcome
            cells = [trial.score, trial.spent, trial.rows, known or "", *trial.settings.values()]
            rows.append([f"{c:.4g}" if isinstance(c, float) else str(c) for c in cells])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        padded = (map(str.rjust, row, widths) for row in rows)
        return "\n".join("  ".join(row) for row in padded)


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


def _pick(given: Any, u: float) -> Any:
    """Give what stands at the part u, in [0, 1), of a range or list."""
    if isinstance(given, list):
        return given[math.floor(u * len(given))]
    low, high = given
    return min(high, low * math.exp(u * math.log(high / low)))
