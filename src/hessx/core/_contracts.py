"""The contract between the driver and every solver.

A solver is frozen settings and three transitions.  ``absorb`` and ``propose`` consume the state
they are given and hand it on, its arrays written in place; ``copy.deepcopy`` keeps one.  The
ticket of a request must come back with its reply: an answer to an older state is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from hessx._xp import Array, Space
from hessx.core._messages import Reply, Request
from hessx.core._outcome import Outcome
from hessx.core._trace import Record

__all__ = ["Point", "Solver", "SolverState", "new_record"]


@dataclass(slots=True)
class Point:
    """A point with its value and the norms of its gradient; the gradient where it is held."""

    x: Array
    value: float
    grad_norm: float  # norm_inf
    grad_norm2: float
    grad: Array | None = None

    def is_better_than(self, other: Point, eps: float) -> bool:
        """Compare values; within their precision, 10 eps |f|, the norms of the gradients."""
        if abs(self.value - other.value) <= 10.0 * eps * max(abs(self.value), abs(other.value)):
            return self.grad_norm < other.grad_norm
        return self.value < other.value

    @property
    def finite(self) -> bool:
        """Whether value and gradient are finite."""
        return math.isfinite(self.value) and math.isfinite(self.grad_norm)


class SolverState(Protocol):
    """What driver and stopping read of any solver's state.

    ``accepted`` tells whether the last reply ended an iteration; ``trouble`` is the outcome of a
    solver that cannot go on; ``best`` is a better point than ``point``, if one was met.
    """

    space: Space
    request: Request
    iteration: int
    accepted: bool
    point: Point
    first: Point
    best: Point | None
    value_before: float
    scaled_step_norm: float
    alpha: float
    step_norm: float
    trials: int
    cosine: float
    note: str
    trouble: tuple[Outcome, str] | None


class Solver(Protocol):
    """A method: settings and three transitions."""

    def init(self, space: Space, x0: Array, *, turns: bool = False) -> Any:
        """Ask for the value and gradient at x0; ``turns`` asks for the cosines of the history."""
        ...

    def absorb(self, state: Any, reply: Reply) -> Any:
        """Take an answer in, with one fetch; accept or reject; no new direction."""
        ...

    def propose(self, state: Any) -> Any:
        """Set the next request, with a new direction where the last step was accepted."""
        ...

    def gradient(self, state: Any) -> Array:
        """Give the gradient at ``state.point``."""
        ...

    def inverse_hessian(self, state: Any) -> Any:
        """Give the inverse Hessian approximation as an operator, or None."""
        ...


def new_record(state: SolverState, evaluations: int, seconds: float) -> Record:
    """Write down the accepted point."""
    return Record(
        state.iteration,
        evaluations,
        seconds,
        state.point.value,
        state.point.grad_norm,
        state.step_norm,
        state.alpha,
        state.trials,
        state.cosine,
        state.note,
    )
