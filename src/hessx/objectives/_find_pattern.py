"""The pattern of a Hessian, found by probing."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

from hessx._xp import Array, Space, in_chunks, like, space_of, to_point, uniform
from hessx.core import Request, Wants, check_integer, check_real
from hessx.objectives._function import make_objective
from hessx.objectives._given import GivenOracle, as_oracle
from hessx.operators import PatternProbe, probe_pattern

__all__ = ["find_pattern"]


def find_pattern(
    fun: Any,
    x: Any,
    args: Any = (),
    *,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    points: int = 2,
    spread: float = 0.1,
    x_scale: Any = 1.0,
    symmetric: bool = True,
    max_products: int | None = None,
    seed: int = 0,
) -> PatternProbe:
    r"""Find where the Hessian of a function has entries, by products with random vectors.

    The columns are cut into intervals, and those into halves, level by level; intervals that can
    reach no row in common share a product.

    Parameters
    ----------
    fun : callable or oracle
        As in `minimize`.
    x : array, or tree of arrays
        A point; a generic one tells the most.
    args, jac, hess, hessp
        As in `minimize`: products come from hessp, from hess, or from differences of gradients.
    points : int
        At how many points entries are looked for, >= 1: x, and others around it, x_i + spread
        max(abs(x_i), x_scale_i) t with t uniform in [-1, 1].  An entry that is zero, or below the
        noise, at one of them may not be so at the next; points where the products are not finite
        are left out.
    spread : float
        How far the other points are, > 0.
    x_scale : float or array like x
        Natural size of the variables, > 0.
    symmetric : bool
        An entry may be found as its mirror image, so that full rows are no obstacle.  Where no row
        is nearly full, False may take fewer products.
    max_products : int, optional
        At each point; n + 3 by default.
    seed : int
        Of the random vectors and points.

    Returns
    -------
    PatternProbe
        ``pattern``, the union over the points, where there is one; ``outcome``, ``products`` and
        ``message`` say how it went.  A dense Hessian is given up after 19 products a point.

    Raises
    ------
    TypeError, ValueError
        As in `minimize`; nothing to form products from.
    SettingsError
        A number outside of its range.

    Notes
    -----
    Entries below the noise of the products are not seen: with differences of gradients those
    below about eps^(1/2) of the largest of their row.  The pattern is symmetric where ``symmetric``
    is True, whatever the products are.

    Cost: about log2(n / 16) times a few products at each point for bands and grids; k products
    take k/8 fetches and one for each level.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> def chain(x):  # sum of (x_i+1 - x_i)^4
    ...     cubes = 4 * np.diff(x)**3
    ...     return (np.diff(x)**4).sum(), np.append(0, cubes) - np.append(cubes, 0)
    >>> probe = hessx.find_pattern(chain, np.arange(1000.0) ** 2, jac=True)
    >>> probe.pattern == hessx.Pattern.banded(1000, 1)
    True
    """
    args = args if isinstance(args, tuple) else (args,)
    points = check_integer("points", points, 1)
    spread = check_real("spread", spread, 0.0)
    point = to_point(x, "x")
    space = space_of(point)
    oracle = as_oracle(fun)
    answer = (
        GivenOracle(oracle, space, wants=Wants.HESSIAN)
        if oracle is not None
        else make_objective(fun, jac, args, space, hess=hess, hessp=hessp, x_scale=x_scale)
    ).answer
    flat, sizes = space.flat(point), _sizes(space, space.flat(point), x_scale)
    draws = [uniform(space, (seed, i), space.n) for i in range(1, points)]
    around = [flat + sizes * in_chunks(space, 2.0 * draw - 1.0) * spread for draw in draws]
    products = [
        _scaled(answer(Request(z, i, Wants.HESSIAN)).hessian, sizes)
        for i, z in enumerate([flat, *around])
    ]
    return probe_pattern(space, products, symmetric=symmetric, max_products=max_products, seed=seed)


def _sizes(space: Space, x: Array, x_scale: Any) -> Array:
    """Give max(abs(x_i), x_scale_i)."""
    number = isinstance(x_scale, Real)
    scale = x_scale if number else space.flat(like(space, x_scale, "x_scale"))
    return space.xp.where(abs(x) > scale, abs(x), x * 0.0 + scale)


def _scaled(product: Callable[[Array], Array], sizes: Array) -> Callable[[Array], Array]:
    """Multiply by the columns in units of their variables, so that differences move each."""
    return lambda v: product(v * sizes)
