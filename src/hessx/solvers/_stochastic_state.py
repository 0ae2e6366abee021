"""All that a stochastic method has between two evaluations."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import Any

from hessx._xp import Array
from hessx.core import History, Outcome, Pair, Point, Request, Sample, SettingsError, Wants, saved
from hessx.solvers._averages import LiveAverage
from hessx.solvers._estimates import LiveEstimate
from hessx.solvers._run_state import RunState
from hessx.solvers._walk import Walk

__all__ = ["Asked", "StochasticState"]

# A run that one of these has ended can go on where a later call allows more.
_LIMITS = (
    Outcome.COMPLETED,
    Outcome.LIMIT_ITERATIONS,
    Outcome.LIMIT_EVALUATIONS,
    Outcome.LIMIT_TIME,
)


@saved
class Asked(enum.Enum):
    """What the request is about: a question of the estimate, a lesson, a trial, or the whole."""

    TRAIN = "train"
    LESSON = "lesson"
    TRIAL = "trial"
    WHOLE = "whole"


@saved
@dataclass(slots=True, kw_only=True)
class StochasticState(RunState):
    """All that a run has between two evaluations.

    Attributes
    ----------
    x, at : array, shape (n,)
        The iterate, and where the gradients of the present step are asked for.
    chain : Chain
        The rules at work.
    walk, lessons : Walk
        The ways through the rows, of the steps, and of the lessons on samples of their own.
    estimate : LiveEstimate
        Makes the gradient of a step.
    rate : object
        The live schedule, device rate or search.
    average : LiveAverage, optional
        Of the iterates.
    wants : Wants
        What is asked of the oracle in the run.
    steps, period : int
        Those of the whole run, and those between two reports.
    exact : bool
        The answers of the steps are about the whole, at the point that would be returned.
    samples, question, asked : list of Sample, int, Asked
        Those of the present step, and what has been asked of them.
    taught, again, tried : int, bool, bool
        Lessons of this step that have been given; the last one has to be given again, after a load;
        the search of this step has ended.
    pair : Pair, optional
        A step and the change of a gradient along it, between ``measure`` and ``absorb``.
    value, slope, d : 0-d array or float, 0-d array, array
        f on the first sample of the step, g'd and d, for rates.
    at_start : 0-d array or float, optional
        f at x0, on the first sample, until the first report.
    total, count, skipped : 0-d array or float, float, 0-d array
        The sum of the samples' values since the last report, their number, and how many gradients
        that were not finite were left out in the run.
    due, here : bool, array
        A report is to be made of the next answer, and of which point.
    judged, lowest, score, stale : bool, Point, float, int
        Points are ranked by the scores of an `EarlyStopping`; the one with the best score or mean
        value, that, and the reports since then.
    closing : tuple of Outcome and str, optional
        Why the run is about to end.
    settling, left, settled : bool, list of Point, list of Point
        At the end: points are being evaluated that may be better than the last, those that have not
        been looked at, and those that have been, with their true values.
    left_out : float
        ``skipped``, as far as the host knows.
    final, mean : Point and float, optional
        At the end: the last point, with its true value, and the mean value that a report has.
    mends : bool
        The history ends with such a point, where a run that goes on has a report, or nothing.
    """

    x: Array
    at: Array = None
    chain: Any
    walk: Walk
    lessons: Walk
    estimate: LiveEstimate
    rate: Any
    average: LiveAverage | None
    wants: Wants
    steps: int
    period: int
    exact: bool
    samples: list[Sample | None] = field(default_factory=list)
    question: int = 0
    asked: Asked = Asked.TRAIN
    taught: int = 0
    again: bool = False
    pair: Pair | None = None
    tried: bool = False
    value: Any = math.nan
    slope: Any = None
    d: Array = None
    at_start: Any = None
    total: Any = 0.0
    count: float = 0.0
    skipped: Any = 0.0
    due: bool = False
    here: Array = None
    judged: bool = False
    lowest: Point | None = None
    score: float = math.inf
    stale: int = 0
    closing: tuple[Outcome, str] | None = None
    settling: bool = False
    settled: list[Point] = field(default_factory=list)
    left: list[Point] = field(default_factory=list)
    left_out: float = 0.0
    final: Point | None = None
    mean: float = math.nan
    mends: bool = False

    @property
    def result(self) -> Array:
        """The point that the run would return now: the average, where there is one."""
        return self.x if self.average is None else self.average.mean

    def pose(self, x: Array, wants: Wants, sample: Sample | None, asked: Asked) -> None:
        """Set the next request."""
        self.asked = asked
        ticket, eps = self.request.ticket + 1, self.floor.eps
        self.request = Request(x, ticket, wants, eps, sample=sample)

    def close(self, outcome: Outcome, message: str) -> bool:
        """Put the end off until the whole has been evaluated; False where it has been.

        A callback's or a signal's wish to end is not put off.
        """
        if self.trouble is not None or outcome not in _LIMITS:
            return False
        self.give_up(outcome, message)
        return True

    def reopen(self, method: Any) -> None:
        """Take over the budget of a later call; go on where the run had come to a limit.

        Raises
        ------
        SettingsError
            A schedule that is shorter than the run would be.
        """
        method = method if self.course is None else self.course.at_work(method)
        self.steps = steps = method.total(self.walk)
        length = getattr(self.rate, "length", None)
        if length is not None and steps > length:
            msg = f"a run of {steps} steps: its schedule was made for {length}; take it up with as "
            raise SettingsError(msg + "many, or begin with a schedule that says its own length")
        ended = self.trouble or self.closing
        if ended is None or ended[0] not in _LIMITS:
            return
        if ended[0] is Outcome.COMPLETED and self.iteration >= steps:
            return
        self.mends = self.final is not None and not (self.exact or method.report.full)
        self.closing = self.trouble = self.final = None
        self.settling, self.best = False, self.lowest

    def mend(self, history: History) -> None:
        """Make the history of an ended run that of one that goes on."""
        if not self.mends or not len(history):
            return
        last = history.records[-1]
        if self.iteration % self.period or self.iteration >= self.steps:
            history.records.pop()
        else:
            last.value, last.grad_norm = self.sign * self.mean, math.nan

    def give_up(self, outcome: Outcome, message: str) -> None:
        """Note why the run is about to end."""
        if self.closing is None:
            self.closing = outcome, message
