"""The best finite point of a run is never lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx._xp import Array
from hessx.core import Point

__all__ = ["keep_rejected", "keep_when_left"]


def keep_when_left(state: Any, trial: Point, gradient: Callable[[], Array]) -> None:
    """As ``trial`` is accepted: the point that is left may be better."""
    old, best, eps_f = state.point, state.best, state.floor.eps_f
    if best is None and not trial.is_better_than(old, eps_f):
        old.grad = gradient()
        state.best = old
    elif best is not None and trial.is_better_than(best, eps_f):
        state.best = None


def keep_rejected(state: Any, trial: Point, grad: Array) -> None:
    """A rejected trial may still be the best point of the run."""
    best, eps_f = state.best, state.floor.eps_f
    if not (trial.finite and trial.is_better_than(state.point, eps_f)):
        return
    if best is None or trial.is_better_than(best, eps_f):
        trial.grad = state.space.copy(grad)
        trial.grad_norm2 = float("nan")
        state.best = trial
