"""Steps at given rates along what rules make of sampled gradients.

TRAIN --(more questions)--> TRAIN --> [LESSON] --> [TRIAL ..] --> step --> TRAIN ..
                                                                   |
                                                    [WHOLE: a report] or, at the end, WHOLE
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from hessx._xp import Array, Numbers, Packet, Space
from hessx.core import (
    Frame,
    Order,
    Outcome,
    Point,
    Reply,
    Request,
    SettingsError,
    Wants,
    saved,
)
from hessx.globalization import StochasticArmijo
from hessx.objectives import Shuffled
from hessx.rules import Chain, DeviceRate
from hessx.solvers._averages import Average
from hessx.solvers._closing import ask_report, ask_whole_numbers, finish, read_report
from hessx.solvers._estimates import Estimate, OneBatch
from hessx.solvers._floor import Floor
from hessx.solvers._reports import EarlyStopping, Report
from hessx.solvers._stochastic_settings import refuse_whole, take_settings
from hessx.solvers._stochastic_state import Asked, StochasticState
from hessx.solvers._training import (
    ask_more,
    ask_pair,
    ask_trial,
    begin_step,
    go_on,
    hold,
    make_step,
    read_pair,
    teach,
    train,
)
from hessx.solvers._walk import Walk

__all__ = ["StochasticMethod"]

_BATCH, _EPOCHS, _STEPS = 32, 20, 1000
_OF_THEIR_OWN = 2**31  # lessons on samples of their own are those of epochs from here on


@saved
@dataclass(frozen=True, slots=True)
class StochasticMethod:
    r"""Minimise a finite sum by steps of given rates, x+ = x - rate d.

    d is what a chain of rules makes of the gradient of a sample: of `SGD`, `Adam`, ..., `Decay`,
    `ClipNorm` and others, each taking what the one before gives.

    Parameters
    ----------
    rules : Rule, or list or tuple of rules
        The chain.
    rate : float, Schedule, DeviceRate or StochasticArmijo
        Of each step; a number is > 0.
    order : Order
        Of the rows in each epoch, such as ``Shuffled(seed=0)``.
    batch_size : int or "full", optional
        Rows of a sample, 32 unless given; "full": all, as where f is no finite sum.
    epochs : int, optional
        Passes over the rows, 20 unless given; where f is no finite sum, and with "full", steps.
    steps : int, optional
        Steps of the run, >= 0; with ``epochs``, what ends first.  Where f is no finite sum 1000
        unless given.
    estimate : Estimate
        How samples make the gradient of a step: `OneBatch`, `Accumulate`, `SVRG`, `SAGA`, `SARAH`,
        and with pairs for rules that learn from them `RepeatedSample`, `MultiBatch`.
    average : Average, optional
        The run returns the average of the iterates: `Polyak`, `Exponential`, `ScheduleFree`.
    report : Report
        When the host looks.
    early : EarlyStopping, optional
        End the run where a score no longer falls, and return the x of the best.
    lesson_size : int, optional
        Rows of the samples of their own on which rules learn of the Hessian; as many as
        ``batch_size`` unless given, a tenth of all where that is "full".
    skip_nonfinite : bool
        A gradient that is not finite is taken for zero, and counted.
    N : int, optional
        Rows of the sum; `minimize` takes them from f, `AskTell` has to be told.

    Raises
    ------
    SettingsError
        A setting out of range, or parts that do not fit together.

    Notes
    -----
    The run ends as COMPLETED, without success, or converged where gtol holds at the end.  It closes
    with value and gradient of the whole, at the last point (or the average), and where the reports
    have shown a lower mean value at the lowest too; the better one is returned.
    Where a report finds value or x not finite, the run ends with the x of the best report.
    Cost: no fetch but one per report, and one per pair of rules that learn from pairs; the launches
    of the rules, and one for the mean value.
    Source: Bottou, Curtis & Nocedal (2018), Optimization Methods for Large-Scale Machine Learning.

    Examples
    --------
    >>> import hessx
    >>> method = hessx.StochasticMethod([hessx.SGD(momentum=0.9)], rate=0.1, steps=200)
    >>> bowl = lambda x: ((x - 3) @ (x - 3), 2 * (x - 3))
    >>> result = hessx.minimize(bowl, [0.0, 9.0], jac=True, method=method)
    >>> result.outcome, result.nit, result.x.round(3)
    (<Outcome.COMPLETED: 'completed'>, 200, array([3., 3.]))
    """

    rules: Any
    rate: Any = 1e-3
    order: Order = field(default_factory=Shuffled)
    batch_size: int | str | None = None
    epochs: int | None = None
    steps: int | None = None
    estimate: Estimate = field(default_factory=OneBatch)
    average: Average | None = None
    report: Report = field(default_factory=Report)
    early: EarlyStopping | None = None
    lesson_size: int | None = None
    skip_nonfinite: bool = False
    N: int | None = None

    budget = ("epochs", "steps")  # may be others when a run is taken up again

    def __post_init__(self) -> None:
        take_settings(self)

    def over(self, N: int | None) -> StochasticMethod:
        """Give the method for a sum of so many rows; None where f is no finite sum.

        Raises
        ------
        SettingsError
            Another N than that of the settings, batches of what is no sum, or larger ones.
        """
        if N is None and self.N is None and (isinstance(self.batch_size, int) or self.lesson_size):
            name = "batch_size" if self.batch_size else "lesson_size"
            msg = f"{name} = {getattr(self, name)}, and fun is no finite sum: give it as a "
            raise SettingsError(msg + "hessx.FiniteSum, whose rows are sampled (AskTell takes N)")
        if N is None and self.N is None:
            refuse_whole(self)
        if N is None or N == self.N:
            return self
        if self.N is not None:
            msg = f"N = {self.N}: expected {N}, the rows of fun, or none"
            raise SettingsError(msg)
        return replace(self, N=N)

    @property
    def wants(self) -> Wants:
        """What will be asked of the oracle."""
        wants = self.estimate.wants
        for rule in self.rules:
            wants |= rule.wants
        return wants

    def init(self, space: Space, x0: Array, *, turns: bool = False) -> StochasticState:
        """Ask for the first gradient."""
        x = space.flat(x0)
        walk, lessons = self._walks()
        per_epoch, steps = self._per_epoch(walk), self.total(walk)
        rate: Any = self.rate
        if isinstance(rate, DeviceRate):
            rate = rate.begin(space)
        elif isinstance(rate, StochasticArmijo):
            rate = rate.begin()
        else:
            rate = rate.begin(steps, per_epoch)
        state = StochasticState(
            frame=Frame(space),
            request=Request(x, -1),
            turns=turns,
            x=x,
            chain=Chain.begin(self.rules, space, x, steps=steps, per_epoch=per_epoch),
            walk=walk,
            lessons=lessons,
            estimate=self.estimate.begin(space, per_epoch),
            rate=rate,
            average=None if self.average is None else self.average.begin(space, x),
            steps=steps,
            period=self.report.period(per_epoch, steps, is_sum=walk.size > 0),
            exact=not walk.size and self.average is None,
            wants=self.wants,
            judged=self.early is not None,
        )
        state.floor = Floor(10.0 * space.eps, math.inf, math.inf)
        state.point = state.first = Point(x, math.nan, math.nan, math.nan)
        go_on(state, self.estimate.batches)
        return state

    def total(self, walk: Walk) -> int:
        """Give the steps of the whole run."""
        given = [] if self.steps is None else [self.steps]
        if self.epochs is not None:
            given.append(self.epochs * self._per_epoch(walk))
        return min(given, default=_STEPS if self.N is None else _EPOCHS * self._per_epoch(walk))

    @property
    def iterations(self) -> int:
        """Steps of the whole run."""
        return self.total(self._walks()[0])

    def _per_epoch(self, walk: Walk) -> int:
        return -(-walk.per_epoch // self.estimate.batches)

    def _walks(self) -> tuple[Walk, Walk]:
        whole, given = Walk(self.order, 0, 0), self.batch_size
        if self.N is None:
            return whole, whole
        size = given if isinstance(given, int) else 0 if given else min(_BATCH, self.N)
        taught = self.lesson_size or size or min(self.N, max(_BATCH, self.N // 10))
        return (
            Walk(self.order, self.N, size) if size else whole,
            Walk(self.order, self.N, taught, _OF_THEIR_OWN),
        )

    def measure(self, state: StochasticState, reply: Reply) -> Packet:
        """Take an answer in; name what the host has to see, which is nothing most often."""
        packet, asked = state.hear(reply), state.asked
        if asked is Asked.LESSON:
            teach(state, reply.hessian)
            ask_pair(state, packet, state.chain.pair)
            return packet
        if asked is Asked.TRIAL:
            packet.ask(trial=reply.value, value=state.value, slope=state.slope)
            return packet
        if state.due:
            ask_report(state, packet, self.early)
            if asked is Asked.WHOLE or state.exact:
                ask_whole_numbers(state, reply, packet)
        if asked is Asked.TRAIN:
            train(state, reply, skip_nonfinite=self.skip_nonfinite)
            ask_pair(state, packet, state.estimate.pair)
        if state.space.lazy:
            hold(state, packet)
        return packet

    def absorb(self, state: StochasticState, numbers: Numbers) -> StochasticState:
        """Record what a report has shown, judge a trial, learn from a pair."""
        state.accepted = False
        if state.asked is Asked.TRIAL:
            state.tried = state.rate.accepts(numbers["trial"], numbers["value"], numbers["slope"])
        read_pair(state, numbers)
        if "size" in numbers:
            read_report(state, numbers, self.early)
        state.reply = state.trial = None
        return state

    def propose(self, state: StochasticState, watch: Callable[[], bool]) -> StochasticState:  # noqa: ARG002
        """Go on with the questions of the step, make it, or ask for the whole."""
        if state.asked is Asked.WHOLE:
            if state.closing is None and state.iteration < state.steps:
                begin_step(state, self.estimate.batches)
            elif state.closing is None:  # taken up at its last step, where a limit had ended it
                go_on(state, self.estimate.batches)
            else:
                finish(state)
        elif state.closing is not None and state.closing[0] is Outcome.FAILED_NONFINITE:
            finish(state)
        elif state.asked is Asked.TRIAL and not state.tried:
            ask_trial(state)
        elif (state.asked is Asked.TRIAL or not ask_more(state)) and make_step(state):
            go_on(state, self.estimate.batches, full=self.report.full)
        return state

    def leave(
        self,
        state: StochasticState,
        watch: Callable[[], bool],  # noqa: ARG002
    ) -> tuple[StochasticState, bool, str]:
        """Say that no negative curvature was looked for."""
        return state, False, "second order was not checked"

    def gradient(self, state: StochasticState) -> Array:
        """Give the gradient of the last step, that of its sample."""
        g = state.estimate.g
        return state.space.zeros(state.space.n) if g is None else state.space.copy(g)

    def inverse_hessian(self, state: StochasticState) -> Any:
        """Give A, where a rule has one."""
        return state.chain.inverse_hessian()
