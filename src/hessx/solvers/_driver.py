"""The one loop that connects an oracle and a solver."""

from __future__ import annotations

import time
from typing import Any

from hessx._xp import Array, Space
from hessx.core import (
    Counts,
    Outcome,
    Point,
    Result,
    Solver,
    SolverState,
    Stopping,
    new_record,
)
from hessx.objectives import Objective
from hessx.solvers._observers import Observers, StopRun

__all__ = ["finish", "returned_point", "run"]


def run(
    solver: Solver,
    objective: Objective,
    space: Space,
    x0: Array,
    stopping: Stopping,
    observers: Observers,
) -> Result:
    """Minimise: ask, absorb, judge, observe, propose, until something holds.

    Parameters
    ----------
    solver : Solver
        The method.
    objective : Objective
        Answers its requests.
    space, x0 : Space, array
        Where the run lives and starts; x0 has the user's shape.
    stopping : Stopping
        Judges each reply.
    observers : Observers
        See each accepted point; closed at the end.

    Returns
    -------
    Result
        On success a stated tolerance holds at ``x``; else ``x`` is the best point met.

    Raises
    ------
    ValueError
        x0 is not finite.  What the user's functions raise passes through, after the observers were
        closed.
    """
    began = time.perf_counter()
    counts, sign = objective.counts, objective.sign
    state = solver.init(space, x0, turns=observers.wants_turns)
    try:
        while True:
            reply = objective.answer(state.request)
            state = solver.absorb(state, reply)
            seconds = time.perf_counter() - began
            outcome, message = stopping.apply(state, counts, seconds)
            if state.accepted and observers.active:
                try:
                    observers.see(new_record(state, counts.values, seconds), state.point, sign)
                except StopRun:
                    if outcome is Outcome.RUNNING:
                        outcome, message = Outcome.STOPPED_BY_USER, "the callback stopped the run"
            if outcome is not Outcome.RUNNING:
                return finish(solver, state, outcome, message, counts, sign, observers)
            if getattr(state, 'needs_hessian', False):
                state = solver.linearise(state, objective.hessian(state.point.x))
            state = solver.propose(state)
    finally:
        observers.close()


def finish(
    solver: Solver,
    state: SolverState,
    outcome: Outcome,
    message: str,
    counts: Counts,
    sign: float,
    observers: Observers,
) -> Result:
    """Return the point at which success holds, else the best one met.

    Parameters
    ----------
    solver, state : Solver, SolverState
        At the end of the run.
    outcome, message : Outcome, str
        Why it ended.
    counts, sign : Counts, float
        Those of the objective.
    observers : Observers
        With the history, if one was kept.

    Returns
    -------
    Result
        In the user's shape and sign.
    """
    point = returned_point(state, outcome)
    grad = solver.gradient(state) if point.grad is None else point.grad
    space = state.space
    result = Result(
        x=space.shaped(point.x),
        fun=sign * point.value,
        jac=space.shaped(grad if sign > 0.0 else -grad),
        nit=state.iteration,
        nfev=counts.values,
        njev=counts.gradients,
        nhev=counts.products,
        success=outcome.success,
        status=outcome.status,
        message=f"{outcome.value}: {message}",
        outcome=outcome,
        counts=counts,
    )
    extra: dict[str, Any] = {
        "hess_inv": solver.inverse_hessian(state),
        "history": observers.history,
    }
    result.update({name: entry for name, entry in extra.items() if entry is not None})
    return result


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
