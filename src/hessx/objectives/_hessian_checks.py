"""What a user's Hessian, or gradient of many points, is asked once in a run."""

from __future__ import annotations

from typing import Any

from hessx._xp import Array, Space, fetch, quiet

__all__ = ["check_stack", "check_symmetric"]

_UNSYMMETRIC = _OTHER = 1 / 4  # powers of eps
_ROUNDINGS = 100.0  # of the gradient, that another order of its sums may make


def check_stack(hessian: Any, V: Array, rows: Array) -> None:
    """Refuse a `Stacked` gradient that gives a point another one in a stack than alone.

    Parameters
    ----------
    hessian : HessianAt
        At the point.
    V, rows : array, shape (k, n)
        Vectors, of the order of ``hessian.sizes``, and what ``hessian.stack`` made of them.

    Raises
    ------
    ValueError
        The first row differs by more than eps^(1/4) of its largest entry, and rounding.

    Notes
    -----
    Cost: one product and one fetch; none where no gradient takes stacks.
    """
    space, differences = hessian.space, hessian.differences
    if differences is None or not hessian.stacks or V.shape[0] == 1:
        return
    xp, sizes, alone = space.xp, differences.sizes, hessian.sized(V[0, ...])
    most = xp.max(xp.abs(alone * sizes)) * space.eps**_OTHER
    limit = most + xp.max(differences.noise * sizes) * _ROUNDINGS
    gap = xp.max(xp.abs((rows[0, ...] - alone) * sizes))
    (other,), _ = fetch(space, [xp.astype(gap > limit, space.dtype)])
    if other:
        msg = (
            "jac = Stacked(...) gives another gradient for a point in a stack than for the "
            "point alone: expected a row of gradients for each point along the first axis, as "
            "of what is written for the last axis or mapped; or jac itself, without Stacked"
        )
        raise ValueError(msg)


def check_symmetric(space: Space, H: Array) -> None:
    """Refuse what is no Hessian; what is computed in a lower precision than x is one.

    Raises
    ------
    ValueError
        An entry differs from the one across the diagonal by more than eps^(1/4) of the largest.
    """
    xp = space.xp
    with quiet():
        (off, most), _ = fetch(space, [xp.max(xp.abs(H - H.T)), xp.max(xp.abs(H))])
    if off > space.eps**_UNSYMMETRIC * most:
        msg = (
            f"hess(x) is not symmetric: entries (i, j) and (j, i) differ by {off:.3g}, and the "
            f"largest is {most:.3g}: expected a whole matrix, both triangles, or products by hessp"
        )
        raise ValueError(msg)
