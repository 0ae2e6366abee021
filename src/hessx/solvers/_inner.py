"""How Newton's methods solve their models: settings that a line search and a region share."""

from __future__ import annotations

import math
from typing import Any

from hessx.core import (
    Ball,
    Cubic,
    Damped,
    Free,
    Restraint,
    SettingsError,
    check_object,
    check_part,
    store_integer,
)
from hessx.krylov import GLTR, Subproblem, TruncatedCG
from hessx.solvers._preconditioners import PairPreconditioner, make_preconditioner

__all__ = ["inner_limit", "settle_inner"]

_SUBPROBLEMS = (TruncatedCG, GLTR)
_RULES = {
    Ball: "hessx.RadiusRule()",
    Damped: "hessx.NielsenRule()",
    Cubic: "hessx.CubicRule()",
}


def inner_limit(given: int | None, n: int) -> int:
    """Products at most in one solve, unless given: enough for CG on grids of two dimensions."""
    return given if given is not None else min(max(2 * n, 50), max(200, 4 * math.isqrt(n)))


def settle_inner(method: Any, restraint: type[Restraint]) -> None:
    """Check ``subproblem``, ``forcing``, ``preconditioner`` and ``max_inner`` of a method.

    Parameters
    ----------
    method : NewtonCG or TrustRegionMethod
        Whose settings they are.
    restraint : type
        Under which it puts its models.

    Raises
    ------
    SettingsError
        One of them is out of range or no such part, or they do not fit together.
    """
    subproblem = method.subproblem
    check_object("subproblem", subproblem)
    if not isinstance(subproblem, Subproblem):
        given = type(subproblem).__name__
        expected = "hessx.TruncatedCG(), hessx.GLTR() or a hessx.Subproblem of your own"
        msg = f"subproblem is a {given}: expected {expected}"
        raise SettingsError(msg)
    _check_restraint(subproblem, restraint)
    check_part("forcing", method.forcing, "begin", "hessx.Forcing() or hessx.EisenstatWalker()")
    store_integer(method, "max_inner", 1)
    part = make_preconditioner(method.preconditioner)
    object.__setattr__(method, "preconditioner", part)
    if isinstance(part, PairPreconditioner) and not subproblem.learns:
        msg = (
            "preconditioner = PairPreconditioner(...) learns from pairs, of which subproblem = "
            f"{type(subproblem).__name__}(...) hands none back: expected hessx.TruncatedCG(), or "
            "another preconditioner, such as hessx.LearntDiagonal()"
        )
        raise SettingsError(msg)


def _check_restraint(subproblem: Subproblem, restraint: type[Restraint]) -> None:
    """Refuse a subproblem that knows nothing of the restraint."""
    if issubclass(restraint, subproblem.takes):
        return
    takes = ", ".join(kind.__name__ for kind in subproblem.takes)
    given = f"subproblem = {type(subproblem).__name__}(...) takes {takes}, and models are under"
    rules = [_RULES[kind] for kind in subproblem.takes if kind in _RULES and restraint is not Free]
    others = [
        f"hessx.{kind.__name__}()" for kind in _SUBPROBLEMS if issubclass(restraint, kind.takes)
    ]
    fits = [f"subproblem = {' or '.join(others)}"] if others else []
    if rules:
        fits.append(f"region = {' or '.join(rules)}")
    msg = f"{given} {restraint.__name__}: expected {', or '.join(fits)}"
    raise SettingsError(msg)
