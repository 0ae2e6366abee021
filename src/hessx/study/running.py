"""One method on one problem, to the end: what a study's row and a score are made of."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from hessx._xp import record_fetches
from hessx.study.metering import BudgetSpentError, Meter

__all__ = ["NO_LIMIT", "Ending", "Solve", "carry_out"]

NO_LIMIT = 10**9  # of iterations or evaluations: no run gets there

# solve(gtol=, seconds=, iterations=), bound to a metered problem; gives an object with x and, as
# far as it has them, outcome, success, message, nit and history, as `hessx.minimize` does.
Solve = Callable[..., Any]


@dataclass(frozen=True)
class Ending:
    """What a run came to.

    Attributes
    ----------
    result : object
        What the method gave; where the budget ended it, the best point seen.
    success, message : bool, str
        What the method says of itself; no success where the budget ended it.
    value, grad : scalar, array
        f and its gradient at ``result.x``, evaluated anew and as they truly are.
    seconds : float
        Wall time.
    fetches : int
        Transfers from the device to the host by hessx.
    """

    result: Any
    success: bool
    message: str
    value: Any
    grad: Any
    seconds: float
    fetches: int


def carry_out(
    solve: Solve, meter: Meter, *, gtol: float, seconds: float, iterations: int = NO_LIMIT
) -> Ending:
    """Run a method until its gradient test holds, or a limit or the meter's budget is met."""
    began = time.perf_counter()
    with record_fetches() as meter.ledger:
        try:
            result = solve(gtol=gtol, seconds=seconds, iterations=iterations)
        except BudgetSpentError:
            best = meter.problem.x0 if meter.best_x is None else meter.best_x
            result = SimpleNamespace(x=best, message="the budget is spent")
    taken = getattr(result, "run_seconds", time.perf_counter() - began)
    success, message = bool(getattr(result, "success", False)), getattr(result, "message", "")
    value, grad = (meter.problem.truth or meter.problem.fun)(result.x)
    return Ending(result, success, str(message), value, grad, taken, meter.ledger.fetches)
