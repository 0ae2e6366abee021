"""B^-1 v where only B v is at hand."""

from __future__ import annotations

import math
from collections.abc import Callable

from hessx._xp import Array, Space, fetch
from hessx.krylov._cg import TruncatedCG
from hessx.krylov._model import QuadraticModel

__all__ = ["invert"]

_POWER = 3 / 4  # of eps: a residual that rounding still lets CG reach


def invert(space: Space, product: Callable[[Array], Array], v: Array) -> Array:
    """Solve B x = v for positive definite B, by conjugate gradients.

    Parameters
    ----------
    space : Space
        Of v.
    product : callable
        p -> B p.
    v : array, shape (n,)
        Right-hand side.

    Returns
    -------
    array, shape (n,)
        x with norm(v - B x) <= eps^(3/4) norm(v), or as near as 2 n + 50 products come.

    Notes
    -----
    Cost: one product and one fetch per step, and one fetch.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.krylov import invert
    >>> v, B = np.array([1.0, 2.0]), np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> invert(space_of(v), lambda p: B @ p, v).round(9)
    array([0.2, 0.6])
    """
    (v_v,), _ = fetch(space, [v @ v])
    if not 0.0 < v_v < math.inf:
        return v + 0.0
    tolerance = space.eps**_POWER * math.sqrt(v_v)
    return TruncatedCG()(QuadraticModel(space, product, -v, v_v, tolerance, 2 * space.n + 50)).step
