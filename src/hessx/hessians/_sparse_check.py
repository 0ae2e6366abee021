"""Has the Hessian entries outside of a pattern?  One product more tells."""

from __future__ import annotations

from typing import Any

import numpy as np

from hessx._xp import Array, Space, fetch, uniform
from hessx.hessians._sparse_places import SymmetricPlaces

__all__ = ["check_pattern", "check_symmetric"]

_SEED = 15
_NAMED = 5  # rows in a message
_SEEN = 1 / 4  # power of eps: of what a row adds up to
_EXACT, _ROUGH = 3 / 4, 1 / 2  # powers of eps: of the largest row
_ERRORS = 10.0  # times as far as another step is off
_SHORTER = 0.7  # and no power of two, with which rounding might be the same


def check_pattern(
    hessian: Any, places: SymmetricPlaces, values: Array, sizes: Array | None
) -> bool:
    r"""Compare H v with B v for a random v, row by row.

    Missing entries leave their sum in a row of H v - B v.  What differences leave there is of the
    order of H v + H (-t v) / t, t = 0.7, which is looked at where a row differs.

    Parameters
    ----------
    hessian : HessianAt
        At the point.
    places : SymmetricPlaces
        Of the pattern.
    values : array, shape (nnz,)
        Of B, as its products were read; of S H S where there are sizes, with S = diag(sizes).
    sizes : array, shape (n,), optional
        Of the variables, for differences.

    Returns
    -------
    bool
        False where some of the numbers are not finite, and say nothing.

    Raises
    ------
    ValueError
        Rows differ by more than differences, and rounding, leave.

    Notes
    -----
    Cost: one product, one upload and one fetch; where rows differ one product and one fetch more.
    """
    space = places.space
    xp, n, eps = space.xp, space.n, space.eps
    w = uniform(space, _SEED, n) - 0.5
    w = xp.where(w < 0.0, w - 0.5, w + 0.5)  # none so small that it would hide an entry

    def product(v: Array) -> Array:
        # of one point: a gradient that takes no stacks would agree with its own
        return hessian(v) + 0.0 if sizes is None else hessian.sized(v * sizes) * sizes

    forward = product(w)
    gap = xp.abs(forward - places.operator(values).matvec(w))
    whole = places.operator(xp.abs(values)).matvec(xp.abs(w))
    limit = whole * eps**_SEEN + xp.max(whole) * eps ** (_EXACT if sizes is None else _ROUGH)
    if sizes is not None:
        limit = limit + hessian.differences.noise * sizes * _ERRORS
    suspect = xp.astype(gap > limit, space.dtype)
    (suspects, unknown), _ = fetch(space, [xp.sum(suspect), _not_finite(space, gap, limit)])
    if not suspects > 0.0:
        return not unknown
    off = xp.abs(forward + product(w * -_SHORTER) / _SHORTER)
    usual = xp.sqrt(xp.max(xp.stack([(off * suspect) @ off / suspects, off @ off / n])))
    limit = limit + _ERRORS * xp.where(off > usual, off, usual)
    wrong = xp.astype(gap > limit, space.dtype)
    (wrong, unknown), _ = fetch(space, [wrong, _not_finite(space, gap, limit)])
    rows = np.flatnonzero(wrong)
    if len(rows):
        named = ", ".join(map(str, rows[:_NAMED])) + (", ..." if len(rows) > _NAMED else "")
        msg = (
            f"the Hessian has entries outside of the pattern in {len(rows)} of {n} rows: {named}; "
            "expected a pattern with all that may be nonzero: hessx.find_pattern finds one by "
            "products, and check=False takes B for what it is"
        )
        raise ValueError(msg)
    return not unknown


def _not_finite(space: Space, gap: Array, limit: Array) -> Array:
    """Count the rows that cannot be judged."""
    xp = space.xp
    known = xp.logical_and(xp.isfinite(gap), xp.isfinite(limit))
    return xp.sum(xp.astype(xp.logical_not(known), space.dtype))


def check_symmetric(places: SymmetricPlaces, values: Array) -> None:
    """Refuse a sparse matrix that is not symmetric, one triangle of a Hessian; one fetch.

    Raises
    ------
    ValueError
        Entries (i, j) and (j, i) differ by more than eps^(1/4) of the largest.
    """
    space, xp = places.space, places.space.xp
    gaps = xp.abs(values - places.transposed(values))
    (off, most), _ = fetch(space, [xp.max(gaps), xp.max(xp.abs(values))])
    if off > space.eps**_SEEN * most:
        msg = (
            f"hess(x) is not symmetric: entries (i, j) and (j, i) differ by {off:.3g}, and the "
            f"largest is {most:.3g}: expected a whole sparse matrix, both triangles"
        )
        raise ValueError(msg)
