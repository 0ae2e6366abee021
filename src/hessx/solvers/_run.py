"""A run between two evaluations: state, counts, and what is decided of them."""

from __future__ import annotations

from typing import Any

from hessx._xp import Array, Space
from hessx.core import (
    Outcome,
    Point,
    Reply,
    Result,
    Solver,
    SolverState,
    Stopping,
    Watch,
    new_record,
)
from hessx.objectives import Objective
from hessx.solvers._observers import Observers, StopRun

__all__ = ["Run", "returned_point"]


class Run:
    """A run that is fed replies.

    Parameters
    ----------
    solver : Solver
        The method.
    objective : Objective
        Gives Hessians at accepted points, and the counts.
    space, x0 : Space, array
        Where the run lives and starts; x0 has the user's shape.
    stopping : Stopping
        Judges each reply.
    observers : Observers
        See each accepted point.

    Attributes
    ----------
    state : SolverState
        Whose ``request`` is to be answered next.
    outcome, message : Outcome, str
        RUNNING, or why the run has ended.
    watch : Watch
        Budgets and interrupts.
    """

    def __init__(
        self,
        solver: Solver,
        objective: Objective,
        space: Space,
        x0: Array,
        stopping: Stopping,
        observers: Observers,
    ) -> None:
        self.solver, self.objective, self.observers = solver, objective, observers
        self.stopping, self.counts = stopping, objective.counts
        self.watch = Watch(stopping, self.counts)
        self.state: Any = solver.init(space, x0, turns=observers.wants_turns)
        self.outcome, self.message = Outcome.RUNNING, ""

    def take(self, reply: Reply) -> None:
        """Let the solver absorb a reply; judge, and show an accepted point."""
        state = self.state = self.solver.absorb(self.state, reply)
        seconds = self.watch.seconds
        self.outcome, self.message = self.stopping.apply(state, self.counts, seconds)
        if state.accepted and self.observers.active:
            record = new_record(state, self.counts.values, seconds)
            try:
                self.observers.see(record, state.point, self.objective.sign)
            except StopRun:
                self._end(Outcome.STOPPED_BY_USER, "the callback stopped the run")
        if self.outcome is Outcome.CONVERGED_GRADIENT and state.iteration == 0:
            self._look_around()
        self._check_interrupt()

    def go_on(self) -> None:
        """Let the solver propose the next point, with the Hessian at an accepted one."""
        if self.state.needs_hessian:
            self._linearise()
        self.state = self.solver.propose(self.state)
        if self.state.trouble is not None:
            self._end(*self.state.trouble)
        self._check_interrupt()

    def result(self) -> Result:
        """Return the point at which success holds, else the best one met."""
        state, outcome, sign = self.state, self.outcome, self.objective.sign
        point = returned_point(state, outcome)
        grad = self.solver.gradient(state) if point.grad is None else point.grad
        space = state.space
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
            message=f"{outcome.value}: {self.message}",
            outcome=outcome,
            counts=self.counts,
        )
        extra: dict[str, Any] = {
            "hess_inv": self.solver.inverse_hessian(state),
            "history": self.observers.history,
        }
        result.update({name: entry for name, entry in extra.items() if entry is not None})
        return result

    def _linearise(self) -> None:
        state = self.state
        hessian = self.objective.hessian(
            state.point.x, lambda: self.solver.gradient(state), self.watch
        )
        self.state = self.solver.linearise(state, hessian)

    def _look_around(self) -> None:
        """At a stationary start: leave along negative curvature, or say what was looked at."""
        if not self.solver.second_order:
            self.message += "; the start is stationary, and second order was not checked"
            return
        if self.state.needs_hessian:
            self._linearise()
        self.state, left, text = self.solver.leave(self.state)
        self.message += f"; {text}"
        if left:
            self.outcome = Outcome.RUNNING

    def _check_interrupt(self) -> None:
        if self.watch.interrupted:
            self._end(Outcome.STOPPED_BY_USER, "interrupted (SIGINT)")

    def _end(self, outcome: Outcome, message: str) -> None:
        if self.outcome is Outcome.RUNNING:
            self.outcome, self.message = outcome, message


def returned_point(state: SolverState, outcome: Outcome) -> Point:
    """Choose between the current point and the best one met.

    Parameters
    ----------
    state, outcome : SolverState, Outcome
        At the end of the run.

    Returns
    -------
    Point
        The current one on success.
    """
    if outcome.success or state.best is None:
        return state.point
    return state.best
