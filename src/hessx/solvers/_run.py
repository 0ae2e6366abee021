"""A run between two evaluations: state, counts, and what is decided of them."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from functools import partial
from typing import Any

from hessx._xp import Array, Space, quiet
from hessx.core import (
    Checkpoint,
    Counts,
    Outcome,
    Reply,
    Request,
    Result,
    Solver,
    Stopping,
    Wants,
    Watch,
    checkpoint_of,
    new_record,
)
from hessx.solvers._best_point import returned_point
from hessx.solvers._observers import Observers, StopRun
from hessx.solvers._trouble import immovable

__all__ = ["Run"]


# Steps of differences grow by the root of this; the longest are near 0.01 of x.
_COARSER, _COARSEST = 1e4, 2e-3
_NOTHING = contextlib.nullcontext()  # entering NumPy's error state takes as long as a product


class Run:
    """A run that is fed replies to its requests.

                                                observers
                                                    ^
        absorb(reply): measure, fetch, absorb --> judge --> not running: result()
              ^                                     |
              |                                     v
        the oracle answers <------------------- go_on(): propose

    A Hessian is not judged: ``propose`` goes on with it.

    Parameters
    ----------
    solver : Solver
        The method.
    space, x0 : Space, array
        Where the run lives and starts; x0 has the user's shape.
    stopping : Stopping
        Judges each reply.
    observers : Observers
        See each accepted point.
    counts : Counts
        Evaluations, as they are made.
    sign : float
        -1 to maximise.
    resumed : Checkpoint, optional
        Go on from here; of x0 the values are not used then.

    Attributes
    ----------
    state : SolverState
        Whose ``request`` is to be answered next, unless ``answered``; see ``request``.
    outcome, message : Outcome, str
        RUNNING, or why the run has ended.
    chosen : str
        What "auto" came down to, and why; "" where a method was given.
    watch : Watch
        Budgets and interrupts.
    answered : bool
        Whether the request has been answered, and ``go_on`` is next.
    stationary : bool
        The start is stationary, and the method can look around before the run ends.

    Raises
    ------
    SettingsError
        The checkpoint is of another method, shape, dtype or sense.
    """

    def __init__(
        self,
        solver: Solver,
        space: Space,
        x0: Array,
        stopping: Stopping,
        observers: Observers,
        counts: Counts,
        sign: float,
        resumed: Checkpoint | None = None,
    ) -> None:
        self.solver, self.stopping, self.observers = solver, stopping, observers
        self.counts, self.sign = counts, sign
        self.outcome, self.message = Outcome.RUNNING, ""
        self.chosen = ""
        self.answered = self.stationary = False
        self.state: Any
        if resumed is None:
            self.watch = Watch(stopping, counts)
            self.state = solver.init(space, x0, turns=observers.wants_turns)
            self.state.sign, self.state.sizes = sign, stopping.xrtol > 0.0
        else:
            self._take_up(resumed, space)
        begun = self.answered or self.state.request.ticket > 0
        observers.keep(self.state.point.x if begun else self.state.request.x)

    @property
    def running(self) -> bool:
        """Whether there is something left to do."""
        return self.stationary or self.outcome is Outcome.RUNNING

    @property
    def request(self) -> Request:
        """The request, with the gradient for a Hessian that is made of differences."""
        request: Request = self.state.request
        linearise = request.wants is Wants.HESSIAN and request.sample is None
        return replace(request, grad=self.gradient) if linearise else request

    @property
    def wants_hessian(self) -> bool:
        """Whether the request is for the Hessian, or the residual, at ``state.point``."""
        return self.state.request.evidence is not Wants.NOTHING

    def absorb(self, reply: Reply) -> None:
        """Let the solver absorb a reply; judge, and show an accepted point."""
        renewed, asked = self.state.renewing, self.state.request.evidence
        with _quiet_unless(self.state.calm):
            numbers = self.solver.measure(self.state, reply).fetch()
            state = self.state = self.solver.absorb(self.state, numbers)
        if asked:
            self.answered = not state.resume_trial()
        else:
            self._look_at(state, renewed)
        if self.answered and self.watch.interrupted:
            self._end(Outcome.STOPPED_BY_USER, "interrupted (SIGINT)")

    def _look_at(self, state: Any, renewed: bool) -> None:
        if state.iteration == 0 and state.point.precision.moved == 0.0 and self._coarsen():
            return
        self.answered = True
        seconds = self._judge()
        if state.accepted and self.observers.active and not renewed:  # the same point once more
            record = new_record(state, self.counts, seconds)
            try:
                self.observers.see(record, state.point, self.sign)
            except StopRun:
                self._end(Outcome.STOPPED_BY_USER, "the callback stopped the run")

    def go_on(self) -> None:
        """Let the solver propose the next request; at a stationary start look around first."""
        if self.stationary:
            self._look_around()
        if self.outcome is Outcome.RUNNING:
            with _quiet_unless(self.state.calm):
                self.state = self.solver.propose(self.state, self.watch)
            self.answered = False
            if self.state.trouble is not None:
                self._end(*self.state.trouble)
            if self.watch.interrupted:
                self._end(Outcome.STOPPED_BY_USER, "interrupted (SIGINT)")

    def gradient(self) -> Array:
        """Give the gradient at the current point."""
        return self.solver.gradient(self.state)

    def checkpoint(self) -> Checkpoint:
        """Put down what there is; made when it is looked at, from the state as it is then."""
        make = partial(
            checkpoint_of,
            self.solver,
            self.state,
            answered=self.answered,
            maximize=self.sign < 0.0,
            outcome=self.outcome,
            message=self.message,
            counts=replace(self.counts),  # an oracle may count for another run by then
            seconds=self.watch.seconds,
            history=self.observers.history,
        )
        return Checkpoint(make)

    def result(self) -> Result:
        """Return the point at which success holds, else the best one met."""
        state, outcome, sign = self.state, self.outcome, self.sign
        point = returned_point(state, outcome)
        grad = self.gradient() if point.grad is None else point.grad
        space, course = state.space, state.course.told if state.course else ""
        result = Result(
            x=space.shaped(point.x),
            fun=sign * point.value,
            jac=space.shaped(grad if sign > 0.0 else -grad),
            nit=state.iteration,
            nfev=self.counts.values,
            njev=self.counts.gradients,
            nhev=self.counts.products,
            success=outcome.success,
            status=outcome.status,
            message=f"{outcome.value}: {self.message}"
            + "".join(f" ({text})" for text in (self.chosen, course) if text),
            outcome=outcome,
            counts=replace(self.counts),
        )
        history, points = self.observers.history, self.observers.points
        extra: dict[str, Any] = {"history": history, "allvecs": points and [*points]}
        if not self.running:
            extra["hess_inv"] = self.solver.inverse_hessian(state)
            extra["checkpoint"] = self.checkpoint()
        result.update({name: entry for name, entry in extra.items() if entry is not None})
        return result

    def _take_up(self, resumed: Checkpoint, space: Space) -> None:
        resumed.check(space, maximize=self.sign < 0.0)
        self.state = resumed.state_for(self.solver, space)
        self.state.reopen(self.solver)
        self.state.turns = self.observers.wants_turns
        self.state.sizes = self.stopping.xrtol > 0.0
        self.answered = resumed.answered
        spent = resumed.counts
        self.counts.take_over(spent)
        self.watch = Watch(self.stopping, self.counts, resumed.seconds)
        if self.observers.history is not None and resumed.history is not None:
            self.observers.history = resumed.history
            self.state.mend(self.observers.history)
        if self.answered or (self.wants_hessian and self.state.aside is None):
            self._judge()
        elif self.state.trouble is not None:
            self._end(*self.state.trouble)
        else:
            self.state.recall()

    def _coarsen(self) -> bool:
        """Ask for the start anew, with longer differences: these have not moved f at all."""
        state, precision = self.state, self.state.point.precision
        eps = _COARSER * precision.eps
        if not precision.adapts or eps > _COARSEST:
            state.trouble = immovable(state)
            return False
        again = self.solver.init(state.space, state.request.x, turns=self.observers.wants_turns)
        again.request, again.sign = replace(again.request, eps=eps), self.sign
        again.sizes = state.sizes
        self.state = again
        return True

    def _judge(self) -> float:
        """Set outcome and message after a reply; the seconds spent."""
        seconds = self.watch.seconds
        state, stopping = self.state, self.stopping
        self.outcome, self.message = stopping.apply(state, self.counts, seconds)
        if self.outcome is not Outcome.RUNNING and state.close(self.outcome, self.message):
            self.outcome, self.message = Outcome.RUNNING, ""
        converged = self.outcome is Outcome.CONVERGED_GRADIENT
        hidden = self.outcome is Outcome.CONVERGED_PRECISION and state.trouble is None
        if converged and state.iteration == 0:
            self.stationary = Wants.HESSIAN in self.solver.wants
            if not self.stationary:
                self.message += "; x0 meets the tolerance, and second order was not checked"
        elif (converged or hidden) and state.confirm(stopping.gradient_tolerance(state)):
            self.outcome, self.message = Outcome.RUNNING, ""
        return seconds

    def _look_around(self) -> None:
        """At a stationary start: leave along negative curvature, or say what was looked at."""
        self.state, left, text = self.solver.leave(self.state, self.watch)
        self.answered, self.stationary = text != "", text == ""
        if self.stationary:  # with the Hessian, which is asked for
            return
        self.message += f"; {text}"
        if left:
            self.outcome = Outcome.RUNNING

    def _end(self, outcome: Outcome, message: str) -> None:
        if self.outcome is Outcome.RUNNING:
            self.outcome, self.message = outcome, message


def _quiet_unless(calm: bool) -> contextlib.AbstractContextManager[None]:
    """NumPy's warnings are no news where numbers come near the limits of their dtype."""
    return _NOTHING if calm else quiet()
