"""How Newton's methods solve their models: settings that a line search and a region share."""

from __future__ import annotations

import math
from typing import Any

from hessx.core import SettingsError, check_part, store_integer
from hessx.krylov import GLTR
from hessx.solvers._preconditioners import PairPreconditioner, make_preconditioner

__all__ = ["inner_limit", "settle_inner"]


def inner_limit(given: int | None, n: int) -> int:
    """Products at most in one solve, unless given: enough for CG on grids of two dimensions."""
    return given if given is not None else min(max(2 * n, 50), max(200, 4 * math.isqrt(n)))


def settle_inner(method: Any) -> None:
    """Check ``subproblem``, ``forcing``, ``preconditioner`` and ``max_inner`` of a method.

    Raises
    ------
    SettingsError
        One of them is out of range or no such part, or they do not fit together.
    """
    subproblems = "hessx.TruncatedCG(), hessx.GLTR() or a function of a QuadraticModel"
    check_part("subproblem", method.subproblem, "__call__", subproblems)
    check_part("forcing", method.forcing, "begin", "hessx.Forcing() or hessx.EisenstatWalker()")
    store_integer(method, "max_inner", 1)
    part = make_preconditioner(method.preconditioner)
    object.__setattr__(method, "preconditioner", part)
    if isinstance(part, PairPreconditioner) and isinstance(method.subproblem, GLTR):
        msg = (
            "preconditioner = PairPreconditioner(...) learns from pairs, of which subproblem = "
            "GLTR(...) hands none back: expected hessx.TruncatedCG(), or another preconditioner, "
            "such as hessx.LearntDiagonal()"
        )
        raise SettingsError(msg)
