"""A check of a user's products with the Hessian."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hessx._xp import fetch, normal, space_of, to_point
from hessx.core import Request, Wants, check_integer
from hessx.objectives._function import make_objective

__all__ = ["ProductCheck", "check_product"]


@dataclass(frozen=True, slots=True)
class ProductCheck:
    """What `check_product` found.

    Attributes
    ----------
    error : float
        The largest over the directions v of norm(H v - difference) / (norm(H v) +
        norm(difference)), each at the best of the step sizes tried.
    asymmetry : float
        The largest of |u'H v - v'H u| / (norm(u) norm(H v) + norm(v) norm(H u)).
    tolerance : float
        What both stay below for a right product.
    ok : bool
        Whether they do.

    Examples
    --------
    >>> from hessx.objectives import ProductCheck
    >>> ProductCheck(error=1e-9, asymmetry=0.5, tolerance=1e-6).ok
    False
    """

    error: float
    asymmetry: float
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether products and differences agree, and H is symmetric."""
        return self.error <= self.tolerance and self.asymmetry <= self.tolerance


def check_product(
    fun: Callable[..., Any],
    x: Any,
    jac: Any = True,
    hess: Any = None,
    hessp: Any = None,
    args: tuple[Any, ...] = (),
    *,
    directions: int = 5,
    seed: int = 0,
) -> ProductCheck:
    r"""Compare H v with central differences of the gradient, and u'H v with v'H u.

    For each random v the difference (g(x + h v) - g(x - h v)) / (2 h) is taken at several h, and
    the best agreement counts.

    Parameters
    ----------
    fun, jac, hess, hessp, args
        As for `minimize`; jac is a callable or True, and hess or hessp a callable.
    x : array
        Where to check; a generic point tells the most.
    directions : int
        Random normal directions, >= 1.
    seed : int
        Of the directions.

    Returns
    -------
    ProductCheck
        ``.ok`` and the errors.

    Raises
    ------
    ValueError
        Neither hess nor hessp is a callable, or jac is neither a callable nor True.
    SettingsError
        directions < 1.
    TypeError
        x, a gradient or a product cannot be taken, as in `minimize`.

    Notes
    -----
    Cost: 8 gradients and 1 product per direction, and one product; one fetch per direction.

    References
    ----------
    Nocedal & Wright (2006), section 8.1, eq. (8.20).

    Examples
    --------
    >>> import numpy as np, hessx
    >>> fun = lambda x: ((x**4).sum(), 4 * x**3)
    >>> hessx.check_product(fun, np.ones(3), hessp=lambda x, v: 12 * x**2 * v).ok
    True
    >>> hessx.check_product(fun, np.ones(3), hessp=lambda x, v: 4 * x**2 * v).ok
    False
    """
    directions = check_integer("directions", directions, 1)
    if not callable(hess) and not callable(hessp):
        msg = "neither hess nor hessp is a callable: there is nothing to check"
        raise ValueError(msg)
    if jac is not True and not callable(jac):
        msg = f"jac = {jac!r}: expected a callable or True, products are checked against gradients"
        raise ValueError(msg)
    point = to_point(x)
    space = space_of(point)
    objective = make_objective(fun, jac, args, space, hess=hess, hessp=hessp)
    flat = space.flat(point)

    def gradient(z: Any) -> Any:
        return space.copy(objective.answer(Request(z, 0)).grad)

    product = objective.answer(Request(flat, 0, Wants.HESSIAN)).hessian
    draws = normal(space, seed, directions + 1)
    (square,), _ = fetch(space, [flat @ flat])
    size = math.sqrt(square / space.n) or 1.0
    steps = [space.eps ** (1 / 3) * size * factor for factor in (100.0, 10.0, 1.0, 0.1)]
    u = draws[directions, ...]
    Hu = space.copy(product(u))
    worst = asymmetry = 0.0
    for i in range(directions):
        v = draws[i, ...]
        Hv = space.copy(product(v))
        numbers = [u @ Hv, v @ Hu, u @ u, v @ v, Hu @ Hu, Hv @ Hv]
        for h in steps:
            difference = (gradient(flat + v * h) - gradient(flat - v * h)) / (2.0 * h)
            gap = Hv - difference
            numbers += [gap @ gap, difference @ difference]
        (u_H_v, v_H_u, u_u, v_v, Hu_Hu, Hv_Hv, *rest), _ = fetch(space, numbers)
        errors = [
            _relative(gap, Hv_Hv, other) for gap, other in zip(rest[::2], rest[1::2], strict=True)
        ]
        worst = max(worst, min(errors))
        scale = math.sqrt(u_u * Hv_Hv) + math.sqrt(v_v * Hu_Hu)
        asymmetry = max(asymmetry, abs(u_H_v - v_H_u) / scale if scale else 0.0)
    return ProductCheck(worst, asymmetry, 100.0 * space.eps ** (1 / 2))


def _relative(gap: float, a: float, b: float) -> float:
    """norm(a - b) / (norm(a) + norm(b)) from squares."""
    if not math.isfinite(gap + a + b):
        return math.inf
    return math.sqrt(gap) / (math.sqrt(a) + math.sqrt(b)) if gap > 0.0 else 0.0
