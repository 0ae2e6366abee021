"""A check of a user's gradient."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hessx._xp import fetch, normal, space_of, to_point
from hessx.core import Request, check_integer
from hessx.objectives._function import make_objective

__all__ = ["GradientCheck", "check_gradient"]


@dataclass(frozen=True, slots=True)
class GradientCheck:
    """What `check_gradient` found.

    Attributes
    ----------
    error : float
        The largest over the directions v of |g'v - difference| / (|difference| + |g'v|), each at
        the best of the step sizes tried; near eps^(2/3) for a right gradient, near 1 for noise.
    tolerance : float
        What a right gradient stays below, unless f is rough or noisy.
    ok : bool
        error <= tolerance.

    Examples
    --------
    >>> from hessx.objectives import GradientCheck
    >>> GradientCheck(error=1e-9, tolerance=1e-6).ok
    True
    """

    error: float
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether gradient and differences agree."""
        return self.error <= self.tolerance


def check_gradient(
    fun: Callable[..., Any],
    x: Any,
    jac: Any = True,
    args: tuple[Any, ...] = (),
    *,
    directions: int = 5,
    seed: int = 0,
) -> GradientCheck:
    r"""Compare g'v with central differences of f along random directions v.

    For each v the difference (f(x + h v) - f(x - h v)) / (2 h) is taken at several h, and the
    best agreement counts: an error in the gradient is an error at every h.

    Parameters
    ----------
    fun, jac, args : callable, callable or True, tuple
        As for `minimize`.
    x : array or tree of arrays
        Where to check; a generic point, not a solution, tells the most.
    directions : int
        Random normal directions, >= 1.
    seed : int
        Of the directions.

    Returns
    -------
    GradientCheck
        ``.ok`` and the error.

    Raises
    ------
    ValueError
        jac is neither a callable nor True.
    SettingsError
        directions < 1.
    TypeError
        x or the gradient cannot be taken, as in `minimize`.

    Notes
    -----
    Cost: 8 evaluations per direction and one; one fetch per direction and one.

    References
    ----------
    Nocedal & Wright (2006), section 8.1, eq. (8.7).

    Examples
    --------
    >>> import numpy as np, hessx
    >>> hessx.check_gradient(lambda x: (x**4).sum(), np.ones(3), jac=lambda x: 4 * x**3).ok
    True
    >>> hessx.check_gradient(lambda x: (x**4).sum(), np.ones(3), jac=lambda x: 3 * x**3).ok
    False
    """
    directions = check_integer("directions", directions, 1)
    point = to_point(x)
    space = space_of(point)
    if jac is not True and not callable(jac):
        msg = f"jac = {jac!r}: expected a callable or True, there is nothing to check otherwise"
        raise ValueError(msg)
    objective = make_objective(fun, jac, args, space)
    flat = space.flat(point)
    grad = space.copy(objective.answer(Request(flat, 0)).grad)
    draws = normal(space, seed, directions)
    (scale,), _ = fetch(space, [flat @ flat])
    size = math.sqrt(scale / space.n) or 1.0
    steps = [space.eps ** (1 / 3) * size * factor for factor in (100.0, 10.0, 1.0, 0.1)]
    worst = 0.0
    for i in range(directions):
        v = draws[i, ...]
        points = (flat + sign * h * v for h in steps for sign in (1.0, -1.0))
        values = [objective.answer(Request(x, 0)).value for x in points]
        (slope, *values), _ = fetch(space, [grad @ v, *values])
        slopes = [
            (up - down) / (2.0 * h)
            for h, up, down in zip(steps, values[::2], values[1::2], strict=True)
        ]
        errors = [_relative(slope, other) for other in slopes]
        worst = max(worst, min(errors))
    return GradientCheck(worst, 100.0 * space.eps ** (1 / 2))


def _relative(a: float, b: float) -> float:
    if not math.isfinite(a + b):
        return math.inf
    return abs(a - b) / (abs(a) + abs(b)) if a != b else 0.0
