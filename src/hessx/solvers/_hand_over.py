"""From the state of one method to that of another, at the same point."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hessx.core import Reply
from hessx.directions import NonlinearCG, QuasiNewton
from hessx.hessians import LBFGS, LBFGSInverse, LearntDiagonal, PairPreconditioner
from hessx.solvers._line_search_method import LineSearchMethod
from hessx.solvers._run_state import RunState

__all__ = ["begun_with", "hand_over"]


def hand_over(first: Any, state: RunState, second: Any, learnt: Any = None) -> RunState:
    """Begin ``second`` at the best point of a run; value and gradient are those that are known.

    Parameters
    ----------
    first, state : Solver, RunState
        The method that ends, and what it has come to; the point has a gradient of the whole.
    second : LineSearchMethod or TrustRegionMethod
        The one to begin.
    learnt : operator or matrix, optional
        An inverse Hessian to begin with, where there is room for it.

    Returns
    -------
    RunState
        Of ``second``, with the start, counts and noise of the run; one fetch.
    """
    point = state.point if state.best is None else state.best
    grad = first.gradient(state) if point.grad is None else point.grad
    later: RunState = begun_with(second, learnt).init(state.space, point.x, turns=state.turns)
    later.sign, later.sizes = state.sign, state.sizes
    reply = Reply(later.request.ticket, point.value, grad, precision=point.precision)
    later = second.absorb(later, second.measure(later, reply).fetch())
    later.iteration = later.begun = state.iteration
    later.first = state.first
    later.value_before = state.value_before
    later.alpha, later.step_norm = state.alpha, state.step_norm
    later.scaled_step_norm = state.step_norm / later.frame.length
    later.floor.eps_f = max(later.floor.eps_f, state.floor.eps_f)
    last = state.request  # tickets go on, and differences stay as long as they have become
    later.request = replace(last, x=None) if last.evidence else last
    return later


def begun_with(method: Any, A: Any) -> Any:
    """Give a method that begins with the pairs of an L-BFGS, or is preconditioned by them.

    The method itself where it has a start, or a preconditioner, of its own, and for any other A.
    """
    along = isinstance(method, LineSearchMethod)
    part: Any = method.direction if along else method
    if not isinstance(A, LBFGSInverse) or isinstance(part, NonlinearCG):
        return method
    B = part.approximation
    if isinstance(B, LBFGS) and B.hess_inv0 is None:
        part = replace(part, approximation=replace(B, hess_inv0=A))
    elif isinstance(part, QuasiNewton) or part.preconditioner != LearntDiagonal():
        return method
    elif part.subproblem.learns:
        part = replace(part, preconditioner=PairPreconditioner(hess_inv0=A))
    return replace(method, direction=part) if along else part
