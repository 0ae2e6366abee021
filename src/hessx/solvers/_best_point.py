"""The best finite point of a run is never lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx._xp import Array
from hessx.core import Outcome, Point, SolverState

__all__ = ["keep_rejected", "keep_when_left", "returned_point"]


def keep_when_left(state: Any, trial: Point, gradient: Callable[[], Array]) -> None:
    """As ``trial`` is accepted: the point that is left may be better."""
    old, best, eps_f = state.point, state.best, state.floor.eps_f
    if best is None and not trial.is_better_than(old, eps_f):
        old.grad = gradient()
        state.best = old
    elif best is not None and trial.is_better_than(best, eps_f):
        state.best = None


def keep_rejected(state: Any, trial: Point) -> None:
    """A rejected trial may still be the best point of the run."""
    best, eps_f = state.best, state.floor.eps_f
    if not (trial.finite and trial.is_better_than(state.point, eps_f)):
        return
    if best is None or trial.is_better_than(best, eps_f):
        trial.grad = state.space.copy(state.reply.grad)
        trial.grad_norm2 = float("nan")
        state.best = trial


def returned_point(state: SolverState, outcome: Outcome) -> Point:
    """Choose between the current point and the best one met.

    Parameters
    ----------
    state, outcome : SolverState, Outcome
        At the end of the run.

    Returns
    -------
    Point
        The current one where a stated tolerance holds there.
    """
    stated = outcome.success and outcome is not Outcome.CONVERGED_PRECISION
    return state.point if stated or state.best is None else state.best
