"""The contract between the driver and every solver.

A solver is frozen settings and three transitions.  ``absorb`` and ``propose`` consume the state
they are given and hand it on, its arrays written in place; ``copy.deepcopy`` keeps one.  The
ticket of a request must come back with its reply: an answer to an older state is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from hessx._xp import Array, Numbers, Packet, Space
from hessx.core._kinds import Wants
from hessx.core._messages import EXACT, Counts, Precision, Reply, Request
from hessx.core._outcome import Outcome
from hessx.core._saved import saved
from hessx.core._trace import Record

__all__ = ["Point", "Solver", "SolverState", "new_record"]


@saved
@dataclass(slots=True)
class Point:
    """A point with its value and the norms of its gradient.

    Attributes
    ----------
    x : array, shape (n,)
        The point.
    value : float
        f(x).
    grad_norm, grad_norm2 : float
        norm_inf and norm_2 of the gradient.
    grad : array, shape (n,), optional
        The gradient, where it is held.
    precision : Precision
        How far value and gradient can be trusted, as host numbers.
    norm : float
        norm_2 of the point, in x / x_scale where that is an array; nan unless it is wanted.
    """

    x: Array
    value: float
    grad_norm: float
    grad_norm2: float
    grad: Array | None = None
    precision: Precision = EXACT
    norm: float = math.nan

    def is_better_than(self, other: Point, eps_f: float) -> bool:
        """Compare values; within their noise, eps_f |f|, the norms of the gradients."""
        if abs(self.value - other.value) <= eps_f * max(abs(self.value), abs(other.value)):
            return self.grad_norm < other.grad_norm
        return self.value < other.value

    def bare(self) -> Point:
        """Give the numbers alone, without the vectors."""
        return Point(None, self.value, self.grad_norm, self.grad_norm2, precision=self.precision)

    @property
    def finite(self) -> bool:
        """Whether value and gradient are finite."""
        return math.isfinite(self.value) and math.isfinite(self.grad_norm)


class SolverState(Protocol):
    """What driver and stopping read of any solver's state.

    Attributes
    ----------
    space : Space
        Where x lives.
    request : Request
        The question to answer next: value and gradient of a trial, or the Hessian or residual at
        ``point``.
    iteration : int
        Accepted steps.
    accepted : bool
        Whether the last value and gradient ended an iteration.
    point, first : Point
        The last accepted point, and the numbers of the start.
    best : Point, optional
        A better point than ``point``, if one was met.
    value_before : float
        f at the accepted point before.
    scaled_step_norm, step_norm, alpha : float
        norm_2(s / x_scale) and norm_2 of the last step, and its multiple of the direction.
    cut : bool
        The last step was cut short, by a search or a region: its length and gain tell nothing.
    trials : int
        Evaluations on the present ray.
    sign : float
        -1 where the user maximises: for messages.
    floor : Floor
        Where the values of f tell no step from another.
    cosine, note : float, str
        As in `Record`.
    trouble : tuple of Outcome and str, optional
        Why the solver cannot go on.
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
    cut: bool
    trials: int
    sign: float
    floor: Any
    cosine: float
    note: str
    trouble: tuple[Outcome, str] | None


class Solver(Protocol):
    """A method: settings and transitions.

    Attributes
    ----------
    wants : Wants
        What it asks for at accepted points: the Hessian, the residual, or nothing.
    """

    wants: Wants

    def init(self, space: Space, x0: Array, *, turns: bool = False) -> Any:
        """Ask for the value and gradient at x0; ``turns`` asks for the cosines of the history."""
        ...

    def measure(self, state: Any, reply: Reply) -> Packet:
        """Take an answer in, and name the scalars that the host must see of it.

        An empty packet costs no wait.
        """
        ...

    def absorb(self, state: Any, numbers: Numbers) -> Any:
        """Accept or reject, by the numbers of the packet; no new direction.

        A Hessian is kept for ``propose``, without a fetch and without a verdict.
        """
        ...

    def propose(self, state: Any, watch: Callable[[], bool]) -> Any:
        """Set the next request, with a new direction where the last step was accepted.

        Where that takes the Hessian, which is not there yet, it is asked for, and then ``propose``
        called again.  ``watch`` is asked in inner loops, once per product, whether to end them.
        """
        ...

    def leave(self, state: Any, watch: Callable[[], bool]) -> tuple[Any, bool, str]:
        """At a stationary start, look for negative curvature; what was looked at.

        True where the next request leaves the start along it.  "" where the Hessian is asked for
        first, and then ``leave`` called again.  For second-order methods.
        """
        ...

    def gradient(self, state: Any) -> Array:
        """Give the gradient at ``state.point``."""
        ...

    def inverse_hessian(self, state: Any) -> Any:
        """Give the inverse Hessian approximation, an operator or a matrix, or None."""
        ...


def new_record(state: SolverState, counts: Counts, seconds: float) -> Record:
    """Write down the accepted point.

    Parameters
    ----------
    state : SolverState
        After a reply that was accepted.
    counts : Counts
        What was evaluated so far.
    seconds : float
        Since the start of the run.

    Returns
    -------
    Record
        Host numbers; no fetch.
    """
    return Record(
        state.iteration,
        counts.values,
        seconds,
        state.point.value,
        state.point.grad_norm,
        state.step_norm,
        state.alpha,
        state.trials,
        state.cosine,
        state.note,
        counts.rows,
    )
