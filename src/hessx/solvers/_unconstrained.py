"""Bounds and constraints are not there yet; those that bound nothing are let through."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from hessx.core import Oracle, Wants

__all__ = ["refuse_bounds", "refuse_constraints", "refuse_derivatives"]


def refuse_bounds(bounds: Any) -> None:
    """Refuse bounds, unless all are infinite: pairs, an array (n, 2), or arrays ``lb`` and ``ub``.

    Raises
    ------
    NotImplementedError
        One of them is finite.
    """
    if bounds is None:
        return
    if hasattr(bounds, "lb"):
        pairs = [(bounds.lb, bounds.ub)]
    else:
        pairs = [*bounds] if isinstance(bounds, Iterable) else [bounds]
    if not all(_bounds_nothing(pair) for pair in pairs):
        _refuse("bounds")


def refuse_constraints(constraints: Any) -> None:
    """Refuse constraints, unless there are none.

    Raises
    ------
    NotImplementedError
        There are some.
    """
    if constraints is not None and not (hasattr(constraints, "__len__") and len(constraints) == 0):
        _refuse("constraints")


def _bounds_nothing(pair: Any) -> bool:
    if not (hasattr(pair, "__len__") and len(pair) == 2):
        return False
    lower, upper = pair
    return _all(lower, -math.inf) and _all(upper, math.inf)


def _all(ends: Any, infinite: float) -> bool:
    """Tell whether all ends, nested as they may be, are this infinity or None."""
    if hasattr(ends, "__len__") and getattr(ends, "ndim", None) != 0:
        return all(_all(end, infinite) for end in ends)
    return ends is None or ends == infinite


def _refuse(name: str) -> None:
    msg = f"{name} were given, but hessx.minimize is unconstrained so far: leave {name} out"
    raise NotImplementedError(msg)


def refuse_derivatives(oracle: Oracle, **given: Any) -> None:
    """Refuse what belongs to a callable fun beside an oracle."""
    names = [name for name, part in given.items() if part is not None]
    if names:
        msg = f"fun has its own data and derivatives: leave {' and '.join(names)} out"
        if Wants.RESIDUAL in oracle.offers:
            msg += "; those of a residual go to it, hessx.SumOfSquares(residual, jac, args=...)"
        raise TypeError(msg)
