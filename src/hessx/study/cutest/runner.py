"""Running one method on one problem within a budget."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hessx.study.cutest.problems import CutestProblem
from hessx.study.metering import Budget, Meter
from hessx.study.methods import Method
from hessx.study.running import carry_out

__all__ = ["Run", "perturbed", "run"]


@dataclass(frozen=True)
class Run:
    """What one method did on one problem.

    Attributes
    ----------
    cost, fun_calls, grad_calls, products : int
        What was spent in all.
    improvements : list of (int, float)
        Cost and value at every new best value.
    fun0, grad_norm0 : float
        Value and max-norm of the gradient at the start.
    fun, grad_norm : float
        Value and max-norm of the projected gradient at the returned point.
    success : bool
        What the solver says of itself; False when the budget ended it.
    message : str
    seconds : float
    """

    cost: int
    fun_calls: int
    grad_calls: int
    products: int
    improvements: list[tuple[int, float]]
    fun0: float
    grad_norm0: float
    fun: float
    grad_norm: float
    success: bool
    message: str
    seconds: float


def perturbed(problem: CutestProblem, size: float, seed: int) -> CutestProblem:
    """The same problem from a start moved at random by a relative `size`.

    ``x0_i (1 + size u_i)``, and ``size u_i`` where ``x0_i = 0``, with u uniform in [-1, 1]; then
    moved into the bounds. The draw depends on `seed` and the problem's name alone.

    Parameters
    ----------
    problem : CutestProblem
    size : float
        Zero leaves the start as it is.
    seed : int

    Returns
    -------
    CutestProblem
    """
    rng = np.random.default_rng([seed, zlib.crc32(problem.name.encode())])
    u = rng.uniform(-1.0, 1.0, problem.n)
    moved = np.where(problem.x0 == 0, size * u, problem.x0 * (1 + size * u))
    return replace(problem, x0=np.clip(moved, problem.lower, problem.upper))


def run(
    method: Method,
    problem: CutestProblem,
    gtol: float = 1e-6,
    budget: Budget | None = None,
    options: Mapping[str, Any] | None = None,
) -> Run | None:
    """Run `method` on `problem` until its gradient test holds or the budget is spent.

    Parameters
    ----------
    method : Method
    problem : CutestProblem
        Where the budget ends the run, the returned point is the best one seen.
    gtol : float
        The bound on the max-norm of the gradient that the solver is asked for.
    budget : Budget, optional
    options : mapping, optional
        Options for the solver.

    Returns
    -------
    Run or None
        None where the method is not run on a problem of this size.
    """
    if not method.suits(problem.n):
        return None
    meter = Meter(problem.posed(), budget or Budget())
    solve = method.bind(meter, options or {})
    ending = carry_out(solve, meter, gtol=gtol, seconds=math.inf)
    fun0, grad0 = problem.fun_and_grad(problem.x0)
    projected = problem.projected_gradient(np.asarray(ending.result.x), ending.grad)
    return Run(
        cost=meter.cost,
        fun_calls=meter.fun_calls,
        grad_calls=meter.grad_calls,
        products=meter.products,
        improvements=meter.improvements,
        fun0=fun0,
        grad_norm0=float(np.max(np.abs(grad0))),
        fun=ending.value,
        grad_norm=float(np.max(np.abs(projected))),
        success=ending.success,
        message=ending.message,
        seconds=ending.seconds,
    )
